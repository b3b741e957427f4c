//! What callers do by themselves, each as a list of steps: a ticket by keys and a message, its progress by the
//! number and the code that were read out, and a code that is wrong. How they are played is for `visit`.

use super::Noted;
use crate::id::PromptId;
use crate::switchboard::fact::Answer;

/// What a caller comes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Leaves a matter.
    Order,
    /// Asks how far it is.
    Progress,
    /// Asks by a code that is not the ticket's.
    WrongCode,
}

/// What is done at the beginning of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The number is dialled.
    Dial,
    /// Keys are pressed.
    Press,
    /// The caller says words of his own.
    Speak,
    /// Nothing: the house goes on by itself.
    Wait,
    /// The telephone is put down.
    HangUp,
}

/// When a step is through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// The beginning of this prompt is heard.
    Hears(PromptId),
    /// And its end.
    HearsOut(PromptId),
    /// The caller's words are said.
    Spoken,
    /// The number and the code are written down.
    Noted,
    /// A clerk's voice is heard.
    Clerk,
    /// The call is over.
    Over,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happens, in both languages.
    pub name: &'static str,
    /// Digits dialled or pressed.
    pub keys: String,
    /// Done first.
    pub deed: Deed,
    /// What must come of it.
    pub until: Until,
}

impl Errand {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Errand; 3] = [Errand::Order, Errand::Progress, Errand::WrongCode];

    /// Its heading, in both languages.
    pub fn title(self) -> &'static str {
        match self {
            Errand::Order => "自助登记 self-service order",
            Errand::Progress => "查询进度 a query of its progress",
            Errand::WrongCode => "提取码不对 a wrong pick-up code",
        }
    }

    /// The flows that the record must name.
    pub fn flows(self) -> &'static [&'static str] {
        match self {
            Errand::Order => &["services", "order", "order_help", "order_kept"],
            Errand::Progress => &["services", "progress"],
            Errand::WrongCode => &["services", "progress", "progress_missing"],
        }
    }

    /// What was asked for, and what came of it.
    pub fn answer(self) -> Option<Answer> {
        match self {
            Errand::Order => None,
            Errand::Progress => Some(Answer::Found),
            Errand::WrongCode => Some(Answer::Missing),
        }
    }

    /// What happens; of a ticket's number and code, once they are known.
    pub fn steps(self, line: &str, noted: Option<&Noted>) -> Vec<Step> {
        let mut steps = vec![
            step("来电，听到问候 a call, the greeting", line, Deed::Dial, hears("greeting")),
            step("按键跳过，听菜单 a key skips it: the menu", "#", Deed::Press, hears("services_menu")),
        ];
        let Some(noted) = noted else {
            steps.extend([
                step("选自助登记 chooses to leave a matter", "1", Deed::Press, hears("order_type")),
                step(
                    "选类别：求助 its category: help",
                    "1",
                    Deed::Press,
                    Until::HearsOut("order_message".into()),
                ),
                step("留言 leaves a message", "", Deed::Speak, Until::Spoken),
                step("说完，播报编号 its number is read out", "#", Deed::Press, hears("order_code")),
                step("播报提取码，听写 its code, written down", "", Deed::Wait, Until::Noted),
                step("平台挂机 the house hangs up", "", Deed::Wait, Until::Over),
            ]);
            return steps;
        };
        let code = if self == Errand::WrongCode { wrong(&noted.code) } else { noted.code.clone() };
        steps.extend([
            step("选查询进度 chooses to ask how far it is", "2", Deed::Press, hears("progress_ticket")),
            step(
                "工单号 the ticket's number",
                &format!("{}#", noted.ticket),
                Deed::Press,
                hears("progress_code"),
            ),
        ]);
        let code = format!("{code}#");
        if self == Errand::WrongCode {
            let refused = hears("progress_missing");
            steps.extend([
                step("错的提取码，查不到 a wrong code: nothing", &code, Deed::Press, refused),
                step("转人工 a clerk takes the caller", "", Deed::Wait, Until::Clerk),
                step("来电人挂机 the caller hangs up", "", Deed::HangUp, Until::Over),
            ]);
        } else {
            steps.extend([
                step(
                    "提取码，听到进度 the code: how far it is",
                    &code,
                    Deed::Press,
                    hears("progress_opened"),
                ),
                step("平台挂机 the house hangs up", "", Deed::Wait, Until::Over),
            ]);
        }
        steps
    }
}

/// A code of as many digits, and not this one.
fn wrong(code: &str) -> String {
    let mut digits: Vec<char> = code.chars().collect();
    if let Some(last) = digits.last_mut() {
        *last = if *last == '7' { '4' } else { '7' };
    }
    digits.into_iter().collect()
}

fn hears(prompt: &str) -> Until {
    Until::Hears(prompt.into())
}

fn step(name: &'static str, keys: &str, deed: Deed, until: Until) -> Step {
    Step { name, keys: keys.to_owned(), deed, until }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_code_is_as_long_as_the_right_one_and_begins_the_same() {
        assert_eq!((wrong("204711").as_str(), wrong("904717").as_str()), ("204717", "904714"));
    }

    #[test]
    fn who_asks_types_in_what_was_read_out() {
        let noted = Noted { ticket: "21090100033".into(), code: "204711".into() };
        let keys = |errand: Errand| -> Vec<String> {
            errand.steps("12345", Some(&noted)).into_iter().map(|step| step.keys).collect()
        };
        assert_eq!(keys(Errand::Progress)[..5], ["12345", "#", "2", "21090100033#", "204711#"]);
        assert_eq!(keys(Errand::WrongCode)[4], "204717#");
    }
}
