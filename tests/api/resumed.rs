//! The engine itself, killed between two facts: a client comes back with the last place that it was told.

use hotline::phone::{Dial, PhoneEvent};
use serde_json::Value;

use crate::client::{Events, PATIENCE, get};
use crate::engine::{Engine, plan};
use crate::line::Lines;

/// All facts that the engine has after a place.
fn page(engine: &Engine, token: &str, after: u64) -> Vec<Value> {
    let page = get(engine.http, &format!("/v1/facts?limit=1000&after={after}"), token).json();
    assert_eq!(page["more"], false);
    page["facts"].as_array().unwrap().clone()
}

fn kinds(facts: &[Value]) -> Vec<&str> {
    facts.iter().map(|fact| fact["kind"].as_str().unwrap()).collect()
}

/// Dials 12345; back when it is answered.
fn dial(engine: &Engine, lines: &mut Lines, number: &str) {
    let caller = lines.plug_in(number, engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the answer", PATIENCE, |lines| lines.saw(caller, |event| *event == PhoneEvent::Answered));
}

#[test]
fn a_stream_goes_on_across_a_kill_with_nothing_lost_and_nothing_twice() {
    let mut engine = Engine::start("api-resume", &plan(""));
    let token = std::fs::read_to_string(engine.data.join("secrets/api-token")).unwrap().trim().to_owned();
    let mut lines = Lines::new();
    let mut events = Events::open(engine.http, "/v1/facts", &token, None);
    dial(&engine, &mut lines, "13800000061");
    let mut heard = Vec::new();
    while !kinds(&heard).contains(&"answered") {
        heard.push(events.fact().expect("the stream goes on"));
    }
    // Seats may still be told of as they were at the start.
    let mut heard =
        heard.split_off(kinds(&heard).iter().position(|kind| *kind == "opened").expect("the call"));
    engine.kill();
    // What was on its way is still read; then the connection is gone.
    heard.extend(std::iter::from_fn(|| events.fact()));
    let last = events.last.expect("a place");

    engine.restart();
    let mut events = Events::open(engine.http, "/v1/facts", &token, Some(last));
    dial(&engine, &mut Lines::new(), "13800000062");
    while !kinds(&heard[1..]).contains(&"opened") {
        heard.push(events.fact().expect("the stream goes on"));
    }
    let told = heard.last().unwrap()["house"].as_u64().unwrap();
    let mut kept = page(&engine, &token, heard[0]["house"].as_u64().unwrap() - 1);
    kept.retain(|fact| fact["house"].as_u64().unwrap() <= told);
    assert!(kinds(&kept).contains(&"seat_changed"), "seats are signed out at the start");
    assert_eq!(heard, kept, "what was told is what is kept, in its order");
    let crash: Vec<_> = heard.iter().filter(|fact| fact["data"]["cause"] == "crash").collect();
    let [crash] = crash[..] else { panic!("one call was closed at the start: {heard:?}") };
    assert_eq!(crash["call"], heard[0]["call"]);
    let places: Vec<u64> = heard.iter().map(|fact| fact["house"].as_u64().unwrap()).collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "they grow across the restart: {places:?}");
}
