//! `--sarif` and `--explain` as they are typed.

use std::process::Command;

use serde_json::{Value, json};

use super::command::{Folder, text};

/// What SARIF 2.1.0 requires of the parts that we write, and the words it allows.
fn required() -> Value {
    let message = json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string", "minLength": 1 } } });
    let region = json!({
        "type": "object",
        "required": ["startLine", "startColumn", "endLine", "endColumn"],
        "properties": {
            "startLine": { "type": "integer", "minimum": 1 },
            "startColumn": { "type": "integer", "minimum": 1 },
            "endLine": { "type": "integer", "minimum": 1 },
            "endColumn": { "type": "integer", "minimum": 1 },
            "snippet": message,
        },
        "additionalProperties": false,
    });
    let location = json!({
        "type": "object",
        "required": ["logicalLocations"],
        "properties": {
            "id": { "type": "integer", "minimum": 0 },
            "message": message,
            "logicalLocations": { "type": "array", "minItems": 1, "items": {
                "type": "object", "required": ["fullyQualifiedName"],
                "properties": { "fullyQualifiedName": { "type": "string" }, "kind": { "const": "member" } },
                "additionalProperties": false,
            } },
            "physicalLocation": {
                "type": "object",
                "required": ["artifactLocation", "region"],
                "properties": {
                    "artifactLocation": { "type": "object", "required": ["uri"], "properties": {
                        "uri": { "type": "string", "format": "uri-reference", "pattern": "^[!-~]+$" } } },
                    "region": region,
                },
                "additionalProperties": false,
            },
        },
        "additionalProperties": false,
    });
    let level = json!({ "enum": ["none", "note", "warning", "error"] });
    let rule = json!({
        "type": "object",
        "required": ["id", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
        "properties": {
            "id": { "type": "string", "pattern": "^[EW][0-9]{4}$" },
            "shortDescription": message,
            "fullDescription": message,
            "help": { "type": "object", "required": ["text", "markdown"], "properties": {
                "text": { "type": "string", "minLength": 1 }, "markdown": { "type": "string", "minLength": 1 } } },
            "defaultConfiguration": { "type": "object", "required": ["level"], "properties": { "level": level } },
        },
        "additionalProperties": false,
    });
    let result = json!({
        "type": "object",
        "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
        "properties": {
            "ruleId": { "type": "string" },
            "ruleIndex": { "type": "integer", "minimum": 0 },
            "level": level,
            "message": message,
            "locations": { "type": "array", "minItems": 1, "maxItems": 1, "items": location },
            "relatedLocations": { "type": "array", "items": location },
        },
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "required": ["$schema", "version", "runs"],
        "properties": {
            "$schema": { "type": "string", "pattern": "sarif-schema-2\\.1\\.0\\.json$" },
            "version": { "const": "2.1.0" },
            "runs": { "type": "array", "minItems": 1, "maxItems": 1, "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": { "type": "object", "required": ["driver"], "properties": { "driver": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": { "const": "hotline" },
                            "version": { "type": "string" },
                            "rules": { "type": "array", "items": rule },
                        },
                        "additionalProperties": false,
                    } } },
                    "columnKind": { "const": "unicodeCodePoints" },
                    "invocations": { "type": "array", "items": {
                        "type": "object",
                        "required": ["executionSuccessful"],
                        "properties": { "executionSuccessful": { "type": "boolean" }, "exitCode": { "type": "integer" } },
                        "additionalProperties": false,
                    } },
                    "results": { "type": "array", "items": result },
                },
                "additionalProperties": false,
            } },
        },
        "additionalProperties": false,
    })
}

fn sarif(folder: &Folder, words: &[&str]) -> Value {
    let output = folder.check(&[&["--sarif"], words].concat());
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let judge = jsonschema::validator_for(&required()).expect("a schema");
    let faults: Vec<String> =
        judge.iter_errors(&value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:?}");
    value
}

#[test]
fn a_log_file_has_what_the_standard_requires_and_each_problem_at_its_place() {
    let folder = Folder::new("sarif");
    folder.replace("number = \"12336\"", "number = \"110\"");
    folder.replace("name = \"濮阳市\"", "name = \"濮阳市\" # 城市\nnmae = \"濮阳市\"");
    let run = &sarif(&folder, &["--at", "2026-07-01T09:00:00+08:00"])["runs"][0];
    let results = run["results"].as_array().expect("results");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(run["invocations"][0]["exitCode"], 1);
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().expect("a place")).expect("small")];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
    }
    let of = |code: &str| results.iter().find(|result| result["ruleId"] == code).expect("the problem");
    let (unknown, emergency) = (of("E0101"), of("E0202"));
    let place = &unknown["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "routing.toml");
    let region = &place["region"];
    assert_eq!((&region["startColumn"], &region["endColumn"]), (&1.into(), &5.into()), "{region}");
    assert_eq!(region["snippet"]["text"], "nmae = \"濮阳市\"");
    assert_eq!(unknown["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "city.nmae");
    assert!(unknown["message"]["text"].as_str().is_some_and(|text| text.contains("nearest: name")));
    assert_eq!(emergency["relatedLocations"][0]["message"]["text"], "紧急热线 / emergency peer");
    let help = &rules.iter().find(|rule| rule["id"] == "E0202").expect("the rule")["help"];
    assert!(help["text"].as_str().is_some_and(|text| text.contains("96119")), "{help}");
    let warnings = results.iter().filter(|result| result["level"] == "warning").count();
    assert_eq!(warnings, 5, "loopback and drills");
}

#[test]
fn of_a_plan_in_several_files_each_problem_stands_in_its_own_in_json_and_in_the_log() {
    let folder = Folder::new("sarif-includes");
    folder.replace("schema = 1\n", "schema = 1\ninclude = [\"parts/seats.toml\", \"parts/tests.toml\"]\n");
    folder.replace("name = \"濮阳市\"", "name = \"濮阳市\"\nnmae = \"濮阳市\"");
    folder.write(
        "parts/seats.toml",
        "\n[[seat]]\nid = \"1001\"\nname = \"二\"\nqueues = [\"main\"]\nsecret = { env = \"S\" }\n",
    );
    folder.write("parts/tests.toml", "[[test]]\nname = \"空\"\nfrom = \"13800000000\"\nto = \"12345\"\nat = 2026-07-01T09:00:00+08:00\nexpect = {}\n");
    let expected = [
        ("E0101", "routing.toml", None),
        ("E0304", "parts/seats.toml", Some(3)),
        ("E1203", "parts/tests.toml", Some(6)),
    ];
    let at = ["--at", "2026-07-01T09:00:00+08:00"];
    let run = &sarif(&folder, &at)["runs"][0];
    let results = run["results"].as_array().expect("results");
    let said: Value =
        serde_json::from_slice(&folder.check(&[&at[..], &["--json"]].concat()).stdout).expect("JSON");
    let told = said["diagnostics"].as_array().expect("diagnostics");
    for (code, file, line) in expected {
        let result = results.iter().find(|result| result["ruleId"] == code).expect("the problem");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], file, "{code}");
        let found = told.iter().find(|found| found["code"] == code).expect("the problem");
        assert_eq!(found["file"], file, "{code}: {found}");
        if let Some(line) = line {
            assert_eq!(
                (&place["region"]["startLine"], &found["line"]),
                (&line.into(), &line.into()),
                "{code}"
            );
        }
    }
    // The seat that was there first stands in another file.
    let twice = results.iter().find(|result| result["ruleId"] == "E0304").expect("the problem");
    let first = &twice["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(first, "routing.toml", "{twice}");
}

#[test]
fn a_clean_file_and_one_that_is_not_there_are_logs_as_well() {
    let folder = Folder::new("sarif-ends");
    let run = &sarif(&folder, &[])["runs"][0];
    assert_eq!(
        (&run["invocations"][0]["executionSuccessful"], &run["invocations"][0]["exitCode"]),
        (&true.into(), &0.into())
    );
    let run = &sarif(&folder, &["--config", "nowhere.toml"])["runs"][0];
    assert_eq!(
        (&run["invocations"][0]["executionSuccessful"], &run["invocations"][0]["exitCode"]),
        (&false.into(), &2.into())
    );
    assert_eq!(run["results"][0]["ruleId"], "E0001");
}

#[test]
fn a_code_is_explained_and_a_slip_of_one_is_told_the_nearest() {
    let explain = |words: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_hotline")).args(["check", "--explain"]).args(words).output();
        output.expect("the command runs")
    };
    let output = explain(&["e0207"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for words in [
        "E0207  ",
        "例 / example:",
        "    [[number]]",
        "后果: ",
        "effect: ",
        "办法: ",
        "remedy: ",
        "原则上不再恢复",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    let value: Value = serde_json::from_slice(&explain(&["E0207", "--json"]).stdout).expect("JSON");
    assert_eq!(value["code"], "E0207");
    assert!(value["mend"]["en"].is_string());
    let output = explain(&["E0270"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(said.contains("E0270") && said.contains("nearest: E0"), "{said}");
}
