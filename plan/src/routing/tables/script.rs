//! `[[flow]]` as it is written: steps in their order, each of one kind.
//!
//! A step is named by the key that says what it does; that key's value is what the step is about (a prompt, a
//! queue, a flow), and the keys beside it say how. How each kind is read is in [`steps`].

mod steps;

use std::time::Duration;

use super::super::diagnostic::{Spot, Text};
use super::super::people_values::{Beginning, ByKey, Named};
use super::super::read::Reader;
use super::super::script::Reading;
use super::super::source::Said;
use super::Field;
use super::calendar::HoursTable;
use super::reading::unnamed;

/// Kinds of step, by the key that says which it is.
pub const KINDS: [&str; 14] = [
    "play", "say", "menu", "collect", "message", "look_up", "order", "branch", "queue", "transfer", "bot",
    "survey", "go", "hang_up",
];

/// `[[flow]]`.
#[derive(Debug)]
pub struct FlowTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `[[flow.step]]`.
    pub steps: Vec<StepTable>,
}

/// `[[flow.step]]`.
#[derive(Debug)]
pub struct StepTable {
    /// The table.
    pub spot: Spot,
    /// The value of the key that says what it does; the table's own place where there is none.
    pub at: Spot,
    /// What it does; `None` where it says nothing, or more than one thing.
    pub act: Option<ActTable>,
}

/// What a step does.
#[derive(Debug)]
pub enum ActTable {
    /// `play`.
    Play(Field<String>),
    /// `say`.
    Say(Field<Vec<Said<PieceTable>>>),
    /// `menu`.
    Menu(MenuTable),
    /// `collect`.
    Collect(CollectTable),
    /// `message`.
    Message(MessageTable),
    /// `look_up`.
    LookUp(AskTable),
    /// `order`.
    Order(OrderTable),
    /// `branch`.
    Branch(BranchTable),
    /// `queue`.
    Queue(Field<String>),
    /// `transfer`.
    Transfer(TransferTable),
    /// `bot`.
    Bot(Field<String>),
    /// `survey = true`.
    Survey,
    /// `go`.
    Go(Field<String>),
    /// `hang_up = true`.
    HangUp,
}

/// A piece of `say`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PieceTable {
    /// `"…"`.
    Prompt(Said<String>),
    /// `{ value = "…", as = "…" }`.
    Value {
        /// `value`.
        name: Said<String>,
        /// `as`.
        reading: Reading,
    },
    /// `{ value = "…", prompts = { done = "…" }, otherwise = "…" }`.
    Choice {
        /// `value`.
        name: Said<String>,
        /// `prompts`.
        prompts: Named,
        /// `otherwise`.
        otherwise: Field<String>,
    },
}

/// A step with `menu`.
#[derive(Debug)]
pub struct MenuTable {
    /// `menu`: the question's prompt.
    pub prompt: Field<String>,
    /// `keys`: each key's flow.
    pub keys: Field<ByKey>,
    /// `wait`.
    pub wait: Field<Duration>,
    /// `tries`.
    pub tries: Field<u8>,
}

/// A step with `collect`.
#[derive(Debug)]
pub struct CollectTable {
    /// `collect`: the question's prompt.
    pub prompt: Field<String>,
    /// `into`: the value's name.
    pub into: Field<String>,
    /// `least`.
    pub least: Field<u16>,
    /// `most`.
    pub most: Field<u16>,
    /// `wait`.
    pub wait: Field<Duration>,
    /// `tries`.
    pub tries: Field<u8>,
}

/// A step with `message`.
#[derive(Debug)]
pub struct MessageTable {
    /// `message`: the prompt before it.
    pub prompt: Field<String>,
    /// `into`: the value's name.
    pub into: Field<String>,
    /// `least`.
    pub least: Field<Duration>,
    /// `most`.
    pub most: Field<Duration>,
    /// `tries`.
    pub tries: Field<u8>,
}

/// A step with `look_up`.
#[derive(Debug)]
pub struct AskTable {
    /// `look_up`: whom it asks.
    pub source: Field<String>,
    /// `with`: the other side's name for each value, and ours.
    pub with: Field<Named>,
    /// `music`.
    pub music: Field<String>,
    /// `missing`: a flow.
    pub missing: Field<String>,
    /// `failed`: a flow.
    pub failed: Field<String>,
}

/// A step with `order`.
#[derive(Debug)]
pub struct OrderTable {
    /// `order`: what it is about, in the ticket.
    pub category: Field<String>,
    /// `values`.
    pub values: Field<Vec<Said<String>>>,
    /// `prompt`.
    pub prompt: Field<String>,
    /// `code_prompt`.
    pub code_prompt: Field<String>,
}

/// A step with `branch`.
#[derive(Debug)]
pub struct BranchTable {
    /// The place of `branch`.
    pub spot: Spot,
    /// `branch`: its cases.
    pub cases: Vec<CaseTable>,
    /// `otherwise`: a flow.
    pub otherwise: Field<String>,
}

/// A case of `branch`.
#[derive(Debug)]
pub struct CaseTable {
    /// The table.
    pub spot: Spot,
    /// `to`: a flow.
    pub to: Field<String>,
    /// `inside`.
    pub inside: HoursTable,
    /// `outside`.
    pub outside: HoursTable,
    /// `line`.
    pub line: Field<Vec<Said<String>>>,
    /// `caller`.
    pub caller: Field<Vec<Said<Beginning>>>,
    /// `value`: a name.
    pub value: Field<String>,
    /// `is`: what the value may say.
    pub is: Field<Vec<Said<String>>>,
    /// Whether it asks for nothing, be it rightly said or wrongly.
    pub bare: bool,
}

/// A step with `transfer`.
#[derive(Debug)]
pub struct TransferTable {
    /// `transfer`.
    pub to: Field<TargetTable>,
    /// `failed`: a flow.
    pub failed: Field<String>,
}

/// Whom `transfer` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetTable {
    /// `"12366"`.
    Number(String),
    /// `{ value = "owner", line = "12345" }`.
    Value(Box<RelayTable>),
}

/// The table of a [`TargetTable::Value`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayTable {
    /// `value`: a name.
    pub name: Said<String>,
    /// `line`: the number of ours that is shown.
    pub line: Field<String>,
    /// `most`: so often at most.
    pub most: Field<u8>,
    /// `within`: in so long a time.
    pub within: Field<Duration>,
}

impl FlowTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        FlowTable {
            spot: reader.spot.clone(),
            name: reader.required("name", unnamed()),
            steps: reader.sections("step", StepTable::read),
        }
    }

    /// What its steps do.
    pub fn acts(&self) -> impl Iterator<Item = &ActTable> {
        self.steps.iter().filter_map(|step| step.act.as_ref())
    }
}

impl BranchTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        BranchTable {
            spot: reader.spot_of("branch"),
            cases: reader.sections("branch", CaseTable::read),
            otherwise: reader.optional("otherwise"),
        }
    }
}

impl CaseTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let nowhere =
            Text::new("来电走到这里不知道去哪里", "calls that come here would not know where to go");
        CaseTable {
            spot: reader.spot.clone(),
            to: reader.required("to", nowhere),
            inside: HoursTable::read_as("inside", reader),
            outside: HoursTable::read_as("outside", reader),
            line: reader.optional("line"),
            caller: reader.optional("caller"),
            value: reader.optional("value"),
            is: reader.optional("is"),
            bare: !["inside", "outside", "line", "caller", "value"].iter().any(|key| reader.has(key)),
        }
    }
}

impl ActTable {
    /// The key that says what it does.
    pub fn kind(&self) -> &'static str {
        match self {
            ActTable::Play(_) => "play",
            ActTable::Say(_) => "say",
            ActTable::Menu(_) => "menu",
            ActTable::Collect(_) => "collect",
            ActTable::Message(_) => "message",
            ActTable::LookUp(_) => "look_up",
            ActTable::Order(_) => "order",
            ActTable::Branch(_) => "branch",
            ActTable::Queue(_) => "queue",
            ActTable::Transfer(_) => "transfer",
            ActTable::Bot(_) => "bot",
            ActTable::Survey => "survey",
            ActTable::Go(_) => "go",
            ActTable::HangUp => "hang_up",
        }
    }

    /// Flows that it leads to.
    pub fn flows(&self) -> Vec<&Said<String>> {
        match self {
            ActTable::Menu(menu) => {
                menu.keys.iter().flat_map(|keys| &keys.value.0).map(|(_, flow)| flow).collect()
            }
            ActTable::LookUp(asked) => asked.missing.iter().chain(&asked.failed).collect(),
            ActTable::Branch(branch) => {
                branch.cases.iter().filter_map(|case| case.to.as_ref()).chain(&branch.otherwise).collect()
            }
            ActTable::Transfer(transfer) => transfer.failed.iter().collect(),
            ActTable::Go(flow) => flow.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Prompts that it names.
    pub fn prompts(&self) -> Vec<&Said<String>> {
        match self {
            ActTable::Play(prompt) => prompt.iter().collect(),
            ActTable::Say(pieces) => pieces
                .iter()
                .flat_map(|pieces| &pieces.value)
                .flat_map(|piece| piece.value.prompts())
                .collect(),
            ActTable::Menu(menu) => menu.prompt.iter().collect(),
            ActTable::Collect(collect) => collect.prompt.iter().collect(),
            ActTable::Message(message) => message.prompt.iter().collect(),
            ActTable::LookUp(asked) => asked.music.iter().collect(),
            ActTable::Order(order) => order.prompt.iter().chain(&order.code_prompt).collect(),
            _ => Vec::new(),
        }
    }

    /// How it reads values out.
    pub fn readings(&self) -> Vec<Reading> {
        let ActTable::Say(pieces) = self else { return Vec::new() };
        let pieces = pieces.iter().flat_map(|pieces| &pieces.value);
        let reading = |piece: &Said<PieceTable>| match &piece.value {
            PieceTable::Value { reading, .. } => Some(*reading),
            PieceTable::Prompt(_) | PieceTable::Choice { .. } => None,
        };
        pieces.filter_map(reading).collect()
    }

    /// Values that it asks for, by their names.
    pub fn wants(&self) -> Vec<&Said<String>> {
        match self {
            ActTable::Say(pieces) => pieces
                .iter()
                .flat_map(|pieces| &pieces.value)
                .filter_map(|piece| piece.value.name())
                .collect(),
            ActTable::LookUp(asked) => {
                asked.with.iter().flat_map(|with| &with.value.0).map(|(_, value)| value).collect()
            }
            ActTable::Order(order) => order.values.iter().flat_map(|values| &values.value).collect(),
            ActTable::Branch(branch) => branch.cases.iter().filter_map(|case| case.value.as_ref()).collect(),
            ActTable::Transfer(transfer) => match transfer.to.as_ref().map(|said| &said.value) {
                Some(TargetTable::Value(relay)) => vec![&relay.name],
                Some(TargetTable::Number(_)) | None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The value that the caller gives in it.
    pub fn gives(&self) -> Option<&Said<String>> {
        match self {
            ActTable::Collect(collect) => collect.into.as_ref(),
            ActTable::Message(message) => message.into.as_ref(),
            _ => None,
        }
    }
}

impl PieceTable {
    fn prompts(&self) -> Vec<&Said<String>> {
        match self {
            PieceTable::Prompt(prompt) => vec![prompt],
            PieceTable::Value { .. } => Vec::new(),
            PieceTable::Choice { prompts, otherwise, .. } => {
                prompts.0.iter().map(|(_, prompt)| prompt).chain(otherwise).collect()
            }
        }
    }

    fn name(&self) -> Option<&Said<String>> {
        match self {
            PieceTable::Prompt(_) => None,
            PieceTable::Value { name, .. } | PieceTable::Choice { name, .. } => Some(name),
        }
    }
}
