//! `hotline check` as it is typed: what it prints and how it exits.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of its own with the city's file and prompts in it, gone with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hotline-check-{name}-{}", std::process::id()));
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::create_dir_all(path.join("prompts")).expect("a folder");
        for entry in std::fs::read_dir(shipped.join("prompts")).expect("the prompts") {
            let from = entry.expect("an entry").path();
            std::fs::copy(&from, path.join("prompts").join(from.file_name().expect("a name")))
                .expect("a copy");
        }
        std::fs::copy(shipped.join("routing.toml"), path.join("routing.toml")).expect("a copy");
        Folder(path)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    pub fn replace(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.0.join("routing.toml")).expect("the file");
        assert!(text.contains(from), "{from}");
        self.write("routing.toml", text.replacen(from, to, 1));
    }

    pub fn check(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hotline"))
            .arg("check")
            .args(words)
            .current_dir(&self.0)
            .output()
            .expect("the command runs")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_usable_file_exits_0_and_lists_the_28_numbers() {
    let folder = Folder::new("clean");
    let output = folder.check(&["--at", "2021-09-01T09:00:00+08:00"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("可以启用: 0 个错误，5 个警告\nready: 0 errors, 5 warnings"), "{said}");
    assert!(said.contains("warning[W0101]") && said.contains("routing.toml:"), "{said}");
    let row = said.lines().find(|line| line.starts_with("1-6")).expect("the row of 96119");
    for word in ["96119", "火灾隐患举报投诉电话", "整体并入 merged", "过渡提示，再同 12345"]
    {
        assert!(row.contains(word), "{row}");
    }
    // What somebody inserts while all goes on is told of beside what the file proves.
    assert!(said.contains("up to 45 s more until a person"), "{said}");

    let value = json(&folder.check(&["--json", "--at", "2021-11-01T00:00:00+08:00"]));
    assert_eq!((&value["errors"], &value["warnings"]), (&0.into(), &5.into()));
    assert_eq!(value["digest"].as_str().map(str::len), Some(64));
    let lines = value["lines"].as_array().expect("lines");
    assert_eq!(lines.len(), 29, "12345 and the 28 of the list");
    for line in lines {
        let millis = |key: &str| line["proof"][key].as_u64().expect("a length");
        assert_eq!(millis("silent_with_notices_ms"), millis("silent_ms") + 45_000, "{line}");
        assert_eq!(line["proof"]["ticket"], 0, "{line}");
    }
    let treatment = |number: &str| {
        let line = lines.iter().find(|line| line["number"] == number).expect("a line");
        line["treatment"]["en"].as_str().expect("words").to_owned()
    };
    assert_eq!(treatment("96119"), "as 12345, no prompt", "the months are over");
    assert_eq!(treatment("12366"), "to its own center (drill), else as 12345");
}

#[test]
fn what_was_not_looked_at_for_the_faults_that_were_found_is_told() {
    let failing = "expect = { line = \"12345\", queue = \"main\" }";
    for (edits, tells, stages) in [
        (
            &[("months = 3", "monhts = 3"), (failing, "expect = { line = \"12336\" }")][..],
            "nothing is proved",
            (false, false),
        ),
        (
            &[("call_max = \"4h\"", "call_max = \"2min\""), (failing, "expect = { line = \"12336\" }")],
            "no [[test]] is run",
            (true, false),
        ),
        (&[(failing, "expect = { line = \"12336\" }")], "E1201", (true, true)),
        (&[], "可以启用", (true, true)),
    ] {
        let folder = Folder::new("stages");
        edits.iter().for_each(|(from, to)| folder.replace(from, to));
        let said = text(&folder.check(&[]));
        assert!(said.contains(tells), "{tells}: {said}");
        let ends = ["nothing is proved", "no [[test]] is run"];
        let told = ends.iter().any(|words| said.contains(words));
        let value = json(&folder.check(&["--json"]));
        assert_eq!(told, stages != (true, true), "{said}");
        assert_eq!((&value["proved"], &value["tested"]), (&stages.0.into(), &stages.1.into()), "{tells}");
    }
}

#[test]
fn a_faulty_file_exits_1_with_every_fault_underlined_and_told_twice() {
    let folder = Folder::new("faulty");
    folder.replace("months = 3", "monhts = 3");
    folder.replace("number = \"12336\"", "number = \"110\"");
    folder.replace("secret = { file = \"secrets/seat-1004\" }", "secret = \"s3cret\"");
    let output = folder.check(&[]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("不能启用: 4 个错误"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    for words in
        ["E0101", "E0102", "E0105", "E0202", "monhts = 3", "^^^^^^", "办法", "remedy", "nearest: months"]
    {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }

    let output = folder.check(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value = json(&output);
    let found = value["diagnostics"].as_array().expect("a list");
    let errors: Vec<_> = found.iter().filter(|entry| entry["severity"] == "error").collect();
    let codes: Vec<_> = errors.iter().filter_map(|entry| entry["code"].as_str()).collect();
    assert_eq!(codes, ["E0102", "E0101", "E0105", "E0202"], "in the order of the file");
    let unknown = errors[1];
    assert_eq!(
        (&unknown["file"], &unknown["column"], &unknown["text"], &unknown["key"], &unknown["nearest"]),
        (
            &"routing.toml".into(),
            &1.into(),
            &"monhts = 3".into(),
            &"transition.monhts".into(),
            &"months".into()
        ),
    );
    let lines: Vec<_> = found.iter().filter_map(|entry| entry["line"].as_u64()).collect();
    assert!(lines.len() == found.len() && lines.is_sorted(), "{lines:?}");
    for entry in found {
        for language in ["zh", "en"] {
            assert!(
                entry["problem"][language].is_string() && entry["remedy"][language].is_string(),
                "{entry}"
            );
        }
    }
    assert_eq!((&value["digest"], &value["lines"]), (&Value::Null, &Value::Array(vec![])));
}

#[test]
fn an_unreadable_file_exits_2() {
    let folder = Folder::new("unreadable");
    for (name, bytes) in [("syntax", &b"schema = "[..]), ("gbk", b"# \xc5\xa7\xd1\xf4\n")] {
        folder.write("routing.toml", bytes);
        let output = folder.check(&[]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(text(&output).contains("无法读取"), "{name}");
    }
    let output = folder.check(&["--config", "nowhere.toml", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(json(&output)["diagnostics"][0]["code"], "E0001");
}

#[test]
fn a_prompt_that_is_gone_or_changed_stops_the_file() {
    let folder = Folder::new("prompts");
    let greeting = folder.0.join("prompts/greeting.wav");
    let mut bytes = std::fs::read(&greeting).expect("the greeting");
    let last = bytes.len() - 1;
    bytes[last] ^= 1; // One bit of one sample: nobody would hear it, and it is still not what was approved.
    folder.write("prompts/greeting.wav", &bytes);
    std::fs::remove_file(folder.0.join("prompts/survey.wav")).expect("the survey");
    let output = folder.check(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value = json(&output);
    let found: Vec<_> = value["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|entry| entry["severity"] == "error")
        .map(|entry| (entry["code"].as_str(), entry["file"].as_str(), entry["text"].as_str()))
        .collect();
    let manifest = Some("prompts/prompts.toml");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((found[0].0, found[0].1), (Some("E0503"), manifest));
    assert!(found[0].2.is_some_and(|text| text.starts_with("sha256 = ")), "{found:?}");
    assert_eq!(found[1], (Some("E0502"), manifest, Some("file = \"survey.wav\"")));
}
