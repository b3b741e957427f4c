//! A real call through the engine, and its events at three offices: the store, a file, a webhook
//! that is down at first.

use std::collections::BTreeMap;
use std::time::Duration;

use hotline::io::recorder::kept;
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Dial, Phone, PhoneEvent};
use hotline::switchboard::fact::Cause;
use serde_json::Value;

use crate::contract::{assert_signed, valid};
use crate::engine::{Engine, plan};
use crate::line::Lines;
use crate::stub::{Seen, Stub, closed_door};

const PATIENCE: Duration = Duration::from_secs(40);

fn offices(url: &str) -> String {
    format!(
        "[[ticket_sink]]\nname = \"file\"\nkind = \"jsonl\"\npath = \"tickets/events.jsonl\"\ntimeout = \"5s\"\n\
         [[ticket_sink]]\nname = \"office\"\nkind = \"http\"\nurl = \"{url}\"\n\
         secret = {{ file = \"secrets/office\" }}\ntimeout = \"2s\"\n"
    )
}

/// Dials 12345, presses a key, hangs up; back when the record and its recording are there.
fn one_call(engine: &Engine, number: &str, calls: usize) {
    let mut lines = Lines::new();
    let caller = lines.plug_in(number, engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the answer", PATIENCE, |lines| lines.saw(caller, |event| *event == PhoneEvent::Answered));
    lines.order(caller, |phone, now| phone.press("5", now));
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let query = CallQuery { most: 10, ..CallQuery::default() };
    lines.until("the key in the record", PATIENCE, |_| {
        reader.calls(&query).unwrap().iter().filter(|record| record.digits == "5").count() == calls
    });
    lines.order(caller, Phone::hang_up);
    lines.until("the record with its recording", PATIENCE, |_| {
        let records = reader.calls(&query).unwrap();
        records.iter().filter(|record| record.cause.is_some() && record.recording.is_some()).count() == calls
    });
}

/// Kinds of the events that have arrived, by call, in order; each arrival valid and signed.
fn arrived(seen: &[Seen], secret: &str) -> BTreeMap<String, Vec<String>> {
    let mut calls: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for one in seen {
        let event = valid(&one.body);
        let now = jiff::Timestamp::now().as_second();
        assert_signed(secret, |name| one.header(name), &one.body, now);
        let text = |field: &str| event[field].as_str().unwrap().to_owned();
        assert_eq!(one.header("idempotency-key"), text("id"));
        let events = calls.entry(text("subject")).or_default();
        if events.last().is_none_or(|(sequence, _)| *sequence < text("sequence")) {
            events.push((text("sequence"), text("type")));
        } else {
            let known = events.iter().any(|(sequence, _)| *sequence == text("sequence"));
            assert!(known, "{} came after a later one", text("id"));
        }
    }
    let kinds = |events: Vec<(String, String)>| events.into_iter().map(|(_, kind)| kind).collect();
    calls.into_iter().map(|(call, events)| (call, kinds(events))).collect()
}

fn is_whole(seen: &[Seen], calls: usize) -> bool {
    let recorded = |one: &&Seen| String::from_utf8_lossy(&one.body).contains("hotline.recording.stored.v1");
    let mut names: Vec<String> = seen.iter().filter(recorded).map(|one| one.header("webhook-id")).collect();
    names.sort();
    names.dedup();
    names.len() == calls
}

fn file_events(engine: &Engine) -> Vec<Value> {
    let text = std::fs::read_to_string(engine.data.join("tickets/events.jsonl")).unwrap();
    text.lines().map(|line| valid(line.as_bytes())).collect()
}

#[test]
fn events_of_a_call_reach_every_office_even_one_that_was_closed_and_across_a_kill() {
    let address = closed_door();
    let mut engine = Engine::start("offices", &plan(&offices(&format!("http://{address}/events"))));
    let secret = std::fs::read_to_string(engine.data.join("secrets/office")).unwrap().trim().to_owned();
    one_call(&engine, "13800000051", 1);
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let owed = reader.owed_figures("office").unwrap().events;
    assert!(owed >= 5, "the closed office is owed the whole call: {owed}");

    let stub = Stub::open_at(address);
    stub.until("the first call's events", PATIENCE, |seen| is_whole(seen, 1));
    let first = arrived(&stub.seen(), &secret);
    let [kinds] = first.values().collect::<Vec<_>>()[..] else { panic!("one call: {first:?}") };
    assert_eq!(kinds[0], "hotline.call.opened.v1");
    for kind in ["call.answered", "call.digit_pressed", "call.closed", "recording.stored"] {
        assert!(kinds.contains(&format!("hotline.{kind}.v1")), "{kind} in {kinds:?}");
    }
    assert_eq!(stub.seen().len(), owed, "each event once");

    // The office closes, the engine dies: what it owes it owes after its next start.
    drop(stub);
    one_call(&engine, "13800000052", 2);
    engine.kill();
    let stub = Stub::open_at(address);
    engine.restart();
    stub.until("the second call's events", PATIENCE, |seen| is_whole(seen, 1));
    let second = arrived(&stub.seen(), &secret);
    assert_eq!(second.values().collect::<Vec<_>>(), [kinds], "the same story");
    assert!(second.keys().all(|call| !first.contains_key(call)), "and not the first call again");

    let ids = |events: &[Value]| -> Vec<String> {
        let mut ids: Vec<String> = events.iter().map(|event| event["id"].as_str().unwrap().into()).collect();
        ids.sort();
        ids.dedup();
        ids
    };
    assert_eq!(ids(&file_events(&engine)).len(), 2 * kinds.len(), "the file has both calls");
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    Lines::new().until("nothing owed any more", PATIENCE, |_| {
        ["store", "file", "office"].iter().all(|sink| reader.owed_figures(sink).unwrap().events == 0)
    });
    assert_eq!(reader.dead_letters(10).unwrap(), []);
    read_back(&engine, &reader);
    send_again(&engine, &reader, &stub);
}

/// Letters go again to those whom the engine serves, and stay where they are otherwise.
fn send_again(engine: &Engine, reader: &Reader, stub: &Stub) {
    let db = rusqlite::Connection::open(engine.data.join(FILE)).unwrap();
    let letter = "INSERT INTO dead_letters SELECT ?, arrival, at, '400' FROM events WHERE arrival = 1";
    for sink in ["office", "store", "former"] {
        db.execute(letter, [sink]).unwrap();
    }
    let before = stub.seen().len();
    let out = engine.look_up(&["tickets", "--resend", "all", "--reason", "mended"]);
    assert_eq!(out.status.code(), Some(1));
    let (said, why) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
    assert_eq!(said, "office: 1 待重发 / to be sent again\n");
    assert!(why.contains("store: 1") && why.contains("embedded office is sent nothing"), "{why}");
    assert!(why.contains("former: 1") && why.contains("put it back into the plan"), "{why}");
    stub.until("the letter", PATIENCE, |seen| seen.len() > before);
    let sinks = || -> Vec<String> {
        reader.dead_letters(10).unwrap().into_iter().map(|letter| letter.sink).collect()
    };
    Lines::new().until("the letter taken", PATIENCE, |_| sinks().len() == 2);
    assert!(!sinks().contains(&"office".to_owned()));
}

/// What the commands show, masked and in full.
fn read_back(engine: &Engine, reader: &Reader) {
    let rows = |words: &[&str]| -> Vec<String> {
        let out = engine.look_up(words);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
    };
    let calls = reader.calls(&CallQuery { most: 10, ..CallQuery::default() }).unwrap();
    assert_eq!(calls.len(), 2);
    // What a row says of its recording changes when that is filed, which two looks may have in between.
    Lines::new().until("both recordings filed", PATIENCE, |_| {
        calls.iter().all(|record| {
            let rows = reader.manifest_of(record.call).unwrap();
            let now = record.recording.as_deref().and_then(|file| kept(&engine.data, file));
            now.is_some_and(|(file, _)| rows.iter().any(|row| row.file == file))
        })
    });
    assert!(calls.iter().all(|record| record.cause == Some(Cause::CallerHungUp)));
    for (command, state) in [("records", "cause=CallerHungUp"), ("tickets", "closed")] {
        let (masked, full) = (rows(&[command]), rows(&[command, "--full"]));
        assert_eq!((masked.len(), full.len()), (2, 2), "{command}");
        for ((record, masked), full) in calls.iter().zip(&masked).zip(&full) {
            let whole = [record.call.to_string(), record.ticket.clone(), state.to_owned()];
            for part in whole {
                assert!(masked.contains(&part) && full.contains(&part), "{part} in {full}");
            }
            assert!(full.contains(&format!("caller={}", record.caller)), "{full}");
            assert!(!masked.contains(&record.caller), "{masked}");
        }
        assert_eq!(rows(&[command, "--most", "1"]), masked[..1]);
    }
}
