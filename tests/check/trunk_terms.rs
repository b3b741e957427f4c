//! Faults in how a trunk is dealt with: packets, keys, provisional answers, timers; and what reaches the plan.

use std::time::Duration;

use hotline::call::Callee;
use hotline::call::negotiate::Terms;
use hotline::routing::trunk_terms::{Dtmf, Reliability, SessionTimer, TrunkTerms};

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0107",
        what: "a session of a minute on one trunk",
        edits: &[add!(
            "[[trunk]]\nname = \"c\"\nsources = [\"203.0.113.64/28\"]\nsession_expires = ⟦\"60s\"⟧"
        )],
    },
    Fixture {
        code: "E1901",
        what: "an interval for a timer that is off",
        edits: &[add!(
            "[[trunk]]\nname = \"c\"\nsources = [\"203.0.113.64/28\"]\nsession_timer = \"off\"\nsession_expires = ⟦\"10min\"⟧"
        )],
    },
    Fixture {
        code: "E1902",
        what: "packets of 25 ms",
        edits: &[add!("[[trunk]]\nname = \"c\"\nsources = [\"203.0.113.64/28\"]\npacket_time = ⟦\"25ms\"⟧")],
    },
    Fixture {
        code: "E1902",
        what: "packets of 70 ms",
        edits: &[add!("[[trunk]]\nname = \"c\"\nsources = [\"203.0.113.64/28\"]\npacket_time = ⟦\"70ms\"⟧")],
    },
    Fixture {
        code: "W1903",
        what: "keys as tones over G.729",
        edits: &[
            Edit::Plan(
                "[recording]\nenabled = true",
                "[recording]\nenabled = false\nexception = \"repairs, approved by Zhang\"",
            ),
            add!(
                "[[trunk]]\nname = \"c\"\nsources = [\"203.0.113.64/28\"]\ncodecs = [\"PCMA\", \"G729\"]\ndtmf = ⟦\"inband\"⟧"
            ),
        ],
    },
    Fixture {
        code: "W1904",
        what: "a center that must have 100rel",
        edits: &[add!(
            "[[trunk]]\nname = \"c\"\nsources = [\"203.0.113.64/28\"]\nemergency_center = true\nreliable = ⟦\"required\"⟧"
        )],
    },
    Fixture {
        code: "W1904",
        what: "an emergency peer that must have 100rel",
        edits: &[Edit::Plan("name = \"police\"", "name = \"police\"\nreliable = ⟦\"required\"⟧")],
    },
    Fixture {
        code: "W1904",
        what: "an emergency peer by a group, a trunk of which must have 100rel",
        edits: &[
            Edit::Plan("trunk = \"police\"", "trunk = \"centers\""),
            add!(
                "[[trunk]]\nname = \"reserve\"\ntarget = \"203.0.113.8:5060\"\nreliable = ⟦\"required\"⟧\n\n[[trunk_group]]\nname = \"centers\"\ntrunks = [\"police\", \"reserve\"]"
            ),
        ],
    },
    Fixture {
        code: "W1905",
        what: "a group of which one trunk alone takes keys by INFO",
        edits: &[
            Edit::Plan("target = \"203.0.113.5:5060\"", "target = \"203.0.113.5:5060\"\ndtmf = ⟦\"info\"⟧"),
            Edit::Plan("mode = \"sub_center\"\ntrunk = \"tax\"", "mode = \"sub_center\"\ntrunk = \"far\""),
            add!("[[trunk_group]]\nname = \"far\"\ntrunks = [\"tax\", \"police\"]"),
        ],
    },
];

#[test]
fn what_a_trunk_says_reaches_the_plan_and_its_legs_and_of_a_group_what_suits_all() {
    let files = Files::with(&[add!(
        "[[trunk]]\nname = \"c\"\ntarget = \"203.0.113.70\"\npacket_time = \"30ms\"\ndtmf = \"rfc4733\"\nreliable = \"required\"\nsession_timer = \"off\"\n\n[[trunk]]\nname = \"d\"\ntarget = \"203.0.113.71\"\npacket_time = \"20ms\"\ndtmf = \"inband\"\nsession_expires = \"10min\"\n\n[[trunk]]\nname = \"e\"\ntarget = \"203.0.113.72\"\ndtmf = \"info\"\n\n[[trunk]]\nname = \"f\"\ntarget = \"203.0.113.73\"\ndtmf = \"info\"\n\n[[trunk_group]]\nname = \"both\"\ntrunks = [\"c\", \"d\"]\n\n[[trunk_group]]\nname = \"menus\"\ntrunks = [\"e\", \"f\"]"
    )]);
    let outcome = files.judge();
    let found = codes(&outcome.report);
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    assert!(found.iter().all(|code| code.starts_with('W')), "{found:?}");
    let millis = |ms| Some(Duration::from_millis(ms));
    let c = TrunkTerms {
        packet_time: millis(30),
        dtmf: Dtmf::Rfc4733,
        reliable: Reliability::Required,
        session_timer: SessionTimer::Off,
        session_expires: None,
    };
    assert_eq!(plan.trunks["c"].terms, c);
    assert_eq!(plan.trunks["d"].terms.session_expires, Some(Duration::from_secs(600)));
    assert_eq!(plan.trunks["tax"].terms, TrunkTerms::default(), "unsaid, all is as with everybody");
    let leg = |trunk: &str| {
        Terms::of_callee(&plan, &Callee::Peer { trunk: trunk.into(), number: "4420000".into() })
    };
    assert_eq!((leg("c").packet_ms, leg("c").dtmf), (Some(30), Dtmf::Rfc4733));
    assert_eq!((leg("both").packet_ms, leg("both").dtmf), (Some(20), Dtmf::Inband), "one offer for both");
    assert_eq!((leg("e").dtmf, leg("menus").dtmf), (Dtmf::Info, Dtmf::Info));
    assert_eq!((leg("tax").packet_ms, leg("tax").dtmf), (None, Dtmf::Auto));
}
