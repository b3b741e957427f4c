//! Faults of what callers hear: missing, changed, not playable, too long.

use super::base::{Edit, Files, Sound, codes};
use super::fixture::Fixture;

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0502",
        what: "a prompt's file is gone",
        edits: &[
            Edit::Gone("survey.wav"),
            Edit::Manifest("file = \"survey.wav\"", "file = ⟦\"survey.wav\"⟧"),
        ],
    },
    Fixture {
        code: "E0503",
        what: "a prompt's file is not the sealed one",
        edits: &[Edit::Sound("goodbye", Sound::Changed)],
    },
    Fixture {
        code: "E0504",
        what: "a prompt of 16 kHz",
        edits: &[
            Edit::Sound("goodbye", Sound::Rate(16_000)),
            Edit::Manifest("file = \"goodbye.wav\"", "file = ⟦\"goodbye.wav\"⟧"),
        ],
    },
    Fixture {
        code: "E0504",
        what: "a prompt that is no WAV",
        edits: &[
            Edit::Sound("goodbye", Sound::Broken),
            Edit::Manifest("file = \"goodbye.wav\"", "file = ⟦\"goodbye.wav\"⟧"),
        ],
    },
    Fixture {
        code: "E0505",
        what: "the manifest lacks a fragment that the engine says",
        edits: &[
            Edit::Manifest("id = \"digit_yao\"", "id = \"digit_one\""),
            Edit::Plan("prompts = \"prompts.toml\"", "prompts = ⟦\"prompts.toml\"⟧"),
        ],
    },
    Fixture {
        code: "E0506",
        what: "too many words before the queue of a merged number",
        edits: &[
            Edit::Sound("transition", Sound::Seconds(16)),
            Edit::Plan("prompt = \"transition\"", "prompt = ⟦\"transition\"⟧"),
        ],
    },
    Fixture {
        code: "E0506",
        what: "too many words after a sub-center has not answered",
        edits: &[
            Edit::Sound("sub_center_unanswered", Sound::Seconds(15)),
            Edit::Plan("greeting = \"greeting\"", "greeting = ⟦\"greeting\"⟧"),
        ],
    },
    Fixture {
        code: "W0103",
        what: "a greeting of 6 s",
        edits: &[
            Edit::Sound("greeting", Sound::Seconds(6)),
            Edit::Plan("greeting = \"greeting\"", "greeting = ⟦\"greeting\"⟧"),
        ],
    },
];

#[test]
fn words_before_the_queue_may_take_exactly_15_seconds_together() {
    for (transition, greeting, found) in [(10, 5, None), (11, 5, Some("E0506"))] {
        let edits = [
            Edit::Sound("transition", Sound::Seconds(transition)),
            Edit::Sound("greeting", Sound::Seconds(greeting)),
        ];
        let report = Files::with(&edits).judge().report;
        assert_eq!(codes(&report), Vec::from_iter(found), "{transition} s and {greeting} s");
    }
}

#[test]
fn a_changed_prompt_is_told_with_the_hash_that_it_has_now() {
    let report = Files::with(&[Edit::Sound("goodbye", Sound::Changed)]).judge().report;
    assert_eq!(codes(&report), ["E0503"]);
    let remedy = report.diagnostics[0].remedy.as_ref().expect("a remedy");
    let hash = remedy.en.rsplit(' ').next().expect("a hash");
    assert!(hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()), "{}", remedy.en);
    assert!(remedy.zh.contains(hash));
}
