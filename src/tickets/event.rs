//! Ticket events as they are kept and sent (CloudEvents 1.0).

use std::sync::Arc;

use crate::id::CallId;
use crate::time::Timestamp;

/// Names an event: call and sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventRef {
    /// Whose.
    pub call: CallId,
    /// Order inside the call.
    pub sequence: u32,
}

/// An event as it is kept and sent: a CloudEvents 1.0 JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its name.
    pub event: EventRef,
    /// `type` of the CloudEvent.
    pub kind: Arc<str>,
    /// When it happened.
    pub at: Timestamp,
    /// The whole document.
    pub json: Arc<str>,
}

/// How one try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The sink has it.
    Taken,
    /// Try again later: refused connection, time-out, 5xx, 429.
    Retry(String),
    /// Never: 400 and its kin.
    Refused(String),
}
