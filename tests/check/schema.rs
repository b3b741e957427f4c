//! `hotline schema`: the schema takes what the check takes, refuses what is plainly wrong, and leaves out no key.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hotline::routing::sample;
use hotline::routing::schema::{Whose, keys, schema, unwritten};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::base::{Edit, Files, codes, is_error};
use super::fixture;

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn validator(whose: Whose) -> Validator {
    let schema = schema(whose);
    jsonschema::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::validator_for(&schema).expect("the schema compiles")
}

/// A document as editors hand it to a schema: dates are strings there.
pub fn json_of(text: &str) -> Option<Value> {
    fn json(value: toml::Value) -> Value {
        match value {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(whole) => whole.into(),
            toml::Value::Float(real) => real.into(),
            toml::Value::Boolean(truth) => truth.into(),
            toml::Value::Datetime(moment) => moment.to_string().into(),
            toml::Value::Array(items) => items.into_iter().map(json).collect(),
            toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, json(value))).collect(),
        }
    }
    text.parse::<toml::Table>().ok().map(|table| json(toml::Value::Table(table)))
}

pub fn faults(validator: &Validator, document: &Value) -> Vec<String> {
    validator.iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

#[test]
fn the_files_that_come_with_the_engine_are_valid() {
    let routing = validator(Whose::Routing);
    let read = |name: &str| std::fs::read_to_string(home().join(name)).expect(name);
    for (name, text) in [
        ("routing.toml", read("routing.toml")),
        ("routing.toml in full", sample::in_full()),
        ("tools/bench.toml", read("tools/bench.toml")),
        ("tools/queue.toml", read("tools/queue.toml")),
        ("tests/check/base.toml", read("tests/check/base.toml")),
    ] {
        let found = faults(&routing, &json_of(&text).expect("TOML"));
        assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
    }
    let prompts = json_of(&read("prompts/prompts.toml")).expect("TOML");
    let found = faults(&validator(Whose::Prompts), &prompts);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_the_check_takes_the_schema_takes_too() {
    let (routing, prompts) = (validator(Whose::Routing), validator(Whose::Prompts));
    let mut taken = 0;
    for fixture in fixture::all() {
        let files = Files::with(fixture.edits);
        let document = files.text("routing.toml").as_deref().and_then(json_of);
        // A fault of sense alone, in a table or between tables, is none of form.
        let sense = !is_error(fixture.code) || matches!(&fixture.code[..3], "E02" | "E03" | "E05" | "E09");
        if let (true, Some(document)) = (sense, document) {
            let found = faults(&routing, &document);
            assert!(found.is_empty(), "{} {}:\n{}", fixture.code, fixture.what, found.join("\n"));
            taken += 1;
        }
        if files.judge().plan.is_some() {
            let manifest = files.text("prompts.toml").as_deref().and_then(json_of).expect("TOML");
            assert_eq!(faults(&prompts, &manifest), [""; 0], "{} {}", fixture.code, fixture.what);
        }
    }
    assert!(taken > 80, "{taken} files");
}

/// Keys of the compact plan with a value that both refuse.
const BAD: [(&str, &str, &str); 34] = [
    ("schema = 1", "schema = \"1\"", "E0103"),
    ("schema = 1\n", "", "E0102"),
    ("purpose = \"live\"", "purpose = \"life\"", "E0104"),
    ("prompts = \"prompts.toml\"", "prompts = \"  \"", "E0107"),
    ("prompts = \"prompts.toml\"", "promts = \"prompts.toml\"", "E0101"),
    ("name = \"濮阳市\"", "nmae = \"濮阳市\"", "E0101"),
    ("listen = [\"192.0.2.10:5060\"]", "listen = \"192.0.2.10:5060\"", "E0103"),
    ("listen = [\"192.0.2.10:5060\"]", "listen = [\"192.0.2.10\"]", "E0108"),
    ("listen = [\"192.0.2.10:5060\"]", "listen = [{ transport = \"tcp\" }]", "E0102"),
    ("listen = [\"192.0.2.10:5060\"]", "listen = [{ bind = \"192.0.2.10:5060\", via = \"x\" }]", "E0101"),
    ("rtp_ports = \"20000-29999\"", "rtp_ports = \"20000\"", "E0603"),
    ("silence_max = \"30s\"", "silence_max = 30", "E0106"),
    ("silence_max = \"30s\"", "silence_max = \"30\"", "E0106"),
    ("silence_max = \"30s\"", "silence_max = \"0.5min\"", "E0106"),
    ("calls_max = 1200", "calls_max = -1", "E0107"),
    ("calls_max = 1200", "calls_max = 4294967296", "E0107"),
    ("tries = 2", "tries = 256", "E0107"),
    ("tries = 2", "tries = 2.5", "E0103"),
    ("start = 2021-08-01", "start = 20210801", "E0103"),
    ("sources = [\"198.51.100.0/28\"]", "sources = [\"carrier.example\"]", "E0109"),
    ("dialled_from = [\"request_uri\"", "dialled_from = [\"request-uri\"", "E0104"),
    ("trust_identity = true", "trust_identity = \"true\"", "E0103"),
    ("target = \"203.0.113.5:5060\"", "target = \"203.0.113.5:5060\"\nprobe = \"yes\"", "E0103"),
    ("target = \"203.0.113.5:5060\"", "target = \"203.0.113.5:5060\"\ncodecs = [\"GSM\"]", "E0104"),
    ("announce_every = \"29s\"", "announce_every = \"29s\"\nsurge = { from = 30 }", "E0102"),
    ("announce_every = \"29s\"", "announce_every = \"29s\"\nstrategy = \"best\"", "E0104"),
    ("skills = [\"general\", \"law\"]", "skills = [{ level = 3 }]", "E0102"),
    ("secret = { env = \"SEAT_1002\" }", "secret = \"geheim\"", "E0105"),
    ("secret = { env = \"SEAT_1002\" }", "secret = { enw = \"SEAT_1002\" }", "E0101"),
    ("owner = \"市税务局\"\n", "", "E0102"),
    ("mode = \"sub_center\"", "mode = \"subcenter\"", "E0104"),
    (
        "ring = \"25s\"",
        "ring = \"25s\"\nhours = [{ days = \"monday\", from = \"08:00\", to = \"12:00\" }]",
        "E0118",
    ),
    (
        "ring = \"25s\"",
        "ring = \"25s\"\nhours = [{ days = \"mon\", from = \"8:00\", to = \"12:00\" }]",
        "E0119",
    ),
    ("kind = \"sqlite\"", "kind = [\"sqlite\"]", "E0103"),
];

#[test]
fn a_bad_value_is_refused_by_the_schema_and_by_the_check() {
    let routing = validator(Whose::Routing);
    for (from, to, code) in BAD {
        let files = Files::with(&[Edit::Plan(from, to)]);
        let report = files.judge().report;
        assert!(codes(&report).contains(&code), "{to}: {}", report.render(false));
        let document = json_of(&files.text("routing.toml").expect("the plan")).expect("TOML");
        assert!(!routing.is_valid(&document), "{to} is valid by the schema");
    }
}

#[test]
fn what_a_word_makes_necessary_the_schema_asks_for() {
    let routing = validator(Whose::Routing);
    let mut document = json_of(include_str!("base.toml")).expect("TOML");
    assert!(routing.is_valid(&document));
    let numbers = document["number"].as_array_mut().expect("numbers");
    numbers.push(json!({ "number": "1", "name": "x", "mode": "bench", "does": "silent" }));
    assert_eq!(faults(&routing, &document), [""; 0], "a bench number has no owner");
    document["number"][4]["mode"] = "dual".into();
    assert!(!routing.is_valid(&document), "any other has");
    document["number"][4]["owner"] = "y".into();
    assert!(routing.is_valid(&document));
}

#[test]
fn a_file_with_includes_and_one_that_is_included_have_a_part_of_the_plan_each() {
    let (routing, included) = (validator(Whose::Routing), validator(Whose::Included));
    let part = json!({ "city": { "name": "x", "area_code": "1", "time_zone": "Asia/Shanghai" } });
    assert!(included.is_valid(&part) && !routing.is_valid(&part));
    assert!(!routing.is_valid(&json!({ "schema": 1 })), "without includes it is all there");
    assert!(routing.is_valid(&json!({ "schema": 1, "include": ["rest.toml"] })));
    assert!(!routing.is_valid(&json!({ "include": ["rest.toml"] })));
    assert!(!included.is_valid(&json!({ "citty": {} })));
}

/// Every property of a schema, by its way: `number.transition.start`.
fn properties(schema: &Value, at: &str, into: &mut BTreeSet<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let key = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        properties(inner, &key, into);
        into.insert(key);
    }
    if schema["items"].is_object() {
        properties(&schema["items"], at, into);
    }
    for inner in schema["anyOf"].as_array().into_iter().flatten() {
        properties(inner, at, into);
    }
}

#[test]
fn every_key_that_a_reading_asks_for_is_in_the_schema_and_every_table_is_closed() {
    let mut listed = BTreeSet::new();
    let schema = schema(Whose::Routing);
    properties(&schema, "", &mut listed);
    let text = sample::in_full();
    let home = home().join("routing.toml");
    let mut draft = hotline::routing::Draft::noting(
        &home.to_string_lossy(),
        Ok(text.into_bytes()),
        &hotline::routing::Overrides::default(),
    );
    while let Some(name) = draft.wants().first().cloned() {
        draft.give(&name, std::fs::read(&name).map_err(|error| error.to_string()));
    }
    let effective = draft.judge().effective.expect("a plan").json();
    let asked: BTreeSet<String> = effective["values"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["key"].as_str())
        .map(|key| key.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect())
        .collect();
    assert!(asked.len() > 200, "{} keys", asked.len());
    let missing: Vec<&String> = asked.difference(&listed).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(listed, keys(Whose::Routing).into_iter().collect());

    fn closed(schema: &Value) -> bool {
        let own = schema.get("properties").is_none() || schema["additionalProperties"] == false;
        let inner = schema["properties"].as_object().into_iter().flatten().map(|(_, inner)| inner);
        let any = schema["anyOf"].as_array().into_iter().flatten();
        own && inner.chain(any).chain(schema.get("items")).all(closed)
    }
    assert!(closed(&schema));
}

#[test]
fn every_default_can_be_shown_and_is_valid_where_it_stands() {
    assert_eq!(unwritten(), [""; 0], "these types of values have no `written`");
    fn defaults(schema: &Value, at: &str, into: &mut Vec<(String, Value)>) {
        if let Some(default) = schema.get("default").filter(|default| **default != "") {
            let own = jsonschema::validator_for(schema).expect("a schema");
            into.extend((!own.is_valid(default)).then(|| (at.to_owned(), default.clone())));
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            defaults(inner, &format!("{at}.{name}"), into);
        }
        let inner = schema["anyOf"].as_array().into_iter().flatten().chain(schema.get("items"));
        inner.for_each(|inner| defaults(inner, at, into));
    }
    let mut wrong = Vec::new();
    defaults(&schema(Whose::Routing), "", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Keys of which the sample says nothing, by how they begin and end, and why.
const UNTOLD: [(&str, &str, &str); 9] = [
    ("", "secret.env", "that a secret may be in the environment is told at the first seat"),
    ("", "password.env", "the same"),
    ("recording.", ".env", "the same"),
    ("", ".skills.skill", "skills are written as those of seats, and told there"),
    ("", ".skills.level", "the same"),
    ("number.", "does", "of bench numbers: tools/bench.toml"),
    ("number.", "prompt", "of bench numbers: tools/bench.toml"),
    ("number.", "record", "of bench numbers: tools/bench.toml"),
    ("trunk.rewrite.", "", "the four lists hold rules of one kind, told in front of them and shown by turns"),
];

#[test]
fn the_sample_shows_every_key() {
    let shown = sample::keys();
    let untold: Vec<String> =
        keys(Whose::Routing).into_iter().filter(|key| !shown.contains_key(key)).collect();
    let fits = |key: &str, (start, end, _): &(&str, &str, &str)| key.starts_with(start) && key.ends_with(end);
    let unexcused: Vec<&String> =
        untold.iter().filter(|key| !UNTOLD.iter().any(|excuse| fits(key, excuse))).collect();
    assert!(unexcused.is_empty(), "the sample does not show {unexcused:#?}");
    for excuse in &UNTOLD {
        assert!(
            untold.iter().any(|key| fits(key, excuse)),
            "{excuse:?} excuses nothing: take it off the list"
        );
    }
}

#[test]
fn editors_are_told_in_both_languages_what_a_key_is_for() {
    let schema = schema(Whose::Routing);
    let said = |pointer: &str| {
        let text = schema.pointer(pointer).and_then(|key| key["description"].as_str());
        text.unwrap_or_else(|| panic!("{pointer} has no description")).to_owned()
    };
    let ring = said("/properties/queue/items/properties/ring");
    assert!(ring.contains("一个座席振铃多久") && ring.contains("How long one seat rings"), "{ring}");
    assert!(ring.contains("a duration with its unit"), "{ring}");
    let name = said("/properties/city/properties/name");
    assert!(name.contains("不可缺少") && name.contains("which city it serves"), "{name}");
    assert_eq!(schema.pointer("/properties/queue/items/properties/ring/default"), Some(&"20s".into()));
}

#[test]
fn whoever_has_read_enough_ends_a_command_without_a_fault() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    let command = command.arg("schema").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut schema = command.spawn().expect("it runs");
    // Longer than what a pipe holds: the rest finds nobody.
    let mut out = schema.stdout.take().expect("a pipe");
    out.read_exact(&mut [0; 16]).expect("it begins");
    drop(out);
    let ended = schema.wait_with_output().expect("it ends");
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn the_kept_schema_is_the_one_that_is_printed() {
    let printed = |words: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_hotline")).arg("schema").args(words).output().expect("it runs");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let kept = std::fs::read_to_string(home().join("contract/routing.schema.json")).expect("the kept schema");
    assert!(kept == printed(&[]), "hotline schema > contract/routing.schema.json");
    for (words, whose) in [(["--prompts"], Whose::Prompts), (["--included"], Whose::Included)] {
        let value: Value = serde_json::from_str(&printed(&words)).expect("JSON");
        assert!(value == schema(whose), "{words:?}");
    }
    let text = std::fs::read_to_string(home().join("routing.toml")).expect("the shipped file");
    let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema ")).expect("a schema");
    assert!(Path::new(&home()).join(named).exists(), "{named}");
}
