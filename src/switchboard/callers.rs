//! Who is calling: lanes and policies, emergency centers, and who called before.
//!
//! All of it is looked at when a call comes in, and nothing of it delays the call: what the store knows of
//! earlier calls counts if it is there before the caller joins the queue, which leaves it the greeting's
//! time.
//!
//! A confidential caller's number is on no screen and on no board, goes to no seat, sub-center or
//! department, and is in no ticket event: a ticket is read by whoever works on it, and what is shared is
//! shared field by field (the notice, 四(五), 四(六)). The call's own record keeps it, and emergency numbers
//! get it, who may have to send somebody.

use std::borrow::Cow;
use std::time::Duration;

use super::fact::PriorityWhy;
use super::platforms::HandedOver;
use super::port::Earlier;
use super::{Entry, Output, Switchboard, What};
use crate::call::Input;
use crate::id::{CallId, SeatId, TrunkId};
use crate::routing::Plan;
use crate::routing::callers::CallerAct;
use crate::routing::plan::{Flow, Line};
use crate::routing::queueing::Known;
use crate::sip::Carried;
use crate::sip::event::{Invited, Origin};
use crate::switchboard::request::Flag;
use crate::time::{Now, Timestamp};

/// Calls of emergency centers that are let in beyond `limits.calls_max`.
pub(super) const CENTER_CALLS_MAX: usize = 32;
/// Clerks of one call that are remembered; later ones are in the record only.
pub(super) const SEATS_MAX: usize = 16;
/// Longest incident's id, characters; what is longer is cut.
const INCIDENT_MAX: usize = 64;

/// What a call's entry keeps of its caller.
#[derive(Default)]
pub(super) struct Standing {
    /// Not a caller at all: a seat dialled a code.
    pub(super) is_code: bool,
    /// An emergency center calls, by this trunk.
    center: Option<TrunkId>,
    incident: Option<String>,
    /// Platforms of the hotline that it came by.
    pub(super) handed_over: HandedOver,
    /// The number is shown to nobody.
    pub(super) is_confidential: bool,
    /// The policy: so long after a call there is a word instead of the queue.
    cool_down: Option<Duration>,
    is_urgent: bool,
    earlier: Earlier,
    /// Clerks who talked with the caller; at most [`SEATS_MAX`], the last is the last.
    pub(super) seats: Vec<SeatId>,
    /// What was said of it ([`super::cases`]).
    pub(super) said: u16,
}

impl Standing {
    /// Of a call that the house or a clerk makes.
    pub(super) fn of_called(is_confidential: bool) -> Self {
        Standing { is_confidential, ..Standing::default() }
    }

    /// Of a seat that dialled a code.
    pub(super) fn of_code() -> Self {
        Standing { is_code: true, ..Standing::default() }
    }
}

/// What a new caller's number, line and trunk mean.
#[derive(Default)]
pub(super) struct Treatment {
    pub(super) standing: Standing,
    pub(super) priority: i16,
    pub(super) skills: Vec<Known>,
    straight: bool,
    /// To be told once the call is open.
    facts: Vec<What>,
}

impl Treatment {
    /// By the plan, as of `at`. Of the lanes the first that fits counts, and none where another platform hands the call
    /// over, which has a priority of its own; where an emergency center calls, lanes and policies say nothing.
    pub(super) fn of(
        plan: &Plan,
        line: &Line,
        invited: &Invited,
        handed_over: HandedOver,
        at: Timestamp,
    ) -> Self {
        let Origin::Trunk(trunk) = &invited.from else {
            return Treatment { skills: line.skills.clone(), ..Treatment::default() };
        };
        let skills = plan.skills_asked(line, trunk, &invited.caller, at);
        let mut treated = Treatment { skills, ..Treatment::default() };
        if plan.trunks.get(trunk).is_some_and(|trunk| trunk.emergency_center) {
            treated.center(plan, trunk, invited);
            return treated;
        }
        let from_peer = handed_over.facts();
        treated.standing.handed_over = handed_over;
        if let Some((told, priority, why)) = from_peer {
            treated.facts.push(told);
            treated.prioritise(priority, why);
        } else if let Some(lane) = plan.lane_of(line, trunk, &invited.caller) {
            treated.straight = lane.straight;
            treated.prioritise(lane.priority, PriorityWhy::Lane(lane.name.clone()));
        }
        if let Some(policy) = plan.policy_of(&invited.caller).filter(|policy| at < policy.until) {
            treated.follow(&policy.act);
        }
        if line.is_confidential && !treated.standing.is_confidential {
            treated.keep_from_all("line");
        }
        treated
    }

    fn prioritise(&mut self, points: i16, why: PriorityWhy) {
        self.priority = self.priority.saturating_add(points);
        self.facts.push(What::Prioritised { priority: self.priority, why });
    }

    fn center(&mut self, plan: &Plan, trunk: &TrunkId, invited: &Invited) {
        self.standing.center = Some(trunk.clone());
        self.standing.incident = invited.carried.as_deref().and_then(incident);
        self.straight = true;
        self.facts.push(What::FromCenter {
            center: trunk.clone(),
            incident: self.standing.incident.clone(),
            caller: invited.caller.clone(),
        });
        self.prioritise(plan.callers.center_priority, PriorityWhy::EmergencyCenter);
    }

    fn follow(&mut self, act: &CallerAct) {
        match act {
            CallerAct::Behind(points) => self.prioritise(points.saturating_neg(), PriorityWhy::Policy),
            CallerAct::To(_) => self.prioritise(0, PriorityWhy::Policy),
            CallerAct::CoolDown(span) => self.standing.cool_down = Some(*span),
            CallerAct::Confidential => self.keep_from_all("policy"),
        }
    }

    /// Nobody sees the caller's number, by what the plan says of the caller or of the line.
    fn keep_from_all(&mut self, by: &str) {
        self.standing.is_confidential = true;
        self.facts.push(What::Flagged { flag: Flag::Confidential, by: by.into() });
    }

    /// Leaves the queue's greeting, or the flow in its place, out, for whoever goes straight to a person.
    pub(super) fn shorten(&self, flow: &mut Flow, plan: &Plan) {
        if self.straight {
            flow.go_straight(plan);
        }
    }

    /// Whether no bound on calls refuses it.
    pub(super) fn is_center(&self) -> bool {
        self.standing.center.is_some()
    }

    /// What is known of the caller, to be told behind the opening.
    pub(super) fn take_facts(&mut self) -> Vec<What> {
        std::mem::take(&mut self.facts)
    }
}

impl Entry {
    /// The caller's number, for whoever may see numbers at all; empty where this one is confidential.
    pub fn shown_caller(&self) -> &str {
        if self.standing.is_confidential { "" } else { &self.caller }
    }

    /// What the clerk's screen says: the incident, tickets, earlier calls, newest first.
    pub(super) fn screen(&self) -> Vec<String> {
        let standing = &self.standing;
        let center = standing.center.as_ref().map(|center| {
            let incident = standing.incident.as_deref().unwrap_or("-");
            format!("emergency center {center} incident {incident} caller {}", self.caller)
        });
        let tickets = standing.earlier.tickets.iter().map(|ticket| format!("open ticket {ticket}"));
        let platform = standing.handed_over.screen();
        center.into_iter().chain(platform).chain(tickets).chain(self.history.iter().cloned()).collect()
    }
}

impl Switchboard {
    /// For the clerk's screen, and for who knows the caller, so that it is there when a seat is found.
    pub(super) fn look_up_caller(&mut self, call: CallId, caller: &str, now: Now) {
        if !caller.is_empty() {
            let since = now.wall.checked_sub(self.plan.callers.repeat_within).unwrap_or(Timestamp::MIN);
            self.outputs.push_back(Output::LookUpHistory { call, caller: caller.to_owned(), since });
        }
    }

    /// What the store knows of the caller.
    pub(super) fn history_known(&mut self, call: CallId, entries: Vec<String>, earlier: Earlier, now: Now) {
        if let Some(place) = self.kept.places.get_mut(&call).filter(|_| !self.calls.contains_key(&call)) {
            place.history = entries;
            return;
        }
        let Some(entry) = self.calls.get_mut(&call) else { return };
        entry.history = entries;
        let cooling = |span: Duration| {
            let ended = earlier.last_ended?;
            Some(now.wall < ended.checked_add(span).unwrap_or(Timestamp::MAX))
        };
        let cools_down = entry.standing.cool_down.and_then(cooling) == Some(true);
        let is_caller = entry.standing.center.is_none();
        let is_known = is_caller && earlier.calls > 0 && !self.plan.callers.repeat_within.is_zero();
        let known = earlier.seat.clone().filter(|seat| is_known && self.plan.seats.contains_key(seat));
        if is_known {
            entry.standing.earlier = earlier;
            entry.sticky.clone_from(&known);
            let Earlier { calls, tickets, .. } = entry.standing.earlier.clone();
            self.record(call, What::Recognised { calls, seat: known, tickets }, now);
        }
        if cools_down {
            self.tell_call(call, Input::CoolDown);
        }
    }

    /// How a call joins a queue: an emergency center and who says that it is urgent are first among those of
    /// their priority, and never turned away.
    pub(super) fn joins_first(&self, call: CallId, first: bool) -> bool {
        let Some(entry) = self.calls.get(&call) else { return first };
        first || entry.standing.center.is_some() || entry.standing.is_urgent
    }

    /// The caller, or somebody, says that it is urgent: before others, wherever the caller stands. Once.
    pub(super) fn made_urgent(&mut self, call: CallId, now: Now) {
        let points = self.plan.callers.urgent_priority;
        let Some(entry) = self.calls.get_mut(&call).filter(|entry| !entry.standing.is_urgent) else { return };
        entry.standing.is_urgent = true;
        entry.priority = entry.priority.max(points);
        let priority = entry.priority;
        self.record(call, What::Prioritised { priority, why: PriorityWhy::Urgent }, now);
        self.acd.reprioritise(call, priority, now.mono);
    }
}

/// The incident's id in the User-to-User of a center's INVITE (RFC 7433): text, or the hexadecimal octets
/// of one. What is no text is kept as it came.
fn incident(carried: &Carried) -> Option<String> {
    let own = |value: &[u8]| memchr::memmem::find(value, b"purpose=hotline-call").is_some();
    let value = carried.uui.iter().find(|value| !own(value))?;
    let value = String::from_utf8_lossy(value);
    let mut parts = value.split(';');
    let data = parts.next()?.trim();
    let is_hex = |part: &str| {
        part.split_once('=').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("encoding") && value.trim().eq_ignore_ascii_case("hex")
        })
    };
    let hex = parts.any(is_hex);
    let quoted = data.strip_prefix('"').and_then(|data| data.strip_suffix('"'));
    let text = match quoted {
        Some(text) if !hex => Cow::Borrowed(text),
        _ => {
            let data = quoted.unwrap_or(data);
            unhex(data).map_or(Cow::Borrowed(data), Cow::Owned)
        }
    };
    let shown: String = text.chars().filter(|letter| !letter.is_control()).take(INCIDENT_MAX).collect();
    (!shown.is_empty()).then_some(shown)
}

/// The text that hexadecimal octets spell; `None` where they spell none.
fn unhex(digits: &str) -> Option<String> {
    let digits: Vec<u8> =
        digits.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let text = String::from_utf8(pairs.iter().map(|[high, low]| high * 16 + low).collect()).ok()?;
    (rest.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_read_from_text_and_from_octets_and_our_own_word_is_none() {
        let read = |values: &[&str]| {
            let uui = values.iter().map(|value| value.as_bytes().to_vec().into()).collect();
            incident(&Carried { uui, ..Carried::default() })
        };
        for (value, wanted) in [
            ("3131302D30373331;encoding=hex;purpose=incident", Some("110-0731")),
            ("3131302d30373331", Some("110-0731")),
            ("e8ada6e683853131;encoding=hex", Some("警情11")),
            ("\"110-0731\";purpose=incident", Some("110-0731")),
            ("\"3131\"", Some("3131")),
            ("110-0731", Some("110-0731")),
            ("20210001", Some("20210001")),
            ("00ff;encoding=hex", Some("00ff")),
            ("123", Some("123")),
            ("\"\"", None),
            ("", None),
        ] {
            assert_eq!(read(&[value]).as_deref(), wanted, "{value}");
        }
        let ours = "017b;encoding=hex;purpose=hotline-call;content=uuid";
        assert_eq!(read(&[ours]), None);
        assert_eq!(read(&[ours, "3131;encoding=hex"]).as_deref(), Some("11"));
        assert_eq!(read(&[&"A".repeat(501)]).map(|id| id.len()), Some(INCIDENT_MAX));
    }
}
