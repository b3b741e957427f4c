//! JSON Schema (2020-12) of the operator's files, for editors: made of what the readers [read](super::shape) and
//! of the words that the [sample](super::sample) has for it.
//!
//! It refuses nothing that the check takes. What hangs on other tables, on files or on time is for the check alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::prompts::ManifestTable;
use super::shape::{Case, Description, Form, Key, Shape, Table, describe};
use super::tables::RoutingTable;

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// `routing.toml`.
    Routing,
    /// A file that it includes: any part of a plan.
    Included,
    /// `prompts.toml`.
    Prompts,
}

/// The schema of a file.
pub fn schema(whose: Whose) -> Value {
    let (description, words, title) = match whose {
        Whose::Routing => (describe(RoutingTable::read), super::sample::keys(), "hotline: routing.toml"),
        Whose::Included => {
            (describe(RoutingTable::read), super::sample::keys(), "hotline: a part of routing.toml")
        }
        Whose::Prompts => (describe(ManifestTable::read), BTreeMap::new(), "hotline: prompts.toml"),
    };
    let making = Making { description: &description, words: &words };
    let mut top = match making.table("") {
        Value::Object(top) => top,
        _ => Map::new(), // A table's is always an object.
    };
    match whose {
        Whose::Routing => may_be_elsewhere(&mut top),
        Whose::Included => drop(top.remove("required")),
        Whose::Prompts => {}
    }
    top.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    top.insert("title".into(), title.into());
    Value::Object(top)
}

/// Every key that is read of a file, `number.transition.start`; of lists of tables, the keys of one.
pub fn keys(whose: Whose) -> Vec<String> {
    let description = match whose {
        Whose::Routing | Whose::Included => describe(RoutingTable::read),
        Whose::Prompts => describe(ManifestTable::read),
    };
    let tables = description.tables.iter();
    let keys = tables.flat_map(|(at, table)| table.keys.iter().map(|(name, _)| plain(&join(at, name))));
    let mut keys: Vec<String> = keys.collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Keys with a default that the [effective view](super::effective) has no way of writing: none, or a type lacks its
/// `written`.
pub fn unwritten() -> Vec<String> {
    let description = describe(RoutingTable::read);
    let tables = description.tables.iter();
    let keys = tables.flat_map(|(at, table)| table.keys.iter().map(move |(name, key)| (at, name, key)));
    keys.filter(|(_, _, key)| key.unwritten).map(|(at, name, _)| join(at, name)).collect()
}

/// What the top must have may stand in a file that it includes.
fn may_be_elsewhere(top: &mut Map<String, Value>) {
    let Some(Value::Array(required)) = top.remove("required") else { return };
    let (own, tables): (Vec<Value>, Vec<Value>) = required.into_iter().partition(|name| name == "schema");
    top.insert("required".into(), own.into());
    top.insert("if".into(), json!({ "not": { "required": ["include"] } }));
    top.insert("then".into(), json!({ "required": tables }));
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// A key without the places in lists.
fn plain(key: &str) -> String {
    key.replace("[0]", "")
}

struct Making<'a> {
    description: &'a Description,
    words: &'a BTreeMap<String, String>,
}

impl Making<'_> {
    fn table(&self, at: &str) -> Value {
        let Some(table) = self.description.tables.get(at) else { return json!({ "type": "object" }) };
        let properties: Map<String, Value> = table
            .keys
            .iter()
            .map(|(name, key)| ((*name).to_owned(), self.key(&join(at, name), key)))
            .collect();
        let mut found = Map::new();
        found.insert("type".into(), "object".into());
        found.insert("properties".into(), properties.into());
        found.insert("additionalProperties".into(), false.into());
        if !table.required.is_empty() {
            found.insert("required".into(), table.required.iter().copied().collect());
        }
        let cases = cases(table);
        if !cases.is_empty() {
            found.insert("allOf".into(), cases.into());
        }
        Value::Object(found)
    }

    fn key(&self, at: &str, key: &Key) -> Value {
        let mut found = self.value(at);
        let shapes = self.description.values.get(at).into_iter().flatten();
        let said = self.words.get(&plain(at)).filter(|words| !words.is_empty());
        let mut lines: Vec<String> = said.cloned().into_iter().collect();
        lines.extend(shapes.filter_map(|shape| {
            let text = shape.text.as_ref()?;
            Some(format!("{} / {}", text.zh, text.en))
        }));
        if let Some(effect) = &key.effect {
            lines.push(format!("不可缺少: {}\nrequired: {}", effect.zh, effect.en));
        }
        if let Value::Object(found) = &mut found {
            if !lines.is_empty() {
                found.insert("description".into(), lines.join("\n\n").into());
            }
            if let Some(usual) = &key.usual {
                found.insert("default".into(), usual.json());
            }
        }
        found
    }

    fn value(&self, at: &str) -> Value {
        let mut kinds: Vec<Value> = Vec::new();
        for shape in self.description.values.get(at).into_iter().flatten() {
            for kind in &shape.kinds {
                let found = self.kind(kind, shape, at);
                if !kinds.contains(&found) {
                    kinds.push(found);
                }
            }
        }
        match kinds.pop() {
            Some(one) if kinds.is_empty() => one,
            Some(last) => {
                kinds.push(last);
                json!({ "anyOf": kinds })
            }
            None => json!({}),
        }
    }

    fn kind(&self, kind: &str, shape: &Shape, at: &str) -> Value {
        match kind {
            "string" if !shape.words.is_empty() => words(shape),
            "string" => text(&shape.form),
            "integer" => match shape.form.bounds {
                Some((least, most)) => json!({ "type": "integer", "minimum": least, "maximum": most }),
                None => json!({ "type": "integer" }),
            },
            "array" => json!({ "type": "array", "items": self.value(&format!("{at}[0]")) }),
            "object" if self.description.tables.contains_key(at) => self.table(at),
            "object" => match shape.form.each {
                Some(pattern) => {
                    let each = json!({ "type": "string", "pattern": pattern });
                    let mut found = json!({ "type": "object", "additionalProperties": each });
                    if let Some(names) = shape.form.names {
                        found["propertyNames"] = json!({ "pattern": names });
                    }
                    found
                }
                None => json!({ "type": "object" }),
            },
            other => json!({ "type": other }),
        }
    }
}

/// Text of a form.
fn text(form: &Form) -> Value {
    let mut found = json!({ "type": "string" });
    if let Some(pattern) = form.pattern {
        found["pattern"] = pattern.into();
    }
    if let Some(format) = form.format {
        found["format"] = format.into();
    }
    found
}

/// One of some words.
fn words(shape: &Shape) -> Value {
    let exact = json!({ "type": "string", "enum": shape.words });
    if !shape.form.any_case {
        return exact;
    }
    let letter = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!("[{}{}]", letter.to_ascii_uppercase(), letter.to_ascii_lowercase()),
        false => letter.to_string(),
    };
    let any: Vec<String> = shape.words.iter().map(|word| word.chars().map(letter).collect()).collect();
    json!({ "anyOf": [exact, { "type": "string", "pattern": format!("^({})$", any.join("|")) }] })
}

/// What must be there besides, case by case.
fn cases(table: &Table) -> Vec<Value> {
    let cases = table.cases().map(|(case, needs)| {
        let when = match case {
            Case::Word(name, word) => {
                json!({ "properties": { *name: { "const": word } }, "required": [name] })
            }
            Case::There(name) => json!({ "required": [name] }),
        };
        json!({ "if": when, "then": { "required": needs } })
    });
    cases.collect()
}
