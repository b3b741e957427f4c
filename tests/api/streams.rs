//! The stream of facts: in order, whole and once, wherever it is joined and however far behind.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hotline::io::http::Bounds;
use hotline::io::http::feed::RING_FACTS;
use hotline::switchboard::Happened;
use hotline::switchboard::fact::{Cause, SeatFact, SeatIs, What};
use hotline::switchboard::request::Flag;
use serde_json::json;

use crate::client::{Events, get};
use crate::document::is_valid;
use crate::fixture::{CALLER, OWNER, Served, call, closed, fact, opened, story, token, tokens};

fn digits(call_number: u64, sequences: std::ops::Range<u32>) -> Vec<hotline::switchboard::Fact> {
    sequences.map(|sequence| fact(call(call_number), sequence, What::DigitPressed { digit: '1' })).collect()
}

#[test]
fn who_joins_while_facts_are_written_hears_each_of_them_once_and_in_order_across_a_restart() {
    const WRITERS: u64 = 3;
    const EACH: u32 = 400;
    let served = Arc::new(Served::open("joined"));
    let write = |served: &Arc<Served>, first: u32| -> Vec<_> {
        let writer = |number: u64, served: Arc<Served>| {
            std::thread::spawn(move || {
                for sequence in first..first + EACH {
                    served.submit(digits(number, sequence..sequence + 1));
                    if sequence % 16 == 0 {
                        served.write(Vec::new());
                    }
                }
            })
        };
        (1..=WRITERS).map(|number| writer(number, served.clone())).collect()
    };
    let writers = write(&served, 1);
    let total = WRITERS * u64::from(EACH);
    // Each joins after what the one before has heard, while the writers write.
    let listeners: Vec<_> = (0..6_u64)
        .map(|number| {
            let at = served.at;
            std::thread::spawn(move || {
                let (after, count) = (number * 150, 150 + number * 20);
                let path = format!("/v1/facts?after={after}");
                let mut events = loop {
                    // Its place is not written yet: it may not listen from there.
                    let events = Events::open(at, &path, OWNER, None);
                    if events.status == 200 {
                        break events;
                    }
                    assert_eq!(events.status, 422);
                };
                let count = count.min(total - after);
                let heard = events.places(usize::try_from(count).unwrap());
                assert_eq!(heard, (after + 1..=after + count).collect::<Vec<_>>());
                events.last.unwrap()
            })
        })
        .collect();
    let last: Vec<u64> = listeners.into_iter().map(|listener| listener.join().unwrap()).collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    served.write(Vec::new());

    let served = Arc::new(Arc::into_inner(served).expect("nobody else has it").restart(Bounds::default()));
    let writers = write(&served, EACH + 1);
    for last in last {
        let mut events = Events::open(served.at, "/v1/facts?after=0", OWNER, Some(last));
        let heard = events.places(usize::try_from(2 * total - last).unwrap());
        assert_eq!(heard, (last + 1..=2 * total).collect::<Vec<_>>());
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
}

#[test]
fn who_falls_behind_the_ring_goes_on_from_the_store() {
    let served = Served::open("behind");
    let mut events = Events::open(served.at, "/v1/facts", OWNER, None);
    // Far more than the ring and all buffers on the way hold, before a word of it is read.
    let batches = 5 * RING_FACTS as u32 / 500;
    for batch in 0..batches {
        served.write(digits(1, batch * 500 + 1..(batch + 1) * 500 + 1));
    }
    let total = u64::from(batches) * 500;
    assert!(total > 4 * RING_FACTS as u64);
    assert_eq!(events.places(total as usize), (1..=total).collect::<Vec<_>>());
    served.write(digits(2, 1..2));
    assert_eq!(events.places(1), [total + 1], "and live again");
}

#[test]
fn a_stream_begins_with_what_happens_next_and_a_page_with_what_happened_first() {
    let served = Served::open("begins");
    served.write(story(call(1), vec![What::Queued { queue: "main".into() }], Cause::CallerHungUp));
    let mut events = Events::open(served.at, "/v1/facts", OWNER, None);
    served.write(vec![fact(call(2), 1, opened())]);
    let heard = events.fact().unwrap();
    assert_eq!((&heard["house"], &heard["kind"]), (&json!(4), &json!("opened")));
    is_valid("FactView", &heard);

    let page = get(served.at, "/v1/facts?limit=2", OWNER).json();
    is_valid("FactsPage", &page);
    let kinds = |page: &serde_json::Value| -> Vec<String> {
        page["facts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fact| fact["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (kinds(&page), &page["next"], &page["more"]),
        (vec!["opened".into(), "queued".into()], &json!(2), &json!(true))
    );
    let page = get(served.at, "/v1/facts?limit=2&after=2", OWNER).json();
    assert_eq!((kinds(&page), &page["next"]), (vec!["closed".into(), "opened".into()], &json!(4)));
    let page = get(served.at, "/v1/facts?limit=2&after=4", OWNER).json();
    assert_eq!((kinds(&page), &page["next"], &page["more"]), (vec![], &json!(4), &json!(false)));
    assert_eq!(Events::open(served.at, "/v1/facts?after=5", OWNER, None).status, 422, "not yet there");
}

#[test]
fn only_the_wanted_facts_are_told_and_the_place_moves_on_all_the_same() {
    let bounds = Bounds { heartbeat: Duration::from_millis(50), ..Bounds::default() };
    let served = Served::open_with("filters", bounds);
    let id = call(1);
    let mut of_call = Events::open(served.at, &format!("/v1/facts?call={id}"), OWNER, None);
    let mut of_kind = Events::open(served.at, "/v1/facts?kind=queued", OWNER, None);
    served.write(story(call(2), vec![What::Queued { queue: "main".into() }], Cause::Completed));
    served.write(story(id, vec![What::Queued { queue: "main".into() }], Cause::Completed));
    served.write(digits(2, 4..6));
    assert_eq!(of_call.places(3), [4, 5, 6]);
    assert_eq!(of_kind.places(2), [2, 5]);
    let mut blocks = std::iter::from_fn(|| of_kind.block());
    let moved = blocks.find_map(|lines| lines.iter().any(|line| line == "id: 8").then_some(lines));
    assert_eq!(moved.unwrap(), [":", "id: 8"], "a sign of life says how far it looked");
    let page = get(served.at, &format!("/v1/facts?call={id}&kind=closed&limit=9"), OWNER).json();
    let found: Vec<_> = page["facts"].as_array().unwrap().iter().map(|fact| fact["house"].clone()).collect();
    assert_eq!((found, &page["next"]), (vec![json!(6)], &json!(8)));
}

#[test]
fn numbers_in_facts_are_for_those_who_may_see_them() {
    let served = Served::open("masked");
    let peer = What::PeerDialled { trunk: "center".into(), number: CALLER.into() };
    let mut streams: Vec<_> = ["supervisor", "clerk", "observer"]
        .into_iter()
        .map(|role| (role, Events::open(served.at, "/v1/facts", &token(role), None)))
        .collect();
    served.write(story(call(1), vec![peer], Cause::Completed));
    for (role, events) in &mut streams {
        let told = [events.fact().unwrap(), events.fact().unwrap()];
        let page = get(served.at, "/v1/facts?limit=2", &token(role)).json();
        assert_eq!(page["facts"], json!(told), "{role}: alike in both");
        let shown = if *role == "supervisor" { CALLER } else { "138******42" };
        assert_eq!((&told[0]["data"]["caller"], &told[1]["data"]["number"]), (&json!(shown), &json!(shown)));
        assert_eq!(told[0]["data"]["ticket"], "21090100001", "{role}");
        assert_eq!(told[0].to_string().contains(CALLER), *role == "supervisor");
    }
}

/// The mark may come long after the number, and by a policy right behind it.
#[test]
fn a_number_that_is_nobodys_to_know_is_not_in_facts_even_in_part() {
    let served = Served::open("nobodys");
    let peer = || What::PeerDialled { trunk: "center".into(), number: CALLER.into() };
    let mark = |by: &str| What::Flagged { flag: Flag::Confidential, by: by.into() };
    let mut stream = Events::open(served.at, "/v1/facts", &token("clerk"), None);
    served.write(story(call(1), vec![mark("policy"), peer()], Cause::Completed));
    served.write(story(call(2), vec![peer()], Cause::Completed));
    let live: Vec<_> = (0..7).map(|_| stream.fact().unwrap()).collect();
    let page = |role: &str| get(served.at, "/v1/facts?limit=9", &token(role)).json()["facts"].clone();
    assert_eq!(page("clerk"), json!(live), "alike in both");
    let number = |fact: &serde_json::Value, name: &str| fact["data"][name].as_str().unwrap().to_owned();
    assert_eq!((number(&live[0], "caller"), number(&live[2], "number")), (String::new(), String::new()));
    assert_eq!(number(&live[4], "caller"), "138******42", "another call's");
    // What is said of the second call an hour later is known of all of it from then on.
    served.write(vec![fact(call(2), 4, mark("desk-1001"))]);
    for (role, shown) in [("observer", ""), ("supervisor", CALLER)] {
        let page = page(role);
        for (place, name) in [(0, "caller"), (2, "number"), (4, "caller"), (5, "number")] {
            assert_eq!(number(&page[place], name), shown, "{role}: {}", page[place]);
        }
        let of_call = get(served.at, &format!("/v1/calls/{}", call(2)), &token(role)).json();
        assert_eq!(of_call["record"]["caller"], shown, "{role}");
    }
}

#[test]
fn who_has_lost_the_token_is_told_no_more() {
    let bounds = Bounds { heartbeat: Duration::from_millis(50), ..Bounds::default() };
    let served = Served::open_with("revoked", bounds);
    let mut clerk = Events::open(served.at, "/v1/facts", &token("clerk"), None);
    let mut owner = Events::open(served.at, "/v1/facts", OWNER, None);
    assert!(clerk.block().is_some());
    served.tokens.send_replace(hotline::io::http::tokens::Tokens::new(OWNER));
    // It ends, or the read would come to its own.
    while clerk.block().is_some() {}
    assert_eq!(get(served.at, "/v1/seats", &token("clerk")).status, 401);
    served.write(digits(1, 1..2));
    assert_eq!(owner.places(1), [1]);
    served.tokens.send_replace(tokens());
    assert_eq!(get(served.at, "/v1/seats", &token("clerk")).status, 200);
}

#[test]
fn facts_of_seats_stand_among_those_of_calls_in_the_order_that_they_happened() {
    let served = Served::open("seats-told");
    let seat = |sequence, state, of: Option<hotline::id::CallId>| {
        let (at, mono) = (hotline::time::Timestamp::UNIX_EPOCH, hotline::time::Instant::ZERO);
        let why = if of.is_none() { "said/lunch".to_owned() } else { String::new() };
        let by = of.is_none().then(|| "clerk-desk".to_owned());
        Happened::AtSeat(SeatFact { sequence, seat: "1001".into(), at, mono, state, why, call: of, by })
    };
    let on_call = |sequence, what| Happened::OnCall(fact(call(1), sequence, what));
    let mut events = Events::open(served.at, "/v1/facts", &token("observer"), None);
    let mut of_call = Events::open(served.at, &format!("/v1/facts?call={}", call(1)), OWNER, None);
    let told = [
        on_call(1, opened()),
        seat(1, SeatIs::Talking, Some(call(1))),
        on_call(2, closed(Cause::Completed)),
        seat(2, SeatIs::Away, None),
    ];
    served.submit_all(told.into());
    served.write(Vec::new());
    let live: Vec<_> = (0..4).map(|_| events.fact().unwrap()).collect();
    live.iter().for_each(|fact| is_valid("FactView", fact));
    let page = get(served.at, "/v1/facts?limit=9", &token("observer")).json();
    assert_eq!(page["facts"], json!(live), "alike in the store");
    let expected = json!({
        "house": 4, "seat": "1001", "sequence": 2, "at": "1970-01-01T00:00:00Z", "kind": "seat_changed",
        "data": { "state": "away", "why": "said/lunch", "by": "clerk-desk" },
    });
    assert_eq!((&live[3], &live[1]["call"]), (&expected, &json!(call(1).to_string())));
    assert_eq!(of_call.places(3), [1, 2, 3], "a seat's fact about the call is one of the call's");
    let page = get(served.at, "/v1/facts?limit=9&kind=seat_changed", OWNER).json();
    assert_eq!(page["facts"].as_array().unwrap().len(), 2);
}

#[test]
fn every_fact_of_a_call_is_in_the_stream_once() {
    let served = Served::open("once");
    for number in 1..=40 {
        served.submit(story(call(number), vec![What::Queued { queue: "main".into() }], Cause::Completed));
    }
    served.write(Vec::new());
    let mut events = Events::open(served.at, "/v1/facts?after=0", OWNER, None);
    let heard: Vec<_> = (0..120).map(|_| events.fact().unwrap()).collect();
    let facts: BTreeSet<_> =
        heard.iter().map(|fact| (fact["call"].to_string(), fact["sequence"].as_u64())).collect();
    assert_eq!(facts.len(), 120);
    let wanted: Vec<u64> = (1..=120).collect();
    assert_eq!(heard.iter().map(|fact| fact["house"].as_u64().unwrap()).collect::<Vec<_>>(), wanted);
}
