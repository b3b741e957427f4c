//! Faults of lanes, policies about callers, tokens, and of what is said of seats' roles.

use std::time::Duration;

use hotline::routing::callers::CallerAct;
use hotline::routing::people::Role;
use hotline::routing::plan::SecretRef;
use hotline::routing::queueing::Known;

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

const SECOND: &str = "skills = [\"general\", \"law\"]\nqueues = [\"main\"]";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0117",
        what: "an urgent key that no telephone has",
        edits: &[add!("[callers]\nurgent_key = ⟦\"urgent\"⟧")],
    },
    Fixture {
        code: "E0120",
        what: "a policy for ever",
        edits: &[add!(
            "[[caller_policy]]\ncaller = \"13900000000\"\nact = \"behind\"\nby = 100\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = ⟦\"forever\"⟧"
        )],
    },
    Fixture {
        code: "E0102",
        what: "a policy without an end",
        edits: &[add!(
            "⟦[[caller_policy]]⟧\ncaller = \"13900000000\"\nact = \"behind\"\nby = 100\nreason = \"重复来电\"\napprover = \"值班主任\""
        )],
    },
    Fixture {
        code: "E0102",
        what: "a policy that nobody answers for",
        edits: &[add!(
            "⟦[[caller_policy]]⟧\ncaller = \"13900000000\"\nact = \"behind\"\nby = 100\nreason = \"重复来电\"\nuntil = 2026-12-31"
        )],
    },
    Fixture {
        code: "E0102",
        what: "a policy that does not say how far behind",
        edits: &[add!(
            "⟦[[caller_policy]]⟧\ncaller = \"13900000000\"\nact = \"behind\"\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31"
        )],
    },
    Fixture {
        code: "E0102",
        what: "a clerk's token without the seat",
        edits: &[add!(
            "⟦[[api_token]]⟧\nname = \"desk\"\nrole = \"clerk\"\nsecret = { file = \"secrets/desk\" }"
        )],
    },
    Fixture {
        code: "E0105",
        what: "a token in plain text",
        edits: &[add!("[[api_token]]\nname = \"office\"\nrole = \"admin\"\nsecret = ⟦\"t0ken\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a policy that puts a caller in front",
        edits: &[add!(
            "[[caller_policy]]\ncaller = \"13900000000\"\nact = \"behind\"\nby = ⟦-100⟧\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31"
        )],
    },
    Fixture {
        code: "E0116",
        what: "a pause for a number that is only kept secret",
        edits: &[add!(
            "[[caller_policy]]\ncaller = \"13900000000\"\nact = \"confidential\"\npause = ⟦\"1h\"⟧\nreason = \"本人要求\"\napprover = \"值班主任\"\nuntil = 2026-12-31"
        )],
    },
    Fixture {
        code: "E0304",
        what: "two policies about one caller",
        edits: &[add!(
            "[[caller_policy]]\ncaller = \"13900000000\"\nact = \"confidential\"\nreason = \"本人要求\"\napprover = \"值班主任\"\nuntil = 2026-12-31\n[[caller_policy]]\ncaller = ⟦\"13900000000\"⟧\nact = \"behind\"\nby = 10\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31"
        )],
    },
    Fixture {
        code: "E0304",
        what: "two policies about one caller, whose number is written in two ways",
        edits: &[add!(
            "[[caller_policy]]\ncaller = \"4420000\"\nact = \"confidential\"\nreason = \"本人要求\"\napprover = \"值班主任\"\nuntil = 2026-12-31\n[[caller_policy]]\ncaller = ⟦\"+863934420000\"⟧\nact = \"behind\"\nby = 10\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31"
        )],
    },
    Fixture {
        code: "E0303",
        what: "a lane by a trunk that is not there",
        edits: &[add!("[[lane]]\nname = \"老年人\"\nlines = [\"12345\"]\ntrunks = [⟦\"elderly\"⟧]")],
    },
    Fixture {
        code: "E0305",
        what: "a token for a seat that is not there",
        edits: &[add!(
            "[[api_token]]\nname = \"desk\"\nrole = \"clerk\"\nseat = ⟦\"1003\"⟧\nsecret = { file = \"secrets/desk\" }"
        )],
    },
    Fixture {
        code: "E0306",
        what: "a lane of a line that is not there",
        edits: &[add!("[[lane]]\nname = \"无障碍\"\nlines = [\"12345\", ⟦\"12385\"⟧]")],
    },
    Fixture {
        code: "E0403",
        what: "a lane to clerks who are not there",
        edits: &[add!("[[lane]]\nname = \"外语\"\nlines = [\"12345\"]\nskills = ⟦[\"language/en\"]⟧")],
    },
    Fixture {
        code: "E0408",
        what: "an observer who takes callers",
        edits: &[Edit::Plan(
            SECOND,
            "skills = [\"general\", \"law\"]\nrole = \"observer\"\nqueues = ⟦[\"main\"]⟧",
        )],
    },
    Fixture {
        code: "E0409",
        what: "an admin's telephone",
        edits: &[Edit::Plan(
            SECOND,
            "skills = [\"general\", \"law\"]\nrole = ⟦\"admin\"⟧\nqueues = [\"main\"]",
        )],
    },
    Fixture {
        code: "E0402",
        what: "an expert whom nobody asks and nobody waits for",
        edits: &[Edit::Plan(
            "[[number]]\nnumber = \"12345\"",
            "[[seat]]\nid = \"1003\"\nname = \"专家\"\nrole = \"expert\"\nqueues = ⟦[]⟧\nsecret = { env = \"S\" }\n\n[[number]]\nnumber = \"12345\"",
        )],
    },
    Fixture {
        code: "E0507",
        what: "words that tell of another urgent key",
        edits: &[
            add!(
                "[callers]\nurgent_key = ⟦\"9\"⟧\n[[caller_policy]]\ncaller = \"13900000000\"\nact = \"cool_down\"\npause = \"30min\"\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31"
            ),
            Edit::Manifest("text = \"cool_down。\"", "text = \"紧急请按8。\""),
        ],
    },
    Fixture {
        code: "E0901",
        what: "a policy about the police",
        edits: &[add!(
            "[[caller_policy]]\ncaller = ⟦\"0393110\"⟧\nact = \"behind\"\nby = 100\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31"
        )],
    },
    Fixture {
        code: "E0902",
        what: "a policy about all who withhold their number",
        edits: &[add!(
            "[[caller_policy]]\ncaller = ⟦\"anonymous\"⟧\nact = \"behind\"\nby = 100\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31"
        )],
    },
    Fixture {
        code: "E0902",
        what: "a lane for half a number",
        edits: &[add!("[[lane]]\nname = \"企业\"\ncallers = [\"13900000000\", ⟦\"139*\"⟧]")],
    },
    Fixture {
        code: "E0903",
        what: "a lane for nobody",
        edits: &[add!("⟦[[lane]]⟧\nname = \"老年人\"\npriority = 100")],
    },
    Fixture {
        code: "E0903",
        what: "a lane by a trunk that nobody comes by",
        edits: &[add!("⟦[[lane]]⟧\nname = \"老年人\"\ntrunks = [\"tax\"]")],
    },
    Fixture {
        code: "E0903",
        what: "a lane behind one that takes all its callers",
        edits: &[add!(
            "[[lane]]\nname = \"一\"\nlines = [\"12345\", \"12336\"]\n⟦[[lane]]⟧\nname = \"二\"\nlines = [\"12336\"]"
        )],
    },
    Fixture {
        code: "E0906",
        what: "a pause without a way to a person",
        edits: &[add!(
            "[[caller_policy]]\ncaller = \"13900000000\"\nact = ⟦\"cool_down\"⟧\npause = \"30min\"\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31"
        )],
    },
    Fixture {
        code: "W0114",
        what: "emergency centers behind who pressed a key",
        edits: &[add!("[callers]\ncenter_priority = ⟦10⟧")],
    },
    Fixture {
        code: "W0117",
        what: "a policy that is over",
        edits: &[add!(
            "[[caller_policy]]\ncaller = \"13900000000\"\nact = \"behind\"\nby = 100\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = ⟦2026-06-30⟧"
        )],
    },
    Fixture {
        code: "W0118",
        what: "a lane past the word that the call is recorded",
        edits: &[add!("[[lane]]\nname = \"老年人\"\nlines = [\"12345\"]\nstraight = ⟦true⟧")],
    },
    Fixture {
        code: "W0120",
        what: "a greeting in a surge without the word that the call is recorded",
        edits: &[
            Edit::Plan("number = \"12345\"", "number = ⟦\"12345\"⟧"),
            Edit::Plan(
                "length_max = 100",
                "length_max = 100\nsurge = { from = 30, until = 10, greeting = \"goodbye\" }",
            ),
        ],
    },
];

#[test]
fn lanes_policies_and_tokens_reach_the_plan() {
    let files = Files::with(&[
        add!(
            "[callers]\nrepeat_within = \"168h\"\nurgent_key = \"9\"\nurgent_priority = 900\n[[lane]]\nname = \"老年人\"\ntrunks = [\"carrier\"]\npriority = 100\nskills = [\"law\"]\n[[caller_policy]]\ncaller = \"13900000001\"\nact = \"behind\"\nby = 100\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31\n[[caller_policy]]\ncaller = \"13900000002\"\nact = \"to\"\nskills = [\"law\"]\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = 2026-12-31T18:00:00\n[[caller_policy]]\ncaller = \"13900000003\"\nact = \"cool_down\"\npause = \"30min\"\nreason = \"重复来电\"\napprover = \"值班主任\"\nuntil = \"2026-12-31T18:00:00Z\"\n[[caller_policy]]\ncaller = \"13900000004\"\nact = \"confidential\"\nreason = \"本人要求\"\napprover = \"值班主任\"\nuntil = 2026-12-31T18:00:00+08:00\n[[api_token]]\nname = \"desk\"\nrole = \"clerk\"\nseat = \"1001\"\nsecret = { file = \"secrets/desk\" }\n[[api_token]]\nname = \"office\"\nrole = \"admin\"\nsecret = { env = \"OFFICE\" }"
        ),
        Edit::Manifest("text = \"cool_down。\"", "text = \"紧急请按9。\""),
    ]);
    let outcome = files.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    assert_eq!(codes(&outcome.report), [""; 0]);
    let callers = &plan.callers;
    assert_eq!(
        (callers.urgent_key, callers.urgent_priority, callers.center_priority),
        (Some('9'), 900, 2_000)
    );
    assert_eq!(callers.repeat_within, Duration::from_secs(7 * 24 * 3_600));
    assert_eq!(
        (callers.lanes[0].trunks.as_slice(), callers.lanes[0].priority),
        (&["carrier".into()][..], 100)
    );
    let acts: Vec<_> = callers.policies.values().map(|policy| &policy.act).collect();
    let law = vec![Known::some("law")];
    assert_eq!(
        acts,
        [
            &CallerAct::Behind(100),
            &CallerAct::To(law),
            &CallerAct::CoolDown(Duration::from_secs(1_800)),
            &CallerAct::Confidential
        ]
    );
    let ends: Vec<_> = callers.policies.values().map(|policy| policy.until.to_string()).collect();
    assert_eq!(
        ends,
        ["2026-12-31T16:00:00Z", "2026-12-31T10:00:00Z", "2026-12-31T18:00:00Z", "2026-12-31T10:00:00Z"],
        "a day counts to its end by the city's clock"
    );
    let tokens: Vec<_> = plan.tokens.iter().map(|token| (token.name.as_str(), token.role)).collect();
    assert_eq!(tokens, [("desk", Role::Clerk), ("office", Role::Admin)]);
    assert_eq!(plan.tokens[0].seat, Some("1001".into()));
    assert_eq!(plan.tokens[1].secret, SecretRef::Env("OFFICE".to_owned()));
}
