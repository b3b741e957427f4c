//! Dead letters over HTTP: listed, and sent again by the engine whose sinks refused them.

use hotline::io::http::Bounds;
use hotline::io::store::FILE;
use hotline::tickets::event::{ClosedBy, EventBody, source, stored};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::client::{get, post};
use crate::engine::{Engine, plan};
use crate::fixture::{OWNER, Served, call, fact, opened, token, until};

/// An event that these sinks have refused, of a call of its own.
fn refused(db: &Connection, n: u64, sinks: &[&str]) -> String {
    let fact = fact(call(n), 1, opened());
    let (cause, status) = (ClosedBy::CallerHungUp, None);
    let body = EventBody::Closed { cause, status, lasted_ms: 1, answered_ms: None };
    let event = stored(fact.call, 1, fact.at, &body, &source("test"));
    let row = params![call(n).to_string(), &*event.kind, event.at.to_string(), &*event.json];
    db.execute("INSERT INTO events (call, sequence, kind, at, json) VALUES (?, 1, ?, ?, ?)", row).unwrap();
    let arrival = db.last_insert_rowid();
    for sink in sinks {
        let letter =
            "INSERT INTO dead_letters SELECT ?, arrival, at, '400 Bad Request' FROM events WHERE arrival = ?";
        db.execute(letter, params![sink, arrival]).unwrap();
    }
    format!("{}/1", call(n))
}

fn path(id: &str, query: &str) -> String {
    format!("/v1/tickets/dead/{id}/resend?{query}")
}

#[test]
fn letters_are_listed_without_what_they_tell_of_people_and_what_cannot_be_sent_is_refused() {
    let served = Served::open_with("letters", Bounds::default());
    let db = Connection::open(served.data.join(FILE)).unwrap();
    assert_eq!(get(served.at, "/v1/tickets/dead", OWNER).json(), json!([]));
    let (first, second) = (refused(&db, 1, &["former", "store"]), refused(&db, 2, &["former"]));
    let list = |query: &str| get(served.at, &format!("/v1/tickets/dead{query}"), &token("supervisor")).json();
    let all = list("");
    let row = |id: &str, sink: &str| {
        let (call, _) = id.split_once('/').unwrap();
        json!({
            "id": id, "call": call, "sequence": 1, "type": "hotline.call.closed.v1", "at": "2021-09-01T01:00:01Z",
            "sink": sink, "why": "400 Bad Request",
        })
    };
    assert_eq!(all, json!([row(&first, "former"), row(&first, "store"), row(&second, "former")]));
    assert_eq!(list("?sink=store"), json!([row(&first, "store")]));
    assert_eq!(list("?limit=1&by=wang"), json!([row(&first, "former")]));
    for (query, code) in
        [("?limit=0", "bad_value"), ("?limit=1001", "bad_value"), ("?most=3", "bad_parameter")]
    {
        let answer = get(served.at, &format!("/v1/tickets/dead{query}"), OWNER);
        assert_eq!((answer.status, answer.code().as_str()), (422, code), "{query}");
    }

    let ask = |id: &str, query: &str, who: &str| post(served.at, &path(id, query), who, "");
    let supervisor = token("supervisor");
    assert_eq!(ask(&first, "", &supervisor).code(), "missing_parameter", "a reason is wanted");
    assert_eq!(
        ask(&first, "reason=mended", OWNER).code(),
        "missing_parameter",
        "and who, of the house's own"
    );
    let none = [format!("{}/2", call(1)), format!("{}/x", call(1)), format!("{}/1", call(9))];
    for id in none {
        assert_eq!(ask(&id, "reason=mended", &supervisor).code(), "no_such_letter", "{id}");
    }
    assert_eq!(ask("7/1", "reason=mended", &supervisor).code(), "no_such_call");
    assert_eq!(ask(&second, "reason=mended&sink=store", &supervisor).code(), "no_such_letter");
    // The embedded office, and a sink that the plan has no more.
    let answer = ask(&first, "reason=mended", &supervisor);
    assert_eq!((answer.status, answer.code().as_str()), (409, "not_sendable"), "{answer:?}");
    assert!(answer.json()["en"].as_str().unwrap().contains("former, store"), "{answer:?}");
    assert_eq!(list(""), all, "they stay as they are");
    assert!(!get(served.at, "/v1/ledger", OWNER).body.contains("letters_resent"));
}

#[test]
fn a_running_engine_sends_a_letter_again_and_its_ledger_says_who_wanted_it() {
    let office = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", office.local_addr().unwrap());
    let sink = format!(
        "[[ticket_sink]]\nname = \"office\"\nkind = \"http\"\nurl = \"{url}\"\n\
         secret = {{ file = \"secrets/office\" }}\ntimeout = \"2s\"\n\
         [[ticket_sink]]\nname = \"file\"\nkind = \"jsonl\"\npath = \"events.jsonl\"\n"
    );
    let engine = Engine::start("letters", &plan(&sink));
    let owner = std::fs::read_to_string(engine.data.join("secrets/api-token")).unwrap();
    let owner = owner.trim();
    let db = Connection::open(engine.data.join(FILE)).unwrap();
    let letter = refused(&db, 1, &["file", "former", "office"]);
    let ask = |query: &str| post(engine.http, &path(&letter, query), owner, "");
    let list = || get(engine.http, "/v1/tickets/dead", owner).json();
    let sinks = || -> Vec<String> {
        list().as_array().unwrap().iter().map(|one| one["sink"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(sinks(), ["file", "former", "office"]);

    // To one of them, and once more; the others are left as they are.
    let told = ask("by=wang&reason=mended&sink=office");
    assert_eq!(
        (told.status, told.json()),
        (200, json!({ "owed": ["office"], "waiting": [], "refused": [] }))
    );
    let told = ask("by=wang&reason=mended&sink=office").json();
    assert_eq!(told, json!({ "owed": [], "waiting": ["office"], "refused": [] }), "the office says nothing");
    let told_the_file = || std::fs::read_to_string(engine.data.join("events.jsonl")).unwrap_or_default();
    assert_eq!(told_the_file(), "", "it was not asked to be told");
    let told = ask("by=wang&reason=mended").json();
    assert_eq!(told, json!({ "owed": ["file"], "waiting": ["office"], "refused": ["former"] }));
    // What was taken is no letter any more; what is owed is one until then.
    until("the letter taken", || sinks() == ["former", "office"]);
    let event: Value = serde_json::from_str(told_the_file().lines().next().expect("a line")).unwrap();
    assert_eq!(event["id"], letter.as_str());
    let ledger = get(engine.http, "/v1/ledger", owner).json();
    let entries = ledger.as_array().unwrap().iter();
    let resent = entries.filter(|entry| entry["action"].to_string().contains("letters_resent"));
    let resent: Vec<_> =
        resent.map(|one| (one["actor"].clone(), one["subject"].clone(), one["reason"].clone())).collect();
    let by = |sink: &str| ("wang".into(), sink.into(), "mended".into());
    assert_eq!(resent, [by("file"), by("office")], "newest first, and only what was owed anew");
}
