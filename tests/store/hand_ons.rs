//! Matters that were to be handed on at once: which a restart finds owed, and by whom.

use std::collections::BTreeSet;

use hotline::io::store::{Opening, Report};
use hotline::switchboard::fact::{Fact, HandOn, HandOnBy, What};
use hotline::switchboard::hand_on_again::Unhanded;
use hotline::switchboard::port::StoreJob;
use hotline::switchboard::request::{AtOnce, Disposed};
use hotline::tickets::event::{EventRef, StoredEvent};

use crate::archive::{Archive, Folder, answered, at, call, event, fact, job, open, opened, quiet};

/// What is said of a call; the event is one that any test makes.
fn said(n: u64, sequence: u32, code: Option<&str>) -> StoreJob {
    let immediate = code.map(|code| AtOnce {
        code: code.into(),
        to: None,
        within_ms: 60_000,
        due_at: at(u64::from(sequence) + 60),
    });
    let what = What::Disposed(Disposed { kind: Some("report".into()), immediate, ..Disposed::default() });
    let told: Vec<StoredEvent> = vec![event(&answered(call(n), sequence))];
    StoreJob::Fact { house: u64::from(sequence), fact: fact(call(n), sequence, what), events: told }
}

fn handed(n: u64, sequence: u32, code: &str, handed: bool) -> Fact {
    let by = HandOnBy::Ticket;
    let told = HandOn { code: code.into(), by, handed, late: !handed, took_ms: 5 };
    fact(call(n), sequence, What::HandOn(told))
}

fn taken(sink: usize, n: u64) -> StoreJob {
    StoreJob::Settled { sink, event: EventRef { call: call(n), sequence: 2 } }
}

fn owed(opening: &Opening) -> Vec<Unhanded> {
    opening.hand_ons(at(0)).unwrap()
}

fn untaken(of: &[Unhanded], n: u64) -> BTreeSet<Option<usize>> {
    let own = of.iter().find(|own| own.event.call == call(n)).unwrap_or_else(|| panic!("no {n} in {of:?}"));
    own.untaken.clone()
}

#[test]
fn what_is_owed_is_found_with_those_who_have_not_taken_it_and_nothing_else() {
    let folder = Folder::new("hand-ons");
    let mut archive = Archive::start(&folder, &["office", "file"]);
    for n in 1..=8 {
        let first = said(n, 2, (n != 6).then_some("report"));
        archive.write(vec![job(opened(call(n), n)), first]);
    }
    archive.write(vec![
        // 1: nobody has it. 2: the office has. 3: all have, which was not told. 4: handed on.
        taken(0, 2),
        taken(0, 3),
        taken(1, 3),
        quiet(handed(4, 3, "report", true)),
        // 5: told late, and said again: it is what it was. 7: it was a slip. 8: handed on, then another matter.
        quiet(handed(5, 3, "report", false)),
        said(5, 4, Some("report")),
        said(7, 3, None),
        quiet(handed(8, 3, "report", true)),
        said(8, 4, Some("report")),
        said(8, 5, Some("enforcement")),
        // The file refuses the first for good: it has not taken it.
        StoreJob::DeadLetter {
            sink: 1,
            event: EventRef { call: call(1), sequence: 2 },
            why: "400 Bad Request".into(),
        },
    ]);
    assert_eq!(archive.store.close(), 0);

    // The plan has its sinks in another order now, and one of them no more.
    let opening = open(&folder, &["new", "office"]);
    let found = owed(&opening);
    let calls: Vec<_> = found.iter().map(|own| own.event).collect();
    let event = |n, sequence| EventRef { call: call(n), sequence };
    assert_eq!(calls, [event(1, 2), event(2, 2), event(3, 2), event(5, 2), event(8, 5)]);
    assert_eq!(untaken(&found, 1), [None, Some(1)].into());
    assert_eq!(untaken(&found, 2), [None].into());
    assert_eq!(untaken(&found, 3), [].into());
    let told: Vec<(bool, u32)> = found.iter().map(|own| (own.is_told, own.sequence)).collect();
    assert_eq!(told, [(false, 2), (false, 2), (false, 2), (true, 4), (false, 5)]);
    assert!(found.iter().all(|own| own.said_at == at(u64::from(own.event.sequence))));
    assert_eq!(opening.hand_ons(at(600)).unwrap(), [], "calls of long ago are not looked at");
}

#[test]
fn the_embedded_office_has_taken_what_is_on_disk() {
    let folder = Folder::new("hand-ons-embedded");
    let mut archive = Archive::with_office(&folder);
    let token = archive.submit(vec![job(opened(call(1), 1)), said(1, 2, Some("report"))]);
    archive.until(|report| matches!(report, Report::Committed { token: Some(done), .. } if *done >= token));
    assert_eq!(archive.store.close(), 0);
    let mut opening = open(&folder, &["elsewhere", "office"]);
    opening.embed(1).unwrap();
    assert_eq!(untaken(&owed(&opening), 1), [Some(0)].into());
}
