//! HTTP for people's programs: what the house is doing, what is wanted of it, its facts as they happen, and
//! recordings and traces, whose every look is in the ledger.
//!
//! `rights` says whom each route is for, `guard` holds everybody to it, `document` describes all routes for
//! programs (OpenAPI). A handler brings one request to the control loop, or to the store, and the answer back.

mod body;
mod brake;
mod calls;
mod cases;
mod document;
mod facts;
pub mod feed;
mod guard;
mod holds;
mod kb;
mod ledger;
mod letters;
mod listen;
mod masking;
mod missed;
mod notices;
mod pace;
mod plans;
mod problem;
mod queues;
mod recordings;
pub mod rights;
mod seats;
mod sound;
mod stream;
mod tickets;
pub mod tokens;
mod traces;
mod watching;
mod wishes;
mod works;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::routing::{delete, get, post};
use axum::{Json, Router, middleware};
use serde::Serialize;
use tokio::sync::{Semaphore, oneshot, watch};
use utoipa::ToSchema;

use super::house::{Ask, Door};
use super::kb::Kb;
use super::recorder::SealKeys;
use super::store::{Desk, Errands};
use crate::id::CallId;
use crate::switchboard::Switchboard;
use crate::switchboard::request::{Asker, Reply, Request};
use crate::telemetry::Figures;
use crate::time::Now;
use brake::Brake;
use feed::Ring;
use pace::Pace;
use problem::Problem;
use tokens::{Bearer, Tokens};

pub use body::BODY_MAX;
pub use document::openapi;

/// Where the house's own bearer token is kept.
pub const TOKEN_FILE: &str = "secrets/api-token";
/// The control loop answers within this, or the asker is told that it does not.
const ASK_WAIT: Duration = Duration::from_secs(2);
/// The same for what comes of a reload, or has to wait for one.
const RELOAD_WAIT: Duration = Duration::from_secs(25);

/// How much is taken on, and how long is waited.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once; further ones wait in the kernel.
    pub connections_max: usize,
    /// Of them, those of one source; a further one is closed.
    pub connections_of_one_max: usize,
    /// Clients that listen to facts at once; a further one gets 503.
    pub listeners_max: usize,
    /// For a request's head, and for the next request on a connection.
    pub header_wait: Duration,
    /// For a request's body and its answer's beginning.
    pub request_wait: Duration,
    /// A client that takes nothing of what it is sent for so long is let go.
    pub stall: Duration,
    /// Between two signs of life on a stream with nothing to tell.
    pub heartbeat: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            connections_max: 512,
            connections_of_one_max: 128,
            listeners_max: 64,
            header_wait: Duration::from_secs(30),
            request_wait: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// What the handlers are given of the house.
pub struct State {
    /// To the control loop.
    pub door: Door,
    /// Figures for `/metrics`.
    pub figures: Arc<Figures>,
    /// Calls are taken, and what becomes of them can be written.
    pub serving: Arc<AtomicBool>,
    /// Bearer tokens as of the plan in force.
    pub tokens: watch::Receiver<Tokens>,
    /// The knowledge base of the plan in force.
    pub kb: watch::Receiver<Option<Arc<Kb>>>,
    /// Facts as they come to be on disk.
    pub ring: Ring,
    /// The data directory.
    pub data: PathBuf,
    /// Keys that recordings are read with.
    pub seal_keys: watch::Receiver<Arc<SealKeys>>,
    /// Look-ups.
    pub desk: Desk,
    /// Ledger entries.
    pub errands: Errands,
    /// Before a trace is read.
    pub flush: super::trace::Flush,
    /// How much is taken on.
    pub bounds: Bounds,
}

/// What they share.
struct App {
    state: State,
    brake: Brake,
    pace: Pace,
    listeners: Arc<Semaphore>,
}

type Extracted = Shared<Arc<App>>;
/// Who asks: the guard has put it there.
type Me = axum::Extension<Bearer>;

/// What came of a request.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "done": true }))]
struct Done {
    /// It is so, or on its way: the facts tell.
    done: bool,
    /// The call that was begun for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    /// What is to be done at once about the matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    immediate: Option<cases::AtOnceView>,
}

/// Listens at `at`; whoever connects waits in the kernel until [`serve`].
pub fn bind(at: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(at)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Answers on the worker; gives the address that it listens at.
pub fn serve(
    listener: TcpListener,
    state: State,
    worker: &tokio::runtime::Handle,
) -> std::io::Result<SocketAddr> {
    let bound = listener.local_addr()?;
    let (bounds, figures) = (state.bounds, state.figures.clone());
    let listeners = Arc::new(Semaphore::new(bounds.listeners_max));
    let routes = routes(Arc::new(App { state, brake: Brake::default(), pace: Pace::default(), listeners }));
    worker.spawn(async move {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listen::serve(listener, routes, bounds, figures).await,
            Err(error) => tracing::error!(%error, "HTTP does not listen"),
        }
    });
    Ok(bound)
}

fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(works::healthz))
        .route("/readyz", get(works::readyz))
        .route("/metrics", get(works::metrics))
        .route("/v1/openapi.json", get(document::show))
        .route("/v1/snapshot", get(works::snapshot))
        .route("/v1/seats", get(seats::list))
        .route("/v1/seats/{seat}", get(seats::one))
        .route("/v1/seats/{seat}/state", post(seats::change))
        .route("/v1/seats/{seat}/dial", post(seats::dial))
        .route("/v1/queues", get(queues::list))
        .route("/v1/queues/{queue}/surge", post(queues::surge))
        .route("/v1/calls", get(calls::list))
        .route("/v1/calls/{call}", get(calls::one))
        .route("/v1/calls/{call}/consult", post(wishes::consult))
        .route("/v1/calls/{call}/merge", post(wishes::merge))
        .route("/v1/calls/{call}/leave", post(wishes::leave))
        .route("/v1/calls/{call}/return", post(wishes::come_back))
        .route("/v1/calls/{call}/hold", post(wishes::hold))
        .route("/v1/calls/{call}/resume", post(wishes::resume))
        .route("/v1/calls/{call}/requeue", post(wishes::requeue))
        .route("/v1/calls/{call}/take-over", post(wishes::take_over))
        .route("/v1/calls/{call}/end", post(wishes::end))
        .route("/v1/calls/{call}/watch", post(watching::watch))
        .route("/v1/calls/{call}/disposition", post(cases::dispose))
        .route("/v1/calls/{call}/flag", post(cases::flag))
        .route("/v1/calls/{call}/kb", post(kb::used))
        .route("/v1/kb", get(kb::find))
        .route("/v1/kb/{id}", get(kb::one))
        .route("/v1/kb/{id}/errors", post(kb::report))
        .route("/v1/missed", get(missed::list))
        .route("/v1/missed/{call}/call-back", post(missed::call_back))
        .route(
            "/v1/notices",
            get(notices::list).post(notices::add).layer(DefaultBodyLimit::max(notices::BODY_MAX)),
        )
        .route("/v1/notices/{notice}", delete(notices::end))
        .route("/v1/tickets/{ticket}/state", post(tickets::set_state))
        .route("/v1/tickets/dead", get(letters::list))
        .route("/v1/tickets/dead/{call}/{sequence}/resend", post(letters::resend))
        .route("/v1/facts", get(facts::facts))
        .route("/v1/recordings/{call}", get(recordings::play))
        .route("/v1/recordings/{call}/manifest", get(recordings::manifest))
        .route("/v1/recordings/{call}/pause", post(recordings::pause))
        .route("/v1/recordings/{call}/resume", post(recordings::resume))
        .route("/v1/recordings/{call}/hold", post(holds::hold))
        .route("/v1/recordings/{call}/release", post(holds::release))
        .route("/v1/traces/{call}", get(traces::trace))
        .route("/v1/ledger", get(ledger::list))
        .route("/v1/plan", get(plans::show))
        .route("/v1/plan/history", get(plans::history))
        .route("/v1/plan/reload", post(plans::reload))
        .route("/v1/plan/rollback", post(plans::rollback))
        .route_layer(middleware::from_fn_with_state(app.clone(), guard::check))
        .fallback(async || Problem::from(problem::NO_SUCH_ROUTE))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(app)
}

impl App {
    /// Brings a request to the control loop and its answer back.
    async fn ask(&self, asker: &Asker, request: Request) -> Result<Json<Done>, Problem> {
        let (reply, answer) = oneshot::channel();
        let answer = self.sent(Ask::Request { asker: asker.clone(), request, reply }, answer).await?;
        match answer? {
            Reply::Done => Ok(Json(Done { done: true, call: None, immediate: None })),
            Reply::Begun(call) => {
                Ok(Json(Done { done: true, call: Some(call.to_string()), immediate: None }))
            }
            Reply::AtOnce(own) => Ok(Json(Done { done: true, call: None, immediate: Some(own.into()) })),
        }
    }

    /// Has the control loop read something off the switchboard.
    async fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Switchboard, Now) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        let look = move |board: &Switchboard, now: Now| {
            // Whoever asked may be gone.
            let _ = reply.send(read(board, now));
        };
        self.sent(Ask::Look(Box::new(look)), answer).await
    }

    async fn sent<T>(&self, ask: Ask, answer: oneshot::Receiver<T>) -> Result<T, Problem> {
        self.sent_for(ask, answer, ASK_WAIT).await
    }

    async fn sent_for<T>(
        &self,
        ask: Ask,
        answer: oneshot::Receiver<T>,
        wait: Duration,
    ) -> Result<T, Problem> {
        let sent = self.state.door.send(ask).is_ok();
        match tokio::time::timeout(wait, answer).await {
            Ok(Ok(answer)) if sent => Ok(answer),
            _ => Err(problem::NO_ANSWER.into()),
        }
    }
}

/// A call as a path names it.
fn call_of(text: &str) -> Result<CallId, Problem> {
    CallId::parse(text).ok_or_else(|| problem::NO_SUCH_CALL.into())
}
