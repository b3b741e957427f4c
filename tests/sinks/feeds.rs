//! Feeds of departments: what falls to them, what of it leaves, at an office that is well, down, or restarted, and totals
//! by which it proves that it has everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hotline::id::CallId;
use hotline::io::secrets::Keyring;
use hotline::io::store::{
    Desk, FILE, Letters, Opening, Reader, Report, Resending, Resent, Store, resend_beside,
};
use hotline::io::ticket_sink::{self, TicketSink};
use hotline::routing::feed::{FIELDS, Feed, Pace};
use hotline::routing::plan::{SecretRef, Sink, SinkKind};
use hotline::switchboard::fact::{Fact, What};
use hotline::switchboard::port::StoreJob;
use hotline::switchboard::request::Flag;
use hotline::tickets::event::{EventBody, EventRef, ObjectKind, StoredEvent, TransferKind, TransferStep};
use hotline::tickets::sharing::{IDENTIFYING, NEVER, Scope, TOTALS};
use hotline::time::{Instant, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::engine::{Engine, plan};
use crate::post::{Post, call, event, story};
use crate::stub::{Answer, Seen, Stub};

const NAME: &str = "justice";
const TIMEOUT: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(30);
const SCHEMA: &str = include_str!("../../contract/hotline-feed.schema.json");

/// A store with one feed, and the way to its department.
struct Office {
    data: PathBuf,
    store: Option<Store>,
    reports: Receiver<Report>,
    token: u64,
    feed: Feed,
}

impl Office {
    fn open(name: &str, url: &str, fields: &[&str]) -> Office {
        let data = std::env::temp_dir().join(format!("hotline-feed-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).unwrap();
        let kind = SinkKind::Http { url: url.to_owned(), secret: SecretRef::File("secrets/justice".into()) };
        let feed = Feed {
            sink: Sink { name: NAME.into(), kind, timeout: TIMEOUT, pace: Pace::default() },
            owners: vec!["市司法局".into()],
            lines: ["12348".into()].into(),
            departments: ["7001".into()].into(),
            experts: ["12345".into()].into(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            daily: None,
        };
        let (store, reports) = start(&data, &feed);
        Office { data, store: Some(store), reports, token: 0, feed }
    }

    /// Ends the store and opens it again, as a restart of the engine does.
    fn restart(&mut self) {
        self.store.take().unwrap().close();
        let (store, reports) = start(&self.data, &self.feed);
        (self.store, self.reports, self.token) = (Some(store), reports, 0);
    }

    /// Writes events with facts of their own; what the feed is said to be owed by it, from its first event on.
    fn write(&mut self, events: Vec<StoredEvent>) -> Option<EventRef> {
        let jobs = events.into_iter().map(|event| {
            let EventRef { call, sequence } = event.event;
            let flag = event.json.contains("\"confidential\"");
            let what = match flag {
                true => What::Flagged { flag: Flag::Confidential, by: "policy".into() },
                false => What::Answered { durable: true },
            };
            let fact = Fact { call, sequence, at: event.at, mono: Instant::ZERO, what };
            StoreJob::Fact { house: u64::from(sequence), fact, events: vec![event] }
        });
        self.submit(jobs.collect())
    }

    /// Until it is on disk; what the feed is said to be owed by it.
    fn submit(&mut self, jobs: Vec<StoreJob>) -> Option<EventRef> {
        self.token += 1;
        self.store.as_ref().unwrap().submit(self.token, jobs);
        let mut first = None;
        loop {
            match self.reports.recv_timeout(PATIENCE).expect("a report") {
                Report::Committed { token, fed, .. } => {
                    first = first.into_iter().chain(fed.into_iter().map(|(_, event)| event)).min();
                    if token == Some(self.token) {
                        return first;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.data.join(FILE)).unwrap()
    }

    fn owed(&self) -> Vec<StoredEvent> {
        self.reader().owed(NAME, None, 1_000).unwrap()
    }

    fn way(&self) -> Arc<dyn TicketSink> {
        let desk = Desk::start(self.data.join(FILE)).unwrap();
        ticket_sink::open_feed(&self.feed, &mut Keyring::new(&self.data), &desk).unwrap().unwrap()
    }

    /// Sends all that is owed.
    fn send(&self) -> Post {
        let mut post = Post::new(self.way(), TIMEOUT);
        post.owe(self.owed());
        run(post.until_empty(PATIENCE));
        post
    }

    fn close_day(&self, day: &str) -> Option<EventRef> {
        let errands = self.store.as_ref().unwrap().errands();
        let at: Timestamp = "2021-09-02T17:00:00Z".parse().unwrap();
        run(errands.close_day(NAME.into(), day.into(), "/hotline/test".into(), at)).unwrap()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        drop(self.store.take());
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn start(data: &std::path::Path, feed: &Feed) -> (Store, Receiver<Report>) {
    let mut opening = Opening::open(data, &[NAME.to_owned()]).unwrap();
    opening.feed(
        0,
        Scope {
            lines: feed.lines.clone(),
            departments: feed.departments.clone(),
            experts: feed.experts.clone(),
        },
    );
    let (tell, reports) = channel();
    (opening.start(move |report| drop(tell.send(report))).unwrap(), reports)
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(work)
}

/// A call to a line: opened, answered, a key, closed.
fn call_to(line: &str, n: u64) -> Vec<StoredEvent> {
    let mut events = story(n);
    let json = events[0].json.replace("\"line\":\"12345\"", &format!("\"line\":\"{line}\""));
    events[0].json = json.into();
    events
}

fn transfer(n: u64, sequence: u32, department: &str) -> StoredEvent {
    let body = EventBody::Transfer {
        kind: TransferKind::Consult,
        to: department.into(),
        step: TransferStep::Requested,
        status: None,
        leg: None,
        object_kind: Some(ObjectKind::Department),
        object: Some(department.into()),
        scope: None,
        area: None,
    };
    event(n, sequence, &body)
}

/// What the department has taken, each valid by the published schema, by its place.
fn taken(seen: &[Seen]) -> BTreeMap<u64, Value> {
    let schema =
        jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).expect("the schema compiles");
    let mut taken = BTreeMap::new();
    for one in seen.iter().filter(|one| one.is_taken()) {
        let told: Value = serde_json::from_slice(&one.body).unwrap();
        let faults: Vec<String> = schema.iter_errors(&told).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{told}: {faults:?}");
        assert_eq!((&told["feed"], one.header("idempotency-key")), (&NAME.into(), text(&told["id"])));
        let place = text(&told["feedplace"]).parse().unwrap();
        if let Some(before) = taken.insert(place, told.clone()) {
            assert_eq!(before["id"], told["id"], "one place, one event");
        }
    }
    taken
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_department_is_told_of_its_own_calls_and_of_those_only() {
    let stub = Stub::open();
    let mut office = Office::open("scope", &stub.url(), &["ticket", "line"]);
    assert_eq!(office.write(call_to("12366", 1)), None, "another's");
    let theirs = office.write(call_to("12348", 2));
    assert_eq!(theirs, Some(EventRef { call: call(2), sequence: 1 }));
    office.send();
    let told = taken(&stub.seen());
    let places: Vec<u64> = told.keys().copied().collect();
    assert_eq!(places, [1, 2, 3, 4], "from 1, without holes");
    assert!(told.values().all(|one| one["subject"] == call(2).to_string()));
}

#[test]
fn a_call_that_is_put_through_to_a_department_is_told_from_its_beginning() {
    let stub = Stub::open();
    let mut office = Office::open("transfer", &stub.url(), &["line", "object"]);
    let story = story(3);
    assert_eq!(office.write(story[..3].to_vec()), None);
    assert_eq!(office.write(vec![transfer(3, 4, "7002")]), None, "to another department");
    let owed = office.write(vec![transfer(3, 5, "7001")]);
    assert_eq!(owed, Some(EventRef { call: call(3), sequence: 1 }), "what it had before, too");
    office.write(vec![event(3, 6, &EventBody::Answered { durable: true })]);
    office.send();
    let told = taken(&stub.seen());
    let sequences: Vec<String> = told.values().map(|one| text(&one["sequence"])).collect();
    assert_eq!(sequences, (1..=6).map(|n| format!("{n:010}")).collect::<Vec<_>>());
    assert_eq!(told[&5]["data"]["object"], "7001");
}

#[test]
fn what_is_not_named_does_not_leave_and_a_confidential_caller_never() {
    let stub = Stub::open();
    let mut office = Office::open("fields", &stub.url(), &["ticket"]);
    office.write(call_to("12348", 4));
    office.send();
    for told in taken(&stub.seen()).values() {
        let names: BTreeSet<&str> = told["data"].as_object().unwrap().keys().map(String::as_str).collect();
        assert!(names.is_subset(&["schema_version", "ticket"].into()), "{told}");
    }
    let all = stub.seen().iter().any(|one| String::from_utf8_lossy(&one.body).contains("13800000042"));
    assert!(!all, "no number of a caller");

    // Everything is named; the caller says only later that nobody is to know, before anything has been sent.
    let stub = Stub::open();
    let mut office = Office::open("hidden", &stub.url(), &FIELDS);
    office.write(call_to("12348", 5));
    office.write(call_to("12348", 6));
    let flagged =
        EventBody::Flagged { flag: hotline::tickets::event::Flag::Confidential, by: "clerk".into() };
    office.write(vec![event(5, 5, &flagged)]);
    office.send();
    let told = taken(&stub.seen());
    let caller_of = |call: CallId| -> Vec<&Value> {
        let own = told.values().filter(|one| one["subject"] == call.to_string());
        own.map(|one| &one["data"])
            .filter(|data| IDENTIFYING.iter().any(|name| !data[*name].is_null()))
            .collect()
    };
    assert_eq!(caller_of(call(5)), Vec::<&Value>::new(), "nothing by which the caller is found");
    assert!(caller_of(call(6)).iter().any(|data| data["caller"] == "13800000042"), "where it is named");
}

#[test]
fn an_office_that_is_down_says_when_and_restarts_loses_nothing_and_its_totals_are_equal() {
    let stub = Stub::open();
    let mut office = Office::open("down", &stub.url(), &["ticket", "line"]);
    office.write(call_to("12348", 7));
    stub.answer([Answer::Status(500), Answer::Wait(503, 1)]);
    let post = office.send();
    post.assert_patient();
    assert_eq!(taken(&stub.seen()).len(), 4);

    // The engine is restarted with a second call owed; what the store was not told of as settled comes again.
    office.write(call_to("12348", 8));
    office.restart();
    assert_eq!(office.owed().len(), 8);
    assert_eq!(office.write(call_to("12348", 8)), None, "written twice, it is owed once");
    office.send();

    let closed = office.close_day("2021-09-01").expect("the day is closed");
    assert_eq!(office.close_day("2021-09-01"), None, "once");
    assert!(office.owed().iter().any(|one| one.event == closed && *one.kind == *TOTALS));
    office.send();
    assert_equal_totals(&taken(&stub.seen()), 9, 1);

    // The next day counts the totals of the one before, too: every place is in one of them.
    office.write(call_to("12348", 9));
    office.close_day("2021-09-02").expect("the next day");
    office.send();
    let told = taken(&stub.seen());
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), (1..=14).collect::<Vec<_>>());
    assert_equal_totals(&told, 14, 9);
}

/// The totals at a place are what the far side counts of what it got, from a place on.
fn assert_equal_totals(told: &BTreeMap<u64, Value>, place: u64, first: u64) {
    let totals = &told[&place]["data"];
    let mut by_type: BTreeMap<String, u64> = BTreeMap::new();
    let mut sum = Sha256::new();
    for (_, one) in told.range(first..place) {
        *by_type.entry(text(&one["type"])).or_default() += 1;
        sum.update(format!("{}\n", text(&one["id"])));
    }
    let hex: String = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(totals["sha256"], hex);
    assert_eq!(totals["by_type"], serde_json::to_value(by_type).unwrap());
    assert_eq!((&totals["first_place"], &totals["last_place"]), (&first.into(), &(place - 1).into()));
}

#[test]
fn dead_letters_are_seen_and_sent_again_and_the_ledger_says_by_whom() {
    let stub = Stub::open();
    let mut office = Office::open("dead", &stub.url(), &["ticket"]);
    office.write(call_to("12348", 10));
    let refused = EventRef { call: call(10), sequence: 2 };
    let job = StoreJob::DeadLetter { sink: 0, event: refused, why: "400 Bad Request".into() };
    office.submit(vec![job]);
    let letters = |office: &Office, which: &Letters| -> Vec<(EventRef, String)> {
        let letters = office.reader().letters(which, 10).unwrap();
        letters.into_iter().map(|letter| (letter.event.event, letter.why)).collect()
    };
    let all = Letters::default();
    let resending = Resending { at: Timestamp::UNIX_EPOCH, by: "admin".into(), reason: "mended".into() };
    let another = Letters { event: Some(EventRef { sequence: 3, ..refused }), ..all.clone() };
    let resend = |office: &Office, which: &Letters| {
        resend_beside(&office.data.join(FILE), which, &resending, |sink| sink == NAME).unwrap()
    };
    assert_eq!(resend(&office, &another), Resent::default(), "no letter");
    assert_eq!(letters(&office, &all), [(refused, "400 Bad Request".to_owned())]);
    let elsewhere = Letters { sink: Some("tax".into()), event: None };
    assert_eq!(letters(&office, &elsewhere), []);
    assert_eq!(office.owed().len(), 3);
    office.send();
    assert!(!taken(&stub.seen()).contains_key(&2));

    let counts = resend(&office, &Letters { event: Some(refused), ..all.clone() });
    assert_eq!(counts.owed, [(NAME.to_owned(), 1)].into());
    assert!(office.owed().iter().any(|one| one.event == refused));
    let entry: Value = serde_json::from_str(&office.reader().ledger(None, 1).unwrap()[0].json).unwrap();
    assert_eq!((&entry["actor"], &entry["subject"]), (&"admin".into(), &NAME.into()));
    assert_eq!(entry["action"]["of"]["events"], 1);
    let post = office.send();
    assert!(taken(&stub.seen()).contains_key(&2));
    assert_eq!(letters(&office, &all).len(), 1, "until the store knows that it was taken");
    office.submit(post.settled.into_iter().map(|event| StoreJob::Settled { sink: 0, event }).collect());
    assert_eq!(letters(&office, &all), []);
}

#[test]
fn a_plan_may_name_every_field_that_events_have_but_the_pick_up_code() {
    let events: Value =
        serde_json::from_str(include_str!("../../contract/hotline-events.schema.json")).unwrap();
    let mut fields = BTreeSet::new();
    for one in events["oneOf"].as_array().unwrap() {
        let name = text(&one["properties"]["data"]["$ref"]).rsplit('/').next().unwrap().to_owned();
        fields.extend(events["$defs"][&name]["properties"].as_object().unwrap().keys().cloned());
    }
    assert!(fields.remove("schema_version") && fields.remove(NEVER));
    assert_eq!(fields, FIELDS.iter().map(|field| (*field).to_owned()).collect());
    assert!(IDENTIFYING.iter().all(|field| FIELDS.contains(field)));
}

/// Names in backquotes of the contract's sentence that begins and ends so.
fn named(begins: &str, ends: &str) -> Vec<String> {
    let contract = include_str!("../../contract/README.md");
    let (_, sentence) = contract.split_once(begins).expect("the contract has it");
    let (sentence, _) = sentence.split_once(ends).expect("and its end");
    sentence.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_contract_names_every_field_that_a_plan_may_and_all_that_never_tell_of_a_confidential_caller() {
    assert_eq!(named("`fields` may name: ", ". "), FIELDS);
    assert_eq!(named("Of a confidential caller's call, none of ", " leaves"), IDENTIFYING);
}

#[test]
fn a_clock_that_was_ahead_silences_no_day() {
    let stub = Stub::open();
    let mut office = Office::open("ahead", &stub.url(), &["ticket", "line"]);
    office.write(call_to("12348", 11));
    office.close_day("2037-01-01").expect("by a clock that is far ahead");
    office.write(call_to("12348", 12));
    office.close_day("2021-09-01").expect("the city's own day");
    assert_eq!(office.close_day("2021-09-01"), None, "once");
    assert_eq!(office.close_day("2037-01-01"), None, "nor that one again");
    office.write(call_to("12348", 13));
    office.close_day("2021-09-02").expect("the next day");
    office.send();
    // Every place is in one of them, in the order in which they were told.
    let told = taken(&stub.seen());
    assert_eq!(told.len(), 15);
    for (place, first) in [(5, 1), (10, 5), (15, 10)] {
        assert_equal_totals(&told, place, first);
    }
}

#[test]
fn an_engine_whose_clock_was_set_by_hand_closes_no_day() {
    let stub = Stub::open();
    let feed = format!(
        "[[feed]]\nname = \"{NAME}\"\nkind = \"http\"\nurl = \"{}\"\nsecret = {{ file = \"secrets/justice\" }}\n\
         timeout = \"2s\"\nowners = [\"市司法局\"]\ndaily = \"01:00\"\n",
        stub.url()
    );
    let mut engine = Engine::start("by-hand", &plan(&feed));
    engine.kill();
    let db = rusqlite::Connection::open(engine.data.join(FILE)).unwrap();
    let one = &call_to("12348", 14)[0];
    let id = one.event.call.to_string();
    let row = rusqlite::params![id, &*one.kind, one.at.to_string(), &*one.json];
    db.execute("INSERT INTO events VALUES (1, ?, 1, ?, ?, ?)", row).unwrap();
    db.execute("INSERT INTO feed_calls VALUES (?, ?)", [&id, NAME]).unwrap();
    db.execute("INSERT INTO feed_events VALUES (?, 1, 1)", [NAME]).unwrap();
    db.execute("INSERT INTO owed VALUES (?, ?, 1, 1)", [NAME, &id]).unwrap();
    engine.restart();
    // Days are closed before the first event is sent.
    stub.until("the event", PATIENCE, |seen| !seen.is_empty());
    let totals: i64 = db.query_row("SELECT count(*) FROM feed_totals", [], |row| row.get(0)).unwrap();
    assert_eq!(totals, 0);
}
