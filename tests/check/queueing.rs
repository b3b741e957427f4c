//! Faults of a queue's rules, and of what its clerks are to know.

use std::time::Duration;

use hotline::routing::people::Role;
use hotline::routing::queueing::{Known, Strategy, Widening};

use super::base::{Edit, Files, codes, queue};
use super::fixture::Fixture;

const CALLING: &str =
    "[calling]\nprefix = \"8\"\nallowed = [\"13\"]\ntrunk = \"tax\"\nline = \"12345\"\n\n[[ticket_sink]]\n";
const OFFER: &str = "text = \"callback_offer。\"";
const ASKED: &str = "expert_seats = true\nskills = [\"law\"]";
const SEAT: &str = "secret = { env = \"SEAT_1002\" }";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0104",
        what: "a strategy that nobody knows",
        edits: &[queue!("strategy = ⟦\"linear\"⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a priority that drowns all others",
        edits: &[queue!("priority = ⟦10000⟧")],
    },
    Fixture {
        code: "E0107",
        what: "a skill better than the best",
        edits: &[Edit::Plan(ASKED, "expert_seats = true\nskills = [{ skill = \"law\", level = ⟦10⟧ }]")],
    },
    Fixture {
        code: "E0107", what: "an ageing that takes no time", edits: &[queue!("ageing = ⟦\"0s\"⟧")]
    },
    Fixture {
        code: "E0102",
        what: "a widening that does not say by how much",
        edits: &[queue!("widen = [⟦{ after = \"30s\" }⟧]")],
    },
    Fixture {
        code: "E0117",
        what: "a call back by a word",
        edits: &[
            queue!("callback = { after = \"1min\", key = ⟦\"one\"⟧ }"),
            Edit::Plan("[[ticket_sink]]\n", CALLING),
        ],
    },
    Fixture {
        code: "E0403",
        what: "a language that nobody speaks",
        edits: &[Edit::Plan(ASKED, "expert_seats = true\nskills = ⟦[\"law\", \"language/en\"]⟧")],
    },
    Fixture {
        code: "E0408",
        what: "a trainee who helps in a surge",
        edits: &[queue!("surge = { from = 30, until = 10, roles = [⟦\"trainee\"⟧] }")],
    },
    Fixture {
        code: "E0416",
        what: "a step that comes before the one in front of it",
        edits: &[queue!("widen = [{ after = \"60s\", levels = 1 }, ⟦{ after = \"30s\", levels = 2 }⟧]")],
    },
    Fixture {
        code: "E0416",
        what: "a step that asks for no less than the one in front of it",
        edits: &[queue!("widen = [{ after = \"30s\", levels = 2 }, ⟦{ after = \"60s\", levels = 2 }⟧]")],
    },
    Fixture {
        code: "E0416",
        what: "a step after the overflow",
        edits: &[queue!("widen = [⟦{ after = \"5min\", levels = 2 }⟧]")],
    },
    Fixture {
        code: "E0417",
        what: "a surge that never ends",
        edits: &[queue!("surge = { from = 30, until = ⟦30⟧ }")],
    },
    Fixture {
        code: "E0417",
        what: "a surge in a queue that is full before it",
        edits: &[queue!("surge = { from = ⟦101⟧, until = 10 }")],
    },
    Fixture {
        code: "E0417",
        what: "more who wait, and more who are let in",
        edits: &[queue!("shed = [{ waiting = 50, below = 10 }, ⟦{ waiting = 80, below = 5 }⟧]")],
    },
    Fixture {
        code: "E0418",
        what: "a call back by the key for a person",
        edits: &[
            queue!("callback = { after = \"1min\", key = ⟦\"0\"⟧ }"),
            Edit::Plan("[[ticket_sink]]\n", CALLING),
            Edit::Manifest(OFFER, "text = \"回拨请按0。\""),
        ],
    },
    Fixture {
        code: "E0418",
        what: "a call back by the urgent key",
        edits: &[
            queue!("callback = { after = \"1min\", key = ⟦\"9\"⟧ }"),
            Edit::Plan(
                "[[ticket_sink]]\n",
                "[callers]\nurgent_key = \"9\"\n\n[calling]\nprefix = \"8\"\nallowed = [\"13\"]\ntrunk = \"tax\"\nline = \"12345\"\n\n[[ticket_sink]]\n",
            ),
            Edit::Manifest(OFFER, "text = \"回拨请按9。\""),
        ],
    },
    Fixture {
        code: "E0418",
        what: "the key for a person is the urgent one",
        edits: &[Edit::Plan("[[ticket_sink]]\n", "[callers]\nurgent_key = ⟦\"0\"⟧\n\n[[ticket_sink]]\n")],
    },
    Fixture {
        code: "E0419",
        what: "supervisors who help, and no supervisor",
        edits: &[queue!("surge = { from = 30, until = 10, roles = [⟦\"supervisor\"⟧] }")],
    },
    Fixture {
        code: "E0420",
        what: "a wait for one clerk beyond the overflow",
        edits: &[queue!("sticky_wait = ⟦\"6min\"⟧")],
    },
    Fixture {
        code: "E0424",
        what: "a call back in a surge by no key",
        edits: &[queue!("surge = { from = 30, until = 10, callback = ⟦true⟧ }")],
    },
    Fixture {
        code: "E0505",
        what: "an offer that nobody recorded",
        edits: &[
            queue!("callback = { after = \"1min\", key = \"1\" }"),
            Edit::Plan("[[ticket_sink]]\n", CALLING),
            Edit::Plan("prompts = \"prompts.toml\"", "prompts = ⟦\"prompts.toml\"⟧"),
            Edit::Manifest("id = \"callback_kept\"", "id = \"kept\""),
            Edit::Manifest(OFFER, "text = \"回拨请按1。\""),
        ],
    },
    Fixture {
        code: "E0507",
        what: "an offer that tells of another key",
        edits: &[
            queue!("callback = { after = \"1min\", key = ⟦\"2\"⟧ }"),
            Edit::Plan("[[ticket_sink]]\n", CALLING),
            Edit::Manifest(OFFER, "text = \"回拨请按1。\""),
        ],
    },
    Fixture {
        code: "E0905",
        what: "a call back by nobody",
        edits: &[
            queue!("callback = ⟦{ after = \"1min\", key = \"1\" }⟧"),
            Edit::Manifest(OFFER, "text = \"回拨请按1。\""),
        ],
    },
    Fixture {
        code: "E0302",
        what: "a greeting for a surge that nobody recorded",
        edits: &[queue!("surge = { from = 30, until = 10, greeting = ⟦\"busy_day\"⟧ }")],
    },
    Fixture {
        code: "W0113",
        what: "a level that nobody has before less is asked for",
        edits: &[
            queue!("widen = [{ after = \"30s\", levels = 9 }]"),
            Edit::Plan(ASKED, "expert_seats = true\nskills = ⟦[{ skill = \"law\", level = 5 }]⟧"),
        ],
    },
];

#[test]
fn rules_and_skills_reach_the_plan() {
    let files = Files::with(&[
        queue!(
            "strategy = \"top_down\"\nwiden = [{ after = \"30s\", levels = 3 }, { after = \"60s\", levels = 9 }]\npriority = -5\nageing = \"2s\"\nexpected_wait_max = \"10min\"\nshed = [{ waiting = 80, below = 1 }, { waiting = 100, below = 100 }]\nsticky_wait = \"20s\"\nsurge = { from = 30, until = 10, greeting = \"greeting\", roles = [\"supervisor\", \"expert\"], callback = true }\ncallback = { after = \"1min\", key = \"1\", tries = 3, again_after = \"90s\", keep = \"1h\" }"
        ),
        Edit::Plan("[[ticket_sink]]\n", CALLING),
        Edit::Manifest(OFFER, "text = \"回拨请按1。\""),
        Edit::Plan(
            SEAT,
            "secret = { env = \"SEAT_1002\" }\nlanguages = [\"en\"]\norder = 2\nwrap_up = \"0s\"\nrole = \"expert\"",
        ),
        Edit::Plan("[\"general\", \"law\"]", "[\"general\", { skill = \"law\", level = 5 }]"),
        Edit::Plan(ASKED, "expert_seats = true\nskills = [{ skill = \"law\", level = 5 }, \"language/en\"]"),
        Edit::Plan(
            "[[seat]]\nid = \"1001\"",
            "[[seat]]\nid = \"1900\"\nname = \"班长席\"\nrole = \"supervisor\"\nsecret = { env = \"SEAT_1900\" }\n\n[[seat]]\nid = \"1001\"",
        ),
    ]);
    let outcome = files.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    assert_eq!(codes(&outcome.report), [""; 0]);
    let rules = &plan.queues["main"].rules;
    let step = |after, levels| Widening { after: Duration::from_secs(after), levels };
    assert_eq!(rules.strategy, Strategy::TopDown);
    assert_eq!(rules.widen, [step(30, 3), step(60, 9)]);
    assert_eq!((rules.priority, rules.ageing), (-5, Some(Duration::from_secs(2))));
    assert_eq!(rules.expected_wait_max, Some(Duration::from_secs(600)));
    assert_eq!(rules.shed, [(80, 1), (100, 100)]);
    assert_eq!(rules.sticky_wait, Some(Duration::from_secs(20)));
    let surge = rules.surge.as_ref().expect("a surge");
    assert_eq!((surge.from, surge.until, surge.callback), (30, 10, true));
    assert_eq!(surge.roles, [Role::Supervisor, Role::Expert]);
    let offer = rules.callback.as_ref().expect("an offer");
    assert_eq!((offer.key, offer.tries, offer.keep), ('1', 3, Duration::from_secs(3_600)));
    let expert = &plan.seats["1002"];
    let knows = |skill: &str, level| Known { skill: skill.into(), level };
    assert_eq!(expert.skills, [knows("general", 1), knows("law", 5), knows("language/en", 1)]);
    assert_eq!((expert.order, expert.wrap_up), (2, Some(Duration::ZERO)));
    assert_eq!((plan.seats["1900"].role, plan.seats["1900"].queues.len()), (Role::Supervisor, 0));
    assert_eq!(plan.lines["12348"].skills, [knows("law", 5), knows("language/en", 1)]);
}
