//! Every form in which each number is dialled, and forms that only look like it.

use hotline::routing::Dialled;

use super::city::{now, plan};
use super::list::{EMERGENCY, LIST};

/// The number that a Request-URI reaches.
fn reached(request_uri: &str) -> Option<String> {
    let trunk = &plan().trunks["carrier"];
    let dialled = Dialled::request_uri(request_uri);
    plan().find_line(trunk, &dialled, now()).map(|found| found.line.number.to_string())
}

fn numbers() -> impl Iterator<Item = &'static str> {
    LIST.iter().map(|row| row.2).chain(["12345"])
}

/// The forms of a number: bare, with area code, with country code, in each kind of URI.
fn forms(number: &str) -> Vec<String> {
    let bare = [
        number.to_owned(),
        format!("0393{number}"),
        format!("0393-{number}"),
        format!("+86393{number}"),
        format!("+86-393-{number}"),
        format!("0086393{number}"),
    ];
    let mut forms = Vec::new();
    for user in bare {
        forms.push(format!("tel:{user}"));
        forms.push(format!("sip:{user}@192.0.2.1"));
        forms.push(format!("sip:{user}@192.0.2.1:5060;user=phone"));
        forms.push(format!("sip:{user}@[2001:db8::1];user=phone"));
        forms.push(format!("sips:{user}@carrier.example"));
        forms.push(format!("<sip:{user}@carrier.example;user=phone>"));
        forms.push(user);
    }
    forms.push(format!("tel:{number};phone-context=+86393"));
    forms.push(format!("sip:{number};phone-context=+86393@carrier.example;user=phone"));
    forms.push(format!("sip:%2B86393{number}@carrier.example;user=phone"));
    forms
}

#[test]
fn every_number_is_reached_in_every_form_of_it() {
    for number in numbers() {
        for form in forms(number) {
            assert_eq!(reached(&form).as_deref(), Some(number), "{form}");
        }
    }
    assert_eq!(reached("+8612345").as_deref(), Some("12345"), "some carriers leave the area code out");
    assert_eq!(reached("tel:+86-393-442-0000").as_deref(), Some("4420000"));
}

#[test]
fn a_number_with_a_digit_more_or_less_reaches_nobody_by_chance() {
    let mut near = Vec::new();
    for number in numbers().chain(EMERGENCY) {
        near.extend((0..=9).flat_map(|digit| [format!("{number}{digit}"), format!("{digit}{number}")]));
        near.push(number[1..].to_owned());
        near.push(number[..number.len() - 1].to_owned());
    }
    for dialled in near {
        assert_eq!(reached(&dialled), None, "{dialled}");
    }
}

#[test]
fn what_only_contains_a_number_is_not_that_number() {
    for (dialled, expected) in [
        ("96119", Some("96119")), // The fire line, and not 119.
        ("119", None),
        ("9119", None),
        ("961190", None),
        ("1234", None),
        ("123456", None),
        ("12345 ", Some("12345")),
        ("1 2345", None),
        ("12345#", None),
        ("*12345", None),
        ("0086119", None),
        ("0086110", None),
        ("+86119", None),
        ("+86393119", None),
        ("0393119", None),
        ("012345", None),
        ("0012345", None),
        ("037112345", None),
        ("+8637112345", None),
        ("01012345", None),
        ("+112345", None),
        ("+85212345", None),
        ("tel:12345;phone-context=+86371", None),
        ("03714420000", None),
        ("+864420000", None),
        ("420000", None),
        ("44200000", None),
        ("sip:anonymous@anonymous.invalid", None),
        ("sip:12345", None),
        ("urn:service:sos.fire", None),
        ("", None),
    ] {
        assert_eq!(reached(dialled).as_deref(), expected, "{dialled:?}");
    }
}

#[test]
fn emergency_numbers_are_never_lines_in_any_form() {
    for number in EMERGENCY {
        for form in forms(number) {
            assert_eq!(reached(&form), None, "{form}");
        }
        assert!(!plan().lines.contains(number));
    }
}
