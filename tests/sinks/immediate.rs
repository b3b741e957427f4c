//! Matters that are handed on at once, by an engine that dies in between: the clock goes on through its absence, and what
//! was told is not told again.

use std::time::Duration;

use hotline::id::CallId;
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Dial, Phone, PhoneEvent};
use hotline::switchboard::What;
use hotline::switchboard::fact::{HandOn, HandOnBy};
use serde_json::Value;

use crate::engine::{Engine, plan};
use crate::line::Lines;
use crate::stub::{Stub, closed_door};

const PATIENCE: Duration = Duration::from_secs(40);

/// The first life of the engine, and the later ones; a complaint and a report are to be handed on within ten minutes.
const FIRST: &str = "2021-12-01T09:00:00+08:00";
const LATER: [&str; 3] =
    ["2021-12-01T09:04:00+08:00", "2021-12-01T09:30:00+08:00", "2021-12-01T10:00:00+08:00"];
const TEN_MINUTES_MS: u64 = 600_000;

fn offices(url: &str) -> String {
    format!(
        "[[ticket_sink]]\nname = \"office\"\nkind = \"http\"\nurl = \"{url}\"\n\
         secret = {{ file = \"secrets/office\" }}\ntimeout = \"2s\"\nretry = {{ first = \"1s\", longest = \"1s\" }}\n\
         [[disposition.immediate]]\ncode = \"complaint\"\nto = \"12366\"\nwithin = \"10min\"\n\
         [[disposition.immediate]]\ncode = \"report\"\nwithin = \"10min\"\n"
    )
}

/// A call that was said to be about this, and is over.
fn said(engine: &Engine, number: &str, kind: &str) -> CallId {
    let mut lines = Lines::new();
    let caller = lines.plug_in(number, engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the answer", PATIENCE, |lines| lines.saw(caller, |event| *event == PhoneEvent::Answered));
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let query = CallQuery { caller: Some(number.to_owned()), most: 1, ..CallQuery::default() };
    let [record] = &reader.calls(&query).unwrap()[..] else { panic!("no record of {number}") };
    let call = record.call;
    let body = format!("{{\"kind\":\"{kind}\"}}");
    let (head, body) = engine.ask(&format!("/v1/calls/{call}/disposition"), Some(&body));
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("due_at"), "{head} {body}");
    lines.order(caller, Phone::hang_up);
    lines.until("the record", PATIENCE, |_| reader.call(call).unwrap().is_some_and(|own| own.is_closed()));
    call
}

fn told(reader: &Reader, call: CallId) -> Vec<HandOn> {
    let facts = reader.facts(call).unwrap().into_iter();
    let told = facts.filter_map(|fact| match fact.what {
        What::HandOn(told) => Some(told),
        _ => None,
    });
    told.collect()
}

/// What the house says of each matter that it is to hand on: whether it is overdue.
fn owed(engine: &Engine) -> Vec<(String, bool)> {
    let (_, body) = engine.ask("/v1/snapshot", None);
    let snapshot: Value = serde_json::from_str(&body).unwrap();
    let owed = snapshot["immediate"].as_array().unwrap().iter();
    owed.map(|own| (own["call"].as_str().unwrap().to_owned(), own["overdue"].as_bool().unwrap())).collect()
}

#[test]
fn a_matter_whose_engine_dies_is_late_when_its_time_is_over_and_told_once_over_all_restarts() {
    let address = closed_door();
    let stub = Stub::open_at(address);
    let plan = plan(&offices(&format!("http://{address}/events")));
    let mut engine = Engine::start_at("immediate", &plan, FIRST);
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let done = said(&engine, "13800000061", "report");
    Lines::new().until("the report taken", PATIENCE, |_| !told(&reader, done).is_empty());
    let handed = told(&reader, done);
    assert!(matches!(handed[..], [HandOn { handed: true, late: false, .. }]), "{handed:?}");
    drop(stub); // From now on nobody takes anything.
    let report = said(&engine, "13800000062", "report");
    let complaint = said(&engine, "13800000063", "complaint");
    let both = |is_overdue| {
        let mut both = [(report.to_string(), is_overdue), (complaint.to_string(), is_overdue)];
        both.sort();
        both
    };
    assert_eq!(owed(&engine), both(false));

    // Four minutes later both are owed still; half an hour later both are late, by the time since they were said.
    engine.kill();
    engine.restart_at(LATER[0]);
    assert_eq!(owed(&engine), both(false), "the one that was handed on is not among them");
    assert_eq!((told(&reader, report), told(&reader, complaint)), (vec![], vec![]));
    engine.kill();
    engine.restart_at(LATER[1]);
    Lines::new().until("both told", PATIENCE, |_| {
        [report, complaint].iter().all(|call| !told(&reader, *call).is_empty())
    });
    for (call, how) in [(report, HandOnBy::Ticket), (complaint, HandOnBy::Call)] {
        let late = told(&reader, call);
        let [HandOn { by, handed: false, late: true, took_ms, .. }] = &late[..] else { panic!("{late:?}") };
        assert!(*by == how && (2 * TEN_MINUTES_MS..4 * TEN_MINUTES_MS).contains(took_ms), "{late:?}");
    }
    assert_eq!(owed(&engine), both(true));
    let (_, figures) = engine.get("/metrics");
    for by in ["call", "ticket"] {
        let line = format!("hotline_immediate_overdue_total{{by=\"{by}\"}} 1");
        assert!(figures.lines().any(|found| found == line), "no {line} in\n{figures}");
    }

    // Once more: what was told is not told again, and the office takes the report in the end.
    engine.kill();
    engine.restart_at(LATER[2]);
    assert_eq!(owed(&engine), both(true));
    let _stub = Stub::open_at(address);
    Lines::new().until("the report taken at last", PATIENCE, |_| told(&reader, report).len() > 1);
    let after = told(&reader, report);
    let [HandOn { handed: false, .. }, HandOn { handed: true, late: true, took_ms, .. }] = &after[..] else {
        panic!("{after:?}");
    };
    assert!(*took_ms > 5 * TEN_MINUTES_MS, "{after:?}");
    assert_eq!(owed(&engine), [(complaint.to_string(), true)]);
    assert_eq!(told(&reader, complaint).len(), 1, "told once");
    assert_eq!(told(&reader, done), handed, "nor is what was handed on told anew");
    let (_, figures) = engine.get("/metrics");
    assert!(!figures.contains("hotline_immediate_overdue_total{"), "{figures}");
}
