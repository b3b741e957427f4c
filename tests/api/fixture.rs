//! The API before a house without telephones: a switchboard that is looked at, a real store, and answers to
//! requests as the test has them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant as SystemInstant;

use hotline::id::{CallId, Dice};
use hotline::io::clock::Clock;
use hotline::io::house::reload::{InForce, NotReloaded, Outcome, Reloaded, Which};
use hotline::io::house::{Ask, Door};
use hotline::io::http::feed::Feed;
use hotline::io::http::tokens::Tokens;
use hotline::io::http::{self, Bounds};
use hotline::io::kb::Kb;
use hotline::io::recorder::{Key, SealKeys};
use hotline::io::store::{Desk, FILE, Opening, Report, Store};
use hotline::io::trace::Tracer;
use hotline::ledger::Trigger;
use hotline::media::order::SoundId;
use hotline::routing::difference::Difference;
use hotline::routing::people::{ApiToken, Role};
use hotline::routing::plan::SecretRef;
use hotline::routing::{Overrides, Plan};
use hotline::switchboard::fact::{Cause, Fact, What};
use hotline::switchboard::request::{Asker, Refusal, Reply, Request};
use hotline::switchboard::{self, Happened, Input, StoreJob, Switchboard};
use hotline::telemetry::Metrics;
use hotline::time::{Instant, Timestamp};
use tokio::sync::{mpsc, watch};

use crate::client::PATIENCE;

/// The house's own token.
pub const OWNER: &str = "token-of-the-house";

/// All roles, by the names that the API gives them.
pub const ROLES: [(&str, Role); 7] = [
    ("admin", Role::Admin),
    ("supervisor", Role::Supervisor),
    ("leader", Role::Leader),
    ("clerk", Role::Clerk),
    ("expert", Role::Expert),
    ("observer", Role::Observer),
    ("trainee", Role::Trainee),
];

/// The token of a role; its holder's name ends in `-desk`, and all but the administrator sit at 1001.
pub fn token(role: &str) -> String {
    format!("token-of-{role}")
}

pub fn tokens() -> Tokens {
    let mut tokens = Tokens::new(OWNER);
    for (name, role) in ROLES {
        let seat = (role != Role::Admin).then(|| "1001".into());
        let entry = ApiToken { name: format!("{name}-desk"), role, seat, secret: SecretRef::Env("X".into()) };
        tokens.add(&entry, &token(name));
    }
    tokens
}

/// What recordings are read with.
pub fn seal_keys() -> Arc<SealKeys> {
    Arc::new(SealKeys::new(Some(Key::new([1; 32])), Vec::new()))
}

/// How requests are answered; `None`: never.
type Says = Option<Result<Reply, Refusal>>;

/// The store and the way from it to listeners.
struct Books {
    store: Store,
    token: u64,
    house: u64,
}

pub struct Served {
    pub at: SocketAddr,
    pub data: PathBuf,
    pub tokens: watch::Sender<Tokens>,
    pub kb: watch::Sender<Option<Arc<Kb>>>,
    door: Door,
    says: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<(Asker, Request)>>>,
    books: Mutex<Books>,
    feed: Arc<Mutex<Feed>>,
    /// Up to which token all is on disk.
    stored: Arc<(Mutex<u64>, Condvar)>,
    worker: Option<tokio::runtime::Runtime>,
    keep: bool,
    _tracer: Tracer,
}

/// The shipped plan.
pub fn plan() -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    hotline::io::plan_files::load(&path, &Overrides::default()).plan.expect("the shipped plan")
}

fn board(plan: Arc<Plan>, now: hotline::time::Now) -> Switchboard {
    let setup = switchboard::Setup {
        plan,
        accounts: Vec::new(),
        trunk_passwords: Default::default(),
        sounds: Vec::new(),
        listeners: Vec::new(),
        dice: Dice::seeded(1),
        node: "node-1".into(),
        shifted_clock: false,
        last_ticket: None,
        last_house: 0,
    };
    Switchboard::new(setup, now)
}

impl Served {
    pub fn open(name: &str) -> Served {
        Served::open_with(name, Bounds::default())
    }

    pub fn open_with(name: &str, bounds: Bounds) -> Served {
        let data = std::env::temp_dir().join(format!("hotline-api-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).unwrap();
        Served::over(data, bounds)
    }

    /// The process is gone and another one has its data.
    pub fn restart(mut self, bounds: Bounds) -> Served {
        self.keep = true;
        let data = self.data.clone();
        drop(self);
        Served::over(data, bounds)
    }

    fn over(data: PathBuf, bounds: Bounds) -> Served {
        let clock = Clock::system();
        let opening = Opening::open(&data, &[]).unwrap();
        let house = opening.last_house().unwrap();
        let feed = Arc::new(Mutex::new(Feed::default()));
        let stored = Arc::<(Mutex<u64>, Condvar)>::default();
        let (theirs, seen) = (feed.clone(), stored.clone());
        let store = opening
            .start(move |report| {
                if let Report::Committed { token: Some(token), .. } = report {
                    theirs.lock().unwrap().committed(token);
                    *seen.0.lock().unwrap() = token;
                    seen.1.notify_all();
                }
            })
            .unwrap();
        let (says, asked) = (Arc::new(Mutex::new(Some(Ok(Reply::Done)))), Arc::<Mutex<Vec<_>>>::default());
        let plan = Arc::new(plan());
        let door = doorkeeper(plan.clone(), clock, says.clone(), asked.clone());
        let (tokens, known) = watch::channel(tokens());
        let (kb, known_kb) = watch::channel(None);
        let tracer = Tracer::start(data.clone(), plan.trace, &[], clock).unwrap();
        let state = http::State {
            door: door.clone(),
            figures: Metrics::new().figures().clone(),
            serving: Arc::new(AtomicBool::new(true)),
            tokens: known,
            kb: known_kb,
            ring: feed.lock().unwrap().ring(),
            data: data.clone(),
            seal_keys: watch::channel(seal_keys()).1,
            desk: Desk::start(data.join(FILE)).unwrap(),
            errands: store.errands(),
            flush: tracer.flush(),
            bounds,
        };
        let worker =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let at =
            http::serve(http::bind("127.0.0.1:0".parse().unwrap()).unwrap(), state, worker.handle()).unwrap();
        let books = Mutex::new(Books { store, token: 0, house });
        let worker = Some(worker);
        Served {
            at,
            data,
            tokens,
            kb,
            door,
            says,
            asked,
            books,
            feed,
            stored,
            worker,
            keep: false,
            _tracer: tracer,
        }
    }

    /// A way to the store's writer.
    pub fn errands(&self) -> hotline::io::store::Errands {
        self.books.lock().unwrap().store.errands()
    }

    /// From now on requests are answered so; `None`: not at all.
    pub fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// The switchboard is told something.
    pub fn tell(&self, input: Input) {
        self.door.send(Ask::Input(input)).unwrap();
    }

    /// What was asked since the last look.
    pub fn asked(&self) -> Vec<(Asker, Request)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// Gives facts to the store as one batch; its token.
    pub fn submit(&self, facts: Vec<Fact>) -> u64 {
        self.submit_all(facts.into_iter().map(Happened::OnCall).collect())
    }

    /// The same with facts of seats among them.
    pub fn submit_all(&self, facts: Vec<Happened>) -> u64 {
        let books = &mut *self.books.lock().unwrap();
        let mut job = |fact| {
            books.house += 1;
            let house = books.house;
            match fact {
                Happened::OnCall(fact) => StoreJob::Fact { house, fact, events: Vec::new() },
                Happened::AtSeat(fact) => StoreJob::Seat { house, fact },
            }
        };
        let jobs: Vec<StoreJob> = facts.into_iter().map(&mut job).collect();
        books.token += 1;
        // As in the control loop: no word of a commit comes in between.
        let mut feed = self.feed.lock().unwrap();
        let picked = feed.pick(&jobs);
        let whole = books.store.submit(books.token, jobs);
        feed.submitted(books.token, picked, whole);
        books.token
    }

    /// The same, back when they are on disk.
    pub fn write(&self, facts: Vec<Fact>) {
        let token = self.submit(facts);
        let stored = self.stored.0.lock().unwrap();
        let late = |stored: &mut u64| *stored < token;
        let (stored, _) = self.stored.1.wait_timeout_while(stored, PATIENCE, late).unwrap();
        assert!(*stored >= token, "the facts are not on disk within {PATIENCE:?}");
    }

    /// The value of a series of its figures.
    pub fn figure(&self, series: &str) -> f64 {
        let figures = crate::client::get(self.at, "/metrics", "").body;
        let found = figures.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("no {series} in {figures}")).parse().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.shutdown_background();
        }
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.data);
        }
    }
}

/// The plan that this house says is in force.
fn in_force() -> InForce {
    InForce {
        number: 1,
        digest: "00".repeat(32),
        since: Timestamp::UNIX_EPOCH,
        trigger: Trigger::Start,
        by: "operator".into(),
        reason: String::new(),
        rolled_back_to: None,
        file: "routing.toml".into(),
        file_digest: None,
        watch: true,
    }
}

/// A thread that answers what is asked of the control loop, until nobody can ask any more.
fn doorkeeper(
    plan: Arc<Plan>,
    clock: Clock,
    says: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<(Asker, Request)>>>,
) -> Door {
    let (door, mut asks) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut board = board(plan, clock.now());
        let mut unanswered = Vec::new();
        while let Some(ask) = asks.blocking_recv() {
            match ask {
                Ask::Input(input) => board.handle_input(input, clock.now()),
                Ask::Look(look) => look(&board, clock.now()),
                Ask::Request { asker, request, reply } => {
                    asked.lock().unwrap().push((asker, request));
                    match says.lock().unwrap().clone() {
                        Some(answer) => drop(reply.send(answer)),
                        None => unanswered.push(reply),
                    }
                }
                Ask::Notice { notice, reply, .. } => {
                    board.handle_input(Input::NoticeAdded { notice, sound: SoundId(0) }, clock.now());
                    let _ = reply.send(());
                }
                Ask::NoticeEnded { id, reply } => {
                    board.handle_input(Input::NoticeEnded { id }, clock.now());
                    let _ = reply.send(());
                }
                Ask::InForce(reply) => drop(reply.send(in_force())),
                Ask::Reload(wanted) => {
                    let outcome = Outcome::Unchanged;
                    let (plan, difference) = (in_force(), Difference::default());
                    let diagnostics = serde_json::json!([]);
                    let files = Reloaded { outcome, plan, difference, diagnostics, tests: 0 };
                    let answer = match wanted.which {
                        Which::Files => Ok(files),
                        Which::Number(_) => Err(NotReloaded::NoSuchPlan),
                    };
                    if let Some(reply) = wanted.reply {
                        drop(reply.send(answer));
                    }
                }
                Ask::PauseRecording { call, reply, .. } => {
                    let _ = reply.send([board.recording(call), board.recording(call)]);
                }
                _ => {}
            }
        }
    });
    door
}

/// Looks again until it is so. Each look takes its time: it is a request, or a read of the store.
pub fn until(what: &str, done: impl Fn() -> bool) {
    let end = SystemInstant::now() + PATIENCE;
    while !done() {
        assert!(SystemInstant::now() < end, "{what}: not within {PATIENCE:?}");
    }
}

pub fn call(n: u64) -> CallId {
    CallId::draw(1_630_458_000_000 + n, &mut Dice::seeded(n))
}

pub fn fact(call: CallId, sequence: u32, what: What) -> Fact {
    let at = Timestamp::from_second(1_630_458_000 + i64::from(sequence)).unwrap();
    Fact { call, sequence, at, mono: Instant::from_millis(1_000 * u64::from(sequence)), what }
}

/// The number that calls here come from.
pub const CALLER: &str = "13800000042";

pub fn opened() -> What {
    What::Opened {
        line: "12345".into(),
        dialled: "12345".into(),
        caller: CALLER.into(),
        trunk: "carrier".into(),
        ticket: "21090100001".into(),
        plan: "00".into(),
        shifted_clock: false,
        wire_ref: "w".into(),
        room: None,
    }
}

pub fn closed(cause: Cause) -> What {
    What::Closed { cause, lasted_ms: 41_000, answered_ms: Some(40_000), sound: None, reason: None }
}

/// A whole call of these, its opening first and its end last.
pub fn story(call: CallId, between: Vec<What>, cause: Cause) -> Vec<Fact> {
    let whats = std::iter::once(opened()).chain(between).chain([closed(cause)]);
    whats.zip(1..).map(|(what, sequence)| fact(call, sequence, what)).collect()
}
