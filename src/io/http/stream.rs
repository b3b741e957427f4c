//! Facts as they happen: server-sent events (WHATWG HTML §9.2), from the store until it is caught up with, then
//! from the ring, and from the store again whenever the ring is lost.
//!
//! A listener is pulled along by what its client takes: it holds one chunk, and the ring holds the rest for all. One
//! that takes nothing is let go by `listen`.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::App;
use super::facts::{Filter, READ_MAX};
use super::feed::News;
use super::problem::{self, Problem};
use super::tokens::Bearer;
use crate::switchboard::Placed;

/// Bytes of facts that are told together at most, but for the last of them.
const CHUNK: usize = 32 * 1024;

/// Facts of the ring that are looked at together.
const HEARD_MAX: usize = 128;

/// One client's place in the stream.
struct Listener {
    app: Arc<App>,
    bearer: Bearer,
    filter: Filter,
    ring: broadcast::Receiver<News>,
    /// The last fact that was looked at.
    last: u64,
    /// The last place that the client was told.
    told: u64,
    /// The store may hold what the ring will not tell.
    behind: bool,
    heartbeat: Interval,
    _place: OwnedSemaphorePermit,
}

/// Opens a stream after a place; `None`: of what happens from now on.
pub(super) async fn open(
    app: Arc<App>,
    bearer: Bearer,
    after: Option<u64>,
    filter: Filter,
) -> Result<Response, Problem> {
    let Ok(place) = app.listeners.clone().try_acquire_owned() else {
        app.state.figures.listener_refused();
        return Err(Problem::from(problem::LISTENERS_FULL).after(app.state.bounds.heartbeat.as_secs()));
    };
    // First the ring, then the store: what is on disk by now is read there, what comes later is told here.
    let ring = app.state.ring.subscribe();
    let newest = app.state.desk.answer(|reader| reader.last_house()).await?;
    if after.is_some_and(|after| after > newest) {
        return Err(Problem::bad_value("after", "大于最后一条事实的序号", "is beyond the last fact"));
    }
    let mut heartbeat = interval_at(Instant::now() + app.state.bounds.heartbeat, app.state.bounds.heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    app.state.figures.listener_came();
    let last = after.unwrap_or(newest);
    let behind = last < newest;
    let listener = Listener { app, bearer, filter, ring, last, told: last, behind, heartbeat, _place: place };
    let first = Bytes::from_static(b": facts\n\n");
    let chunks = stream::unfold((listener, Some(first)), async |(mut listener, first)| {
        let chunk = match first {
            Some(first) => first,
            None => listener.next().await?,
        };
        Some((Ok::<Bytes, Infallible>(chunk), (listener, None)))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

impl Listener {
    /// What is to be told next; `None`: the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let mut chunk = String::new();
            if self.behind {
                self.read(&mut chunk).await?;
            } else {
                tokio::select! {
                    biased;
                    news = self.ring.recv() => self.hear(news, &mut chunk).await?,
                    _ = self.heartbeat.tick() => chunk = self.sign_of_life(),
                }
            }
            if !chunk.is_empty() {
                // Whoever has lost the right to listen is told no more.
                let stands = self.app.state.tokens.borrow().stands(&self.bearer);
                return stands.then(|| chunk.into());
            }
        }
    }

    /// A page of the store.
    async fn read(&mut self, chunk: &mut String) -> Option<()> {
        let last = self.last;
        let read = self.app.state.desk.answer(move |reader| reader.placed_after(last, READ_MAX)).await;
        // The client comes back, with the last place that it was told.
        let read = read.inspect_err(|error| tracing::warn!(%error, "a stream of facts breaks off")).ok()?;
        self.behind = read.len() == READ_MAX;
        if !self.tell(read.iter(), chunk).await? {
            self.behind = true;
        }
        Some(())
    }

    /// What the ring says, and what else it holds by now.
    async fn hear(&mut self, news: Result<News, RecvError>, chunk: &mut String) -> Option<()> {
        let mut news = match news {
            Ok(news) => Some(news),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => return None,
        };
        let mut heard: Vec<Arc<Placed>> = Vec::new();
        loop {
            match news {
                // What was read in the store meanwhile is not told twice.
                Some(News::Fact(placed)) if placed.house <= self.last => {}
                Some(News::Fact(placed)) => heard.push(placed),
                Some(News::InStore) | None => {
                    self.behind = true;
                    break;
                }
            }
            if heard.len() == HEARD_MAX {
                break; // Before another is taken off the ring.
            }
            news = match self.ring.try_recv() {
                Ok(news) => Some(news),
                Err(TryRecvError::Lagged(_)) => None,
                // The end is met by the next wait.
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            };
        }
        if !self.tell(heard.iter().map(Arc::as_ref), chunk).await? {
            self.behind = true; // The rest is read again, in the store.
        }
        Some(())
    }

    /// Tells of them as far as a chunk holds; `false`: not of all.
    async fn tell(
        &mut self,
        placed: impl Iterator<Item = &Placed> + Clone,
        chunk: &mut String,
    ) -> Option<bool> {
        let known = self.filter.known(&self.app, placed.clone()).await;
        let known = known.inspect_err(|_| tracing::warn!("a stream of facts breaks off")).ok()?;
        for placed in placed {
            if chunk.len() >= CHUNK {
                return Some(false);
            }
            let house = placed.house;
            self.last = house;
            let Some(view) = self.filter.view(placed, &known) else { continue };
            self.told = house;
            // A fact is strings, numbers and lists of them: it always serialises, on one line.
            let json = serde_json::to_string(&view).unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = write!(chunk, "id: {house}\ndata: {json}\n\n");
        }
        Some(true)
    }

    /// A comment, with the place if others' facts have gone by.
    fn sign_of_life(&mut self) -> String {
        if self.told == self.last {
            return ":\n\n".to_owned();
        }
        self.told = self.last;
        format!(":\nid: {}\n\n", self.last)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.app.state.figures.listener_went();
    }
}
