//! A store in a directory of its own, and the facts that tests put into it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant as SystemInstant};

use hotline::id::{CallId, Dice};
use hotline::io::store::{FILE, Opening, Reader, Report, Store};
use hotline::switchboard::fact::{Cause, Fact, What};
use hotline::switchboard::port::StoreJob;
use hotline::tickets::event::{CallKind, ClosedBy, EventBody, StoredEvent, source, stored};
use hotline::time::{Instant, Timestamp};

/// Longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that is gone with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hotline-store-{name}-{}-{count}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn reader(&self) -> Reader {
        Reader::open(&self.0.join(FILE)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn open(folder: &Folder, sinks: &[&str]) -> Opening {
    let sinks: Vec<String> = sinks.iter().map(|name| (*name).to_owned()).collect();
    Opening::open(folder.path(), &sinks).unwrap()
}

/// A running store and what it reports.
pub struct Archive {
    pub store: Store,
    reports: Receiver<Report>,
    token: u64,
}

impl Archive {
    pub fn start(folder: &Folder, sinks: &[&str]) -> Archive {
        Archive::run(open(folder, sinks))
    }

    /// With the embedded office, and one more that is owed everything.
    pub fn with_office(folder: &Folder) -> Archive {
        let mut opening = open(folder, &["elsewhere", "office"]);
        opening.embed(1).unwrap();
        Archive::run(opening)
    }

    fn run(opening: Opening) -> Archive {
        let (tell, reports) = channel();
        let store = opening.start(move |report| drop(tell.send(report))).unwrap();
        Archive { store, reports, token: 0 }
    }

    /// Gives the next batch; its token.
    pub fn submit(&mut self, jobs: Vec<StoreJob>) -> u64 {
        self.token += 1;
        self.store.submit(self.token, jobs);
        self.token
    }

    /// The same; whether all of it was taken.
    pub fn is_taken(&mut self, jobs: Vec<StoreJob>) -> bool {
        self.token += 1;
        self.store.submit(self.token, jobs)
    }

    /// All reports up to the one that says `token` is on disk.
    pub fn until_committed(&self, token: u64) -> Vec<Report> {
        self.until(|report| matches!(report, Report::Committed { token: Some(done), .. } if *done >= token))
    }

    /// All reports up to the first for which `done` holds.
    pub fn until(&self, done: impl Fn(&Report) -> bool) -> Vec<Report> {
        let deadline = SystemInstant::now() + PATIENCE;
        let mut reports = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(SystemInstant::now());
            let Ok(report) = self.reports.recv_timeout(left) else {
                panic!("not within {PATIENCE:?}; reported: {reports:?}");
            };
            let ends = done(&report);
            reports.push(report);
            if ends {
                return reports;
            }
        }
    }

    pub fn write(&mut self, jobs: Vec<StoreJob>) {
        let token = self.submit(jobs);
        self.until_committed(token);
    }
}

pub fn call(n: u64) -> CallId {
    CallId::draw(1_630_458_000_000 + n, &mut Dice::seeded(n))
}

pub fn at(n: u64) -> Timestamp {
    Timestamp::from_second(1_630_458_000 + i64::try_from(n).unwrap()).unwrap()
}

pub fn fact(call: CallId, sequence: u32, what: What) -> Fact {
    let second = u64::from(sequence);
    Fact { call, sequence, at: at(second), mono: Instant::from_millis(1_000 * second), what }
}

pub fn opened(call: CallId, ticket: u64) -> Fact {
    let what = What::Opened {
        line: "12345".into(),
        dialled: "12345".into(),
        caller: "13800000042".into(),
        trunk: "carrier".into(),
        ticket: format!("210901{ticket:05}"),
        plan: "00".into(),
        shifted_clock: true,
        wire_ref: format!("w{ticket}"),
        room: None,
    };
    fact(call, 1, what)
}

pub fn answered(call: CallId, sequence: u32) -> Fact {
    fact(call, sequence, What::Answered { durable: true })
}

pub fn closed(call: CallId, sequence: u32) -> Fact {
    let what = What::Closed {
        cause: Cause::CallerHungUp,
        lasted_ms: 2_000,
        answered_ms: Some(1_000),
        sound: None,
        reason: None,
    };
    fact(call, sequence, what)
}

/// The event of a fact made here.
pub fn event(fact: &Fact) -> StoredEvent {
    let body = match &fact.what {
        What::Opened { ticket, line, dialled, caller, trunk, plan, shifted_clock, wire_ref, room } => {
            EventBody::Opened {
                ticket: ticket.clone(),
                line: line.clone(),
                line_name: "政务服务便民热线".into(),
                dialled: dialled.clone(),
                caller: caller.clone(),
                trunk: trunk.clone(),
                plan: plan.clone(),
                shifted_clock: *shifted_clock,
                wire_ref: wire_ref.clone(),
                kind: room.as_ref().map(|_| CallKind::Meeting),
            }
        }
        What::Answered { durable } => EventBody::Answered { durable: *durable },
        What::Closed { cause, lasted_ms, answered_ms, .. } => EventBody::Closed {
            cause: if *cause == Cause::Crash { ClosedBy::Crash } else { ClosedBy::CallerHungUp },
            status: None,
            lasted_ms: *lasted_ms,
            answered_ms: *answered_ms,
        },
        What::DigitPressed { digit } => EventBody::DigitPressed { digit: *digit },
        What::Recorded { file, duration_ms, lost_frames } => EventBody::RecordingStored {
            file: file.clone(),
            duration_ms: *duration_ms,
            lost_frames: *lost_frames,
        },
        What::SeatAnswered { seat, waited_ms, leg } => {
            EventBody::SeatAnswered { seat: seat.clone(), waited_ms: *waited_ms, leg: *leg }
        }
        What::Ordered { category, values, code, .. } => EventBody::Ordered {
            ticket: "21090100001".into(),
            category: category.clone(),
            values: values.clone(),
            message: None,
            code: code.clone(),
        },
        What::TicketLeft { reason } => {
            EventBody::TicketLeft { ticket: String::new(), reason: reason.clone() }
        }
        other => panic!("no test makes {other:?}"),
    };
    stored(fact.call, fact.sequence, fact.at, &body, &source("test"))
}

pub fn job(fact: Fact) -> StoreJob {
    let events = vec![event(&fact)];
    placed(fact, events)
}

/// A fact that nobody is told of.
pub fn quiet(fact: Fact) -> StoreJob {
    placed(fact, Vec::new())
}

fn placed(fact: Fact, events: Vec<StoredEvent>) -> StoreJob {
    static HOUSE: AtomicU64 = AtomicU64::new(0);
    StoreJob::Fact { house: HOUSE.fetch_add(1, Ordering::Relaxed) + 1, fact, events }
}
