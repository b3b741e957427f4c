//! Faults of codecs and of encryption.

use hotline::routing::sound::{CodecName, Sound, SrtpPolicy};

use super::base::{Edit, Files, codes};
use super::fixture::Fixture;

const LISTEN: &str = "listen = [\"192.0.2.10:5060\"]";
const TLS: &str = "listen = [\"192.0.2.10:5060\", \"tls:192.0.2.10:5061\"]";
const LIMITS: &str = "[limits]\n";
const PAIR: &str = "[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n\n[limits]\n";
const CARRIER: &str = "calls_max = 1100";
const TAX: &str = "target = \"203.0.113.5:5060\"";
const SEAT: &str = "secret = { env = \"SEAT_1002\" }";
const RECORDING: &str =
    "[recording]\nenabled = true\nkey = { file = \"secrets/recordings\" }\nkeep = \"1095d\"";
const GROUP: &str = "[[queue]]\nname = \"main\"";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0104",
        what: "a codec that there is not",
        edits: &[Edit::Plan(CARRIER, "calls_max = 1100\ncodecs = [\"PCMA\", ⟦\"G.722\"⟧]")],
    },
    Fixture {
        code: "E0104",
        what: "a policy that there is not",
        edits: &[Edit::Plan(SEAT, "secret = { env = \"SEAT_1002\" }\nsrtp = ⟦\"require\"⟧")],
    },
    Fixture {
        code: "E0630",
        what: "a codec twice",
        edits: &[Edit::Plan(CARRIER, "calls_max = 1100\ncodecs = [\"PCMA\", \"PCMU\", ⟦\"pcma\"⟧]")],
    },
    Fixture {
        code: "E0632",
        what: "no codec",
        edits: &[Edit::Plan(SEAT, "secret = { env = \"SEAT_1002\" }\ncodecs = ⟦[]⟧")],
    },
    Fixture {
        code: "E0632",
        what: "no codec that prompts can be spoken in",
        edits: &[
            Edit::Plan(RECORDING, "[recording]\nenabled = false\nexception = \"repairs, approved by Zhang\""),
            Edit::Plan(CARRIER, "calls_max = 1100\ncodecs = ⟦[\"G729\"]⟧"),
        ],
    },
    Fixture {
        code: "W0108",
        what: "G.729 where calls are recorded",
        edits: &[Edit::Plan(CARRIER, "calls_max = 1100\ncodecs = [\"PCMA\", ⟦\"G729\"⟧]")],
    },
    Fixture {
        code: "W0108",
        what: "G.729 for clerks",
        edits: &[Edit::Plan(
            RECORDING,
            "[recording]\nenabled = true\nkey = { file = \"secrets/recordings\" }\nkeep = \"1095d\"\n\n[seat_sound]\ncodecs = [\"PCMA\", ⟦\"G729\"⟧]",
        )],
    },
    Fixture {
        code: "E0633",
        what: "encryption required of a trunk whose target is reached in the clear",
        edits: &[Edit::Plan(
            TAX,
            "target = [\"sips:tax.example\", \"203.0.113.5:5060\"]\nsrtp = ⟦\"required\"⟧",
        )],
    },
    Fixture {
        code: "E0633",
        what: "encryption required of a trunk that comes in the clear",
        edits: &[Edit::Plan(CARRIER, "calls_max = 1100\nsrtp = ⟦\"required\"⟧")],
    },
    Fixture {
        code: "E0633",
        what: "encryption required of a seat without a TLS listener",
        edits: &[Edit::Plan(SEAT, "secret = { env = \"SEAT_1002\" }\nsrtp = ⟦\"required\"⟧")],
    },
    Fixture {
        code: "E0633",
        what: "encryption required of all seats without a TLS listener",
        edits: &[Edit::Plan(
            RECORDING,
            "[recording]\nenabled = true\nkey = { file = \"secrets/recordings\" }\nkeep = \"1095d\"\n\n[seat_sound]\nsrtp = ⟦\"required\"⟧",
        )],
    },
    Fixture {
        code: "E0634",
        what: "a group whose trunks differ in encryption",
        edits: &[
            Edit::Plan(TAX, "target = \"203.0.113.5:5060\"\nsrtp = \"off\""),
            Edit::Plan(
                GROUP,
                "[[trunk_group]]\nname = \"far\"\ntrunks = ⟦[\"tax\", \"police\"]⟧\n\n[[queue]]\nname = \"main\"",
            ),
            Edit::Plan("mode = \"sub_center\"\ntrunk = \"tax\"", "mode = \"sub_center\"\ntrunk = \"far\""),
        ],
    },
    Fixture {
        code: "E0635",
        what: "a group whose trunks have no codec in common",
        edits: &[
            Edit::Plan(TAX, "target = \"203.0.113.5:5060\"\ncodecs = [\"G722\"]"),
            Edit::Plan(
                GROUP,
                "[[trunk_group]]\nname = \"far\"\ntrunks = ⟦[\"tax\", \"police\"]⟧\n\n[[queue]]\nname = \"main\"",
            ),
            Edit::Plan("mode = \"sub_center\"\ntrunk = \"tax\"", "mode = \"sub_center\"\ntrunk = \"far\""),
        ],
    },
];

/// Only an engine that was built without it refuses Opus.
pub const WITHOUT_OPUS: &[Fixture] = &[Fixture {
    code: "E0631",
    what: "Opus in an engine without it",
    edits: &[Edit::Plan(CARRIER, "calls_max = 1100\ncodecs = [\"PCMA\", ⟦\"opus\"⟧]")],
}];

#[test]
fn codecs_and_policies_reach_the_plan_and_seats_have_a_usual_one() {
    let files = Files::with(&[
        Edit::Plan(LISTEN, TLS),
        Edit::Plan(LIMITS, PAIR),
        Edit::Plan(CARRIER, "calls_max = 1100\ncodecs = [\"g722\", \"PCMA\", \"L16\"]\nsrtp = \"required\""),
        Edit::Plan(
            RECORDING,
            "[recording]\nenabled = true\nkey = { file = \"secrets/recordings\" }\nkeep = \"1095d\"\n\n[seat_sound]\ncodecs = [\"PCMU\"]\nsrtp = \"off\"",
        ),
        Edit::Plan(SEAT, "secret = { env = \"SEAT_1002\" }\nsrtp = \"required\""),
    ]);
    let outcome = files.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    assert_eq!(codes(&outcome.report), [""; 0]);
    use CodecName::{G722, L16, Pcma, Pcmu};
    let sound = |codecs: &[CodecName], srtp| Sound { codecs: codecs.to_vec(), srtp };
    assert_eq!(plan.trunks["carrier"].sound, sound(&[G722, Pcma, L16], SrtpPolicy::Required));
    assert_eq!(plan.trunks["tax"].sound, sound(&[Pcma, Pcmu], SrtpPolicy::Offered), "nothing said");
    assert_eq!(plan.seats["1001"].sound, sound(&[Pcmu], SrtpPolicy::Off), "as all seats");
    assert_eq!(plan.seats["1002"].sound, sound(&[Pcmu], SrtpPolicy::Required), "but for what it says itself");
}

/// One offer goes to each trunk of a group that is tried.
#[test]
fn a_groups_sound_is_what_all_its_trunks_allow() {
    let files = Files::with(&[
        Edit::Plan(TAX, "target = \"sips:tax.example\"\ncodecs = [\"G722\", \"PCMU\", \"PCMA\"]"),
        Edit::Plan(
            GROUP,
            "[[trunk_group]]\nname = \"far\"\ntrunks = [\"tax\", \"police\"]\n\n[[queue]]\nname = \"main\"",
        ),
        Edit::Plan("mode = \"sub_center\"\ntrunk = \"tax\"", "mode = \"sub_center\"\ntrunk = \"far\""),
    ]);
    let outcome = files.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    let far = "far".into();
    assert_eq!(plan.sound_by(&far).codecs, [CodecName::Pcmu, CodecName::Pcma]);
    assert!(plan.is_tls_by(&"tax".into()) && !plan.is_tls_by(&"police".into()));
    assert!(!plan.is_tls_by(&far), "one way in the clear is enough");
    assert!(!plan.is_tls_by(&"carrier".into()), "no way at all is not one over TLS");
}
