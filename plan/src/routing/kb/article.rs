//! Articles as they are written: one JSON object a line.
//!
//! Each fault is noted at its line. A house that opens takes the lines that are whole (see
//! [`Draft::judge_opening`](super::super::Draft::judge_opening)): no caller waits for an article.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::super::diagnostic::Spot;
use super::super::nearest::nearest;
use super::super::source::Problems;
use super::Article;
use crate::id::LineId;

/// Articles of one file.
pub const ARTICLES_MAX: usize = 20_000;
/// Longest id, characters.
pub const ID_CHARS_MAX: usize = 64;
/// Longest version, characters.
pub const VERSION_CHARS_MAX: usize = 32;
/// Longest title, characters.
pub const TITLE_CHARS_MAX: usize = 200;
/// Longest text, characters.
pub const TEXT_CHARS_MAX: usize = 8_000;
/// Longest name of an owner or approver, characters.
pub const NAME_CHARS_MAX: usize = 100;
/// Numbers of one article.
pub const LINES_MAX: usize = 64;
/// Faults of one file that are told; lines behind them are not looked at.
const FAULTS_MAX: usize = 100;
/// Of a line, so many bytes are underlined: an article is long.
const SHOWN: usize = 24;

/// Some editors begin a file with it.
const MARK: char = '\u{feff}';

/// What an article says of itself.
const KEYS: [&str; 9] =
    ["id", "version", "title", "text", "owner", "lines", "valid_from", "valid_until", "approver"];

/// An article, and where it stands.
#[derive(Debug)]
pub struct ArticleLine {
    /// Its line.
    pub spot: Spot,
    /// It.
    pub article: Article,
}

/// Whether an article can be called so: it stands in addresses.
pub fn is_article_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(plain) && !id.starts_with('.')
}

/// Reads the lines of `text`, the file at `spot`. Those that are whole come back, each id once.
pub fn read_lines(text: &str, spot: &Spot, problems: &mut Problems) -> Vec<ArticleLine> {
    let mut list: Vec<ArticleLine> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut faults = 0;
    let mut at = if text.starts_with(MARK) { MARK.len_utf8() } else { 0 };
    for line in text[at..].split_inclusive('\n') {
        let start = at;
        at += line.len();
        if line.trim().is_empty() {
            continue;
        }
        let span = start..start + line.floor_char_boundary(line.trim_end().len().min(SHOWN));
        let here = Spot { file: spot.file, span, key: format!("article[{}]", list.len() + faults) };
        if faults >= FAULTS_MAX {
            break;
        }
        if list.len() >= ARTICLES_MAX {
            too_much(
                &here,
                &format!("多于 {ARTICLES_MAX} 条"),
                &format!("more than {ARTICLES_MAX} articles"),
                problems,
            );
            break;
        }
        let Some(article) = read_line(line.trim(), &here, problems) else {
            faults += 1;
            continue;
        };
        if let Some(first) = known.get(&article.id).and_then(|first| list.get(*first)) {
            twice(&article.id, &here, &first.spot, problems);
            faults += 1;
            continue;
        }
        known.insert(article.id.clone(), list.len());
        list.push(ArticleLine { spot: here, article });
    }
    if list.is_empty() && faults == 0 {
        problems
            .warning("W1623", spot, "知识库文件里没有条目", "the file of the knowledge base has no article")
            .effect("座席什么也查不到", "clerks find nothing")
            .remedy("一行一条写上条目，或删去 [kb]", "write articles, one a line, or remove [kb]");
    }
    list
}

fn read_line(line: &str, spot: &Spot, problems: &mut Problems) -> Option<Article> {
    let fields = match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return no_article(spot, "不是 JSON 对象", "it is no JSON object", None, problems),
        Err(error) => {
            let column = error.column(); // Its line is always the first: what it read is one.
            let (zh, en) =
                (format!("第 {column} 列起不是 JSON"), format!("from column {column} on it is no JSON"));
            return no_article(spot, &zh, &en, None, problems);
        }
    };
    if let Some(unknown) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let (zh, en) = (format!("没有 {unknown} 这一项"), format!("there is no {unknown}"));
        return no_article(spot, &zh, &en, nearest(unknown, KEYS), problems);
    }
    let mut field = |key: &'static str, most: usize| words(&fields, key, most, spot, problems);
    let (id, version) = (field("id", ID_CHARS_MAX), field("version", VERSION_CHARS_MAX));
    let (title, text) = (field("title", TITLE_CHARS_MAX), field("text", TEXT_CHARS_MAX));
    let (owner, approver) = (field("owner", NAME_CHARS_MAX), field("approver", NAME_CHARS_MAX));
    let valid_from = day(&fields, "valid_from", spot, problems);
    let valid_until = day(&fields, "valid_until", spot, problems);
    let lines = numbers(&fields, spot, problems);
    let id = id.filter(|id| is_id(id, spot, problems));
    let (valid_from, valid_until) = (valid_from?, valid_until?);
    if let (Some(from), Some(until)) = (valid_from, valid_until)
        && until < from
    {
        problems
            .error(
                "E1624",
                spot,
                format!("valid_until {until} 早于 valid_from {from}"),
                format!("valid_until {until} is before valid_from {from}"),
            )
            .effect("这一条哪天都不会给出", "there is no day on which the article would be given out")
            .remedy("改正其中一个日期", "correct one of the days");
        return None;
    }
    Some(Article {
        id: id?,
        version: version?,
        title: title?,
        text: text?,
        owner: owner?,
        lines: lines?,
        valid_from,
        valid_until,
        approver: approver?,
    })
}

/// A text that must be there; a version may be a whole number.
fn words(
    fields: &Map<String, Value>,
    key: &'static str,
    most: usize,
    spot: &Spot,
    problems: &mut Problems,
) -> Option<String> {
    let said = match fields.get(key) {
        Some(Value::String(said)) => said.trim().to_owned(),
        Some(Value::Number(number)) if key == "version" && number.is_u64() => number.to_string(),
        None | Some(Value::Null) => String::new(),
        Some(_) => {
            let (zh, en) = (format!("{key} 应为字符串"), format!("{key} wants a string"));
            return no_article(spot, &zh, &en, None, problems);
        }
    };
    if said.is_empty() {
        problems
            .error("E1622", spot, format!("这一条没有 {key}"), format!("the article has no {key}"))
            .effect(
                "座席看不出它是哪一版、谁审定、归谁负责，或者根本无话可答",
                "clerks could not tell which wording it is, who let it be told and who answers for it, or would have \
                 nothing to say",
            )
            .remedy("补上这一项", "give it one");
        return None;
    }
    if said.chars().count() > most {
        let (zh, en) = (format!("{key} 超过 {most} 个字"), format!("{key} is longer than {most} characters"));
        too_much(spot, &zh, &en, problems);
        return None;
    }
    Some(said)
}

/// A day that may be left out.
fn day(fields: &Map<String, Value>, key: &str, spot: &Spot, problems: &mut Problems) -> Option<Option<Date>> {
    let said = match fields.get(key) {
        None | Some(Value::Null) => return Some(None),
        Some(said) => said,
    };
    let found = said.as_str().and_then(|said| said.parse::<Date>().ok());
    if found.is_none() {
        problems
            .error("E1624", spot, format!("{key} 不是日期"), format!("{key} is no day"))
            .effect(
                "不知道这一条从哪天起、到哪天止可以给出",
                "nobody could say on which days the article may be given out",
            )
            .remedy("写成 \"2021-09-01\" 这样", "write it like \"2021-09-01\"");
    }
    found.map(Some)
}

fn numbers(fields: &Map<String, Value>, spot: &Spot, problems: &mut Problems) -> Option<Vec<LineId>> {
    let said = match fields.get("lines") {
        None | Some(Value::Null) => return Some(Vec::new()),
        Some(Value::Array(said)) => said,
        Some(_) => {
            return no_article(spot, "lines 应为号码的列表", "lines wants a list of numbers", None, problems);
        }
    };
    if said.len() > LINES_MAX {
        too_much(
            spot,
            &format!("lines 多于 {LINES_MAX} 个"),
            &format!("lines has more than {LINES_MAX}"),
            problems,
        );
        return None;
    }
    let lines: Option<Vec<LineId>> = said.iter().map(|line| Some(LineId::from(line.as_str()?))).collect();
    match lines {
        Some(lines) => Some(lines),
        None => no_article(spot, "lines 里有的不是字符串", "one of lines is no string", None, problems),
    }
}

fn is_id(id: &str, spot: &Spot, problems: &mut Problems) -> bool {
    let fits = is_article_id(id);
    if !fits {
        problems
            .error(
                "E1628",
                spot,
                format!("编号 \"{id}\" 只能用英文字母、数字、-、_ 和 .，不以 . 开头"),
                format!("the id \"{id}\" may have letters, digits, -, _ and . only, no . first"),
            )
            .effect(
                "编号写在网址里：这一条查不到，也报不了错",
                "the id stands in addresses: the article could be neither read nor reported",
            )
            .remedy("换一个编号", "give it another id");
    }
    fits
}

/// Notes that a line is no article.
fn no_article<T>(
    spot: &Spot,
    zh: &str,
    en: &str,
    nearest: Option<&str>,
    problems: &mut Problems,
) -> Option<T> {
    problems
        .error("E1621", spot, format!("这一行不是知识条目: {zh}"), format!("the line is no article: {en}"))
        .effect("座席查不到这一条", "clerks would not find the article")
        .remedy(
            "一行一个 JSON 对象，各项见 contract/kb.md",
            "one JSON object a line; contract/kb.md says what it has",
        )
        .nearest(nearest);
    None
}

fn twice(id: &str, spot: &Spot, first: &Spot, problems: &mut Problems) {
    problems
        .error("E1623", spot, format!("编号 {id} 出现两次"), format!("the id {id} stands twice"))
        .effect(
            "同一编号有两种答复口径，座席不知道以哪一条为准",
            "there would be two answers by one id, and clerks could not say which counts",
        )
        .remedy("删去旧的一条，或换一个编号", "remove the old one, or give one another id")
        .related(first, "第一次", "first");
}

fn too_much(spot: &Spot, zh: &str, en: &str, problems: &mut Problems) {
    problems
        .error("E1625", spot, format!("知识条目过多或过长: {zh}"), format!("more than the base holds: {en}"))
        .effect("超出的部分座席查不到", "clerks would not find what is beyond it")
        .remedy(
            "删减，或改用 kind = \"http\" 查询专门的知识库系统",
            "make it less, or ask a system of its own by kind = \"http\"",
        );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<ArticleLine>, Vec<(&'static str, usize)>) {
        let mut problems = Problems::default();
        let spot = Spot { file: Some(0), span: 0..0, key: String::new() };
        let list = read_lines(text, &spot, &mut problems);
        let source = super::super::super::source::Source::new("kb.jsonl".into(), text.into());
        let report = problems.into_report(vec![source]);
        let place = |spot| report.place(spot).map_or(0, |place| place.line);
        let told = report.diagnostics.iter().map(|found| (found.code, place(&found.spot))).collect();
        (list, told)
    }

    fn line(id: &str, more: &str) -> String {
        format!(
            r#"{{"id":"{id}","version":2,"title":"标题","text":"正文","owner":"市局","approver":"张三"{more}}}"#
        )
    }

    #[test]
    fn each_fault_is_told_at_its_line_and_the_other_lines_are_read() {
        let whole = line("a", r#","lines":["12345"],"valid_from":"2021-09-01","valid_until":"2021-09-01""#);
        let text = [
            format!("\u{feff}{whole}"),
            String::new(),
            "nonsense".into(),
            "[1]".into(),
            line("b", r#","valid_untill":"2021-09-01""#),
            line("c", "").replace("张三", " "),
            line("a", ""),
            line("d", r#","valid_from":"1.9.2021""#),
            line("e", r#","valid_from":"2021-09-02","valid_until":"2021-09-01""#),
            line("f", "").replace("正文", &"长".repeat(TEXT_CHARS_MAX + 1)),
            line("../g", ""),
            line("h", r#","lines":"12345""#),
            line("i", "").replace("2,", "2.5,"),
            line("last", ""),
        ]
        .join("\r\n");
        let (list, told) = read(&text);
        let ids: Vec<_> = list.iter().map(|own| own.article.id.as_str()).collect();
        assert_eq!(ids, ["a", "last"]);
        assert_eq!(list[0].article.version, "2");
        assert_eq!(list[0].article.lines, ["12345".into()]);
        let expected = [
            ("E1621", 3),
            ("E1621", 4),
            ("E1621", 5),
            ("E1622", 6),
            ("E1623", 7),
            ("E1624", 8),
            ("E1624", 9),
            ("E1625", 10),
            ("E1628", 11),
            ("E1621", 12),
            ("E1621", 13),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_file_of_too_many_articles_or_faults_is_told_so_once() {
        let many: String = (0..=ARTICLES_MAX).map(|n| line(&n.to_string(), "") + "\n").collect();
        let (list, told) = read(&many);
        assert_eq!((list.len(), told), (ARTICLES_MAX, vec![("E1625", ARTICLES_MAX + 1)]));
        let (list, told) = read(&"x\n".repeat(10 * FAULTS_MAX));
        assert_eq!((list.len(), told.len()), (0, FAULTS_MAX));
    }
}
