//! `[[test]]`: what the operator expects of a call, held against what the plan would do with it.
//!
//! Nothing rings and nothing plays: the plan's own steps for that line at that instant, and the acts of its
//! flow, are [walked](walk) as far as the test says the house stands and the caller does; then each thing that is expected
//! is [compared](compare) with what came of it. What the test does not say, and hangs on, is asked for: a test
//! never passes by a guess.

mod acts;
mod command;
mod compare;
mod given;
mod trail;
mod walk;

use std::time::Duration;

use serde::Serialize;

use super::diagnostic::Spot;
use super::number::Dialled;
use super::plan::{DialledFrom, Plan, Trunk};
use super::source::Problems;
use super::tables::RoutingTable;
use super::tables::case::{AnswerSaid, CaseTable, ExpectTable};
use super::tables::look_up::says;
use crate::time::Timestamp;

pub use given::{Answer, CaseSeats, Given, Open};
pub use trail::{Passed, Waited, What};
pub use walk::Walked;

/// What an expectation says where there is to be nothing.
pub const NONE: &str = "none";

/// `at` of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub Timestamp);

/// An expectation: this, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrNone<T>(pub Option<T>);

/// `expected_wait` of a test; `None`: there is nothing to guess by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess(pub Option<Duration>);

/// `keys` of a test: digits, `*` and `#`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pressed(pub String);

/// What becomes of a caller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// Whose call it is.
    pub line: Option<String>,
    /// With which SIP status it is refused.
    pub refused: Option<u16>,
    /// Prompts, in order. What is read out between them (numbers, values) is not among them, nor is music.
    pub hears: Vec<String>,
    /// What the caller may do alone.
    pub flow: Option<String>,
    /// Where the caller waits.
    pub queue: Option<String>,
    /// The number that is called, as the first trunk gets it; of several the last.
    pub target: Option<String>,
    /// The trunks to it, in turn.
    pub by: Vec<String>,
    /// Why a ticket is opened without a clerk.
    pub ticket: Option<String>,
    /// Whether the caller is asked for a grade.
    pub survey: bool,
    /// Whether it is recorded.
    pub recorded: bool,
    /// By which lane.
    pub lane: Option<String>,
    /// Under which policy: what it does.
    pub policy: Option<String>,
    /// Points; `None` where nobody waits.
    pub priority: Option<i16>,
    /// Whether the line's experts are there; `None`: it has none.
    pub experts: Option<bool>,
    /// The meeting that is joined.
    pub meeting: Option<String>,
    /// Whether the caller hung up and is called back at the turn that was kept.
    pub callback: bool,
    /// The minutes that who waits is told the wait may last.
    pub told_wait: Option<u32>,
    /// That would be told, and nobody has said what is guessed.
    #[serde(skip)]
    pub guess_unsaid: bool,
    /// What is guessed, as it was said, decided something or was told.
    #[serde(skip)]
    pub guess_used: bool,
    /// Keys that the caller came to no place to press.
    pub unpressed: String,
    /// Look-ups and bots that were asked.
    pub asked: Vec<String>,
}

/// Runs every test of the file `config`, and notes each expectation that is not met. How many tests there are.
pub(super) fn run(table: &RoutingTable, plan: &Plan, config: &str, problems: &mut Problems) -> usize {
    for case in &table.cases {
        // What is missing was noted when it was read.
        let (Some(from), Some(to), Some(at), Some(expect)) = (&case.from, &case.to, &case.at, &case.expect)
        else {
            continue;
        };
        // A rule has noted where there is none.
        let named = case.trunk.as_ref().map(|said| said.value.as_str());
        let Some(trunk) = plan.trunk_of_call(named) else { continue };
        let Some(dialled) = dialled(case, trunk, &to.value) else {
            in_no_header(case, trunk, problems);
            continue;
        };
        let call = Call { plan, table, trunk, dialled: &dialled, from: &from.value, at: at.value.0 };
        let given = given(case, table);
        let run = command::Run { case, call: &call, given: &given, config };
        match call.fate(&given) {
            Ok(fate) => {
                came_about(case, &fate, problems);
                match untold(expect, &fate) {
                    Some(open) => depends(case, &open, problems),
                    None => compare::compare(&run, expect, &fate, problems),
                }
            }
            // Whatever they say, it may come to the same.
            Err(open) => {
                let same = call.fates(&given, ASKED_MAX).is_some_and(|fates| {
                    let met = |fate: &Fate| {
                        let mut found = Problems::default();
                        came_about(case, fate, &mut found);
                        compare::compare(&run, expect, fate, &mut found);
                        !found.any_error() && untold(expect, fate).is_none()
                    };
                    fates.iter().all(met)
                });
                if !same {
                    depends(case, &open, problems);
                }
            }
        }
    }
    table.cases.len()
}

/// Look-ups and bots of one call of which a test says nothing, at most; beyond them it must.
const ASKED_MAX: usize = 3;

/// The call of a test.
struct Call<'a> {
    plan: &'a Plan,
    table: &'a RoutingTable,
    trunk: &'a Trunk,
    dialled: &'a Dialled,
    from: &'a str,
    at: Timestamp,
}

impl Call<'_> {
    fn walk(&self, given: &Given<'_>) -> Walked {
        self.plan.walk(self.trunk, self.dialled, self.from, self.at, given)
    }

    fn fate(&self, given: &Given<'_>) -> Result<Fate, Open> {
        self.plan.fate(self.trunk, self.dialled, self.from, self.at, given)
    }

    /// What can become of it where up to so many of those who are asked say whatever they can; `None`: it hangs on
    /// more than that.
    fn fates(&self, given: &Given<'_>, asked: usize) -> Option<Vec<Fate>> {
        let of = match self.fate(given) {
            Ok(fate) => return Some(vec![fate]),
            Err(Open::Answer(of)) if asked > 0 => of,
            Err(Open::Guess { most }) if asked > 0 => return self.by_guess(given, most, asked - 1),
            Err(_) => return None,
        };
        let values = says(self.table, &of)?.into_iter().map(|name| (name, None)).collect();
        let mut fates = Vec::new();
        for answer in [Answer::Missing, Answer::Failed, Answer::Values(values)] {
            let mut given = given.clone();
            given.answers.insert(&of, answer);
            fates.extend(self.fates(&given, asked - 1)?);
        }
        Some(fates)
    }

    /// The same where the wait may be guessed to be longer than `most` or not.
    fn by_guess(&self, given: &Given<'_>, most: Duration, asked: usize) -> Option<Vec<Fate>> {
        let mut fates = Vec::new();
        for guess in [None, Some(most), Some(most.saturating_add(Duration::from_secs(1)))] {
            let given = Given { expected_wait: Some(guess), ..given.clone() };
            fates.extend(self.fates(&given, asked)?);
        }
        // What is told differs, and is expected by nobody who does not say what is guessed.
        fates.iter_mut().for_each(|fate| fate.guess_unsaid |= fate.told_wait.take().is_some());
        Some(fates)
    }
}

/// What an expectation about the wait that is told hangs on.
fn untold(expect: &ExpectTable, fate: &Fate) -> Option<Open> {
    (expect.told_wait.is_some() && fate.guess_unsaid).then_some(Open::Told)
}

/// The number before the call was forwarded stands where calls by this trunk name it first; `None`: nowhere.
fn dialled(case: &CaseTable, trunk: &Trunk, to: &str) -> Option<Dialled> {
    let mut dialled = Dialled::request_uri(to);
    let forwarded = case.forwarded_from.iter().flat_map(|said| &said.value);
    let mut forwarded: Vec<String> = forwarded.map(|said| said.value.clone()).collect();
    if !forwarded.is_empty() {
        let place = *trunk.dialled_from.iter().find(|place| names_forwarded(**place))?;
        if place == DialledFrom::Diversion {
            forwarded.reverse(); // The latest stands first there: RFC 5806 §4.
        }
        dialled.0.extend(forwarded.into_iter().map(|number| (place, number)));
    }
    dialled.0.push((DialledFrom::To, to.to_owned()));
    Some(dialled)
}

fn names_forwarded(place: DialledFrom) -> bool {
    match place {
        DialledFrom::HistoryInfo | DialledFrom::Diversion | DialledFrom::PCalledPartyId => true,
        DialledFrom::RequestUri | DialledFrom::To => false,
    }
}

fn given<'a>(case: &'a CaseTable, table: &'a RoutingTable) -> Given<'a> {
    let answers = case.answers.iter().flat_map(|said| &said.value.0);
    let answers = answers.map(|(name, said)| {
        let answer = match said {
            AnswerSaid::Missing => Answer::Missing,
            AnswerSaid::Failed => Answer::Failed,
            AnswerSaid::Values(values) => {
                let can = says(table, &name.value).unwrap_or_default().into_iter();
                let said =
                    values.0.iter().map(|(name, said)| (name.value.as_str(), Some(said.value.as_str())));
                Answer::Values(can.map(|name| (name, None)).chain(said).collect())
            }
        };
        (name.value.as_str(), answer)
    });
    Given {
        seats: case.seats.as_ref().map(|said| said.value),
        waiting: case.waiting.as_ref().map(|said| said.value),
        expected_wait: case.expected_wait.as_ref().map(|said| said.value.0),
        surge: case.surge.as_ref().map(|said| said.value),
        answered: case.answered.as_ref().map(|said| said.value),
        just_called: case.just_called.as_ref().map(|said| said.value),
        keys: case.keys.as_ref().map(|said| said.value.0.as_str()),
        leaves_message: case.message.as_ref().map(|said| said.value),
        notices: case.notices.as_ref().map(|said| said.value.iter().map(|one| one.value.as_str()).collect()),
        answers: answers.collect(),
        as_usual: true,
    }
}

/// The test's name, for people.
fn name(case: &CaseTable) -> &str {
    case.name.as_ref().map_or("", |said| said.value.as_str())
}

/// What the test says that the caller does, and others say, comes about.
fn came_about(case: &CaseTable, fate: &Fate, problems: &mut Problems) {
    if let Some(said) = case.keys.as_ref().filter(|_| !fate.unpressed.is_empty()) {
        let keys = &fate.unpressed;
        never(
            &said.spot,
            (
                format!("测试 \"{}\" 走不到按 {keys} 的地方", name(case)),
                format!("in the test \"{}\" nothing comes that {keys} could be pressed for", name(case)),
            ),
            (
                "删去多余的按键，或先按别的键走到那里",
                "remove these keys, or press others first that lead there",
            ),
            problems,
        );
    }
    if let Some(said) = case.expected_wait.as_ref().filter(|_| !fate.guess_used) {
        never(
            &said.spot,
            (
                format!("测试 \"{}\" 的来电人不等座席，没有预计等候", name(case)),
                format!("in the test \"{}\" nobody waits whose wait could be guessed", name(case)),
            ),
            (
                "删去 expected_wait，或写 waiting 让来电人等候",
                "remove expected_wait, or have the caller wait by waiting",
            ),
            problems,
        );
    }
    if let Some(said) = case.notices.as_ref().filter(|said| {
        !said.value.is_empty() && !said.value.iter().any(|one| fate.hears.contains(&one.value))
    }) {
        never(
            &said.spot,
            (
                format!("测试 \"{}\" 走不到播公告的地方", name(case)),
                format!("in the test \"{}\" the call does not come to where notices are told", name(case)),
            ),
            ("删去 notices，或让来电走到那里", "remove notices, or lead the call there"),
            problems,
        );
    }
    let answers = case.answers.iter().flat_map(|said| &said.value.0);
    for (asked, _) in answers.filter(|(asked, _)| !fate.asked.contains(&asked.value)) {
        never(
            &asked.spot,
            (
                format!("测试 \"{}\" 不会问到 {}", name(case), asked.value),
                format!("in the test \"{}\" {} is not asked", name(case), asked.value),
            ),
            ("删去这一项，或让来电走到那里", "remove it, or lead the call there"),
            problems,
        );
    }
}

/// Calls by this trunk name no number but the one that they come to.
fn in_no_header(case: &CaseTable, trunk: &Trunk, problems: &mut Problems) {
    let Some(said) = &case.forwarded_from else { return };
    never(
        &said.spot,
        (
            format!("来自中继 \"{}\" 的来电不看转接前的号码", trunk.id),
            format!(
                "of calls by the trunk \"{}\" nobody looks for a number before they were forwarded",
                trunk.id
            ),
        ),
        (
            "在该中继的 dialled_from 中加上运营商所用的头域，如 \"diversion\"；或写另一条中继",
            "add the header that the carrier uses to the trunk's dialled_from, like \"diversion\"; or name another trunk",
        ),
        problems,
    );
}

/// Notes something that a test says and that never happens.
pub(super) fn never(
    spot: &Spot,
    (zh, en): (String, String),
    (remedy_zh, remedy_en): (&str, &str),
    problems: &mut Problems,
) {
    problems
        .error("E1206", spot, zh, en)
        .effect(
            "测试的是不会发生的事，通过了也说明不了什么",
            "the test would be about something that never happens, and show nothing by passing",
        )
        .remedy(remedy_zh, remedy_en);
}

fn depends(case: &CaseTable, open: &Open, problems: &mut Problems) {
    let (name, on, example) = (name(case), open.words(), open.example());
    let diagnostic = problems
        .error(
            "E1205",
            &case.spot,
            format!("测试 \"{name}\" 的结果取决于{}", on.zh),
            format!("what comes of the test \"{name}\" depends on {}", on.en),
        )
        .effect(
            "没有写明就无从核对；测试不靠猜测通过",
            "without it nothing can be compared; a test does not pass by a guess",
        );
    match open {
        Open::Answer(_) | Open::Value { .. } => diagnostic.remedy(
            format!("加上 {example}；查不到写 \"missing\"，连不上写 \"failed\""),
            format!("add {example}; \"missing\" where nothing is found, \"failed\" where it cannot be had"),
        ),
        _ => diagnostic.remedy(format!("加上 {example}"), format!("add {example}")),
    };
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::switched_on;
