//! Faults of rewriting rules, and what whole sets of them do.

use hotline::routing::Dialled;
use hotline::time::Timestamp;

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

const TAX: &str = "calls_max = 30";
const CARRIER: &str = "calls_max = 1100";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0615",
        what: "a pattern with a gap",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = ⟦\"03*93\"⟧, strip = 1, examples = [{ from = \"0393\", to = \"393\" }] }]",
        )],
    },
    Fixture {
        code: "E0616",
        what: "a rule without an act",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [⟦{ when = \"12366\", examples = [{ from = \"12366\", to = \"12366\" }] }⟧]",
        )],
    },
    Fixture {
        code: "E0616",
        what: "a rule with two acts",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = \"12366\", to = \"1\", strip = ⟦2⟧, examples = [{ from = \"12366\", to = \"1\" }] }]",
        )],
    },
    Fixture {
        code: "E0617",
        what: "a rule that leaves nothing",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = \"0393*\", strip = ⟦4⟧, examples = [{ from = \"039312366\", to = \"12366\" }] }]",
        )],
    },
    Fixture {
        code: "E0617",
        what: "a rule that strips more than there is",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.caller = [{ when = \"1*\", length = 3, strip = ⟦4⟧, add = \"0\", examples = [{ from = \"120\", to = \"120\" }] }]",
        )],
    },
    Fixture {
        code: "E0618",
        what: "an example that comes out otherwise",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = \"12366\", add = \"0393\", examples = [{ from = \"12366\", to = ⟦\"039312367\"⟧ }] }]",
        )],
    },
    Fixture {
        code: "E0619",
        what: "an example that the rule is not for",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = \"12366\", add = \"0393\", examples = [{ from = ⟦\"12367\"⟧, to = \"039312367\" }] }]",
        )],
    },
    Fixture {
        code: "E0619",
        what: "an example that an earlier rule takes",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30
rewrite.called = [
    { when = \"123*\", add = \"0393\", examples = [{ from = \"12366\", to = \"039312366\" }] },
    { when = \"12367\", to = \"1\", examples = [{ from = ⟦\"12367\"⟧, to = \"1\" }] },
]",
        )],
    },
    Fixture {
        code: "E0626",
        what: "a rule that loses 110, 119, 120 and 122 is told of for one of them",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = ⟦\"119\"⟧, to = \"12345\", examples = [{ from = \"119\", to = \"12345\" }] }]",
        )],
    },
    Fixture {
        code: "E0626",
        what: "a number that becomes an emergency number",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = ⟦\"12366\"⟧, to = \"0393110\", examples = [{ from = \"12366\", to = \"0393110\" }] }]",
        )],
    },
    Fixture {
        code: "E0626",
        what: "an emergency number that comes in becomes a line of ours",
        edits: &[Edit::Plan(
            CARRIER,
            "calls_max = 1100\nrewrite.called_inward = [{ when = ⟦\"120\"⟧, to = \"12345\", examples = [{ from = \"120\", to = \"12345\" }] }]",
        )],
    },
    Fixture {
        code: "E0627",
        what: "letters in front of a number",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = \"12366\", add = ⟦\"tax\"⟧, examples = [{ from = \"12366\", to = \"12366\" }] }]",
        )],
    },
    Fixture {
        code: "E0628",
        what: "a length that runs backwards",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = \"12366\", length = ⟦\"8-7\"⟧, add = \"0393\", examples = [{ from = \"12366\", to = \"039312366\" }] }]",
        )],
    },
    Fixture {
        code: "W0106",
        what: "a rule that no example shows",
        edits: &[Edit::Plan(
            TAX,
            "calls_max = 30\nrewrite.called = [{ when = ⟦\"12366\"⟧, add = \"0393\" }]",
        )],
    },
];

#[test]
fn a_rule_that_loses_every_emergency_number_is_told_of_for_each() {
    let edit = "calls_max = 30\nrewrite.called = [{ when = \"*\", add = \"9\", examples = [{ from = \"12366\", to = \"912366\" }] }]";
    let report = Files::with(&[Edit::Plan(TAX, edit)]).judge().report;
    assert_eq!(codes(&report), ["E0626"; 4]);
    for number in ["110", "119", "120", "122"] {
        assert!(report.render(false).contains(&format!("规则把 {number} 改成了 9{number}")), "{number}");
    }
    let kept = "calls_max = 30
rewrite.called = [
    { when = \"1*\", length = 3, keep = true, examples = [{ from = \"110\", to = \"110\" }] },
    { when = \"*\", add = \"9\", examples = [{ from = \"12366\", to = \"912366\" }] },
]";
    assert_eq!(codes(&Files::with(&[Edit::Plan(TAX, kept)]).judge().report), [""; 0]);
}

#[test]
fn an_area_code_in_front_of_an_emergency_number_does_not_lose_it() {
    let edit = "calls_max = 30\nrewrite.called = [{ when = \"1*\", add = \"0393\", examples = [{ from = \"12366\", to = \"039312366\" }, { from = \"110\", to = \"0393110\" }] }]";
    assert_eq!(codes(&Files::with(&[Edit::Plan(TAX, edit)]).judge().report), [""; 0]);
}

#[test]
fn rules_may_be_written_as_tables_and_work_both_ways() {
    let outward = "calls_max = 30

[[trunk.rewrite.called]]
when = \"12366\"
add = \"0393\"
examples = [{ from = \"12366\", to = \"039312366\" }]

[[trunk.rewrite.caller]]
when = \"1*\"
length = 11
add = \"+86\"
examples = [{ from = \"13800000000\", to = \"+8613800000000\" }]
";
    let inward = "calls_max = 1100

[[trunk.rewrite.called_inward]]
when = \"86393*\"
strip = 5
add = \"0393\"
examples = [{ from = \"8639312345\", to = \"039312345\" }]

[[trunk.rewrite.caller_inward]]
when = \"+86*\"
strip = 3
add = \"0\"
examples = [{ from = \"+8637112345678\", to = \"037112345678\" }]
";
    let outcome = Files::with(&[Edit::Plan(TAX, outward), Edit::Plan(CARRIER, inward)]).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    let ways = plan.ways(&"tax".into(), "12366", "13800000000");
    assert_eq!((&*ways[0].called, &*ways[0].caller), ("039312366", "+8613800000000"));
    assert_eq!(plan.ways(&"tax".into(), "12366", "")[0].caller, "", "a withheld caller stays withheld");

    let carrier = &plan.trunks["carrier"];
    assert_eq!(carrier.rewrite.caller_inward.apply("+8637112345678"), "037112345678");
    for (dialled, line) in [
        ("sip:8639312336@192.0.2.10", Some("12336")),
        ("sip:12336@192.0.2.10", Some("12336")),
        ("tel:+86-393-12336", Some("12336")),
        ("sip:8637112336@192.0.2.10", None),
        // Put into our form it is 110: nobody's line, whatever History-Info says.
        ("sip:86393110@192.0.2.10", None),
    ] {
        let mut message = Dialled::request_uri(dialled);
        if dialled.contains("110") {
            message.0.push((hotline::routing::plan::DialledFrom::HistoryInfo, "12336".to_owned()));
        }
        let found = plan
            .find_line(carrier, &message, Timestamp::UNIX_EPOCH)
            .map(|found| found.line.number.to_string());
        assert_eq!(found.as_deref(), line, "{dialled}");
    }
    let tax = &plan.trunks["tax"];
    assert!(
        plan.find_line(tax, &Dialled::request_uri("sip:8639312336@x"), Timestamp::UNIX_EPOCH).is_none(),
        "another trunk's rules"
    );
}

/// The codes that are found.
fn found(edits: &[Edit]) -> Vec<&'static str> {
    codes(&Files::with(edits).judge().report)
}

#[test]
fn a_carriers_own_forms_are_put_into_ours_and_no_published_number_is_lost() {
    for rules in [
        "[{ when = \"0393*\", length = \"9-20\", strip = 4, examples = [{ from = \"039312345\", to = \"12345\" }] }]",
        // All that comes has a prefix, or the area code: no number comes short.
        "[{ when = \"*\", length = \"8-20\", strip = 3, examples = [{ from = \"99912345\", to = \"12345\" }] }]",
        "[{ when = \"*\", length = \"9-20\", strip = 4, examples = [{ from = \"039312345\", to = \"12345\" }] }]",
        "[{ when = \"*\", add = \"0393\", examples = [{ from = \"12345\", to = \"039312345\" }] }]",
        // A pilot number in place of the published one.
        "[{ when = \"8888000\", to = \"12345\", examples = [{ from = \"8888000\", to = \"12345\" }] }]",
    ] {
        let keys = String::leak(format!("calls_max = 1100\nrewrite.called_inward = {rules}"));
        assert_eq!(found(&[Edit::Plan(CARRIER, keys)]), [""; 0], "{rules}");
    }
    // What the only carrier takes for 12345 altogether, no other line ever gets.
    let all = "calls_max = 1100\nrewrite.called_inward = [{ when = \"*\", length = \"4-20\", to = \"12345\", examples = [{ from = \"12366\", to = \"12345\" }] }]";
    assert_eq!(found(&[Edit::Plan(CARRIER, all)]), ["E0638"; 3]);
}

#[test]
fn a_center_may_call_12345_whatever_it_dials_and_is_called_by_its_own_number() {
    let center = "calls_max = 30\nsources = [\"203.0.113.4/31\"]";
    assert_eq!(found(&[Edit::Plan(TAX, center)]), [""; 0], "its own number by its own trunk");
    let inward = String::leak(format!(
        "{center}\nrewrite.called_inward = [{{ when = \"*\", length = \"4-20\", to = \"12345\", examples = [{{ from = \"12366\", to = \"12345\" }}] }}]"
    ));
    assert_eq!(found(&[Edit::Plan(TAX, inward)]), [""; 0], "all that it dials is for 12345");
    let department = Edit::Plan(
        "[[ticket_sink]]\n",
        "[[department]]\nnumber = \"7001\"\nname = \"办税厅\"\ntrunk = \"tax\"\ndial = \"12366\"\n\n[[ticket_sink]]\n",
    );
    // Whom it reaches is the center, and so it is not a department's; it is no ring either.
    assert_eq!(found(&[Edit::Plan(TAX, center), department]), ["E1813"], "the center's number by its trunk");
    // By the carrier only another number leads there.
    let out = Edit::Plan(CARRIER, "calls_max = 1100\ntarget = \"198.51.100.2:5060\"");
    let far = Edit::Plan("trunk = \"tax\"", "trunk = \"carrier\"\ndial = \"037155501234\"");
    assert_eq!(found(&[out, far]), ["W0104"], "the trunk that led there is left");
}

/// By a group as well as by a trunk of its own: what is behind it is an emergency center, and no carrier whose calls to a
/// number of ours would come in again.
#[test]
fn a_trunk_to_an_emergency_center_is_no_carrier_though_a_group_leads_to_it() {
    for way in ["police", "help"] {
        let target = "target = [\"203.0.113.6:5060\", \"203.0.113.7:5060\"]";
        let brings = format!(
            "{target}\nsources = [\"203.0.113.6/32\"]\n\n[[trunk_group]]\nname = \"help\"\ntrunks = [{{ trunk = \"police\" }}]"
        );
        let by = format!("trunk = \"{way}\"\nring = \"32s\"");
        let files = Files::with(&[
            Edit::Plan(target, brings.leak()),
            Edit::Plan("trunk = \"police\"\nring = \"32s\"", by.leak()),
            add!("[[department]]\nnumber = \"8101\"\nname = \"a\"\ntrunk = \"police\"\ndial = \"12366\""),
        ]);
        let report = files.judge().report;
        assert!(!codes(&report).contains(&"E1104"), "{way}: {}", report.render(false));
    }
}
