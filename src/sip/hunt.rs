//! Trying ways in turn: one session, one INVITE after another until somebody speaks for the callee
//! (RFC 3263 §4.3, RFC 3261 §21.5.4).
//!
//! What is known of trunks is in `trunks`, the INVITE itself is written in `uac`, and where a 3xx
//! may lead is in `redirects`. Each attempt at another hop is a call of its own, with its own
//! Call-ID: whatever still comes of one that was given up cannot be taken for the next, and a server
//! behind two hops does not see one request twice (482, RFC 3261 §8.2.2.2).

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::endpoint::{Endpoint, User};
use super::event::{Event, Invite, NoWay, Route, SessionId, Target, TrunkConfig, WayFailed};
use super::message::Message;
use super::name::Name;
use super::redirects::Bounds;
use super::scan;
use super::session::{Farewell, Phase};
use super::shares::{self, Share};
use super::transport::{Hop, Transport};
use super::trunks::{REST_AFTER_SILENCE, Room};
use super::uac::Way;
use super::uri::Uri;
use crate::id::{Dice, TrunkId};
use crate::time::{Instant, Now};

/// Most INVITEs that are sent for one call, those to redirected places included.
const ATTEMPTS_MAX: usize = 8;
/// Characters of a number in a 3xx that are told.
const NUMBER_CHARS_MAX: usize = 32;
/// Most routes of one call that are looked at.
const ROUTES_MAX: usize = 32;

/// What a call out may still try.
#[derive(Debug)]
pub(super) struct Hunt {
    invite: Invite,
    ahead: VecDeque<Step>,
    /// Ways by trunks that are down, rest or want a registration: for when nothing else is left.
    last_resort: VecDeque<Step>,
    attempts: usize,
    /// 3xx followed so far.
    pub(super) redirects: usize,
    /// Request-URIs that were asked already (RFC 3261 §8.1.3.4: none twice).
    pub(super) asked: Vec<Vec<u8>>,
    /// What the rooms above believe of the way.
    told: Option<(TrunkId, IpAddr)>,
    /// The way under trial.
    pub(super) here: Option<(TrunkId, SocketAddr)>,
    /// Its place in the target's routes.
    pub(super) route: usize,
}

impl Hunt {
    /// A 3xx has said where to go on: nothing else is tried any more.
    pub(super) fn redirect_to(&mut self, ahead: Vec<Step>) {
        self.ahead = ahead.into();
        self.last_resort.clear();
        self.redirects += 1;
    }

    /// What a 3xx to the attempt under way may lead to.
    pub(super) fn bounds(&self) -> Bounds<'_> {
        let route = match &self.invite.target {
            Target::Trunk(routes) => routes.get(self.route),
            Target::Seat(_) => None,
        };
        Bounds {
            redirects: self.invite.redirects,
            number: route.map_or("", |route| &route.user),
            emergency: self.invite.emergency,
        }
    }
}

/// One way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) trunk: TrunkId,
    pub(super) hop: Hop,
    /// Place in the target's routes: whose numbers it uses.
    pub(super) route: usize,
    /// The place that a 3xx named, as Request-URI.
    pub(super) redirected: Option<Box<[u8]>>,
}

/// Why an attempt is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    Silent,
    Unreachable,
    /// By this status, with this Retry-After.
    Refused(u16, Option<Duration>),
    /// By this 3xx, which says where to go on.
    Redirected(u16),
}

impl Endpoint {
    /// Calls out by the first way that is open.
    pub(super) fn hunt(&mut self, invite: Invite, now: Now) -> Result<SessionId, NoWay> {
        let mut hunt = Hunt {
            told: self.first_way(&invite.target),
            ahead: self.ways(&invite.target),
            invite,
            last_resort: VecDeque::new(),
            attempts: 0,
            redirects: 0,
            asked: Vec::new(),
            here: None,
            route: 0,
        };
        if hunt.ahead.is_empty() {
            return Err(NoWay::NoTarget);
        }
        let id = self.draw_session();
        match self.try_next(id, &mut hunt, now) {
            Ok(()) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.hunt = Some(Box::new(hunt));
                }
                Ok(id)
            }
            Err(no_way) => Err(no_way),
        }
    }

    /// What [`Endpoint::way_to`] says of a target.
    fn first_way(&self, target: &Target) -> Option<(TrunkId, IpAddr)> {
        let Target::Trunk(routes) = target else { return None };
        let hop =
            |route: &Route| Some((route.trunk.clone(), self.trunk(&route.trunk)?.hops.first()?.addr.ip()));
        routes.iter().find_map(hop)
    }

    pub(super) fn trunk(&self, name: &TrunkId) -> Option<&TrunkConfig> {
        self.config.trunks.iter().find(|trunk| trunk.trunk == *name)
    }

    /// All ways of a target in the order of trying: routes by priority and weight, in each trunk its
    /// hops likewise.
    fn ways(&mut self, target: &Target) -> VecDeque<Step> {
        let Target::Trunk(routes) = target else { return VecDeque::new() };
        let mut ways = VecDeque::new();
        let routes = &routes[..routes.len().min(ROUTES_MAX)];
        for route in order(routes, &mut self.dice) {
            let Some(trunk) = routes.get(route).map(|route| &route.trunk) else { continue };
            let known = self.config.trunks.iter().find(|known| known.trunk == *trunk);
            let hops = known.map_or(&[][..], |known| &known.hops);
            let hops = shares::for_a_call(hops, &mut self.dice);
            if hops.is_empty() {
                self.trunks.count(trunk, WayFailed::NoHop);
            }
            let step = |hop: &Hop| Step { trunk: trunk.clone(), hop: hop.clone(), route, redirected: None };
            ways.extend(hops.iter().map(step));
        }
        ways
    }

    /// Sends the next INVITE of a hunt. Ways that must not be used now are passed over and counted;
    /// those that hardly work come last.
    fn try_next(&mut self, id: SessionId, hunt: &mut Hunt, now: Now) -> Result<(), NoWay> {
        let mut no_way = NoWay::NoTarget;
        while hunt.attempts < ATTEMPTS_MAX {
            let (step, last) = match (hunt.ahead.pop_front(), hunt.last_resort.is_empty()) {
                (Some(step), _) => (step, false),
                (None, false) => match hunt.last_resort.pop_front() {
                    Some(step) => (step, true),
                    None => break,
                },
                (None, true) => break,
            };
            if !last && !self.trunks.is_ready(&step.trunk, step.hop.addr, now.mono) {
                hunt.last_resort.push_back(step);
                continue;
            }
            match self.attempt(id, hunt, &step, now) {
                Ok(()) => return Ok(()),
                Err(why) => {
                    self.trunks.count(&step.trunk, why);
                    if matches!(why, WayFailed::Full | WayFailed::Pace) {
                        no_way = NoWay::Busy;
                    }
                }
            }
        }
        Err(no_way)
    }

    fn attempt(&mut self, id: SessionId, hunt: &mut Hunt, step: &Step, now: Now) -> Result<(), WayFailed> {
        let Some(trunk) = self.config.trunks.iter().find(|trunk| trunk.trunk == step.trunk) else {
            return Err(WayFailed::NoHop);
        };
        let Some(listener) = self.listener_for(&step.hop) else { return Err(WayFailed::NoHop) };
        // A 3xx may lead from TLS to the clear, and a plan may change under a call: keys do not go there.
        if step.hop.transport != Transport::Tls && hunt.invite.offer.tells_keys() {
            return Err(WayFailed::NoHop);
        }
        match self.trunks.room(trunk, now.mono) {
            Room::Free => {}
            // Limits are the operator's bargain with the carrier; help in an emergency is above it.
            Room::Full | Room::Pace if hunt.invite.emergency => {}
            Room::Full => return Err(WayFailed::Full),
            Room::Pace => return Err(WayFailed::Pace),
        }
        let Target::Trunk(routes) = &hunt.invite.target else { return Err(WayFailed::NoHop) };
        let Some(route) = routes.get(step.route) else { return Err(WayFailed::NoHop) };
        let mut way = Way::by_trunk(trunk, route, step, listener);
        if step.redirected.is_some()
            && let Some(session) = self.sessions.get_mut(&id)
        {
            // The same call goes on elsewhere: same Call-ID and tags, next CSeq (RFC 3261 §8.1.3.4).
            way.thread = Some(session.dialog.thread());
        }
        self.trunks.begin(trunk, now.mono);
        self.send_call(id, &hunt.invite, &way, now).map_err(|_| WayFailed::NoHop)?;
        hunt.attempts += 1;
        let asked = way.uri;
        hunt.asked.push(asked);
        (hunt.here, hunt.route) = (Some((step.trunk.clone(), step.hop.addr)), step.route);
        let here = (step.trunk.clone(), step.hop.addr.ip());
        let number = step.redirected.as_deref().and_then(number_of).filter(|number| *number != route.user);
        if hunt.told.as_ref() != Some(&here) || number.is_some() {
            hunt.told = Some(here.clone());
            self.tell(Event::Routed { session: id, trunk: here.0, peer: here.1, number });
        }
        Ok(())
    }

    /// When an INVITE by `trunk` that nobody answers is given up.
    pub(super) fn lapses(&self, id: SessionId, trunk: &TrunkId, now: Now) -> Option<Instant> {
        let own = self.trunk(trunk).map(|trunk| trunk.connect_timeout).filter(|span| !span.is_zero());
        let asked = || Some(self.sessions.get(&id)?.hunt.as_ref()?.invite.connect_timeout);
        own.or_else(asked).filter(|span| !span.is_zero()).map(|span| now.mono + span)
    }

    /// The attempt under way has failed, by `refusal` where there was one: the next one goes out, or
    /// the call has failed.
    pub(super) fn lose_way(&mut self, id: SessionId, lost: Lost, refusal: Option<&Message>, now: Now) {
        let status = match lost {
            Lost::Silent => 408,
            Lost::Unreachable => 503,
            Lost::Refused(status, _) | Lost::Redirected(status) => status,
        };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Phase::Calling { hung_up: false, .. } = session.phase else {
            return self.end_invite(id, status, refusal, now);
        };
        let Some(mut hunt) = session.hunt.take() else {
            self.give_up_attempt(id, now);
            return self.end_invite(id, status, refusal, now);
        };
        if let Some((trunk, addr)) = hunt.here.clone() {
            self.note_lost(&trunk, addr, lost, now);
            if matches!(lost, Lost::Refused(401 | 407, _)) {
                // Its other hops know the same account, and may lock it for too many tries.
                hunt.ahead.retain(|step| step.trunk != trunk);
                hunt.last_resort.retain(|step| step.trunk != trunk);
            }
        }
        self.give_up_attempt(id, now);
        // Its place at the trunk is free for the next attempt: that may be by another hop of the same.
        if let Some(trunk) = self.sessions.get_mut(&id).and_then(|session| session.dialog.trunk.take()) {
            self.trunks.leave(&trunk);
        }
        match self.try_next(id, &mut hunt, now) {
            Ok(()) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.hunt = Some(hunt);
                }
            }
            Err(_) => self.end_invite(id, status, refusal, now),
        }
    }

    /// What a failed attempt says of its hop.
    fn note_lost(&mut self, trunk: &TrunkId, addr: SocketAddr, lost: Lost, now: Now) {
        let (why, rest) = match lost {
            Lost::Silent => (WayFailed::Silent, Some(REST_AFTER_SILENCE)),
            Lost::Unreachable => (WayFailed::Unreachable, Some(REST_AFTER_SILENCE)),
            // Counted as what they are already.
            Lost::Refused(401 | 407, _) | Lost::Redirected(_) => return,
            // Without Retry-After a 503 is to be taken as a 500 (RFC 3261 §21.5.4).
            Lost::Refused(503, retry_after) => (WayFailed::Refused, retry_after),
            Lost::Refused(..) => (WayFailed::Refused, None),
        };
        self.trunks.count(trunk, why);
        if let Some(span) = rest {
            self.trunks.rest(trunk, addr, span, now.mono);
        }
    }

    /// Lets go of the INVITE under way: CANCEL where it can still be heard, and a 2xx that comes
    /// nevertheless gets ACK and BYE from its transaction.
    fn give_up_attempt(&mut self, id: SessionId, now: Now) {
        let Some(Phase::Calling { tx, .. }) = self.sessions.get(&id).map(|session| &session.phase) else {
            return;
        };
        let tx = *tx;
        if let Some(entry) = self.table.get_mut(tx)
            && let User::Inviting(inviting) = &mut entry.user
            && inviting.session == id
        {
            inviting.given_up = true;
            self.cancel_invite(id, Farewell::default(), now);
        }
    }

    /// A final refusal of our INVITE: of the way, or of the callee.
    pub(super) fn way_refused(&mut self, id: SessionId, status: u16, response: &Message, now: Now) {
        if (300..=399).contains(&status) {
            return self.follow(id, status, response, now);
        }
        let rang = self.sessions.get(&id).is_some_and(|session| session.rang);
        match speaks_for_way(status, rang) {
            true => self.lose_way(id, Lost::Refused(status, retry_after(response)), Some(response), now),
            false => self.end_invite(id, status, Some(response), now),
        }
    }

    /// A hop took our INVITE: nothing else is tried, and whatever was held against it is over.
    pub(super) fn way_carried(&mut self, id: SessionId) {
        let Some(hunt) = self.sessions.get_mut(&id).and_then(|session| session.hunt.take()) else { return };
        if let Some((trunk, addr)) = hunt.here
            && let Some(up) = self.trunks.proved(&trunk, addr)
        {
            self.tell(Event::TrunkHealth { trunk, up });
        }
    }
}

/// Whether a refusal is about the way, so that another may lead there.
///
/// 503 says so itself (RFC 3261 §21.5.4, RFC 3263 §4.3). 500 is a fault of that server, 502 and 504
/// are of what it asked in turn (§21.5.1, .3, .5): gateways make them of network causes 27, 38 and
/// 102 (RFC 3398 §8.2.6.1), which another way does not have. 401 and 407 that could not be answered
/// are between that trunk and our account there. 408 from a server is a next hop that was silent, as
/// long as nobody has rung. 501, 505, 513 and 580 are about what we said and come again everywhere;
/// any other 4xx and each 6xx speaks for the callee.
fn speaks_for_way(status: u16, rang: bool) -> bool {
    match status {
        401 | 407 | 500 | 502..=504 => true,
        408 => !rang,
        _ => false,
    }
}

/// Retry-After in seconds, its comment and parameters left out (RFC 3261 §20.33).
pub(super) fn retry_after(response: &Message) -> Option<Duration> {
    let value = response.header(Name::RetryAfter)?;
    let digits = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    scan::number(&value[..digits]).map(Duration::from_secs)
}

/// The number in the place that a 3xx named, as far as it can be written down.
fn number_of(uri: &[u8]) -> Option<String> {
    let user = Uri::parse(uri).ok()?.user?;
    let user = std::str::from_utf8(user).ok()?;
    Some(user.chars().filter(|letter| !letter.is_control()).take(NUMBER_CHARS_MAX).collect())
}

/// The places of `routes` in the order of trying.
fn order(routes: &[Route], dice: &mut Dice) -> Vec<usize> {
    if routes.len() < 2 {
        return (0..routes.len()).collect(); // Nearly every call's.
    }
    let share = |route: &Route| Share { priority: route.priority, weight: route.weight };
    shares::draw(&routes.iter().map(share).collect::<Vec<_>>(), dice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_refusals_speak_for_the_way_row_by_row() {
        let of_the_way = [401, 407, 500, 502, 503, 504];
        let of_the_callee = [
            400, 403, 404, 410, 415, 420, 480, 481, 482, 484, 486, 487, 488, 501, 505, 513, 580, 600, 603,
            604, 606,
        ];
        for rang in [false, true] {
            assert!(of_the_way.iter().all(|status| speaks_for_way(*status, rang)));
            assert!(of_the_callee.iter().all(|status| !speaks_for_way(*status, rang)));
            assert_eq!(speaks_for_way(408, rang), !rang);
        }
    }

    #[test]
    fn routes_go_by_priority_and_then_by_their_share() {
        let route = |trunk: &str, priority, weight| Route {
            trunk: trunk.into(),
            user: String::new(),
            from_user: String::new(),
            priority,
            weight,
        };
        let routes = [route("spare", 2, 1), route("a", 1, 30), route("b", 1, 10), route("c", 1, 0)];
        let mut dice = Dice::seeded(7);
        let mut first = [0; 4];
        for _ in 0..4_000 {
            let order = order(&routes, &mut dice);
            assert_eq!(order.len(), 4);
            assert_eq!(order[3], 0, "the spare one comes last");
            first[order[0]] += 1;
        }
        assert!((2_700..3_100).contains(&first[1]), "{first:?}");
        assert!((850..1_150).contains(&first[2]), "{first:?}");
        assert!((1..200).contains(&first[3]), "{first:?}");
    }

    #[test]
    fn retry_after_is_read_row_by_row() {
        for (value, wanted) in [
            ("120", Some(120)),
            ("18000;duration=3600", Some(18_000)),
            ("5 (I'm in a meeting)", Some(5)),
            ("Mon", None),
            ("", None),
        ] {
            let text = format!("SIP/2.0 503 X\r\nRetry-After: {value}\r\n\r\n");
            let response = Message::parse(text.into_bytes().into()).unwrap();
            assert_eq!(retry_after(&response), wanted.map(Duration::from_secs), "{value}");
        }
    }
}
