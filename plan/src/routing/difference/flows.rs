//! Flows described: an act each, by its place.

use super::super::diagnostic::Text;
use super::super::plan::{Peer, Plan};
use super::super::script::{
    Act, Branch, Case, Collect, LookUp, Menu, Message, Order, Relay, Script, Spoken, Target, Transfer,
};
use super::super::written::duration;
use super::describe::{Item, row};
use super::kind::Kind;

/// A flow each.
pub(super) fn flows(plan: &Plan) -> Vec<Item> {
    plan.scripts.values().map(|script| flow(script)).collect()
}

fn flow(script: &Script) -> Item {
    let Script { id, acts } = script;
    let mut item = Item::named(Kind::Flow, id);
    for (place, act) in (1..).zip(acts) {
        let (words, rest) = act_words(act);
        item = item.with_text(&format!("第 {place} 步"), &format!("step {place}"), words);
        if !rest.is_empty() {
            item = item.rest(&(place, rest));
        }
    }
    item
}

fn text(zh: impl Into<String>, en: impl Into<String>) -> (Text, String) {
    (Text::new(zh, en), String::new())
}

/// An act in words, and whatever of it they leave out.
fn act_words(act: &Act) -> (Text, String) {
    match act {
        Act::Play(prompt) => text(format!("播放 {prompt}"), format!("plays {prompt}")),
        Act::Say(pieces) => {
            let said = row(pieces.iter().map(piece));
            let values: Vec<_> = pieces.iter().filter(|own| !matches!(own, Spoken::Prompt(_))).collect();
            let rest = if values.is_empty() { String::new() } else { format!("{values:?}") };
            (Text::new(format!("播报 {said}"), format!("says {said}")), rest)
        }
        Act::Menu(Menu { prompt, keys, wait, tries }) => {
            let (keys, wait) = (row(keys.iter().map(|(key, to)| format!("{key} {to}"))), duration(*wait));
            text(
                format!("菜单 {prompt}（{keys}；等 {wait}，{tries} 遍）"),
                format!("menu {prompt} ({keys}; waits {wait}, {tries} times)"),
            )
        }
        Act::Collect(Collect { into, prompt, least, most, wait, tries }) => {
            let wait = duration(*wait);
            text(
                format!("收集 {into}（{prompt}，{least}–{most} 位，等 {wait}，{tries} 遍）"),
                format!("collects {into} ({prompt}, {least}–{most} digits, waits {wait}, {tries} times)"),
            )
        }
        Act::Message(Message { into, prompt, most, least, tries }) => {
            let (least, most) = (duration(*least), duration(*most));
            text(
                format!("留言 {into}（{prompt}，{least}–{most}，{tries} 遍）"),
                format!("takes the message {into} ({prompt}, {least}–{most}, {tries} times)"),
            )
        }
        Act::LookUp(LookUp { source, with, music, missing, failed }) => {
            let with = row(with.iter().map(|(theirs, ours)| format!("{theirs} = {ours}")));
            let [music, missing, failed] =
                [or_none(music.as_ref()), or_none(missing.as_ref()), or_none(failed.as_ref())];
            text(
                format!("查询 {source}（{with}；音乐 {music}，查不到 {missing}，失败 {failed}）"),
                format!("asks {source} ({with}; music {music}, not found {missing}, failed {failed})"),
            )
        }
        Act::Order(Order { category, values, prompt, code_prompt }) => {
            let (values, code) = (row(values), or_none(code_prompt.as_ref()));
            text(
                format!("登记工单“{category}”（附 {values}，播 {prompt}，提取码 {code}）"),
                format!("opens a ticket \"{category}\" (with {values}, says {prompt}, pick-up code {code})"),
            )
        }
        Act::Branch(Branch { cases, otherwise }) => {
            let (to, when): (Vec<_>, Vec<_>) = cases.iter().map(|Case { when, to }| (to, when)).unzip();
            let (to, otherwise) = (row(to), or_none(otherwise.as_ref()));
            let words =
                Text::new(format!("分路 {to}；其余 {otherwise}"), format!("goes by {to}; else {otherwise}"));
            (words, format!("{when:?}"))
        }
        Act::Queue(queue) => text(format!("转人工 {queue}"), format!("waits in the queue {queue}")),
        Act::Transfer(Transfer { to, failed }) => transfer_words(to, &or_none(failed.as_ref())),
        Act::Bot(bot) => text(format!("语音机器人 {bot}"), format!("talks with the bot {bot}")),
        Act::Survey => text("评价", "asks for a grade"),
        Act::Go(to) => text(format!("转到流程 {to}"), format!("goes on in the flow {to}")),
        Act::HangUp => text("挂机", "hangs up"),
    }
}

fn transfer_words(to: &Target, failed: &str) -> (Text, String) {
    match to {
        Target::Peer(Peer { trunk, number, ring, drill, hours }) => {
            let ring = duration(*ring);
            let words = Text::new(
                format!("转接 {trunk} {number}（振铃 {ring}，无人接听 {failed}）"),
                format!("rings {trunk} {number} (for {ring}, unanswered {failed})"),
            );
            (words, format!("{:?}", (drill, hours)))
        }
        Target::Value(Relay { name, most, within }) => {
            let within = duration(*within);
            text(
                format!("呼叫 {name} 里的号码（{within} 内至多 {most} 次，无人接听 {failed}）"),
                format!("calls the number in {name} (at most {most} times in {within}, unanswered {failed})"),
            )
        }
    }
}

fn piece(piece: &Spoken) -> String {
    match piece {
        Spoken::Prompt(prompt) => prompt.to_string(),
        Spoken::Value { name, .. } | Spoken::Choice { name, .. } => format!("[{name}]"),
    }
}

fn or_none(named: Option<&impl ToString>) -> String {
    named.map_or_else(|| "-".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::super::Difference;
    use super::*;

    fn told(old: Vec<Act>, new: Vec<Act>) -> Vec<String> {
        let mut difference = Difference::default();
        let item = |acts| flow(&Script { id: "car".into(), acts });
        difference.compare(&item(old), &item(new), &[]);
        difference.changes.into_iter().map(|change| change.text.zh).collect()
    }

    #[test]
    fn a_step_that_has_changed_is_told_by_its_place() {
        let menu = |to: &str, tries| {
            let keys = BTreeMap::from([('1', to.into()), ('2', "more".into())]);
            Act::Menu(Menu { prompt: "ask".into(), keys, wait: Duration::from_secs(5), tries })
        };
        let said = told(
            vec![Act::Play("hello".into()), menu("card", 2)],
            vec![Act::Play("hello".into()), menu("fund", 3), Act::HangUp],
        );
        assert_eq!(
            said,
            [
                "自助流程 car: 第 2 步 菜单 ask（1 card, 2 more；等 5s，2 遍） → 菜单 ask（1 fund, 2 more；等 5s，3 遍）",
                "自助流程 car: 第 3 步 无 → 挂机",
            ]
        );
    }

    #[test]
    fn what_the_words_of_a_step_leave_out_is_noticed() {
        let branch = |line: &str| {
            let when = vec![super::super::super::script::Condition::Line(vec![line.into()])];
            let cases = vec![Case { when, to: "card".into() }];
            vec![Act::Branch(Branch { cases, otherwise: None })]
        };
        assert!(told(branch("12345"), branch("12345")).is_empty());
        assert_eq!(told(branch("12345"), branch("12333")), ["自助流程 car: 其他设置有改动"]);
    }
}
