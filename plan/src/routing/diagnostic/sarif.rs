//! What was found, for programs that show it beside the lines of a change: SARIF 2.1.0 (OASIS standard of 2020).
//!
//! One run of one tool. Rules are the codes that were found, with their pages as help; results are the problems in
//! the order of the report. Sections of the standard are named where they are kept to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::pages::{Page, Pages};
use super::{Diagnostic, Report, Severity, Spot, Text};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

impl Report {
    /// The whole log file.
    pub fn to_sarif(&self, version: &str) -> Value {
        let pages = Pages::read();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut rules: Vec<Value> = Vec::new();
        for found in &self.diagnostics {
            places.entry(found.code).or_insert_with(|| {
                rules.push(rule(found, found.page(&pages)));
                rules.len() - 1
            });
        }
        let result = |found: &Diagnostic| self.result(found, places.get(found.code).copied());
        json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "hotline", "version": version, "rules": rules } },
                "columnKind": "unicodeCodePoints", // §3.14.17: columns are counted in characters.
                "invocations": [{
                    "executionSuccessful": !self.unreadable,
                    "exitCode": self.exit_code(),
                }],
                "results": self.diagnostics.iter().map(result).collect::<Vec<_>>(),
            }],
        })
    }

    /// §3.27.
    fn result(&self, found: &Diagnostic, rule: Option<usize>) -> Value {
        let mut result = json!({
            "ruleId": found.code,
            "ruleIndex": rule,
            "level": level(found.severity),
            "message": { "text": message(found) },
            "locations": [self.location(&found.spot)],
        });
        if let Some((spot, note)) = &found.related {
            let mut related = self.location(spot);
            related["id"] = json!(1);
            related["message"] = json!({ "text": both(note) });
            result["relatedLocations"] = json!([related]);
        }
        result
    }

    /// §3.28: a place in a file, and the key. What the command line says has no file.
    fn location(&self, spot: &Spot) -> Value {
        let mut location = json!({
            "logicalLocations": [{ "fullyQualifiedName": spot.key, "kind": "member" }],
        });
        let source = spot.file.and_then(|file| self.sources.get(file));
        let (Some(source), Some(place)) = (source, self.place(spot)) else { return location };
        let shown = source.visible(&spot.span);
        let length = source.text.get(shown).map_or(0, |text| text.chars().count());
        let mut region = json!({
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.line,
            "endColumn": place.column + length, // §3.30.8: behind the last character.
        });
        if !place.text.is_empty() {
            region["snippet"] = json!({ "text": place.text });
        }
        location["physicalLocation"] =
            json!({ "artifactLocation": { "uri": uri(&place.file) }, "region": region });
        location
    }
}

/// §3.49.
fn rule(found: &Diagnostic, page: Option<&Page>) -> Value {
    let mut rule = json!({
        "id": found.code,
        "defaultConfiguration": { "level": level(found.severity) },
    });
    if let Some(page) = page {
        rule["shortDescription"] = json!({ "text": both(&page.title) });
        rule["fullDescription"] = json!({ "text": both(&page.means) });
        rule["help"] = json!({ "text": page.render(), "markdown": markdown(page) });
    }
    rule
}

/// §3.12.4: the same help for those who show it with headings.
fn markdown(page: &Page) -> String {
    let Page { title, means, example, notice, mend, .. } = page;
    format!(
        "**{} / {}**\n\n{}\n\n{}\n\n```toml\n{example}\n```\n\n**后果 / effect** {}\n\n{}\n\n**办法 / remedy** {}\n\n{}\n",
        title.zh, title.en, means.zh, means.en, notice.zh, notice.en, mend.zh, mend.en,
    )
}

fn message(found: &Diagnostic) -> String {
    let parts = [Some(&found.problem), found.effect.as_ref(), found.remedy.as_ref()];
    let mut text = parts.into_iter().flatten().map(both).collect::<Vec<_>>().join("\n");
    if let Some(nearest) = &found.nearest {
        text.push_str(&format!("\n最相近 / nearest: {nearest}"));
    }
    text
}

fn both(text: &Text) -> String {
    format!("{} / {}", text.zh, text.en)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A file's name as a reference of RFC 3986: relative where the name is.
fn uri(name: &str) -> String {
    let mut uri = String::new();
    for byte in name.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    if name.starts_with('/') { format!("file://{uri}") } else { uri }
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn names_of_files_are_references() {
        assert_eq!(uri("routing.toml"), "routing.toml");
        assert_eq!(uri("../濮阳 1.toml"), "../%E6%BF%AE%E9%98%B3%201.toml");
        assert_eq!(uri("/etc/hotline/a:b.toml"), "file:///etc/hotline/a%3Ab.toml");
    }
}
