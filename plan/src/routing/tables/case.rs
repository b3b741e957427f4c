//! `[[test]]` as it is written: a call, how the house stands, and what must become of the caller.

use std::time::Duration;

use super::super::cases::{CaseSeats, Guess, Instant, NONE, OrNone, Pressed};
use super::super::diagnostic::{Spot, Text};
use super::super::people_values::Named;
use super::super::read::{Node, Reader, Value, wrong_type};
use super::super::shape::Form;
use super::super::source::{Problems, Said};
use super::super::values::{malformed, one_of, text, written_as};
use super::super::written::Written;
use super::Field;
use super::reading::unnamed;

/// `[[test]]`.
#[derive(Debug)]
pub struct CaseTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `from`: the caller, as the carrier sends it.
    pub from: Field<String>,
    /// `to`: as dialled, a number or a whole Request-URI.
    pub to: Field<String>,
    /// `forwarded_from`: what the carrier's headers name, the oldest first.
    pub forwarded_from: Field<Vec<Said<String>>>,
    /// `trunk`; without it the first that calls come by.
    pub trunk: Field<String>,
    /// `at`.
    pub at: Field<Instant>,
    /// `seats`.
    pub seats: Field<CaseSeats>,
    /// `waiting`: so many wait already, and no seat is free.
    pub waiting: Field<u32>,
    /// `expected_wait`: how long the caller's wait is guessed to be.
    pub expected_wait: Field<Guess>,
    /// `surge`: whether the queue has one, by somebody's word; without it, by how many wait.
    pub surge: Field<bool>,
    /// `answered`: whether somebody picks up at the far side of a trunk; without it, where it is no drill.
    pub answered: Field<bool>,
    /// `just_called`: the caller's last call ended a moment ago.
    pub just_called: Field<bool>,
    /// `keys`: what the caller presses.
    pub keys: Field<Pressed>,
    /// `message`: whether the caller, asked to, leaves one.
    pub message: Field<bool>,
    /// `notices`: hot notices that stand for the line.
    pub notices: Field<Vec<Said<String>>>,
    /// `answers`: what look-ups and bots say, by their names.
    pub answers: Field<Answers>,
    /// `expect`.
    pub expect: Option<ExpectTable>,
}

/// `expect = { … }`: what is not said is not asked.
#[derive(Debug)]
pub struct ExpectTable {
    /// The table.
    pub spot: Spot,
    /// Nothing stands in it, rightly said or wrongly.
    pub is_empty: bool,
    /// `line`: whose call it is.
    pub line: Field<String>,
    /// `refused`: the SIP status.
    pub refused: Field<OrNone<u16>>,
    /// `prompt`: what is heard first.
    pub prompt: Field<String>,
    /// `hears`: all prompts in order.
    pub hears: Field<OrNone<Vec<Said<String>>>>,
    /// `flow`.
    pub flow: Field<String>,
    /// `queue`.
    pub queue: Field<String>,
    /// `target`: the number at the far side.
    pub target: Field<String>,
    /// `by`: the trunks to it, in turn.
    pub by: Field<OrNone<Vec<Said<String>>>>,
    /// `ticket`: its reason.
    pub ticket: Field<String>,
    /// `survey`.
    pub survey: Field<OrNone<bool>>,
    /// `recorded`.
    pub recorded: Field<OrNone<bool>>,
    /// `lane`.
    pub lane: Field<String>,
    /// `policy`: what it does.
    pub policy: Field<String>,
    /// `priority`.
    pub priority: Field<OrNone<i16>>,
    /// `experts`: whether the line's are there.
    pub experts: Field<OrNone<bool>>,
    /// `meeting`.
    pub meeting: Field<String>,
    /// `callback`: whether the caller's turn is kept for a call back.
    pub callback: Field<OrNone<bool>>,
    /// `told_wait`: the minutes that who waits is told.
    pub told_wait: Field<OrNone<u32>>,
}

impl CaseTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let nobody = || {
            Text::new(
                "测试说的不是任何一次来电，检查不出什么",
                "the test would be about no call, and would find nothing",
            )
        };
        CaseTable {
            spot: reader.spot.clone(),
            name: reader.required("name", unnamed()),
            from: reader.required("from", nobody()),
            to: reader.required("to", nobody()),
            forwarded_from: reader.or("forwarded_from", Vec::new()),
            trunk: reader.optional("trunk"),
            at: reader.required("at", nobody()),
            seats: reader.or("seats", CaseSeats::Some),
            waiting: reader.optional("waiting"),
            expected_wait: reader.optional("expected_wait"),
            surge: reader.optional("surge"),
            answered: reader.optional("answered"),
            just_called: reader.or("just_called", false),
            keys: reader.or("keys", Pressed::default()),
            message: reader.or("message", true),
            notices: reader.or("notices", Vec::new()),
            answers: reader.optional("answers"),
            expect: reader.required_section("expect", nobody(), ExpectTable::read),
        }
    }
}

impl ExpectTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        ExpectTable {
            spot: reader.spot.clone(),
            is_empty: reader.keys().is_empty(),
            line: reader.optional("line"),
            refused: reader.optional("refused"),
            prompt: reader.optional("prompt"),
            hears: reader.optional("hears"),
            flow: reader.optional("flow"),
            queue: reader.optional("queue"),
            target: reader.optional("target"),
            by: reader.optional("by"),
            ticket: reader.optional("ticket"),
            survey: reader.optional("survey"),
            recorded: reader.optional("recorded"),
            lane: reader.optional("lane"),
            policy: reader.optional("policy"),
            priority: reader.optional("priority"),
            experts: reader.optional("experts"),
            meeting: reader.optional("meeting"),
            callback: reader.optional("callback"),
            told_wait: reader.optional("told_wait"),
        }
    }
}

const SEATS: [(&str, CaseSeats); 4] = [
    ("some", CaseSeats::Some),
    ("none", CaseSeats::None),
    ("busy", CaseSeats::Busy),
    ("full", CaseSeats::Full),
];

impl CaseSeats {
    /// The seats of this word.
    pub fn of(word: &str) -> Option<Self> {
        SEATS.iter().find(|(own, _)| *own == word).map(|(_, seats)| *seats)
    }
}

impl Value for CaseSeats {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &SEATS, problems)
    }

    fn written(&self) -> Option<Written> {
        written_as(self, &SEATS)
    }
}

impl Value for Guess {
    /// `"12min"`, or `"none"` as long as nothing is known to guess by.
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        if node.value.as_str() == Some(NONE) {
            return Some(Guess(None));
        }
        Duration::read(node, problems).map(|guess| Guess(Some(guess)))
    }

    fn form() -> Form {
        Form::pattern("^(none|[0-9]+(ms|s|min|h))$")
    }
}

/// Whatever can be expected, or the word for nothing.
impl<T: Value> Value for OrNone<T> {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        if node.value.as_str() == Some(NONE) {
            return Some(OrNone(None));
        }
        if let Some(describing) = problems.describing.as_mut().filter(|_| node.value.is_str()) {
            describing.words(&[NONE]);
            return None;
        }
        T::read(node, problems).map(|value| OrNone(Some(value)))
    }

    fn form() -> Form {
        T::form()
    }
}

impl Value for Pressed {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) =
            ("一串按键（如 \"1\" 或 \"20260001#\"）", "a row of keys in quotes, like \"1\" or \"20260001#\"");
        let said = text(node, zh, en, problems)?;
        if said.chars().all(|key| key.is_ascii_digit() || matches!(key, '*' | '#')) {
            return Some(Pressed(said.to_owned()));
        }
        malformed("E0117", node, zh, en, problems)
            .effect("测试的来电人按不出来", "the caller of the test could not press it");
        None
    }

    fn form() -> Form {
        Form::pattern("^[0-9*#]*$")
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(self.0.clone()))
    }
}

/// `answers` of a test: what each look-up or bot says.
#[derive(Debug)]
pub struct Answers(pub Vec<(Said<String>, AnswerSaid)>);

/// One of them.
#[derive(Debug)]
pub enum AnswerSaid {
    /// Nothing is found; of a bot: it does not get done.
    Missing,
    /// It cannot be had in time.
    Failed,
    /// It is there, and says these values.
    Values(Named),
}

/// Answers that are words, and whether the word says that nothing is found.
const ANSWERS: [(&str, bool); 2] = [("missing", true), ("failed", false)];

impl Value for Answers {
    /// `{ owners = { owner = "13900000000" }, tickets = "missing" }`.
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(table) = node.value.as_table() else {
            wrong_type(
                node,
                "表（如 { tickets = \"missing\" }）",
                "a table like { tickets = \"missing\" }",
                problems,
            );
            return None;
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let read = |(key, value): (&toml::Spanned<_>, &toml::Spanned<toml::de::DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            let place = |span| Spot { file: node.spot.file, span, key: format!("{}.{name}", node.spot.key) };
            let said = answer(&Node { value: value.get_ref(), spot: place(value.span()) }, problems)?;
            Some((Said { value: name.clone().into_owned(), spot: place(key.span()) }, said))
        };
        let entries: Vec<Option<_>> = entries.into_iter().map(read).collect();
        entries.into_iter().collect::<Option<_>>().map(Answers)
    }
}

fn answer(node: &Node<'_>, problems: &mut Problems) -> Option<AnswerSaid> {
    if node.value.is_str() {
        return one_of(node, &ANSWERS, problems)
            .map(|is_missing| if is_missing { AnswerSaid::Missing } else { AnswerSaid::Failed });
    }
    Named::read(node, problems).map(AnswerSaid::Values)
}

impl Value for Instant {
    /// With its zone: a test holds wherever and whenever it is run.
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "带时区的时刻（如 2021-08-01T00:00:00+08:00）",
            "an instant with its zone, like 2021-08-01T00:00:00+08:00",
        );
        let said = match node.value.as_datetime() {
            Some(found) => found.to_string(),
            None => text(node, zh, en, problems)?.to_owned(),
        };
        let found = said.parse().ok().map(Instant);
        if found.is_none() {
            malformed("E1202", node, zh, en, problems).effect(
                "不知道测试的是哪一刻：过渡期、专家时段都按时刻判断",
                "nobody could say which instant is meant, and transition and experts' hours go by it",
            );
        }
        found
    }
}
