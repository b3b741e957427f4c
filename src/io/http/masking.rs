//! Telephone numbers in what is shown to people who need not know them.

use serde_json::Value;

use crate::id::mask;

/// Shorter runs of digits are numbers of services and seats.
const PERSONAL_FROM: usize = 7;

/// Fields of a key that was pressed, and of a pick-up code: it opens a ticket's progress to whoever knows it.
const KEYS: [&str; 2] = ["digit", "code"];

/// Fields of facts and records that hold long runs of digits and no number of a person.
const HARMLESS: [&str; 14] = [
    "call",
    "of",
    "ticket",
    "tickets",
    "line",
    "plan",
    "wire_ref",
    "file",
    "recording",
    "room",
    "meeting",
    "history",
    "at",
    "trunk",
];

/// What is left of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Its first and last digits.
    Masked,
    /// Nothing: its caller wants to be known to nobody.
    Nothing,
}

/// Hides numbers in all texts of a fact or record. What a later fact brings is hidden unless it is known to be
/// harmless.
pub(super) fn hide(value: &mut Value, rest: Rest) {
    match value {
        Value::String(text) => *text = hidden(text, rest),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, rest)),
        Value::Object(fields) => {
            let told = |name: &str| HARMLESS.contains(&name) || name.ends_with("_at");
            for (name, value) in fields.iter_mut().filter(|(name, _)| !told(name)) {
                match value {
                    // One key after another is a number, too.
                    Value::String(key) if KEYS.contains(&name.as_str()) => *key = "*".to_owned(),
                    value => hide(value, rest),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Long runs of digits, each masked, or left out with a plus in front of it.
fn hidden(text: &str, rest: Rest) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut left = text;
    while let Some(start) = left.find(|letter: char| letter.is_ascii_digit()) {
        let (before, run) = left.split_at(start);
        let end = run.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(run.len());
        let (run, after) = run.split_at(end);
        match (run.len() >= PERSONAL_FROM, rest) {
            (false, _) => shown.extend([before, run]),
            (true, Rest::Masked) => shown.extend([before, &mask(run).to_string()]),
            (true, Rest::Nothing) => shown.push_str(before.strip_suffix('+').unwrap_or(before)),
        }
        left = after;
    }
    shown.push_str(left);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_people_are_hidden_wherever_they_stand_and_others_are_not() {
        let mut record = json!({
            "caller": "13800000042", "peer": "center/13800000042", "digits": "410900199001011234",
            "number": "12315", "ticket": "21090100001", "opened_at": "2021-09-01T01:00:00.123456789Z",
            "legs": [{ "party": "peer", "number": "+8613800000042" }], "seat": "1001", "talked_ms": 12_345_678,
            "digit": "7", "reason": { "digit": 7 }, "code": "004711",
        });
        let mut nobodys = record.clone();
        hide(&mut record, Rest::Masked);
        let expected = json!({
            "caller": "138******42", "peer": "center/138******42", "digits": "410*************34",
            "number": "12315", "ticket": "21090100001", "opened_at": "2021-09-01T01:00:00.123456789Z",
            "legs": [{ "party": "peer", "number": "+861********42" }], "seat": "1001", "talked_ms": 12_345_678,
            "digit": "*", "reason": { "digit": 7 }, "code": "*",
        });
        assert_eq!(record, expected);
        hide(&mut nobodys, Rest::Nothing);
        let expected = json!({
            "caller": "", "peer": "center/", "digits": "",
            "number": "12315", "ticket": "21090100001", "opened_at": "2021-09-01T01:00:00.123456789Z",
            "legs": [{ "party": "peer", "number": "" }], "seat": "1001", "talked_ms": 12_345_678,
            "digit": "*", "reason": { "digit": 7 }, "code": "*",
        });
        assert_eq!(nobodys, expected);
    }
}
