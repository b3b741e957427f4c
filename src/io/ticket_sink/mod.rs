//! Adapters of ticket offices. Adding one is one file here and one line in [`open`]. The embedded office needs
//! none: the store writes its tickets with the facts.

mod feed;
mod http;
mod jsonl;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::secrets::Keyring;
use super::store::Desk;
use crate::routing::feed::Feed;
use crate::routing::plan::{Sink, SinkKind};
use crate::tickets::event::{Outcome, StoredEvent};

/// What an adapter hands back: it runs on the worker, never on the control thread.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A ticket office. Events open, update and close its tickets; each comes at least once, in order
/// per call, under a name that is the same at each try.
pub trait TicketSink: Send + Sync {
    /// One try.
    fn deliver<'a>(&'a self, event: &'a StoredEvent) -> Delivery<'a>;
}

/// Why an adapter cannot work.
#[derive(Debug, thiserror::Error)]
#[error("ticket_sink {name}: {why}")]
pub struct SinkError {
    name: String,
    why: String,
}

/// The adapter of `sink`; `None`: it is the embedded office.
pub fn open(sink: &Sink, ring: &mut Keyring) -> Result<Option<Arc<dyn TicketSink>>, SinkError> {
    let failed = |why: String| SinkError { name: sink.name.clone(), why };
    Ok(Some(match &sink.kind {
        SinkKind::Sqlite => return Ok(None),
        SinkKind::Jsonl { path } => {
            Arc::new(jsonl::Jsonl::open(&ring.data().join(path)).map_err(|error| failed(error.to_string()))?)
        }
        SinkKind::Http { url, secret } => {
            let owner = format!("ticket_sink {}", sink.name);
            let secret = ring.shared(&owner, secret).map_err(|error| failed(error.to_string()))?;
            Arc::new(http::Office::new(url, &secret).map_err(failed)?)
        }
    }))
}

/// The adapter of a feed; `desk` looks up what of an event may leave.
pub fn open_feed(
    feed: &Feed,
    ring: &mut Keyring,
    desk: &Desk,
) -> Result<Option<Arc<dyn TicketSink>>, SinkError> {
    let department =
        |way| -> Arc<dyn TicketSink> { Arc::new(feed::Department::new(feed, way, desk.clone())) };
    Ok(open(&feed.sink, ring)?.map(department))
}
