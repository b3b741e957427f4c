//! What people and programs ask of the house, by HTTP and by telephone, and what they are told.
//!
//! Who may ask what is said here once ([`Request::is_for`]); what is done about it is each room's own.

use super::Switchboard;
pub use super::kb::{ArticleFault, ArticleUse};
use crate::acd::event::{Change, Unchanged};
use crate::call::{Unwilling, Wish};
use crate::id::{CallId, LineId, QueueId, SeatId};
use crate::routing::people::Role;
pub use crate::routing::watching::Watching;
use crate::time::{Now, Timestamp};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// In records and in the ledger.
    pub name: String,
    /// What they may.
    pub role: Role,
    /// Their own seat, where they have one.
    pub seat: Option<SeatId>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// A seat becomes something.
    Seat {
        /// Which.
        seat: SeatId,
        /// What.
        change: Change,
    },
    /// A call does something.
    Call {
        /// Which.
        call: CallId,
        /// What.
        wish: Wish,
    },
    /// Somebody listens to a call, or changes how.
    Watch {
        /// Which call.
        call: CallId,
        /// The seat that rings for it.
        seat: SeatId,
        /// How.
        how: Watching,
    },
    /// A seat calls somebody outside: it rings first, then they do.
    Dial {
        /// The seat.
        seat: SeatId,
        /// The number outside.
        number: String,
        /// Whose number is shown; `None`: the plan's.
        line: Option<LineId>,
        /// The call that this follows from.
        of: Option<CallId>,
    },
    /// A caller on the list of missed calls is called back by this seat.
    CallBack {
        /// The missed call.
        missed: CallId,
        /// The seat.
        seat: SeatId,
    },
    /// What a call was about.
    Dispose {
        /// Which call; it may be over.
        call: CallId,
        /// What.
        disposed: Disposed,
    },
    /// An article of the knowledge base was used in a call.
    UseArticle {
        /// Which call; it may be over.
        call: CallId,
        /// Which article, and what came of it.
        used: ArticleUse,
    },
    /// Somebody on a call found an article wrong.
    ReportArticle {
        /// Which call; it may be over.
        call: CallId,
        /// What is wrong with which.
        fault: ArticleFault,
    },
    /// A call is marked.
    Flag {
        /// Which.
        call: CallId,
        /// As what.
        flag: Flag,
    },
    /// A queue's surge begins or ends by somebody's word; `None`: by its own rule again.
    Surge {
        /// Which.
        queue: QueueId,
        /// Whether it is on.
        on: Option<bool>,
    },
}

/// What a call was about: codes of the plan's `[disposition]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Disposed {
    /// One of the fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// One of the types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Why it is not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_accepted: Option<String>,
    /// The matter is secret: its recording is not exported.
    pub secret: bool,
    /// Satisfaction is not chased.
    pub unsurveyed: bool,
    /// By whom.
    pub by: String,
    /// It is to be handed on at once: `[[disposition.immediate]]` of the plan says so, not who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub immediate: Option<AtOnce>,
}

/// What is to be done at once about a matter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AtOnce {
    /// The code by which it is.
    pub code: String,
    /// Whom to ask into the call; `None`: its ticket hands it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<LineId>,
    /// So soon, milliseconds.
    pub within_ms: u64,
    /// By the wall clock.
    pub due_at: Timestamp,
}

/// As what a call is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Its clerk was abused, and rests after it.
    Abusive,
    /// The caller wants to be known to nobody.
    Confidential,
    /// Somebody's life or safety.
    Urgent,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is so, or on its way.
    Done,
    /// A new call was begun for it.
    Begun(CallId),
    /// It is so, and is to be handed on at once.
    AtOnce(AtOnce),
}

/// Why nothing came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// That role may not.
    NotAllowed,
    /// There is no such call, or not any more.
    NoSuchCall,
    /// The plan has no such seat.
    NoSuchSeat,
    /// The plan has no such queue.
    NoSuchQueue,
    /// The plan has no such code, reason or number; which.
    NotInPlan(String),
    /// The seat is not what it would have to be.
    Seat(Unchanged),
    /// The call is not.
    Call(Unwilling),
    /// The seat is engaged.
    Engaged,
    /// There is no room for another call.
    Full,
    /// The caller was called back a moment ago, and did not answer.
    TooSoon,
}

impl Request {
    /// Whether `asker` may ask this: clerks for their own seat, supervisors for all, others by what they
    /// are for.
    pub fn is_for(&self, asker: &Asker) -> bool {
        let own = |seat: &SeatId| asker.seat.as_ref() == Some(seat);
        match asker.role {
            Role::Admin | Role::Supervisor => true,
            Role::Clerk | Role::Expert | Role::Leader => match self {
                Request::Seat { seat, change } => own(seat) && *change != Change::ForceAway,
                Request::Dial { seat, .. } | Request::CallBack { seat, .. } => own(seat),
                // Whose call it is, the call's own room says.
                Request::Call { wish, .. } => !matches!(wish, Wish::TakeOver { .. } | Wish::End),
                Request::Dispose { .. }
                | Request::Flag { .. }
                | Request::UseArticle { .. }
                | Request::ReportArticle { .. } => true,
                Request::Watch { .. } | Request::Surge { .. } => false,
            },
            Role::Observer | Role::Trainee => match self {
                Request::Watch { seat, how, .. } => own(seat) && *how == Watching::Listen,
                Request::Seat { seat, change } => own(seat) && *change != Change::ForceAway,
                _ => false,
            },
        }
    }
}

impl Switchboard {
    /// Somebody asks something; what follows from it is carried to its end.
    pub fn ask(&mut self, asker: &Asker, request: Request, now: Now) -> Result<Reply, Refusal> {
        if !request.is_for(asker) {
            return Err(Refusal::NotAllowed);
        }
        let reply = match request {
            Request::Seat { seat, change } => self.change_seat(asker, &seat, change, now),
            Request::Call { call, wish } => self.wish(asker, call, wish, now),
            Request::Watch { call, seat, how } => self.watch(asker, call, seat, how, now),
            Request::Dial { seat, number, line, of } => self.dial_out(seat, &number, line, of, now),
            Request::CallBack { missed, seat } => self.call_back(missed, seat, now),
            Request::Dispose { call, disposed } => self.dispose(asker, call, disposed, now),
            Request::Flag { call, flag } => self.flag(asker, call, flag, now),
            Request::UseArticle { call, used } => self.use_article(asker, call, used, now),
            Request::ReportArticle { call, fault } => self.report_article(asker, call, fault, now),
            Request::Surge { queue, on } => self.set_surge(&queue, on, now),
        };
        self.settle(now);
        reply
    }
}
