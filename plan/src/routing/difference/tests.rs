use std::collections::BTreeMap;

use super::*;
use crate::routing::{Draft, Outcome, Overrides};

/// A bench plan: no prompts are needed, and few tables.
const OLD: &str = r#"
schema = 1
purpose = "bench"
prompts = "prompts.toml"
[city]
name = "濮阳市"
area_code = "0393"
country_code = "86"
time_zone = "Asia/Shanghai"
[network]
listen = ["127.0.0.1:5060"]
rtp_ports = "20000-29999"
domain = "hotline.test"
[limits]
calls_max = 100
[[trunk]]
name = "carrier"
sources = ["127.0.0.0/8"]
[[trunk]]
name = "far"
target = "127.0.0.1:5090"
[[number]]
number = "10001"
name = "静音"
mode = "bench"
does = "silent"
[[number]]
number = "10002"
name = "转接"
mode = "bench"
does = "dial"
trunk = "far"
[[caller_policy]]
caller = "13900000000"
act = "behind"
by = 10
reason = "重复来电"
approver = "值班主任"
until = 2099-12-31
[[caller_policy]]
caller = "13911111100"
act = "confidential"
reason = "保护"
approver = "值班主任"
until = 2099-12-31
[[ticket_sink]]
name = "store"
kind = "sqlite"
"#;

fn load(text: &str) -> Outcome {
    let mut draft = Draft::read("routing.toml", Ok(text.as_bytes().to_vec()), &Overrides::default());
    while let Some(name) = draft.wants().first() {
        draft.give(name, Ok(b"schema = 1\n".to_vec()));
    }
    draft.judge()
}

fn plan(edits: &[(&str, &str)]) -> Plan {
    let mut text = OLD.to_owned();
    for (from, to) in edits {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replacen(from, to, 1);
    }
    let outcome = load(&text);
    outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)))
}

fn lines(edits: &[(&str, &str)]) -> Vec<String> {
    let difference = Difference::between(&plan(&[]), &plan(edits));
    assert_eq!(difference.more, 0);
    difference.changes.into_iter().map(|change| format!("{} / {}", change.text.zh, change.text.en)).collect()
}

#[test]
fn the_same_files_do_not_differ_and_a_comment_is_no_change_of_the_plan() {
    assert!(Difference::between(&plan(&[]), &plan(&[])).is_empty());
    let said = lines(&[("[limits]", "# 备注\n[limits]")]);
    assert_eq!(
        said,
        [
            "文件有改动（如注释、测试），对来电的处理不变 / the files differ (comments, tests), and what the plan does is the same"
        ]
    );
}

#[test]
fn each_change_is_one_line_with_what_was_and_what_is() {
    let rows: [(&[(&str, &str)], &str); 10] = [
        (
            &[("calls_max = 100", "calls_max = 80")],
            "限额: 同时通话数 100 → 80 / limits: calls at once 100 → 80",
        ),
        (
            &[("target = \"127.0.0.1:5090\"", "target = \"127.0.0.1:5091\"\npriority = 2")],
            "中继 far: 送往 127.0.0.1:5090 → 127.0.0.1:5091 / trunk far: target 127.0.0.1:5090 → 127.0.0.1:5091\n\
             中继 far: 优先级 1 → 2 / trunk far: priority 1 → 2",
        ),
        (
            &[("number = \"10001\"", "number = \"10009\"")],
            "删去号码 10001（通话中的不受影响，再来电 404 拒绝） / gone: number 10001 (calls under way go on, new ones get 404)\n\
             新增号码 10009（名称 静音，方式 压测，责任单位 ） / new: number 10009 (name 静音, mode bench, owner )",
        ),
        (
            &[("does = \"dial\"", "does = \"dial\"\nrecord = true")],
            "号码 10002: 录音 否 → 是 / number 10002: recorded no → yes",
        ),
        (
            &[("sources = [\"127.0.0.0/8\"]", "sources = [\"127.0.0.0/8\"]\ntrust_identity = true")],
            "中继 carrier: 其他设置有改动 / trunk carrier: another setting has changed",
        ),
        (
            &[("by = 10", "by = 20")],
            "来电人规则 139******00: 做法 排后 10 分 → 排后 20 分 / caller policy 139******00: act 10 points behind → 20 points behind",
        ),
        (
            &[(
                "[limits]",
                "[kpi]\nversion = \"2026-1\"\nanswer_within = \"20s\"\nclock = \"arrival\"\n\
                 [kpi.exclude]\nanswer = [\"line/10001\"]\n[[kpi.line]]\nnumber = \"10002\"\n\
                 answer_rate = 90\n[limits]",
            )],
            "考核口径: 名称 GB/T 33358-2016 → 2026-1 / key figures: called GB/T 33358-2016 → 2026-1\n\
             考核口径: 接通时限 15s → 20s / key figures: answered within 15s → 20s\n\
             考核口径: 计时自 queue → arrival / key figures: clock queue → arrival\n\
             考核口径: 接通率不计入 short_abandon → line/10001 / key figures: left out of answer rates short_abandon → line/10001\n\
             新增号码的考核口径 10002（名称 2026-1，接通时限 20s，应达接通率 90%） / new: key figures of 10002 (called 2026-1, answered within 20s, answer rate 90%)",
        ),
        (
            &[(
                "[limits]",
                "[disposition]\ntypes = { report = \"举报\" }\n[[disposition.immediate]]\ncode = \"report\"\n\
                 within = \"5min\"\n[limits]",
            )],
            "诉求分类: 类型 - → report 举报 / disposition: types - → report 举报\n\
             诉求分类: 立即交办 - → report → - (5min) / disposition: handed on at once - → report → - (5min)",
        ),
        (
            &[("[limits]", "[reload]\nwatch = false\n[limits]")],
            "重载: 自动重载 是 → 否 / reload: by itself yes → no",
        ),
        (
            &[(
                "[limits]",
                "[recording]\nkeep = \"1095d\"\n[[recording_class]]\nname = \"长\"\nkeep = \"3650d\"\nlines = [\"10001\"]\n[limits]",
            )],
            "录音: 保存期 - → 1095d / recording: kept for - → 1095d\n\
             新增录音类别 长（保存期 3650d，号码 10001，代码 -） / new: recording class 长 (kept for 3650d, lines 10001, codes -)",
        ),
    ];
    for (edits, expected) in rows {
        assert_eq!(lines(edits).join("\n"), expected);
    }
}

#[test]
fn another_platform_is_told_of_with_its_code_and_each_bound_that_changes() {
    let county = "time_zone = \"Asia/Shanghai\"\norg = \"410900\"";
    let table = |hops: u8| {
        format!(
            "[[peer]]\nnumber = \"7101\"\nname = \"濮阳县\"\norg = \"410928\"\nparent = \"410900\"\ntrunk = \"near\"\n\
             hops_max = {hops}\n[[trunk]]\nname = \"near\"\ntarget = \"127.0.0.1:5080\"\n[limits]"
        )
    };
    let (few, many) = (table(2), table(3));
    let with = |table| [("time_zone = \"Asia/Shanghai\"", county), ("[limits]", table)];
    let said = lines(&with(&few)).join("\n");
    assert!(said.contains("城市: 机构编码 - → 410900 / city: code - → 410900"), "{said}");
    assert!(
        said.contains("新增平台 7101（名称 濮阳县，机构编码 410928，上级 410900）")
            && said.contains("new: platform 7101"),
        "{said}"
    );
    let changed = Difference::between(&plan(&with(&few)), &plan(&with(&many)));
    let words: Vec<&str> = changed.changes.iter().map(|change| change.text.en.as_str()).collect();
    assert_eq!(words, ["platform 7101: hand-overs at most 2 → 3"]);
}

#[test]
fn a_setting_without_words_is_told_beside_those_that_have_them() {
    let said = lines(&[(
        "target = \"127.0.0.1:5090\"",
        "target = \"127.0.0.1:5090\"\npriority = 2\ndomain = \"far.example\"",
    )]);
    let expected = [
        "中继 far: 优先级 1 → 2 / trunk far: priority 1 → 2",
        "中继 far: 其他设置有改动 / trunk far: another setting has changed",
    ];
    assert_eq!(said, expected);
    // What was told in part is told whole.
    for (edit, expected) in [
        ("\"sip:127.0.0.1:5090;transport=tcp\"", "送往 127.0.0.1:5090 → 127.0.0.1:5090;transport=tcp"),
        ("\"127.0.0.1:5090\"\nprobe = { every = \"20s\" }", "探问 - → 20s (3/2)"),
    ] {
        let said = lines(&[("\"127.0.0.1:5090\"", edit)]);
        assert_eq!((said.len(), said[0].contains(expected)), (1, true), "{said:?}");
    }
}

#[test]
fn what_is_beside_the_files_is_told_first_and_counts() {
    let mut difference = Difference::default();
    (0..=CHANGES_MAX).for_each(|n| difference.note(Text::new(format!("{n}"), format!("{n}"))));
    assert_eq!((difference.changes.len(), difference.more), (CHANGES_MAX, 1));
    assert_eq!(difference.changes[0].text.en, CHANGES_MAX.to_string());
}

#[test]
fn what_wants_a_restart_is_judged_by_what_the_engine_was_started_with() {
    let (started, fewer, more) = (
        plan(&[]),
        plan(&[("calls_max = 100", "calls_max = 80")]),
        plan(&[("calls_max = 100", "calls_max = 101")]),
    );
    let wants = |old: &Plan, new: &Plan| Difference::under(old, new, &started).changes[0].wants_restart;
    assert!(!wants(&fewer, &started), "back to what it was started with");
    assert!(wants(&fewer, &more) && wants(&started, &more));
    assert!(Difference::between(&fewer, &started).changes[0].wants_restart, "two files, and no engine");
}

#[test]
fn two_callers_who_look_alike_when_masked_are_two() {
    let said = lines(&[("by = 10", "by = 11"), ("act = \"confidential\"", "act = \"behind\"\nby = 5")]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|line| line.starts_with("来电人规则 139******00: 做法 ")), "{said:?}");
}

#[test]
fn what_a_running_engine_cannot_take_over_is_named_at_its_place() {
    let old = plan(&[]);
    let edits = [
        ("listen = [\"127.0.0.1:5060\"]", "listen = [\"127.0.0.1:5062\"]"),
        ("rtp_ports = \"20000-29999\"", "rtp_ports = \"20000-28999\""),
        ("time_zone = \"Asia/Shanghai\"", "time_zone = \"Asia/Urumqi\""),
        ("calls_max = 100", "calls_max = 101"),
        ("name = \"store\"", "name = \"office\""),
    ];
    let mut text = OLD.to_owned();
    for (from, to) in edits {
        text = text.replacen(from, to, 1);
    }
    text += "[admin]\nhttp = \"127.0.0.1:8346\"\n\n";
    text += "[[feed]]\nname = \"far\"\nkind = \"jsonl\"\npath = \"far.jsonl\"\nlines = [\"10001\"]\n";
    let outcome = load(&text);
    let new = outcome.plan.expect("a plan");
    let changed = wants_restart(&old, &new);
    assert_eq!(changed, Fixed::ALL);
    let mut report = outcome.report;
    report.refuse_fixed(&changed, &outcome.fixtures);
    assert_eq!(report.exit_code(), 1);
    let places: BTreeMap<String, String> = report
        .diagnostics
        .iter()
        .filter(|found| found.code == "E1210")
        .filter_map(|found| Some((found.spot.key.clone(), report.place(&found.spot)?.text)))
        .collect();
    let expected = [
        ("feed[0]", "[[feed]]"),
        ("admin.http", "http = \"127.0.0.1:8346\""),
        ("city.time_zone", "time_zone = \"Asia/Urumqi\""),
        ("limits.calls_max", "calls_max = 101"),
        ("network.listen", "listen = [\"127.0.0.1:5062\"]"),
        ("network.rtp_ports", "rtp_ports = \"20000-28999\""),
        ("ticket_sink[0]", "[[ticket_sink]]"),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect();
    assert_eq!(places, expected);
    let difference = Difference::between(&old, &new);
    let marked = difference.changes.iter().filter(|change| change.wants_restart).count();
    // The sink that is gone and the one that is new count as two.
    assert_eq!(marked, 8, "{}", difference.words());
    // Fewer calls are no matter.
    let fewer = plan(&[("calls_max = 100", "calls_max = 99")]);
    assert_eq!(wants_restart(&old, &fewer), []);
}

#[test]
fn a_difference_is_bounded_and_says_how_much_more_there_is() {
    let many: String = (0..CHANGES_MAX + 7)
        .map(|n| {
            format!(
                "[[number]]\nnumber = \"{}\"\nname = \"线\"\nmode = \"bench\"\ndoes = \"silent\"\n",
                20_000 + n
            )
        })
        .collect();
    let tail = format!("{many}[[ticket_sink]]");
    let difference = Difference::between(&plan(&[]), &plan(&[("[[ticket_sink]]", &tail)]));
    assert_eq!((difference.changes.len(), difference.more), (CHANGES_MAX, 7));
    assert!(difference.words().ends_with("另有 7 处改动 / and 7 more\n"), "{}", difference.words());
}

#[test]
fn a_cancelled_number_that_is_back_without_a_word_is_refused_at_its_place() {
    use crate::routing::fixture_test::{judged, sample};
    use std::collections::BTreeSet;
    let now = "2026-03-01T00:00:00+08:00".parse().expect("an instant");
    let line = |number: &str, more: &str| {
        format!(
            "[[number]]\nnumber = \"{number}\"\nname = \"县长热线\"\nowner = \"县政府\"\nmode = \"dual\"\nqueue = \"main\"\n{more}\n"
        )
    };
    let with =
        |more: &str| judged(&format!("{}\n{more}", sample().replace("merge_list =", "# merge_list =")));
    let shipped = with("");
    let old = shipped.plan.as_ref().expect("a plan");
    let known = cancelled(&BTreeSet::new(), old, now);
    assert_eq!(known.len(), 11, "{known:?}"); // The list's first part, months after its transition.
    let before = "2021-07-31T23:59:59+08:00".parse().expect("an instant");
    assert!(cancelled(&BTreeSet::new(), old, before).is_empty(), "nothing is merged yet");

    // Its row and its mode are gone in one edit.
    let text = sample().replace("merge_list =", "# merge_list =").replacen(
        "row = \"1-3\"\nmode = \"merged\"",
        "mode = \"dual\"",
        1,
    );
    let parts = text.split("\n\n").filter(|part| !part.starts_with("[[test]]"));
    let outcome = judged(&parts.collect::<Vec<_>>().join("\n\n"));
    let new = outcome.plan.as_ref().unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    let back = returned(&known, new, now);
    assert_eq!(back, ["12336"]);
    let mut report = outcome.report;
    report.refuse_returned(&back, &outcome.numbers);
    assert_eq!(report.exit_code(), 1);
    let found = report.diagnostics.iter().find(|found| found.code == "E1809").expect("it is refused");
    assert_eq!(report.place(&found.spot).expect("a place").text, "number = \"12336\"");

    // What is past its last day, or an alias or a department, is held to it as well; what is restored is not.
    let ended = with(&line("4412345", "until = 2026-02-28"));
    let ended = ended.plan.as_ref().expect("a plan");
    let known = cancelled(&known, ended, now);
    assert!(known.contains("4412345") && known.len() == 12);
    assert!(returned(&known, ended, now).is_empty());
    let platform = "[[trunk]]\nname = \"county\"\nsources = [\"192.0.2.64/30\"]\ntarget = \"192.0.2.65:5060\"\ntrust_identity = true\n[[peer]]\nnumber = \"4412345\"\nname = \"濮阳县 12345\"\norg = \"410928\"\ntrunk = \"county\"\ndial = \"039312345\"\n";
    let center = "[[emergency]]\nnumber = \"4412345\"\ntrunk = \"emergency\"\n";
    for (more, expected) in [
        (line("4412345", ""), true),
        (line("4412345", "until = 2027-02-28"), true),
        (line("4412346", "aliases = [\"4412345\"]"), true),
        (platform.to_owned(), true),
        (center.to_owned(), true),
        (line("4412345", "until = 2026-02-27"), false),
        (line("4412346", ""), false),
        (
            format!(
                "[retired]\nnumbers = [\"4412345\"]\n{}",
                line(
                    "4412345",
                    "restored = { reason = \"群众来电多\", approver = \"县政府\", date = 2026-03-01 }"
                )
            ),
            false,
        ),
    ] {
        let outcome = with(&more);
        let new = outcome.plan.as_ref().unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
        assert_eq!(returned(&known, new, now) == ["4412345"], expected, "{more}");
        assert_eq!(outcome.numbers.contains_key("4412345"), more.contains("4412345"), "{more}");
        assert_eq!(cancelled(&known, new, now).contains("4412345"), !more.contains("restored"), "{more}");
    }
}
