//! `[kpi]` as it is written, and the plan's value of it.

use std::time::Duration;

use super::super::diagnostic::{Spot, Text};
use super::super::kpi::{
    ANSWER_RATE, ANSWER_WITHIN, Clock, Exclude, Exclusion, Formula, Kpi, SHORT_ABANDON, USUAL_VERSION,
};
use super::super::read::{Node, Reader, Value};
use super::super::shape::Form;
use super::super::source::{Problems, Said};
use super::super::values::{malformed, one_of, text, written_as};
use super::super::written::Written;
use super::{Field, RoutingTable};
use crate::id::{LineId, TrunkId};

/// `[kpi]`.
#[derive(Debug)]
pub struct KpiTable {
    /// The table.
    pub spot: Spot,
    /// `version`: what the formula is called in every report.
    pub version: Field<String>,
    /// Whether it says so itself.
    pub says_version: bool,
    /// `answer_within`.
    pub answer_within: Field<Duration>,
    /// `answer_rate`.
    pub answer_rate: Field<u8>,
    /// `short_abandon`.
    pub short_abandon: Field<Duration>,
    /// `clock`.
    pub clock: Field<Clock>,
    /// `[kpi.exclude]`.
    pub exclude: Option<ExcludeTable>,
    /// `[[kpi.line]]`.
    pub lines: Vec<KpiLineTable>,
}

/// `[[kpi.line]]`: what it does not say is as `[kpi]` has it.
#[derive(Debug)]
pub struct KpiLineTable {
    /// The table.
    pub spot: Spot,
    /// `number`.
    pub number: Field<String>,
    /// `version`.
    pub version: Field<String>,
    /// `answer_within`.
    pub answer_within: Field<Duration>,
    /// `answer_rate`.
    pub answer_rate: Field<u8>,
    /// `short_abandon`.
    pub short_abandon: Field<Duration>,
    /// `clock`.
    pub clock: Field<Clock>,
}

/// `[kpi.exclude]`.
#[derive(Debug)]
pub struct ExcludeTable {
    /// `answer`.
    pub answer: Field<Vec<Said<ExclusionWord>>>,
    /// `satisfaction`.
    pub satisfaction: Field<Vec<Said<ExclusionWord>>>,
    /// `transfer`.
    pub transfer: Field<Vec<Said<ExclusionWord>>>,
}

/// `"short_abandon"`, `"drill"`, `"line/96119"`, `"code/petition"`, `"trunk/test"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExclusionWord {
    /// Who gave up at once.
    ShortAbandon,
    /// Drill trunks.
    Drill,
    /// A number.
    Line(String),
    /// A code of `[disposition]`.
    Code(String),
    /// A trunk.
    Trunk(String),
}

const CLOCKS: [(&str, Clock); 3] =
    [("arrival", Clock::Arrival), ("queue", Clock::Queue), ("ring", Clock::Ring)];

impl Value for Clock {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &CLOCKS, problems)
    }

    fn written(&self) -> Option<Written> {
        written_as(self, &CLOCKS)
    }
}

impl Value for ExclusionWord {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "除外项（\"short_abandon\"、\"drill\"、\"line/号码\"、\"code/代码\" 或 \"trunk/中继\"）",
            "an exclusion: \"short_abandon\", \"drill\", \"line/…\", \"code/…\" or \"trunk/…\"",
        );
        let said = text(node, zh, en, problems)?;
        let found = match (said, said.split_once('/')) {
            ("short_abandon", _) => Some(ExclusionWord::ShortAbandon),
            ("drill", _) => Some(ExclusionWord::Drill),
            (_, Some((_, ""))) => None,
            (_, Some(("line", name))) => Some(ExclusionWord::Line(name.to_owned())),
            (_, Some(("code", name))) => Some(ExclusionWord::Code(name.to_owned())),
            (_, Some(("trunk", name))) => Some(ExclusionWord::Trunk(name.to_owned())),
            _ => None,
        };
        if found.is_none() {
            malformed("E1501", node, zh, en, problems).effect(
                "该除外的来电会计入指标，报表与口径不符",
                "calls that should be left out would count, and reports would not be by their formula",
            );
        }
        found
    }

    fn form() -> Form {
        Form::pattern("^(short_abandon|drill|(line|code|trunk)/.+)$")
    }

    fn written(&self) -> Option<Written> {
        Some(Written::Text(match self {
            ExclusionWord::ShortAbandon => "short_abandon".to_owned(),
            ExclusionWord::Drill => "drill".to_owned(),
            ExclusionWord::Line(name) => format!("line/{name}"),
            ExclusionWord::Code(name) => format!("code/{name}"),
            ExclusionWord::Trunk(name) => format!("trunk/{name}"),
        }))
    }
}

impl KpiTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        KpiTable {
            spot: reader.spot.clone(),
            says_version: reader.has("version"),
            version: reader.or("version", USUAL_VERSION.to_owned()),
            answer_within: reader.or("answer_within", ANSWER_WITHIN),
            answer_rate: reader.or("answer_rate", ANSWER_RATE),
            short_abandon: reader.or("short_abandon", SHORT_ABANDON),
            clock: reader.or("clock", Clock::Queue),
            exclude: reader.section("exclude", ExcludeTable::read),
            lines: reader.sections("line", KpiLineTable::read),
        }
    }

    /// What the file wants; without the table, the defaults.
    pub fn plan(whole: &RoutingTable) -> Option<Kpi> {
        let Some(table) = &whole.kpi else { return Some(Kpi::default()) };
        let usual = Formula {
            version: table.version.as_ref()?.value.clone(),
            answer_within: table.answer_within.as_ref()?.value,
            answer_rate: table.answer_rate.as_ref()?.value,
            short_abandon: table.short_abandon.as_ref()?.value,
            clock: table.clock.as_ref()?.value,
        };
        let lines = table.lines.iter().map(|own| own.plan(&usual)).collect::<Option<_>>()?;
        let exclude = match &table.exclude {
            Some(own) => own.plan(whole)?,
            None => Exclude::default(),
        };
        Some(Kpi { usual, lines, exclude })
    }
}

impl KpiLineTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let whose = Text::new(
            "不知道是哪个号码的口径，它仍按全市的口径考核",
            "nobody could say whose formula it is: the line would be judged by the city's",
        );
        KpiLineTable {
            spot: reader.spot.clone(),
            number: reader.required("number", whose),
            version: reader.optional("version"),
            answer_within: reader.optional("answer_within"),
            answer_rate: reader.optional("answer_rate"),
            short_abandon: reader.optional("short_abandon"),
            clock: reader.optional("clock"),
        }
    }

    fn plan(&self, usual: &Formula) -> Option<(LineId, Formula)> {
        fn or<T: Clone>(own: &Field<T>, usual: &T) -> T {
            own.as_ref().map_or_else(|| usual.clone(), |said| said.value.clone())
        }
        let formula = Formula {
            version: or(&self.version, &usual.version),
            answer_within: or(&self.answer_within, &usual.answer_within),
            answer_rate: or(&self.answer_rate, &usual.answer_rate),
            short_abandon: or(&self.short_abandon, &usual.short_abandon),
            clock: or(&self.clock, &usual.clock),
        };
        Some((LineId::from(self.number.as_ref()?.value.as_str()), formula))
    }
}

impl ExcludeTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let at = reader.spot_of("answer");
        ExcludeTable {
            answer: reader.or("answer", vec![Said { value: ExclusionWord::ShortAbandon, spot: at }]),
            satisfaction: reader.or("satisfaction", Vec::new()),
            transfer: reader.or("transfer", Vec::new()),
        }
    }

    /// Each word that is said.
    pub fn words(&self) -> impl Iterator<Item = &Said<ExclusionWord>> {
        [&self.answer, &self.satisfaction, &self.transfer].into_iter().flatten().flat_map(|said| &said.value)
    }

    fn plan(&self, whole: &RoutingTable) -> Option<Exclude> {
        let drills = || {
            let drills = whole.trunks.iter().filter(|own| own.drill.as_ref().is_some_and(|said| said.value));
            drills
                .filter_map(|own| own.name.as_ref())
                .map(|said| TrunkId::from(said.value.as_str()))
                .collect()
        };
        let built = |said: &Said<ExclusionWord>| match &said.value {
            ExclusionWord::ShortAbandon => Exclusion::ShortAbandon,
            ExclusionWord::Drill => Exclusion::Drill(drills()),
            ExclusionWord::Line(line) => Exclusion::Line(LineId::from(line.as_str())),
            ExclusionWord::Code(code) => Exclusion::Code(code.clone()),
            ExclusionWord::Trunk(trunk) => Exclusion::Trunk(TrunkId::from(trunk.as_str())),
        };
        let list = |said: &Field<Vec<Said<ExclusionWord>>>| {
            Some(said.as_ref()?.value.iter().map(built).collect::<Vec<_>>())
        };
        Some(Exclude {
            answer: list(&self.answer)?,
            satisfaction: list(&self.satisfaction)?,
            transfer: list(&self.transfer)?,
        })
    }
}
