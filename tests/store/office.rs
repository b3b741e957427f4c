//! The embedded office: its tickets are written with the facts, once, whatever happens in between.

use std::collections::HashMap;

use hotline::io::store::{FILE, Folded, Report, close_crashed};
use hotline::switchboard::fact::What;
use hotline::switchboard::port::StoreJob;
use hotline::telemetry::CallRecord;
use rusqlite::Connection;

use crate::archive::{Archive, Folder, answered, at, call, closed, event, fact, job, open, opened};

/// What all the commits made of events.
fn folded(reports: &[Report]) -> Folded {
    let mut all = Folded::default();
    for report in reports {
        if let Report::Committed { folded, .. } = report {
            all.taken += folded.taken;
            all.refused += folded.refused;
        }
    }
    all
}

#[test]
fn a_ticket_is_written_once_closed_for_good_and_never_takes_the_place_of_another() {
    let folder = Folder::new("office");
    let mut archive = Archive::with_office(&folder);
    let recorded = What::Recorded { file: "recordings/a.wav".into(), duration_ms: 1_000, lost_frames: 0 };
    let facts = [opened(call(1), 1), closed(call(1), 2), fact(call(1), 3, recorded)];
    for counted in [3, 0] {
        let token = archive.submit(facts.iter().cloned().map(job).collect());
        let reports = archive.until_committed(token);
        assert_eq!(
            folded(&reports),
            Folded { taken: counted, refused: 0 },
            "the second time changes nothing"
        );
    }
    let ticket = folder.reader().ticket("21090100001").unwrap().unwrap();
    assert_eq!((ticket.sequence, ticket.state.as_str()), (3, "closed"), "a late recording opens nothing");
    assert_eq!(ticket.data["file"], "recordings/a.wav");

    let token = archive.submit(vec![job(opened(call(2), 1))]);
    assert_eq!(folded(&archive.until_committed(token)), Folded { taken: 0, refused: 1 });
    let reader = folder.reader();
    assert_eq!(reader.tickets(10).unwrap(), [ticket], "the number is taken");
    let dead = reader.dead_letters(10).unwrap();
    assert_eq!(dead.iter().map(|dead| dead.sink.as_str()).collect::<Vec<_>>(), ["office"]);
    assert!(dead[0].why.contains("21090100001"), "{}", dead[0].why);
    assert_eq!(reader.facts(call(2)).unwrap().len(), 1, "the fact is kept all the same");
    assert_eq!(reader.owed("office", None, 10).unwrap(), [], "nothing is ever owed to it");
    assert_eq!(reader.owed("elsewhere", None, 10).unwrap().len(), 4);
}

/// Whether any row of the database says this, and of which table.
fn says(folder: &Folder, wanted: &str) -> Vec<&'static str> {
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    let rows = [("facts", "json"), ("events", "json"), ("tickets", "data"), ("cases", "coalesce(code, '')")];
    let has = |(table, column): &(&str, &str)| {
        let count = format!("SELECT count(*) FROM {table} WHERE {column} LIKE '%{wanted}%'");
        db.query_row(&count, [], |row| row.get::<_, i64>(0)).unwrap() > 0
    };
    rows.iter().filter(|row| has(row)).map(|(table, _)| *table).collect()
}

#[test]
fn a_pick_up_code_is_written_down_nowhere_but_for_an_office_that_is_yet_to_be_told() {
    const CODE: &str = "471199";
    let ordered = |code: Option<&str>| {
        let code = code.map(str::to_owned);
        let (category, values) = ("lamp".to_owned(), [("what".to_owned(), "dark".to_owned())].into());
        fact(call(1), 2, What::Ordered { category, values, message: None, code })
    };
    let folder = Folder::new("codes");
    let mut archive = Archive::with_office(&folder);
    let told = ordered(Some(CODE));
    archive.write(vec![job(opened(call(1), 1)), job(told.clone())]);
    let reader = folder.reader();
    assert_eq!(says(&folder, CODE), ["events"], "it is owed elsewhere");
    let owed = reader.owed("elsewhere", None, 10).unwrap();
    assert!(owed[1].json.contains(CODE), "by contract");
    assert_eq!(reader.facts(call(1)).unwrap()[1], ordered(None));
    assert_eq!(reader.ticket("21090100001").unwrap().unwrap().data["values"]["what"], "dark");
    let found = |code: &str| reader.case_by_code("21090100001", code).unwrap().is_some();
    assert!(found(CODE) && !found("471198") && !found(""));

    let why = "400".to_owned();
    archive.write(vec![StoreJob::DeadLetter { sink: 0, event: event(&told).event, why }]);
    assert_eq!(says(&folder, CODE), ["events"], "a letter may be sent again");
    archive.write(vec![StoreJob::Settled { sink: 0, event: event(&told).event }]);
    assert_eq!(says(&folder, CODE), [""; 0], "nobody is owed it any more");
    assert!(found(CODE), "and it counts");
    archive.write(vec![job(told)]);
    assert_eq!(says(&folder, CODE), [""; 0], "the second time changes nothing");
    assert!(found(CODE) && archive.store.close() == 0);

    // Of an earlier program, which kept it as it is.
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    db.execute("UPDATE cases SET code = '204711'", []).unwrap();
    drop(db);
    open(&folder, &["office"]);
    assert_eq!(says(&folder, "204711"), [""; 0]);
    assert!(found("204711") && !found(CODE));

    // The database alone says nothing.
    std::fs::remove_file(folder.path().join("secrets/pick-up-codes")).unwrap();
    assert!(reader.case_by_code("21090100001", "204711").is_err());

    // With nobody elsewhere it is never written.
    let folder = Folder::new("codes-alone");
    let mut opening = open(&folder, &["office"]);
    opening.embed(0).unwrap();
    let store = opening.start(|_| {}).unwrap();
    store.submit(1, vec![job(opened(call(1), 1)), job(ordered(Some(CODE)))]);
    assert_eq!(store.close(), 0);
    assert_eq!(says(&folder, CODE), [""; 0]);
    assert!(folder.reader().case_by_code("21090100001", CODE).unwrap().is_some());
}

#[test]
fn tickets_wait_for_a_disk_that_cannot_write_and_are_whole_afterwards() {
    let folder = Folder::new("office-waits");
    let mut archive = Archive::with_office(&folder);
    archive.write(vec![job(opened(call(1), 1))]);
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut token = archive.submit(vec![job(answered(call(1), 2)), job(closed(call(1), 3))]);
    archive.until(|report| matches!(report, Report::Failed { .. }));
    for n in 2..=5 {
        token =
            archive.submit(vec![job(opened(call(n), n)), job(answered(call(n), 2)), job(closed(call(n), 3))]);
    }
    other.execute_batch("COMMIT").unwrap();
    let reports = archive.until_committed(token);
    assert_eq!(folded(&reports), Folded { taken: 2 + 4 * 3, refused: 0 }, "what was rolled back counts once");
    let tickets = folder.reader().tickets(10).unwrap();
    let rows: Vec<_> =
        tickets.iter().map(|it| (it.number.as_str(), it.state.as_str(), it.sequence)).collect();
    let wanted: Vec<String> = (1..=5).rev().map(|n| format!("210901{n:05}")).collect();
    assert_eq!(rows, wanted.iter().map(|number| (number.as_str(), "closed", 3)).collect::<Vec<_>>());
}

#[test]
fn what_an_earlier_program_owed_the_office_is_in_its_tickets_before_anything_new() {
    let folder = Folder::new("office-owed");
    let mut archive = Archive::start(&folder, &["elsewhere", "office"]);
    archive.write((1..=1_500).flat_map(|n| [job(opened(call(n), n)), job(answered(call(n), 2))]).collect());
    archive.write(vec![job(opened(call(9_999), 1))]); // Its number is another call's.
    assert_eq!(archive.store.close(), 0);
    assert_eq!(folder.reader().tickets(1).unwrap(), []);

    for _ in 0..2 {
        let mut opening = open(&folder, &["elsewhere", "office"]);
        opening.embed(1).unwrap();
        let reader = folder.reader();
        assert_eq!(reader.owed("office", None, 10).unwrap(), []);
        assert_eq!(reader.owed_figures("elsewhere").unwrap().events, 3_001, "others' part is as it was");
        assert_eq!(reader.tickets(5_000).unwrap().len(), 1_500);
        assert!(reader.tickets(5_000).unwrap().iter().all(|ticket| ticket.sequence == 2));
        assert_eq!(reader.dead_letters(10).unwrap().len(), 1);
    }

    // What a crash left open ends in its ticket, too.
    let mut opening = open(&folder, &["elsewhere", "office"]);
    opening.embed(1).unwrap();
    let events = |_: &CallRecord, fact: &_| vec![event(fact)];
    close_crashed(&mut opening, at(60), &HashMap::new(), events).unwrap();
    let reader = folder.reader();
    assert!(reader.tickets(5_000).unwrap().iter().all(|ticket| ticket.state == "closed"));
    assert_eq!(reader.owed("office", None, 10).unwrap(), []);
}
