//! Telephone numbers in what is shown to people who need not know them.

use serde_json::Value;

use crate::id::mask;

/// Shorter runs of digits are numbers of services and seats.
const PERSONAL_FROM: usize = 7;

/// What stands between the groups of one number, beside blanks; at most so many of them together.
const GAPS: [char; 12] = ['-', '.', '(', ')', '·', '‐', '‑', '–', '—', '－', '（', '）'];
const GAP_MAX: usize = 2;

/// Fields of a key that was pressed, and of a pick-up code: it opens a ticket's progress to whoever knows it. A code in
/// letters is one of `[disposition]`.
const KEYS: [&str; 2] = ["digit", "code"];

/// Fields of facts and records that hold long runs of digits and no number of a person.
const HARMLESS: [&str; 17] = [
    "org",
    "article",
    "version",
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
                    Value::String(key) if KEYS.contains(&name.as_str()) && is_keys(key) => {
                        "*".clone_into(key)
                    }
                    value => hide(value, rest),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_keys(text: &str) -> bool {
    text.chars().all(|letter| letter.is_numeric() || matches!(letter, '*' | '#'))
}

/// Long runs of digits, each masked, or left out with a plus in front of it. One number may be written in groups, and
/// in digits of any script.
fn hidden(text: &str, rest: Rest) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut shown = String::with_capacity(text.len());
    let mut left = &letters[..];
    while let Some(start) = left.iter().position(|letter| letter.is_numeric()) {
        let (before, from) = left.split_at(start);
        let (run, after) = from.split_at(end_of_run(from));
        let digits: String = run.iter().filter(|letter| letter.is_numeric()).collect();
        let personal = digits.chars().count() >= PERSONAL_FROM;
        let before = match before {
            [before @ .., '+'] if personal && rest == Rest::Nothing => before,
            before => before,
        };
        shown.extend(before);
        match rest {
            _ if !personal => shown.extend(run),
            Rest::Masked => {
                let masked = mask(&digits).to_string();
                let mut masked = masked.chars();
                let in_place =
                    |letter: &char| if letter.is_numeric() { masked.next() } else { Some(*letter) };
                shown.extend(run.iter().filter_map(in_place));
            }
            Rest::Nothing => {}
        }
        left = after;
    }
    shown.extend(left);
    shown
}

/// Where digits end, over the gaps in which people write numbers: `138 0000 0042`, `(0393) 441-2345`.
fn end_of_run(letters: &[char]) -> usize {
    let mut end = 0;
    for (at, letter) in letters.iter().enumerate() {
        if letter.is_numeric() {
            end = at + 1;
        } else if !letter.is_whitespace() && !GAPS.contains(letter) || at - end >= GAP_MAX {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_is_one_in_groups_and_in_digits_of_any_script() {
        for (text, masked, nothing) in [
            ("请回 138 0000 0042 谢谢", "请回 138 **** **42 谢谢", "请回  谢谢"),
            ("138-0000-0042", "138-****-**42", ""),
            ("１３８００００００４２", "１３８******４２", ""),
            ("+86 (138) 0000—0042。", "+86 (1**) ****—**42。", "。"),
            ("12345，12366", "12345，12366", "12345，12366"),
            ("12345 / 110", "12345 / 110", "12345 / 110"),
            ("3 - - - 138000", "3 - - - 138000", "3 - - - 138000"),
            ("", "", ""),
        ] {
            assert_eq!(hidden(text, Rest::Masked), masked);
            assert_eq!(hidden(text, Rest::Nothing), nothing);
        }
    }

    #[test]
    fn numbers_of_people_are_hidden_wherever_they_stand_and_others_are_not() {
        let mut record = json!({
            "caller": "13800000042", "peer": "center/13800000042", "digits": "410900199001011234",
            "number": "12315", "ticket": "21090100001", "opened_at": "2021-09-01T01:00:00.123456789Z",
            "legs": [{ "party": "peer", "number": "+8613800000042" }], "seat": "1001", "talked_ms": 12_345_678,
            "digit": "7", "reason": { "digit": 7 }, "code": "004711",
            "handed_on": { "code": "complaint" }, "from_peer": { "org": "410928100" },
        });
        let mut nobodys = record.clone();
        hide(&mut record, Rest::Masked);
        let expected = json!({
            "caller": "138******42", "peer": "center/138******42", "digits": "410*************34",
            "number": "12315", "ticket": "21090100001", "opened_at": "2021-09-01T01:00:00.123456789Z",
            "legs": [{ "party": "peer", "number": "+861********42" }], "seat": "1001", "talked_ms": 12_345_678,
            "digit": "*", "reason": { "digit": 7 }, "code": "*",
            "handed_on": { "code": "complaint" }, "from_peer": { "org": "410928100" },
        });
        assert_eq!(record, expected);
        hide(&mut nobodys, Rest::Nothing);
        let expected = json!({
            "caller": "", "peer": "center/", "digits": "",
            "number": "12315", "ticket": "21090100001", "opened_at": "2021-09-01T01:00:00.123456789Z",
            "legs": [{ "party": "peer", "number": "" }], "seat": "1001", "talked_ms": 12_345_678,
            "digit": "*", "reason": { "digit": 7 }, "code": "*",
            "handed_on": { "code": "complaint" }, "from_peer": { "org": "410928100" },
        });
        assert_eq!(nobodys, expected);
    }
}
