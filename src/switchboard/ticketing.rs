//! Which facts ticket offices hear of, and in which words: the published events of `tickets`.

use super::calling;
use super::fact::{Cause, Fact, What};
use crate::acd::event::{OfferEnd, Overflow};
use crate::id::{LineId, TrunkId};
use crate::routing::Plan;
use crate::tickets::event::{CallKind, ClosedBy, EventBody, OverflowRule, StoredEvent, Unanswered, stored};

/// What an event says of its call beyond the fact itself.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The dialled line.
    pub line: &'a LineId,
    /// The caller's number.
    pub caller: &'a str,
    /// The ticket's number.
    pub ticket: &'a str,
}

/// The event of a fact; `None`: offices need not know.
///
/// `about` is missing only for calls that are over, whose facts need nothing of it.
pub fn event(fact: &Fact, about: Option<About<'_>>, plan: &Plan, source: &str) -> Option<StoredEvent> {
    let body = body(&fact.what, about, plan)?;
    Some(stored(fact.call, fact.sequence, fact.at, &body, source))
}

fn body(what: &What, about: Option<About<'_>>, plan: &Plan) -> Option<EventBody> {
    let line_name = |line: &LineId| plan.line_name(line);
    Some(match what.clone() {
        What::Opened { line, dialled, caller, trunk, ticket, plan, shifted_clock, wire_ref, room } => {
            let line_name = line_name(&line);
            EventBody::Opened {
                ticket,
                line,
                line_name,
                dialled,
                caller,
                kind: kind_of(&trunk, room.is_some()),
                trunk,
                plan,
                shifted_clock,
                wire_ref,
            }
        }
        What::Answered { durable } => EventBody::Answered { durable },
        What::Announced { .. }
        | What::RecordingPaused { .. }
        | What::RecordingResumed { .. }
        | What::PeerDialled { .. }
        | What::Transfer { .. }
        | What::Held { .. }
        | What::PeerLeft { .. }
        | What::Prioritised { .. }
        | What::Recognised { .. }
        | What::Watched { .. }
        | What::Unwatched { .. }
        | What::Outward { .. }
        | What::CallbackKept { .. }
        | What::CallbackSettled { .. }
        | What::Disposed(_)
        | What::Flagged { .. }
        | What::SurveyReason { .. }
        | What::LegReplaced { .. }
        | What::RoomJoined { .. }
        | What::RoomLeft { .. }
        | What::SoundMissing { .. }
        | What::LegClosed { .. } => return None,
        What::DigitPressed { digit } => EventBody::DigitPressed { digit },
        What::Queued { queue } => EventBody::Queued { queue },
        What::SeatOffered { seat, waited_ms, history } => {
            let About { line, caller, ticket } = about?;
            EventBody::SeatOffered {
                seat,
                ticket: ticket.into(),
                line: line.clone(),
                line_name: line_name(line),
                caller: caller.into(),
                waited_ms,
                history,
            }
        }
        What::OfferEnded { seat, why } => EventBody::OfferEnded { seat, why: unanswered(why) },
        What::SeatAnswered { seat, waited_ms } => EventBody::SeatAnswered { seat, waited_ms },
        What::SeatLeft { seat, talked_ms, vanished } => EventBody::SeatLeft { seat, talked_ms, vanished },
        What::Overflowed { queue, why, waited_ms } => {
            EventBody::Overflowed { queue, why: overflow_rule(why), waited_ms }
        }
        What::PeerAnswered { trunk, number } => EventBody::PeerAnswered { trunk, number },
        What::PeerFailed { trunk, number, status } => EventBody::PeerFailed { trunk, number, status },
        What::TicketLeft { reason } => EventBody::TicketLeft { ticket: about?.ticket.into(), reason },
        What::Surveyed { grade } => EventBody::Surveyed { grade },
        What::Recorded { file, duration_ms, lost_frames } => {
            EventBody::RecordingStored { file, duration_ms, lost_frames }
        }
        What::Closed { cause, lasted_ms, answered_ms, .. } => {
            let (cause, status) = closed_by(cause);
            EventBody::Closed { cause, status, lasted_ms, answered_ms }
        }
    })
}

/// By where a call came; `None`: a citizen's.
fn kind_of(trunk: &TrunkId, room: bool) -> Option<CallKind> {
    match room {
        true => Some(CallKind::Meeting),
        false => calling::is_own(trunk).then_some(CallKind::Outward),
    }
}

fn unanswered(why: OfferEnd) -> Unanswered {
    match why {
        OfferEnd::NoAnswer => Unanswered::NoAnswer,
        OfferEnd::Rejected => Unanswered::Rejected,
        OfferEnd::Unreachable => Unanswered::Unreachable,
        OfferEnd::CallerGone => Unanswered::CallerGone,
    }
}

fn overflow_rule(why: Overflow) -> OverflowRule {
    match why {
        Overflow::WaitedTooLong => OverflowRule::WaitedTooLong,
        Overflow::NoSeat => OverflowRule::NoSeat,
        Overflow::Full => OverflowRule::Full,
        Overflow::ExpectedWait => OverflowRule::ExpectedWait,
        Overflow::Shed => OverflowRule::Shed,
    }
}

fn closed_by(cause: Cause) -> (ClosedBy, Option<u16>) {
    let cause = match cause {
        Cause::CallerHungUp => ClosedBy::CallerHungUp,
        Cause::CallerCancelled => ClosedBy::CallerCancelled,
        Cause::Completed => ClosedBy::Completed,
        Cause::OtherHungUp => ClosedBy::OtherHungUp,
        Cause::CallerVanished => ClosedBy::CallerVanished,
        Cause::Refused(status) => return (ClosedBy::Refused, Some(status)),
        Cause::Drained => ClosedBy::Drained,
        Cause::TooLong => ClosedBy::TooLong,
        Cause::Failed => ClosedBy::Failed,
        Cause::Crash => ClosedBy::Crash,
    };
    (cause, None)
}
