//! Faults of how long recordings are kept, and of which are secret.

use hotline::routing::retention::Days;

use super::base::{Edit, Files, Sound, add, codes};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E1401",
        what: "nobody decided how long recordings are kept",
        edits: &[Edit::Plan(
            "enabled = true\nkey = { file = \"secrets/recordings\" }\nkeep = \"1095d\"",
            "enabled = ⟦true⟧\nkey = { file = \"secrets/recordings\" }",
        )],
    },
    Fixture {
        code: "E1402",
        what: "a term in hours",
        edits: &[Edit::Plan("keep = \"1095d\"", "keep = ⟦\"26280h\"⟧")],
    },
    Fixture {
        code: "E1402",
        what: "a term of no day",
        edits: &[Edit::Plan("keep = \"1095d\"", "keep = ⟦\"0d\"⟧")],
    },
    Fixture {
        code: "E1402",
        what: "a class of a thousand years",
        edits: &[add!("[[recording_class]]\nname = \"a\"\nkeep = ⟦\"365000d\"⟧\nlines = [\"12366\"]")],
    },
    Fixture {
        code: "E1403",
        what: "a class by a number that there is none of",
        edits: &[add!("[[recording_class]]\nname = \"a\"\nkeep = \"90d\"\nlines = [\"12366\", ⟦\"12367\"⟧]")],
    },
    Fixture {
        code: "E1404",
        what: "a class of every call",
        edits: &[add!("⟦[[recording_class]]⟧\nname = \"a\"\nkeep = \"90d\"")],
    },
    Fixture {
        code: "E1405",
        what: "a class by a code that there is none of",
        edits: &[add!(
            "[disposition.types]\nreport = \"举报\"\n[[recording_class]]\nname = \"a\"\nkeep = \"90d\"\ncodes = [⟦\"reports\"⟧]"
        )],
    },
    Fixture {
        code: "E1405",
        what: "a secret by a code that no clerk can say",
        edits: &[
            Edit::Plan("keep = \"1095d\"", "keep = \"1095d\"\nsecret = [⟦\"mediation\"⟧]"),
            add!("[disposition.unsurveyed]\nmediation = \"行政调解\""),
        ],
    },
    Fixture {
        code: "E1406",
        what: "a notice of something else",
        edits: &[Edit::Plan("keep = \"1095d\"", "keep = \"1095d\"\nnotice = ⟦\"survey\"⟧")],
    },
    Fixture {
        code: "W0103",
        what: "a notice of 6 s",
        edits: &[
            Edit::Plan("keep = \"1095d\"", "keep = \"1095d\"\nnotice = ⟦\"transition\"⟧"),
            Edit::Manifest("text = \"transition。\"", "text = \"通话将被录音。\""),
            Edit::Sound("transition", Sound::Seconds(6)),
        ],
    },
    Fixture {
        code: "E0302",
        what: "a notice that there is not",
        edits: &[Edit::Plan("keep = \"1095d\"", "keep = \"1095d\"\nnotice = ⟦\"recorded\"⟧")],
    },
    Fixture {
        code: "E0304",
        what: "two classes of one name",
        edits: &[add!(
            "[[recording_class]]\nname = \"a\"\nkeep = \"90d\"\nlines = [\"12366\"]\n[[recording_class]]\nname = ⟦\"a\"⟧\nkeep = \"91d\"\nlines = [\"12348\"]"
        )],
    },
];

#[test]
fn a_lane_goes_straight_where_the_notice_is_said() {
    let outcome = Files::with(&[
        Edit::Plan("keep = \"1095d\"", "keep = \"1095d\"\nnotice = \"greeting\""),
        add!("[[lane]]\nname = \"a\"\nlines = [\"12348\"]\nstraight = true"),
    ])
    .judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let plan = outcome.plan.unwrap();
    assert_eq!(plan.recording.notice, Some("greeting".into()));
}

#[test]
fn terms_classes_and_secrets_reach_the_plan() {
    let outcome = Files::with(&[
        Edit::Plan("keep = \"1095d\"", "keep = \"1095d\"\nsecret = [\"state_secret\"]"),
        add!(
            "[disposition.not_accepted]\nstate_secret = \"涉及国家秘密\"\n[[recording_class]]\nname = \"密\"\nkeep = \"3650d\"\nlines = [\"12366\"]\ncodes = [\"state_secret\"]"
        ),
    ])
    .judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let recording = outcome.plan.unwrap().recording;
    assert_eq!(recording.secret, ["state_secret"]);
    let (retention, line) = (&recording.retention, "12366".into());
    assert_eq!(retention.shortest(), Some(Days(1_095)));
    let term = retention.term(&line, &["state_secret"]).unwrap();
    assert_eq!((term.keep, term.class), (Days(3_650), Some("密")));
    assert_eq!(retention.term(&line, &[]).unwrap().keep, Days(1_095));
}
