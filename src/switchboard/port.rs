//! What comes into the house and what goes out: the wall between the machines and `io`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{BotEnd, BotSaid, LookedUp};
use crate::id::{CallId, LanguageId, LineId, LookUpId, PromptId, SeatId, TrunkId};
use crate::ledger::Action;
use crate::media;
use crate::media::order::{PortSlot, SoundId};
use crate::routing::Plan;
use crate::routing::script::Bot;
use crate::sip;
use crate::switchboard::fact::{Fact, SeatFact};
use crate::switchboard::hand_on_again::Unhanded;
use crate::switchboard::notices::HotNotice;
use crate::switchboard::trunks::TrunkPasswords;
use crate::tickets::event::{EventRef, Outcome, StoredEvent};
use crate::time::Timestamp;

/// Something that happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// A SIP datagram arrived.
    Packet(sip::Packet),
    /// A connection is made (SIP over a stream): its listener, far end, and the names in the far
    /// end's verified certificate.
    FlowOpened { listener: usize, peer: SocketAddr, names: Vec<String> },
    /// A connection is closed, or could not be made (SIP over a stream).
    FlowClosed { listener: usize, peer: SocketAddr },
    /// ICMP said that nobody listens there (SIP).
    Unreachable(SocketAddr),
    /// The media thread told something.
    Sound(media::Fact),
    /// RTP/RTCP socket pairs are bound and ready, in answer to [`Output::OpenPorts`].
    PortsOpened(Vec<PortSlot>),
    /// The records up to this token are on disk.
    Stored { token: u64 },
    /// The store failed; records up to this token are not on disk (they are retried by `io`).
    StoreFailed { token: u64 },
    /// One try of an event at a sink came to its end.
    Delivered { sink: usize, event: EventRef, outcome: Outcome },
    /// A checked plan takes over for new calls. `sounds` are the bank's indices of its prompts.
    PlanChanged {
        plan: Arc<Plan>,
        accounts: Vec<sip::event::SeatAccount>,
        trunk_passwords: TrunkPasswords,
        sounds: Vec<(PromptId, SoundId)>,
    },
    /// The plan stays, and passwords of its accounts are others.
    SecretsChanged { accounts: Vec<sip::event::SeatAccount>, trunk_passwords: TrunkPasswords },
    /// The names in a trunk's target were looked up: its hops from now on, the first tried first.
    TrunkHops { trunk: TrunkId, hops: Vec<sip::Hop> },
    /// SIGTERM: no new calls; what is left after the grace is ended.
    Drain { grace: Duration },
    /// A seat's kept binding, at start.
    RestoreBinding { seat: SeatId, binding: sip::event::Binding },
    /// Events that a sink still owes, at start or after `Output::LoadOutbox`, in order.
    RestoreOutbox { sink: usize, events: Vec<StoredEvent> },
    /// The store owes a sink or a feed more than it was told of, all of it from `first` on.
    Owed { sink: usize, first: EventRef },
    /// Facts of earlier calls that kept places are made of, at start, in the order that they happened; before
    /// [`Input::RestoreMissed`].
    RestoreKept { facts: Vec<Fact> },
    /// Facts of earlier calls that the list of missed calls is made of, at start, in the order that they
    /// happened.
    RestoreMissed { facts: Vec<Fact> },
    /// The same for those who are yet to be asked whether they were helped.
    RestoreFollowUps { facts: Vec<Fact> },
    /// The same for what callers asked adapters for in vain.
    RestoreMisses { facts: Vec<Fact> },
    /// Matters that an earlier life of the house was to hand on at once, at start.
    RestoreHandOns { owed: Vec<Unhanded> },
    /// Somebody wants a call's recording paused, or to go on.
    PauseRecording { call: CallId, pause: bool, by: String },
    /// Past calls of a caller, in answer to [`Output::LookUpHistory`]: one line of text each for the
    /// screen, and what follows from them.
    History { call: CallId, entries: Vec<String>, earlier: Earlier },
    /// Callers are told this for a while; its sound is in the bank.
    NoticeAdded { notice: Box<HotNotice>, sound: SoundId },
    /// And that no more, from now on.
    NoticeEnded { id: u64 },
    /// What an adapter said, in answer to [`Output::LookUp`].
    LookedUp { call: CallId, asked: u32, said: LookedUp },
    /// What a program that talks with a caller does, or what became of it; see [`Output::TalkWithBot`].
    Bot { call: CallId, talk: u32, said: BotSaid },
}

/// What a program is told of a call that it is to talk with, and how it is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Invited {
    /// As the call's own plan has it.
    pub bot: Bot,
    /// Our port pair for its sound.
    pub slot: PortSlot,
    /// The line that was dialled.
    pub line: LineId,
    /// As the notice prints it.
    pub line_name: String,
    /// The line's language, where it has one of its own.
    pub language: Option<LanguageId>,
    /// The caller's number, masked unless the plan shows it; empty: withheld.
    pub caller: String,
    /// The ticket's number.
    pub ticket: String,
}

/// What the house wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// A SIP datagram leaves.
    Packet(sip::Packet),
    /// An order to the media thread.
    Sound(media::Order),
    /// Bind so many more pairs of RTP/RTCP sockets.
    OpenPorts(u32),
    /// Write in order, then say [`Input::Stored`] with the token. Group-committed.
    Store { token: u64, jobs: Vec<StoreJob> },
    /// Try to deliver an event to a sink once.
    Deliver { sink: usize, event: StoredEvent, timeout: Duration },
    /// Read more of what a sink still owes, after this event.
    LoadOutbox { sink: usize, after: Option<EventRef>, most: usize },
    /// Look up what is known of the caller's earlier calls: for the screen (at most 5), and what follows
    /// from those since then.
    LookUpHistory { call: CallId, caller: String, since: Timestamp },
    /// Ask a source of the plan's by these values, within its time-out: [`Input::LookedUp`] always follows.
    LookUp { call: CallId, asked: u32, source: LookUpId, by: BTreeMap<String, String> },
    /// A program is to talk with a caller: [`Input::Bot`] of this talk follows, in whatever becomes of it, until
    /// [`Output::LeaveBot`].
    TalkWithBot { call: CallId, talk: u32, invited: Box<Invited> },
    /// The caller pressed this key in the talk.
    TellBot { call: CallId, talk: u32, digit: char },
    /// The talk is over: it is told why, and let go.
    LeaveBot { call: CallId, talk: u32, end: BotEnd },
    /// A leg of a call is on the wire, with this trunk or seat: traces find its messages by the reference.
    OnWire { call: CallId, party: sip::event::Origin, wire_ref: sip::WireRef },
    /// The drain is over: nothing is left to wait for.
    Drained,
}

/// One write.
#[derive(Clone, Debug)]
pub enum StoreJob {
    /// A fact of a call, its place among all facts of the house, and the events that it makes, which each
    /// sink owes from now on: one transaction.
    Fact { house: u64, fact: Fact, events: Vec<StoredEvent> },
    /// A sink took an event: it is owed no more.
    Settled { sink: usize, event: EventRef },
    /// A sink refused an event for good.
    DeadLetter { sink: usize, event: EventRef, why: String },
    /// Somebody did what the ledger keeps: appended to its chain.
    Access { at: Timestamp, actor: String, action: Action, subject: String, reason: String },
    /// A seat's binding.
    Binding { seat: SeatId, binding: Option<sip::event::Binding> },
    /// A seat became something, and its place among all facts of the house.
    Seat { house: u64, fact: SeatFact },
}

/// A fact of the house, and its place among all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Its place: grows without end, across restarts too, and may have holes.
    pub house: u64,
    /// What.
    pub what: Happened,
}

/// A fact of the house.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// On a call.
    OnCall(Fact),
    /// At a seat.
    AtSeat(SeatFact),
}

/// What the store knows of a caller's earlier calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// So many since the time that was asked for.
    pub calls: u32,
    /// Who talked with the caller last, among those.
    pub seat: Option<SeatId>,
    /// Their tickets that are open, or were left for an office; newest first.
    pub tickets: Vec<String>,
    /// When the last call of all ended.
    pub last_ended: Option<Timestamp>,
}
