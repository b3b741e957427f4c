//! What leaves the house by itself: how patient each way out is, and which department is told what of which calls.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Time;

use super::plan::{Plan, Sink};
use crate::id::LineId;

/// How a sink is tried: keys of `[[ticket_sink]]` and `[[feed]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// `retry.first`: rest after the first failure; after each further one it is twice as long.
    pub first: Duration,
    /// `retry.longest`: longest rest.
    pub longest: Duration,
    /// `at_once`: tries side by side, each of another call.
    pub at_once: u8,
    /// `keep`: an event that is older than this and fails once more is set aside as a dead letter; `None`: tried
    /// for ever.
    pub keep: Option<Duration>,
    /// `warn_after`: age of the oldest event that is owed, at which the sink counts as behind.
    pub warn_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            at_once: 8,
            keep: None,
            warn_after: Duration::from_secs(5 * 60),
        }
    }
}

/// Most tries side by side.
pub const AT_ONCE_MAX: u8 = 64;
/// Longest `keep`: a year.
pub const KEEP_MAX: Duration = Duration::from_secs(8_784 * 3_600);
/// Shortest `keep`.
pub const KEEP_MIN: Duration = Duration::from_secs(60);

/// Fields of events that may leave by a feed where its `fields` names them: what `data` of the published events has.
/// Not among them, and never told: `code`, the pick-up code of a ticket.
pub const FIELDS: [&str; 76] = [
    "ahead",
    "answered_ms",
    "area",
    "article",
    "bot",
    "by",
    "caller",
    "calls",
    "category",
    "cause",
    "center",
    "class",
    "cut",
    "dialled",
    "digit",
    "direction",
    "durable",
    "duration_ms",
    "field",
    "file",
    "flag",
    "from_ms",
    "grade",
    "handed_on",
    "history",
    "holds",
    "immediate",
    "incident",
    "kind",
    "lasted_ms",
    "leg",
    "line",
    "line_name",
    "lost_frames",
    "matter",
    "message",
    "name",
    "not_accepted",
    "number",
    "object",
    "object_kind",
    "of",
    "org",
    "organization",
    "outcome",
    "owner",
    "peer",
    "plan",
    "priority",
    "purpose",
    "queue",
    "reason",
    "scope",
    "seat",
    "secret",
    "settled",
    "shifted_clock",
    "status",
    "step",
    "subject",
    "talked_ms",
    "text",
    "ticket",
    "tickets",
    "to",
    "to_ms",
    "took_ms",
    "transcript",
    "trunk",
    "unsurveyed",
    "values",
    "vanished",
    "version",
    "waited_ms",
    "why",
    "wire_ref",
];

/// `[[feed]]`: what a department is told of its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// Its name, the adapter, and how it is tried.
    pub sink: Sink,
    /// 责任单位.
    pub owners: Vec<String>,
    /// Lines whose calls it is told of, and whose expert seats and sub-centers calls may be put through to: those
    /// named and those of the owners.
    pub lines: BTreeSet<LineId>,
    /// Numbers of the owners' departments, whom calls may be put through to.
    pub departments: BTreeSet<LineId>,
    /// Lines that have expert seats of the owners, whom calls may be put through to. Other calls to such a line are its
    /// owner's alone.
    pub experts: BTreeSet<LineId>,
    /// What of an event's `data` may leave; nothing else does.
    pub fields: BTreeSet<String>,
    /// When the day's totals are told, by the city's clock; `None`: never.
    pub daily: Option<Time>,
}

impl Plan {
    /// All ways out that have an outbox of their own or none: sinks, then feeds. Their places name them everywhere.
    pub fn outlets(&self) -> impl Iterator<Item = &Sink> {
        self.sinks.iter().chain(self.feeds.iter().map(|feed| &feed.sink))
    }

    /// The feed at a place among the outlets; `None`: that is a sink, or nothing.
    pub fn feed_at(&self, outlet: usize) -> Option<&Feed> {
        self.feeds.get(outlet.checked_sub(self.sinks.len())?)
    }
}
