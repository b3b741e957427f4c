//! The OpenAPI document: published, served and printed alike, and true of every route.

use std::collections::BTreeSet;
use std::process::Command;

use hotline::io::http::openapi;
use hotline::io::http::rights::ROUTES;
use serde_json::{Value, json};

use crate::client::get;
use crate::fixture::Served;

const PUBLISHED: &str = include_str!("../../contract/openapi.json");

fn published() -> Value {
    serde_json::from_str(PUBLISHED).expect("the document is JSON")
}

/// Fails unless `value` is what the document says of this schema.
pub fn is_valid(schema: &str, value: &Value) {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{schema}"),
        "components": published()["components"],
    });
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let faults: Vec<String> = validator.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{value}: {faults:?}");
}

#[test]
fn the_document_is_the_same_published_served_and_printed() {
    assert!(published() == openapi(), "hotline openapi > contract/openapi.json");
    let served = Served::open("document");
    assert!(get(served.at, "/v1/openapi.json", "").json() == openapi());
    let printed = Command::new(env!("CARGO_BIN_EXE_hotline")).arg("openapi").output().unwrap();
    assert!(printed.status.success());
    assert!(printed.stdout == PUBLISHED.as_bytes());
}

#[test]
fn every_route_is_described_with_its_roles_and_no_other_is() {
    let document = published();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    let mut names = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            described.insert((method.to_uppercase(), path.clone()));
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is one operation's");
            let summary = operation["summary"].as_str().unwrap();
            assert!(summary.contains(" / "), "{path}: both languages: {summary}");
            // What may be open (`{}`: the figures, by the plan) is asked with a token of no role.
            let ways = operation.get("security").and_then(Value::as_array);
            let guarded = ways.is_some_and(|ways| !ways.contains(&json!({})));
            assert_eq!(guarded, operation.get("x-roles").is_some(), "{path}");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let problem = answer["content"].get("application/problem+json").is_some();
                let is_refusal = status.starts_with(['4', '5']) && path != "/readyz";
                assert_eq!(problem, is_refusal, "{path} {status}");
            }
        }
    }
    let routes: BTreeSet<_> =
        ROUTES.iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    assert_eq!(described, routes);
}

#[test]
fn the_examples_in_the_document_are_valid() {
    let document = published();
    let mut seen = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if let Some(example) = schema.get("example") {
            is_valid(name, example);
            seen += 1;
        }
    }
    assert!(seen >= 14, "{seen}");
}

#[test]
fn whatever_the_document_refers_to_is_in_it() {
    fn refer(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| refer(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| refer(value, found)),
            _ => {}
        }
    }
    let (document, mut found) = (published(), BTreeSet::new());
    refer(&document, &mut found);
    let missing: Vec<_> = found.iter().filter(|at| document.pointer(&at[1..]).is_none()).collect();
    assert!(missing.is_empty() && found.len() > 15, "{missing:?} of {found:?}");
}

#[test]
fn the_document_wants_nothing_from_elsewhere() {
    assert!(!PUBLISHED.contains("http://") && !PUBLISHED.contains("https://"));
}
