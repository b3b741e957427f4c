//! What is kept, in which order, and what a restart finds.

use std::collections::HashMap;
use std::sync::mpsc::channel;

use hotline::id::TrunkId;
use hotline::io::store::{
    CallQuery, FILE, LETTERS_MAX, Letters, Reader, Repaired, Report, Resending, close_crashed, resend_beside,
};
use hotline::ledger::{Action, Entry, verify};
use hotline::switchboard::fact::{Cause, TransferKind, What};
use hotline::switchboard::port::StoreJob;
use hotline::tickets::event::{EventRef, StoredEvent};
use rusqlite::Connection;

use crate::archive::{Archive, Folder, answered, at, call, closed, event, fact, job, open, opened};

fn refs(events: &[StoredEvent]) -> Vec<EventRef> {
    events.iter().map(|event| event.event).collect()
}

fn named(n: u64, sequence: u32) -> EventRef {
    EventRef { call: call(n), sequence }
}

#[test]
fn a_call_is_told_of_its_record_only_when_others_can_read_it() {
    let folder = Folder::new("before");
    let file = folder.path().join(FILE);
    let (tell, told) = channel();
    let store = open(&folder, &["office"])
        .start(move |report| {
            // On the writer's own thread, before anyone hears of the commit.
            if let Report::Committed { token: Some(token), .. } = report {
                let facts = Reader::open(&file).and_then(|reader| reader.facts(call(token))).unwrap();
                tell.send((token, facts)).unwrap();
            }
        })
        .unwrap();
    for n in 1..=20 {
        store.submit(n, vec![job(opened(call(n), n))]);
        let (token, facts) = told.recv().unwrap();
        assert_eq!((token, facts), (n, vec![opened(call(n), n)]));
    }
    assert_eq!(store.close(), 0);
}

#[test]
fn calls_that_come_while_a_commit_runs_share_the_next_one() {
    let folder = Folder::new("group");
    let mut archive = Archive::start(&folder, &["office"]);
    archive.write(vec![job(opened(call(1), 1))]);
    // A commit that takes long: somebody holds the file.
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let last = (2..=500).map(|n| archive.submit(vec![job(opened(call(n), n))])).last().unwrap();
    other.execute_batch("COMMIT").unwrap();
    let reports = archive.until_committed(last);
    let commits: Vec<usize> = reports
        .iter()
        .filter_map(|report| match report {
            Report::Committed { jobs, .. } => Some(*jobs),
            _ => None,
        })
        .collect();
    assert_eq!(commits.iter().sum::<usize>(), 499, "each write is in one commit");
    assert!(commits.len() <= 10, "499 openings in {} commits", commits.len());
    let query = CallQuery { most: 1_000, ..CallQuery::default() };
    assert_eq!(folder.reader().calls(&query).unwrap().len(), 500);
}

#[test]
fn a_call_reads_back_in_its_own_order_and_a_repeated_fact_changes_nothing() {
    let folder = Folder::new("order");
    let mut archive = Archive::start(&folder, &["office"]);
    let digit = |sequence, digit| fact(call(1), sequence, What::DigitPressed { digit });
    let story = [opened(call(1), 1), answered(call(1), 2), digit(3, '5'), digit(4, '6'), closed(call(1), 5)];
    for fact in &story {
        // Between them, and in the same batch, another call.
        let beside = fact.sequence;
        archive.write(vec![job(opened(call(100 + u64::from(beside)), 9)), job(fact.clone())]);
    }
    archive.write(story.iter().cloned().map(job).collect());
    let reader = folder.reader();
    assert_eq!(reader.facts(call(1)).unwrap(), story);
    let record = reader.call(call(1)).unwrap().unwrap();
    assert_eq!((record.digits.as_str(), record.cause), ("56", Some(Cause::CallerHungUp)));
    let owed = reader.owed("office", Some(named(1, 0)), 5).unwrap();
    assert_eq!(refs(&owed), (1..=5).map(|sequence| named(1, sequence)).collect::<Vec<_>>());
}

#[test]
fn the_last_ticket_number_is_the_last_given_out_however_many_came_at_once() {
    let folder = Folder::new("numbers");
    let mut archive = Archive::start(&folder, &[]);
    // One commit, ids drawn in no order: the number goes by the order of the openings.
    archive.write((1..=200).map(|n| job(opened(call((n * 7_919) % 1_009), n))).collect());
    assert_eq!(archive.store.close(), 0);
    assert_eq!(open(&folder, &[]).last_ticket().unwrap().as_deref(), Some("21090100200"));
}

#[test]
fn calls_are_listed_as_they_came_whichever_ended_first_and_over_restarts() {
    let folder = Folder::new("arrivals");
    let mut archive = Archive::start(&folder, &[]);
    let tickets = |open| {
        let query = CallQuery { open, most: 10, ..CallQuery::default() };
        let calls = folder.reader().calls(&query).unwrap();
        calls.into_iter().map(|record| record.ticket[6..].to_owned()).collect::<Vec<_>>()
    };
    archive.write(vec![job(opened(call(3), 1)), job(opened(call(1), 2)), job(opened(call(2), 3))]);
    assert_eq!(tickets(true), ["00003", "00002", "00001"]);
    archive.write(vec![job(closed(call(2), 2))]);
    archive.write(vec![job(closed(call(3), 2))]);
    assert_eq!(tickets(true), ["00002"]);
    assert_eq!(tickets(false), ["00003", "00002", "00001"]);
    assert_eq!(archive.store.close(), 0);
    assert_eq!(tickets(false), ["00003", "00002", "00001"]);
    let opening = open(&folder, &[]);
    assert_eq!(opening.last_ticket().unwrap().as_deref(), Some("21090100003"));
    drop(opening);
    let mut archive = Archive::start(&folder, &[]);
    archive.write(vec![job(opened(call(0), 4)), job(closed(call(1), 2))]);
    assert_eq!(archive.store.close(), 0);
    assert_eq!(tickets(false), ["00004", "00003", "00002", "00001"]);
    assert_eq!(open(&folder, &[]).last_ticket().unwrap().as_deref(), Some("21090100004"));
}

#[test]
fn a_restart_owes_each_sink_what_it_had_not_taken_and_keeps_what_it_refused() {
    let folder = Folder::new("owed");
    let mut archive = Archive::start(&folder, &["office", "file"]);
    let story = |n| vec![job(opened(call(n), n)), job(answered(call(n), 2)), job(closed(call(n), 3))];
    // The older call's news come last.
    archive.write(story(2));
    archive.write(story(1));
    archive.write(vec![
        StoreJob::Settled { sink: 0, event: named(1, 1) },
        StoreJob::Settled { sink: 0, event: named(1, 1) },
        StoreJob::DeadLetter { sink: 0, event: named(1, 2), why: "400 Bad Request".into() },
        StoreJob::Settled { sink: 1, event: named(2, 1) },
        StoreJob::Settled { sink: 7, event: named(2, 2) },
    ]);
    assert_eq!(archive.store.close(), 0);

    // The plan names its sinks in another order now.
    let opening = open(&folder, &["file", "office"]);
    let owed = |sink| refs(&opening.owed(sink, 100).unwrap());
    assert_eq!(owed(0), [named(1, 1), named(1, 2), named(1, 3), named(2, 2), named(2, 3)]);
    assert_eq!(owed(1), [named(1, 3), named(2, 1), named(2, 2), named(2, 3)]);
    drop(opening);
    let reader = folder.reader();
    let page = reader.owed("office", Some(named(1, 3)), 2).unwrap();
    assert_eq!(refs(&page), [named(2, 1), named(2, 2)], "the next page goes on where the last ended");
    assert_eq!(page[0], event(&opened(call(2), 2)), "to the byte");
    assert_eq!(reader.owed_figures("office").unwrap().events, 4);
    let letters = reader.dead_letters(10).unwrap();
    let [letter] = letters.as_slice() else { panic!("one dead letter: {letters:?}") };
    assert_eq!((letter.sink.as_str(), letter.why.as_str()), ("office", "400 Bad Request"));
    assert_eq!(letter.event, event(&answered(call(1), 2)));

    // A fact that is written again owes nothing again.
    let mut archive = Archive::start(&folder, &["file", "office"]);
    archive.write(story(1));
    assert_eq!(refs(&folder.reader().owed("office", None, 100).unwrap()).len(), 4);
}

#[test]
fn a_letter_that_is_sent_again_is_kept_until_its_sink_has_taken_it() {
    let folder = Folder::new("letters");
    let mut archive = Archive::with_office(&folder);
    archive.write(vec![job(opened(call(1), 1)), job(answered(call(1), 2))]);
    // Its number is another call's: the embedded office sets it aside itself.
    archive.write(vec![job(opened(call(2), 1))]);
    let refused = |why: &str| StoreJob::DeadLetter { sink: 0, event: named(1, 1), why: why.into() };
    archive.write(vec![refused("400"), StoreJob::Settled { sink: 0, event: named(1, 2) }]);
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    db.execute("INSERT INTO dead_letters VALUES ('gone', 1, '2021-09-01T01:00:00Z', '410')", []).unwrap();
    let reader = folder.reader();
    let letters = || -> Vec<(String, String)> {
        let letters = reader.letters(&Letters::default(), 10).unwrap();
        let mut letters: Vec<_> = letters.into_iter().map(|letter| (letter.sink, letter.why)).collect();
        letters.sort();
        letters
    };
    let resending = Resending { at: at(9), by: "admin".into(), reason: "mended".into() };
    let resend = || {
        let file = folder.path().join(FILE);
        resend_beside(&file, &Letters::default(), &resending, |sink| sink == "elsewhere").unwrap()
    };
    let before = letters();
    let sinks: Vec<&str> = before.iter().map(|(sink, _)| sink.as_str()).collect();
    assert_eq!(sinks, ["elsewhere", "gone", "office"]);
    let count = |sinks: &[&str]| sinks.iter().map(|sink| ((*sink).to_owned(), 1)).collect();
    let first = resend();
    assert_eq!((&first.owed, &first.refused), (&count(&["elsewhere"]), &count(&["gone", "office"])));
    assert_eq!(letters(), before);
    assert_eq!(
        (reader.owed("gone", None, 9).unwrap(), reader.owed("office", None, 9).unwrap()),
        (vec![], vec![])
    );
    let again = resend();
    assert_eq!((again.owed, again.waiting), (count(&[]), count(&["elsewhere"])), "it is owed once");
    assert_eq!(reader.ledger(None, 9).unwrap().len(), 1);

    // Refused once more it is told of by the last reason, and when it is taken at last, it is gone.
    archive.write(vec![refused("422")]);
    assert_eq!(letters()[0], ("elsewhere".into(), "422".into()));
    assert_eq!(refs(&reader.owed("elsewhere", None, 9).unwrap()), [named(2, 1)]);
    assert_eq!(resend().owed, count(&["elsewhere"]));
    archive.write(vec![StoreJob::Settled { sink: 0, event: named(1, 1) }]);
    assert_eq!(letters(), before[1..]);
    assert_eq!(refs(&reader.owed("elsewhere", None, 9).unwrap()), [named(2, 1)]);
}

#[test]
fn all_letters_are_sent_again_and_not_as_many_as_one_answer_holds() {
    let folder = Folder::new("many-letters");
    let archive = Archive::start(&folder, &["office"]);
    drop(archive);
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    let many = LETTERS_MAX as u64 + 1;
    db.execute_batch(&format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {many})
             INSERT INTO events SELECT n, '{}', n, 'k', '2021-09-01T01:00:00Z', '{{}}' FROM n;
         INSERT INTO dead_letters SELECT 'office', arrival, at, '400' FROM events;",
        call(1)
    ))
    .unwrap();
    let resending = Resending { at: at(9), by: "admin".into(), reason: "mended".into() };
    let resent = resend_beside(&folder.path().join(FILE), &Letters::default(), &resending, |_| true).unwrap();
    assert_eq!(resent.owed, [("office".to_owned(), many)].into());
    assert_eq!(folder.reader().owed_figures("office").unwrap().events as u64, many);
}

#[test]
fn a_list_longer_than_a_page_is_read_to_its_end() {
    let folder = Folder::new("pages");
    let mut archive = Archive::start(&folder, &["office"]);
    // The youngest call opens first; then come many events of older ones.
    archive.write(vec![job(opened(call(900), 900))]);
    archive.write((1..=600).map(|n| job(opened(call(n), n))).collect());
    archive.write((1..=600).map(|n| job(answered(call(n), 2))).collect());
    let reader = folder.reader();
    let (mut after, mut read) = (None, Vec::new());
    loop {
        let page = reader.owed("office", after, 256).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.event);
        read.extend(refs(&page));
        assert!(read.len() <= 1_201, "the same page comes again and again");
    }
    assert_eq!(read.len(), 1_201);
    assert!(read.is_sorted_by(|a, b| a < b));
}

#[test]
fn a_call_that_was_open_is_closed_with_cause_crash_once_and_gets_its_recording() {
    let folder = Folder::new("crash");
    let mut archive = Archive::start(&folder, &["office"]);
    archive.write(vec![job(opened(call(1), 1)), job(answered(call(1), 2))]);
    archive.write(vec![job(opened(call(2), 2)), job(closed(call(2), 2))]);
    archive.write(vec![job(opened(call(3), 3))]);
    assert_eq!(archive.store.close(), 0);

    let file = |name: &str| Repaired { file: format!("recordings/{name}.wav"), duration_ms: 4_000 };
    let repaired =
        HashMap::from([(call(1), file("one")), (call(2), file("two")), (call(77), file("nobody"))]);
    let close = || {
        let mut opening = open(&folder, &["office"]);
        close_crashed(&mut opening, at(500), &repaired, |_, fact| vec![event(fact)]).unwrap()
    };
    let added = close();
    let told: Vec<(u64, u32, bool)> = added
        .iter()
        .map(|fact| {
            let n = (1..=3).find(|n| call(*n) == fact.call).unwrap();
            (n, fact.sequence, matches!(fact.what, What::Closed { cause: Cause::Crash, .. }))
        })
        .collect();
    assert_eq!(told, [(1, 3, false), (1, 4, true), (3, 2, true), (2, 3, false)]);
    assert_eq!(close(), [], "the next start finds nothing to close");

    let reader = folder.reader();
    let record = |n| reader.call(call(n)).unwrap().unwrap();
    assert_eq!(record(1).cause, Some(Cause::Crash));
    assert_eq!(record(1).recording.as_deref(), Some("recordings/one.wav"));
    // From the opening to the last that is known, by the dead process's own clock.
    assert_eq!((record(1).lasted_ms, record(1).answered_ms), (Some(1_000), Some(0)));
    assert_eq!(record(2).cause, Some(Cause::CallerHungUp));
    assert_eq!(record(2).recording.as_deref(), Some("recordings/two.wav"));
    assert_eq!(record(3).answered_ms, None);
    let owed = reader.owed("office", None, 100).unwrap();
    assert_eq!(owed.len(), 5 + 4, "each fact that was added is owed too");
}

#[test]
fn who_talked_when_the_house_died_is_gone_with_the_minutes_that_are_known() {
    let folder = Folder::new("crash-parties");
    let mut archive = Archive::start(&folder, &["office"]);
    let bare = |sequence, what| StoreJob::Fact {
        house: u64::from(sequence),
        fact: fact(call(1), sequence, what),
        events: Vec::new(),
    };
    let (number, trunk) = (String::from("12366"), TrunkId::from("sub"));
    let transfer = |step: &str| What::Transfer {
        to: "12366".into(),
        kind: TransferKind::Consult,
        step: serde_json::from_value(step.into()).unwrap(),
        status: None,
        leg: None,
        object: None,
    };
    archive.write(vec![
        job(opened(call(1), 1)),
        bare(2, What::SeatAnswered { seat: "1001".into(), waited_ms: 0, leg: Some(1) }),
        bare(3, transfer("requested")),
        bare(4, What::PeerAnswered { trunk: trunk.clone(), number: number.clone(), leg: Some(2) }),
        bare(5, transfer("merged")),
        bare(7, What::DigitPressed { digit: '1' }),
    ]);
    assert_eq!(archive.store.close(), 0);
    let mut opening = open(&folder, &["office"]);
    let added = close_crashed(&mut opening, at(500), &HashMap::new(), |_, _| Vec::new()).unwrap();
    drop(opening);
    let told: Vec<(u32, What)> = added.into_iter().map(|fact| (fact.sequence, fact.what)).collect();
    let [seat, peer, (10, What::Closed { cause: Cause::Crash, lasted_ms: 6_000, .. })] = &told[..] else {
        panic!("{told:?}");
    };
    // With the caller from the second to the third second, and from the fifth to the seventh.
    assert_eq!(*seat, (8, What::SeatLeft { seat: "1001".into(), talked_ms: 3_000, vanished: false }));
    assert_eq!(*peer, (9, What::PeerLeft { trunk, number, talked_ms: 2_000 }));
    let times = folder.reader().call(call(1)).unwrap().unwrap().times;
    assert_eq!((times.with_somebody_ms, times.on_hold_ms, times.alone_ms), (3_000, 2_000, 1_000));
    assert!(times.parties.len() == 3 && times.parties.iter().all(|party| party.left_ms == Some(6_000)));
}

#[test]
fn look_ups_see_whole_calls_beside_a_running_writer_and_cannot_write() {
    let folder = Folder::new("beside");
    let mut archive = Archive::start(&folder, &["office"]);
    archive.write(vec![job(opened(call(1), 1)), job(closed(call(1), 2))]);
    let reader = folder.reader();
    let query = CallQuery { most: 10_000, ..CallQuery::default() };
    let mut seen = 0;
    for n in 2..=300 {
        let token = archive.submit(vec![job(opened(call(n), n)), job(closed(call(n), 2))]);
        let calls = reader.calls(&query).unwrap();
        assert!(calls.len() >= seen, "what was there stays there");
        assert!(calls.iter().all(|record| record.cause.is_some()), "a batch is seen whole or not at all");
        seen = calls.len();
        archive.until_committed(token);
    }
    assert_eq!(reader.calls(&query).unwrap().len(), 300);
    assert_eq!(reader.history("13800000042", call(1), 5).unwrap().len(), 5);
    let nowhere = folder.path().join("nothing.db");
    assert!(Reader::open(&nowhere).is_err(), "a look-up makes no database");
    assert!(!nowhere.exists());
}

#[test]
fn what_follows_from_a_callers_earlier_calls_is_found_by_the_calls_since_then() {
    let folder = Folder::new("earlier");
    let mut archive = Archive::with_office(&folder);
    let talked = |n: u64, seat: &str| {
        let answered = What::SeatAnswered { seat: seat.into(), waited_ms: 1, leg: None };
        vec![job(opened(call(n), n)), job(fact(call(n), 2, answered)), job(closed(call(n), 3))]
    };
    archive.write(talked(1, "1002"));
    archive.write(talked(2, "1001"));
    let left = fact(call(3), 2, What::TicketLeft { reason: "overflow".into() });
    let unanswered = [opened(call(3), 3), left, closed(call(3), 3)];
    archive.write(unanswered.iter().cloned().map(job).collect());
    archive.write(vec![job(opened(call(4), 4))]);
    assert_eq!(archive.store.close(), 0, "rows of calls that are over are written at the end at the latest");
    let reader = folder.reader();
    let earlier = reader.earlier("13800000042", call(4), at(0)).unwrap();
    assert_eq!(earlier.tickets, ["21090100003"], "left for somebody");
    assert_eq!((earlier.seat.as_ref().map(|seat| seat.as_str()), earlier.calls), (Some("1001"), 3));
    let later = reader.earlier("13800000042", call(4), at(1_000_000)).unwrap();
    assert_eq!((later.calls, later.seat, later.tickets.len()), (0, None, 0), "nothing since then");
    assert_eq!(later.last_ended, earlier.last_ended, "whenever it was");
    assert_eq!(later.last_ended, Some(opened(call(2), 2).at + std::time::Duration::from_secs(2)));
    assert_eq!(reader.earlier("", call(4), at(0)).unwrap(), Default::default(), "withheld: nobody");
    assert_eq!(reader.earlier("13800000042", call(2), at(0)).unwrap().seat, Some("1002".into()));
}

#[test]
fn whoever_listened_is_in_the_chain_once_though_it_was_written_twice() {
    let folder = Folder::new("ledger");
    let mut archive = Archive::start(&folder, &["office"]);
    let listened = |seat: &str, how: &str| StoreJob::Access {
        at: at(3),
        actor: format!("seat:{seat}"),
        action: Action::CallWatched { call: call(1) },
        subject: call(1).to_string(),
        reason: how.to_owned(),
    };
    archive.write(vec![job(opened(call(1), 1)), listened("1006", "listen"), listened("1007", "listen")]);
    archive.write(vec![listened("1006", "listen"), listened("1006", "barge")]);
    let mut rows = folder.reader().ledger(None, 10).unwrap();
    rows.reverse();
    let entries: Vec<Entry> = rows.iter().map(|row| serde_json::from_str(&row.json).unwrap()).collect();
    let told: Vec<String> = entries.iter().map(|entry| format!("{} {}", entry.actor, entry.reason)).collect();
    assert_eq!(told, ["seat:1006 listen", "seat:1007 listen", "seat:1006 barge"]);
    assert_eq!(verify(&entries).map(|head| head.number), Ok(3));
}
