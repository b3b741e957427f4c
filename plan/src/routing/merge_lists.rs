//! Lists of merger (归并清单) that come with the engine: what a notice decided about each number, against which a plan is
//! held. A city whose list is not among them says none.

use std::sync::LazyLock;

use serde::Deserialize;

use super::diagnostic::Text;
use super::plan::LineMode;
use super::read::{Node, Value};
use super::source::Problems;
use super::values::one_of;

/// As they are shipped, each by its name in the file.
const FILES: [(&str, &str); 1] = [("puyang-2021-30", include_str!("merge_lists/puyang-2021-30.toml"))];

static SHIPPED: LazyLock<Vec<MergeList>> = LazyLock::new(|| {
    let read = |(name, text): (&'static str, &str)| Some(MergeList { name, ..toml::from_str(text).ok()? });
    FILES.into_iter().filter_map(read).collect()
});

/// One notice's list.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeList {
    /// `puyang-2021-30`.
    #[serde(skip)]
    pub name: &'static str,
    /// 濮政办〔2021〕30号.
    pub document: String,
    /// In its order.
    #[serde(rename = "row")]
    pub rows: Vec<Listed>,
}

/// One row.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// `2-14`: the fourteenth of the second part.
    pub row: String,
    /// The number, in its shortest form.
    pub number: String,
    /// 热线名称.
    pub name: String,
    /// 责任单位.
    pub owner: String,
    /// 备注: 设专家座席.
    #[serde(default)]
    pub experts: bool,
}

impl Listed {
    /// How the list says that it is merged.
    pub fn mode(&self) -> Text {
        LineMode::words_of_part(self.row.split('-').next().unwrap_or_default())
    }
}

impl MergeList {
    /// The row of this name.
    pub fn row(&self, row: &str) -> Option<&Listed> {
        self.rows.iter().find(|own| own.row == row)
    }

    /// The row of this number.
    pub fn of(&self, number: &str) -> Option<&Listed> {
        self.rows.iter().find(|own| own.number == number)
    }
}

/// Those that come with the engine.
pub fn shipped() -> &'static [MergeList] {
    &SHIPPED
}

impl Value for &'static MergeList {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let names: Vec<(&str, &MergeList)> = shipped().iter().map(|list| (list.name, list)).collect();
        one_of(node, &names, problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_read_and_no_row_or_number_stands_twice() {
        assert_eq!(shipped().len(), FILES.len());
        for list in shipped() {
            for (place, own) in list.rows.iter().enumerate() {
                let same = |other: &Listed| other.row == own.row || other.number == own.number;
                assert!(!list.rows[..place].iter().any(same), "{}: {}", list.name, own.row);
            }
        }
        let puyang = &shipped()[0];
        let part = |part: &str| puyang.rows.iter().filter(|own| own.row.starts_with(part)).count();
        assert_eq!([part("1-"), part("2-"), part("3-")], [11, 14, 3]);
        let experts: Vec<&str> =
            puyang.rows.iter().filter(|own| own.experts).map(|own| own.number.as_str()).collect();
        assert_eq!(experts, ["12348", "12333", "12329"]);
    }
}
