//! What happens on one call: the legs of one caller, from the INVITE to the last goodbye.
//!
//! A [`Call`] runs its [`Flow`] step after step and tells what it wants in [`Command`]s. It knows
//! no other call, no queue's inner order and no ticket office; who gets the next seat is `acd`'s
//! to say, and what travels on the wire is `sip`'s and `media`'s.

mod arrange;
mod attended;
mod bot;
mod chime;
mod digits;
mod early;
mod early_offer;
mod ending;
pub mod event;
mod flow_run;
mod kept;
mod keys;
mod left;
mod leg;
mod meeting;
pub mod negotiate;
mod notice;
mod notices;
mod outward;
mod party;
mod passing;
mod peer;
mod queueing;
pub mod recording;
mod refer;
mod replaced;
mod script;
mod script_bot;
mod script_keys;
mod script_message;
mod script_reach;
mod script_words;
mod sound;
mod survey;
mod talk;
mod third;
mod turned;
mod urgent;
mod watching;
mod wish;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::id::{CallId, LegId, PromptId, QueueId, SeatId};
use crate::media::order::{ConferenceId, Group, LegFigures, PortSlot, SoundId};
use crate::routing::plan::{Flow, Plan, Step, TicketReason};
use crate::sip::sdp::Sdp;
use crate::time::{Instant, Now, Timers};

use arrange::Ears;
pub use arrange::conference_of;
pub use attended::GivenAway;
pub use bot::{BotEnd, BotLine, BotSaid, Voice};
pub use event::{
    Answer, Beside, Callee, Command, EndWhy, Ending, Input, LookedUp, Missing, NotRelayed, Partner, Side,
    Subject, Told, TransferKind, TransferStep,
};
use keys::Keys;
use left::Left;
use leg::Leg;
use meeting::Member;
use negotiate::{Disagreement, KeySeed, Taste, Terms};
use notice::Notice;
use outward::First;
use party::Other;
use script::{Acting, Service};
pub use script_bot::PAYLOAD_TYPE as BOT_PAYLOAD_TYPE;
use survey::Question;
use third::{Standing, Third};
use turned::Turned;
use watching::Watcher;
pub use wish::{Unwilling, Wish};

/// How long a peer that fell silent may take to answer our OPTIONS.
const PROBE_WAIT: Duration = Duration::from_secs(4);
/// How long both ends listen to the seat's number at most, should the engine never say that it is through.
const GREETING_MAX: Duration = Duration::from_secs(10);
/// Clerks that one caller may lose, by a vanished telephone or before a word was said, and still be
/// given back to the queue; then the queue's overflow follows.
const SEATS_LOST_MAX: u8 = 3;
/// How long an ended call waits for the last figures of its sound.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

/// What a call begins with.
pub struct Setup {
    /// Its id.
    pub id: CallId,
    /// The plan in force when it came in, kept to its end.
    pub plan: Arc<Plan>,
    /// What to do.
    pub flow: Flow,
    /// The ticket's number: digits, read out where a ticket is left.
    pub ticket: String,
    /// What the progress of a ticket is asked by that the caller orders (提取码): digits.
    pub pickup: String,
    /// The caller's number, for flows that ask by it; empty: withheld, or no citizen's call.
    pub from: String,
    /// The plan's prompts in the sound bank.
    pub sounds: Arc<BTreeMap<PromptId, SoundId>>,
    /// The caller's offer; `None`: late offer.
    pub offer: Option<Arc<Sdp>>,
    /// The caller takes provisional answers reliably: then a late offer can be made before the answer.
    pub reliable: bool,
    /// A port pair for the caller's leg.
    pub slot: PortSlot,
    /// Who signals for the caller.
    pub peer: IpAddr,
    /// What our descriptions say.
    pub sound_ip: IpAddr,
    /// `o=` session ids count up from here.
    pub session: u64,
    /// What the operator allows for the caller's sound.
    pub terms: Terms,
    /// For its keys, where the caller signals over TLS.
    pub keys: Option<KeySeed>,
}

/// One caller's call.
pub struct Call {
    id: CallId,
    plan: Arc<Plan>,
    sounds: Arc<BTreeMap<PromptId, SoundId>>,
    session: u64,
    /// All its legs'.
    group: Group,
    record: bool,
    recording: bool,
    /// Since when it runs, or ran.
    recorded_since: Option<Instant>,
    /// And is paused.
    paused: bool,
    steps: VecDeque<Step>,
    /// The first leg, whoever is on it; of a call that was turned round, whom the clerk called.
    caller: Leg,
    /// The clerk on the first leg, where it is not a citizen's, and the call is not turned round.
    clerk: Option<SeatId>,
    /// The clerk who began it is `other`, or was: whom they called is on the caller's leg.
    turned: Option<Turned>,
    /// Whoever was in the caller's place has left `other` and `third`, who go on.
    left: Option<Left>,
    /// How the first leg sounded, once it is closed.
    first_sound: Option<LegFigures>,
    /// The house called the first leg.
    first: Option<First>,
    reliable: bool,
    /// Who talks with the caller, or is dialled for them.
    other: Option<Other>,
    /// Who is asked in beside them, or in their place.
    third: Option<Third>,
    /// Seats that ring for a caller who waits. The first to pick up is `other`; the rest ring on, and one
    /// of them that picks up, too, is kept in reserve, until `acd` takes them back.
    ringing: Vec<Other>,
    /// Transfers that were asked for in vain.
    declined: u8,
    /// `other` is a seat that the caller was put through to.
    put_through: bool,
    /// Legs that were let go of, until the figures of their sound are there.
    parted: Vec<(LegId, Callee)>,
    /// A clerk has talked with the caller: that can be asked about.
    clerk_talked: bool,
    /// The clerk's key codes.
    keys: Keys,
    /// What each leg was ordered to hear.
    ears: Ears,
    /// Guests are in the call's conference.
    watched: bool,
    legs_born: u16,
    doing: Doing,
    stage: Stage,
    /// The clerk wants the caller left with music.
    held: bool,
    /// The clerk of whom it was told that they hold.
    told_held: Option<LegId>,
    notice: Notice,
    /// Legs that were told of observers; never more than there are.
    noticed: Vec<LegId>,
    /// The queue it waits or waited in.
    queue: Option<QueueId>,
    /// Whether the place in it may be kept.
    keeping: Option<kept::Offer>,
    /// The caller said by key that it is urgent.
    urgent: bool,
    /// By a policy the queue is passed over, unless it is urgent.
    cools_down: bool,
    /// Satisfaction is not asked for.
    unsurveyed: bool,
    /// Clerks that were lost and gave the caller back to the queue.
    seats_lost: u8,
    /// What the failure of the peer that is dialled means: a ticket, and words.
    on_failure: (bool, Option<PromptId>),
    ticket: String,
    /// What the caller does by themselves.
    service: Service,
    written: Option<bool>,
    marks: u32,
    timers: Timers<Timer>,
    outputs: VecDeque<Command>,
}

/// How far the caller's side has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No final answer yet.
    Ringing,
    /// 200 is out.
    Answered,
    /// The caller is gone or was sent away.
    Gone,
}

/// What the call is at.
#[derive(Clone, Debug, PartialEq)]
enum Doing {
    /// Between two steps.
    Stepping,
    /// An answer is due as soon as the opening record is on disk, or the bound is over.
    AwaitingRecord,
    /// Our 200 carried the offer: no sound before the ACK.
    AwaitingAck,
    /// Our early offer is out: no sound before the PRACK.
    AwaitingPrack { prompt: PromptId },
    /// A prompt or a few, to their end.
    Playing { mark: u32 },
    /// In a flow of the operator's.
    Serving(Acting),
    /// A hot notice.
    Notifying { mark: u32 },
    /// Until the caller leaves.
    Lingering,
    /// In a queue; perhaps seats ring.
    Queueing,
    /// Whoever is on the first leg is being called by us.
    CallingFirst,
    /// A peer is being called.
    Dialling,
    /// The caller is being put through to `third`; `other`, if still there, asked for it.
    Transferring,
    /// The seat's number is heard by both; the marks that are not through yet.
    Introducing { caller: Option<u32>, seat: Option<u32> },
    /// Caller and `other` talk; perhaps `third`, too.
    Talking,
    /// In a room.
    Meeting(Member),
    /// Listens to others.
    Watching(Watcher),
    /// 好差评.
    Asking(Question),
    /// Last words, then we hang up.
    Parting { mark: u32 },
    /// Everything is hung up; the last figures are on their way.
    Ended { cause: Ending },
    /// Forgotten.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// The opening record's bound.
    Record,
    /// A peer rings for no longer.
    Ring,
    /// The leg of this index did not answer our OPTIONS.
    Probe(u16),
    /// The seat's number should be through.
    Introduction,
    /// The next key of a code did not come.
    Keys,
    /// What the leg of this index is told should be through.
    Words(u16),
    /// The caller has been left with music for too long.
    Hold,
    /// No digit came.
    Survey,
    /// What the act of a flow waits for did not come.
    Act,
    /// It is time to offer that the place is kept.
    KeepOffer,
    /// The notice of observers is through, or may be given.
    Notice,
    /// The longest call.
    Length,
    /// The figures never came.
    Farewell,
}

/// Whom its legs are served with: among themselves, or with all calls of its room.
fn group(call: CallId, flow: &Flow) -> Group {
    let rooms = flow.steps.iter().find_map(|step| match step {
        Step::Meet { room } => Some(ConferenceId(*room)),
        _ => None,
    });
    rooms.map_or_else(|| Group::of_call(call), Group::of_conference)
}

impl Call {
    /// Begins a call whose opening record is on its way to disk.
    ///
    /// `Err`: its offer cannot be taken; the caller gets 488 (RFC 3261 §13.3.1.3), and there is no call.
    pub fn new(setup: Setup, now: Now) -> Result<Call, Disagreement> {
        let caller = Call::taking(&setup)?;
        Ok(Call::begin(setup, caller, (None, None), now))
    }

    /// The first leg by the caller's own offer.
    fn taking(setup: &Setup) -> Result<Leg, Disagreement> {
        let here = (setup.peer, setup.sound_ip);
        let mut caller = Leg::new(LegId::caller(setup.id), setup.slot, here, setup.session, setup.terms);
        let local = caller.local(&setup.plan);
        if !caller.signals_by(setup.keys.as_ref()) {
            return Err(Disagreement::NoTransport);
        }
        if let Some(offer) = &setup.offer {
            caller.take_offer(offer, local, Taste::default())?;
        }
        caller.unsent = setup.offer.clone();
        Ok(caller)
    }

    fn begin(setup: Setup, caller: Leg, (clerk, first): (Option<SeatId>, Option<First>), now: Now) -> Call {
        let mut timers = Timers::default();
        timers.set(Timer::Length, now.mono + setup.plan.limits.call_max);
        let mut call = Call {
            id: setup.id,
            session: setup.session,
            group: group(setup.id, &setup.flow),
            service: Service::new(setup.pickup, setup.from, setup.flow.line),
            record: setup.flow.record,
            recording: false,
            recorded_since: None,
            paused: false,
            steps: setup.flow.steps.into(),
            sounds: setup.sounds,
            plan: setup.plan,
            caller,
            clerk,
            turned: None,
            left: None,
            first_sound: None,
            first,
            reliable: setup.reliable,
            other: None,
            third: None,
            ringing: Vec::new(),
            declined: 0,
            put_through: false,
            parted: Vec::new(),
            clerk_talked: false,
            keys: Keys::default(),
            ears: Ears::default(),
            watched: false,
            legs_born: 1,
            doing: Doing::Stepping,
            stage: Stage::Ringing,
            held: false,
            told_held: None,
            notice: Notice::default(),
            noticed: Vec::new(),
            queue: None,
            keeping: None,
            urgent: false,
            cools_down: false,
            unsurveyed: false,
            seats_lost: 0,
            on_failure: (false, None),
            ticket: setup.ticket,
            written: None,
            marks: 0,
            timers,
            outputs: VecDeque::new(),
        };
        call.set_out(now);
        call
    }

    /// Tells the call what happened.
    pub fn handle_input(&mut self, input: Input, now: Now) {
        match self.doing {
            Doing::Ended { cause } => return self.handle_farewell(Some(cause), &input),
            Doing::Over => return self.handle_farewell(None, &input),
            _ => {}
        }
        let Some(input) = self.first_told(input, now) else { return };
        match input {
            Input::Recorded { durable } => self.record_written(durable, now),
            Input::Port { leg, slot, peer, ours, keys } => {
                self.port_given(leg, slot, (peer, ours), keys.as_ref(), now);
            }
            Input::Routed { leg, trunk, peer, number } => self.other_routed(leg, (trunk, number), peer),
            Input::Progressed { leg, sdp } => self.other_progressed(leg, sdp.as_deref(), now),
            Input::Answered { leg, sdp } => self.other_answered(leg, sdp.as_deref(), now),
            Input::Refused { leg, status } => self.other_refused(leg, status, now),
            Input::Cancelled => self.cancelled(now),
            Input::Confirmed { leg, sdp } => self.confirmed(leg, sdp.as_deref(), now),
            Input::Agreed { leg, sdp } => self.agreed(leg, sdp.as_deref(), now),
            Input::Reoffered { leg, offer } => self.reoffered(leg, offer.as_deref(), now),
            Input::Ended { leg, vanished } => self.leg_ended(leg, vanished, now),
            Input::Alive { leg } => self.timers.cancel(Timer::Probe(leg.index)),
            Input::Silent { leg } => self.leg_silent(leg, now),
            Input::Missing { leg, what } => self.sound_missing(leg, what),
            Input::Digit { leg, digit } => self.digit_heard(leg, digit, now),
            Input::DigitTold { leg, digit } => self.digit_told(leg, digit, now),
            Input::KeysRefused { leg, keys } => self.keys_refused(leg, &keys),
            Input::Referred { leg, refer, target, attended } => {
                self.referred(leg, refer, target, attended, now);
            }
            Input::Adopted { leg, described } => self.dialog_adopted(leg, described),
            Input::NoSeat => self.seat_not_free(now),
            Input::Replaced { leg, offer, peer, keys } => {
                self.replaced(leg, offer.as_deref(), peer, keys.as_ref(), now);
            }
            Input::Played { leg, mark } => self.played(leg, mark, now),
            Input::SoundClosed { leg, figures } => self.leg_closed(leg, *figures),
            Input::SoundFailed { leg } if leg == self.caller.id => self.caller_gone(Ending::Failed, now),
            Input::SoundFailed { leg } if self.is_bots(leg) => self.bot_lost(BotEnd::NoSound, now),
            Input::SoundFailed { leg } => self.leg_ended(leg, true, now),
            Input::RingSeat { seat, waited } => self.ring_seat(seat, waited, now),
            Input::WithdrawSeat { seat } => self.withdraw_seat(&seat, now),
            Input::Position { ahead, expected_wait } => self.tell_position(ahead, expected_wait),
            Input::Overflowed { .. } => self.overflowed(now),
            Input::Watched { watched } => self.watched(watched, now),
            Input::MayKeepPlace { after, key } => self.may_keep_place(after, key, now),
            Input::PlaceKept { kept } => self.place_kept(kept, now),
            Input::PauseRecording { pause, by } => self.pause_recording(pause, by),
            Input::Observed => self.observer_comes(now),
            Input::Beside { beside } => self.sit_beside(beside),
            Input::WatchAs { how } => self.watch_as(how),
            Input::CoolDown => self.cools_down = true,
            Input::LookedUp { asked, said } => self.looked_up(asked, said, now),
            Input::RelayJudged { may } => self.relay_judged(may, now),
            Input::Bot { talk, said } => self.bot_said(talk, said, now),
            Input::Survey { wanted } => self.unsurveyed = !wanted,
            Input::End { cause: EndWhy::Drained } => self.end(Ending::Drained, now),
            Input::End { cause: EndWhy::Failed } => self.end(Ending::Failed, now),
            Input::End { cause: EndWhy::Withdrawn } => self.end(Ending::Completed, now),
        }
    }

    /// Acts on what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(timer) = self.timers.take_due(now.mono) {
            match timer {
                Timer::Record => self.record_late(now),
                Timer::Ring if self.doing == Doing::CallingFirst => self.first_rang_out(now),
                Timer::Ring => self.rang_out(now),
                Timer::Probe(index) => self.leg_ended(LegId { call: self.id, index }, true, now),
                Timer::Introduction => self.introduced(now),
                Timer::Keys => self.keys_forgotten(),
                Timer::Words(index) => self.words_through(LegId { call: self.id, index }, now),
                Timer::Hold => self.waited_too_long(now),
                Timer::KeepOffer => self.offer_to_keep(now),
                Timer::Survey => self.survey_unanswered(now),
                Timer::Act => self.act_late(now),
                Timer::Notice => self.notice_due(now),
                Timer::Length => self.end(Ending::TooLong, now),
                Timer::Farewell => {
                    if let Doing::Ended { cause } = self.doing {
                        self.close(cause);
                    }
                }
            }
        }
    }

    /// When it next wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// What it wants done, in order.
    pub fn poll_output(&mut self) -> Option<Command> {
        self.outputs.pop_front()
    }

    /// Whether it hangs up, or has hung up, everything.
    pub fn is_over(&self) -> bool {
        matches!(self.doing, Doing::Ended { .. } | Doing::Over)
    }

    /// The plan that it keeps to its end.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The queue it waits or waited in.
    pub fn queue(&self) -> Option<&QueueId> {
        self.queue.as_ref()
    }

    /// In one word, for boards.
    pub fn state(&self) -> &'static str {
        match &self.doing {
            Doing::Stepping | Doing::AwaitingRecord | Doing::AwaitingAck | Doing::AwaitingPrack { .. } => {
                "opening"
            }
            Doing::Playing { .. } | Doing::Notifying { .. } | Doing::Lingering => "prompt",
            Doing::Serving(_) => "self_service",
            Doing::Queueing if !self.ringing.is_empty() => "ringing",
            Doing::Queueing => "waiting",
            Doing::CallingFirst => "calling",
            Doing::Dialling => "dialling",
            Doing::Transferring => "transferring",
            Doing::Talking if self.goes_on_alone() => "without_caller",
            Doing::Talking => match self.third.as_ref().map(|third| third.standing) {
                Some(Standing::Asked | Standing::Consulting) => "consulting",
                Some(Standing::Merged) => "conference",
                Some(Standing::TakingOver) | None => "talking",
            },
            Doing::Introducing { .. } => "talking",
            Doing::Meeting(_) => "meeting",
            Doing::Watching(_) => "watching",
            Doing::Asking(_) => "survey",
            Doing::Parting { .. } => "parting",
            Doing::Ended { .. } | Doing::Over => "ended",
        }
    }

    /// One of our legs.
    fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        if id == self.caller.id {
            return Some(&mut self.caller).filter(|_| self.left.is_none());
        }
        self.party_mut(id).map(|party| &mut party.leg)
    }

    fn push(&mut self, command: Command) {
        if let Command::Sound(order) = &command {
            self.ears.note(order);
        }
        self.outputs.push_back(command);
    }

    fn tell(&mut self, told: Told) {
        self.push(Command::Tell(told));
    }

    /// Asks a leg that fell silent whether it is there; RTP may be silent for good reasons.
    fn leg_silent(&mut self, leg: LegId, now: Now) {
        let timer = Timer::Probe(leg.index);
        if self.is_established(leg) && self.timers.due(timer).is_none() {
            self.timers.set(timer, now.mono + PROBE_WAIT);
            self.push(Command::Probe { leg });
        }
    }
}
