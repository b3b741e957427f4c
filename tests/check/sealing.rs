//! `[recording] key` and `old_keys`: what recordings are encrypted with.

use hotline::routing::plan::SecretRef;

use super::base::{Edit, Files, codes};
use super::fixture::Fixture;

const KEY: &str = "key = { file = \"secrets/recordings\" }";

/// Codes that no file brings about by itself.
pub const BESIDE_DATA: [&str; 1] = ["E1414"];

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "W1410",
        what: "recordings in the clear",
        edits: &[Edit::Plan("enabled = true\nkey = { file = \"secrets/recordings\" }", "enabled = ⟦true⟧")],
    },
    Fixture {
        code: "E1410",
        what: "the new key among the old ones",
        edits: &[Edit::Plan(
            KEY,
            "key = { file = \"secrets/recordings\" }\nold_keys = [{ env = \"OLD\" }, ⟦{ file = \"./secrets/recordings\" }⟧]",
        )],
    },
    Fixture {
        code: "E1410",
        what: "an old key twice",
        edits: &[Edit::Plan(
            KEY,
            "key = { file = \"secrets/recordings\" }\nold_keys = [{ env = \"OLD\" }, ⟦{ env = \"OLD\" }⟧]",
        )],
    },
    Fixture {
        code: "E1411",
        what: "33 old keys",
        edits: &[Edit::Plan(
            KEY,
            concat!(
                "key = { file = \"secrets/recordings\" }\nold_keys = ⟦[{env=\"K1\"},{env=\"K2\"},{env=\"K3\"},{env=\"K4\"},",
                "{env=\"K5\"},{env=\"K6\"},{env=\"K7\"},{env=\"K8\"},{env=\"K9\"},{env=\"K10\"},{env=\"K11\"},",
                "{env=\"K12\"},{env=\"K13\"},{env=\"K14\"},{env=\"K15\"},{env=\"K16\"},{env=\"K17\"},{env=\"K18\"},",
                "{env=\"K19\"},{env=\"K20\"},{env=\"K21\"},{env=\"K22\"},{env=\"K23\"},{env=\"K24\"},{env=\"K25\"},",
                "{env=\"K26\"},{env=\"K27\"},{env=\"K28\"},{env=\"K29\"},{env=\"K30\"},{env=\"K31\"},{env=\"K32\"},",
                "{env=\"K33\"}]⟧",
            ),
        )],
    },
    Fixture {
        code: "E1412",
        what: "a key in the directory of recordings",
        edits: &[Edit::Plan(KEY, "key = ⟦{ file = \"./recordings/key\" }⟧")],
    },
    Fixture {
        code: "E1413",
        what: "a key that is a seat's password",
        edits: &[Edit::Plan(KEY, "key = ⟦{ env = \"SEAT_1002\" }⟧")],
    },
];

#[test]
fn keys_reach_the_plan_in_the_order_in_which_they_are_written() {
    let two = "key = { env = \"KEY\" }\nold_keys = [{ file = \"secrets/recordings\" }, { file = \"old/recordings/key\" }]";
    let outcome = Files::with(&[Edit::Plan(KEY, two)]).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let recording = outcome.plan.expect("a plan").recording;
    assert_eq!(recording.key, Some(SecretRef::Env("KEY".into())));
    let old = ["secrets/recordings", "old/recordings/key"].map(|file| SecretRef::File(file.into()));
    assert_eq!(recording.old_keys, old);
}

#[test]
fn whoever_goes_back_to_the_clear_still_reads_what_was_sealed() {
    let outcome = Files::with(&[Edit::Plan(KEY, "old_keys = [{ file = \"secrets/recordings\" }]")]).judge();
    assert_eq!(codes(&outcome.report), ["W1410"]);
    assert_eq!(outcome.plan.expect("a plan").recording.old_keys.len(), 1);
}

#[test]
fn a_key_that_is_at_hand_is_looked_at_and_one_that_is_not_is_not_missed() {
    let data = std::env::temp_dir().join(format!("hotline-check-key-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(data.join("secrets")).unwrap();
    let check = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hotline"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["check", "--data"]).arg(&data);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (without, _) = check();
    for (text, fits) in [("password", false), (&"0f".repeat(32), true), (&"0f".repeat(31), false)] {
        std::fs::write(data.join("secrets/recordings"), text).unwrap();
        let (code, told) = check();
        assert_eq!(told.contains("E1414"), !fits, "{told}");
        assert_eq!(code, if fits { without } else { Some(1) });
        assert!(!told.contains(text), "what it holds is nobody's business");
    }
    std::fs::remove_dir_all(data).unwrap();
}
