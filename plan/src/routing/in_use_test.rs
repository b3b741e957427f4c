//! Aliases, days and greetings of numbers in the shipped plan: found, told, proved and compared.

use super::difference::Difference;
use super::fixture_test::{judged, sample};
use super::plan::DialledFrom::{self, HistoryInfo, RequestUri};
use super::plan::{Plan, Step};
use super::proof::outcome::{Outcome as Comes, Why};
use super::reach::Reached;
use super::{Dialled, Outcome};
use crate::time::Timestamp;

const MORNING: &str = "2026-03-02T09:00:00+08:00";

/// The shipped file without its tests; these lines are put behind the number's row.
fn with(edits: &[(&str, &str)], more: &str) -> Outcome {
    let text = sample();
    let parts = text.split("\n\n").filter(|part| !part.starts_with("[[test]]"));
    let mut text = parts.collect::<Vec<_>>().join("\n\n");
    for (number, lines) in edits {
        let head = format!("[[number]]\nnumber = \"{number}\"\n");
        assert!(text.contains(&head), "{number}");
        text = text.replacen(&head, &format!("{head}{lines}\n"), 1);
    }
    judged(&format!("{text}\n{more}"))
}

fn made(edits: &[(&str, &str)]) -> Outcome {
    let outcome = with(edits, "");
    assert!(outcome.plan.is_some(), "{}", outcome.report.render(false));
    outcome
}

fn plan(outcome: &Outcome) -> &Plan {
    outcome.plan.as_ref().expect("a plan")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The line, and the alias that it was found by.
fn found(plan: &Plan, places: &[(DialledFrom, &str)], when: &str) -> Option<(String, Option<String>)> {
    let dialled = Dialled(places.iter().map(|(place, value)| (*place, (*value).to_owned())).collect());
    let found = plan.find_line(&plan.trunks["carrier"], &dialled, at(when))?;
    Some((found.line.number.to_string(), found.alias.map(|alias| alias.to_string())))
}

fn dialled(plan: &Plan, number: &str, when: &str) -> Option<(String, Option<String>)> {
    found(plan, &[(RequestUri, number)], when)
}

fn steps(outcome: &Outcome, number: &str, when: &str) -> Vec<String> {
    let plan = plan(outcome);
    let dialled = Dialled::request_uri(number);
    let trunk = &plan.trunks["carrier"];
    let said = plan.explain(&outcome.origins, trunk, &dialled, "13800000000", at(when));
    said.steps.into_iter().map(|step| step.en).collect()
}

fn errors(outcome: &Outcome) -> Vec<&'static str> {
    outcome.report.diagnostics.iter().map(|found| found.code).filter(|code| code.starts_with('E')).collect()
}

#[test]
fn an_alias_is_dialled_in_every_form_of_a_number_and_in_no_other() {
    let outcome = made(&[("12319", "aliases = [\"4412345\", \"12345678\"]")]);
    let plan = plan(&outcome);
    let by = |alias: &str| Some(("12319".to_owned(), Some(alias.to_owned())));
    for form in [
        "4412345",
        "441-2345",
        "03934412345",
        "0393-4412345",
        "+863934412345",
        "00863934412345",
        "tel:+86-393-441-2345",
        "tel:4412345;phone-context=+86393",
        "sip:03934412345@192.0.2.1;user=phone",
    ] {
        assert_eq!(dialled(plan, form, MORNING), by("4412345"), "{form}");
    }
    assert_eq!(dialled(plan, "12319", MORNING), Some(("12319".to_owned(), None)));
    assert_eq!(dialled(plan, "12345678", MORNING), by("12345678"));
    for other in ["037104412345", "03714412345", "+864412345", "44123456", "441234", "112345"] {
        assert_eq!(dialled(plan, other, MORNING), None, "{other}");
    }
    // 12345 yields to it where the carrier forwarded a call that was dialled by it.
    let forwarded = [(RequestUri, "sip:12345@h"), (HistoryInfo, "sip:03934412345@carrier")];
    assert_eq!(found(plan, &forwarded, MORNING), by("4412345"));
    // A clerk is put through by neither: it is a line of our own; its name is known by both.
    assert_eq!(plan.callable("4412345"), plan.callable("12319"));
    assert_eq!(plan.line_name(&"4412345".into()), plan.line_name(&"12319".into()));
}

#[test]
fn an_alias_with_a_last_day_leads_to_the_line_through_it() {
    let outcome = made(&[("12319", "aliases = [{ number = \"4412345\", until = 2027-01-31 }]")]);
    let plan = plan(&outcome);
    let before = dialled(plan, "4412345", "2027-01-31T23:59:59+08:00");
    assert_eq!(before, Some(("12319".to_owned(), Some("4412345".to_owned()))));
    assert_eq!(dialled(plan, "4412345", "2027-02-01T00:00:00+08:00"), None);
    assert!(dialled(plan, "12319", "2027-02-01T00:00:00+08:00").is_some());
    let said = steps(&outcome, "4412345", "2027-02-01T00:00:00+08:00");
    assert_eq!(said, ["4412345 was an alias of 12319 through 2027-01-31: refused with 404"]);
}

#[test]
fn an_alias_is_reached_as_its_center_is_and_is_proved_through_the_rules_of_trunks() {
    let outcome = made(&[("12366", "aliases = [\"4412366\"]")]);
    let plan = plan(&outcome);
    assert_eq!(plan.reach("4412366"), plan.reach("12366"));
    assert!(plan.reach("4412366").is_some());
    // A rule that takes the alias for another number is found, as one is that takes the number.
    let text = sample().replace(
        "[[number]]\nnumber = \"12319\"\n",
        "[[number]]\nnumber = \"12319\"\naliases = [\"4412345\"]\n",
    );
    let rule = "[[trunk.rewrite.called_inward]]\nwhen = \"4412345\"\nto = \"12348\"\nexamples = [{ from = \"4412345\", to = \"12348\" }]\n";
    let text = text.replace("[[trunk]]\n# 市税务局 12366", &format!("{rule}[[trunk]]\n# 市税务局 12366"));
    assert_eq!(errors(&judged(&text)), ["E0637"]);
}

#[test]
fn an_alias_of_a_line_with_experts_reaches_them() {
    let outcome = made(&[("12348", "aliases = [\"4412348\"]")]);
    let plan = plan(&outcome);
    assert_eq!(plan.reach("4412348"), plan.reach("12348"));
    assert!(matches!(plan.reach("4412348"), Some(Reached::Group(_))));
}

#[test]
fn a_number_is_ours_from_its_first_day_and_cancelled_behind_its_last() {
    let outcome = made(&[("12319", "from = 2026-07-01\nuntil = 2026-12-31")]);
    let plan = plan(&outcome);
    let line = &plan.lines["12319"];
    let refused = |when: &str| match plan.flow(line, at(when)).steps[..] {
        [Step::Refuse { status }] => Some(status),
        _ => None,
    };
    for (when, is_found, status) in [
        ("2026-06-30T23:59:59+08:00", false, Some(404)),
        ("2026-06-30T16:00:00Z", true, None),
        ("2026-07-01T00:00:00+08:00", true, None),
        ("2026-12-31T23:59:59+08:00", true, None),
        ("2027-01-01T00:00:00+08:00", true, Some(410)),
        ("2030-01-01T00:00:00+08:00", true, Some(410)),
    ] {
        assert_eq!(dialled(plan, "12319", when).is_some(), is_found, "{when}");
        assert_eq!(refused(when), status, "{when}");
        let comes = plan.outcome(line, at(when));
        assert_eq!(comes == Comes::Nobody(Why::Refused(status.unwrap_or(0))), status.is_some(), "{when}");
        assert_eq!(plan.flow(line, at(when)).record, status.is_none(), "{when}");
    }
    // Before its day a call that was forwarded from it is one to 12345.
    let forwarded = [(RequestUri, "12345"), (HistoryInfo, "12319")];
    let line = |when: &str| found(plan, &forwarded, when).map(|(line, _)| line);
    assert_eq!(line("2026-06-30T23:59:59+08:00").as_deref(), Some("12345"));
    assert_eq!(line("2026-07-01T00:00:00+08:00").as_deref(), Some("12319"));
}

#[test]
fn it_is_told_how_a_number_stands_by_its_days_and_by_which_alias_it_was_found() {
    let outcome = made(&[("12319", "aliases = [\"4412345\"]\nfrom = 2026-07-01\nuntil = 2026-12-31")]);
    let first = |when: &str| steps(&outcome, "4412345", when).remove(0);
    assert_eq!(
        first("2026-06-30T23:00:00+08:00"),
        "4412345 is ours from 2026-07-01 on, and not yet: refused with 404"
    );
    assert_eq!(
        first("2026-07-01T00:00:00+08:00"),
        "the number is ours from 2026-07-01 through 2026-12-31, and cancelled then"
    );
    let over = steps(&outcome, "12319", "2027-01-01T00:00:00+08:00");
    assert_eq!(over, ["the number ended with 2026-12-31: it counts as cancelled", "refuses (410)"]);
    let own = plan(&outcome);
    let dialled = Dialled::request_uri("03934412345");
    let said =
        own.explain(&outcome.origins, &own.trunks["carrier"], &dialled, "1", at("2026-07-01T00:00:00+08:00"));
    let line = said.line.expect("a line");
    assert_eq!((line.number.as_str(), line.alias.as_deref()), ("12319", Some("4412345")));
    assert_eq!(line.number_as_dialled, "03934412345");
    let places: Vec<&str> = said.decided_by.iter().map(|place| place.text.as_str()).collect();
    for line in ["number = \"12319\"", "aliases = [\"4412345\"]", "from = 2026-07-01", "until = 2026-12-31"] {
        assert!(places.contains(&line), "{line}: {places:?}");
    }
}

#[test]
fn the_table_of_numbers_shows_aliases_and_days() {
    let outcome = made(&[(
        "12319",
        "aliases = [\"4412345\", { number = \"4412300\", until = 2026-09-30 }]\nfrom = 2026-07-01\nuntil = 2026-12-31",
    )]);
    for (when, treatment, proved) in [
        ("2026-06-30T23:59:59+08:00", "from 2026-07-01 on, not yet", true),
        ("2026-07-01T00:00:00+08:00", "as 12345, line kept, through 2026-12-31", true),
        ("2027-01-01T00:00:00+08:00", "ended 2026-12-31, refused", false),
    ] {
        let rows = plan(&outcome).readiness(at(when));
        let row = rows.into_iter().find(|row| row.number == "12319").expect("a row");
        assert_eq!(row.treatment.en, treatment, "{when}");
        assert_eq!(row.proof.is_some(), proved, "{when}");
        assert_eq!(row.aliases, ["4412345", "4412300 (2026-09-30)"]);
        assert_eq!(row.from.map(|day| day.to_string()).as_deref(), Some("2026-07-01"));
    }
}

#[test]
fn a_special_day_without_anybody_is_a_hole_only_on_days_on_which_the_number_is_ours() {
    let flow = "\n[[flow]]\nname = \"desk\"\n[[flow.step]]\nplay = \"greeting\"\n[[flow.step]]\nbranch = [{ outside = \"all_days\", to = \"closed\" }]\n\
                \n[[flow]]\nname = \"closed\"\n[[flow.step]]\nplay = \"no_seat\"\n[[flow.step]]\nhang_up = true\n\
                \n[[calendar]]\nname = \"all_days\"\npublic_holidays = false\nweekly = [{ days = \"daily\", from = \"00:00\", to = \"24:00\" }]\n\
                special = [{ day = 2029-05-04, name = \"停电检修\" }, { day = 2028-05-04, name = \"停电检修\" }]\n";
    let hole = |days: &str| errors(&with(&[("12319", &format!("flow = \"desk\"\n{days}"))], flow));
    assert_eq!(hole(""), ["E1101"]);
    assert_eq!(hole("until = 2029-05-04"), ["E1101"]);
    assert_eq!(hole("until = 2028-05-04"), ["E1101"]);
    assert_eq!(hole("until = 2028-05-03"), [""; 0]);
    assert_eq!(hole("from = 2028-05-05"), ["E1101"]);
    assert_eq!(hole("from = 2029-05-05"), [""; 0]);
    assert_eq!(hole("from = 2028-05-05\nuntil = 2029-05-03"), [""; 0]);
}

#[test]
fn a_files_tests_go_by_the_days() {
    let case = |when: &str, expect: &str| {
        let test = format!(
            "[[test]]\nname = \"{when}\"\nfrom = \"13800000000\"\nto = \"4412345\"\nat = {when}\nexpect = {{ {expect} }}\n"
        );
        errors(&with(&[("12319", "aliases = [\"4412345\"]\nfrom = 2026-07-01\nuntil = 2026-12-31")], &test))
    };
    assert_eq!(case("2026-06-30T23:59:59+08:00", "line = \"none\", refused = 404"), [""; 0]);
    assert_eq!(case("2026-07-01T00:00:00+08:00", "line = \"12319\", queue = \"main\""), [""; 0]);
    assert_eq!(case("2027-01-01T00:00:00+08:00", "line = \"12319\", refused = 410"), [""; 0]);
    assert_eq!(case("2027-01-01T00:00:00+08:00", "queue = \"main\"").len(), 1);
}

#[test]
fn which_greeting_is_heard() {
    let outcome = made(&[("12319", "greeting = \"cool_down\"")]);
    let plan = plan(&outcome);
    let flow = |number: &str| plan.flow(&plan.lines[number], at(MORNING));
    let said = |flow: &super::plan::Flow| -> Vec<String> {
        let before = flow.steps.iter().take_while(|step| !matches!(step, Step::Queue(_)));
        before
            .filter_map(|step| match step {
                Step::Play(prompt) => Some(prompt.to_string()),
                _ => None,
            })
            .collect()
    };
    assert_eq!(
        (said(&flow("12319")), said(&flow("12348"))),
        (vec!["cool_down".to_owned()], vec!["greeting".to_owned()])
    );
    for (number, expected) in [("12319", "surge_greeting"), ("12348", "surge_greeting")] {
        let mut flow = flow(number);
        flow.greet_in_surge(plan);
        assert_eq!(said(&flow), [expected], "{number}");
        let mut flow = plan.flow(&plan.lines[number], at(MORNING));
        flow.go_straight(plan);
        assert_eq!(said(&flow), [""; 0], "{number}");
    }
    // It counts in the time until a person, as any word does.
    let silent =
        |number: &str| plan.worst(&plan.lines[number]).and_then(|worst| worst.silent).expect("a way");
    let length = |prompt: &str| plan.prompts[prompt].length();
    let longest = |own: &str| length(own).max(length("surge_greeting"));
    assert!(longest("cool_down") > longest("greeting"), "else nothing is told apart");
    assert_eq!(silent("12319") + longest("greeting"), silent("12348") + longest("cool_down"));
    // A variant in the line's language is heard in its place.
    let explained = steps(&outcome, "12319", MORNING);
    assert!(explained.iter().any(|step| step.starts_with("plays cool_down")), "{explained:?}");
}

#[test]
fn clerks_are_told_what_an_emergency_center_takes_and_whether_they_stay() {
    let text = sample().replacen(
        "number = \"120\"\ntrunk = \"emergency\"\n",
        "number = \"120\"\ntrunk = \"emergency\"\nscope = \"医疗急救\"\narea = \"市城区\"\nstay = false\n",
        1,
    );
    let (old, new) = (judged(&sample()), judged(&text));
    let own = plan(&new);
    let dialled = Dialled::request_uri("120");
    let said = own.explain_seat(&new.origins, &own.seats["1001"], &dialled, at(MORNING));
    let steps: Vec<&str> = said.steps.iter().map(|step| step.zh.as_str()).collect();
    assert!(steps.contains(&"120 的受理范围: 医疗急救（市城区）"), "{steps:?}");
    assert!(steps.contains(&"请进通话时，对方接听之前座席也可以离开"), "{steps:?}");
    let places: Vec<&str> = said.decided_by.iter().map(|place| place.text.as_str()).collect();
    assert!(places.contains(&"area = \"市城区\"") && places.contains(&"stay = false"), "{places:?}");
    assert!(!own.keeps_clerk(&own.emergency["120"]) && own.keeps_clerk(&own.emergency["119"]));
    let said = Difference::between(plan(&old), own);
    let said: Vec<String> = said.changes.into_iter().map(|change| change.text.en).collect();
    assert_eq!(
        said,
        [
            "emergency number 120: scope - → 医疗急救",
            "emergency number 120: area - → 市城区",
            "emergency number 120: clerks stay until it answers yes → no",
        ]
    );
}

#[test]
fn what_changes_of_a_number_is_told_in_words() {
    let (old, new) = (
        made(&[]),
        made(&[(
            "12319",
            "aliases = [\"4412345\", { number = \"4412300\", until = 2026-09-30 }]\nfrom = 2026-01-01\nuntil = 2026-12-31\ngreeting = \"surge_greeting\"",
        )]),
    );
    let said = Difference::between(plan(&old), plan(&new));
    let said: Vec<String> =
        said.changes.into_iter().map(|change| format!("{} / {}", change.text.zh, change.text.en)).collect();
    assert_eq!(
        said,
        [
            "号码 12319: 别名 - → 4412345, 4412300 (2026-09-30) / number 12319: aliases - → 4412345, 4412300 (2026-09-30)",
            "号码 12319: 启用日 - → 2026-01-01 / number 12319: from - → 2026-01-01",
            "号码 12319: 停用日 - → 2026-12-31 / number 12319: until - → 2026-12-31",
            "号码 12319: 自有问候语 - → surge_greeting / number 12319: own greeting - → surge_greeting",
        ]
    );
}
