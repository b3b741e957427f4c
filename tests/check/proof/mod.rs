//! What is proved of a plan, against plans made by hand and against the same worked out the long way.

mod circles;
mod retained;
mod staffing;
mod worst;
mod year;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hotline::routing::people::{Band, Hours};
use hotline::routing::plan::{Line, Plan, Prompt};
use hotline::routing::script::{Act, Branch, Case, Collect, Condition, Menu, Script};
use jiff::civil::Weekday;

use super::base::Files;

const MONDAY_TO_FRIDAY: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

/// The compact plan: greetings of 0.1 s, and of its numbers 12366 rings 25 s elsewhere.
pub fn plan() -> Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| Files::with(&[]).judge().plan.expect("the compact plan is whole")).clone()
}

/// The same with these flows, which callers of 12345 come to: the first of them.
pub fn with(scripts: impl IntoIterator<Item = Script>) -> Plan {
    let mut plan = plan();
    let scripts: Vec<Script> = scripts.into_iter().collect();
    let first = scripts.first().map(|script| script.id.clone());
    plan.lines.get_mut("12345").expect("a line").script = first;
    plan.scripts = scripts.into_iter().map(|script| (script.id.clone(), Arc::new(script))).collect();
    plan
}

pub fn script(id: &str, acts: impl IntoIterator<Item = Act>) -> Script {
    Script { id: id.into(), acts: acts.into_iter().collect() }
}

pub fn go(to: &str) -> Act {
    Act::Go(to.into())
}

pub fn line<'a>(plan: &'a Plan, number: &str) -> &'a Line {
    plan.lines.get(number).expect("a line of the plan")
}

/// A prompt of so many seconds, added to the plan.
pub fn prompt(plan: &mut Plan, id: &str, seconds: usize) {
    let samples = vec![0_i16; seconds * 8_000].into();
    plan.prompts.insert(id.into(), Prompt { id: id.into(), text: id.to_owned(), samples });
}

pub fn menu(prompt: &str, keys: &[(char, &str)], wait: u64, tries: u8) -> Act {
    let keys = keys.iter().map(|(key, to)| (*key, (*to).into())).collect();
    Act::Menu(Menu { prompt: prompt.into(), keys, wait: Duration::from_secs(wait), tries })
}

pub fn collect(prompt: &str, most: u8, wait: u64, tries: u8) -> Act {
    let (into, wait) = ("number".to_owned(), Duration::from_secs(wait));
    Act::Collect(Collect { into, prompt: prompt.into(), least: 1, most, wait, tries })
}

pub fn branch(cases: Vec<(Condition, &str)>, otherwise: Option<&str>) -> Act {
    let cases = cases.into_iter().map(|(when, to)| Case { when: vec![when], to: to.into() }).collect();
    Act::Branch(Branch { cases, otherwise: otherwise.map(Into::into) })
}

/// Monday to Friday, from and to as a clock shows them; `00:00` is a day's end.
pub fn workdays(bands: &[(&str, &str)]) -> Hours {
    let band = |(from, to): &(&str, &str)| Band {
        days: MONDAY_TO_FRIDAY.to_vec(),
        from: from.parse().expect("a time"),
        to: to.parse().expect("a time"),
    };
    Hours::weekly(bands.iter().map(band).collect())
}
