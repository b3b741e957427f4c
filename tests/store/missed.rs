//! What the list of missed calls finds again after a restart.

use hotline::id::CallId;
use hotline::switchboard::fact::{Answer, Fact, OutwardPurpose, What};
use hotline::time::Timestamp;

use crate::archive::{Archive, Folder, at, call, closed, fact, open, quiet};

/// A call of this caller, opened at `at(n)`, with a fact of its own, and closed.
fn story(n: u64, caller: &str, trunk: &str, what: Option<What>) -> Vec<Fact> {
    let opened = What::Opened {
        line: "12345".into(),
        dialled: "12345".into(),
        caller: caller.into(),
        trunk: trunk.into(),
        ticket: n.to_string(),
        plan: String::new(),
        shifted_clock: false,
        wire_ref: String::new(),
        room: None,
    };
    let mut facts = vec![fact(call(n), 1, opened)];
    facts.extend(what.map(|what| fact(call(n), 2, what)));
    facts.push(closed(call(n), facts.len() as u32 + 1));
    facts.into_iter().map(|fact| Fact { at: at(n), ..fact }).collect()
}

fn found(folder: &Folder, since: Timestamp) -> Vec<CallId> {
    let facts = open(folder, &["office"]).unanswered(since).unwrap();
    assert!(facts.windows(2).all(|pair| pair[0].at <= pair[1].at), "in the order that they happened");
    let mut calls: Vec<CallId> = facts.into_iter().map(|fact| fact.call).collect();
    calls.dedup();
    calls
}

#[test]
fn callers_whom_nobody_has_answered_since_and_calls_out_are_found_and_no_others() {
    let folder = Folder::new("missed");
    let talked = || Some(What::SeatAnswered { seat: "1001".into(), waited_ms: 1, leg: Some(1) });
    let stories = [
        story(1, "1", "carrier", None),     // Too long ago.
        story(2, "2", "carrier", None),     // Answered since, by 6.
        story(3, "3", "carrier", talked()), // Answered.
        story(4, "", "carrier", None),      // Withheld.
        story(5, "5", "carrier", None),
        story(6, "2", "carrier", talked()),
        story(7, "2", "carrier", None), // And lost again.
        story(8, "1001", "seats", None),
        story(9, "9", "house", None),
    ];
    let mut archive = Archive::start(&folder, &["office"]);
    for story in &stories {
        archive.write(story.iter().cloned().map(quiet).collect());
    }
    assert_eq!(archive.store.close(), 0, "and all have their rows");
    assert_eq!(found(&folder, at(2)), [5, 7, 8, 9].map(call));
    assert_eq!(found(&folder, at(0)), [1, 5, 7, 8, 9].map(call));
    assert_eq!(found(&folder, at(8)), [8, 9].map(call));
    assert_eq!(found(&folder, at(10)), []);
    let empty = Folder::new("missed-none");
    assert_eq!(found(&empty, at(0)), []);
}

#[test]
fn calls_without_a_grade_are_found_as_far_as_they_are_chosen_and_those_that_asked() {
    let folder = Folder::new("ungraded");
    let talked = || Some(What::SeatAnswered { seat: "1001".into(), waited_ms: 1, leg: Some(1) });
    let asked = What::Outward {
        purpose: OutwardPurpose::FollowUp,
        seat: None,
        number: "1".into(),
        of: Some(call(1)),
    };
    let stories = [
        story(1, "1", "carrier", talked()),
        story(2, "2", "carrier", None),    // Nobody talked with them.
        story(3, "", "carrier", talked()), // Withheld.
        story(4, "1001", "seats", talked()),
        story(5, "1", "house", Some(asked)),
    ];
    let mut archive = Archive::start(&folder, &["office"]);
    for story in &stories {
        archive.write(story.iter().cloned().map(quiet).collect());
    }
    assert_eq!(archive.store.close(), 0, "and all have their rows");
    let found = |percent, since| {
        let facts = open(&folder, &["office"]).ungraded(at(since), percent).unwrap();
        let mut calls: Vec<CallId> = facts.into_iter().map(|fact| fact.call).collect();
        calls.dedup();
        calls
    };
    assert_eq!(found(100, 0), [1, 5].map(call));
    assert_eq!(found(100, 2), [call(5)]);
    assert_eq!(found(0, 0), [call(5)], "nobody is chosen");
}

#[test]
fn places_that_were_kept_are_found_with_the_calls_that_were_made_for_them_or_have_answered_since() {
    let folder = Folder::new("kept-places");
    let kept = || Some(What::CallbackKept { queue: "main".into(), ahead: 2 });
    let talked = || Some(What::SeatAnswered { seat: "1001".into(), waited_ms: 1, leg: Some(1) });
    let out =
        |purpose, of| Some(What::Outward { purpose, seat: None, number: "2".into(), of: Some(call(of)) });
    let stories = [
        story(1, "1", "carrier", talked()), // Nothing to do with it.
        story(2, "2", "carrier", kept()),
        story(3, "3", "carrier", kept()),
        story(4, "1001", "seats", out(OutwardPurpose::Callback, 2)),
        story(5, "1001", "seats", out(OutwardPurpose::Missed, 1)), // For the list.
        story(6, "3", "carrier", talked()),
        story(7, "4", "carrier", None),
    ];
    let mut archive = Archive::start(&folder, &["office"]);
    for story in &stories {
        archive.write(story.iter().cloned().map(quiet).collect());
    }
    assert_eq!(archive.store.close(), 0, "and all have their rows");
    let found = || {
        let facts = open(&folder, &["office"]).kept(Timestamp::UNIX_EPOCH).unwrap();
        assert!(facts.windows(2).all(|pair| pair[0].at <= pair[1].at), "in the order that they happened");
        let mut calls: Vec<CallId> = facts.into_iter().map(|fact| fact.call).collect();
        calls.dedup();
        calls
    };
    assert_eq!(found(), [2, 3, 4, 6].map(call));
    let after_all = open(&folder, &["office"]).kept(Timestamp::MAX).unwrap();
    assert!(after_all.is_empty(), "{after_all:?}");
}

#[test]
fn what_callers_asked_in_vain_is_found_with_who_they_are_and_nothing_else() {
    let folder = Folder::new("in-vain");
    let asked = |answer: Answer| {
        let about = Some("0123456789ab".to_owned()).filter(|_| answer == Answer::Missing);
        Some(What::LookedUp { source: "tickets".into(), answer, took_ms: 5, about })
    };
    let stories = [
        story(1, "1", "carrier", asked(Answer::Missing)), // Too long ago.
        story(2, "2", "carrier", asked(Answer::Found)),
        story(3, "3", "carrier", asked(Answer::Missing)),
        story(4, "4", "carrier", asked(Answer::Locked)),
        story(5, "5", "carrier", None),
        story(6, "", "carrier", asked(Answer::Missing)),
    ];
    let mut archive = Archive::start(&folder, &["office"]);
    for story in &stories {
        archive.write(story.iter().cloned().map(quiet).collect());
    }
    assert_eq!(archive.store.close(), 0);
    let since = Timestamp::from_millisecond(1_630_458_000_002).unwrap(); // Ids tell the time, to the millisecond.
    let facts = open(&folder, &["office"]).in_vain(since).unwrap();
    let wanted: Vec<Fact> = [2, 5].iter().flat_map(|place| stories[*place][..2].to_vec()).collect();
    let plain = |facts: &[Fact]| facts.iter().map(|fact| (fact.call, fact.what.clone())).collect::<Vec<_>>();
    assert_eq!(plain(&facts), plain(&wanted));
    let empty = Folder::new("in-vain-none");
    assert_eq!(open(&empty, &["office"]).in_vain(at(0)).unwrap(), []);
}
