//! The stream of facts: numbered, timed, given to the store, and known to be on disk or not.
//!
//! An event of a fact goes to its outboxes only when the fact is on disk: nobody is told of what
//! a crash could still undo.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::callers::SEATS_MAX;
pub(super) use super::fact::millis;
use super::fact::{Answer, Cause, Missing, Outbound, Party, Span};
use super::kept::Answered;
use super::ticketing::About;
use super::{Entry, Fact, Output, StoreJob, Switchboard, What, looking, objects, posting, ticketing};
use crate::call::{self, Callee, Ending, Input, Side, Told};
use crate::id::{CallId, SeatId, mask};
use crate::media::order::{Codec, LegFigures};
use crate::routing::meeting::SEATS;
use crate::routing::people::Role;
use crate::switchboard::fact::Sound;
use crate::tickets::event::{EventRef, StoredEvent};
use crate::time::{Instant, Now};

/// Ended calls whose recording is still being closed, or that a clerk may still say something of; the
/// oldest is forgotten beyond this.
const TAILS_MAX: usize = 16_384;

/// Nothing more is said of a call by clerks.
const SAID_ENOUGH: u16 = u16::MAX;

/// Events kept for outboxes until they are on disk. While the store fails for long, outboxes read
/// what goes beyond back from disk afterwards.
const EVENTS_MAX: usize = 16_384;

/// Facts on their way to disk.
#[derive(Default)]
pub(super) struct Records {
    /// Of this turn.
    jobs: Vec<StoreJob>,
    events: Vec<StoredEvent>,
    last_token: u64,
    /// Calls that wait for their opening's batch, by its token.
    openings: VecDeque<(u64, CallId)>,
    /// Batches that the store has not confirmed, oldest first.
    unstored: VecDeque<Batch>,
    /// Events in `unstored`.
    kept: usize,
    /// Look-ups that outboxes want once everything up to a token is on disk.
    loads: VecDeque<Load>,
    /// Ended calls of which there may still be something to be told.
    tails: BTreeMap<CallId, Tail>,
    /// Place of the last fact among all of the house.
    last_house: u64,
}

/// What is kept of a call that is over.
struct Tail {
    sequence: u32,
    ended: Instant,
    clerks: Vec<SeatId>,
    said: u16,
}

struct Batch {
    token: u64,
    events: Vec<StoredEvent>,
    /// The first of the events that were not kept.
    left: Option<EventRef>,
}

impl Batch {
    /// Nothing to hand on but a place on disk: the next such batch may be one with it.
    fn is_left(&self) -> bool {
        self.left.is_some() && self.events.is_empty()
    }
}

struct Load {
    token: u64,
    sink: usize,
    after: Option<EventRef>,
    most: usize,
}

impl Records {
    /// `last_house`: the place of the last fact that is on disk.
    pub(super) fn after(last_house: u64) -> Self {
        Records { last_house, ..Records::default() }
    }

    /// The next place among all facts of the house.
    pub(super) fn next_house(&mut self) -> u64 {
        self.last_house += 1;
        self.last_house
    }

    pub(super) fn push(&mut self, job: StoreJob) {
        self.jobs.push(job);
    }

    /// An outbox wants to read back what is on disk: after all writes that were wanted before, or
    /// it would be given what it has settled.
    pub(super) fn load(&mut self, sink: usize, after: Option<EventRef>, most: usize) {
        let token = self.last_token + u64::from(!self.jobs.is_empty());
        self.loads.push_back(Load { token, sink, after, most });
    }

    fn next_load(&mut self) -> Option<Output> {
        let on_disk = self.unstored.front().map_or(self.last_token, |batch| batch.token - 1);
        let Load { sink, after, most, .. } = self.loads.pop_front_if(|load| load.token <= on_disk)?;
        Some(Output::LoadOutbox { sink, after, most })
    }

    /// The call waits for this turn's batch.
    pub(super) fn await_opening(&mut self, call: CallId) {
        self.openings.push_back((self.last_token + 1, call));
    }

    /// The call was answered, and is over.
    pub(super) fn keep_tail(&mut self, call: CallId, entry: &mut Entry, now: Now) {
        let clerks = std::mem::take(&mut entry.standing.seats);
        let (sequence, said) = (entry.sequence, entry.standing.said);
        self.tails.insert(call, Tail { sequence, ended: now.mono, clerks, said });
        if self.tails.len() > TAILS_MAX {
            self.tails.pop_first();
        }
    }

    /// Something is still to be told of a call of an earlier life of the house, whose last fact has this
    /// sequence: more may have been told of it since, for another reason.
    pub(super) fn resume(&mut self, call: CallId, sequence: u32, now: Now) {
        let tail = || Tail { sequence, ended: now.mono, clerks: Vec::new(), said: SAID_ENOUGH };
        self.tails.entry(call).or_insert_with(tail);
        if self.tails.len() > TAILS_MAX {
            self.tails.pop_first();
        }
    }

    /// Clerks of a call that is over, and how often something was said of it, if that may still be.
    pub(super) fn late(
        &mut self,
        call: CallId,
        within: Duration,
        now: Now,
    ) -> Option<(&Vec<SeatId>, &mut u16)> {
        let tail = self.tails.get_mut(&call).filter(|tail| now.mono.since(tail.ended) <= within)?;
        Some((&tail.clerks, &mut tail.said))
    }

    /// Clerks of a call that is over.
    pub(super) fn clerks_of(&self, call: CallId) -> &[SeatId] {
        self.tails.get(&call).map_or(&[], |tail| tail.clerks.as_slice())
    }

    /// Whether everything is on disk.
    pub(super) fn is_quiet(&self) -> bool {
        self.jobs.is_empty() && self.unstored.is_empty()
    }
}

impl Switchboard {
    /// Adds a fact to the stream.
    pub(super) fn record(&mut self, call: CallId, mut what: What, now: Now) {
        if let Some(entry) = self.calls.get(&call) {
            looking::hide(&mut what, &entry.hidden);
        }
        let sequence = match self.calls.get_mut(&call) {
            // The seat's own fact is all there is to it.
            Some(entry) if entry.standing.is_code => return,
            Some(entry) => {
                entry.note(&what, now);
                &mut entry.sequence
            }
            None => match self.records.tails.get_mut(&call) {
                Some(tail) => &mut tail.sequence,
                None => return tracing::debug!(%call, ?what, "a fact about a call that is forgotten"),
            },
        };
        *sequence += 1;
        let sequence = *sequence;
        let fact = Fact { call, sequence, at: now.wall, mono: now.mono, what };
        let events: Vec<StoredEvent> = self.event_of(&fact).into_iter().collect();
        self.records.events.extend(events.iter().cloned());
        let house = self.records.next_house();
        self.follow_up.handle_fact(&fact, now);
        let settled = self.missed.handle_fact(&fact, now);
        let sinks = posting::of_sinks(&self.outboxes, &self.plan).map(|(sink, _)| sink);
        let whose = |number: &str| objects::object_of(&self.plan, number);
        let handed_on = self.hand_ons.handle_fact(&fact, whose, sinks, now);
        let answered = Answered::of(&fact.what);
        self.records.jobs.push(StoreJob::Fact { house, fact, events });
        if let Some(settled) = settled {
            let outcome = settled.outcome;
            self.record(settled.call, What::CallbackSettled { outcome }, now);
        }
        self.handed_on(call, handed_on, now);
        if let Some(who) = answered {
            self.somebody_answered(call, who, now);
        }
    }

    fn event_of(&self, fact: &Fact) -> Option<StoredEvent> {
        if self.outboxes.is_empty() {
            return None; // Nobody would get it.
        }
        let about = self.calls.get(&fact.call).map(|entry| About {
            line: &entry.line,
            caller: entry.outward.as_ref().map_or_else(|| entry.shown_caller(), |own| own.shown_number()),
            hidden: entry.outward.as_ref().filter(|own| own.is_confidential).map(|own| own.number.as_str()),
            ticket: &entry.ticket,
        });
        ticketing::event(fact, about, &self.plan, &self.source)
    }

    /// A fact in a call's own words.
    pub(super) fn told(&mut self, id: CallId, told: Told, now: Now) {
        if let Told::Closed { cause, .. } = &told {
            self.callback_over(id, *cause, now);
        }
        let role = match &told {
            Told::SeatAnswered { seat, .. } => self.role_of(seat),
            _ => None,
        };
        let Some(entry) = self.calls.get_mut(&id) else { return };
        let what = match told {
            Told::Answered { durable } => {
                if !durable {
                    tracing::warn!(call = %id, "answered before its record was on disk");
                }
                What::Answered { durable }
            }
            Told::Announced { prompt } => What::Announced { prompt },
            Told::DigitPressed { digit } => What::DigitPressed { digit },
            Told::Urgent => return self.made_urgent(id, now),
            Told::Queued { queue } => {
                entry.called.waits(now);
                What::Queued { queue }
            }
            Told::SeatAnswered { seat, waited } => {
                let leg = entry.called.leg_of_seat(&seat);
                What::SeatAnswered { seat, waited_ms: millis(waited), leg }
            }
            Told::SeatLeft { seat, talked, vanished } => {
                What::SeatLeft { seat, talked_ms: millis(talked), vanished }
            }
            Told::PeerDialled { trunk, number } => What::PeerDialled { trunk, number },
            Told::PeerAnswered { trunk, number } => {
                let leg = entry.called.leg_of_peer(&number);
                What::PeerAnswered { trunk, number, leg }
            }
            Told::PeerFailed { trunk, number, status } => What::PeerFailed { trunk, number, status },
            Told::Transfer { to, kind, step, whom } => {
                self.transfer_fact(id, to, whom.as_deref(), (kind, step))
            }
            Told::Held { leg, holds } => What::Held { leg, holds },
            Told::PeerLeft { trunk, number, talked } => {
                What::PeerLeft { trunk, number, talked_ms: millis(talked) }
            }
            Told::SurveyReason { digit, grade, subject } => What::SurveyReason { digit, grade, subject },
            Told::CallerLeft { cause } => {
                tracing::info!(call = %id, ?cause, "the caller has left, others go on");
                let reason = entry.along.reason_for(cause);
                What::CallerLeft { cause: cause_of(cause), reason }
            }
            Told::Replaced { leg } => What::LegReplaced { leg },
            Told::RoomJoined => What::RoomJoined { members: self.rooms.join(&entry.line, &mut entry.stay) },
            Told::RoomLeft { stayed } => {
                let members = self.rooms.leave(&entry.line, &mut entry.stay).unwrap_or(0);
                What::RoomLeft { members, stayed_ms: millis(stayed) }
            }
            Told::Missing { leg, side, what } => {
                let party = match side {
                    Side::Caller => Party::Caller,
                    Side::Callee(callee) => party_of(callee),
                };
                let missing = match what {
                    call::Missing::Sound => Missing::Sound,
                    call::Missing::Packets => Missing::Packets,
                    call::Missing::Nothing => Missing::Nothing,
                };
                tracing::info!(call = %id, %leg, ?missing, "sound is missing in one direction, or is back");
                What::SoundMissing { leg, party, missing }
            }
            Told::LegClosed { leg, callee, sound } => {
                What::LegClosed { leg, party: party_of(callee), sound: sound_of(sound) }
            }
            Told::TicketLeft { reason } => What::TicketLeft { reason: reason.name().into() },
            Told::ScriptBegun { script } => What::ScriptBegun { script },
            Told::ValueUnread { value } => {
                tracing::warn!(call = %id, value, "a value of a flow cannot be said as the plan has it");
                What::ValueUnread { value }
            }
            Told::LookedUp { source, answer, took } => {
                tracing::info!(call = %id, %source, answer = answer.word(), "looked up");
                let about = entry.missed_about.take().filter(|_| answer == Answer::Missing);
                What::LookedUp { source, answer, took_ms: millis(took), about }
            }
            Told::NotRelayed { name, why, number } => {
                // An adapter may say anything: what is no number is not repeated.
                let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+');
                let number = if is_number { mask(&number).to_string() } else { String::new() };
                let reason = why.word();
                tracing::warn!(call = %id, value = name, reason, number, "whom a flow was to ring was not rung");
                What::NotRelayed { name, why, number }
            }
            Told::RelayDeclined { number } => What::RelayDeclined { number: mask(&number).to_string() },
            Told::BotTalked { bot, end, took, lines, cut } => {
                let (said, took_ms) = (lines.len(), millis(took));
                tracing::info!(call = %id, %bot, end = end.word(), said, took_ms, "a bot's talk is over");
                What::BotTalked { bot, end, took_ms, lines, cut }
            }
            Told::MessageLeft { name, from, to } => {
                What::MessageLeft { name, from_ms: millis(from), to_ms: millis(to) }
            }
            Told::Ordered { category, values, message, code } => {
                let message = message.map(|(from, to)| Span { from_ms: millis(from), to_ms: millis(to) });
                What::Ordered { category, values, message, code }
            }
            Told::Surveyed { grade, subject } => What::Surveyed { grade, subject },
            Told::RecordingPaused { by } => What::RecordingPaused { by },
            Told::RecordingResumed { by } => What::RecordingResumed { by },
            Told::Closed { cause, sound } => {
                let lasted_ms = millis(now.mono.since(entry.opened));
                tracing::info!(call = %id, ?cause, lasted_ms, "call closed");
                let answered_ms = entry.answered.map(|at| millis(now.mono.since(at)));
                let reason = entry.along.reason_for(cause);
                let (cause, sound) = (cause_of(cause), sound.map(sound_of));
                What::Closed { cause, lasted_ms, answered_ms, sound, reason }
            }
        };
        self.record(id, what, now);
        if let Some(role) = role {
            self.record(id, role, now);
        }
    }

    /// What is told of a seat that picked up and is no clerk's: reports tell a leader's calls by it.
    fn role_of(&self, seat: &SeatId) -> Option<What> {
        let role = match self.plan.seats.get(seat)?.role {
            Role::Clerk => return None,
            Role::Expert => "expert",
            Role::Leader => "leader",
            Role::Observer => "observer",
            Role::Trainee => "trainee",
            Role::Supervisor => "supervisor",
            Role::Admin => "admin",
        };
        Some(What::SeatRole { seat: seat.clone(), role: role.to_owned() })
    }

    /// Gives the turn's writes to the store as one batch.
    pub(super) fn flush_records(&mut self) {
        let records = &mut self.records;
        if !records.jobs.is_empty() {
            records.last_token += 1;
            let token = records.last_token;
            let mut events = std::mem::take(&mut records.events);
            let mut left = None;
            if records.kept + events.len() > EVENTS_MAX {
                left = events.drain(..).map(|event| event.event).min();
            }
            records.kept += events.len();
            match records.unstored.back_mut().filter(|last| last.is_left() && events.is_empty()) {
                Some(last) => {
                    last.token = token;
                    last.left = last.left.into_iter().chain(left).min();
                }
                None => records.unstored.push_back(Batch { token, events, left }),
            }
            self.outputs.push_back(Output::Store { token, jobs: std::mem::take(&mut records.jobs) });
        }
        while let Some(load) = self.records.next_load() {
            self.outputs.push_back(load);
        }
    }

    /// Everything up to `token` is on disk: calls may be answered, offices be told.
    pub(super) fn stored(&mut self, token: u64, now: Now) {
        self.tell_openings(token, true);
        while let Some(batch) = self.records.unstored.pop_front_if(|batch| batch.token <= token) {
            self.records.kept -= batch.events.len();
            for event in &batch.events {
                self.post_event(event, now);
            }
            if let Some(first) = batch.left {
                self.outboxes.iter_mut().flatten().for_each(|outbox| outbox.left_on_disk(first));
            }
        }
    }

    /// The store cannot write now; it goes on trying. Calls are answered all the same, and marked.
    pub(super) fn store_failed(&mut self, token: u64) {
        self.tell_openings(token, false);
    }

    fn tell_openings(&mut self, token: u64, durable: bool) {
        while let Some((_, call)) = self.records.openings.pop_front_if(|(batch, _)| *batch <= token) {
            self.tell_call(call, Input::Recorded { durable });
        }
    }
}

impl Entry {
    /// What of a fact is needed later.
    fn note(&mut self, what: &What, now: Now) {
        match what {
            What::Answered { .. } => self.answered = Some(now.mono),
            What::PeerAnswered { trunk, .. } if trunk.as_str() != SEATS => {
                if let Some(outward) = &mut self.outward {
                    outward.is_case = true;
                }
            }
            What::SeatAnswered { seat, .. } => {
                let seats = &mut self.standing.seats;
                seats.retain(|known| known != seat);
                if seats.len() < SEATS_MAX {
                    seats.push(seat.clone());
                }
            }
            _ => {}
        }
    }
}

fn cause_of(ending: Ending) -> Cause {
    match ending {
        Ending::CallerHungUp => Cause::CallerHungUp,
        Ending::CallerCancelled => Cause::CallerCancelled,
        Ending::Completed => Cause::Completed,
        Ending::OtherHungUp => Cause::OtherHungUp,
        Ending::CallerVanished => Cause::CallerVanished,
        Ending::Refused(status) => Cause::Refused(status),
        Ending::Drained => Cause::Drained,
        Ending::TooLong => Cause::TooLong,
        Ending::Failed => Cause::Failed,
    }
}

fn sound_of(figures: LegFigures) -> Sound {
    let out = figures.outbound;
    let outbound = (out.reports > 0 || out.nonsense > 0).then_some(Outbound {
        expected: out.expected,
        lost: out.lost,
        jitter_us: out.jitter_us,
        mos_x100: out.mos_x100,
        nonsense: out.nonsense,
    });
    Sound {
        codec: figures.codec.map_or_else(String::new, |codec| codec_name(codec).into()),
        received: figures.received,
        sent: figures.sent,
        lost: figures.lost,
        late: figures.late,
        duplicate: figures.duplicate,
        refused: figures.refused,
        jitter_us: figures.jitter_us,
        gap_max_ms: figures.gap_max_ms,
        round_trip_us: figures.round_trip_us,
        mos_x100: figures.mos_x100,
        mute_ms: figures.mute_ms,
        unheard_ms: figures.unheard_ms,
        outbound,
    }
}

/// As SDP writes it.
fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcma => "PCMA",
        Codec::Pcmu => "PCMU",
        Codec::G722 => "G722",
        Codec::L16 => "L16",
        Codec::Opus => "opus",
        Codec::G729 => "G729",
    }
}

fn party_of(callee: Callee) -> Party {
    match callee {
        Callee::Seat(seat) => Party::Seat { seat },
        Callee::Peer { trunk, number } => Party::Peer { trunk, number },
    }
}

#[cfg(test)]
#[path = "recording_test.rs"]
mod tests;
