//! Files that are no TOML: slips that people make are named in both languages, at their place, with what to write.

use hotline::routing::diagnostic::Report;
use hotline::routing::{Draft, Overrides};

fn report(text: &str) -> Report {
    let draft = Draft::read("routing.toml", Ok(text.as_bytes().to_vec()), &Overrides::default());
    draft.judge_at("2026-07-01T09:00:00+08:00".parse().expect("an instant")).report
}

/// Each slip as `line:column`, what is said in Chinese, and in English.
fn found(text: &str) -> Vec<(String, String, String)> {
    let report = report(text);
    let told = report.diagnostics.iter().map(|found| {
        assert_eq!(found.code, "E0003", "{text}");
        assert!(found.remedy.is_some(), "{text}");
        let place = report.place(&found.spot).expect("a place in the file");
        let behind = |text: &str| text.split_once(": ").expect("what is wrong").1.to_owned();
        (format!("{}:{}", place.line, place.column), behind(&found.problem.zh), behind(&found.problem.en))
    });
    told.collect()
}

#[test]
fn slips_that_people_make_are_named() {
    let quotes = ("值没有加引号，或者没有写", "a value without quotes, or none at all");
    let half = ("引号不成对", "a quote without its other half");
    let number = ("这样写的数读不了", "a number that is not written like one");
    let day =
        ("没有这一天或这个时刻，或者写法不对", "a day or a time that is not there, or not written like one");
    let escape = ("\\ 后面的字符没有意义", "a \\ before a letter that means nothing behind it");
    let valueless = ("键后面没有 = 和值", "a key without = and a value");
    let bracket = ("括号没有写完", "a bracket without its other half");
    let key =
        ("这里应当是键，而键里没有这样的字符", "a key is wanted here, and keys have no such characters");
    let equals = ("多了一个 =", "a = too many");
    let more = ("值的后面还有别的", "something behind a value");
    for (text, place, (zh, en)) in [
        ("name = 濮阳市", "1:8", quotes),
        ("ring = 20s", "1:8", quotes),
        ("watch =", "1:8", quotes),
        ("from = 2026/10/01", "1:8", quotes),
        ("watch = True", "1:9", ("开关写法不对", "a switch that is neither true nor false")),
        ("name = \"濮阳市", "1:12", half),
        ("name = '濮阳市\"", "1:13", half),
        ("name = \"\"\"濮阳市", "1:14", half),
        ("path = \"D:\\data\"", "1:12", escape),
        ("area_code = 0393", "1:13", number),
        ("ip = 192.0.2.10", "1:11", number),
        ("from = 2027-02-30", "1:8", day),
        ("from = 2026-1-1", "1:8", day),
        ("keys = [\"1\" \"2\"]", "1:13", ("两项之间缺逗号", "no comma between two entries")),
        ("keys = [1,, 2]", "1:11", ("多了一个逗号", "a comma too many")),
        ("ring == \"20s\"", "1:7", equals),
        ("ring", "1:5", valueless),
        ("[city", "1:6", bracket),
        ("[[queue]\nname = \"main\"", "1:9", bracket),
        ("keys = [1, 2", "1:13", bracket),
        ("at = { line = \"12345\"", "1:22", bracket),
        ("名称 = \"x\"", "1:1", key),
        ("ring: \"20s\"", "1:5", key),
        ("a = \"x\" b = \"y\"", "1:9", more),
        ("[city]]", "1:7", more),
        ("name = “濮阳市”", "1:8", ("全角的 “", "“, of a Chinese keyboard")),
        ("name ＝ \"濮阳市\"", "1:6", ("全角的 ＝", "＝, of a Chinese keyboard")),
        ("keys = [\"1\"，\"2\"]", "1:12", ("全角的 ，", "，, of a Chinese keyboard")),
        ("［city］", "1:1", ("全角的 ［", "［, of a Chinese keyboard")),
    ] {
        let (at, said_zh, said_en) = found(text).remove(0);
        // Behind the English words stand the parser's, which can be looked up.
        let said_en = said_en.split(" (").next().expect("words");
        assert_eq!((at.as_str(), said_zh.as_str(), said_en), (place, zh, en), "{text}");
    }
}

#[test]
fn what_nobody_foresaw_is_told_in_the_parsers_words() {
    let (place, zh, en) = found("a = 1\na.b = 2").remove(0);
    assert_eq!((place.as_str(), zh == en), ("2:1", true), "{zh}");
}

#[test]
fn of_a_line_the_first_slip_is_told_and_of_each_line_one() {
    let places = found("a = { x = 1 y = 2 }\nb == 1\nc = “1”，“2”").into_iter().map(|(place, ..)| place);
    let lines: Vec<String> =
        places.map(|place| place.split(':').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(lines, ["1", "2", "3"]);
}

#[test]
fn a_key_that_is_there_twice_is_told_with_the_first() {
    let report = report("[city]\nname = \"a\"\nname = \"b\"\n");
    let (spot, _) = report.diagnostics[0].related.as_ref().expect("the first");
    assert_eq!(report.place(spot).map(|place| (place.line, place.column)), Some((2, 1)));
    assert_eq!(found("[city]\nname = \"a\"\nname = \"b\"\n")[0].1, "name 写了两次");
}

#[test]
fn a_head_that_is_missing_is_told_once_however_many_follow() {
    let text = "[[flwo]]\nname = \"a\"\n[[flow.step]]\nhang_up = true\n[[flow]]\nname = \"b\"\n[[flow]]\nname = \"c\"\n";
    let report = report(text);
    assert_eq!(report.diagnostics.len(), 1, "{}", report.render(false));
    let found = &report.diagnostics[0];
    let remedy = found.remedy.as_ref().expect("a remedy");
    assert!(remedy.zh.contains("[[flow.step]] 写在它所属的 [[flow]] 后面"), "{}", remedy.zh);
    assert!(remedy.en.contains("[[flow.step]] stands behind the [[flow]]"), "{}", remedy.en);
    let (first, _) = found.related.as_ref().expect("where it is first");
    assert_eq!(report.place(first).map(|place| place.line), Some(3));
}
