//! A recording that is removed when its term is over: each office hears of it as of all else that happens to its calls.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hotline::id::CallId;
use hotline::io::secrets::Keyring;
use hotline::io::store::{FILE, ManifestRow, Opening, Reader, Removal, Removals, Report, Store};
use hotline::io::ticket_sink::{self, TicketSink};
use hotline::routing::feed::Pace;
use hotline::routing::plan::{SecretRef, Sink, SinkKind};
use hotline::switchboard::fact::{Fact, What};
use hotline::switchboard::port::StoreJob;
use hotline::tickets::event::{EventBody, EventRef, REMOVED_SEQUENCE, StoredEvent};
use hotline::tickets::sharing::Scope;
use hotline::time::{Instant, Timestamp};
use serde_json::json;

use crate::contract::{assert_signed, valid};
use crate::post::{Post, call, event, story};
use crate::stub::{Answer, Stub};

const TIMEOUT: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(30);
const REMOVED: &str = "hotline.recording.removed.v1";
/// Three years behind the calls.
const TODAY: &str = "2024-09-01T03:00:00+08:00";

/// A store with an office elsewhere, the embedded one and a feed of what is for 12348.
struct House {
    data: PathBuf,
    store: Option<Store>,
    reports: Receiver<Report>,
    token: u64,
}

fn open(data: &std::path::Path) -> (Store, Receiver<Report>) {
    let names = ["office", "store", "justice"].map(str::to_owned);
    let mut opening = Opening::open(data, &names).unwrap();
    opening.embed(1).unwrap();
    opening.feed(2, Scope { lines: ["12348".into()].into(), ..Scope::default() });
    let (tell, reports) = channel();
    (opening.start(move |report| drop(tell.send(report))).unwrap(), reports)
}

impl House {
    fn open(name: &str) -> House {
        let data = std::env::temp_dir().join(format!("hotline-removed-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).unwrap();
        let (store, reports) = open(&data);
        House { data, store: Some(store), reports, token: 0 }
    }

    fn restart(&mut self) {
        self.store.take().unwrap().close();
        let (store, reports) = open(&self.data);
        (self.store, self.reports, self.token) = (Some(store), reports, 0);
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.data.join(FILE)).unwrap()
    }

    fn write(&mut self, events: Vec<StoredEvent>) {
        let job = |event: StoredEvent| {
            let EventRef { call, sequence } = event.event;
            let what = What::Answered { durable: true };
            let fact = Fact { call, sequence, at: event.at, mono: Instant::ZERO, what };
            StoreJob::Fact { house: u64::from(sequence), fact, events: vec![event] }
        };
        self.jobs(events.into_iter().map(job).collect());
    }

    fn jobs(&mut self, jobs: Vec<StoreJob>) {
        self.token += 1;
        self.store().submit(self.token, jobs);
        self.until(|token, _| (token == Some(self.token)).then_some(()));
    }

    /// What a commit says that is asked for.
    fn until<T>(&self, found: impl Fn(Option<u64>, Vec<(usize, EventRef)>) -> Option<T>) -> T {
        loop {
            match self.reports.recv_timeout(PATIENCE).expect("a report") {
                Report::Committed { token, fed, .. } => {
                    if let Some(found) = found(token, fed) {
                        return found;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn file(&self, call: CallId) {
        let row = ManifestRow {
            call,
            track: None,
            file: format!("recordings/2021-09-01/{call}.wav"),
            format: "wav".into(),
            sha256: "00".into(),
            bytes: 1,
            samples: 1,
            lost_frames: 0,
            gaps: Vec::new(),
            pauses: Vec::new(),
            at: "2021-09-01T02:00:00Z".parse().unwrap(),
            removed: None,
        };
        assert!(self.store().errands().file(row).blocking_recv().unwrap().unwrap());
    }

    /// Those that were removed by it.
    fn remove(&self, calls: &[CallId], class: Option<&str>) -> Vec<CallId> {
        let of = |call: &CallId| Removal {
            call: *call,
            class: class.map(str::to_owned),
            reason: "its term is over".into(),
        };
        let removals = Removals {
            calls: calls.iter().map(of).collect(),
            at: TODAY.parse().unwrap(),
            source: "/hotline/test".into(),
        };
        self.store().errands().remove(removals).blocking_recv().unwrap().unwrap()
    }

    fn owed(&self, sink: &str) -> Vec<EventRef> {
        self.reader().owed(sink, None, 100).unwrap().into_iter().map(|event| event.event).collect()
    }

    fn way(&self, url: String) -> Arc<dyn TicketSink> {
        let kind = SinkKind::Http { url, secret: SecretRef::File("secrets/office".into()) };
        let sink = Sink { name: "office".into(), kind, timeout: TIMEOUT, pace: Pace::default() };
        ticket_sink::open(&sink, &mut Keyring::new(&self.data)).unwrap().unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.store.take());
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn removed(n: u64) -> EventRef {
    EventRef { call: call(n), sequence: REMOVED_SEQUENCE }
}

fn settled(sink: usize, events: &[StoredEvent]) -> Vec<StoreJob> {
    events.iter().map(|event| StoreJob::Settled { sink, event: event.event }).collect()
}

#[test]
fn an_office_that_is_down_hears_of_a_removal_when_it_is_back_and_whoever_restarts() {
    let mut house = House::open("down");
    let for_feed = {
        let mut events = story(2);
        events[0].json = events[0].json.replace("\"line\":\"12345\"", "\"line\":\"12348\"").into();
        events
    };
    house.write(story(1));
    house.write(for_feed.clone());
    house.jobs([settled(0, &story(1)), settled(0, &for_feed), settled(2, &for_feed)].concat());
    assert_eq!((house.owed("office"), house.owed("justice")), (vec![], vec![]), "all of it is taken");

    // The first has no file: nothing is removed of it, and nothing told.
    assert_eq!(house.remove(&[call(1)], None), []);
    house.file(call(1));
    house.file(call(2));
    assert_eq!(house.remove(&[call(1), call(2)], Some("税务")), [call(1), call(2)]);
    let fed = house.until(|_, fed| (!fed.is_empty()).then_some(fed));
    assert_eq!(fed, [(0, removed(1)), (2, removed(2))], "by these the outboxes are told to look");
    assert_eq!(house.remove(&[call(1)], None), [], "once");

    // The engine dies before anybody was told, and the office is down at first.
    house.restart();
    assert_eq!(house.owed("office"), [removed(1), removed(2)]);
    assert_eq!(house.owed("justice"), [removed(2)], "what falls to it");
    let stub = Stub::open();
    stub.answer([Answer::Status(500), Answer::Wait(503, 1)]);
    let mut post = Post::new(house.way(stub.url()), TIMEOUT);
    post.owe(house.reader().owed("office", None, 100).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(post.until_empty(PATIENCE));
    assert_eq!(post.settled.len(), 2);
    let secret = std::fs::read_to_string(house.data.join("secrets/office")).unwrap().trim().to_owned();
    let taken = stub.seen().into_iter().filter(|one| one.is_taken());
    let mut ids = BTreeSet::new();
    for one in taken {
        let told = valid(&one.body);
        assert_signed(&secret, |name| one.header(name), &one.body, jiff::Timestamp::now().as_second());
        assert_eq!(told["type"], REMOVED);
        ids.insert(told["id"].as_str().unwrap().to_owned());
        assert_eq!(told["time"], TODAY.parse::<Timestamp>().unwrap().to_string());
        assert_eq!(told["data"], json!({ "schema_version": 1, "class": "税务" }));
    }
    assert_eq!(ids, [1, 2].map(|n| format!("{}/2147483647", call(n))).into());
}

#[test]
fn the_embedded_office_notes_the_removal_and_takes_in_what_is_told_of_the_call_later() {
    let mut house = House::open("embedded");
    house.write(story(1));
    house.file(call(1));
    house.file(call(9)); // Of a call that the office was never told of.
    house.remove(&[call(1), call(9)], None);
    house.write(vec![event(1, 5, &EventBody::CallbackSettled { outcome: "answered".into() })]);
    let [ticket] = &house.reader().tickets(10).unwrap()[..] else { panic!("one ticket") };
    assert_eq!((ticket.call, ticket.state.as_str(), ticket.sequence), (call(1), "closed", 5));
    let at = TODAY.parse::<Timestamp>().unwrap().to_string();
    assert_eq!(ticket.data["recording_removed"], json!({ "at": at }));
    assert_eq!(ticket.data["callback"]["outcome"], "answered");
    assert_eq!(house.reader().dead_letters(10).unwrap(), []);
}
