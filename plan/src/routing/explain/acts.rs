//! Acts, conditions and ways of flows in words.

use std::time::Duration;

use super::super::diagnostic::Text;
use super::super::plan::Plan;
use super::super::script::{
    Act, Collect, Condition, LookUp, LookUpKind, Menu, Message, Order, Reading, Relay, Spoken, Target, When,
};
use super::Caller;
use crate::id::PromptId;

impl Plan {
    /// What happens in an act, to this caller.
    pub(super) fn act_words(&self, act: &Act, caller: Caller<'_>) -> Text {
        match act {
            Act::Play(prompt) => self.said("播放", "plays", prompt),
            Act::Say(pieces) => {
                let (zh, en): (Vec<String>, Vec<String>) = pieces
                    .iter()
                    .map(|piece| self.piece_words(piece))
                    .map(|words| (words.zh, words.en))
                    .unzip();
                Text::new(format!("说: {}", zh.join(" ")), format!("says: {}", en.join(" ")))
            }
            Act::Menu(menu) => self.menu_words(menu),
            Act::Collect(own) => self.collect_words(own),
            Act::Message(own) => self.message_words(own),
            Act::LookUp(own) => self.look_up_words(own),
            Act::Order(own) => self.order_words(own),
            Act::Branch(_) => Text::new("按条件分路", "goes by what is so"),
            Act::Queue(queue) => Text::new(
                format!("转人工: 进入队列 {queue}"),
                format!("goes to a person: waits in the queue {queue}"),
            ),
            Act::Transfer(own) => match &own.to {
                Target::Peer(peer) => self.ways_words(peer, caller),
                Target::Value(relay) => self.relay_words(relay),
            },
            Act::Bot(bot) => {
                let most = self.bots.get(bot).map_or(Duration::ZERO, |bot| bot.most);
                Text::new(
                    format!("与语音助手 {bot} 通话，最长 {}", zh_span(most)),
                    format!("talks with the bot {bot} for {} at most", en_span(most)),
                )
            }
            Act::Survey => Text::new("请来电人评价（五级）", "asks for a grade of five"),
            Act::Go(to) => Text::new(format!("转到流程 {to}"), format!("goes on in the flow {to}")),
            Act::HangUp => Text::new("挂机", "hangs up"),
        }
    }

    fn text_of(&self, prompt: &PromptId) -> &str {
        self.prompts.get(prompt).map_or("", |prompt| prompt.text.as_str())
    }

    fn piece_words(&self, piece: &Spoken) -> Text {
        match piece {
            Spoken::Prompt(prompt) => {
                let text = self.text_of(prompt);
                Text::new(text, text)
            }
            Spoken::Value { name, reading } => {
                let (zh, en) = reading_words(*reading);
                Text::new(format!("〔{name}，{zh}〕"), format!("[{name}, {en}]"))
            }
            Spoken::Choice { name, prompts, otherwise } => {
                let one = |(said, prompt): (&String, &PromptId)| format!("{said}: {}", self.text_of(prompt));
                let mut all: Vec<String> = prompts.iter().map(one).collect();
                let other = otherwise.as_ref().map(|prompt| self.text_of(prompt));
                let mut all_en = all.clone();
                all.extend(other.map(|text| format!("其他: {text}")));
                all_en.extend(other.map(|text| format!("else: {text}")));
                Text::new(
                    format!("〔按 {name}: {}〕", all.join("；")),
                    format!("[by {name}: {}]", all_en.join("; ")),
                )
            }
        }
    }

    fn menu_words(&self, menu: &Menu) -> Text {
        let (text, tries) = (self.text_of(&menu.prompt), menu.tries);
        Text::new(
            format!("菜单 {}: {text} 等按键 {}，问 {tries} 遍", menu.prompt, zh_span(menu.wait)),
            format!(
                "menu {}: {text} A key is waited for {}, and asked for {}",
                menu.prompt,
                en_span(menu.wait),
                times(tries)
            ),
        )
    }

    fn collect_words(&self, own: &Collect) -> Text {
        let text = self.text_of(&own.prompt);
        let (into, tries) = (&own.into, own.tries);
        let (digits, word) = match (own.least, own.most) {
            (1, 1) => ("1".to_owned(), "digit"),
            (least, most) if least == most => (most.to_string(), "digits"),
            (least, most) => (format!("{least}–{most}"), "digits"),
        };
        Text::new(
            format!("收集 {into}，{digits} 位数字: {text} 问 {tries} 遍"),
            format!("collects {into}, {digits} {word}: {text} Asked for {}", times(tries)),
        )
    }

    fn message_words(&self, own: &Message) -> Text {
        let (text, into) = (self.text_of(&own.prompt), &own.into);
        Text::new(
            format!("留言 {into}，最长 {}: {text}", zh_span(own.most)),
            format!("takes the message {into}, {} at most: {text}", en_span(own.most)),
        )
    }

    fn look_up_words(&self, own: &LookUp) -> Text {
        let with: Vec<String> = own
            .with
            .iter()
            .map(|(theirs, ours)| match theirs == ours {
                true => ours.clone(),
                false => format!("{theirs} = {ours}"),
            })
            .collect();
        let (with, source) = (with.join(", "), &own.source);
        let Some(asked) = self.look_ups.get(source) else {
            return Text::new(format!("按 {with} 查询 {source}"), format!("asks {source} by {with}"));
        };
        let (zh, en) = match &asked.kind {
            LookUpKind::Tickets => ("内置工单库".to_owned(), "the embedded store".to_owned()),
            LookUpKind::Jsonl { path } => (path.clone(), path.clone()),
            LookUpKind::Http { url, .. } => (url.clone(), url.clone()),
        };
        let (misses, lock) = (asked.misses_max, asked.lock);
        Text::new(
            format!(
                "按 {with} 查询 {source}（{zh}），等 {}；同一主叫在 {}之内查不到 {misses} 次即锁定",
                zh_span(asked.timeout),
                zh_span(lock)
            ),
            format!(
                "asks {source} ({en}) by {with} for {}; locked for a caller after {misses} misses in {}",
                en_span(asked.timeout),
                en_span(lock)
            ),
        )
    }

    fn order_words(&self, own: &Order) -> Text {
        let category = &own.category;
        let (values_zh, values_en) = match own.values.is_empty() {
            true => (String::new(), String::new()),
            false => (format!("，附 {}", own.values.join("、")), format!(" with {}", own.values.join(", "))),
        };
        let (code_zh, code_en) = match &own.code_prompt {
            Some(prompt) => {
                let text = self.text_of(prompt);
                (format!("，{text}〔提取码〕"), format!(", {text} [pick-up code]"))
            }
            None => (String::new(), String::new()),
        };
        let text = self.text_of(&own.prompt);
        Text::new(
            format!("登记工单“{category}”{values_zh}，播报: {text}〔工单号〕{code_zh}"),
            format!("opens a ticket \"{category}\"{values_en} and says: {text} [its number]{code_en}"),
        )
    }

    fn relay_words(&self, relay: &Relay) -> Text {
        let Relay { name, most, within } = relay;
        let Some(calling) = &self.calling else {
            return Text::new(format!("呼叫 {name} 里的号码"), format!("calls the number in {name}"));
        };
        let (line, trunk) = (&calling.line, &calling.trunk);
        Text::new(
            format!(
                "呼叫 {name} 里的号码，经 {trunk}，对方看到的是 {line}，双方都看不到对方号码；同一号码、同一主叫 {}之内最多 {most} 次",
                zh_span(*within)
            ),
            format!(
                "calls the number in {name} by {trunk} as {line}; neither side is shown the other's number; at most {} in {} for one number, and for one caller",
                times(*most),
                en_span(*within)
            ),
        )
    }
}

fn reading_words(reading: Reading) -> (&'static str, &'static str) {
    match reading {
        Reading::Digits => ("逐位读", "digit by digit"),
        Reading::Count => ("读作数目", "as a count"),
        Reading::Amount => ("读作金额", "as money"),
        Reading::Date => ("读作日期", "as a date"),
        Reading::Time => ("读作时间", "as a time"),
    }
}

/// What takes a call on this way.
pub(super) fn when_words(act: &Act, when: When) -> Text {
    match (act, when) {
        (Act::LookUp(_), When::Done) => Text::new("查到", "found"),
        (Act::Transfer(_), When::Done) => Text::new("接通", "answered"),
        (Act::Queue(_) | Act::Go(_) | Act::HangUp, When::Done) => Text::new("随即", "at once"),
        (_, When::Done) => Text::new("完成后", "when it is done"),
        (_, When::Key(key)) => Text::new(format!("按 {key}"), format!("by the key {key}")),
        (_, When::Tried) => Text::new("问完仍无效", "after the last try"),
        (_, When::Missing) => Text::new("查不到", "nothing found"),
        (Act::LookUp(_), When::Failed) => Text::new("无应答或已锁定", "no answer, or locked"),
        (_, When::Failed) => {
            Text::new("要转人工、连不上、断了或超时", "wants a person, is not there, is lost, or too long")
        }
        (_, When::Case(place)) => Text::new(format!("情形 {}", place + 1), format!("case {}", place + 1)),
        (_, When::Otherwise) => Text::new("都不是", "none of them"),
        (_, When::Unanswered) => Text::new("无人接听", "nobody answers"),
    }
}

/// What must be so.
pub(super) fn condition_words(condition: &Condition) -> Text {
    let list = |words: Vec<&str>| (words.join("、"), words.join(" or "));
    match condition {
        Condition::Inside(hours) => {
            let words = hours.words();
            Text::new(format!("在 {} 之内", words.zh), format!("inside {}", words.en))
        }
        Condition::Outside(hours) => {
            let words = hours.words();
            Text::new(format!("在 {} 之外", words.zh), format!("outside {}", words.en))
        }
        Condition::Line(lines) => {
            let (zh, en) = list(lines.iter().map(|line| line.as_str()).collect());
            Text::new(format!("所拨号码是 {zh}"), format!("the dialled number is {en}"))
        }
        Condition::Caller(beginnings) => {
            let (zh, en) = list(beginnings.iter().map(String::as_str).collect());
            Text::new(format!("主叫以 {zh} 开头"), format!("the caller's number begins with {en}"))
        }
        Condition::Value { name, is } if is.is_empty() => {
            Text::new(format!("有 {name}"), format!("there is a value {name}"))
        }
        Condition::Value { name, is } => {
            let (zh, en) = list(is.iter().map(String::as_str).collect());
            Text::new(format!("{name} 是 {zh}"), format!("{name} is {en}"))
        }
    }
}

fn times(count: u8) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// Whole minutes or seconds where it is that, else milliseconds.
fn span(length: Duration) -> (u128, &'static str, &'static str) {
    match length.as_millis() {
        millis if millis >= 60_000 && millis.is_multiple_of(60_000) => (millis / 60_000, "分钟", "min"),
        millis if millis.is_multiple_of(1_000) => (millis / 1_000, "秒", "s"),
        millis => (millis, "毫秒", "ms"),
    }
}

pub(super) fn zh_span(length: Duration) -> String {
    let (count, unit, _) = span(length);
    format!("{count} {unit}")
}

pub(super) fn en_span(length: Duration) -> String {
    let (count, _, unit) = span(length);
    format!("{count} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_in_their_largest_whole_unit() {
        for (millis, zh, en) in
            [(1_500, "1500 毫秒", "1500 ms"), (90_000, "90 秒", "90 s"), (1_800_000, "30 分钟", "30 min")]
        {
            let length = Duration::from_millis(millis);
            assert_eq!((zh_span(length), en_span(length)), (zh.to_owned(), en.to_owned()));
        }
    }
}
