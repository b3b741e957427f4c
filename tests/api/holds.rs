//! Recordings under hold, and those that were removed.

use hotline::io::store::{ManifestRow, Removal, Removals};
use hotline::switchboard::fact::{Cause, What};
use hotline::switchboard::request::Disposed;

use crate::client::{get, post};
use crate::fixture::{OWNER, Served, call, story, token};

fn file(served: &Served, n: u64) {
    let row = ManifestRow {
        call: call(n),
        track: None,
        file: format!("recordings/2021-09-01/{}.wav", call(n)),
        format: "wav".into(),
        sha256: "00".repeat(32),
        bytes: 44,
        samples: 0,
        lost_frames: 0,
        gaps: Vec::new(),
        pauses: Vec::new(),
        at: "2021-09-01T02:00:00Z".parse().unwrap(),
        removed: None,
    };
    served.errands().file(row).blocking_recv().unwrap().unwrap();
}

fn remove(served: &Served, n: u64, class: Option<&str>) -> usize {
    let removal = Removal { call: call(n), class: class.map(str::to_owned), reason: "r".into() };
    let at = "2024-09-01T00:00:00Z".parse().unwrap();
    served
        .errands()
        .remove(Removals { calls: vec![removal], at, source: "/hotline/test".into() })
        .blocking_recv()
        .unwrap()
        .unwrap()
        .len()
}

#[test]
fn what_is_under_hold_is_not_removed_until_it_is_released_and_what_was_removed_says_when_and_why() {
    let served = Served::open("holds");
    let recorded = || What::Recorded { file: "x.wav".into(), duration_ms: 1_000, lost_frames: 0 };
    let secret = What::Disposed(Disposed { secret: true, by: "1001".into(), ..Disposed::default() });
    served.write(story(call(1), vec![recorded()], Cause::CallerHungUp));
    served.write(story(call(2), vec![recorded(), secret], Cause::CallerHungUp));
    served.write(story(call(3), vec![recorded()], Cause::CallerHungUp));
    (1..=3).for_each(|n| file(&served, n));
    let path = |n, what: &str| format!("/v1/recordings/{}{what}", call(n));
    let ask = |n, what: &str, who: &str| {
        post(served.at, &path(n, &format!("/{what}?by=wang&reason=case")), who, "")
    };

    let admin = token("admin");
    let supervisor = token("supervisor");
    assert_eq!(post(served.at, &path(1, "/hold"), &supervisor, "").code(), "missing_parameter");
    assert_eq!(ask(1, "hold", &token("clerk")).code(), "not_allowed");
    assert_eq!(ask(9, "hold", &admin).code(), "no_such_call");
    assert_eq!(ask(2, "hold", &supervisor).code(), "secret_matter");
    for (what, who, changed, held) in [
        ("hold", OWNER, true, true),
        ("hold", &supervisor, false, true),
        ("release", &supervisor, true, false),
        ("release", OWNER, false, false),
        ("hold", OWNER, true, true),
    ] {
        let answer = ask(1, what, who);
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = answer.json();
        assert_eq!((told["changed"] == changed, told["held"] == held), (true, true), "{what}: {told}");
    }
    assert_eq!(remove(&served, 1, None), 0, "it is under hold");
    assert_eq!(remove(&served, 3, Some("咨询")), 1);
    // Whoever asks again finds it so after a restart.
    let served = served.restart(hotline::io::http::Bounds::default());
    assert_eq!(remove(&served, 1, None), 0);
    let path = |n, what: &str| format!("/v1/recordings/{}{what}", call(n));

    let gone = get(served.at, &path(3, "?by=wang&reason=x"), OWNER);
    assert_eq!((gone.status, gone.code().as_str()), (410, "recording_removed"));
    assert_eq!(gone.header("content-type"), Some("application/problem+json"));
    let told = gone.json();
    for words in ["zh", "en"] {
        let words = told[words].as_str().unwrap();
        assert!(words.contains("2024-09-01T00:00:00Z") && words.contains("咨询"), "{words}");
    }
    assert_eq!(post(served.at, &path(3, "/hold?by=wang&reason=x"), OWNER, "").status, 410);
    let manifest = get(served.at, &path(3, "/manifest"), OWNER).json();
    assert_eq!(
        (&manifest[0]["removed_class"], &manifest[0]["sha256"]),
        (&"咨询".into(), &"00".repeat(32).into())
    );
    let ledger = get(served.at, "/v1/ledger", OWNER).body;
    for (what, times) in [("recording_held", 2), ("recording_released", 1), ("recording_removed", 1)] {
        assert_eq!(ledger.matches(what).count(), times, "{what}: {ledger}");
    }
    assert!(!ledger.contains("recording_played"), "nobody heard anything");
}
