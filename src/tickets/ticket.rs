//! A ticket: its number, and what the office sees of one call.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::id::{CallId, LineId, QueueId, SeatId};
use crate::time::Timestamp;

use super::event::{CallKind, ClosedBy, EventBody, Graded, Immediate, MessageSpan};
use super::story::Story;

/// Least digits of the counter behind the date.
const COUNTER_DIGITS: usize = 5;

/// Digits of the date, `YYMMDD`.
const DATE_DIGITS: usize = 6;

/// Most keys of one call that a ticket keeps; later ones are in the events.
const DIGITS_MAX: usize = 64;

/// Messages of one call that a ticket keeps; later ones are in the events.
const MESSAGES_MAX: usize = 8;

/// Gives out ticket numbers: the city's date as `YYMMDD`, then a counter of five digits that begins at
/// 1 each day and grows a digit after 99,999. Digits only, so that a number can be read out and
/// typed in.
///
/// No number is given out twice in one store: the opening fact keeps it, and the machine is
/// restored from the last one kept. The date never goes back: when the clock does, the later date's
/// counter goes on.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Numbers {
    /// As a number, `YYMMDD`.
    date: u32,
    counter: u32,
}

impl Numbers {
    /// Goes on after `last`, the greatest number that was ever kept; from the start where there is
    /// none, or where it is not one of ours.
    pub fn restore(last: &str) -> Self {
        let parse = || {
            let (date, counter) = last.split_at_checked(DATE_DIGITS)?;
            let digits = last.bytes().all(|byte| byte.is_ascii_digit());
            (digits && counter.len() >= COUNTER_DIGITS).then_some(())?;
            Some(Numbers { date: date.parse().ok()?, counter: counter.parse().ok()? })
        };
        parse().unwrap_or_default()
    }

    /// The next number, on a `date` of the city's calendar.
    pub fn next(&mut self, date: Date) -> String {
        let part = |number: i16| u32::from(number.unsigned_abs());
        let today = part(date.year() % 100) * 10_000
            + part(i16::from(date.month())) * 100
            + part(i16::from(date.day()));
        if today > self.date {
            self.date = today;
            self.counter = 0;
        }
        self.counter += 1;
        format!("{:0DATE_DIGITS$}{:0COUNTER_DIGITS$}", self.date, self.counter)
    }
}

/// What is known of one case: a fold over the events of its call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ticket {
    /// Whose.
    pub call: CallId,
    /// Its number; empty until the opening event.
    pub number: String,
    /// The last event that is in it.
    pub sequence: u32,
    /// How far the call has come.
    pub state: TicketState,
    /// The dialled line.
    pub line: Option<LineId>,
    /// As the notice prints it.
    pub line_name: String,
    /// The caller's number; empty: withheld.
    pub caller: String,
    /// The incident's id, where an emergency center called and gave one.
    pub incident: Option<String>,
    /// The organisation code of the platform that handed the call over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_peer: Option<String>,
    /// Opaque; matches the call to a trace of its signalling.
    pub wire_ref: String,
    /// When the call was let in.
    pub opened_at: Option<Timestamp>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// Where the caller waits or waited last.
    pub queue: Option<QueueId>,
    /// The clerk who talks or talked last.
    pub seat: Option<SeatId>,
    /// Milliseconds with clerks, all conversations together.
    pub talked_ms: u64,
    /// Keys that the caller pressed, at most 64.
    pub digits: String,
    /// Why an office is to take the case up: nobody spoke with the caller, or whoever was to did not.
    pub reason: Option<String>,
    /// What the caller ordered by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<Ordered>,
    /// Messages in the recording, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessageSpan>,
    /// 1 (very satisfied) … 5 (very dissatisfied).
    pub grade: Option<u8>,
    /// Why the grade was bad, by its digit.
    pub survey_reason: Option<u8>,
    /// The grade that the caller gave in a flow: it is for no clerk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_grade: Option<u8>,
    /// Why that was bad, by its digit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_survey_reason: Option<u8>,
    /// What the call was about.
    pub disposition: Option<Disposition>,
    /// What kind of call it is; `None`: a citizen's.
    pub kind: Option<CallKind>,
    /// The call that it follows from.
    pub of: Option<CallId>,
    /// Points of priority.
    pub priority: i16,
    /// Numbers of the caller's tickets under way when the call came.
    pub open_tickets: Vec<String>,
    /// How a kept place, or a missed call, was settled.
    pub callback: Option<String>,
    /// Who talked, transfers, flags.
    #[serde(flatten)]
    pub story: Story,
    /// The recording's file.
    pub recording: Option<String>,
    /// When that was removed, its term being over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording_removed_at: Option<Timestamp>,
    /// When the call ended.
    pub closed_at: Option<Timestamp>,
    /// How.
    pub closed_by: Option<ClosedBy>,
}

/// What a caller ordered by themselves. The code that its progress is asked by is in the event, and is shown to
/// nobody who reads tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ordered {
    /// What it is about.
    pub category: String,
    /// What is known of it, by name.
    pub values: BTreeMap<String, String>,
}

/// What a call was about: codes of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disposition {
    /// One of the fields.
    pub field: Option<String>,
    /// One of the types.
    pub matter: Option<String>,
    /// Why it is not accepted.
    pub not_accepted: Option<String>,
    /// The matter is secret.
    pub secret: bool,
    /// Satisfaction is not chased.
    pub unsurveyed: bool,
    /// By whom.
    pub by: String,
    /// It is to be handed on at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub immediate: Option<Immediate>,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Let in.
    #[default]
    Opened,
    /// Answered, in prompts.
    Answered,
    /// In a queue.
    Waiting,
    /// A seat rings.
    Ringing,
    /// With a clerk or a peer.
    Talking,
    /// After the conversation: in the survey.
    AfterTalk,
    /// Over.
    Closed,
}

impl Ticket {
    /// A ticket of which nothing is known yet.
    pub fn new(call: CallId) -> Self {
        Ticket {
            call,
            number: String::new(),
            sequence: 0,
            state: TicketState::Opened,
            line: None,
            line_name: String::new(),
            caller: String::new(),
            incident: None,
            from_peer: None,
            wire_ref: String::new(),
            opened_at: None,
            answered_at: None,
            queue: None,
            seat: None,
            talked_ms: 0,
            digits: String::new(),
            reason: None,
            ordered: None,
            messages: Vec::new(),
            grade: None,
            survey_reason: None,
            flow_grade: None,
            flow_survey_reason: None,
            disposition: None,
            kind: None,
            of: None,
            priority: 0,
            open_tickets: Vec::new(),
            callback: None,
            story: Story::default(),
            recording: None,
            recording_removed_at: None,
            closed_at: None,
            closed_by: None,
        }
    }

    /// Takes in the next event. False for one that is in the ticket already: delivery is at least
    /// once.
    pub fn apply(&mut self, sequence: u32, at: Timestamp, body: &EventBody) -> bool {
        if sequence <= self.sequence {
            return false;
        }
        // Its place is behind whatever may still be told of the call.
        if !matches!(body, EventBody::RecordingRemoved { .. }) {
            self.sequence = sequence;
        }
        self.story.apply(at, body);
        match body {
            EventBody::Opened { ticket, line, line_name, caller, wire_ref, kind, .. } => {
                self.kind = *kind;
                self.number.clone_from(ticket);
                self.line = Some(line.clone());
                self.line_name.clone_from(line_name);
                self.caller.clone_from(caller);
                self.wire_ref.clone_from(wire_ref);
                self.opened_at = Some(at);
            }
            EventBody::Answered { .. } => {
                self.answered_at = Some(at);
                self.move_to(TicketState::Answered);
            }
            EventBody::DigitPressed { digit } => {
                if self.digits.len() < DIGITS_MAX {
                    self.digits.push(*digit);
                }
            }
            EventBody::Queued { queue } => {
                self.queue = Some(queue.clone());
                self.move_to(TicketState::Waiting);
            }
            EventBody::FromCenter { incident, .. } => {
                self.incident = Some(incident.clone()).filter(|incident| !incident.is_empty());
            }
            EventBody::FromPeer { org, .. } => self.from_peer = Some(org.clone()),
            EventBody::Overflowed { .. } => self.move_to(TicketState::Answered),
            // Whoever is put through to it, or whose clerk asks it, is not waiting for it.
            EventBody::SeatOffered { purpose: Some(_), .. } => {}
            EventBody::SeatOffered { .. } => self.move_to(TicketState::Ringing),
            EventBody::OfferEnded { .. } if self.state != TicketState::Ringing => {}
            EventBody::OfferEnded { .. } => self.move_to(TicketState::Waiting),
            EventBody::SeatAnswered { seat, .. } => {
                self.seat = Some(seat.clone());
                self.move_to(TicketState::Talking);
            }
            EventBody::SeatLeft { talked_ms, .. } => {
                self.talked_ms = self.talked_ms.saturating_add(*talked_ms);
                self.one_left();
            }
            EventBody::PeerLeft { .. } => self.one_left(),
            EventBody::CallerLeft { .. }
            | EventBody::Held { .. }
            | EventBody::Flagged { .. }
            | EventBody::ArticleUsed { .. }
            | EventBody::ArticleFaulty { .. }
            | EventBody::BotTalked { .. } => {}
            EventBody::Transfer { .. } => self.mind_reason(),
            EventBody::Prioritised { priority, .. } => self.priority = *priority,
            EventBody::Recognised { tickets, .. } => self.open_tickets.clone_from(tickets),
            EventBody::Outward { of, .. } => self.of = *of,
            EventBody::CallbackKept { .. } => {}
            EventBody::CallbackSettled { outcome } => self.callback = Some(outcome.clone()),
            EventBody::Disposed { field, matter, not_accepted, secret, unsurveyed, by, immediate } => {
                self.disposition = Some(Disposition {
                    field: field.clone(),
                    matter: matter.clone(),
                    not_accepted: not_accepted.clone(),
                    secret: *secret,
                    unsurveyed: *unsurveyed,
                    by: by.clone(),
                    immediate: immediate.clone(),
                });
            }
            EventBody::PeerAnswered { .. } => self.move_to(TicketState::Talking),
            EventBody::PeerFailed { .. } => {}
            EventBody::TicketLeft { reason, .. } => self.reason = Some(reason.clone()),
            EventBody::MessageLeft { from_ms, to_ms, .. } => {
                self.messages.push(MessageSpan { from_ms: *from_ms, to_ms: *to_ms });
                self.messages.truncate(MESSAGES_MAX);
            }
            EventBody::Ordered { category, values, .. } => {
                self.ordered = Some(Ordered { category: category.clone(), values: values.clone() });
            }
            EventBody::Surveyed { grade, reason, subject: Some(Graded::Flow) } => {
                self.flow_grade = Some(*grade);
                self.flow_survey_reason = reason.or(self.flow_survey_reason);
            }
            EventBody::Surveyed { grade, reason, subject: None } => {
                self.grade = Some(*grade);
                self.survey_reason = reason.or(self.survey_reason);
            }
            EventBody::RecordingStored { file, .. } => self.recording = Some(file.clone()),
            EventBody::RecordingRemoved { .. } => self.recording_removed_at = Some(at),
            EventBody::Closed { cause, .. } => {
                self.closed_at = Some(at);
                self.closed_by = Some(*cause);
                self.state = TicketState::Closed;
            }
        }
        true
    }

    /// Of two who talked with the caller, the other goes on.
    fn one_left(&mut self) {
        let talks = self.story.parties.iter().any(|party| party.left_at.is_none());
        self.move_to(if talks { TicketState::Talking } else { TicketState::AfterTalk });
    }

    /// A failed transfer is a reason, until somebody takes the caller after all; but not before another.
    fn mind_reason(&mut self) {
        let of_transfer = |reason: &String| reason.starts_with(super::story::TRANSFER_FAILED);
        if self.reason.as_ref().is_none_or(of_transfer) {
            self.reason.clone_from(&self.story.transfer_reason);
        }
    }

    /// What follows the end, a recording or a late key, does not reopen a call.
    fn move_to(&mut self, state: TicketState) {
        if self.state != TicketState::Closed {
            self.state = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Dice, TrunkId};
    use crate::tickets::event::{ObjectKind, TransferKind, TransferStep};
    use jiff::civil::date;

    #[test]
    fn numbers_begin_anew_each_day_and_go_on_after_a_restart() {
        let mut numbers = Numbers::restore("");
        assert_eq!(numbers.next(date(2021, 9, 1)), "21090100001");
        assert_eq!(numbers.next(date(2021, 9, 1)), "21090100002");
        let mut numbers = Numbers::restore("21090100002");
        assert_eq!(numbers.next(date(2021, 9, 1)), "21090100003");
        assert_eq!(numbers.next(date(2021, 9, 2)), "21090200001");
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_number_twice() {
        let mut numbers = Numbers::restore("21090200007");
        assert_eq!(numbers.next(date(2021, 9, 1)), "21090200008");
        assert_eq!(numbers.next(date(2021, 9, 3)), "21090300001");
    }

    #[test]
    fn a_day_of_a_hundred_thousand_calls_grows_a_digit() {
        let mut numbers = Numbers::restore("05010299999");
        assert_eq!(numbers.next(date(2005, 1, 2)), "050102100000");
        let mut numbers = Numbers::restore("050102100000");
        assert_eq!(numbers.next(date(2005, 1, 2)), "050102100001");
    }

    #[test]
    fn what_is_not_a_number_of_ours_is_passed_over() {
        for strange in ["2109", "210901", "2109010000x", "二一零九零一", "21090100+01"] {
            assert_eq!(Numbers::restore(strange), Numbers::default(), "{strange}");
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_ticket_tells_the_call_from_its_opening_to_its_end() {
        let mut ticket = Ticket::new(CallId::draw(1, &mut Dice::seeded(1)));
        let opened = EventBody::Opened {
            ticket: "21090100001".into(),
            line: "12336".into(),
            line_name: "自然资源违法举报".into(),
            dialled: "12336".into(),
            caller: "13800000000".into(),
            trunk: "carrier".into(),
            plan: "00".into(),
            shifted_clock: false,
            wire_ref: "w".into(),
            kind: None,
        };
        let story = [
            (1, opened, TicketState::Opened),
            (2, EventBody::Answered { durable: true }, TicketState::Answered),
            (4, EventBody::Queued { queue: "main".into() }, TicketState::Waiting),
            (
                5,
                EventBody::SeatAnswered { seat: "1001".into(), waited_ms: 10, leg: None },
                TicketState::Talking,
            ),
            (
                6,
                EventBody::SeatLeft { seat: "1001".into(), talked_ms: 60_000, vanished: false },
                TicketState::AfterTalk,
            ),
            (7, EventBody::DigitPressed { digit: '1' }, TicketState::AfterTalk),
            (8, EventBody::Surveyed { grade: 1, reason: None, subject: None }, TicketState::AfterTalk),
            (
                9,
                EventBody::Closed {
                    cause: ClosedBy::Completed,
                    status: None,
                    lasted_ms: 70_000,
                    answered_ms: Some(69_000),
                },
                TicketState::Closed,
            ),
            (
                10,
                EventBody::RecordingStored { file: "a.wav".into(), duration_ms: 69_000, lost_frames: 0 },
                TicketState::Closed,
            ),
        ];
        for (sequence, body, state) in &story {
            assert!(ticket.apply(*sequence, at(i64::from(*sequence)), body));
            assert_eq!(ticket.state, *state, "after event {sequence}");
        }
        let whole = ticket.clone();
        for (sequence, body, _) in &story {
            assert!(!ticket.apply(*sequence, at(99), body), "a repeated event changes nothing");
        }
        assert_eq!(ticket, whole);
        assert_eq!(ticket.number, "21090100001");
        assert_eq!(ticket.opened_at, Some(at(1)));
        assert_eq!(ticket.seat, Some("1001".into()));
        assert_eq!(ticket.grade, Some(1));
        assert_eq!(ticket.digits, "1");
        assert_eq!(ticket.closed_by, Some(ClosedBy::Completed));
        assert_eq!(ticket.recording.as_deref(), Some("a.wav"));
        // Years later; and what is told of the call after that, in its own place, is taken in.
        let removed = EventBody::RecordingRemoved { class: None };
        assert!(ticket.apply(crate::tickets::event::REMOVED_SEQUENCE, at(100), &removed));
        assert!(ticket.apply(11, at(101), &EventBody::CallbackSettled { outcome: "answered".into() }));
        assert_eq!(
            (ticket.recording_removed_at, ticket.callback.as_deref()),
            (Some(at(100)), Some("answered"))
        );
    }

    #[test]
    fn a_third_party_that_talks_on_keeps_the_ticket_talking_and_one_that_did_not_come_is_its_reason() {
        let mut ticket = Ticket::new(CallId::draw(1, &mut Dice::seeded(1)));
        let transfer = |step, status| EventBody::Transfer {
            kind: TransferKind::Blind,
            to: "110".into(),
            step,
            status,
            leg: None,
            object_kind: Some(ObjectKind::Emergency),
            object: Some("110".into()),
            scope: None,
            area: None,
        };
        let peer = (TrunkId::from("police"), String::from("110"));
        let story = [
            (
                EventBody::SeatAnswered { seat: "1001".into(), waited_ms: 0, leg: None },
                TicketState::Talking,
                None,
            ),
            (transfer(TransferStep::Requested, None), TicketState::Talking, None),
            (
                transfer(TransferStep::Failed, Some(408)),
                TicketState::Talking,
                Some("transfer_failed/emergency/110/408"),
            ),
            (transfer(TransferStep::Accepted, None), TicketState::Talking, None),
            (
                EventBody::PeerAnswered { trunk: peer.0.clone(), number: peer.1.clone(), leg: None },
                TicketState::Talking,
                None,
            ),
            (
                EventBody::SeatLeft { seat: "1001".into(), talked_ms: 9, vanished: false },
                TicketState::Talking,
                None,
            ),
            (
                EventBody::PeerLeft { trunk: peer.0, number: peer.1, talked_ms: 5 },
                TicketState::AfterTalk,
                None,
            ),
        ];
        for (sequence, (body, state, reason)) in (1..).zip(story) {
            ticket.apply(sequence, at(i64::from(sequence)), &body);
            assert_eq!((ticket.state, ticket.reason.as_deref()), (state, reason), "after {body:?}");
        }
        assert!(ticket.story.parties.iter().all(|party| party.left_at.is_some()));
        assert_eq!(ticket.story.transfers.len(), 1);
    }
}
