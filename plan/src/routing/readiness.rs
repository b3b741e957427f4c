//! The notice's list against the plan: each number, its mode, what its callers get at an instant, and what is proved
//! of it for a whole year.

use std::time::Duration;

use jiff::civil::Date;
use serde::Serialize;

use super::diagnostic::Text;
use super::explain::mode_words;
use super::in_use::{Alias, Standing};
use super::merge_lists::Listed;
use super::plan::{BenchLine, Line, LineMode, Plan, Step};
use super::proof::NOTICES_MAX;
use super::proof::hours::LeapYears;
use crate::time::Timestamp;

/// One number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Readiness {
    /// Row of the notice's list; empty for 12345.
    pub row: String,
    /// The number.
    pub number: String,
    /// Other numbers by which it is dialled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Its first day, where the file says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Its name.
    pub name: String,
    /// 责任单位.
    pub owner: String,
    /// How it was merged.
    pub mode: Text,
    /// What its callers get.
    pub treatment: Text,
    /// What is proved; `None` for lines that nobody waits for, and for a merged number that is refused by then.
    pub proof: Option<Proved>,
}

/// What is proved of a number, over a leap year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proved {
    /// Hours of the year.
    pub hours: u64,
    /// Hours of them with a person or a ticket.
    pub reached: u64,
    /// Hours of these with a ticket only.
    pub ticket: u64,
    /// When there is neither for the first time.
    pub first_gap: Option<Timestamp>,
    /// Until a caller who presses nothing waits for a clerk, at the longest: milliseconds. `None`: never.
    pub silent_ms: Option<u64>,
    /// The same on a day of as many hot notices as may be.
    pub silent_with_notices_ms: Option<u64>,
    /// The same for one who does all that the flows offer first.
    pub longest_ms: Option<u64>,
    /// Choices, and entries of digits, on the way with the most of them.
    pub presses: Option<u32>,
}

impl Plan {
    /// Every line in the order of the notice, 12345 first, and what the city's merge list has beyond them.
    pub fn readiness(&self, at: Timestamp) -> Vec<Readiness> {
        let mut years = LeapYears::default();
        let here = self.lines.values().map(|line| self.here(line, at, &mut years));
        let mut rows: Vec<Readiness> = here.collect();
        rows.extend(self.lacking().map(|listed| self.not_here(listed)));
        rows.sort_by_cached_key(|own| (position(&own.row), own.number.clone()));
        rows
    }

    /// Rows of the city's merge list of which the plan has no line.
    fn lacking(&self) -> impl Iterator<Item = &'static Listed> {
        let rows = self.merge_list.iter().flat_map(|list| &list.rows);
        rows.filter(|listed| !self.lines.contains(&listed.number))
    }

    fn not_here(&self, listed: &Listed) -> Readiness {
        let is_retired = self.retired.iter().any(|number| number.as_str() == listed.number);
        Readiness {
            row: listed.row.clone(),
            number: listed.number.clone(),
            aliases: Vec::new(),
            from: None,
            until: None,
            name: listed.name.clone(),
            owner: listed.owner.clone(),
            mode: listed.mode(),
            treatment: match is_retired {
                true => Text::new("已取消", "cancelled"),
                false => Text::new("方案里没有", "not in the plan"),
            },
            proof: None,
        }
    }

    fn here<'a>(&'a self, line: &'a Line, at: Timestamp, years: &mut LeapYears<'a>) -> Readiness {
        Readiness {
            row: line.row.clone(),
            number: line.number.to_string(),
            aliases: line.aliases.iter().map(alias_words).collect(),
            from: line.in_use.from,
            until: line.in_use.until,
            name: line.name.clone(),
            owner: line.owner.clone(),
            mode: mode_words(&line.mode),
            treatment: self.treatment(line, at),
            proof: self.is_to_queue(line, at).then(|| self.proved(line, years)),
        }
    }

    fn proved<'a>(&'a self, line: &'a Line, years: &mut LeapYears<'a>) -> Proved {
        let year = self.year_of(line, years);
        let worst = self.worst_of(line, years);
        let silent = worst.and_then(|worst| worst.silent);
        let millis = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        Proved {
            hours: year.hours(),
            reached: year.reached(),
            ticket: year.ticket.as_secs().div_ceil(3_600),
            first_gap: year.first.as_ref().map(|(at, _)| *at),
            silent_ms: silent.map(millis),
            silent_with_notices_ms: silent.map(|silent| millis(silent.saturating_add(NOTICES_MAX))),
            longest_ms: worst.map(|worst| millis(worst.longest)),
            presses: worst.map(|worst| worst.presses),
        }
    }

    /// A dual number; the three with expert seats say whether a group is there, and at this hour.
    fn with_experts(&self, line: &Line, at: Timestamp) -> Text {
        let (zh, en) = ("同 12345，保留原号", "as 12345, line kept");
        let (there, experts) = match self.experts.get(&line.number) {
            None if line.expert_seats => ("专家组未设".to_owned(), "no expert group".to_owned()),
            None => return Text::new(zh, en),
            Some(group) => {
                let there = self.presence(&group.hours, at);
                let seats = group.seats.len();
                (format!("专家 {seats} 席{}", there.zh), format!("{seats} expert seat(s) {}", there.en))
            }
        };
        Text::new(format!("{zh}，{there}"), format!("{en}, {experts}"))
    }

    /// Whether its callers come to wait for somebody, now or from its first day on.
    fn is_to_queue(&self, line: &Line, at: Timestamp) -> bool {
        match line.in_use.standing(at) {
            Standing::NotYet => line.mode.queue().is_some(),
            Standing::InUse | Standing::Over => self.flow(line, at).may_queue(),
        }
    }

    fn treatment(&self, line: &Line, at: Timestamp) -> Text {
        match (line.in_use.standing(at), line.in_use.from, line.in_use.until) {
            (Standing::NotYet, Some(from), _) => {
                return Text::new(format!("{from} 起启用，尚未接入"), format!("from {from} on, not yet"));
            }
            (Standing::Over, _, Some(until)) => {
                return Text::new(format!("{until} 之后已停用，拒绝"), format!("ended {until}, refused"));
            }
            _ => {}
        }
        let usual = self.usual_treatment(line, at);
        match line.in_use.until {
            Some(until) => {
                Text::new(format!("{}，用到 {until}", usual.zh), format!("{}, through {until}", usual.en))
            }
            None => usual,
        }
    }

    fn usual_treatment(&self, line: &Line, at: Timestamp) -> Text {
        let steps = self.flow(line, at).steps;
        match &line.mode {
            LineMode::Primary { .. } => Text::new("问候语，排队", "greeting, queue"),
            LineMode::Dual { .. } => self.with_experts(line, at),
            LineMode::Retained { peer, .. } => {
                let (zh, en) = if peer.drill { ("（演练）", " (drill)") } else { ("", "") };
                Text::new(
                    format!("转部门座席{zh}，不通则同 12345"),
                    format!("to the department's seats{en}, else as 12345"),
                )
            }
            LineMode::Merged { .. } => {
                let prompt = &self.transition_of(line).prompt;
                let plays = [Step::Play(prompt.clone()), Step::PlayEarly(prompt.clone())];
                if steps.iter().any(|step| plays.contains(step)) {
                    Text::new("过渡提示，再同 12345", "transition prompt, then as 12345")
                } else if steps.iter().any(|step| matches!(step, Step::Queue(_))) {
                    Text::new("同 12345，无过渡提示", "as 12345, no prompt")
                } else {
                    Text::new("已停用，拒绝", "retired, refused")
                }
            }
            LineMode::SubCenter { peer, .. } if peer.drill => {
                Text::new("转分中心（演练），不通则同 12345", "to its own center (drill), else as 12345")
            }
            LineMode::SubCenter { .. } => {
                Text::new("转分中心，不通则同 12345", "to its own center, else as 12345")
            }
            LineMode::Bench(bench) => match bench {
                BenchLine::Silent => Text::new("静音", "silence"),
                BenchLine::PlayOnce(_) => Text::new("播放一次", "plays once"),
                BenchLine::PlayForever(_) => Text::new("反复播放", "plays on and on"),
                BenchLine::Dial { .. } => Text::new("直拨中继", "dials a trunk"),
            },
            LineMode::Meeting(_) => Text::new("会议室", "meeting room"),
            LineMode::Watch { .. } => Text::new("坐席监听", "listening to a seat"),
        }
    }
}

/// `4412345`, or `4412345 (2027-01-31)` with its last day.
fn alias_words(Alias { number, until }: &Alias) -> String {
    until.map_or_else(|| number.to_string(), |until| format!("{number} ({until})"))
}

/// `2-14` after `2-9`.
fn position(row: &str) -> Vec<u32> {
    row.split('-').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::fixture_test::{judged, sample};

    fn rows(edits: &[(&str, &str)]) -> Vec<Readiness> {
        let text = edits.iter().fold(sample(), |text, (from, to)| {
            assert_eq!(text.matches(from).count(), 1, "{from}");
            text.replace(from, to)
        });
        let outcome = judged(&text);
        let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
        plan.readiness("2026-03-01T00:00:00+08:00".parse().expect("an instant"))
    }

    #[test]
    fn the_table_has_each_row_of_the_merge_list_whether_the_plan_has_its_number_or_not() {
        let line = "number = \"12318\"\nname = \"全国文化市场举报电话\"\nowner = \"市文化广电旅游体育局\"\nrow = \"2-8\"\nmode = \"dual\"\nqueue = \"main\"\n";
        let numbers = |rows: &[Readiness]| -> Vec<(String, String)> {
            rows.iter().map(|own| (own.row.clone(), own.number.clone())).collect()
        };
        let whole = rows(&[]);
        let without = format!("[[number]]\n{line}");
        let rows = rows(&[(without.as_str(), "")]);
        assert_eq!((whole.len(), numbers(&rows)), (29, numbers(&whole)));
        let own = rows.iter().find(|own| own.number == "12318").expect("the row");
        assert_eq!((own.treatment.en.as_str(), own.mode.en.as_str()), ("not in the plan", "dual"));
        assert_eq!((own.proof.as_ref(), own.name.as_str()), (None, "全国文化市场举报电话"));
        assert!(rows.iter().all(|own| own.proof.is_some() || own.number == "12318"));
    }
}
