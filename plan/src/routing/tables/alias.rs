//! `aliases` of a number as they are written: numbers, and numbers with a last day.

use jiff::civil::Date;

use super::super::diagnostic::Text;
use super::super::in_use::Alias;
use super::super::read::{Node, Value, read_table, wrong_type};
use super::super::source::{Problems, Said};
use super::{Field, NumberTable};
use crate::id::LineId;

/// `"4412345"`, or `{ number = "4412345", until = 2027-01-31 }`.
#[derive(Debug, Clone)]
pub struct AliasSaid {
    /// The number.
    pub number: Said<String>,
    /// The last day on which it leads to the line.
    pub until: Field<Date>,
}

impl Value for AliasSaid {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(table) = node.value.as_table() else {
            let (zh, en) = (
                "号码（如 \"4412345\" 或 { number = \"4412345\", until = 2027-01-31 }）",
                "a number like \"4412345\" or { number = \"4412345\", until = 2027-01-31 }",
            );
            if !node.value.is_str() {
                wrong_type(node, zh, en, problems);
                return None;
            }
            let value = String::read(node, problems)?;
            return Some(AliasSaid { number: Said { value, spot: node.spot.clone() }, until: None });
        };
        let nameless = Text::new("不知道是哪一个号码的别名", "nobody could say which number is meant");
        let (number, until) = read_table(table, node.spot.clone(), problems, |reader| {
            (reader.required::<String>("number", nameless), reader.optional::<Date>("until"))
        });
        Some(AliasSaid { number: number?, until })
    }
}

impl AliasSaid {
    /// As it is built.
    pub fn plan(&self) -> Alias {
        Alias {
            number: LineId::from(self.number.value.as_str()),
            until: self.until.as_ref().map(|said| said.value),
        }
    }
}

impl NumberTable {
    /// Its aliases.
    pub fn also(&self) -> impl Iterator<Item = &AliasSaid> {
        self.aliases.iter().flat_map(|said| &said.value).map(|said| &said.value)
    }

    /// Its own number and its aliases, where each is said.
    pub fn numbers(&self) -> impl Iterator<Item = &Said<String>> {
        self.number.iter().chain(self.also().map(|alias| &alias.number))
    }
}
