//! How each kind of step is read: its keys, and what stands in for those that are not said.

use std::time::Duration;

use super::super::super::diagnostic::Text;
use super::super::super::nearest::nearest;
use super::super::super::people_values::Named;
use super::super::super::read::{Node, Reader, Value, read_table, wrong_type};
use super::super::super::script::{Reading, Relay};
use super::super::super::source::{Problems, Said};
use super::super::super::values::one_of;
use super::super::reading::secs;
use super::*;

/// Waited for a key where the file does not say it.
const KEY_WAIT: Duration = secs(5);
/// How often something is asked for.
const TRIES: u8 = 2;

impl StepTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let mut kinds: Vec<&'static str> = KINDS.into_iter().filter(|kind| reader.has(kind)).collect();
        kinds.sort_by_key(|kind| reader.spot_of(kind).span.start);
        let act = match kinds.as_slice() {
            [kind] => ActTable::read(kind, reader),
            [] => {
                kindless(reader);
                None
            }
            [first, second, ..] => {
                two_kinds(reader, first, second);
                None
            }
        };
        if kinds.len() != 1 {
            reader.pass_over();
        }
        let at = kinds.first().map_or_else(|| reader.spot.clone(), |kind| reader.spot_of(kind));
        StepTable { spot: reader.spot.clone(), at, act }
    }
}

/// Nothing in the step says what it does.
fn kindless(reader: &mut Reader<'_, '_>) {
    let keys = reader.keys();
    let near = keys.iter().find_map(|key| Some((key, nearest(&key.value, KINDS)?)));
    let spot = near.map_or(&reader.spot, |(key, _)| &key.spot).clone();
    let (zh, en) = match near {
        Some((key, _)) => {
            (format!("{} 不是步骤的种类", key.value), format!("{} is no kind of step", key.value))
        }
        None => ("这一步没有说做什么".to_owned(), "this step does not say what it does".to_owned()),
    };
    reader
        .problems
        .error("E1001", &spot, zh, en)
        .effect("来电走到这里无法继续", "a call that comes here could not go on")
        .remedy(
            format!("每一步写一个键说明做什么: {}", KINDS.join(", ")),
            format!("each step has one key that says what it does: {}", KINDS.join(", ")),
        )
        .nearest(near.map(|(_, kind)| kind));
}

fn two_kinds(reader: &mut Reader<'_, '_>, first: &str, second: &str) {
    let keys = reader.keys();
    let place = |name: &str| keys.iter().find(|key| key.value == name).map(|key| key.spot.clone());
    let (Some(spot), Some(earlier)) = (place(second), place(first)) else { return };
    reader
        .problems
        .error(
            "E1002",
            &spot,
            format!("一步里既有 {first} 又有 {second}"),
            format!("one step with {first} and {second}"),
        )
        .effect(
            "谁先谁后说不准，来电人可能少听一句",
            "nobody could say which comes first, and callers might miss one",
        )
        .remedy(
            format!("分成两步：在 {second} 前另写一行 [[flow.step]]"),
            format!("make two steps of it: another [[flow.step]] in front of {second}"),
        )
        .related(&earlier, "另一个", "the other");
}

impl ActTable {
    /// Reads the step of this kind.
    fn read(kind: &str, reader: &mut Reader<'_, '_>) -> Option<Self> {
        Some(match kind {
            "play" => ActTable::Play(reader.optional("play")),
            "say" => ActTable::Say(words(reader)),
            "menu" => ActTable::Menu(MenuTable::read(reader)),
            "collect" => ActTable::Collect(CollectTable::read(reader)),
            "message" => ActTable::Message(MessageTable::read(reader)),
            "look_up" => ActTable::LookUp(AskTable::read(reader)),
            "order" => ActTable::Order(OrderTable::read(reader)),
            "branch" => ActTable::Branch(BranchTable::read(reader)),
            "queue" => ActTable::Queue(reader.optional("queue")),
            "transfer" => ActTable::Transfer(TransferTable::read(reader)),
            "bot" => ActTable::Bot(reader.optional("bot")),
            "go" => ActTable::Go(reader.optional("go")),
            "survey" => on("survey", reader).then_some(ActTable::Survey)?,
            _ => on("hang_up", reader).then_some(ActTable::HangUp)?,
        })
    }
}

/// Pieces, one at least.
fn words(reader: &mut Reader<'_, '_>) -> Field<Vec<Said<PieceTable>>> {
    let said = reader.optional::<Vec<Said<PieceTable>>>("say")?;
    if said.value.is_empty() {
        idle(&said.spot, "say = []", "say = [\"…\"]", reader.problems);
        return None;
    }
    Some(said)
}

/// Whether a step that has nothing to say but itself says it.
fn on(kind: &'static str, reader: &mut Reader<'_, '_>) -> bool {
    let Some(said) = reader.optional::<bool>(kind) else { return false };
    if !said.value {
        idle(&said.spot, &format!("{kind} = false"), &format!("{kind} = true"), reader.problems);
    }
    said.value
}

/// A step that does nothing.
fn idle(spot: &Spot, said: &str, wanted: &str, problems: &mut Problems) {
    problems
        .error("E1003", spot, format!("{said} 什么也不做"), format!("{said} does nothing"))
        .effect(
            "写在这里的意图不会生效，而没有人会察觉",
            "what it was meant to say would not happen, and nobody would notice",
        )
        .remedy(format!("写 {wanted}，或删去这一步"), format!("write {wanted}, or remove the step"));
}

fn unheard() -> Text {
    Text::new("来电人按了、说了也没有用", "what callers press or say would be of no use")
}

impl MenuTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        MenuTable {
            prompt: reader.optional("menu"),
            keys: reader.required("keys", unheard()),
            wait: reader.or("wait", KEY_WAIT),
            tries: reader.or("tries", TRIES),
        }
    }
}

impl CollectTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        CollectTable {
            prompt: reader.optional("collect"),
            into: reader.required("into", unheard()),
            least: reader.or("least", 1),
            most: reader.required("most", unheard()),
            wait: reader.or("wait", KEY_WAIT),
            tries: reader.or("tries", TRIES),
        }
    }
}

impl MessageTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        MessageTable {
            prompt: reader.optional("message"),
            into: reader.required("into", unheard()),
            least: reader.or("least", secs(2)),
            most: reader.or("most", secs(120)),
            tries: reader.or("tries", TRIES),
        }
    }
}

impl AskTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let blind = Text::new("查询没有条件，什么也查不到", "it would ask by nothing, and find nothing");
        AskTable {
            source: reader.optional("look_up"),
            with: reader.required("with", blind),
            music: reader.optional("music"),
            missing: reader.optional("missing"),
            failed: reader.optional("failed"),
        }
    }
}

impl OrderTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let mute = Text::new(
            "来电人听到一串数字，不知道那是工单号",
            "callers would hear digits and not know that they are the ticket's number",
        );
        OrderTable {
            category: reader.optional("order"),
            values: reader.or("values", Vec::new()),
            prompt: reader.required("prompt", mute),
            code_prompt: reader.optional("code_prompt"),
        }
    }
}

impl TransferTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        TransferTable { to: reader.optional("transfer"), failed: reader.optional("failed") }
    }
}

impl Value for TargetTable {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(table) = node.value.as_table() else {
            if node.value.is_str() {
                return String::read(node, problems).map(TargetTable::Number);
            }
            let (zh, en) = (
                "号码（如 \"12366\"）或 { value = \"owner\" }",
                "a number like \"12366\", or { value = \"owner\" }",
            );
            wrong_type(node, zh, en, problems);
            return None;
        };
        let nobody = Text::new("不知道呼叫谁", "nobody could say who is called");
        read_table(table, node.spot.clone(), problems, |reader| {
            let name = reader.required("value", nobody);
            let line = reader.optional("line");
            let most = reader.or("most", Relay::MOST);
            let within = reader.or("within", Relay::WITHIN);
            Some(TargetTable::Value(Box::new(RelayTable { name: name?, line, most, within })))
        })
    }
}

impl Value for PieceTable {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(table) = node.value.as_table() else {
            if node.value.is_str() {
                let value = String::read(node, problems)?;
                return Some(PieceTable::Prompt(Said { value, spot: node.spot.clone() }));
            }
            let (zh, en) = (
                "提示音（如 \"greeting\"）或 { value = \"…\", as = \"digits\" }",
                "a prompt like \"greeting\", or { value = \"…\", as = \"digits\" }",
            );
            wrong_type(node, zh, en, problems);
            return None;
        };
        read_table(table, node.spot.clone(), problems, |reader| {
            let mute = || Text::new("这里该读的内容读不出来", "what should be read out here could not be");
            let name = reader.required::<String>("value", mute());
            if reader.has("prompts") {
                let prompts = reader.required::<Named>("prompts", mute());
                let otherwise = reader.optional("otherwise");
                return Some(PieceTable::Choice { name: name?, prompts: prompts?.value, otherwise });
            }
            let reading = reader.required::<Reading>("as", mute());
            Some(PieceTable::Value { name: name?, reading: reading?.value })
        })
    }
}

impl Value for Reading {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let words = [
            ("digits", Reading::Digits),
            ("count", Reading::Count),
            ("amount", Reading::Amount),
            ("date", Reading::Date),
            ("time", Reading::Time),
        ];
        one_of(node, &words, problems)
    }
}
