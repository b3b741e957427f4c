//! What the caller does and how the house stands, for the way of one very call: what `[[test]]` says of it, as options.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::routing::cases::{Answer, CaseSeats, Given, NONE};
use crate::routing::duration;
use crate::routing::plan::Plan;
use crate::routing::script::BOT_OUTCOME;

/// Options of one very call. Without any of them the ways that the call may take are shown, and none is walked.
#[derive(Debug, Default, clap::Args)]
#[group(id = "given", multiple = true, conflicts_with_all = ["seat", "calendar"])]
pub struct Options {
    /// 来电人依次按的键，用得上就按；什么也不按写 '' / What the caller presses, each key as soon as it means something; '' for none
    #[arg(long, value_name = "KEYS", value_parser = keys)]
    keys: Option<String>,
    /// 座席: some 有人接，none 无人登录，busy 一直忙，full 队列已满 / Seats: a clerk answers, nobody signed in, busy to the end, or a full queue
    #[arg(long, value_name = "some|none|busy|full", value_parser = seats)]
    seats: Option<CaseSeats>,
    /// 已有几人在等，都没有空闲座席 / So many wait already, and no seat is free
    #[arg(long, value_name = "N")]
    waiting: Option<u32>,
    /// 预计要等多久，如 12min；还无从估计写 none / How long the wait is guessed to be, like 12min; none as long as nothing is known
    #[arg(long, value_name = "TIME", value_parser = guess)]
    expected_wait: Option<Guess>,
    /// 队列是否在高峰 / Whether the queue has a surge
    #[arg(long, value_name = "true|false")]
    surge: Option<bool>,
    /// 转去的一方是否接听 / Whether somebody picks up where the call is put through to
    #[arg(long, value_name = "true|false")]
    answered: Option<bool>,
    /// 来电人上次通话是否刚结束 / Whether the caller's last call ended a moment ago
    #[arg(long, value_name = "true|false")]
    just_called: Option<bool>,
    /// 要来电人留言，他说不说 / Whether the caller, asked to, leaves a message
    #[arg(long, value_name = "true|false")]
    message: Option<bool>,
    /// 查询或语音助手答什么，可写多个: owners=missing、owners=failed、owners=found、owners.owner=13900000000 / What a look-up or bot says, each value by itself
    #[arg(long, value_name = "NAME[.VALUE]=ANSWER", value_parser = answer)]
    answer: Vec<Said>,
    /// 这时在播的临时公告，依次写；没有写 '' / Hot notices that stand then, in order; '' for none
    #[arg(long, value_name = "NAME")]
    notice: Vec<String>,
}

/// What is guessed.
#[derive(Debug, Clone, Copy)]
struct Guess(Option<Duration>);

/// One `--answer`.
#[derive(Debug, Clone)]
struct Said {
    of: String,
    /// `None`: the answer is a word about all of it.
    value: Option<String>,
    said: String,
}

/// Nothing is found; it cannot be had; it is there.
const WORDS: [&str; 3] = ["missing", "failed", "found"];

impl Options {
    /// As the plan takes it; `None`: nothing is said. An error names what it does not know.
    pub fn given<'a>(&'a self, plan: &'a Plan) -> Result<Option<Given<'a>>, String> {
        let is_said = self.keys.is_some()
            || self.seats.is_some()
            || self.waiting.is_some()
            || self.expected_wait.is_some()
            || [self.surge, self.answered, self.just_called, self.message].iter().any(Option::is_some)
            || !self.answer.is_empty()
            || !self.notice.is_empty();
        if !is_said {
            return Ok(None);
        }
        let notices = self.notice.iter().map(String::as_str).filter(|name| !name.is_empty());
        Ok(Some(Given {
            seats: self.seats,
            waiting: self.waiting,
            expected_wait: self.expected_wait.map(|guess| guess.0),
            surge: self.surge,
            answered: self.answered,
            just_called: self.just_called,
            keys: self.keys.as_deref(),
            leaves_message: self.message,
            notices: (!self.notice.is_empty()).then(|| notices.collect()),
            answers: self.answers(plan)?,
            as_usual: false,
        }))
    }

    fn answers<'a>(&'a self, plan: &'a Plan) -> Result<BTreeMap<&'a str, Answer<'a>>, String> {
        let mut answers: BTreeMap<&str, Answer<'_>> = BTreeMap::new();
        for Said { of, value, said } in &self.answer {
            let Some(can) = says(plan, of) else {
                let names = plan.look_ups.keys().map(|id| id.as_str());
                let names: Vec<&str> = names.chain(plan.bots.keys().map(|id| id.as_str())).collect();
                return Err(unknown(("没有这个查询或语音助手", "no such look-up or bot"), of, &names));
            };
            let found = || Answer::Values(can.iter().map(|name| (*name, None)).collect());
            let Some(value) = value else {
                answers.insert(
                    of,
                    match said.as_str() {
                        "missing" => Answer::Missing,
                        "failed" => Answer::Failed,
                        _ => found(),
                    },
                );
                continue;
            };
            if !can.contains(&value.as_str()) {
                return Err(unknown(("它不会说这个值", "it does not say that value"), value, &can));
            }
            let all = answers.entry(of).or_insert_with(found);
            if !matches!(all, Answer::Values(_)) {
                *all = found();
            }
            if let Answer::Values(values) = all {
                values.insert(value, Some(said));
            }
        }
        Ok(answers)
    }
}

/// The values that a look-up or a bot of this name can say.
fn says<'a>(plan: &'a Plan, name: &str) -> Option<Vec<&'a str>> {
    if let Some(own) = plan.look_ups.get(name) {
        return Some(own.says.iter().map(String::as_str).collect());
    }
    let bot = plan.bots.get(name)?;
    let own = bot.says.iter().map(String::as_str);
    Some(own.filter(|name| *name != BOT_OUTCOME).chain([BOT_OUTCOME]).collect())
}

fn unknown((zh, en): (&str, &str), name: &str, known: &[&str]) -> String {
    let known = known.join(", ");
    format!("{zh}: {name}；已有: {known}\n{en}: {name}; there are: {known}")
}

fn keys(text: &str) -> Result<String, String> {
    let is_key = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#');
    if text.chars().all(is_key) {
        return Ok(text.to_owned());
    }
    Err("只有 0-9、* 和 # / digits, * and # only".to_owned())
}

fn seats(text: &str) -> Result<CaseSeats, String> {
    CaseSeats::of(text).ok_or_else(|| "some、none、busy 或 full / some, none, busy or full".to_owned())
}

fn guess(text: &str) -> Result<Guess, String> {
    if text == NONE {
        return Ok(Guess(None));
    }
    let guess = duration(text).map(|guess| Guess(Some(guess)));
    guess.ok_or_else(|| "带单位的时长如 12min，或 none / a duration like 12min, or none".to_owned())
}

fn answer(text: &str) -> Result<Said, String> {
    let Some((name, said)) = text.split_once('=') else {
        return Err("写作 名称=回答 或 名称.值=回答 / written name=answer or name.value=answer".to_owned());
    };
    match name.split_once('.') {
        Some((of, value)) => {
            Ok(Said { of: of.to_owned(), value: Some(value.to_owned()), said: said.to_owned() })
        }
        None if WORDS.contains(&said) => Ok(Said { of: name.to_owned(), value: None, said: said.to_owned() }),
        None => Err(
            "missing、failed 或 found，或写 名称.值=回答 / missing, failed or found; or name.value=answer"
                .to_owned(),
        ),
    }
}
