//! The running house: sockets, threads and storage around one switchboard.
//!
//! [`House::open`] does everything up to listening; [`House::run`] is the control loop. One owner,
//! no locks: whatever happens outside comes in as a value, and no part of the loop waits for disk,
//! HTTP or a subscriber.

mod bots;
mod control;
mod day;
mod feeds;
mod gauges;
mod key_list;
mod keys;
mod looking;
mod notices;
mod premises;
pub mod reload;
mod sounds;
mod start;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tracing_appender::non_blocking::ErrorCounter;

use super::bot::Bots;
use super::clock::Clock;
use super::http::feed::Feed;
use super::http::tokens::Tokens;
use super::kb::Kb;
use super::media::{MediaHandle, ShellChoice};
use super::recorder::{Archive, Keeper, SealKeys};
use super::resolver::Resolver;
use super::secrets::Keyring;
use super::sip_socket::SipSockets;
use super::store::{Desk, Store};
use super::ticket_sink::TicketSink;
use super::trace::Tracer;
use crate::call::recording::RecordingState;
use crate::id::CallId;
use crate::media::SoundBank;
use crate::routing::{Overrides, Plan};
use crate::sip::Transport;
use crate::switchboard::notices::HotNotice;
use crate::switchboard::request::{Asker, Refusal, Reply, Request};
use crate::switchboard::{Input, Switchboard};
use crate::telemetry::Metrics;
use crate::telemetry::kpi::rolling::Ended;
use crate::time::{Instant, Now};

/// What the house is started with.
pub struct Setup {
    /// `routing.toml`.
    pub config: PathBuf,
    /// What the command line says in its place.
    pub overrides: Overrides,
    /// Database, recordings, secrets.
    pub data: PathBuf,
    /// The clocks.
    pub clock: Clock,
    /// How media packets are moved.
    pub shell: ShellChoice,
    /// Counts the log lines that found no place with the log writer, if there is one.
    pub log: Option<ErrorCounter>,
}

/// What a person needs to know to use it.
#[derive(Clone, Debug)]
pub struct Ready {
    /// SIP addresses and what is spoken there, as others reach them; UDP first.
    pub sip: Vec<(Transport, SocketAddr)>,
    /// HTTP, if it listens.
    pub http: Option<SocketAddr>,
    /// Secrets that were made just now.
    pub created: Vec<PathBuf>,
    /// `io_uring` or `epoll`.
    pub shell: &'static str,
}

/// Why there is no house.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The plan has errors; the report says which.
    #[error("{0}")]
    Plan(String),
    /// Something outside is not as it must be.
    #[error("{what}: {why}")]
    Outside {
        /// Which part.
        what: &'static str,
        /// What it said.
        why: String,
    },
}

/// What others ask of the control loop.
pub enum Ask {
    /// A value for the switchboard.
    Input(Input),
    /// Pause a call's recording, or have it go on; how it stood before and stands now.
    PauseRecording { call: CallId, pause: bool, by: String, reply: oneshot::Sender<[RecordingState; 2]> },
    /// Somebody looks at something of the house.
    Look(Look),
    /// Somebody wants something of the house.
    Request { asker: Asker, request: Request, reply: oneshot::Sender<Result<Reply, Refusal>> },
    /// Callers are told this for a while; it is on disk. `sound` is its one sound; back when calls hear it.
    Notice { notice: Box<HotNotice>, sound: SoundBank, reply: oneshot::Sender<()> },
    /// A hot notice ends now; it is on disk. Back when calls hear it no more.
    NoticeEnded { id: u64, reply: oneshot::Sender<()> },
    /// A plan is to be in force.
    Reload(reload::Wanted),
    /// What the worker made of it.
    Prepared(Box<reload::Prepared>),
    /// Which plan is in force.
    InForce(oneshot::Sender<reload::InForce>),
    /// The city has a new date.
    NewDay,
    /// Calls of the last 24 hours before this life of the house.
    Day(Vec<Ended>),
    /// End: with the plan's grace, and at once when asked again.
    Stop,
    /// The store's word on a batch.
    Store(super::store::Report),
    /// A trunk's names lead elsewhere.
    Located(super::resolver::News),
}

/// Reads what it wants and sends it to who asked. Short: the loop waits for it.
pub type Look = Box<dyn FnOnce(&Switchboard, Now) + Send>;

/// A way into the control loop. Everything sent is an answer to something that the loop asked for,
/// or one of a few requests of people, so the channel needs no bound of its own.
pub type Door = mpsc::UnboundedSender<Ask>;

/// See the module's own words.
pub struct House {
    pub(super) setup: Setup,
    pub(super) plan: Arc<Plan>,
    /// The plan that it began with: what is laid out for it stays.
    started: Arc<Plan>,
    in_force: reload::InForce,
    reloads: reload::Reloads,
    /// What the watch on files looks at.
    watched: watch::Sender<reload::watch::Watched>,
    pub(super) board: Switchboard,
    pub(super) sockets: SipSockets,
    pub(super) media: MediaHandle,
    pub(super) archive: Archive,
    /// Keys that recordings are read with, for HTTP.
    pub(super) seal_keys: watch::Sender<Arc<SealKeys>>,
    /// None by a clock that was set by hand.
    pub(super) keeper: Option<Keeper>,
    pub(super) store: Option<Store>,
    pub(super) desk: Desk,
    /// Of the feeds.
    pub(super) feed_desk: Desk,
    pub(super) sinks: Vec<Option<Arc<dyn TicketSink>>>,
    pub(super) look_ups: looking::LookUps,
    /// What clerks ask, of the plan in force.
    kb: watch::Sender<Option<Arc<Kb>>>,
    pub(super) bots: Bots,
    pub(super) resolver: Resolver,
    pub(super) worker: tokio::runtime::Handle,
    pub(super) metrics: Metrics,
    pub(super) tracer: Tracer,
    /// To who listens by HTTP.
    feed: Feed,
    tokens: watch::Sender<Tokens>,
    /// Secrets of the plan in force.
    ring: Keyring,
    gauges: gauges::Gauges,
    /// By ticket office, when the log may be told again that it takes nothing.
    complained: BTreeMap<usize, Instant>,
    sounds: sounds::Sounds,
    pub(super) door: Door,
    pub(super) asks: mpsc::UnboundedReceiver<Ask>,
    pub(super) media_woke: Arc<Notify>,
    pub(super) serving: Arc<AtomicBool>,
    pub(super) stopping: bool,
    pub(super) drained: bool,
    /// It was asked to end at once: then it waits for nobody any more.
    abandoned_at: Option<Instant>,
    /// The store's last word was that it fails.
    store_fails: bool,
    ready: Ready,
    /// Given back last.
    _premises: premises::Premises,
}

impl House {
    /// Addresses and the like.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// A way in, for signals, HTTP and tests.
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// The plan that it began with.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }
}
