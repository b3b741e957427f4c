//! Being registered at trunks that want it (RFC 3261 §10.2): one binding each, refreshed before it
//! ends, asked for again with growing patience, and taken back when the house closes.
//!
//! Seats that register with us are in `registrar`; proof is in `vouching`.

use std::net::SocketAddr;
use std::time::Duration;

use super::endpoint::{Due, Endpoint, Source, User};
use super::event::{Config, Event, Gate, TrunkConfig};
use super::hunt::retry_after;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::name_addr::Contacts;
use super::proving::host_towards;
use super::transport::Transport;
use super::uac::escape;
use super::writing::host_of;
use crate::id::{Dice, TrunkId};
use crate::time::{Instant, Now};

/// First wait after every hop has failed (RFC 5626 §4.5 base time, all flows down).
const BACK_OFF: Duration = Duration::from_secs(30);
/// Longest wait between two rounds (RFC 5626 §4.5).
const BACK_OFF_MAX: Duration = Duration::from_secs(1_800);
/// Longest registration that a 423 can make us ask for, seconds.
const EXPIRES_MAX: u32 = 86_400;
/// Shortest time between a binding and its refresh, whatever a registrar grants.
const REFRESH_MIN: Duration = Duration::from_secs(5);
/// How long a binding that is taken back is waited for at the end.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// Our registration at one trunk.
pub(super) struct Registrant {
    /// The same for all of them (RFC 3261 §10.2).
    call_id: String,
    tag: String,
    seq: u32,
    /// Place of the hop that is asked.
    hop: usize,
    /// Hops in a row that failed.
    tried: usize,
    /// Rounds in a row that failed.
    rounds: u32,
    /// What the plan wants, seconds.
    wanted: u32,
    /// What is asked for, seconds: more where a 423 wanted it.
    expires: u32,
    /// The trunk's hops were not known when it was tried last.
    no_hop: bool,
    /// A 423 was obeyed in this round.
    raised: bool,
    /// The binding is good until then.
    until: Option<Instant>,
    /// URI of the Contact that was said last.
    contact: String,
    told: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A REGISTER is out.
    Asking,
    /// The next one is due then: a refresh, or another try.
    Waiting { at: Instant },
    /// Taking the binding back, at most until then.
    Leaving { ends: Instant },
    /// It is over.
    Left,
}

impl Registrant {
    fn new(trunk: &TrunkConfig, dice: &mut Dice, host: &str, now: Instant) -> Option<Registrant> {
        let wanted = u32::try_from(trunk.register?.as_secs()).unwrap_or(EXPIRES_MAX).clamp(1, EXPIRES_MAX);
        Some(Registrant {
            call_id: format!("{}@{host}", dice.hex(16)),
            tag: dice.hex(16),
            seq: 0,
            hop: 0,
            tried: 0,
            rounds: 0,
            wanted,
            expires: wanted,
            no_hop: false,
            raised: false,
            until: None,
            contact: String::new(),
            told: false,
            state: State::Waiting { at: now },
        })
    }

    /// Goes on under a new plan: what it wants may differ, and hops may have been found.
    fn follow(&mut self, next: &Registrant, no_hop: bool, now: Instant) {
        if self.wanted != next.wanted {
            (self.wanted, self.expires) = (next.wanted, next.wanted);
        }
        if let State::Waiting { at } = &mut self.state
            && self.no_hop
            && !no_hop
        {
            (*at, self.rounds, self.no_hop) = (now, 0, false);
        }
    }

    /// The account is another one: what was refused is asked for again at once.
    pub(super) fn try_again(&mut self, now: Instant) {
        if let State::Waiting { at } = &mut self.state
            && self.rounds > 0
        {
            (*at, self.rounds) = (now, 0);
        }
    }

    /// Whether the trunk knows where we are.
    pub(super) fn stands(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let ends = self.until.filter(|_| self.told);
        match self.state {
            State::Waiting { at } => Some(ends.map_or(at, |ends| ends.min(at))),
            State::Leaving { ends } => Some(ends),
            State::Asking => ends,
            State::Left => None,
        }
    }
}

impl Endpoint {
    /// Begins where a plan wants a registration that there is none of yet. Not while the house closes: it has
    /// taken its bindings back, and nobody would take back another.
    pub(super) fn begin_registrations(&mut self, now: Now) {
        let closing = matches!(self.gate, Gate::Draining { .. });
        for trunk in self.config.trunks.clone() {
            let host = host_of(&self.config, 0);
            let registrant = Registrant::new(&trunk, &mut self.dice, &host, now.mono);
            if let Some(state) = self.trunks.get_mut(&trunk.trunk).filter(|_| !closing) {
                match (&mut state.registrant, registrant) {
                    (Some(known), Some(made)) => known.follow(&made, trunk.hops.is_empty(), now.mono),
                    (known, made) => *known = made,
                }
            }
            self.wake_trunk(&trunk.trunk);
        }
    }

    /// Takes back the bindings that the next plan does not want, while their accounts are known.
    pub(super) fn drop_registrations(&mut self, next: &Config, now: Now) {
        let user = |trunk: &TrunkConfig| trunk.account.as_ref().map(|account| account.user.clone());
        let same = |trunk: &TrunkConfig, other: &TrunkConfig| {
            (&other.trunk, &other.domain, user(other)) == (&trunk.trunk, &trunk.domain, user(trunk))
        };
        let wanted = |trunk: &TrunkConfig| {
            next.trunks.iter().any(|other| other.register.is_some() && same(trunk, other))
        };
        let gone: Vec<TrunkId> = self
            .config
            .trunks
            .iter()
            .filter(|trunk| !wanted(trunk))
            .map(|trunk| trunk.trunk.clone())
            .collect();
        for trunk in gone {
            self.leave_trunk(&trunk, now);
            if let Some(state) = self.trunks.get_mut(&trunk) {
                let told = state.registrant.take().is_some_and(|registrant| registrant.told);
                if told {
                    self.tell(Event::TrunkRegistered { trunk: trunk.clone(), ok: false });
                }
            }
            self.agenda.set(&Due::Trunk(trunk), None);
        }
    }

    /// Takes back every binding of ours: the house is closing, calls are to go elsewhere.
    pub fn unregister(&mut self, now: Now) {
        for trunk in self.config.trunks.iter().map(|trunk| trunk.trunk.clone()).collect::<Vec<_>>() {
            self.leave_trunk(&trunk, now);
            self.wake_trunk(&trunk);
        }
    }

    /// Whether a binding is still being taken back; at most for two seconds.
    pub fn is_unregistering(&self) -> bool {
        let registrant = |trunk: &TrunkConfig| self.trunks.get(&trunk.trunk)?.registrant.as_ref();
        self.config
            .trunks
            .iter()
            .filter_map(registrant)
            .any(|registrant| matches!(registrant.state, State::Leaving { .. }))
    }

    fn leave_trunk(&mut self, trunk: &TrunkId, now: Now) {
        let Some(registrant) = self.registrant(trunk) else { return };
        if matches!(registrant.state, State::Leaving { .. } | State::Left) {
            return;
        }
        // One under way may still make a binding; the one that ends it has the higher CSeq.
        let asked = registrant.state == State::Asking || registrant.until.is_some();
        registrant.state = if asked { State::Leaving { ends: now.mono + LEAVE_MAX } } else { State::Left };
        if asked {
            self.register(trunk, 0, now);
        }
    }

    fn registrant(&mut self, trunk: &TrunkId) -> Option<&mut Registrant> {
        self.trunks.get_mut(trunk)?.registrant.as_mut()
    }

    /// The next CSeq of our REGISTERs at a trunk, if `seq` is the one that counts now.
    pub(super) fn next_register_seq(&mut self, trunk: &TrunkId, seq: u32) -> Option<u32> {
        let registrant = self.registrant(trunk).filter(|registrant| registrant.seq == seq)?;
        registrant.seq += 1;
        Some(registrant.seq)
    }

    pub(super) fn handle_registration_timeout(&mut self, trunk: &TrunkId, now: Now) {
        let Some(registrant) = self.registrant(trunk) else { return };
        let lapsed = registrant.until.is_some_and(|until| until <= now.mono);
        if lapsed {
            registrant.until = None;
        }
        match registrant.state {
            State::Waiting { at } if at <= now.mono => {
                registrant.state = State::Asking;
                let expires = registrant.expires;
                self.register(trunk, expires, now);
            }
            State::Leaving { ends } if ends <= now.mono => registrant.state = State::Left,
            State::Waiting { .. } | State::Leaving { .. } | State::Asking | State::Left => {}
        }
        if lapsed {
            self.tell_registered(trunk, false);
        }
    }

    /// Sends a REGISTER; `expires` of 0 takes the binding back.
    fn register(&mut self, trunk: &TrunkId, expires: u32, now: Now) {
        let Some(config) = self.trunk(trunk).cloned() else { return };
        let Some(registrant) = self.registrant(trunk) else { return };
        registrant.seq += 1;
        let (seq, place) = (registrant.seq, registrant.hop);
        let (call_id, tag) = (registrant.call_id.clone(), registrant.tag.clone());
        let hop = config.hops.get(place).or_else(|| config.hops.first());
        let listener = hop.and_then(|hop| self.listener_for(hop));
        let request = hop.zip(listener).and_then(|(hop, listener)| {
            Some((hop, listener, self.trunk_request(&Method::Register, &config, hop, listener)?))
        });
        let Some((hop, listener, (draft, key))) = request else {
            if let Some(registrant) = self.registrant(trunk) {
                registrant.no_hop = config.hops.is_empty();
            }
            return self.registration_failed(trunk, None, now);
        };
        let user = config.account.as_ref().map_or("", |account| &*account.user);
        let user = if user.is_empty() { String::new() } else { format!("{}@", escape(user)) };
        let whom = format!("<sip:{user}{}>", host_towards(&config, hop));
        let at = self.config.listeners.get(listener);
        let at = at.map_or(hop.addr, |listener| SocketAddr::new(listener.advertise, listener.bind.port()));
        let transport = match hop.transport {
            Transport::Udp => String::new(),
            other => format!(";transport={}", other.uri_name()),
        };
        let contact = format!("sip:{user}{at}{transport}");
        let draft = draft
            .header("From", format!("{whom};tag={tag}"))
            .header("To", whom)
            .header("Call-ID", call_id)
            .header("CSeq", format!("{seq} REGISTER"))
            .header("Contact", format!("<{contact}>"))
            .header_number(Name::Expires, u64::from(expires));
        let draft = self.name(draft, "User-Agent").header("Allow", super::writing::ALLOW);
        let bytes = self.vouch(draft, Some(trunk), &Method::Register).finish();
        let way = Source { listener, peer: hop.addr };
        if let Some(registrant) = self.registrant(trunk) {
            registrant.contact = contact;
        }
        self.request(User::Registering(Box::new(trunk.clone())), key, way, bytes, now);
    }

    /// A final answer to our REGISTER.
    pub(super) fn handle_registered(&mut self, trunk: &TrunkId, status: u16, response: &Message, now: Now) {
        let seq = response.cseq().map_or(0, |cseq| cseq.number);
        let share = self.dice.below(1_000);
        let Some(registrant) = self.registrant(trunk) else { return };
        // An answer to an earlier one says nothing any more.
        if seq != registrant.seq {
            return;
        }
        match (registrant.state, status) {
            (State::Leaving { .. }, _) => {
                (registrant.state, registrant.until) = (State::Left, None);
                self.tell_registered(trunk, false);
            }
            (State::Asking, 200..=299) => {
                let granted = granted(response, &registrant.contact).unwrap_or(registrant.expires);
                if granted == 0 {
                    return self.registration_failed(trunk, None, now);
                }
                let life = Duration::from_secs(u64::from(granted));
                registrant.until = Some(now.mono + life);
                registrant.state = State::Waiting { at: now.mono + refresh_after(life, share) };
                (registrant.tried, registrant.rounds, registrant.raised) = (0, 0, false);
                self.tell_registered(trunk, true);
            }
            // 423: too short for them (RFC 3261 §10.2.8). Once in a round, and only upwards.
            (State::Asking, 423) if !registrant.raised => match response.number(Name::MinExpires) {
                Ok(Some(least)) if least > registrant.expires && least <= EXPIRES_MAX => {
                    (registrant.expires, registrant.raised) = (least, true);
                    self.register(trunk, least, now);
                }
                _ => self.registration_failed(trunk, None, now),
            },
            (State::Asking, _) => self.registration_failed(trunk, retry_after(response), now),
            (State::Waiting { .. } | State::Left, _) => {}
        }
        self.wake_trunk(trunk);
    }

    /// The REGISTER under way has failed: the next hop is asked, or after a whole round a wait begins.
    pub(super) fn registration_failed(&mut self, trunk: &TrunkId, retry_after: Option<Duration>, now: Now) {
        let hops = self.trunk(trunk).map_or(0, |trunk| trunk.hops.len());
        let half = self.dice.below(1_000);
        let Some(registrant) = self.registrant(trunk) else { return };
        match registrant.state {
            State::Asking => {}
            State::Leaving { .. } => registrant.state = State::Left,
            State::Waiting { .. } | State::Left => return,
        }
        if registrant.state == State::Left {
            return self.wake_trunk(trunk);
        }
        registrant.hop = (registrant.hop + 1) % hops.max(1);
        registrant.tried += 1;
        registrant.raised = false;
        let wait = if registrant.tried < hops {
            Duration::ZERO
        } else {
            registrant.tried = 0;
            registrant.rounds = registrant.rounds.saturating_add(1);
            back_off(registrant.rounds, half).max(retry_after.unwrap_or_default().min(BACK_OFF_MAX))
        };
        registrant.state = State::Waiting { at: now.mono + wait };
        let lost = !registrant.stands(now.mono);
        if lost {
            self.tell_registered(trunk, false);
        }
        self.wake_trunk(trunk);
    }

    /// ICMP said that nobody listens at the hop that is asked: no need to wait for Timer F.
    pub(super) fn registrar_unreachable(&mut self, trunk: &TrunkId, peer: SocketAddr, now: Now) {
        let hops: Vec<SocketAddr> = self
            .trunk(trunk)
            .map(|trunk| trunk.hops.iter().map(|hop| hop.addr).collect())
            .unwrap_or_default();
        let Some(registrant) = self.registrant(trunk) else { return };
        let asked = hops.get(registrant.hop).or_else(|| hops.first());
        if registrant.state == State::Asking && asked == Some(&peer) {
            // Whatever that REGISTER still brings is of no interest: its CSeq is behind.
            registrant.seq += 1;
            self.registration_failed(trunk, None, now);
        }
    }

    fn tell_registered(&mut self, trunk: &TrunkId, ok: bool) {
        let Some(registrant) = self.registrant(trunk) else { return };
        if std::mem::replace(&mut registrant.told, ok) != ok {
            self.tell(Event::TrunkRegistered { trunk: trunk.clone(), ok });
        }
    }
}

/// Seconds that a 2xx grants our binding (RFC 3261 §10.2.4): those of our Contact, as others may be
/// bound too; of the only one, where a registrar writes it in its own way; else Expires.
fn granted(response: &Message, contact: &str) -> Option<u32> {
    let list = match response.contacts() {
        Ok(Contacts::List(list)) => list,
        _ => Vec::new(),
    };
    let ours = list.iter().find(|bound| bound.uri().eq_ignore_ascii_case(contact.as_bytes()));
    let only = list.first().filter(|_| list.len() == 1);
    let expires = ours.or(only).and_then(|bound| bound.expires());
    expires.or_else(|| response.expires().ok().flatten())
}

/// When to refresh a binding: after 75–90 % of its life, so that trunks of many houses do not all
/// ask at once and two tries fit before it ends. `share` is 0..1000.
fn refresh_after(life: Duration, share: u64) -> Duration {
    life.mul_f64(0.75 + 0.15 * share as f64 / 1_000.0).max(REFRESH_MIN)
}

/// How long to wait after so many failed rounds: doubled each time up to the cap, of which 50–100 %
/// are drawn (RFC 5626 §4.5). `half` is 0..1000.
fn back_off(rounds: u32, half: u64) -> Duration {
    let upper = BACK_OFF.saturating_mul(1 << rounds.saturating_sub(1).min(16)).min(BACK_OFF_MAX);
    upper.mul_f64(0.5 + half as f64 / 2_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_an_hour() {
        for (rounds, upper) in
            [(1, 30), (2, 60), (3, 120), (6, 960), (7, 1_800), (40, 1_800), (u32::MAX, 1_800)]
        {
            assert_eq!(back_off(rounds, 1_000), Duration::from_secs(upper), "{rounds}");
            assert_eq!(back_off(rounds, 0), Duration::from_secs(upper) / 2, "{rounds}");
        }
    }

    #[test]
    fn a_refresh_comes_well_before_the_end() {
        let life = Duration::from_secs(1_000);
        assert_eq!(refresh_after(life, 0), Duration::from_secs(750));
        assert_eq!(refresh_after(life, 1_000), Duration::from_secs(900));
    }

    #[test]
    fn what_a_2xx_grants_row_by_row() {
        for (lines, wanted) in [
            ("Contact: <sip:a@h>;expires=300\r\nExpires: 3600\r\n", Some(300)),
            ("Contact: <sip:nat@h>;expires=300\r\nExpires: 3600\r\n", Some(300)),
            ("Contact: <sip:b@h>;expires=3, <sip:c@h>;expires=4\r\nExpires: 90\r\n", Some(90)),
            ("Contact: <sip:a@h>\r\nExpires: 120\r\n", Some(120)),
            ("Contact: <sip:b@h>;expires=900, <sip:a@h>;expires=60\r\n", Some(60)),
            ("Contact: <sip:a@h>;expires=soon\r\n", None),
            ("", None),
        ] {
            let response =
                Message::parse(format!("SIP/2.0 200 OK\r\n{lines}\r\n").into_bytes().into()).unwrap();
            assert_eq!(granted(&response, "sip:a@h"), wanted, "{lines}");
        }
    }
}
