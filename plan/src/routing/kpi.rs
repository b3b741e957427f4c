//! `[kpi]`: by which formula callers' waits are judged, and what it leaves out.
//!
//! GB/T 33358-2016 wants a caller answered within 15 s and 95 % of the calls of 24 hours answered; who measures, from
//! which moment on, and what is left out it does not say. So all of that is the plan's, under a name
//! ([`Formula::version`]) that stands beside every figure: two reports by different formulas can be told apart.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::diagnostic::Text;
use super::written::duration;
use crate::id::{LineId, TrunkId};

/// What the formula is called where the file changes nothing of it.
pub const USUAL_VERSION: &str = "GB/T 33358-2016";
/// Seconds within which a caller is answered, by the standard.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Of a hundred calls of 24 hours, so many are answered, by the standard.
pub const ANSWER_RATE: u8 = 95;
/// Who gives up sooner has misdialled, or thought better of it.
pub const SHORT_ABANDON: Duration = Duration::from_secs(5);

/// `[kpi]`, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kpi {
    /// For every line that has none of its own, and for the whole city.
    pub usual: Formula,
    /// `[[kpi.line]]`: lines with thresholds of their own, as 12328 has by its ministry.
    pub lines: BTreeMap<LineId, Formula>,
    /// Calls that do not count.
    pub exclude: Exclude,
}

/// What is wanted, and how it is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    /// Its name in every report.
    pub version: String,
    /// A caller is answered within this time.
    pub answer_within: Duration,
    /// Of a hundred calls, so many are answered.
    pub answer_rate: u8,
    /// Who gives up sooner than this has misdialled.
    pub short_abandon: Duration,
    /// From when on a wait is measured.
    pub clock: Clock,
}

/// From when on a wait is measured, for `answer_within` and for `short_abandon`; it ends when a person picks up, or the
/// caller hangs up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clock {
    /// From the INVITE: prompts, menus and the transition's announcement count as waiting. The ministry's report on 12328
    /// counts so.
    Arrival,
    /// From when the caller first had to wait for a person: was put into a queue, or a sub-center was called. Prompts
    /// before that do not count, the queue's greeting does.
    #[default]
    Queue,
    /// From when somebody's telephone first rang for the caller: measures clerks, not how many there are.
    Ring,
}

/// `[kpi.exclude]`: calls that do not count, by the figure for which they do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclude {
    /// For the answer rate and the rates within the time.
    pub answer: Vec<Exclusion>,
    /// For the rate of the satisfied of matters in which satisfaction is chased; grades are counted all the same.
    pub satisfaction: Vec<Exclusion>,
    /// For first transfers that went where they should.
    pub transfer: Vec<Exclusion>,
}

/// Calls of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// Who gave up within `short_abandon`.
    ShortAbandon,
    /// Calls that came by, or were put through to, a trunk with `drill = true`: these.
    Drill(BTreeSet<TrunkId>),
    /// Calls to a number.
    Line(LineId),
    /// Calls with this code of `[disposition]`, as it was said last.
    Code(String),
    /// Calls that came by a trunk.
    Trunk(TrunkId),
}

impl Default for Formula {
    fn default() -> Self {
        Formula {
            version: USUAL_VERSION.to_owned(),
            answer_within: ANSWER_WITHIN,
            answer_rate: ANSWER_RATE,
            short_abandon: SHORT_ABANDON,
            clock: Clock::Queue,
        }
    }
}

impl Default for Exclude {
    fn default() -> Self {
        Exclude { answer: vec![Exclusion::ShortAbandon], satisfaction: Vec::new(), transfer: Vec::new() }
    }
}

impl Kpi {
    /// The formula by which calls to a line are judged, wherever they are counted: so lines add up to the whole.
    pub fn of(&self, line: &LineId) -> &Formula {
        self.lines.get(line).unwrap_or(&self.usual)
    }

    /// The same for programs, with the words: stands beside every figure.
    pub fn json(&self) -> Value {
        let formula = |own: &Formula| {
            let Formula { version, answer_within, answer_rate, short_abandon, clock } = own;
            json!({
                "version": version, "answer_within_ms": millis(*answer_within), "answer_rate": answer_rate,
                "short_abandon_ms": millis(*short_abandon), "clock": clock.word(),
            })
        };
        let lines = self.lines.iter().map(|(line, own)| (line.to_string(), formula(own)));
        let words = |list: &[Exclusion]| list.iter().map(Exclusion::word).collect::<Vec<_>>();
        let Exclude { answer, satisfaction, transfer } = &self.exclude;
        json!({
            "usual": formula(&self.usual),
            "lines": lines.collect::<Map<_, _>>(),
            "exclude": {
                "answer": words(answer), "satisfaction": words(satisfaction), "transfer": words(transfer),
            },
            "words": self.words(),
        })
    }

    /// The formulas in words, the usual one first, a line each.
    pub fn words(&self) -> Vec<Text> {
        let mut words = vec![self.usual.words()];
        words.extend(self.lines.iter().map(|(line, formula)| {
            let Text { zh, en } = formula.words();
            Text::new(format!("{line}：{zh}"), format!("{line}: {en}"))
        }));
        words.push(self.exclude.words());
        words
    }
}

impl Formula {
    /// `answer_rate` as a part of 1.
    pub fn rate(&self) -> f64 {
        f64::from(self.answer_rate) / 100.0
    }

    /// The formula as one reads it.
    pub fn words(&self) -> Text {
        let Formula { version, answer_within, answer_rate, short_abandon, clock } = self;
        let (zh_clock, en_clock) = clock.words();
        let (within, short) = (duration(*answer_within), duration(*short_abandon));
        Text::new(
            format!(
                "口径“{version}”：接通率 = 人工接通 ÷（求人工 − 仍在等待 − 不计入的），应达 {answer_rate}%；限时接通 = \
                 {within} 内人工接通，{zh_clock}起算；{short} 内挂机为短时放弃"
            ),
            format!(
                "formula \"{version}\": answer rate = answered ÷ (asked for a person − waiting still − left out), to be \
                 {answer_rate} %; in time = answered within {within} from {en_clock}; gave up at once = within {short}"
            ),
        )
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Clock {
    /// As the file says it.
    pub fn word(self) -> &'static str {
        match self {
            Clock::Arrival => "arrival",
            Clock::Queue => "queue",
            Clock::Ring => "ring",
        }
    }

    /// 中文 and English: from when on.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Clock::Arrival => ("自来电（含提示音和菜单）", "the INVITE, prompts and menus included"),
            Clock::Queue => {
                ("自进入排队或呼叫分中心", "being put into a queue, or a sub-center being called")
            }
            Clock::Ring => ("自首次振铃", "the first ringing of a telephone"),
        }
    }
}

impl Exclude {
    /// As one reads it.
    fn words(&self) -> Text {
        let Exclude { answer, satisfaction, transfer } = self;
        let row = |list: &[Exclusion]| {
            let words: Vec<String> = list.iter().map(Exclusion::word).collect();
            if words.is_empty() { "-".to_owned() } else { words.join(", ") }
        };
        let (answer, satisfaction, transfer) = (row(answer), row(satisfaction), row(transfer));
        Text::new(
            format!("不计入：接通率 {answer}；满意率 {satisfaction}；一次转接准确率 {transfer}"),
            format!(
                "left out: of answer rates {answer}; of satisfaction {satisfaction}; of first transfers {transfer}"
            ),
        )
    }
}

impl Exclusion {
    /// As the file says it.
    pub fn word(&self) -> String {
        match self {
            Exclusion::ShortAbandon => "short_abandon".to_owned(),
            Exclusion::Drill(_) => "drill".to_owned(),
            Exclusion::Line(line) => format!("line/{line}"),
            Exclusion::Code(code) => format!("code/{code}"),
            Exclusion::Trunk(trunk) => format!("trunk/{trunk}"),
        }
    }
}
