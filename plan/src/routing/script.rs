//! What the operator lets callers do by themselves: `[[flow]]` of the file, a few kinds of act in a row.
//!
//! A person stays the first way out of each: the key [`PERSON_KEY`] leads to one from every act, and so does
//! whatever goes wrong. Running the acts is `call`'s work; whether they lead anywhere, the check's.

mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::plan::Peer;
use crate::id::{BotId, LineId, LookUpId, PromptId, QueueId, ScriptId};

pub use ways::{Leads, ScriptWay, When};

/// Leads to a person from every act. While digits are [collected](Act::Collect), only as the first of them.
pub const PERSON_KEY: char = '0';
/// Acts of one flow at most.
pub const ACTS_MAX: usize = 32;
/// Acts that one call takes at most, over all flows it comes through; then a person.
pub const ACTS_TAKEN_MAX: u16 = 256;
/// Values that one call keeps at most, and characters of one.
pub const VALUES_MAX: usize = 32;
/// See [`VALUES_MAX`].
pub const VALUE_CHARS_MAX: usize = 256;
/// The name of what must not be guessed: a pick-up code, whatever else a source is asked by.
pub const CODE: &str = "code";
/// Names by which [`LookUpKind::Tickets`] is asked, all of them.
pub const TICKETS_ASKED_BY: [&str; 2] = ["ticket", CODE];
/// Values that it says.
pub const TICKETS_SAY: [&str; 2] = [TICKET_STATE, "opened"];
/// Of them how far the office is.
pub const TICKET_STATE: &str = "state";
/// What [`TICKET_STATE`] says, one of these: 已受理、已派单、办理中、已答复、已办结、不予受理.
pub const TICKET_STATES: [&str; 6] = ["open", "assigned", "in_hand", "answered", "done", "refused"];
/// Samples a second that a bot may want.
pub const BOT_RATES: [u32; 2] = [8_000, 16_000];
/// The value that says how a bot was done.
pub const BOT_OUTCOME: &str = "outcome";

/// `[[flow]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Its name.
    pub id: ScriptId,
    /// In order. Behind the last the caller goes on as if the line had no flow: to a person.
    pub acts: Vec<Act>,
}

/// One act.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A prompt to its end; a key ends it.
    Play(PromptId),
    /// Words with values among them.
    Say(Vec<Spoken>),
    /// One key, one way.
    Menu(Menu),
    /// Digits under a name.
    Collect(Collect),
    /// The caller speaks; the span of the call's recording is what is kept.
    Message(Message),
    /// Asks an adapter by values, and keeps what it says.
    LookUp(LookUp),
    /// Opens a ticket with what is known, and reads its number out.
    Order(Order),
    /// One way or another, by what is so.
    Branch(Branch),
    /// Waits for a seat there and talks: what comes behind is never reached.
    Queue(QueueId),
    /// Rings somebody and talks; the flow goes on where nobody answers.
    Transfer(Transfer),
    /// Talks with a program; see [`Bot`].
    Bot(BotId),
    /// The five-grade question.
    Survey,
    /// Goes on in another flow, and does not come back.
    Go(ScriptId),
    /// Ends the call.
    HangUp,
}

/// A piece of what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// A prompt.
    Prompt(PromptId),
    /// A value, read so. One that is not there, or is not of that kind, is passed over.
    Value {
        /// Its name.
        name: String,
        /// How.
        reading: Reading,
    },
    /// The prompt that stands for what a value says: `done` to `state_done`.
    Choice {
        /// The value's name.
        name: String,
        /// By what it says.
        prompts: BTreeMap<String, PromptId>,
        /// For whatever else it says.
        otherwise: Option<PromptId>,
    },
}

/// How a value is read out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Digit by digit, 1 as 幺.
    Digits,
    /// As a count: 一百零五.
    Count,
    /// As money in yuan: 十二元五角.
    Amount,
    /// `2026-10-01` as a date.
    Date,
    /// `14:30` as a time of day.
    Time,
}

/// `menu`.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    /// The question.
    pub prompt: PromptId,
    /// Where each key leads.
    pub keys: BTreeMap<char, ScriptId>,
    /// Waited for a key, from the prompt's end.
    pub wait: Duration,
    /// How often the question is put; then a person.
    pub tries: u8,
}

/// `collect`.
#[derive(Debug, Clone, PartialEq)]
pub struct Collect {
    /// The value's name.
    pub into: String,
    /// The question.
    pub prompt: PromptId,
    /// Fewest digits.
    pub least: u8,
    /// Most; reached, no more is waited for. `#` ends it sooner.
    pub most: u8,
    /// Waited for the next digit.
    pub wait: Duration,
    /// How often the question is put; then a person.
    pub tries: u8,
}

/// `message`.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The value's name; the value says where in the recording it stands: `12.4-58.0`, seconds.
    pub into: String,
    /// What is said before it; it ends with a tone or without, as recorded.
    pub prompt: PromptId,
    /// Longest; `#` ends it sooner.
    pub most: Duration,
    /// A shorter one is none, and is asked for again.
    pub least: Duration,
    /// How often it is asked for; then a person.
    pub tries: u8,
}

/// `look_up`.
#[derive(Debug, Clone, PartialEq)]
pub struct LookUp {
    /// Whom it asks.
    pub source: LookUpId,
    /// Which values it is given: its own name for each, and ours.
    pub with: BTreeMap<String, String>,
    /// Heard meanwhile; `None`: nothing.
    pub music: Option<PromptId>,
    /// Where nothing is found, or nothing by that code; `None`: on behind it.
    pub missing: Option<ScriptId>,
    /// Where it does not answer in time, or asking is locked; `None`: a person.
    pub failed: Option<ScriptId>,
}

/// `order`.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// What it is about, in the ticket.
    pub category: String,
    /// Values that go into the ticket.
    pub values: Vec<String>,
    /// Said before the number.
    pub prompt: PromptId,
    /// Said before the pick-up code (提取码), by which the caller asks for the progress later.
    pub code_prompt: Option<PromptId>,
}

/// `branch`.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// In order; the first that is so.
    pub cases: Vec<Case>,
    /// Where none is; `None`: on behind it.
    pub otherwise: Option<ScriptId>,
}

/// One way of a branch: all that it names must be so.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What must be so.
    pub when: Vec<Condition>,
    /// Where it leads.
    pub to: ScriptId,
}

/// Something that is so or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Inside these hours by the city's clock.
    Inside(super::people::Hours),
    /// Outside of them.
    Outside(super::people::Hours),
    /// One of these lines was dialled.
    Line(Vec<LineId>),
    /// The caller's number begins so.
    Caller(Vec<String>),
    /// A value says one of these.
    Value {
        /// Its name.
        name: String,
        /// What it may say; empty: anything.
        is: Vec<String>,
    },
}

/// `transfer`.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer {
    /// Who.
    pub to: Target,
    /// Where nobody answers; `None`: on behind it.
    pub failed: Option<ScriptId>,
}

/// Who is rung by a flow.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Somebody of the plan: a sub-center, a department.
    Peer(Peer),
    /// The number that a value says, which neither side is shown (挪车); only such as `[calling]` allows.
    Value(Relay),
}

/// `{ value = "owner", most = 3, within = "30min" }`: a number that an adapter gives, and how often it is rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// The value.
    pub name: String,
    /// So often at most is one number rung, and for one caller, within the time.
    pub most: u8,
    /// See [`most`](Self::most).
    pub within: Duration,
}

impl Relay {
    /// How often, where the file does not say it.
    pub const MOST: u8 = 3;
    /// See [`MOST`](Self::MOST).
    pub const WITHIN: Duration = Duration::from_secs(30 * 60);
}

impl From<&str> for Relay {
    fn from(name: &str) -> Self {
        Relay { name: name.to_owned(), most: Self::MOST, within: Self::WITHIN }
    }
}

/// `[[look_up]]`: whom flows ask.
#[derive(Debug, Clone, PartialEq)]
pub struct LookUpSource {
    /// Its name.
    pub id: LookUpId,
    /// The adapter.
    pub kind: LookUpKind,
    /// Names of the values that its answers have for flows; whatever else one says is passed over.
    pub says: BTreeSet<String>,
    /// One question's bound.
    pub timeout: Duration,
    /// Answers "nothing by that" that one caller's number may get within [`lock`](Self::lock); then it is asked
    /// no more for so long: whoever tries codes gets nowhere.
    pub misses_max: u8,
    /// See [`misses_max`](Self::misses_max).
    pub lock: Duration,
}

/// Adapters of look-ups.
#[derive(Debug, Clone, PartialEq)]
pub enum LookUpKind {
    /// Tickets of the embedded store, by `ticket` and `code`: says `state`, `opened` (a date).
    Tickets,
    /// A file of one JSON object a line: the first that says the same of all that is asked by; says the rest.
    Jsonl {
        /// Relative to the data directory unless absolute.
        path: String,
    },
    /// A signed question by HTTP, answered by an object of values.
    Http {
        /// Where it is posted.
        url: String,
        /// The signing secret.
        secret: super::plan::SecretRef,
    },
}

/// `[[bot]]`: a program that talks with callers over a WebSocket (智能客服).
#[derive(Debug, Clone, PartialEq)]
pub struct Bot {
    /// Its name.
    pub id: BotId,
    /// `ws://` or `wss://`.
    pub url: String,
    /// What it knows us by: a bearer token (RFC 6750).
    pub secret: Option<super::plan::SecretRef>,
    /// Until it is there.
    pub connect: Duration,
    /// Longest talk; then a person.
    pub most: Duration,
    /// Heard until it is there.
    pub music: Option<PromptId>,
    /// Names of the values that it has for flows when it is done; whatever else it says is passed over.
    pub says: BTreeSet<String>,
    /// Samples a second, of its sound both ways: one of [`BOT_RATES`].
    pub rate: u32,
    /// It is told the caller's number whole, and not masked.
    pub show_caller: bool,
}

/// Whether what goes to this address in the clear stays near: on this machine, or in a net of the operator's own
/// (RFC 1918, RFC 4193, RFC 3927, RFC 4291 §2.5.6).
pub fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(four) => four.is_loopback() || four.is_private() || four.is_link_local(),
        IpAddr::V6(six) => six.is_loopback() || six.is_unique_local() || six.is_unicast_link_local(),
    }
}
