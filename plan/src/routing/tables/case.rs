//! `[[test]]` as it is written: a call, how the house stands, and what must become of the caller.

use super::super::cases::{CaseSeats, Instant, NONE, Refusal};
use super::super::diagnostic::{Spot, Text};
use super::super::read::{Node, Reader, Value};
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
    /// `answered`: whether somebody picks up at the far side of a trunk.
    pub answered: Field<bool>,
    /// `expect`.
    pub expect: Option<ExpectTable>,
}

/// `expect = { … }`: what is not said is not asked.
#[derive(Debug)]
pub struct ExpectTable {
    /// The table.
    pub spot: Spot,
    /// `line`: whose call it is.
    pub line: Field<String>,
    /// `refused`: the SIP status.
    pub refused: Field<Refusal>,
    /// `prompt`: what is heard first.
    pub prompt: Field<String>,
    /// `hears`: all prompts in order.
    pub hears: Field<Vec<Said<String>>>,
    /// `flow`.
    pub flow: Field<String>,
    /// `queue`.
    pub queue: Field<String>,
    /// `target`: the number at the far side.
    pub target: Field<String>,
    /// `by`: the trunks to it, in turn.
    pub by: Field<Vec<Said<String>>>,
    /// `ticket`: its reason.
    pub ticket: Field<String>,
    /// `survey`.
    pub survey: Field<bool>,
    /// `recorded`.
    pub recorded: Field<bool>,
    /// `lane`.
    pub lane: Field<String>,
    /// `policy`: what it does.
    pub policy: Field<String>,
    /// `priority`.
    pub priority: Field<i16>,
    /// `experts`: whether the line's are there.
    pub experts: Field<bool>,
    /// `meeting`.
    pub meeting: Field<String>,
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
            answered: reader.or("answered", true),
            expect: reader.required_section("expect", nobody(), ExpectTable::read),
        }
    }
}

impl ExpectTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        ExpectTable {
            spot: reader.spot.clone(),
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
        }
    }
}

const SEATS: [(&str, CaseSeats); 3] =
    [("some", CaseSeats::Some), ("none", CaseSeats::None), ("full", CaseSeats::Full)];

impl Value for CaseSeats {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &SEATS, problems)
    }

    fn written(&self) -> Option<Written> {
        written_as(self, &SEATS)
    }
}

impl Value for Refusal {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        if node.value.as_str() == Some(NONE) {
            return Some(Refusal(None));
        }
        if let Some(describing) = problems.describing.as_mut().filter(|_| node.value.is_str()) {
            describing.words(&[NONE]);
            return None;
        }
        u16::read(node, problems).map(|status| Refusal(Some(status)))
    }

    fn form() -> Form {
        u16::form()
    }
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
