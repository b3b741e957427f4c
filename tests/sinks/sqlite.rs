//! The embedded office: tickets in the house's own database.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use hotline::io::store::{FILE, Opening, Reader};
use hotline::io::ticket_sink::{self, TicketSink};
use hotline::routing::plan::{Sink, SinkKind};
use hotline::tickets::event::{EventRef, Outcome, StoredEvent};
use rusqlite::Connection;

use crate::post::{Post, call, is_failure, story};

#[test]
fn tickets_wait_for_a_store_that_cannot_write_and_are_whole_afterwards() {
    let data = std::env::temp_dir().join(format!("hotline-office-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data).unwrap();
    let (tell, _told) = channel();
    let store = Opening::open(&data, &[]).unwrap().start(move |report| drop(tell.send(report))).unwrap();
    let sink = Sink { name: "store".into(), kind: SinkKind::Sqlite, timeout: Duration::from_secs(5) };
    let adapter: Arc<dyn TicketSink> = ticket_sink::open(&sink, &data, store.errands()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();

    let other = Connection::open(data.join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut post = Post::new(adapter.clone(), sink.timeout);
    (1..=5).for_each(|n| post.owe(story(n)));
    let patience = Duration::from_secs(30);
    let failed = |post: &Post| post.tries.iter().any(|one| is_failure(one.outcome.as_ref()));
    runtime.block_on(post.until("a try in vain", patience, failed));
    other.execute_batch("COMMIT").unwrap();
    runtime.block_on(post.until_empty(patience));
    post.assert_in_order(1..=5);

    // The same again, and one that is no event.
    let again: Vec<Outcome> =
        story(3).iter().map(|event| runtime.block_on(adapter.deliver(event, false))).collect();
    assert_eq!(again, [const { Outcome::Taken }; 4]);
    let garbled = StoredEvent {
        event: EventRef { call: call(9), sequence: 1 },
        json: "[1, 2".into(),
        ..story(9).remove(0)
    };
    assert!(matches!(runtime.block_on(adapter.deliver(&garbled, false)), Outcome::Refused(_)));

    let tickets = Reader::open(&data.join(FILE)).unwrap().tickets(100).unwrap();
    let rows: Vec<(&str, &str, u32)> = tickets
        .iter()
        .map(|ticket| (ticket.number.as_str(), ticket.state.as_str(), ticket.sequence))
        .collect();
    let wanted: Vec<String> = (1..=5).rev().map(|n| format!("210901{n:05}")).collect();
    let wanted: Vec<(&str, &str, u32)> = wanted.iter().map(|number| (number.as_str(), "closed", 4)).collect();
    assert_eq!(rows, wanted);
    assert_eq!(tickets[0].data["digit"], "5");
    assert_eq!(tickets[0].data["cause"], "caller_hung_up");
    drop(store);
    let _ = std::fs::remove_dir_all(&data);
}
