//! `hotline explain` as it is typed: what would happen, and which lines of the file decide.

use std::process::{Command, Output};

use hotline::routing::Dialled;
use hotline::routing::origins::Origins;
use serde_json::Value;

use super::city::{at, edited, without_tests};

const INSIDE: &str = "2021-09-01T09:00:00+08:00";

fn explain(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hotline"))
        .args(["explain", "--from", "13800000000"])
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the command runs")
}

fn said(words: &[&str]) -> String {
    let output = explain(words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(words: &[&str]) -> Value {
    let words = [words, &["--json"]].concat();
    serde_json::from_str(&said(&words)).expect("JSON")
}

/// The English steps.
fn steps(value: &Value) -> Vec<&str> {
    let steps = value["steps"].as_array().expect("steps");
    steps.iter().map(|step| step["en"].as_str().expect("words")).collect()
}

/// `routing.toml:line` of the first line that says `text`, from the line that says `after` on.
fn place(after: &str, text: &str) -> String {
    let file = include_str!("../../routing.toml");
    let mut lines = file.lines().enumerate().skip_while(|(_, line)| *line != after);
    let (number, _) = lines.find(|(_, line)| *line == text).unwrap_or_else(|| panic!("{text} after {after}"));
    format!("routing.toml:{}  {text}", number + 1)
}

fn places(value: &Value) -> Vec<String> {
    let decided = value["decided_by"].as_array().expect("places");
    let text = |place: &Value, key: &str| place[key].as_str().expect("text").to_owned();
    decided
        .iter()
        .map(|place| format!("{}:{}  {}", text(place, "file"), place["line"], text(place, "text")))
        .collect()
}

fn carrier() -> Vec<String> {
    let asked =
        "dialled_from = [\"request_uri\", \"history_info\", \"diversion\", \"p_called_party_id\", \"to\"]";
    let name = "name = \"carrier\"";
    vec![place(name, name), place(name, asked)]
}

fn number_and_mode(number: &str, mode: &str) -> Vec<String> {
    let number = format!("number = \"{number}\"");
    vec![place(&number, &number), place(&number, &format!("mode = \"{mode}\""))]
}

/// The number's queue, and the queue with what its callers hear before and after they wait.
fn queue(number: &str) -> Vec<String> {
    let mut decided = vec![place(&format!("number = \"{number}\""), "queue = \"main\"")];
    decided.extend(of_queue(&[
        "name = \"main\"",
        "greeting = \"greeting\"",
        "overflow_prompt = \"no_seat\"",
        "strategy = \"longest_idle\"",
    ]));
    decided.extend([place("[survey]", "enabled = true"), place("[recording]", "enabled = true")]);
    decided
}

fn of_queue(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| place("[[queue]]", key)).collect()
}

/// How the caller stands and waits, where neither lane nor policy nor skill is in it, and whom the clerk may ask.
fn standing_places(experts: &[String]) -> Vec<String> {
    let mut decided = of_queue(&["priority = 0", "ageing = \"2s\""]);
    decided.extend(["urgent_key = \"9\"", "urgent_priority = 1000"].map(|key| place("[callers]", key)));
    decided.extend(of_queue(&[
        "wait_max = \"5min\"",
        "no_seat_wait = \"20s\"",
        "length_max = 100",
        "surge = { from = 30, until = 10, greeting = \"surge_greeting\", roles = [\"supervisor\"] }",
        "shed = [{ waiting = 90, below = 1 }]",
    ]));
    decided.extend_from_slice(experts);
    let keys = "keys = { \"1\" = \"12366\", \"2\" = \"12313\", \"3\" = \"12367\", \"4\" = \"12348\", \"5\" = \"12333\", \"6\" = \"12329\", \"7\" = \"110\", \"8\" = \"119\", \"9\" = \"120\" }";
    decided.push(place("[three_way]", keys));
    decided
}

#[test]
fn a_merged_number_is_explained_at_both_edges_of_its_months() {
    let prompt = "plays transition: ";
    let within = ["start = 2021-08-01", "months = 3", "prompt = \"transition\"", "early_media = false"];
    let over = ["start = 2021-08-01", "months = 3", "afterwards = \"connect\""];
    let inside = "inside the transition (2021-08-01 until 2021-11-01 00:00)";
    for (at, phase, prompted, keys) in [
        (
            "2021-07-31T23:59:59+08:00",
            "before the transition, which begins on 2021-08-01",
            false,
            &within[..1],
        ),
        ("2021-08-01T00:00:00+08:00", inside, true, &within),
        ("2021-10-31T23:59:59+08:00", inside, true, &within),
        ("2021-11-01T00:00:00+08:00", "the transition ended on 2021-11-01 00:00", false, &over),
    ] {
        let value = json(&["--to", "12336", "--at", at]);
        let steps = steps(&value);
        assert!(steps[0].starts_with(phase), "{at}: {steps:?}");
        assert_eq!(steps.iter().any(|step| step.starts_with(prompt)), prompted, "{at}: {steps:?}");
        assert!(steps.iter().any(|step| step.starts_with("waits in the queue main")), "{at}: {steps:?}");
        assert_eq!(value["at"].as_str(), Some(at));
        let mut decided = carrier();
        decided.extend(number_and_mode("12336", "merged"));
        let [asked, ..] = &queue("12336")[..] else { unreachable!("its queue is there") };
        decided.push(asked.clone());
        decided.extend(keys.iter().map(|key| place("[transition]", key)));
        decided.extend_from_slice(&queue("12336")[1..]);
        // Who could be asked at that hour is for another test.
        assert_eq!(places(&value)[..decided.len()], decided, "{at}");
    }
}

#[test]
fn the_words_say_the_same_in_chinese_and_english_with_file_and_line() {
    let said = said(&["--to", "tel:+86-393-12336", "--at", INSIDE]);
    let expected = [
        "13800000000 → carrier @ 2021-09-01T09:00:00+08:00",
        "12336 全国统一自然资源违法举报电话 · 市自然资源和规划局 · 整体并入 / merged",
        "取自 / found in Request-URI: tel:+86-393-12336",
        "在过渡期内（2021-08-01 起，2021-11-01 零时止）",
        "inside the transition (2021-08-01 until 2021-11-01 00:00)",
        "播放 transition: 您拨打的热线已并入12345政务服务便民热线",
        "自接通起录音",
        "依据 / decided by",
        &place("number = \"12336\"", "number = \"12336\""),
        &place("[transition]", "start = 2021-08-01"),
    ];
    for words in expected {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
}

#[test]
fn a_dual_number_is_explained_as_12345_with_its_line_kept() {
    let value = json(&["--to", "12348", "--at", INSIDE]);
    let primary = json(&["--to", "12345", "--at", INSIDE]);
    assert_eq!(steps(&value), steps(&primary));
    assert_eq!(value["line"]["number"], "12348");
    assert_eq!(value["line"]["mode"]["zh"], "双号并行");
    let mut decided = carrier();
    decided.extend(number_and_mode("12348", "dual"));
    decided.extend(queue("12348"));
    // Whether its experts are there.
    let group = ["number = \"12348\"", "seats = [\"1006\"]"].map(|key| place("[[expert_group]]", key));
    decided.extend(standing_places(&group));
    decided.push(place("[[expert_group]]", "hours = \"office\""));
    let weekly = "weekly = [{ days = \"mon-fri\", from = \"08:30\", to = \"12:00\" }, { days = \"mon-fri\", from = \"14:30\", to = \"18:00\" }]";
    decided.push(place("[[calendar]]", weekly));
    assert_eq!(places(&value), decided);
}

/// The English words on how the caller stands.
fn standing(value: &Value) -> Vec<&str> {
    let standing = value["standing"].as_array().expect("words");
    standing.iter().map(|words| words["en"].as_str().expect("words")).collect()
}

#[test]
fn experts_and_third_parties_are_explained_with_their_hours() {
    for (at, experts, law) in [
        ("2026-07-03T09:00:00+08:00", "its experts (1006) are there at this hour", "*4 12348,"),
        (
            "2026-07-03T12:00:00+08:00",
            "its experts (1006) are not there at this hour",
            "*4 12348 (not there at this hour),",
        ),
        (
            "2026-07-04T09:00:00+08:00",
            "its experts (1006) are not there at this hour",
            "*4 12348 (not there at this hour),",
        ),
    ] {
        let value = json(&["--to", "12348", "--at", at]);
        let words = standing(&value);
        assert!(words.iter().any(|words| words.starts_with(experts)), "{at}: {words:?}");
        let asked = words.iter().find(|words| words.starts_with("the clerk may ask: ")).expect("whom to ask");
        assert!(asked.contains(law) && asked.ends_with("*7 110, *8 119, *9 120"), "{at}: {asked}");
    }
    let said = said(&["--to", "12348", "--at", "2026-07-03T12:00:00+08:00"]);
    assert!(said.contains("公共法律服务专家组（1006）此时无人"), "{said}");
    // Which day of the calendar decides, by which notice, until when, and the lines of the file.
    for (at, zh, en, line) in [
        (
            "2026-10-01T10:00:00+08:00",
            "此时无人（日历 office: 国庆节放假，国办发明电〔2025〕7号，2026-10-08 08:30 起有人）",
            "not there at this hour (calendar office: a holiday, 国庆节, 国办发明电〔2025〕7号, there from 2026-10-08 08:30)",
            "name = \"office\"",
        ),
        (
            "2026-10-10T10:00:00+08:00",
            "此时有人（日历 office: 国庆节调休上班（按周一），国办发明电〔2025〕7号，到 2026-10-10 12:00）",
            "there at this hour (calendar office: a workday made up for 国庆节, as Mon, 国办发明电〔2025〕7号, until 2026-10-10 12:00)",
            "name = \"office\"",
        ),
        (
            "2026-07-03T09:00:00+08:00",
            "此时有人（日历 office: 平常的周五，到 2026-07-03 12:00）",
            "there at this hour (calendar office: an ordinary Fri, until 2026-07-03 12:00)",
            "weekly = [{ days = \"mon-fri\"",
        ),
    ] {
        let value = json(&["--to", "12348", "--at", at]);
        let words = standing(&value);
        assert!(words.contains(&format!("its experts (1006) are {en}").as_str()), "{at}: {words:?}");
        let told = crate::explain::said(&["--to", "12348", "--at", at]);
        assert!(told.contains(&format!("公共法律服务专家组（1006）{zh}")), "{at}: {told}");
        let decided = value["decided_by"].as_array().expect("places");
        let texts: Vec<&str> = decided.iter().map(|place| place["text"].as_str().expect("text")).collect();
        assert!(texts.contains(&"hours = \"office\""), "{at}: {texts:?}");
        assert!(texts.iter().any(|text| text.starts_with(line)), "{at}: {texts:?}");
    }
    assert!(standing(&json(&["--to", "110", "--at", INSIDE])).is_empty(), "nobody waits there");
}

#[test]
fn a_month_of_a_calendar_is_listed_day_by_day() {
    let month = |words: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["explain", "--config"])
            .arg(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml"))
            .args(words)
            .env("TZDIR", "/nowhere") // The zones are built in.
            .output()
            .expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let (code, said) = month(&["--calendar", "office", "--month", "2026-10"]);
    assert_eq!(code, Some(0), "{said}");
    let row = |day: &str| {
        let row = said.lines().find(|line| line.starts_with(day)).unwrap_or_else(|| panic!("{day}: {said}"));
        row.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(said.lines().filter(|line| line.starts_with("2026-10-")).count(), 31);
    assert_eq!(
        row("2026-10-01"),
        "2026-10-01 周四 Thu – 国庆节放假，国办发明电〔2025〕7号 / a holiday, 国庆节, 国办发明电〔2025〕7号"
    );
    assert_eq!(row("2026-10-08"), "2026-10-08 周四 Thu 08:30–12:00, 14:30–18:00");
    assert!(
        row("2026-10-10")
            .starts_with("2026-10-10 周六 Sat 08:30–12:00, 14:30–18:00 国庆节调休上班（按周一）")
    );
    assert_eq!(row("2026-10-11"), "2026-10-11 周日 Sun –");
    assert!(said.contains("2021, 2025, 2026"), "{said}");
    let (code, listed) = month(&["--calendar", "office", "--at", "2026-02-10T00:00:00+08:00", "--json"]);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!((code, listed["days"].as_array().expect("days").len()), (Some(0), 28));
    assert_eq!(listed["days"][13]["hours"], serde_json::json!(["08:30–12:00", "14:30–18:00"]), "14 February");
    assert_eq!(month(&["--calendar", "offices"]).0, Some(1));
    assert_eq!(month(&["--calendar", "office", "--month", "2026-13"]).0, Some(2));
}

#[test]
fn a_lane_and_the_priority_are_explained() {
    let value = json(&["--to", "12385", "--at", INSIDE]);
    let words = standing(&value);
    assert_eq!(words[0], "by the lane 无障碍: +100 points");
    let priority = "priority 100, and one more in each 2000 ms of waiting; 1000 by the key 9, which says that it is urgent";
    assert_eq!(words[1], priority);
    let value = json(&["--to", "12345", "--at", INSIDE]);
    assert!(standing(&value)[0].starts_with("priority 0,"), "{:?}", standing(&value));
}

/// One policy, until it ends: who it is about, what it does, why, and who said so.
#[test]
fn a_policy_is_explained_while_it_holds_and_after() {
    let policy = "[[caller_policy]]\ncaller = \"13900000000\"\nact = \"to\"\nskills = [\"law\"]\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31\n\n[missed]";
    let plan = edited(&[("[missed]", policy)]);
    let origins = Origins::default();
    let words = |from: &str, instant: &str| -> Vec<String> {
        let dialled = Dialled::request_uri("12345");
        let said = plan.explain(&origins, &plan.trunks["carrier"], &dialled, from, at(instant));
        said.standing.into_iter().map(|words| words.en).collect()
    };
    let held = words("13900000000", "2026-12-31T23:59:59+08:00");
    let expected = "a policy about this caller: to clerks who know law (重复来电; approved by 值班主任, until 2027-01-01T00:00:00+08:00)";
    assert_eq!(held[0], expected);
    let wanted = "wants a clerk who knows law; 3 levels less after 30 s; 9 levels less after 60 s";
    assert!(held.iter().any(|words| words == wanted), "{held:?}");
    for from in ["+8613900000000", "013900000000", "008613900000000"] {
        assert_eq!(words(from, "2026-12-31T23:59:59+08:00"), held, "{from}: however a carrier writes it");
    }
    let over = words("13900000000", "2027-01-01T00:00:00+08:00");
    assert_eq!(over[0], "the policy about this caller ended at 2027-01-01T00:00:00+08:00");
    assert!(!over.iter().any(|words| words.starts_with("wants a clerk")), "{over:?}");
    assert!(words("13900000001", "2026-12-31T23:59:59+08:00")[0].starts_with("priority 0,"));
}

#[test]
fn a_sub_center_is_explained_with_its_drill_trunk_and_what_follows_if_nobody_answers() {
    let value = json(&["--to", "12366", "--at", INSIDE]);
    let steps = steps(&value);
    let dial = "calls 12366 by the trunk sub-12366 (drill, leads to nobody), with a ticket if nobody answers";
    assert_eq!(steps[..2], ["rings (180)", dial]);
    let at = |words: &str| steps.iter().position(|step| step.starts_with(words)).expect("a step");
    assert!(at("plays sub_center_unanswered") < at("plays greeting"), "{steps:?}");
    assert!(at("plays greeting") < at("waits in the queue main"), "{steps:?}");
    let mut decided = carrier();
    decided.extend(number_and_mode("12366", "sub_center"));
    decided.push(place("number = \"12366\"", "trunk = \"sub-12366\""));
    let [asked, heard @ ..] = &queue("12366")[..] else { unreachable!("its queue is there") };
    decided.extend([asked.clone(), place("name = \"sub-12366\"", "drill = true")]);
    decided.extend_from_slice(heard);
    decided.extend(standing_places(&[]));
    assert_eq!(places(&value), decided);
}

#[test]
fn a_seat_is_told_what_becomes_of_whatever_it_dials() {
    let of_seat = |seat: &str, number: &str| -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["explain", "--seat", seat, "--to", number, "--at", INSIDE, "--json"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("the command runs");
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    for (seat, number, words, decided) in [
        ("1001", "1002", "rings the seat 1002", place("id = \"1002\"", "id = \"1002\"")),
        (
            "1001",
            "120",
            "calls 120 by the trunk emergency",
            place("number = \"120\"", "trunk = \"emergency\""),
        ),
        ("1001", "12366", "calls 12366 by", place("number = \"12366\"", "mode = \"sub_center\"")),
        ("1001", "12348", "rings whoever of the experts", place("[[expert_group]]", "seats = [\"1006\"]")),
        ("1001", "12345", "12345 is a line of our own", place("number = \"12345\"", "mode = \"primary\"")),
        ("1001", "*30", "the seat is ready", place("[work]", "prefix = \"*3\"")),
        ("1900", "*91002", "answers once", place("[work]", "watch_prefix = \"*9\"")),
        ("1001", "94000001", "answers once", place("[[meeting]]", "prefix = \"94\"")),
    ] {
        let value = of_seat(seat, number);
        assert!(steps(&value)[0].starts_with(words), "{number}: {:?}", steps(&value));
        assert!(places(&value).contains(&decided), "{number}: {:?}", places(&value));
        assert_eq!((&value["trunk"], &value["from"]), (&Value::from("seats"), &Value::from(seat)));
    }
}

#[test]
fn a_calendar_is_drawn_on_no_page_and_a_file_that_is_not_written_is_not_passed_over() {
    let page = std::env::temp_dir().join(format!("hotline-month-{}.html", std::process::id()));
    let page = page.to_str().expect("a path");
    for more in [["--html", page], ["--trunk", "carrier"], ["--diversion", "12336"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["explain", "--calendar", "office"])
            .args(more)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("the command runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("cannot be used with") && said.contains(more[0]), "{said}");
        assert!(output.stdout.is_empty(), "{more:?}");
    }
    assert!(!std::path::Path::new(page).exists());
}

#[test]
fn a_number_that_is_nobodys_is_explained_as_refused() {
    for number in ["1234", "123456", "037112345", "0086119"] {
        let value = json(&["--to", number, "--at", INSIDE]);
        assert_eq!(value["line"], Value::Null, "{number}");
        assert_eq!(steps(&value), ["not a number of this hotline: refused with 404"], "{number}");
        assert_eq!(places(&value), carrier(), "{number}");
    }
}

#[test]
fn an_emergency_number_is_explained_as_reached_outward_only() {
    for number in ["110", "119", "120", "122"] {
        let value = json(&["--to", number, "--history-info", "12336", "--at", INSIDE]);
        assert_eq!(value["line"], Value::Null, "{number}");
        let words = format!("{number} is an emergency number, reached outward only: refused with 404");
        assert_eq!(steps(&value), [words], "{number}");
        let said = format!("number = \"{number}\"");
        let mut decided = carrier();
        decided.extend([place(&said, &said), place(&said, "trunk = \"emergency\"")]);
        assert_eq!(places(&value), decided, "{number}");
    }
}

#[test]
fn a_forwarded_call_is_explained_from_the_place_that_decides() {
    for (words, number, found_in) in [
        (&["--to", "12345"][..], "12345", "Request-URI"),
        (&["--to", "12345", "--history-info", "12336", "--diversion", "12349"], "12336", "History-Info"),
        (&["--to", "12345", "--diversion", "12345", "--diversion", "12349"], "12349", "Diversion"),
        (&["--to", "12345", "--p-called-party-id", "tel:12312"], "12312", "P-Called-Party-ID"),
        (&["--to", "12345", "--to-header", "sip:4420000@x"], "4420000", "To"),
    ] {
        let value = json(&[words, &["--at", INSIDE]].concat());
        assert_eq!(value["line"]["number"], number, "{words:?}");
        assert_eq!(value["line"]["found_in"], found_in, "{words:?}");
    }
}

#[test]
fn what_cannot_be_explained_says_why_and_exits_otherwise() {
    let output = explain(&["--to", "12345", "--trunk", "nobody"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("没有这条来电中继") && said.contains("carrier"), "{said}");
    let output = explain(&["--to", "12345", "--config", "Cargo.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0101"));
    assert_eq!(explain(&["--to", "12345", "--config", "nowhere.toml"]).status.code(), Some(2));
}

/// The shipped file with 12366 behind two carriers that want their numbers otherwise.
fn two_carriers() -> std::path::PathBuf {
    let home = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let prompts = format!("prompts = {:?}", home.join("prompts/prompts.toml"));
    let carriers = "
[[trunk]]
name = \"east\"
target = \"sip:east.example\"
[[trunk.rewrite.called]]
when = \"123*\"
add = \"0393\"
examples = [{ from = \"12366\", to = \"039312366\" }]
[[trunk.rewrite.caller]]
when = \"1*\"
length = 11
add = \"+86\"
examples = [{ from = \"13800000000\", to = \"+8613800000000\" }]

[[trunk]]
name = \"west\"
target = \"192.0.2.7\"

[[trunk_group]]
name = \"carriers\"
trunks = [{ trunk = \"west\", priority = 2 }, { trunk = \"east\", weight = 5 }]

[[queue]]
";
    let text = without_tests(include_str!("../../routing.toml"))
        .replace("prompts = \"prompts/prompts.toml\"", &prompts)
        .replacen("\n[[queue]]\n", carriers, 1)
        .replace("trunk = \"sub-12366\"", "trunk = \"carriers\"");
    let path = std::env::temp_dir().join(format!("hotline-two-carriers-{}.toml", std::process::id()));
    std::fs::write(&path, text).expect("a file of its own");
    path
}

#[test]
fn a_number_behind_a_group_is_explained_with_each_way_and_its_numbers() {
    let path = two_carriers();
    let value = json(&["--to", "12366", "--at", INSIDE, "--config", path.to_str().expect("a path")]);
    std::fs::remove_file(&path).expect("it is there");
    let decided = places(&value);
    let decided = decided.iter().map(|place| place.split("  ").nth(1).expect("the line's text"));
    let decided: Vec<&str> = decided.skip(2).take(9).collect(); // From the number to its queue.
    assert_eq!(
        decided,
        [
            "number = \"12366\"",
            "mode = \"sub_center\"",
            "trunk = \"carriers\"",
            "queue = \"main\"",
            "name = \"carriers\"",
            "trunks = [{ trunk = \"west\", priority = 2 }, { trunk = \"east\", weight = 5 }]",
            "when = \"123*\"",
            "when = \"1*\"",
            "name = \"main\"",
        ]
    );
    let dialled = |language: &str| {
        let steps = value["steps"].as_array().expect("steps");
        let words = steps.iter().map(|step| step[language].as_str().expect("words").to_owned());
        words.into_iter().find(|words| words.contains("carriers")).expect("the way there")
    };
    assert_eq!(
        dialled("en"),
        "by the group carriers, in turn: calls 039312366 by the trunk east as +8613800000000 (priority 1, weight 5); \
         calls 12366 by the trunk west (priority 2, weight 1), with a ticket if nobody answers"
    );
    assert_eq!(
        dialled("zh"),
        "按中继组 carriers 依次: 经中继 east 呼叫 039312366，主叫 +8613800000000（优先级 1，权重 5）；\
         经中继 west 呼叫 12366（优先级 2，权重 1），无人接听则登记工单"
    );
}
