//! Faults of other platforms of the hotline: codes, the tree, and trunks that are not theirs alone.

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

/// Our own code.
const ORG: Edit = Edit::Plan("country_code = \"86\"", "country_code = \"86\"\norg = \"410900\"");
/// Two trunks of platforms.
const TRUNKS: Edit = Edit::Plan(
    "[[queue]]\n",
    "[[trunk]]\nname = \"county\"\nsources = [\"192.0.2.64/30\"]\ntarget = \"192.0.2.65:5060\"\ntrust_identity = true\n\n[[trunk]]\nname = \"anyang\"\nsources = [\"192.0.2.68/30\"]\ntarget = \"192.0.2.69:5060\"\ntrust_identity = true\n\n[[queue]]\n",
);

/// A county and a neighbouring city without a fault.
const WHOLE: Edit = add!(
    "[[peer]]\nnumber = \"8001\"\nname = \"濮阳县 12345\"\norg = \"410928\"\nparent = \"410900\"\ntrunk = \"county\"\ndial = \"039312345\"\npriority = 200\n[[peer]]\nnumber = \"8011\"\nname = \"安阳市 12345\"\norg = \"410500\"\ntrunk = \"anyang\"\ndial = \"037212345\""
);

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0107",
        what: "calls that are never handed on",
        edits: &[
            ORG,
            TRUNKS,
            add!(
                "[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410928\"\ntrunk = \"county\"\nhops_max = ⟦0⟧"
            ),
        ],
    },
    Fixture {
        code: "E0107",
        what: "a priority beyond all",
        edits: &[
            ORG,
            TRUNKS,
            add!(
                "[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410928\"\ntrunk = \"county\"\npriority = ⟦10000⟧"
            ),
        ],
    },
    Fixture {
        code: "E0201",
        what: "a platform by a number of ours",
        edits: &[
            ORG,
            TRUNKS,
            add!(
                "[[peer]]\nnumber = ⟦\"12345\"⟧\nname = \"a\"\norg = \"410928\"\ntrunk = \"county\"\ndial = \"8001\""
            ),
        ],
    },
    Fixture {
        code: "E1801",
        what: "an alias that is a platform",
        edits: &[
            ORG,
            TRUNKS,
            WHOLE,
            Edit::Plan("row = \"2-1\"\n", "row = \"2-1\"\naliases = [⟦\"8001\"⟧]\n"),
        ],
    },
    Fixture {
        code: "E0303",
        what: "a platform behind a trunk that is not there",
        edits: &[
            ORG,
            add!("[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410928\"\ntrunk = ⟦\"county\"⟧"),
        ],
    },
    Fixture {
        code: "E1104",
        what: "our own number by the carrier in place of another city's",
        edits: &[
            ORG,
            Edit::Plan(
                "sources = [\"198.51.100.0/28\"]",
                "sources = [\"198.51.100.0/28\"]\ntarget = \"198.51.100.1:5060\"",
            ),
            add!(
                "[[peer]]\nnumber = \"8011\"\nname = \"a\"\norg = \"410500\"\ntrunk = \"carrier\"\nhands_over = false\ndial = ⟦\"039312345\"⟧"
            ),
        ],
    },
    Fixture {
        code: "E1701",
        what: "letters in the city's own code",
        edits: &[Edit::Plan("country_code = \"86\"", "country_code = \"86\"\norg = ⟦\"puyang\"⟧")],
    },
    Fixture {
        code: "E1701",
        what: "a code of seven digits",
        edits: &[
            ORG,
            TRUNKS,
            add!("[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = ⟦\"4109280\"⟧\ntrunk = \"county\""),
        ],
    },
    Fixture {
        code: "E1702",
        what: "a platform by our own code",
        edits: &[
            ORG,
            TRUNKS,
            add!("[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = ⟦\"410900\"⟧\ntrunk = \"county\""),
        ],
    },
    Fixture {
        code: "E1703",
        what: "a parent that is nobody",
        edits: &[
            ORG,
            TRUNKS,
            add!(
                "[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410928\"\nparent = ⟦\"410901\"⟧\ntrunk = \"county\""
            ),
        ],
    },
    Fixture {
        code: "E1704",
        what: "a platform above itself",
        edits: &[
            ORG,
            TRUNKS,
            add!(
                "[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410928\"\nparent = ⟦\"410928\"⟧\ntrunk = \"county\""
            ),
        ],
    },
    Fixture {
        code: "E1704",
        what: "two platforms above one another",
        edits: &[
            ORG,
            TRUNKS,
            add!(
                "[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410922\"\nparent = ⟦\"410928\"⟧\ntrunk = \"county\"\n[[peer]]\nnumber = \"8002\"\nname = \"b\"\norg = \"410928\"\nparent = \"410922\"\ntrunk = \"county\""
            ),
        ],
    },
    Fixture {
        code: "E1705",
        what: "platforms and no code of our own",
        edits: &[
            TRUNKS,
            add!("[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = ⟦\"410928\"⟧\ntrunk = \"county\""),
        ],
    },
    Fixture {
        code: "E1706",
        what: "two cities by one number",
        edits: &[
            ORG,
            TRUNKS,
            add!(
                "[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410500\"\ntrunk = \"county\"\ndial = \"037212345\"\n[[peer]]\nnumber = \"8002\"\nname = \"b\"\norg = \"410600\"\ntrunk = \"anyang\"\ndial = ⟦\"037212345\"⟧"
            ),
        ],
    },
    Fixture {
        code: "E1707",
        what: "a platform behind a center's trunk",
        edits: &[ORG, add!("[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410928\"\ntrunk = ⟦\"tax\"⟧")],
    },
    Fixture {
        code: "E1708",
        what: "a platform by the only trunk that citizens have",
        edits: &[
            ORG,
            Edit::Plan(
                "sources = [\"198.51.100.0/28\"]",
                "sources = [\"198.51.100.0/28\"]\ntarget = \"198.51.100.1:5060\"",
            ),
            add!(
                "[[peer]]\nnumber = \"8011\"\nname = \"a\"\norg = \"410500\"\ntrunk = ⟦\"carrier\"⟧\ndial = \"037212345\""
            ),
        ],
    },
    Fixture {
        code: "W1701",
        what: "a county of another prefecture",
        edits: &[
            ORG,
            TRUNKS,
            add!(
                "[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = ⟦\"411028\"⟧\nparent = \"410900\"\ntrunk = \"county\""
            ),
        ],
    },
    Fixture {
        code: "W1701",
        what: "a township of another county",
        edits: &[
            ORG,
            TRUNKS,
            add!(
                "[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410928\"\nparent = \"410900\"\ntrunk = \"county\"\n[[peer]]\nnumber = \"8002\"\nname = \"b\"\norg = ⟦\"410922100\"⟧\nparent = \"410928\"\ntrunk = \"anyang\""
            ),
        ],
    },
    Fixture {
        code: "W1702",
        what: "a platform that nobody believes",
        edits: &[
            ORG,
            Edit::Plan(
                "[[queue]]\n",
                "[[trunk]]\nname = \"county\"\nsources = [\"192.0.2.64/30\"]\ntarget = \"192.0.2.65:5060\"\n\n[[queue]]\n",
            ),
            add!("[[peer]]\nnumber = \"8001\"\nname = \"a\"\norg = \"410928\"\ntrunk = ⟦\"county\"⟧"),
        ],
    },
];

#[test]
fn a_county_and_a_neighbouring_city_are_no_fault_and_may_be_asked_by_key_by_flow_and_at_once() {
    let outcome = Files::with(&[ORG, TRUNKS, WHOLE]).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    let county = plan.peers.get("8001").expect("the county");
    assert_eq!((county.parent.as_deref(), county.priority, county.hops_max), (Some("410900"), 200, 3));
    assert!(plan.reach("sip:8001@h").is_some() && plan.dialled_by_seat("sip:8011@h").is_ok());
    let more = [
        ORG,
        TRUNKS,
        WHOLE,
        add!(
            "[disposition.types]\ncomplaint = \"投诉\"\n[[disposition.immediate]]\ncode = \"complaint\"\nto = \"8001\"\nwithin = \"5min\""
        ),
        Edit::Plan("mode = \"primary\"", "mode = \"primary\"\nflow = \"main\""),
        Edit::Plan(
            "[[emergency]]",
            "[three_way]\nkeys = { \"1\" = \"8001\", \"7\" = \"110\" }\n\n[[flow]]\nname = \"main\"\n[[flow.step]]\nplay = \"greeting\"\n[[flow.step]]\ntransfer = \"8011\"\n\n[[emergency]]",
        ),
    ];
    let outcome = Files::with(&more).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    let asked = plan.disposition.immediate[0].to.as_ref().expect("a platform");
    assert!(plan.reach(asked.as_str()).is_some(), "the clerk asks it by this number");
    let script = plan.scripts.values().next().expect("the flow");
    assert!(format!("{script:?}").contains("037212345"), "the flow rings there: {script:?}");
}
