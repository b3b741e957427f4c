//! Faults of what callers hear: missing, changed, not playable, too long.

use super::base::{Edit, Files, Sound, codes};
use super::fixture::Fixture;

/// Puts a variant behind the prompt in front of `seat_lost`.
macro_rules! variant {
    ($keys:literal) => {
        Edit::Manifest(
            "[[prompt]]\nid = \"seat_lost\"",
            concat!(
                "⟦[[prompt.variant]]⟧\n",
                $keys,
                "\nfile = \"goodbye.wav\"\nsha256 = \"\"\n\n[[prompt]]\nid = \"seat_lost\""
            ),
        )
    };
}

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
        code: "E0104",
        what: "a class that there is none of",
        edits: &[Edit::Manifest("id = \"goodbye\"", "id = \"goodbye\"\nclass = ⟦\"notise\"⟧")],
    },
    Fixture {
        code: "E0508",
        what: "an id that could be taken for a variant",
        edits: &[Edit::Manifest("id = \"year\"", "id = ⟦\"year@en\"⟧")],
    },
    Fixture { code: "E0509", what: "a variant in no language", edits: &[variant!("text = \"Bye.\"")] },
    Fixture {
        code: "E0509",
        what: "a variant in a language and a dialect",
        edits: &[variant!("language = \"en\"\ndialect = \"豫北\"\ntext = \"Bye.\"")],
    },
    Fixture {
        code: "E0510",
        what: "a line in a language that nothing is spoken in",
        edits: &[Edit::Plan("row = \"1-3\"", "row = \"1-3\"\nlanguage = ⟦\"en\"⟧")],
    },
    Fixture {
        code: "E0511",
        what: "a prompt that ends before it begins",
        edits: &[Edit::Manifest(
            "id = \"year\"",
            "id = \"year\"\nvalid_from = 2026-02-01\nvalid_until = ⟦2026-01-31⟧",
        )],
    },
    Fixture {
        code: "E0512",
        what: "a prompt in use that is not yet valid",
        edits: &[Edit::Manifest("id = \"goodbye\"", "id = \"goodbye\"\nvalid_from = ⟦2026-07-02⟧")],
    },
    Fixture {
        code: "E0513",
        what: "a prompt in use that is over",
        edits: &[Edit::Manifest("id = \"goodbye\"", "id = \"goodbye\"\nvalid_until = ⟦2026-06-30⟧")],
    },
    Fixture {
        code: "W0501",
        what: "a prompt in use that is over in 30 days",
        edits: &[Edit::Manifest("id = \"goodbye\"", "id = \"goodbye\"\nvalid_until = ⟦2026-07-31⟧")],
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
fn a_prompt_holds_from_its_first_day_through_its_last_by_the_citys_clock() {
    for (keys, found) in [
        ("valid_from = 2026-07-01", None),
        ("valid_until = 2026-07-01", Some("W0501")), // Today is its last day.
        ("valid_until = 2026-08-01", None),          // 31 days from now.
        ("valid_from = 2026-07-01\nvalid_until = 2027-07-01", None),
    ] {
        let keys: &'static str = format!("id = \"goodbye\"\n{keys}").leak();
        let report = Files::with(&[Edit::Manifest("id = \"goodbye\"", keys)]).judge().report;
        assert_eq!(codes(&report), Vec::from_iter(found), "{keys}");
    }
    // What no caller comes to hear with this file may be as old as it likes.
    let unused = Edit::Manifest("id = \"year\"", "id = \"year\"\nvalid_until = 2020-01-01");
    assert_eq!(codes(&Files::with(&[unused]).judge().report), [""; 0]);
}

#[test]
fn what_a_flow_reads_out_needs_its_words_and_they_are_in_use() {
    let flow = |reading: &str| {
        let flow = format!(
            "[[flow]]\nname = \"main\"\n[[flow.step]]\nplay = \"greeting\"\n[[flow.step]]\ncollect = \"survey\"\ninto = \"code\"\nmost = 8\n\
             [[flow.step]]\nsay = [{{ value = \"code\", as = \"{reading}\" }}]\n\n[[ticket_sink]]\n"
        );
        let on = Edit::Plan("mode = \"primary\"", "mode = \"primary\"\nflow = \"main\"");
        [on, Edit::Plan("[[ticket_sink]]\n", flow.leak())]
    };
    for (reading, word, needed) in [
        ("count", "hundred_million", true),
        ("amount", "jiao", true),
        ("date", "year", true),
        ("time", "zheng", true),
        ("date", "zheng", false),
        ("digits", "year", false),
    ] {
        let id: &str = format!("id = \"{word}\"").leak();
        let other: &str = format!("id = \"{word}_2\"").leak();
        let over: &str = format!("{id}\nvalid_until = 2026-06-30").leak();
        for (to, code) in [(other, "E0505"), (over, "E0513")] {
            let [on, flow] = flow(reading);
            let report = Files::with(&[on, flow, Edit::Manifest(id, to)]).judge().report;
            let found = codes(&report);
            assert_eq!(
                found,
                Vec::from_iter(needed.then_some(code)),
                "{reading} {word} {}",
                report.render(false)
            );
            let said = report.diagnostics.first().map_or("", |found| found.problem.en.as_str());
            assert!(!needed || said.contains(word), "{said}");
        }
    }
}

#[test]
fn a_house_opens_with_a_prompt_that_is_over_and_is_told_of_it() {
    for keys in ["valid_until = 2026-06-30", "valid_from = 2026-07-02"] {
        let keys: &'static str = format!("id = \"goodbye\"\n{keys}").leak();
        let files = Files::with(&[Edit::Manifest("id = \"goodbye\"", keys)]);
        assert!(files.judge().plan.is_none());
        let opened = files.open();
        assert!(opened.plan.is_some());
        assert_eq!(opened.report.softened().count(), 1);
        assert_eq!(opened.report.count(hotline::routing::diagnostic::Severity::Error), 0);
    }
    let changed = Files::with(&[Edit::Sound("goodbye", Sound::Changed)]).open();
    assert!(changed.plan.is_none(), "what was spoiled is not played");
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
