//! Faults of what a trunk says of its far side, and of groups.

use hotline::routing::plan::{Probing, Transport};

use super::base::{Edit, Files, codes};
use super::fixture::Fixture;

const TAX: &str = "name = \"tax\"\ntarget = \"203.0.113.5:5060\"";
const QUEUES: &str = "[[queue]]\n";
const TO_TAX: &str = "trunk = \"tax\"\nring = \"25s\"";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0108",
        what: "a target that is neither address nor host",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = ⟦\"203.0.113\"⟧")],
    },
    Fixture {
        code: "E0108",
        what: "a target with a user",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = [\"203.0.113.5\", ⟦\"sip:us@carrier.example\"⟧]")],
    },
    Fixture {
        code: "E0108",
        what: "sips over datagrams",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = ⟦\"sips:carrier.example;transport=udp\"⟧")],
    },
    Fixture {
        code: "E0108",
        what: "a domain with a scheme",
        edits: &[Edit::Plan(
            TAX,
            "name = \"tax\"\ntarget = \"203.0.113.5\"\ndomain = ⟦\"sip:carrier.example\"⟧",
        )],
    },
    Fixture {
        code: "E0108",
        what: "a name server by its name",
        edits: &[Edit::Plan("silence_max = \"30s\"", "silence_max = \"30s\"\ndns = [⟦\"ns.example\"⟧]")],
    },
    Fixture {
        code: "E0107",
        what: "a session timer shorter than RFC 4028 has it",
        edits: &[Edit::Plan("silence_max = \"30s\"", "silence_max = \"30s\"\nsession_expires = ⟦\"89s\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a session timer that no call lives to see",
        edits: &[Edit::Plan("silence_max = \"30s\"", "silence_max = \"30s\"\nsession_expires = ⟦\"25h\"⟧")],
    },
    Fixture {
        code: "E0608",
        what: "a target of no addresses",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = ⟦[]⟧")],
    },
    Fixture {
        code: "E0605",
        what: "a drill that would call somebody by name",
        edits: &[Edit::Plan(
            TAX,
            "name = \"tax\"\ndrill = true\ntarget = [\"127.0.0.1:9\", ⟦\"carrier.example\"⟧]",
        )],
    },
    Fixture {
        code: "E0610",
        what: "one of several targets is our own door",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = [\"203.0.113.5\", ⟦\"sip:192.0.2.10\"⟧]")],
    },
    Fixture {
        code: "E0102",
        what: "an account without a password",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = \"203.0.113.5\"\naccount = ⟦{ user = \"u\" }⟧")],
    },
    Fixture {
        code: "E0105",
        what: "a carrier's password in plain text",
        edits: &[Edit::Plan(
            TAX,
            "name = \"tax\"\ntarget = \"203.0.113.5\"\naccount = { user = \"u\", password = ⟦\"s3cret\"⟧ }",
        )],
    },
    Fixture {
        code: "E0103",
        what: "a probe that is neither",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = \"203.0.113.5\"\nprobe = ⟦\"30s\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a probe that never counts",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = \"203.0.113.5\"\nprobe = { down_after = ⟦0⟧ }")],
    },
    Fixture {
        code: "E0107",
        what: "a probe without pause",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = \"203.0.113.5\"\nprobe = { every = ⟦\"10ms\"⟧ }")],
    },
    Fixture {
        code: "E0107",
        what: "a registration that ends as it begins",
        edits: &[Edit::Plan(
            TAX,
            "name = \"tax\"\ntarget = \"203.0.113.5\"\naccount = { user = \"u\", password = { env = \"P\" } }\nregister = ⟦\"5s\"⟧",
        )],
    },
    Fixture {
        code: "E0107",
        what: "no call in any second",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = \"203.0.113.5\"\ncalls_per_second = ⟦0⟧")],
    },
    Fixture {
        code: "E0629",
        what: "an emergency center that is known by nothing",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = \"203.0.113.5:5060\"\nemergency_center = ⟦true⟧")],
    },
    Fixture {
        code: "E0611",
        what: "a registration without an account",
        edits: &[Edit::Plan(TAX, "name = \"tax\"\ntarget = \"203.0.113.5\"\nregister = ⟦\"10min\"⟧")],
    },
    Fixture {
        code: "E0612",
        what: "an account with nobody",
        edits: &[Edit::Plan(
            "trust_identity = true",
            "trust_identity = true\naccount = ⟦{ user = \"u\", password = { env = \"P\" } }⟧",
        )],
    },
    Fixture {
        code: "E0612",
        what: "a probe of nobody",
        edits: &[Edit::Plan("trust_identity = true", "trust_identity = true\nprobe = ⟦true⟧")],
    },
    Fixture {
        code: "E0608",
        what: "a group of no trunks",
        edits: &[
            Edit::Plan(TO_TAX, "trunk = \"both\"\nring = \"25s\""),
            Edit::Plan(QUEUES, "[[trunk_group]]\nname = \"both\"\ntrunks = ⟦[]⟧\n\n[[queue]]\n"),
            Edit::Plan(
                "[[trunk]]\nname = \"tax\"\ntarget = \"203.0.113.5:5060\"\nconnect_timeout = \"1s\"\ncalls_max = 30\n",
                "",
            ),
        ],
    },
    Fixture {
        code: "E0303",
        what: "a group of a trunk that is not there",
        edits: &[
            Edit::Plan(TO_TAX, "trunk = \"both\"\nring = \"25s\""),
            Edit::Plan(
                QUEUES,
                "[[trunk_group]]\nname = \"both\"\ntrunks = [\"tax\", { trunk = ⟦\"taxx\"⟧, weight = 3 }]\n\n[[queue]]\n",
            ),
        ],
    },
    Fixture {
        code: "E0304",
        what: "a group that is called like a trunk",
        edits: &[Edit::Plan(
            QUEUES,
            "[[trunk_group]]\nname = ⟦\"tax\"⟧\ntrunks = [\"tax\", \"police\"]\n\n[[queue]]\n",
        )],
    },
    Fixture {
        code: "E0602",
        what: "a group with a trunk that leads nowhere",
        edits: &[
            Edit::Plan(TO_TAX, "trunk = \"both\"\nring = \"25s\""),
            Edit::Plan("name = \"carrier\"", "name = ⟦\"carrier\"⟧"),
            Edit::Plan(
                QUEUES,
                "[[trunk_group]]\nname = \"both\"\ntrunks = [\"tax\", \"carrier\"]\n\n[[queue]]\n",
            ),
        ],
    },
    Fixture {
        code: "E0613",
        what: "a group in a group",
        edits: &[
            Edit::Plan(TO_TAX, "trunk = \"both\"\nring = \"25s\""),
            Edit::Plan(
                QUEUES,
                "[[trunk_group]]\nname = \"both\"\ntrunks = [\"tax\", ⟦\"more\"⟧]\n\n[[trunk_group]]\nname = \"more\"\ntrunks = [\"police\"]\n\n[[queue]]\n",
            ),
        ],
    },
    Fixture {
        code: "E0613",
        what: "a group in itself",
        edits: &[
            Edit::Plan(TO_TAX, "trunk = \"both\"\nring = \"25s\""),
            Edit::Plan(
                QUEUES,
                "[[trunk_group]]\nname = \"both\"\ntrunks = [\"tax\", ⟦\"both\"⟧]\n\n[[queue]]\n",
            ),
        ],
    },
    Fixture {
        code: "E0614",
        what: "a trunk twice in a group",
        edits: &[
            Edit::Plan(TO_TAX, "trunk = \"both\"\nring = \"25s\""),
            Edit::Plan(
                QUEUES,
                "[[trunk_group]]\nname = \"both\"\ntrunks = [\"tax\", { trunk = ⟦\"tax\"⟧, priority = 2 }]\n\n[[queue]]\n",
            ),
        ],
    },
    Fixture {
        code: "W0104",
        what: "a group that no number uses",
        edits: &[Edit::Plan(
            QUEUES,
            "[[trunk_group]]\nname = ⟦\"both\"⟧\ntrunks = [\"tax\", \"police\"]\n\n[[queue]]\n",
        )],
    },
];

#[test]
fn a_trunk_says_all_that_it_can() {
    let whole = "name = \"tax\"
target = [\"sip:carrier.example;transport=tcp\", \"203.0.113.5:5080\"]
domain = \"Ims.Carrier.Example\"
account = { user = \"+8639312345\", password = { file = \"secrets/carrier\" }, realm = \"carrier.example\" }
register = \"10min\"
probe = { every = \"10s\" }
calls_per_second = 20
priority = 2
weight = 30";
    let outcome = Files::with(&[Edit::Plan(TAX, whole)]).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    let trunk = &plan.trunks["tax"];
    let targets: Vec<_> =
        trunk.targets.iter().map(|target| (&*target.host, target.port, target.transport)).collect();
    assert_eq!(targets, [("carrier.example", None, Some(Transport::Tcp)), ("203.0.113.5", Some(5080), None)]);
    assert_eq!(trunk.domain.as_deref(), Some("ims.carrier.example"));
    let account = trunk.account.as_ref().expect("an account");
    assert_eq!((&*account.user, account.realm.as_deref()), ("+8639312345", Some("carrier.example")));
    assert_eq!(trunk.register.map(|span| span.as_secs()), Some(600));
    assert_eq!(
        trunk.probe,
        Some(Probing { every: std::time::Duration::from_secs(10), ..Probing::default() })
    );
    assert_eq!((trunk.calls_per_second, trunk.priority, trunk.weight), (20, 2, 30));
}

#[test]
fn a_live_trunk_with_a_real_target_is_probed_unless_the_file_says_otherwise() {
    for (what, target, probed) in [
        ("a real target", "target = \"203.0.113.5\"", true),
        ("switched off", "target = \"203.0.113.5\"\nprobe = false", false),
        ("a drill", "target = \"127.0.0.1:9\"\ndrill = true", false),
        ("a drill that asks for it", "target = \"127.0.0.1:9\"\ndrill = true\nprobe = true", true),
    ] {
        let target = String::leak(format!("name = \"tax\"\n{target}"));
        let plan = Files::with(&[Edit::Plan(TAX, target)]).judge().plan.expect("a plan");
        assert_eq!(plan.trunks["tax"].probe.is_some(), probed, "{what}");
    }
    let plan = Files::with(&[]).judge().plan.expect("a plan");
    assert!(plan.trunks["carrier"].probe.is_none(), "inward only");
}

#[test]
fn a_group_stands_where_a_trunk_can_and_its_members_keep_their_own_figures() {
    let outcome = Files::with(&[
        Edit::Plan(TO_TAX, "trunk = \"both\"\nring = \"25s\""),
        Edit::Plan("trunk = \"police\"", "trunk = \"both\""),
        Edit::Plan(TAX, "name = \"tax\"\ntarget = \"203.0.113.5:5060\"\npriority = 3\nweight = 7"),
        Edit::Plan(
            QUEUES,
            "[[trunk_group]]\nname = \"both\"\ntrunks = [\"tax\", { trunk = \"police\", priority = 2 }]\n\n[[queue]]\n",
        ),
    ])
    .judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    let ways: Vec<_> = plan
        .ways(&"both".into(), "12366", "13800000000")
        .into_iter()
        .map(|way| (way.trunk.id.to_string(), way.priority, way.weight, way.called, way.caller))
        .collect();
    let (called, caller) = ("12366".to_owned(), "13800000000".to_owned());
    assert_eq!(
        ways,
        [
            ("police".to_owned(), 2, 1, called.clone(), caller.clone()),
            ("tax".to_owned(), 3, 7, called, caller)
        ]
    );
    assert_eq!(plan.ways(&"tax".into(), "12366", "").len(), 1);
    assert!(plan.ways(&"nobody".into(), "12366", "").is_empty());
}
