//! Which facts ticket offices hear of, and in which words: the published events of `tickets`.

use super::calling;
use super::fact::{self, Cause, Fact, Span, Subject, What};
use super::request::{self, ArticleFault, ArticleUse, AtOnce, Disposed};
use crate::acd::event::{OfferEnd, Overflow, Purpose};
use crate::id::{LineId, TrunkId};
use crate::routing::Plan;
use crate::tickets::event::{
    CallKind, ClosedBy, Direction, EventBody, Flag, Graded, Immediate, MessageSpan, ObjectKind, OfferPurpose,
    OverflowRule, SaidLine, Speaker, StoredEvent, TransferKind, TransferStep, Unanswered, stored,
};

/// What an event says of its call beyond the fact itself.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The dialled line.
    pub line: &'a LineId,
    /// The caller's number; empty: withheld, or confidential.
    pub caller: &'a str,
    /// Whom the house called, where that is nobody's to know.
    pub hidden: Option<&'a str>,
    /// The ticket's number.
    pub ticket: &'a str,
}

/// The event of a fact; `None`: offices need not know.
///
/// `about` is missing only for calls that are over, whose facts need nothing of it.
pub fn event(fact: &Fact, about: Option<About<'_>>, plan: &Plan, source: &str) -> Option<StoredEvent> {
    let mut body = body(&fact.what, about, plan)?;
    if let Some(number) = about.and_then(|about| about.hidden) {
        hide(&mut body, number);
    }
    Some(stored(fact.call, fact.sequence, fact.at, &body, source))
}

fn body(what: &What, about: Option<About<'_>>, plan: &Plan) -> Option<EventBody> {
    let line_name = |line: &LineId| plan.line_name(line);
    Some(match what.clone() {
        What::Opened { line, dialled, caller, trunk, ticket, plan, shifted_clock, wire_ref, room } => {
            let line_name = line_name(&line);
            let kind = kind_of(&trunk, &line, room.is_some());
            let caller = about.map_or(caller, |about| about.caller.to_owned());
            EventBody::Opened {
                ticket,
                line,
                line_name,
                dialled,
                caller,
                trunk,
                plan,
                shifted_clock,
                wire_ref,
                kind,
            }
        }
        What::Answered { durable } => EventBody::Answered { durable },
        What::Announced { .. }
        | What::RecordingPaused { .. }
        | What::RecordingResumed { .. }
        | What::PeerDialled { .. }
        | What::Watched { .. }
        | What::Unwatched { .. }
        | What::SeatRole { .. }
        | What::LegReplaced { .. }
        | What::RoomJoined { .. }
        | What::RoomLeft { .. }
        | What::SoundMissing { .. }
        | What::LegClosed { .. }
        | What::ScriptBegun { .. }
        | What::ValueUnread { .. }
        | What::LookedUp { .. }
        | What::NotRelayed { .. }
        | What::RelayDeclined { .. }
        | What::HandOn(_) => return None,
        What::BotTalked { bot, end, took_ms, lines, cut } => {
            let transcript = lines.into_iter().map(said).collect();
            EventBody::BotTalked { bot, outcome: end.word().to_owned(), took_ms, transcript, cut }
        }
        What::MessageLeft { name, from_ms, to_ms } => EventBody::MessageLeft { name, from_ms, to_ms },
        What::Ordered { category, values, message, code } => {
            let message = message.map(|Span { from_ms, to_ms }| MessageSpan { from_ms, to_ms });
            EventBody::Ordered { ticket: about?.ticket.into(), category, values, message, code }
        }
        What::DigitPressed { digit } => EventBody::DigitPressed { digit },
        What::FromCenter { center, incident, caller } => {
            EventBody::FromCenter { center, incident: incident.unwrap_or_default(), caller }
        }
        What::FromPeer { peer, org, name, organization, handed_on } => {
            EventBody::FromPeer { peer, org, name, organization: organization.unwrap_or_default(), handed_on }
        }
        What::Queued { queue } => EventBody::Queued { queue },
        What::SeatOffered { seat, waited_ms, history, purpose } => {
            let About { line, caller, ticket, .. } = about?;
            EventBody::SeatOffered {
                seat,
                ticket: ticket.into(),
                line: line.clone(),
                line_name: line_name(line),
                caller: caller.into(),
                waited_ms,
                history,
                purpose: offer_purpose(purpose),
            }
        }
        What::OfferEnded { seat, why } => EventBody::OfferEnded { seat, why: unanswered(why) },
        What::SeatAnswered { seat, waited_ms, leg } => EventBody::SeatAnswered { seat, waited_ms, leg },
        What::SeatLeft { seat, talked_ms, vanished } => EventBody::SeatLeft { seat, talked_ms, vanished },
        What::Overflowed { queue, why, waited_ms } => {
            EventBody::Overflowed { queue, why: overflow_rule(why), waited_ms }
        }
        What::PeerAnswered { trunk, number, leg } => EventBody::PeerAnswered { trunk, number, leg },
        What::PeerFailed { trunk, number, status } => EventBody::PeerFailed { trunk, number, status },
        What::TicketLeft { reason } => EventBody::TicketLeft { ticket: about?.ticket.into(), reason },
        What::Surveyed { grade, subject } => {
            EventBody::Surveyed { grade, reason: None, subject: graded(subject) }
        }
        What::SurveyReason { digit, grade, subject } => {
            EventBody::Surveyed { grade, reason: Some(digit), subject: graded(subject) }
        }
        What::PeerLeft { trunk, number, talked_ms } => EventBody::PeerLeft { trunk, number, talked_ms },
        What::Transfer { to, kind, step, status, leg, object } => {
            let center = object.as_ref().filter(|object| object.kind == fact::ObjectKind::Emergency);
            let center = center.and_then(|object| plan.centers.get(object.id.as_str()));
            // Read while it rings: told once.
            let center = center.filter(|_| step == fact::TransferStep::Requested);
            let (scope, area) = center.map_or((None, None), |own| (own.scope.clone(), own.area.clone()));
            let (object_kind, object) = object.map(|object| (object_kind(object.kind), object.id)).unzip();
            let (kind, step) = (transfer_kind(kind), transfer_step(step));
            EventBody::Transfer { kind, to, step, status, leg, object_kind, object, scope, area }
        }
        What::CallerLeft { cause, .. } => {
            let (cause, _) = closed_by(cause);
            EventBody::CallerLeft { cause }
        }
        What::Held { leg, holds } => EventBody::Held { leg, holds },
        What::Prioritised { priority, why } => EventBody::Prioritised { priority, why: why.into() },
        What::Recognised { calls, seat, tickets } => EventBody::Recognised { calls, seat, tickets },
        What::Outward { purpose, seat, number, of } => {
            let purpose = purpose.word().to_owned();
            EventBody::Outward { direction: Direction::Out, purpose, seat, number, of }
        }
        What::CallbackKept { queue, ahead } => EventBody::CallbackKept { queue, ahead },
        What::CallbackSettled { outcome } => {
            EventBody::CallbackSettled { outcome: outcome.word().to_owned() }
        }
        What::Disposed(disposed) => disposition(disposed),
        What::ArticleUsed(ArticleUse { article, version, owner, settled, by }) => {
            EventBody::ArticleUsed { article, version, owner, settled, by }
        }
        What::ArticleFaulty(ArticleFault { article, version, text, by }) => {
            EventBody::ArticleFaulty { article, version, text, by }
        }
        What::Flagged { flag, by } => EventBody::Flagged { flag: flag_of(flag), by },
        What::Recorded { file, duration_ms, lost_frames } => {
            EventBody::RecordingStored { file, duration_ms, lost_frames }
        }
        What::Closed { cause, lasted_ms, answered_ms, .. } => {
            let (cause, status) = closed_by(cause);
            EventBody::Closed { cause, status, lasted_ms, answered_ms }
        }
    })
}

/// Takes a number that is nobody's to know out of an event.
fn hide(body: &mut EventBody, hidden: &str) {
    let told = match body {
        EventBody::Opened { dialled, .. } => dialled,
        EventBody::Outward { number, .. }
        | EventBody::PeerAnswered { number, .. }
        | EventBody::PeerFailed { number, .. }
        | EventBody::PeerLeft { number, .. } => number,
        _ => return,
    };
    if told == hidden {
        told.clear();
    }
}

fn said(line: fact::BotLine) -> SaidLine {
    let who = match line.who {
        fact::Voice::Caller => Speaker::Caller,
        fact::Voice::Bot => Speaker::Bot,
    };
    SaidLine { who, text: line.text, at_ms: line.at_ms }
}

fn transfer_kind(kind: fact::TransferKind) -> TransferKind {
    match kind {
        fact::TransferKind::Blind => TransferKind::Blind,
        fact::TransferKind::Consult => TransferKind::Consult,
        fact::TransferKind::Attended => TransferKind::Attended,
    }
}

fn transfer_step(step: fact::TransferStep) -> TransferStep {
    match step {
        fact::TransferStep::Requested => TransferStep::Requested,
        fact::TransferStep::Declined => TransferStep::Declined,
        fact::TransferStep::Ringing => TransferStep::Ringing,
        fact::TransferStep::Consulting => TransferStep::Consulting,
        fact::TransferStep::Merged => TransferStep::Merged,
        fact::TransferStep::Left => TransferStep::Left,
        fact::TransferStep::Returned => TransferStep::Returned,
        fact::TransferStep::Accepted => TransferStep::Accepted,
        fact::TransferStep::Failed => TransferStep::Failed,
    }
}

fn object_kind(kind: fact::ObjectKind) -> ObjectKind {
    match kind {
        fact::ObjectKind::SubCenter => ObjectKind::SubCenter,
        fact::ObjectKind::ExpertGroup => ObjectKind::ExpertGroup,
        fact::ObjectKind::Department => ObjectKind::Department,
        fact::ObjectKind::Peer => ObjectKind::Peer,
        fact::ObjectKind::Emergency => ObjectKind::Emergency,
        fact::ObjectKind::Seat => ObjectKind::Seat,
    }
}

fn disposition(disposed: Disposed) -> EventBody {
    let Disposed { field, kind, not_accepted, secret, unsurveyed, by, immediate } = disposed;
    let immediate = immediate.map(|AtOnce { code, to, within_ms: _, due_at }| Immediate { code, to, due_at });
    EventBody::Disposed { field, matter: kind, not_accepted, secret, unsurveyed, by, immediate }
}

fn flag_of(flag: request::Flag) -> Flag {
    match flag {
        request::Flag::Abusive => Flag::Abusive,
        request::Flag::Confidential => Flag::Confidential,
        request::Flag::Urgent => Flag::Urgent,
    }
}

fn offer_purpose(purpose: Purpose) -> Option<OfferPurpose> {
    match purpose {
        Purpose::Caller => None,
        Purpose::Transfer => Some(OfferPurpose::Transfer),
        Purpose::Consult => Some(OfferPurpose::Consult),
        Purpose::Callback => Some(OfferPurpose::Callback),
    }
}

/// What a call is that is nobody's case; `None`: a citizen's.
fn kind_of(trunk: &TrunkId, line: &LineId, room: bool) -> Option<CallKind> {
    if room {
        return Some(CallKind::Meeting);
    }
    // No published number begins with a star: what does is a code, or somebody who listens.
    let kind = if line.as_str().starts_with('*') { CallKind::Own } else { CallKind::Outward };
    calling::is_own(trunk).then_some(kind)
}

fn unanswered(why: OfferEnd) -> Unanswered {
    match why {
        OfferEnd::NoAnswer => Unanswered::NoAnswer,
        OfferEnd::Rejected => Unanswered::Rejected,
        OfferEnd::Unreachable => Unanswered::Unreachable,
        OfferEnd::CallerGone => Unanswered::CallerGone,
    }
}

fn graded(subject: Subject) -> Option<Graded> {
    match subject {
        Subject::Talk => None,
        Subject::Flow => Some(Graded::Flow),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::Overrides;

    #[test]
    fn who_asks_an_emergency_center_in_is_told_what_it_takes_once() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        let mut plan =
            crate::io::plan_files::load(&file, &Overrides::default()).plan.expect("the shipped plan");
        let center = plan.centers.get_mut("120").expect("a center");
        (center.scope, center.area) = (Some("医疗急救".into()), Some("市城区".into()));
        let told = |id: &str, kind, step| {
            let object = Some(fact::Object { kind, id: id.into() });
            let (kind, status, leg) = (fact::TransferKind::Consult, None, None);
            let what = What::Transfer { to: id.into(), kind, step, status, leg, object };
            match body(&what, None, &plan) {
                Some(EventBody::Transfer { scope, area, .. }) => (scope, area),
                other => panic!("{other:?}"),
            }
        };
        let emergency = fact::ObjectKind::Emergency;
        let both = (Some("医疗急救".to_owned()), Some("市城区".to_owned()));
        assert_eq!(told("120", emergency, fact::TransferStep::Requested), both);
        assert_eq!(told("120", emergency, fact::TransferStep::Ringing), (None, None));
        assert_eq!(told("119", emergency, fact::TransferStep::Requested), (None, None));
        assert_eq!(told("12366", fact::ObjectKind::SubCenter, fact::TransferStep::Requested), (None, None));
    }
}
