//! What is wrong with a file that is no TOML, in both languages: slips that people make are named as such, with what to
//! write instead; any other is told in the parser's own words.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::diagnostic::{Spot, Text};
use super::source::Problems;

/// A slip by what the parser says of it.
struct Slip {
    /// How the parser's words begin.
    words: &'static [&'static str],
    problem: [&'static str; 2],
    remedy: [&'static str; 2],
}

const SLIPS: [Slip; 13] = [
    Slip {
        words: &["string values must be quoted"],
        problem: ["值没有加引号，或者没有写", "a value without quotes, or none at all"],
        remedy: [
            "文字、时长、号码写在英文双引号里，如 \"20s\"；开关写 true 或 false",
            "put texts, durations and telephone numbers in quotes, like \"20s\"; a switch is true or false",
        ],
    },
    Slip {
        words: &["invalid boolean"],
        problem: ["开关写法不对", "a switch that is neither true nor false"],
        remedy: [
            "写 true 或 false，全小写，不加引号",
            "write true or false, in small letters and without quotes",
        ],
    },
    Slip {
        words: &[
            "invalid basic string",
            "invalid literal string",
            "invalid multi-line",
            "missing opening quote",
        ],
        problem: ["引号不成对", "a quote without its other half"],
        remedy: [
            "文字前后用同一种英文引号，写在一行里；文字里的 \" 写成 \\\"",
            "put the same quote before and behind a text, on one line; within it \" is written \\\"",
        ],
    },
    Slip {
        words: &["missing escaped value", "too few unicode value digits"],
        problem: ["\\ 后面的字符没有意义", "a \\ before a letter that means nothing behind it"],
        remedy: [
            "写成 \\\\，或改用英文单引号：'…' 里的 \\ 就是它自己",
            "write \\\\, or use single quotes: within '…' a \\ is itself",
        ],
    },
    Slip {
        words: &[
            "unexpected leading zero",
            "`_` may only",
            "redundant numeric sign",
            "invalid float",
            "invalid integer",
        ],
        problem: ["这样写的数读不了", "a number that is not written like one"],
        remedy: [
            "号码、区号和地址不是数，写在英文双引号里，如 \"0393\"",
            "telephone numbers, area codes and addresses are no numbers: put them in quotes, like \"0393\"",
        ],
    },
    Slip {
        words: &["invalid date", "invalid time", "invalid datetime"],
        problem: [
            "没有这一天或这个时刻，或者写法不对",
            "a day or a time that is not there, or not written like one",
        ],
        remedy: [
            "日期写成 2026-10-01，不加引号；时刻写成 \"08:30\"，加引号",
            "write a day like 2026-10-01 without quotes, a time of day like \"08:30\" with them",
        ],
    },
    Slip {
        words: &["missing comma between"],
        problem: ["两项之间缺逗号", "no comma between two entries"],
        remedy: ["两项之间加一个半角逗号", "put a comma between them"],
    },
    Slip {
        words: &["extra comma"],
        problem: ["多了一个逗号", "a comma too many"],
        remedy: ["删去它", "remove it"],
    },
    Slip {
        words: &["extra `=`", "extra assignment", "unexpected `=`"],
        problem: ["多了一个 =", "a = too many"],
        remedy: [
            "键和值之间只写一个 =；两个键之间换行，{ } 里用逗号",
            "one = between a key and its value; between keys a new line, or a comma within { }",
        ],
    },
    Slip {
        words: &["key with no value", "missing value", "missing assignment"],
        problem: ["键后面没有 = 和值", "a key without = and a value"],
        remedy: ["写成 键 = 值；不用的键整行删去", "write key = value, or remove the line"],
    },
    Slip {
        words: &["unclosed"],
        problem: ["括号没有写完", "a bracket without its other half"],
        remedy: [
            "表头写成 [表] 或 [[表]]，列表写成 [ … ]，表写成 { … }",
            "the head of a table is [table] or [[table]], a list is [ … ], a table in a line { … }",
        ],
    },
    Slip {
        words: &["invalid unquoted key", "unquoted keys cannot be empty"],
        problem: [
            "这里应当是键，而键里没有这样的字符",
            "a key is wanted here, and keys have no such characters",
        ],
        remedy: [
            "键是小写字母、数字、- 和 _，后面跟 =；中文的键名写在英文双引号里",
            "keys are letters, digits, - and _, followed by =; put any other name in quotes",
        ],
    },
    Slip {
        words: &["unexpected key or value", "unexpected content"],
        problem: ["值的后面还有别的", "something behind a value"],
        remedy: [
            "每行一个键；说明写在 # 后面",
            "one key a line; what is only said to readers stands behind #",
        ],
    },
];

/// Marks of a Chinese keyboard, and what is to stand there.
const FULL_WIDTH: [(char, &str); 14] = [
    ('“', "\""),
    ('”', "\""),
    ('‘', "'"),
    ('’', "'"),
    ('，', ","),
    ('、', ","),
    ('＝', "="),
    ('：', ":"),
    ('［', "["),
    ('］', "]"),
    ('【', "["),
    ('】', "]"),
    ('｛', "{"),
    ('｝', "}"),
];

/// Notes what the parser found: of each line the first, since what follows on it is that one's doing mostly, and of a key
/// that is said again and again the first time.
pub(super) fn syntax(
    faults: &[Error],
    document: &DeTable<'_>,
    text: &str,
    spot: &Spot,
    problems: &mut Problems,
) {
    let mut lines: Vec<usize> = Vec::new();
    let mut firsts: Vec<Range<usize>> = Vec::new();
    let mut faults: Vec<(Range<usize>, &Error)> =
        faults.iter().map(|fault| (fault.span().unwrap_or(0..0), fault)).collect();
    faults.sort_by_key(|(span, _)| span.start);
    for (span, fault) in faults {
        let line = text.get(..span.start).map_or(0, |before| before.matches('\n').count());
        let first = twice(fault).then(|| said_before(document, text, &span)).flatten();
        if lines.contains(&line) || first.as_ref().is_some_and(|first| firsts.contains(first)) {
            continue;
        }
        lines.push(line);
        let (problem, remedy) = match &first {
            Some(first) => said_twice(text, &span, first),
            None => named(fault, text, &span),
        };
        let own = Spot { span, ..spot.clone() };
        let noted = problems
            .error(
                "E0003",
                &own,
                format!("不合 TOML 语法: {}", problem.zh),
                format!("not TOML: {}", problem.en),
            )
            .effect(
                "整个文件不会启用，正在运行的方案保持不变",
                "the whole file is not used; a running engine keeps the plan it has",
            )
            .remedy(remedy.zh, remedy.en);
        if let Some(first) = first {
            noted.related(&Spot { span: first.clone(), ..spot.clone() }, "第一次", "first");
            firsts.push(first);
        }
    }
}

fn twice(fault: &Error) -> bool {
    fault.message() == "duplicate key"
}

/// A slip that is known, or the parser's words.
fn named(fault: &Error, text: &str, span: &Range<usize>) -> (Text, Text) {
    let mark = text.get(span.start..).and_then(|rest| rest.chars().next());
    if let Some((mark, plain)) = FULL_WIDTH.into_iter().find(|(wide, _)| Some(*wide) == mark) {
        return (
            Text::new(format!("全角的 {mark}"), format!("{mark}, of a Chinese keyboard")),
            Text::new(format!("改用半角的 {plain}"), format!("write {plain}")),
        );
    }
    let is_it = |slip: &&Slip| slip.words.iter().any(|words| fault.message().starts_with(words));
    match SLIPS.iter().find(is_it) {
        Some(Slip { problem: [zh, en], remedy, .. }) => {
            (Text::new(*zh, format!("{en} ({})", fault.message())), Text::new(remedy[0], remedy[1]))
        }
        None => (
            Text::new(fault.message(), fault.message()),
            Text::new(
                "改正这一处；字符串加引号，每行一个键",
                "correct this place; strings in quotes, one key a line",
            ),
        ),
    }
}

fn said_twice(text: &str, span: &Range<usize>, first: &Range<usize>) -> (Text, Text) {
    let key = text.get(span.clone()).unwrap_or_default();
    let problem = Text::new(format!("{key} 写了两次"), format!("{key} is said twice"));
    let inner = text.get(first.end..).and_then(|rest| rest.strip_prefix('.'));
    let inner = inner.map(|rest| rest.split([']', ' ', '=']).next().unwrap_or_default());
    let is_head = text.get(..span.start).is_some_and(|before| before.ends_with('['));
    let remedy = match inner.filter(|_| is_head) {
        Some(inner) => Text::new(
            format!("[[{key}.{inner}]] 写在它所属的 [[{key}]] 后面：前面漏了 [[{key}]]，或写错了它的名称"),
            format!(
                "[[{key}.{inner}]] stands behind the [[{key}]] it belongs to: that one is missing before it, or misspelt"
            ),
        ),
        None => Text::new(
            "只留一处；可以有几个的表，表头都写成 [[…]]",
            "keep one; a table of which there are several has [[…]] for each head",
        ),
    };
    (problem, remedy)
}

/// Where a key stands that is there again at this place: the last of that name before it.
fn said_before(document: &DeTable<'_>, text: &str, again: &Range<usize>) -> Option<Range<usize>> {
    fn walk(table: &DeTable<'_>, name: &str, before: usize, found: &mut Option<Range<usize>>) {
        for (key, value) in table {
            let span = key.span();
            let is_later = found.as_ref().is_none_or(|found| found.start < span.start);
            if key.get_ref() == name && span.start < before && is_later {
                *found = Some(span);
            }
            inside(value, name, before, found);
        }
    }
    fn inside(value: &Spanned<DeValue<'_>>, name: &str, before: usize, found: &mut Option<Range<usize>>) {
        match value.get_ref() {
            DeValue::Table(table) => walk(table, name, before, found),
            DeValue::Array(values) => values.iter().for_each(|value| inside(value, name, before, found)),
            _ => {}
        }
    }
    let name = text.get(again.clone())?.trim_matches(['"', '\'']);
    let mut found = None;
    walk(document, name, again.start, &mut found);
    found
}
