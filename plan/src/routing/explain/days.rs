//! From which day a number is ours, through which, and by which alias it was dialled: in words.

use super::super::diagnostic::Text;
use super::super::in_use::Standing;
use super::super::number::{Dialled, Found};
use super::super::plan::{DialledFrom, Line, Plan, Trunk};
use super::deciding::Deciding;
use crate::time::Timestamp;

impl Plan {
    /// How the line stands at `at`, where the file says days.
    pub(super) fn days_words(&self, line: &Line, at: Timestamp) -> Option<Text> {
        let (from, until) = (line.in_use.from, line.in_use.until);
        match line.in_use.standing(at) {
            Standing::NotYet => from.map(|from| not_yet(line.number.as_str(), from)),
            Standing::Over => until.map(|until| {
                Text::new(
                    format!("号码自 {until} 之后停用: 按已取消处理"),
                    format!("the number ended with {until}: it counts as cancelled"),
                )
            }),
            Standing::InUse => match (from, until) {
                (None, None) => None,
                (Some(from), None) => Some(Text::new(
                    format!("号码自 {from} 起启用"),
                    format!("the number is ours from {from} on"),
                )),
                (None, Some(until)) => Some(Text::new(
                    format!("号码用到 {until}（含当日），之后停用"),
                    format!("the number is ours through {until}, and cancelled then"),
                )),
                (Some(from), Some(until)) => Some(Text::new(
                    format!("号码自 {from} 起启用，用到 {until}（含当日），之后停用"),
                    format!("the number is ours from {from} through {until}, and cancelled then"),
                )),
            },
        }
    }

    /// A number of the plan that is not found, because its day has not come or its alias is over.
    pub(super) fn not_at_this_time(
        &self,
        trunk: &Trunk,
        dialled: &Dialled,
        at: Timestamp,
        deciding: &mut Deciding<'_>,
    ) -> Option<Text> {
        let mut asked = dialled.oldest_first(DialledFrom::RequestUri);
        let number = asked.find_map(|value| self.ours(trunk, value))?;
        let line = self.line_of(number.as_str())?;
        if line.in_use.standing(at) == Standing::NotYet {
            deciding.said("number", line.number.as_str(), &["number", "from"]);
            return line.in_use.from.map(|from| not_yet(number.as_str(), from));
        }
        let until = line.aliases.iter().find(|alias| alias.number.as_str() == number.as_str())?.until?;
        deciding.said("number", line.number.as_str(), &["number", "aliases"]);
        let (number, own) = (number.as_str(), &line.number);
        Some(Text::new(
            format!("{number} 是 {own} 的别名，只用到 {until}: 404 拒绝"),
            format!("{number} was an alias of {own} through {until}: refused with 404"),
        ))
    }
}

impl Deciding<'_> {
    /// The alias by which the line was found.
    pub(super) fn alias(&mut self, found: &Found<'_>) {
        if found.alias.is_some() {
            self.said("number", found.line.number.as_str(), &["aliases"]);
        }
    }
}

fn not_yet(number: &str, from: jiff::civil::Date) -> Text {
    Text::new(
        format!("{number} 自 {from} 起才启用，尚不是本平台的号码: 404 拒绝"),
        format!("{number} is ours from {from} on, and not yet: refused with 404"),
    )
}
