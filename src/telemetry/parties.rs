//! Who was on a call, from when to when, and what became of the caller's time: a fold over its facts.
//!
//! All times are whole milliseconds since the opening, so that parts add up to their wholes exactly:
//! the caller's four parts, and what others went on without them, to the length of the call; each other
//! party's three to its stay. A party is there from its pick-up on (the seat's number is heard by both) until
//! it has left.

use serde::{Deserialize, Serialize};

use crate::id::SeatId;
use crate::switchboard::fact::{Object, Party, TransferKind, TransferStep, What};

/// Stays kept of one call, the caller's among them. Beyond it the one that ended first is dropped and
/// counted; its minutes stay in the caller's.
pub const PARTIES_MAX: usize = 32;

/// One stay of somebody on a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyTime {
    /// Who.
    #[serde(flatten)]
    pub party: Party,
    /// Index of the leg, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<u16>,
    /// What whoever was transferred to is in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// Picked up. The caller: 0.
    pub joined_ms: u64,
    /// Was gone; `None`: is there still.
    pub left_ms: Option<u64>,
    /// With the caller. The caller: with anybody.
    pub talked_ms: u64,
    /// Held, or waited for a transfer that it had asked for. The caller: left with music or a ringing tone.
    pub held_ms: u64,
    /// With others than the caller, who heard music or had left.
    #[serde(default)]
    pub consulted_ms: u64,
}

/// A call's time.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    /// Everybody who was on it, by when they joined; the caller first. At most [`PARTIES_MAX`].
    pub parties: Vec<PartyTime>,
    /// Stays that are not among them any more.
    #[serde(skip_serializing_if = "is_zero")]
    pub parties_dropped: u32,
    /// The caller was with somebody; two at once count once.
    pub with_somebody_ms: u64,
    /// The caller was on hold, or being put through.
    pub on_hold_ms: u64,
    /// The caller waited in a queue with nobody.
    pub in_queue_ms: u64,
    /// The rest: ringing, prompts, the survey.
    pub alone_ms: u64,
    /// The caller had left, and others went on.
    #[serde(skip_serializing_if = "is_nothing")]
    pub without_caller_ms: u64,
    #[serde(skip)]
    under_way: UnderWay,
}

fn is_nothing(span_ms: &u64) -> bool {
    *span_ms == 0
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What is known between two facts.
#[derive(Clone, Debug, PartialEq, Default)]
struct UnderWay {
    /// Up to here all time is given out.
    at_ms: u64,
    present: Vec<Present>,
    stage: Stage,
    caller_holds: bool,
    queued: bool,
    /// Whom the transfer that is under way is to.
    target: Option<Object>,
    /// Whose own call it is: their telephone is the caller's row, and it is they who ask others in.
    own: Option<SeatId>,
    /// The caller has left the others.
    caller_left: bool,
    over: bool,
}

impl UnderWay {
    /// Whom the clerk has called has waited with music or a ringing tone, and is with somebody again.
    fn together(&mut self) {
        self.stage = Stage::Together;
        self.present.iter_mut().for_each(|present| present.aside = false);
    }
}

/// Somebody who is there, beside the caller.
#[derive(Clone, Debug, PartialEq)]
struct Present {
    row: usize,
    /// Not with the caller, by a transfer.
    aside: bool,
    /// Holds.
    holds: bool,
    /// Was there before the transfer that is under way was asked for.
    before: bool,
}

/// Who is with whom.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
enum Stage {
    /// Everybody with the caller.
    #[default]
    Together,
    /// The caller hears a ringing tone; whoever picks up is with the caller.
    PutThrough,
    /// The caller hears music; whoever picks up talks with who asked.
    Consulting,
}

impl Times {
    /// Takes one fact in, which happened so long after the opening. Those after the end change nothing.
    pub(super) fn apply(&mut self, at_ms: u64, what: &What) {
        if self.under_way.over {
            return;
        }
        self.give_out(at_ms);
        match what {
            What::Opened { .. } => self.begin(),
            What::Outward { seat, .. } => self.under_way.own.clone_from(seat),
            What::Queued { .. } => self.under_way.queued = true,
            What::Overflowed { .. } => self.under_way.queued = false,
            What::SeatAnswered { seat, leg, .. } => self.join(Party::Seat { seat: seat.clone() }, *leg),
            What::PeerAnswered { trunk, number, leg } => {
                self.join(Party::Peer { trunk: trunk.clone(), number: number.clone() }, *leg);
            }
            What::SeatLeft { seat, .. } if self.under_way.own.as_ref() == Some(seat) => self.first_leaves(),
            What::SeatLeft { seat, .. } => {
                self.leave(|row| matches!(&row.party, Party::Seat { seat: there } if there == seat));
            }
            // It may have gone out by another trunk than it was asked for.
            What::PeerLeft { number, .. } | What::PeerFailed { number, .. } => {
                self.leave(|row| matches!(&row.party, Party::Peer { number: there, .. } if there == number));
            }
            // Whoever has no sound any more is not there any more, whether or not somebody said so.
            What::LegClosed { leg, party, .. } => {
                self.leave(|row| row.party == *party && row.leg.is_none_or(|there| there == *leg));
            }
            What::Held { leg, holds } => self.hold(*leg, *holds),
            What::CallerLeft { .. } => self.caller_leaves(),
            What::Transfer { kind, step, object, .. } => self.transfer(*kind, *step, object.as_ref()),
            What::Closed { .. } => self.end(),
            _ => {}
        }
    }

    /// Those who are there, beside the caller.
    pub fn present(&self) -> impl Iterator<Item = &PartyTime> {
        self.under_way.present.iter().filter_map(|present| self.parties.get(present.row))
    }

    fn begin(&mut self) {
        self.parties.push(PartyTime {
            party: Party::Caller,
            leg: Some(0),
            object: None,
            joined_ms: self.under_way.at_ms,
            left_ms: None,
            talked_ms: 0,
            held_ms: 0,
            consulted_ms: 0,
        });
    }

    /// Whom the house called first is the caller of its call, and there from the beginning.
    fn join(&mut self, party: Party, leg: Option<u16>) {
        if leg == Some(0) {
            return;
        }
        if self.parties.len() >= PARTIES_MAX {
            self.drop_oldest();
        }
        let state = &mut self.under_way;
        state.queued = false;
        self.parties.push(PartyTime {
            party,
            leg,
            object: state.target.take(),
            joined_ms: state.at_ms,
            left_ms: None,
            talked_ms: 0,
            held_ms: 0,
            consulted_ms: 0,
        });
        // Who is asked in by the clerk of their own call talks with that clerk.
        let aside = state.stage == Stage::Consulting && state.own.is_none();
        let row = self.parties.len() - 1;
        state.present.push(Present { row, aside, holds: false, before: false });
        if state.stage == Stage::PutThrough {
            state.stage = Stage::Together;
            if self.parties.first().is_some_and(|row| row.left_ms.is_some()) {
                state.together();
            }
        }
    }

    /// The clerk whose own call it is leaves it to the others.
    fn first_leaves(&mut self) {
        let state = &mut self.under_way;
        state.own = None;
        state.caller_holds = false;
        if let Some(first) = self.parties.first_mut().filter(|row| row.party == Party::Caller) {
            first.left_ms.get_or_insert(state.at_ms);
        }
    }

    fn caller_leaves(&mut self) {
        self.under_way.caller_left = true;
        if let Some(caller) = self.parties.first_mut().filter(|row| row.party == Party::Caller) {
            caller.left_ms.get_or_insert(self.under_way.at_ms);
        }
    }

    fn first_has_left(&self) -> bool {
        self.parties.first().is_some_and(|row| row.left_ms.is_some())
    }

    /// Makes room: those who are there, and the caller, stay.
    fn drop_oldest(&mut self) {
        let gone = |row: &PartyTime| row.party != Party::Caller && row.left_ms.is_some();
        // With so many there at once as no call has, the newest is not told apart from the oldest.
        let Some(first) = self.parties.iter().position(gone).or(self.parties.len().checked_sub(1)) else {
            return;
        };
        self.parties.remove(first);
        self.parties_dropped = self.parties_dropped.saturating_add(1);
        let present = &mut self.under_way.present;
        present.retain(|present| present.row != first);
        for later in present.iter_mut().filter(|present| present.row > first) {
            later.row -= 1;
        }
    }

    fn leave(&mut self, is_it: impl Fn(&PartyTime) -> bool) {
        let state = &mut self.under_way;
        let found =
            state.present.iter().position(|present| self.parties.get(present.row).is_some_and(&is_it));
        let Some(gone) = found.map(|at| state.present.remove(at)) else { return };
        if let Some(row) = self.parties.get_mut(gone.row) {
            row.left_ms = Some(state.at_ms);
        }
    }

    fn hold(&mut self, leg: u16, holds: bool) {
        let state = &mut self.under_way;
        if leg == 0 {
            state.caller_holds = holds;
            return;
        }
        let alone = state.present.len() == 1;
        let is_it = |present: &&mut Present| {
            let row = self.parties.get(present.row);
            row.and_then(|row| row.leg).map_or(alone, |there| there == leg)
        };
        if let Some(holder) = state.present.iter_mut().find(is_it) {
            holder.holds = holds;
        }
    }

    fn transfer(&mut self, kind: TransferKind, step: TransferStep, object: Option<&Object>) {
        let first_has_left = self.first_has_left();
        let state = &mut self.under_way;
        let own = state.own.is_some();
        match step {
            TransferStep::Requested => {
                state.target = object.cloned();
                state.stage = match kind {
                    TransferKind::Consult => Stage::Consulting,
                    TransferKind::Blind => Stage::PutThrough,
                    TransferKind::Attended => Stage::Together, // Who asked has talked with it, and is about to leave.
                };
                for present in &mut state.present {
                    present.before = true;
                    present.aside = state.stage != Stage::Together;
                }
            }
            TransferStep::Consulting => {
                state.stage = Stage::Consulting;
                state.present.iter_mut().for_each(|present| present.aside = !own || present.before);
            }
            TransferStep::Accepted if own || first_has_left => state.together(),
            TransferStep::Left if own => match state.present.iter().any(|present| !present.before) {
                true => state.together(),
                false => state.stage = Stage::PutThrough,
            },
            // Who asked goes, and is not with the caller again until it is gone.
            TransferStep::Left | TransferStep::Accepted => {
                let picked_up = state.present.iter().any(|present| !present.before);
                let asked = state.stage != Stage::Together;
                state.stage = if picked_up || step == TransferStep::Accepted {
                    Stage::Together
                } else {
                    Stage::PutThrough
                };
                for present in state.present.iter_mut().filter(|_| asked) {
                    present.aside = present.before;
                }
            }
            TransferStep::Merged | TransferStep::Returned | TransferStep::Failed => {
                state.stage = Stage::Together;
                state.target = None;
                // Whoever holds by its telephone does so until it says otherwise.
                state.present.iter_mut().for_each(|present| present.aside = false);
            }
            _ => {} // `ringing`; and `declined`, which has not begun.
        }
    }

    fn end(&mut self) {
        let state = &mut self.under_way;
        state.over = true;
        for present in state.present.drain(..) {
            if let Some(row) = self.parties.get_mut(present.row) {
                row.left_ms = Some(state.at_ms);
            }
        }
        if let Some(caller) = self.parties.first_mut().filter(|row| row.party == Party::Caller) {
            caller.left_ms.get_or_insert(state.at_ms);
        }
    }

    /// Gives the time since the last fact to whom it belongs.
    fn give_out(&mut self, at_ms: u64) {
        let first_has_left = self.first_has_left();
        let state = &mut self.under_way;
        let span = at_ms.saturating_sub(state.at_ms);
        if span == 0 {
            return;
        }
        state.at_ms = at_ms;
        if state.caller_left {
            self.without_caller_ms += span;
            let together = state.present.len() > 1;
            for present in &state.present {
                let Some(row) = self.parties.get_mut(present.row) else { continue };
                *(if together { &mut row.consulted_ms } else { &mut row.held_ms }) += span;
            }
            return;
        }
        let consulting = state.stage == Stage::Consulting && state.own.is_none();
        let caller_holds = state.caller_holds;
        // Whom the clerk has called, and left to nobody.
        let left_alone = first_has_left && state.present.len() == 1 && state.stage == Stage::Together;
        let talks = |present: &Present| !present.aside && !present.holds && !caller_holds && !left_alone;
        let among_themselves = (consulting || caller_holds)
            && state.present.iter().filter(|present| consulting || !present.holds).count() > 1;
        for present in &state.present {
            let Some(row) = self.parties.get_mut(present.row) else { continue };
            if talks(present) {
                row.talked_ms += span;
            } else if among_themselves && (consulting || !present.holds) {
                row.consulted_ms += span;
            } else {
                row.held_ms += span;
            }
        }
        let part = if state.present.iter().any(talks) {
            &mut self.with_somebody_ms
        } else if left_alone {
            &mut self.alone_ms
        } else if !state.present.is_empty() || state.stage != Stage::Together {
            &mut self.on_hold_ms
        } else if state.queued {
            &mut self.in_queue_ms
        } else {
            &mut self.alone_ms
        };
        *part += span;
        let first = self.parties.first_mut().filter(|row| row.party == Party::Caller);
        if let Some(caller) = first.filter(|row| row.left_ms.is_none()) {
            (caller.talked_ms, caller.held_ms) = (self.with_somebody_ms, self.on_hold_ms);
        }
    }
}

#[cfg(test)]
#[path = "parties_test.rs"]
mod tests;
