//! Faults of calls to the outside, of what clerks dial, and of the names that they choose from.

use std::time::Duration;

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0103",
        what: "a list where names and words belong",
        edits: &[add!("[disposition]\ntypes = ⟦[\"咨询\"]⟧")],
    },
    Fixture {
        code: "E0107",
        what: "more than all are asked",
        edits: &[add!(
            "[calling]\nprefix = \"8\"\nallowed = [\"13\"]\ntrunk = \"tax\"\nline = \"12345\"\n[follow_up]\npercent = ⟦101⟧"
        )],
    },
    Fixture { code: "E0107", what: "a list of years", edits: &[add!("[missed]\nkeep = ⟦\"9999h\"⟧")] },
    Fixture {
        code: "E0121",
        what: "a pattern for a beginning",
        edits: &[add!("[calling]\nprefix = \"8\"\nallowed = [⟦\"13*\"⟧]\ntrunk = \"tax\"\nline = \"12345\"")],
    },
    Fixture {
        code: "E0122",
        what: "a beginning that is no key",
        edits: &[add!("[work]\nprefix = ⟦\"+3\"⟧")],
    },
    Fixture {
        code: "E0122",
        what: "a star in front of numbers outside",
        edits: &[add!("[calling]\nprefix = ⟦\"*8\"⟧\nallowed = [\"13\"]\ntrunk = \"tax\"\nline = \"12345\"")],
    },
    Fixture {
        code: "E0123",
        what: "a code that no program likes",
        edits: &[add!("[disposition.types]\n⟦Consultation⟧ = \"咨询\"")],
    },
    Fixture {
        code: "E0303",
        what: "calls by a trunk that is not there",
        edits: &[add!(
            "[calling]\nprefix = \"8\"\nallowed = [\"13\"]\ntrunk = ⟦\"outside\"⟧\nline = \"12345\""
        )],
    },
    Fixture {
        code: "E0306",
        what: "calls that show a number which is not ours",
        edits: &[add!("[calling]\nprefix = \"8\"\nallowed = [\"13\"]\ntrunk = \"tax\"\nline = ⟦\"12344\"⟧")],
    },
    Fixture {
        code: "E0415",
        what: "one code for two matters",
        edits: &[add!(
            "[disposition.types]\nreport = \"举报\"\n[disposition.not_accepted]\n⟦report⟧ = \"举报\""
        )],
    },
    Fixture {
        code: "E0415",
        what: "one name for two codes",
        edits: &[add!("[disposition.types]\nreport = \"举报\"\ncomplaint = ⟦\"举报\"⟧")],
    },
    Fixture {
        code: "E0421",
        what: "a number outside that could be a room",
        edits: &[
            add!("[calling]\nprefix = ⟦\"9\"⟧\nallowed = [\"13\"]\ntrunk = \"tax\"\nline = \"12345\""),
            Edit::Plan(
                "[[emergency]]",
                "[[meeting]]\nname = \"m\"\nprefix = \"94\"\ndigits = 6\n\n[[emergency]]",
            ),
        ],
    },
    Fixture {
        code: "E0421",
        what: "a number outside that could be a line",
        edits: &[add!("[calling]\nprefix = ⟦\"12\"⟧\nallowed = [\"13\"]\ntrunk = \"tax\"\nline = \"12345\"")],
    },
    Fixture {
        code: "E0421",
        what: "a state that could be listening",
        edits: &[add!("[work]\nprefix = \"*9\"\nwatch_prefix = ⟦\"*93\"⟧")],
    },
    Fixture {
        code: "E0422",
        what: "two reasons by one digit",
        edits: &[add!(
            "[work]\naway = [{ digit = \"1\", name = \"用餐\" }, { digit = ⟦\"1\"⟧, name = \"培训\" }]"
        )],
    },
    Fixture {
        code: "E0422",
        what: "one reason by two digits",
        edits: &[add!(
            "[work]\naway = [{ digit = \"1\", name = \"用餐\" }, { digit = \"2\", name = ⟦\"用餐\"⟧ }]"
        )],
    },
    Fixture {
        code: "E0423",
        what: "away by the digit of who is back",
        edits: &[add!("[work]\naway = [{ digit = ⟦\"0\"⟧, name = \"用餐\" }]")],
    },
    Fixture {
        code: "E0302",
        what: "words about an observer that nobody recorded",
        edits: &[add!("[work]\nobserver_prompt = ⟦\"visitor\"⟧")],
    },
    Fixture {
        code: "E0904",
        what: "emergency numbers by the carrier",
        edits: &[add!("[calling]\nprefix = \"8\"\nallowed = [⟦\"1\"⟧]\ntrunk = \"tax\"\nline = \"12345\"")],
    },
    Fixture {
        code: "E0905",
        what: "a question after days by nobody",
        edits: &[add!("⟦[follow_up]⟧\npercent = 20")],
    },
    Fixture {
        code: "W0115",
        what: "any number in the world",
        edits: &[add!("[calling]\nprefix = \"8\"\nallowed = [⟦\"\"⟧]\ntrunk = \"tax\"\nline = \"12345\"")],
    },
    Fixture {
        code: "W0116",
        what: "numbers at a premium rate",
        edits: &[add!(
            "[calling]\nprefix = \"8\"\nallowed = [\"13\", ⟦\"168\"⟧]\ntrunk = \"tax\"\nline = \"12345\""
        )],
    },
    Fixture {
        code: "W1070",
        what: "codes of long-distance calls",
        edits: &[add!(
            "[calling]\nprefix = \"8\"\nallowed = [\"13\", ⟦\"17\"⟧]\ntrunk = \"tax\"\nline = \"12345\""
        )],
    },
];

#[test]
fn codes_call_backs_and_ways_outside_reach_the_plan() {
    let files = Files::with(&[add!(
        "[calling]\nprefix = \"8\"\nallowed = [\"13\", \"0393\"]\ntrunk = \"tax\"\nline = \"12345\"\nring = \"25s\"\n[disposition.types]\nsuggestion = \"意见建议\"\nhelp = \"求助\"\n[disposition.unsurveyed]\nmediation = \"行政调解\"\n[missed]\nafter = \"5s\"\n[follow_up]\npercent = 20\nat_once = 4\nhours = [{ days = \"daily\", from = \"09:00\", to = \"18:00\" }]\n[work]\naway = [{ digit = \"1\", name = \"用餐\", most = \"1h\" }, { digit = \"2\", name = \"培训\" }]\nrest = \"3min\"\nwatch_prefix = \"\""
    )]);
    let outcome = files.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    assert_eq!(codes(&outcome.report), [""; 0]);
    let calling = plan.calling.expect("a way outside");
    assert_eq!(
        (calling.prefix.as_str(), calling.trunk.as_str(), calling.line.as_str()),
        ("8", "tax", "12345")
    );
    assert_eq!((calling.allowed, calling.ring.as_secs()), (vec!["13".to_owned(), "0393".to_owned()], 25));
    let types: Vec<_> =
        plan.disposition.types.iter().map(|code| (code.code.as_str(), code.name.as_str())).collect();
    assert_eq!(types, [("suggestion", "意见建议"), ("help", "求助")], "in the order of the file");
    assert_eq!(plan.disposition.unsurveyed.len(), 1);
    assert!(plan.missed.enabled && plan.missed.after == Duration::from_secs(5) && plan.missed.tries == 3);
    assert!(plan.follow_up.enabled && plan.follow_up.percent == 20 && plan.follow_up.at_once == 4);
    assert_eq!(plan.follow_up.hours.bands.len(), 1);
    let away: Vec<_> = plan.work.away.iter().map(|reason| (reason.digit, reason.most)).collect();
    assert_eq!(away, [('1', Some(Duration::from_secs(3_600))), ('2', None)]);
    assert_eq!((plan.work.prefix.as_str(), plan.work.watch_prefix.as_str()), ("*3", ""));
    assert_eq!(plan.work.rest, Duration::from_secs(180));
}

#[test]
fn what_the_file_does_not_say_is_off() {
    let plan = Files::with(&[]).judge().plan.expect("a plan");
    assert!(plan.calling.is_none() && !plan.missed.enabled && !plan.follow_up.enabled);
    assert!(plan.tokens.is_empty() && plan.departments.is_empty() && plan.experts.is_empty());
    assert!(plan.callers.urgent_key.is_none() && plan.callers.lanes.is_empty());
    assert_eq!(plan.work.watch_prefix, "*9");
}
