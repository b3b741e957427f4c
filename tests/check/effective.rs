//! `hotline show`: every value in force with its origin, made of what was read.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hotline::io::plan_files;
use hotline::routing::{Draft, Outcome, Overrides};
use serde_json::Value;

use super::base::{Edit, Files, codes};

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(name: &str) -> Outcome {
    plan_files::load_noting(&home().join(name), &Overrides::default())
}

/// A text in place of a shipped file, with the prompts that are there.
fn judge(name: &str, text: String) -> Outcome {
    let name = home().join(name);
    let mut draft = Draft::noting(&name.to_string_lossy(), Ok(text.into_bytes()), &Overrides::default());
    loop {
        let wanted = draft.wants();
        if wanted.is_empty() {
            return draft.judge();
        }
        for name in wanted {
            draft.give(&name, std::fs::read(&name).map_err(|error| error.to_string()));
        }
    }
}

/// The plan in words, apart from the file's own hash, and from the sounds: a prompt that is what holds where nobody
/// says it is fetched once somebody does.
fn plan(outcome: &Outcome) -> String {
    let mut plan = outcome.plan.clone().expect("a plan");
    plan.digest.clear();
    plan.prompts.clear();
    format!("{plan:?}")
}

fn rows(outcome: Outcome) -> Vec<Value> {
    let json = outcome.effective.unwrap_or_else(|| panic!("{}", outcome.report.render(false))).json();
    json["values"].as_array().expect("a list").clone()
}

fn row<'a>(rows: &'a [Value], key: &str) -> &'a Value {
    rows.iter().find(|row| row["key"] == key || row["address"] == key).expect(key)
}

#[test]
fn what_is_shown_reads_as_the_same_plan() {
    for name in ["routing.toml", "tools/bench.toml", "tools/queue.toml"] {
        let outcome = shipped(name);
        let expected = plan(&outcome);
        for effective in [outcome.effective.clone(), outcome.effective.map(|effective| effective.said())] {
            let text = effective.expect("a plan").toml();
            let again = judge(name, text.clone());
            assert!(again.plan.is_some(), "{name}\n{}\n{text}", again.report.render(false));
            assert!(plan(&again) == expected, "{name}\n{text}");
        }
    }
}

#[test]
fn what_is_shown_of_what_is_shown_is_the_same() {
    let first = shipped("routing.toml").effective.expect("a plan").toml();
    let bare = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines: Vec<String> =
            lines.map(|line| line.split("  # ").next().unwrap_or_default().to_owned()).collect();
        lines.join("\n")
    };
    let second = judge("routing.toml", first.clone()).effective.expect("a plan").toml();
    assert_eq!(bare(&first).trim(), bare(&second).trim());
}

#[test]
fn each_origin_is_the_place_where_the_value_stands() {
    let text = std::fs::read_to_string(home().join("routing.toml")).expect("the file");
    let lines: Vec<&str> = text.lines().collect();
    let rows = rows(shipped("routing.toml"));
    let mut said = 0;
    for row in rows.iter().filter(|row| row["origin"]["from"] == "file") {
        let line = usize::try_from(row["origin"]["line"].as_u64().expect("a line")).expect("small");
        let column = usize::try_from(row["origin"]["column"].as_u64().expect("a column")).expect("small");
        let key = row["key"].as_str().expect("a key");
        let name = key.rsplit('.').next().expect("a name");
        let at: String = lines[line - 1].chars().skip(column - 1).collect();
        let before: String = lines[line - 1].chars().take(column - 1).collect();
        let headed = at == format!("[{key}]"); // A table of names has a head of its own.
        let led = before.trim_end().ends_with(&format!("{name} ="));
        assert!(headed || led, "{key} at {line}:{column}: {before}⟦{at}");
        let value = &row["value"];
        if let Some(text) = value.as_str().filter(|_| at.starts_with('"')) {
            assert!(at.starts_with(&format!("\"{text}\"")), "{key}: {at}");
        }
        said += 1;
    }
    assert!(said > 300, "{said} values are said");
}

#[test]
fn defaults_are_told_from_what_is_said_and_what_is_not_said_at_all() {
    let rows = rows(Files::with(&[]).judge_noting());
    let from = |key: &str| row(&rows, key)["origin"]["from"].as_str().expect("an origin").to_owned();
    for (key, origin, value) in [
        ("city.name", "file", "濮阳市".into()),
        ("queue.main.ring", "file", "20s".into()),
        ("network.one_way_max", "default", "10s".into()),
        ("queue.main.strategy", "default", "longest_idle".into()),
        ("trunk.tax.priority", "default", 1.into()),
        ("queue.main.ageing", "nobody", Value::Null),
        ("number.12336.row", "file", "1-3".into()),
        // No [trace] is written, and calls are traced all the same.
        ("trace.keep", "default", "24h".into()),
        ("seat[1].secret", "file", serde_json::json!({ "env": "SEAT_1002" })),
        ("schema", "file", 1.into()),
    ] {
        assert_eq!((from(key).as_str(), &row(&rows, key)["value"]), (origin, &value), "{key}");
    }
    // What is off without its table has no defaults in force.
    assert!(!rows.iter().any(|row| row["key"].as_str().is_some_and(|key| key.starts_with("follow_up."))));
}

#[test]
fn a_table_in_one_line_shows_what_holds_in_it_besides() {
    let probe = Edit::Plan(
        "target = \"203.0.113.5:5060\"",
        "target = \"203.0.113.5:5060\"\nprobe = { every = \"40s\" }",
    );
    let outcome = Files::with(&[probe]).judge_noting();
    let text = outcome.effective.clone().expect("a plan").select("trunk.tax.probe").expect("a key").toml();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).skip(1).collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert!(lines[0].starts_with("[[trunk]]  # routing.toml:"), "{text}");
    assert!(lines[1].starts_with("[trunk.probe]  # routing.toml:"), "{text}");
    assert!(lines[2].starts_with("every = \"40s\"  # routing.toml:"), "{text}");
    assert_eq!(lines[3..], ["down_after = 3  # 默认 / default", "up_after = 2  # 默认 / default"]);
}

#[test]
fn the_command_line_is_an_origin_as_well() {
    let edits = [
        Edit::Listen("192.0.2.9:5070"),
        Edit::Ports(30_000, 39_999),
        Edit::Target("tax", "203.0.113.99:5066"),
    ];
    let outcome = Files::with(&edits).judge_noting();
    let rows = rows(outcome);
    for (key, value, option) in [
        ("network.listen", serde_json::json!(["udp:192.0.2.9:5070"]), "--listen"),
        ("network.rtp_ports", "30000-39999".into(), "--rtp-ports"),
        ("trunk.tax.target", "203.0.113.99:5066".into(), "--trunk"),
    ] {
        let row = row(&rows, key);
        assert_eq!((&row["value"], &row["origin"]["option"]), (&value, &option.into()), "{key}");
    }
}

#[test]
fn values_of_included_files_are_shown_with_those() {
    let files = Files::with(&[
        Edit::Plan("purpose = \"live\"", "include = [\"lines/*.toml\"]\npurpose = \"live\""),
        Edit::File(
            "lines/a.toml",
            "# one\n[[number]]\nnumber = \"12369\"\nname = \"x\"\nowner = \"y\"\nmode = \"dual\"\nqueue = \"main\"\n\
             [trace]\nkeep = \"2h\"\n",
        ),
    ]);
    let outcome = files.judge_noting();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let text = outcome.effective.clone().expect("a plan").toml();
    assert!(text.starts_with("# 文件 / files: routing.toml, lines/a.toml, prompts.toml\n"), "{text}");
    assert!(
        text.contains("\n[[number]]  # lines/a.toml:2\nnumber = \"12369\"  # lines/a.toml:3\n"),
        "{text}"
    );
    assert!(text.contains("\nkeep = \"2h\"  # lines/a.toml:9\n"), "{text}");
    assert!(!text.contains("include ="), "{text}");
}

#[test]
fn prompts_that_an_included_file_names_are_found_by_the_view_as_well() {
    let folder = std::env::temp_dir().join(format!("hotline-effective-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("sounds")).expect("folders");
    std::os::unix::fs::symlink(home().join("prompts"), folder.join("prompts")).expect("the prompts");
    let sample = std::fs::read_to_string(home().join("routing.toml")).expect("the sample");
    let without =
        sample.replace("\nprompts = \"prompts/prompts.toml\"\n", "\ninclude = [\"sounds/here.toml\"]\n");
    assert_ne!(without, sample);
    let config = folder.join("routing.toml");
    std::fs::write(&config, without).expect("a file");
    std::fs::write(folder.join("sounds/here.toml"), "prompts = \"../prompts/prompts.toml\"\n")
        .expect("a file");
    let shown = show(&["--effective", "--config", &config.to_string_lossy()]);
    let view = text(&shown.stdout);
    assert!(view.contains("\nprompts = \"sounds/../prompts/prompts.toml\""), "{view}");
    let again = folder.join("again.toml");
    std::fs::write(&again, view).expect("a file");
    let report = plan_files::load(&again, &Overrides::default()).report;
    std::fs::remove_dir_all(&folder).expect("the folder");
    assert_eq!(report.exit_code(), 0, "{}", report.render(false));
}

#[test]
fn no_plan_no_view_and_a_secret_is_never_in_it() {
    let files = Files::with(&[Edit::Plan("secret = { env = \"SEAT_1002\" }", "secret = \"geheim\"")]);
    assert!(files.judge_noting().effective.is_none());
    assert!(Files::with(&[]).judge().effective.is_none(), "nobody wanted it");
    let hook =
        "kind = \"http\"\nurl = \"https://office:geheim@tickets.example/hook\"\nsecret = { env = \"S\" }";
    assert!(Files::with(&[Edit::Plan("kind = \"sqlite\"", hook)]).judge_noting().effective.is_none());
}

fn show(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.arg("show").args(words).current_dir(home()).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn one_key_or_table_is_shown_by_its_name() {
    for (key, first, last) in [
        ("number.12345", "[[number]]  # routing.toml:", "# [number.transition]  # 未写 / not said"),
        ("queue.main.ring", "[[queue]]  # routing.toml:", "ring = \"20s\"  # routing.toml:"),
        ("number[0].mode", "[[number]]  # routing.toml:", "mode = \"primary\"  # routing.toml:"),
        ("purpose", "purpose = \"live\"  # routing.toml:", "purpose = \"live\"  # routing.toml:"),
    ] {
        let output = show(&["--effective", key]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).skip(1).collect();
        assert!(lines[0].starts_with(first), "{key}: {said}");
        assert!(lines[lines.len() - 1].starts_with(last), "{key}: {said}");
        assert_eq!(said.matches("[[").count(), usize::from(key != "purpose"));
    }
    let said = text(&show(&["number.12345"]).stdout);
    assert!(!said.contains("default") && said.contains("mode = \"primary\""), "without --effective: {said}");

    let output = show(&["--effective", "--json", "queue.main.ring"]);
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(value["values"].as_array().map(Vec::len), Some(1));
    assert_eq!(value["values"][0]["value"], "20s");

    let output = show(&["--effective", "qeue.main"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("there is no qeue.main; at the top there are: schema, purpose"));
    let output = show(&["--config", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("E0001"));
    assert!(Path::new(&home()).join("routing.toml").exists());
}
