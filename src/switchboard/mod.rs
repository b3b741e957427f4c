//! Moves values between the rooms and holds no rules of its own.
//!
//! [`Switchboard::handle_input`] gives one value from outside to the room that knows it, and then
//! carries what the rooms say to one another until they are quiet. Facts go up, orders go down,
//! and both turn round here: `inward` takes facts of signalling and sound to calls, `outward`
//! carries a call's orders, `queueing` stands between calls and seats, `recording` turns what
//! happened into the stream of facts, and `screens` holds a seat's ringing back for its screen.

mod attended;
mod beginning;
mod bots;
mod callers;
pub mod calling;
mod cases;
mod check;
pub mod fact;
pub mod follow_up;
pub mod hand_on;
pub mod hand_on_again;
mod inward;
mod kb;
pub mod kept;
mod kept_again;
mod looking;
pub mod missed;
pub mod notices;
mod objects;
mod outward;
mod platforms;
pub mod port;
mod ports;
mod posting;
mod queueing;
mod recording;
mod relaying;
pub mod request;
mod rooms;
mod screens;
mod seats;
pub mod ticketing;
mod transfers;
pub mod trunks;
mod voices;
mod watching;
mod wishes;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::acd::Acd;
use crate::call::recording::RecordingState;
use crate::call::{self, Call};
use crate::id::{CallId, Dice, LegId, LineId, PromptId, QueueId};
use crate::media::order::SoundId;
use crate::routing::Plan;
use crate::routing::plan::Sink;
use crate::sip::event::{Gate, ListenerConfig, SeatAccount};
use crate::sip::{self, Endpoint, SessionId};
use crate::tickets::outbox::Outbox;
use crate::tickets::ticket::Numbers;
use crate::time::{Agenda, Instant, Now, Timestamp};

pub use bots::TALKS_MAX as BOT_TALKS_MAX;
pub use cases::{LATE_MAX, may_export};
pub use fact::{Fact, What};
pub use port::{Happened, Input, Invited, Output, Placed, StoreJob};
use ports::Ports;
use screens::Screens;
use trunks::{KnownHops, TrunkPasswords};

/// Refused callers are asked to come back after this, seconds.
const RETRY_AFTER_S: u32 = 5;

/// What the house begins with.
pub struct Setup {
    /// The checked plan.
    pub plan: Arc<Plan>,
    /// Seats' accounts, their passwords already digested.
    pub accounts: Vec<SeatAccount>,
    /// Passwords of trunks' accounts.
    pub trunk_passwords: TrunkPasswords,
    /// The plan's prompts in the sound bank.
    pub sounds: Vec<(PromptId, SoundId)>,
    /// The listeners as they are bound.
    pub listeners: Vec<ListenerConfig>,
    /// Seeded by `io`, or by a test.
    pub dice: Dice,
    /// Names this engine in tickets.
    pub node: String,
    /// Whether `--clock` shifts the wall clock: records say so.
    pub shifted_clock: bool,
    /// The last ticket number that was given out.
    pub last_ticket: Option<String>,
    /// The place of the last fact on disk among all facts of the house; 0: there is none.
    pub last_house: u64,
}

/// The house without its outside: everything from datagram to ticket event as values.
pub struct Switchboard {
    plan: Arc<Plan>,
    voices: voices::Voices,
    listeners: Vec<ListenerConfig>,
    endpoint: Endpoint,
    acd: Acd,
    calls: HashMap<CallId, Entry>,
    sessions: HashMap<SessionId, LegId>,
    legs: HashMap<LegId, SessionId>,
    known_hops: KnownHops,
    agenda: Agenda<CallId>,
    todo: VecDeque<(CallId, call::Input)>,
    ports: Ports,
    rooms: rooms::Rooms,
    lookings: looking::Lookings,
    /// Whom flows have rung for callers, lately.
    relays: relaying::Relays,
    talks: bots::Talks,
    screens: Screens,
    seats: seats::Seats,
    watches: watching::Watches,
    /// By the plan's sinks; `None`: the embedded office, whose tickets the store writes with the facts.
    outboxes: Vec<Option<Outbox>>,
    records: recording::Records,
    missed: missed::MissedCalls,
    kept: kept::Kept,
    notices: notices::Notices,
    follow_up: follow_up::FollowUps,
    hand_ons: hand_on::HandOns,
    numbers: Numbers,
    dice: Dice,
    source: String,
    shifted_clock: bool,
    drain: Drain,
    turned_away: BTreeMap<crate::sip::event::TurnedAway, u64>,
    /// Seats that are free, since when.
    free_since: HashMap<crate::id::SeatId, Instant>,
    offer_delays: Vec<Duration>,
    outputs: VecDeque<Output>,
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drain {
    /// Calls are welcome.
    Open,
    /// No new ones; those under way end by themselves until then.
    Until(Instant),
    /// The grace is over; last records are on their way.
    Closing,
    /// Said.
    Done,
}

/// One call and what the switchboard knows of it.
pub struct Entry {
    call: Call,
    /// The line that was dialled.
    pub line: LineId,
    /// The caller's number.
    pub caller: String,
    /// The trunk that it came by.
    way: crate::id::TrunkId,
    /// The question to an adapter that the call waits for.
    asking: Option<looking::Asking>,
    /// About what the last one asked in vain, until that is told.
    missed_about: Option<String>,
    /// Whom a flow has rung so that neither side is shown the other's number: facts about one may come after
    /// the next is rung.
    hidden: Vec<String>,
    /// Hops that the caller's INVITE may still make.
    max_forwards: u8,
    /// The ticket's number.
    pub ticket: String,
    /// When its INVITE came.
    pub opened_at: Timestamp,
    opened: Instant,
    answered: Option<Instant>,
    sequence: u32,
    history: Vec<String>,
    skills: Vec<crate::routing::queueing::Known>,
    /// Higher goes first.
    priority: i16,
    /// The clerk who knows the caller.
    sticky: Option<crate::id::SeatId>,
    along: transfers::Along,
    called: objects::Called,
    stay: rooms::Stay,
    /// Whose own call it is.
    clerk: Option<crate::id::SeatId>,
    /// Why it was made, where a clerk or the house made it.
    outward: Option<calling::Outward>,
    standing: callers::Standing,
}

impl Entry {
    /// In one word, for boards.
    pub fn state(&self) -> &'static str {
        self.call.state()
    }
}

impl Switchboard {
    /// A house with nobody in it yet. Asks for its first ports.
    pub fn new(setup: Setup, now: Now) -> Self {
        let mut dice = setup.dice;
        let known_hops = KnownHops::default();
        let trunks = trunks::configs(&setup.plan, &setup.listeners, &setup.trunk_passwords, &known_hops);
        let config = outward::sip_config(&setup.plan, &setup.listeners, setup.accounts, trunks);
        let mut outbox = |sink: &Sink| {
            (!sink.is_embedded()).then(|| Outbox::paced(sink.timeout, posting::pace(sink), dice.split()))
        };
        let outboxes = setup.plan.outlets().map(&mut outbox).collect();
        let mut board = Switchboard {
            endpoint: Endpoint::new(config, dice.split(), now),
            acd: Acd::new(&setup.plan, dice.split()),
            voices: voices::Voices::new(setup.sounds),
            listeners: setup.listeners,
            calls: HashMap::new(),
            sessions: HashMap::new(),
            legs: HashMap::new(),
            known_hops,
            agenda: Agenda::default(),
            todo: VecDeque::new(),
            ports: Ports::new(setup.plan.network.rtp_ports),
            rooms: rooms::Rooms::default(),
            lookings: looking::Lookings::default(),
            relays: relaying::Relays::default(),
            talks: bots::Talks::default(),
            screens: Screens::default(),
            seats: seats::Seats::default(),
            watches: watching::Watches::default(),
            outboxes,
            records: recording::Records::after(setup.last_house),
            missed: missed::MissedCalls::new(&setup.plan.missed),
            kept: kept::Kept::default(),
            notices: notices::Notices::default(),
            follow_up: follow_up::FollowUps::new(&setup.plan.follow_up),
            hand_ons: hand_on::HandOns::default(),
            numbers: setup.last_ticket.as_deref().map_or_else(Numbers::default, Numbers::restore),
            dice,
            source: crate::tickets::event::source(&setup.node),
            shifted_clock: setup.shifted_clock,
            drain: Drain::Open,
            turned_away: BTreeMap::new(),
            free_since: HashMap::new(),
            offer_delays: Vec::new(),
            outputs: VecDeque::new(),
            plan: setup.plan,
        };
        board.seats_begin(now);
        board.order_ports();
        board
    }

    /// Takes one value from outside, to the end of what follows from it.
    pub fn handle_input(&mut self, input: Input, now: Now) {
        match input {
            Input::Packet(packet) => self.endpoint.handle_packet(packet, now),
            Input::FlowOpened { listener, peer, names } => self.endpoint.flow_opened(listener, peer, names),
            Input::FlowClosed { listener, peer } => self.endpoint.flow_closed(listener, peer, now),
            Input::Unreachable(peer) => self.endpoint.unreachable(peer, now),
            Input::Sound(fact) => self.sound_told(fact, now),
            Input::PortsOpened(slots) => self.ports.opened(slots),
            Input::Stored { token } => self.stored(token, now),
            Input::StoreFailed { token } => self.store_failed(token),
            Input::Delivered { sink, event, outcome } => self.delivered(sink, event, outcome, now),
            Input::PlanChanged { plan, accounts, trunk_passwords, sounds } => {
                self.known_hops.plan_changed(&plan);
                let config = self.sip_config(&plan, accounts, &trunk_passwords);
                self.plan_changed(plan, config, sounds, now);
            }
            Input::SecretsChanged { accounts, trunk_passwords } => {
                let config = self.sip_config(&self.plan, accounts, &trunk_passwords);
                self.endpoint.configure(config, now);
            }
            Input::TrunkHops { trunk, hops } => {
                if self.known_hops.learn(&self.plan, &trunk, hops.clone()) {
                    self.endpoint.set_hops(&trunk, hops, now);
                }
            }
            Input::Drain { grace } => {
                self.drain = Drain::Until(now.mono + grace);
                self.endpoint.set_gate(Gate::Draining { retry_after_s: RETRY_AFTER_S });
                self.endpoint.unregister(now);
            }
            Input::RestoreBinding { seat, binding } => self.endpoint.restore_binding(seat, binding, now),
            Input::RestoreOutbox { sink, events } => {
                if let Some(Some(outbox)) = self.outboxes.get_mut(sink) {
                    outbox.restore(events, now.mono);
                }
            }
            Input::Owed { sink, first } => self.owed(sink, first, now),
            Input::RestoreKept { facts } => self.restore_kept(&facts, now),
            Input::RestoreMissed { facts } => {
                self.missed.restore(&facts, |call| self.kept.places.contains_key(&call), now);
            }
            Input::RestoreMisses { facts } => self.restore_misses(&facts, now),
            Input::RestoreHandOns { owed } => self.restore_hand_ons(owed, now),
            Input::RestoreFollowUps { facts } => self.follow_up.restore(&facts, now),
            Input::PauseRecording { call, pause, by } => {
                self.tell_call(call, call::Input::PauseRecording { pause, by });
            }
            Input::LookedUp { call, asked, said } => {
                self.looked_up(call, asked, said, now);
            }
            Input::Bot { call, talk, said } => self.bot_said(call, talk, said),
            Input::NoticeAdded { notice, sound } => self.notice_added(*notice, sound),
            Input::NoticeEnded { id } => self.notice_ended(id, now.wall),
            Input::History { call, entries, earlier } => self.history_known(call, entries, earlier, now),
        }
        self.settle(now);
    }

    /// A message has waited so long for the control loop, and perhaps others found no room.
    pub fn handle_wait(&mut self, wait: Duration, lost: bool, now: Now) {
        self.endpoint.handle_wait(wait, lost, now);
    }

    /// Wakes only the machines that are due.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.endpoint.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.endpoint.handle_timeout(now);
        }
        if self.acd.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.acd.handle_timeout(now.mono);
        }
        while let Some(id) = self.agenda.take_due(now.mono) {
            self.step(id, now, |call| call.handle_timeout(now));
        }
        self.screens_due(now);
        self.hand_ons_due(now);
        self.missed.handle_timeout(now);
        self.follow_up_due(now);
        for outbox in self.outboxes.iter_mut().flatten() {
            if outbox.poll_timeout().is_some_and(|at| at <= now.mono) {
                outbox.handle_timeout(now.mono);
            }
        }
        self.settle(now);
    }

    /// When it next wants to be woken.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let drain = match self.drain {
            Drain::Until(at) => Some(at),
            _ => None,
        };
        [
            self.endpoint.poll_timeout(),
            self.acd.poll_timeout(),
            self.agenda.next(),
            self.screens.next(),
            self.hand_ons.poll_timeout(),
            self.missed.poll_timeout(),
            self.follow_up.poll_timeout(),
            self.outboxes.iter().flatten().filter_map(Outbox::poll_timeout).min(),
            drain,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What it wants done, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Carries what the rooms say to one another until they are quiet.
    fn settle(&mut self, now: Now) {
        self.carry(now);
        if self.end_drained(now) {
            self.carry(now); // An offer that ends with its call is told before the call is closed.
        }
        self.mind_drain(now);
        self.post();
        self.flush_records();
        self.order_ports();
    }

    fn carry(&mut self, now: Now) {
        loop {
            if let Some((id, input)) = self.todo.pop_front() {
                self.step(id, now, |call| call.handle_input(input, now));
            } else if let Some(output) = self.endpoint.poll_output() {
                self.endpoint_told(output, now);
            } else if let Some(decision) = self.acd.poll_output() {
                self.decided(decision, now);
            } else if !self.ring_cleared(now) && !self.mind_watchers() {
                break;
            }
        }
    }

    /// One step of one call. A fault inside it ends that call and nothing else.
    fn step(&mut self, id: CallId, now: Now, act: impl FnOnce(&mut Call)) {
        let Some(entry) = self.calls.get_mut(&id) else { return };
        if catch_unwind(AssertUnwindSafe(|| act(&mut entry.call))).is_err() {
            return self.call_failed(id, now);
        }
        while let Some(command) = self.calls.get_mut(&id).and_then(|entry| entry.call.poll_output()) {
            self.carry_out(id, command, now);
        }
        let next = self.calls.get(&id).and_then(|entry| entry.call.poll_timeout());
        self.agenda.set(&id, next);
    }

    fn tell_call(&mut self, id: CallId, input: call::Input) {
        self.todo.push_back((id, input));
    }

    fn sip_config(&self, plan: &Plan, accounts: Vec<SeatAccount>, passwords: &TrunkPasswords) -> sip::Config {
        let trunks = trunks::configs(plan, &self.listeners, passwords, &self.known_hops);
        outward::sip_config(plan, &self.listeners, accounts, trunks)
    }

    fn plan_changed(
        &mut self,
        plan: Arc<Plan>,
        config: sip::Config,
        sounds: Vec<(PromptId, SoundId)>,
        now: Now,
    ) {
        self.endpoint.configure(config, now);
        let still = self.queues_of_calls();
        self.acd.plan_changed(&plan, &still, now.mono);
        self.missed.plan_changed(&plan.missed);
        self.follow_up.plan_changed(&plan.follow_up);
        self.voices = voices::Voices::new(sounds.into_iter().chain(self.notices.sounds()).collect());
        self.plan = plan;
        self.keep_places_on(now);
    }

    /// Queues of the plans that calls under way began with: they may come to them yet.
    fn queues_of_calls(&self) -> BTreeSet<QueueId> {
        let plans: BTreeMap<_, _> = self.plans_of_calls().map(|plan| (Arc::as_ptr(plan), plan)).collect();
        plans.values().flat_map(|plan| plan.queues.keys().cloned()).collect()
    }

    /// Ends what is left when the grace is over; `false`: nothing, or it is not over.
    fn end_drained(&mut self, now: Now) -> bool {
        let Drain::Until(at) = self.drain else { return false };
        if now.mono < at && !self.calls.is_empty() {
            return false;
        }
        self.drain = Drain::Closing;
        let mut left: Vec<CallId> = self.calls.keys().copied().collect();
        left.sort();
        for id in &left {
            self.step(*id, now, |call| {
                call.handle_input(call::Input::End { cause: call::EndWhy::Drained }, now);
            });
        }
        !left.is_empty()
    }

    fn mind_drain(&mut self, now: Now) {
        if self.drain == Drain::Closing && self.calls.is_empty() {
            self.seats_end(now);
        }
        let quiet = self.calls.is_empty() && self.records.is_quiet() && !self.endpoint.is_unregistering();
        if self.drain == Drain::Closing && quiet {
            self.drain = Drain::Done;
            self.outputs.push_back(Output::Drained);
        }
    }

    fn order_ports(&mut self) {
        if let Some(more) = self.ports.wanted() {
            self.outputs.push_back(Output::OpenPorts(more));
        }
    }

    /// The plan for the next call.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Queues and seats, to be read.
    pub fn acd(&self) -> &Acd {
        &self.acd
    }

    /// Calls under way, oldest first.
    pub fn calls(&self) -> Vec<(CallId, &Entry)> {
        let mut calls: Vec<_> = self.calls.iter().map(|(id, entry)| (*id, entry)).collect();
        calls.sort_by_key(|(id, _)| *id);
        calls
    }

    /// The plans of the calls under way, one for each call.
    pub fn plans_of_calls(&self) -> impl Iterator<Item = &Arc<Plan>> {
        self.calls.values().map(|entry| entry.call.plan())
    }

    /// The plan that a call under way keeps to its end.
    pub fn plan_of(&self, call: CallId) -> Option<&Arc<Plan>> {
        self.calls.get(&call).map(|entry| entry.call.plan())
    }

    /// The line that a call under way dialled.
    pub fn line_of(&self, call: CallId) -> Option<&LineId> {
        self.calls.get(&call).map(|entry| &entry.line)
    }

    /// How a call's recording stands.
    pub fn recording(&self, call: CallId) -> RecordingState {
        self.calls.get(&call).map_or(RecordingState::Off, |entry| entry.call.recording())
    }

    /// Outboxes in the order of the plan's sinks, then of its feeds, to be read; `None`: the embedded office has none.
    pub fn outboxes(&self) -> &[Option<Outbox>] {
        &self.outboxes
    }

    /// Requests turned away at the door, by reason.
    pub fn turned_away(&self) -> &BTreeMap<crate::sip::event::TurnedAway, u64> {
        &self.turned_away
    }

    /// The endpoint's tables, for figures and for tests that look for leftovers.
    pub fn sip(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Legs that found no RTP ports since the last call: their calls were refused, or went another way.
    pub fn take_portless(&mut self) -> u64 {
        self.ports.take_missing()
    }

    /// Port pairs in use.
    pub fn ports_in_use(&self) -> usize {
        self.ports.in_use()
    }

    /// Whether SIGTERM was heard.
    pub fn is_draining(&self) -> bool {
        self.drain != Drain::Open
    }
}
