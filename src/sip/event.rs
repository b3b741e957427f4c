//! What the endpoint is told and what it tells: the wall between signalling and the rooms above.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::id::{SeatId, TrunkId};
use crate::sip::carried::{Along, Carried};
use crate::sip::platforms::Trail;
use crate::sip::reason::Reason;
use crate::sip::sdp::Sdp;
use crate::sip::wire_ref::WireRef;
use crate::time::Timestamp;
use bytes::Bytes;

pub use super::config::{
    Brakes, Config, Forwarding, Limits, ListenerConfig, Probe, SeatAccount, TrunkAccount, TrunkConfig,
};

/// One INVITE session: our side of one dialog, from the INVITE to the end of the BYE.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SessionId(pub u64);

/// A message, in or out. Listener and peer together name a flow: over a stream, one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Index into [`Config::listeners`].
    pub listener: usize,
    /// Where it came from, or goes. Over a stream `io` uses the connection with this far end, and
    /// makes one where there is none.
    pub peer: SocketAddr,
    /// One whole message, or the odd bytes that claim to be one.
    pub bytes: Bytes,
}

/// What the endpoint wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Put on the wire.
    Send(Packet),
    /// Tell the rooms above.
    Event(Event),
    /// Keep on disk, so that a restart knows the seat's binding; `None` removes it.
    SaveBinding {
        /// Whose.
        seat: SeatId,
        /// What to keep.
        binding: Option<Binding>,
    },
}

/// Where a seat is registered: what `io` persists and restores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Contact URI as the phone sent it.
    pub contact: String,
    /// Where its REGISTER came from: requests go there (symmetric, behind NAT).
    pub flow: SocketAddr,
    /// The listener it came in on.
    pub listener: usize,
    /// Wall-clock end of life.
    pub expires_at: Timestamp,
    /// Call-ID and CSeq of the REGISTER, RFC 3261 §10.3 step 7.
    pub call_id: String,
    /// See `call_id`.
    pub cseq: u32,
}

/// What happened on the wire.
#[allow(missing_docs, reason = "each variant says what its fields are")]
#[derive(Clone, Debug)]
pub enum Event {
    /// A new, admitted INVITE; 100 Trying is out. Wants `progress`, `answer` or `refuse`.
    Invited(Box<Invited>),
    /// Our INVITE is out, towards this trunk or seat: traces find its messages by the reference.
    InviteSent { session: SessionId, to: Origin, wire_ref: WireRef },
    /// 101–199 to our INVITE. Early media has its SDP.
    Progressed { session: SessionId, status: u16, sdp: Option<Arc<Sdp>> },
    /// 2xx to our INVITE; the ACK is out. Further forks are released by the endpoint. Where an earlier
    /// answer of that place described the sound and the 2xx does not, its description is here.
    Answered { session: SessionId, sdp: Option<Arc<Sdp>> },
    /// Our INVITE failed for good: 300–699, 408 on time-out, 503 when the target cannot be reached. Nothing follows.
    Refused { session: SessionId, status: u16 },
    /// The caller gave up before our final answer; 487 is out. Nothing follows.
    Cancelled { session: SessionId },
    /// The ACK for our 2xx is here, with the answer where our 2xx carried the offer.
    Confirmed { session: SessionId, sdp: Option<Arc<Sdp>> },
    /// The PRACK for our 1xx with an offer brings the answer: sound can go before the 2xx (RFC 3262 §5).
    Agreed { session: SessionId, sdp: Option<Arc<Sdp>> },
    /// re-INVITE, UPDATE or PRACK in the dialog, also before the 2xx. Wants `answer_offer` or `refuse_offer`. `None`: we are to make the offer.
    Reoffered { session: SessionId, offer: Option<Arc<Sdp>> },
    /// The peer took our offer.
    OfferTaken { session: SessionId, sdp: Option<Arc<Sdp>> },
    /// The peer refused our offer (but the dialog lives).
    OfferRefused { session: SessionId, status: u16 },
    /// The peer answered our in-dialog OPTIONS: it is there.
    Alive { session: SessionId },
    /// A key, told by INFO. The same press may come by sound too.
    Digit { session: SessionId, digit: char },
    /// The peer took no key by INFO, or did not answer: with which status, and which keys were not pressed. The session
    /// goes on. `first`: by this trunk, since the start.
    KeysRefused { session: SessionId, trunk: Option<TrunkId>, status: Option<u16>, keys: String, first: bool },
    /// The peer wants its call transferred. Wants `accept_refer` or `refuse_refer`.
    Referred(Box<Referred>),
    /// Why the peer ends the session: stands in front of `Ended`, `Cancelled` or `Refused`.
    ReasonGiven { session: SessionId, reason: Reason },
    /// The dialog is over. Nothing follows.
    Ended { session: SessionId, cause: EndCause },
    /// A seat has a binding (new, refreshed or restored).
    Registered { seat: SeatId, refreshed: bool },
    /// A seat's last binding is gone: removed, or its time ran out.
    Unregistered { seat: SeatId },
    /// A request was turned away at the door; one counter each.
    TurnedAway { peer: SocketAddr, why: TurnedAway },
    /// A seat's password was wrong: the first of a minute from there, or so many that nothing of them is looked at for
    /// so long.
    PasswordWrong { seat: SeatId, peer: SocketAddr, braked: Option<Duration> },
    /// Our INVITE goes by another way than [`Endpoint::way_to`](super::Endpoint::way_to) or the last
    /// of these said: this trunk, and the address that signals there. `number`: a 3xx has led to another
    /// one, this.
    Routed { session: SessionId, trunk: TrunkId, peer: IpAddr, number: Option<String> },
    /// A trunk's health has changed: by its answers to OPTIONS, or by an INVITE that was answered.
    TrunkHealth { trunk: TrunkId, up: bool },
    /// We are registered at a trunk now, or no more.
    TrunkRegistered { trunk: TrunkId, ok: bool },
}

/// A REFER in a dialog (RFC 3515).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referred {
    /// Whose dialog.
    pub session: SessionId,
    /// Names it in the dialog: its CSeq.
    pub refer: u32,
    /// Where to: a `sip:`, `sips:` or `tel:` URI at a host of ours, without headers.
    pub target: String,
    /// The session that the new call is to take the place of (an attended transfer).
    pub replaces: Option<SessionId>,
    /// Who says so: a URI in brackets, to be passed on (RFC 3892).
    pub referred_by: Option<String>,
}

/// How a dialog ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// The peer's BYE.
    Bye,
    /// Our own `hang_up` is through, or timed out.
    HungUp,
    /// No ACK for our 2xx within 64·T1: BYE is out (RFC 3261 §13.3.1.4).
    NoAck,
    /// An in-dialog request got 481 or 408, or nothing (RFC 3261 §12.2.1.2).
    Gone,
    /// No PRACK for a provisional answer within 64·T1: 504 is out (RFC 3262 §3).
    NoPrack,
    /// The session timer ran out: BYE is out (RFC 4028 §10).
    Expired,
}

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TurnedAway {
    /// Neither a trunk's address nor a seat.
    UnknownSource,
    /// Wrong digest.
    BadCredentials,
    /// Not a SIP message, or one that cannot be answered.
    Malformed,
    /// 400 and its kin.
    BadRequest,
    /// 405, 415, 416, 420, 501, 505, …
    Unsupported,
    /// 481, 482, 500 for a stale CSeq, ….
    OutOfDialog,
    /// 503 while draining.
    Draining,
    /// 503: a table is full.
    Full,
    /// 503: more to do than can be done.
    Overloaded,
    /// Not read: an address that is no trunk's sends too much, or a trunk does while there is more to
    /// do than can be done.
    Flooding,
    /// 503: the trunk that it came by has its [`TrunkConfig::calls_max`].
    TrunkFull,
    /// 482: another platform hands over a call that was here before.
    Loop,
    /// 483: platforms have handed it on more often than the plan lets them.
    TooManyHops,
}

/// Why a way was passed over, or led nowhere: one counter by trunk each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WayFailed {
    /// No such trunk, no hop known, or no listener that reaches it.
    NoHop,
    /// Down, resting or not registered; tried only where nothing else is left.
    Down,
    /// It has its [`TrunkConfig::calls_max`].
    Full,
    /// It had its [`TrunkConfig::calls_per_second`] within the last second.
    Pace,
    /// No sign of life within the connect time-out, or Timer B.
    Silent,
    /// ICMP said that nobody listens there, or no connection came about.
    Unreachable,
    /// 500, 502, 503, 504, or 408 from a server on the way.
    Refused,
    /// 3xx to a place that none of our trunks owns, or once too often.
    Redirected,
    /// 401 or 407 again for what we proved, or a challenge that we cannot answer.
    Credentials,
}

impl WayFailed {
    /// Each of them, in the order of the counters.
    pub const ALL: [WayFailed; 9] = [
        WayFailed::NoHop,
        WayFailed::Down,
        WayFailed::Full,
        WayFailed::Pace,
        WayFailed::Silent,
        WayFailed::Unreachable,
        WayFailed::Refused,
        WayFailed::Redirected,
        WayFailed::Credentials,
    ];
}

/// A trunk at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkNow {
    /// Which one.
    pub trunk: TrunkId,
    /// Whether any of its hops is up; always so where nothing asks.
    pub up: bool,
    /// Whether we are registered there; `None`: not wanted.
    pub registered: Option<bool>,
    /// Sessions with it, both ways.
    pub calls: u32,
    /// Whether it takes no more of them.
    pub full: bool,
    /// Attempts that went out by it since the start.
    pub attempts: u64,
    /// Ways that failed since the start, in the order of [`WayFailed::ALL`].
    pub failed: [u64; WayFailed::ALL.len()],
    /// Calls in which it took no keys by INFO, since the start.
    pub keys_refused: u64,
}

/// A new INVITE as the rooms above see it.
#[derive(Clone, Debug)]
pub struct Invited {
    /// Its session from now on.
    pub session: SessionId,
    /// Who is calling, as the door found it.
    pub from: Origin,
    /// The caller's number or user: P-Asserted-Identity where the trunk is trusted, else From. Empty: withheld.
    pub caller: String,
    /// Where the dialled number may stand, raw: Request-URI, History-Info (oldest first), Diversion (oldest first), P-Called-Party-ID, To.
    pub dialled: DialledHeaders,
    /// The offer; `None`: late offer.
    pub offer: Option<Arc<Sdp>>,
    /// The caller takes provisional answers reliably: an offer of ours may go in one (RFC 3262 §5).
    pub reliable: bool,
    /// Hops that the request may still make; what we pass on has one less (RFC 3261 §16.6).
    pub max_forwards: u8,
    /// Source of the datagram: the signalling peer, for latching RTP.
    pub peer: SocketAddr,
    /// The listener it came in on: SDP and Contact say its address.
    pub listener: usize,
    /// Opaque: ties traces and tests to the call (derived from the Call-ID).
    pub wire_ref: String,
    /// The session of ours whose place it takes (RFC 3891); its peer may.
    pub replaces: Option<SessionId>,
    /// What goes along with the call, where the INVITE had something of it.
    pub carried: Option<Arc<Carried>>,
    /// What it says of the platforms that it came by.
    pub platforms: Trail,
}

/// Raw URIs (or numbers) by the header they stand in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialledHeaders {
    /// The whole Request-URI.
    pub request_uri: String,
    /// Oldest first.
    pub history_info: Vec<String>,
    /// Oldest first (the header lists the newest first).
    pub diversion: Vec<String>,
    /// P-Called-Party-ID.
    pub p_called_party_id: Option<String>,
    /// To.
    pub to: String,
}

/// Who is calling (DESIGN: who is calling), or whom our INVITE goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From a trunk's address set.
    Trunk(TrunkId),
    /// A seat, authenticated.
    Seat(SeatId),
}

/// Where our own INVITE goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A seat's registered binding.
    Seat(SeatId),
    /// A number behind a trunk, or behind one of a group: the ways to it.
    Trunk(Vec<Route>),
}

/// One way to a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// By this trunk.
    pub trunk: TrunkId,
    /// User part of the Request-URI, as this trunk wants it.
    pub user: String,
    /// The caller's number, as this trunk wants it.
    pub from_user: String,
    /// Lower ones are tried first.
    pub priority: u16,
    /// Of equal priority, the share that is tried first.
    pub weight: u16,
}

/// An INVITE that we send.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Where to.
    pub target: Target,
    /// User part of From towards a seat: the caller's number, as the clerk should see it. Towards a
    /// trunk its [`Route`] says it.
    pub from_user: String,
    /// Display name of From; empty for none.
    pub from_display: String,
    /// The offer.
    pub offer: Arc<Sdp>,
    /// Further header lines, name and value; no CR or LF survives in them.
    pub headers: Vec<(&'static str, String)>,
    /// No provisional or final answer within this time: `Refused` 408. Towards a trunk its own
    /// [`TrunkConfig::connect_timeout`] counts, where it has one.
    pub connect_timeout: Duration,
    /// For help in an emergency: no limit of our own may stand in its way.
    pub emergency: bool,
    /// How far whoever is called may send it on.
    pub redirects: Redirects,
    /// What goes along from the caller's leg.
    pub along: Along,
}

/// How far a 3xx to an INVITE of ours may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// To another number, too: whoever is called is named by the plan, and trusted.
    Any,
    /// To the same number by another way, and no further: whoever is called is a stranger.
    SameNumber,
}

/// Whether new INVITEs are let in. REGISTER and whatever is in a dialog go on in each case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    /// They are.
    #[default]
    Open,
    /// Shutting down: 503, also to OPTIONS, so that peers look elsewhere.
    Draining {
        /// Retry-After, seconds.
        retry_after_s: u32,
    },
}

/// Where requests go, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayTo {
    /// The far end of signalling.
    pub peer: SocketAddr,
    /// Index into [`Config::listeners`].
    pub listener: usize,
}

/// Why an INVITE of ours was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// The seat has no binding.
    #[error("the seat is not registered")]
    NotRegistered,
    /// No such trunk, one without a target, or one that no listener can reach.
    #[error("the trunk has no target that can be reached")]
    NoTarget,
    /// A table is full.
    #[error("no room for another session")]
    Full,
    /// Every trunk that leads there has its most calls, or its most new calls in a second.
    #[error("each trunk that leads there has its most calls")]
    Busy,
}

/// How full the endpoint's tables are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// INVITE sessions that are not over.
    pub sessions: usize,
    /// Those of them whose dialog stands (a 2xx went out or came in).
    pub dialogs: usize,
    /// Transactions, lingering ones included.
    pub transactions: usize,
    /// Seats that are registered.
    pub bindings: usize,
}
