//! Where the seats are: REGISTER served and bindings kept (RFC 3261 §10.3).
//!
//! A seat has one binding: a new contact takes the place of the old one, so a clerk who moves to
//! another desk is rung there and nowhere else. Who may register is for `auth`; `io` keeps bindings
//! on disk.

use std::collections::BTreeMap;
use std::time::Duration;

use super::auth::{Guessed, Verdict, user_of};
use super::build::Draft;
use super::endpoint::{Due, Endpoint, Source, User};
use super::event::{Binding, Config, Event, SeatAccount, TurnedAway};
use super::message::Message;
use super::name::Name;
use super::name_addr::{Contacts, NameAddr};
use super::transaction::Key;
use crate::id::SeatId;
use crate::time::{Instant, Now, Timestamp};

/// Longest contact URI that is kept, bytes.
const CONTACT_MAX: usize = 512;
/// Bounds of the plan where it says nothing, seconds.
const MIN_DEFAULT_S: u32 = 60;
const MAX_DEFAULT_S: u32 = 3_600;

/// Bindings that are laid aside; a further one is not: its telephone registers anew.
const ASIDE_MAX: usize = 1_024;

/// All bindings. As many as there are seats at most.
#[derive(Debug, Default)]
pub(super) struct Registrar {
    bindings: BTreeMap<SeatId, (Binding, Instant)>,
    /// Of seats that the plan has no more, with the account that made them, as long as they would have stood: a
    /// telephone whose seat comes back by the next plan does not know that it was gone.
    aside: BTreeMap<SeatId, (Binding, Instant, SeatAccount)>,
}

/// What a REGISTER asks for, once it is judged sound.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    /// No Contact: only to know.
    Query,
    /// `*`, or the contact that is bound, with nothing left of its time.
    Remove,
    /// Removing what is not bound.
    Nothing,
    /// This contact, for so many seconds.
    Bind(String, u32),
}

impl Registrar {
    pub(super) fn len(&self) -> usize {
        self.bindings.len()
    }

    pub(super) fn seats(&self) -> Vec<SeatId> {
        self.bindings.keys().cloned().collect()
    }

    pub(super) fn binding(&self, seat: &SeatId) -> Option<&Binding> {
        self.bindings.get(seat).map(|(binding, _)| binding)
    }

    /// Where a seat is registered.
    pub(super) fn flow(&self, seat: &str) -> Option<std::net::SocketAddr> {
        self.bindings.get(seat).map(|(binding, _)| binding.flow)
    }

    /// Who registered over one flow.
    pub(super) fn seats_on(&self, listener: usize, flow: std::net::SocketAddr) -> Vec<SeatId> {
        let on = self
            .bindings
            .iter()
            .filter(|(_, (binding, _))| binding.listener == listener && binding.flow == flow);
        on.map(|(seat, _)| seat.clone()).collect()
    }

    pub(super) fn remove(&mut self, seat: &SeatId) -> bool {
        self.bindings.remove(seat).is_some()
    }

    /// Keeps the binding of a seat that the next plan has not.
    fn lay_aside(&mut self, account: &SeatAccount) {
        if let Some((binding, ends)) = self.bindings.get(&account.seat).cloned()
            && self.aside.len() < ASIDE_MAX
        {
            self.aside.insert(account.seat.clone(), (binding, ends, account.clone()));
        }
    }

    /// A flow is gone, and with it what was laid aside of it.
    pub(super) fn forget_aside(&mut self, listener: usize, flow: std::net::SocketAddr) {
        self.aside.retain(|_, (binding, ..)| (binding.listener, binding.flow) != (listener, flow));
    }

    /// Takes up what was laid aside of seats that are back with the account that they had.
    fn take_up(&mut self, accounts: &[SeatAccount], now: Instant) -> Vec<(SeatId, Binding, Instant)> {
        self.aside.retain(|_, (_, ends, _)| *ends > now);
        let mut back = Vec::new();
        for account in accounts {
            if let Some((binding, ends, before)) = self.aside.remove(&account.seat)
                && before == *account
                && !self.bindings.contains_key(&account.seat)
            {
                self.bindings.insert(account.seat.clone(), (binding.clone(), ends));
                back.push((account.seat.clone(), binding, ends));
            }
        }
        back
    }

    /// Takes a binding from disk; tells when it ends, by what is left of it on the wall clock.
    pub(super) fn restore(&mut self, seat: &SeatId, binding: Binding, now: Now) -> Option<Instant> {
        let left = binding.expires_at.as_second() - now.wall.as_second();
        let left = u64::try_from(left).ok().filter(|left| *left > 0)?;
        let ends = now.mono + Duration::from_secs(left);
        self.bindings.insert(seat.clone(), (binding, ends));
        Some(ends)
    }

    /// Judges a REGISTER of `seat`. `Err`: the status that refuses it.
    fn wish(&self, seat: &SeatId, request: &Message, bounds: (u32, u32)) -> Result<Wish, u16> {
        let header = request.expires().map_err(|_| 400u16)?;
        let held = self.binding(seat);
        let contacts = match request.contacts().map_err(|_| 400u16)? {
            Contacts::Star if header == Some(0) => {
                return self.in_order(seat, request).map(|()| Wish::Remove);
            }
            Contacts::Star => return Err(400),
            Contacts::List(contacts) => contacts,
        };
        if contacts.is_empty() {
            return Ok(Wish::Query);
        }
        self.in_order(seat, request)?;
        let wanted = |contact: &NameAddr| contact.expires().or(header).unwrap_or(bounds.1);
        let best = contacts
            .iter()
            .filter(|contact| wanted(contact) > 0)
            .reduce(|best, next| if next.q() > best.q() { next } else { best });
        let Some(best) = best else {
            let bound =
                |contact: &NameAddr| held.is_some_and(|held| held.contact.as_bytes() == contact.uri());
            return Ok(if contacts.iter().any(bound) { Wish::Remove } else { Wish::Nothing });
        };
        let seconds = wanted(best);
        if seconds < bounds.0 {
            return Err(423);
        }
        let uri = best.parse_uri().ok().filter(|uri| uri.is_sip() && best.uri().len() <= CONTACT_MAX);
        let text = std::str::from_utf8(best.uri()).ok().filter(|_| uri.is_some());
        let text = text.ok_or(400u16)?;
        Ok(Wish::Bind(text.to_owned(), seconds.min(bounds.1)))
    }

    /// A REGISTER that was overtaken changes nothing (RFC 3261 §10.3 step 7).
    fn in_order(&self, seat: &SeatId, request: &Message) -> Result<(), u16> {
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        match self.binding(seat) {
            Some(held) if request.call_id() == Some(held.call_id.as_bytes()) && number <= held.cseq => {
                Err(500)
            }
            _ => Ok(()),
        }
    }
}

impl Endpoint {
    /// [`Guard::check`](super::auth::Guard::check); wrong passwords are told.
    pub(super) fn check_proof(&mut self, request: &Message, from: Source, now: Now) -> Verdict {
        let verdict = self.guard.check(request, from.peer.ip(), now.mono);
        if let Some(Guessed { seat, braked }) = self.guard.take_guessed() {
            self.tell(Event::PasswordWrong { seat, peer: from.peer, braked });
        }
        verdict
    }

    /// Too many wrong proofs: 503 until they count no more.
    pub(super) fn refuse_braked(&mut self, request: &Message, from: Source, left: Duration) {
        let wait = u32::try_from(left.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        self.refuse_for(request, from, 503, wait, TurnedAway::BadCredentials);
    }

    /// Lays the bindings aside of seats that the next plan has not, while their accounts are known.
    pub(super) fn lay_bindings_aside(&mut self, next: &Config) {
        let stays = |seat: &SeatId| next.seats.iter().any(|account| account.seat == *seat);
        for account in self.config.seats.iter().filter(|account| !stays(&account.seat)) {
            self.registrar.lay_aside(account);
        }
    }

    /// Ends the bindings of seats that the plan has no more, and takes up those of seats that are back.
    pub(super) fn follow_seats(&mut self, now: Now) {
        for seat in self.registrar.seats() {
            if !self.guard.knows(seat.as_str()) {
                self.unbind(seat);
            }
        }
        for (seat, binding, ends) in self.registrar.take_up(&self.config.seats, now.mono) {
            self.agenda.set(&Due::Seat(seat.clone()), Some(ends));
            self.save_binding(seat.clone(), binding);
            self.tell(Event::Registered { seat, refreshed: false });
        }
    }

    /// REGISTER, new and without a To tag.
    pub(super) fn handle_register(&mut self, request: &Message, key: Key, from: Source, now: Now) {
        let seat = match self.check_proof(request, from, now) {
            Verdict::Good(seat) => seat,
            Verdict::Challenge { stale } => return self.challenge(request, from, stale, None, now),
            Verdict::Wrong => {
                return self.challenge(request, from, false, Some(TurnedAway::BadCredentials), now);
            }
            Verdict::Braked(left) => return self.refuse_braked(request, from, left),
        };
        // From here on by transaction: the nonce count is spent, so a retransmission must be known.
        if user_of(request, Name::To).as_deref() != Some(seat.as_str()) {
            self.turn_away(from, TurnedAway::BadCredentials);
            return self.answer_register(request, key, from, 403, |draft| draft, now);
        }
        let bounds = (
            if self.config.register_min_s == 0 { MIN_DEFAULT_S } else { self.config.register_min_s },
            if self.config.register_max_s == 0 { MAX_DEFAULT_S } else { self.config.register_max_s },
        );
        match self.registrar.wish(&seat, request, bounds) {
            Err(status) => {
                self.turn_away(from, TurnedAway::BadRequest);
                let told = |draft: Draft| match status {
                    423 => draft.header_number(Name::MinExpires, u64::from(bounds.0)),
                    _ => draft,
                };
                self.answer_register(request, key, from, status, told, now);
            }
            Ok(wish) => {
                let bound = matches!(wish, Wish::Bind(..));
                let event = self.grant(&seat, wish, request, from, now);
                if !bound && event {
                    self.unbind(seat.clone());
                }
                let contact = self.contact_of(&seat, now);
                let told = |draft: Draft| match contact {
                    Some(contact) => draft.header("Contact", contact),
                    None => draft,
                };
                self.answer_register(request, key, from, 200, told, now);
            }
        }
    }

    /// Carries a wish out but for removing; says whether the seat is to be unbound.
    fn grant(&mut self, seat: &SeatId, wish: Wish, request: &Message, from: Source, now: Now) -> bool {
        let (contact, seconds) = match wish {
            Wish::Query | Wish::Nothing => return false,
            Wish::Remove => return true,
            Wish::Bind(contact, seconds) => (contact, seconds),
        };
        let refreshed = self
            .registrar
            .binding(seat)
            .is_some_and(|held| held.contact == contact && held.flow == from.peer);
        let binding = Binding {
            contact,
            flow: from.peer,
            listener: from.listener,
            expires_at: later(now.wall, seconds),
            call_id: super::writing::text(request, Name::CallId),
            cseq: request.cseq().map_or(0, |cseq| cseq.number),
        };
        let ends = now.mono + Duration::from_secs(u64::from(seconds));
        self.registrar.bindings.insert(seat.clone(), (binding.clone(), ends));
        self.agenda.set(&Due::Seat(seat.clone()), Some(ends));
        self.save_binding(seat.clone(), binding);
        self.tell(Event::Registered { seat: seat.clone(), refreshed });
        false
    }

    fn contact_of(&self, seat: &SeatId, now: Now) -> Option<String> {
        let (binding, ends) = self.registrar.bindings.get(seat)?;
        // Rounded up: a phone that is told 59 of 60 would refresh early for ever.
        let left = ends.since(now.mono).as_millis().div_ceil(1_000);
        Some(format!("<{}>;expires={left}", binding.contact))
    }

    fn answer_register(
        &mut self,
        request: &Message,
        key: Key,
        from: Source,
        status: u16,
        told: impl FnOnce(Draft) -> Draft,
        now: Now,
    ) {
        let tag = self.stateless_tag(request);
        let draft = told(Draft::response(request, from.peer, status, Some(&tag)));
        let bytes = self.name(draft, "Server").finish();
        self.serve(request, key, from, status, bytes, User::Nobody, now);
    }

    /// 401 with a fresh nonce, without memory.
    pub(super) fn challenge(
        &mut self,
        request: &Message,
        from: Source,
        stale: bool,
        why: Option<TurnedAway>,
        now: Now,
    ) {
        let tag = self.stateless_tag(request);
        let mut draft = Draft::response(request, from.peer, 401, Some(&tag));
        for value in self.guard.challenges(request, from.peer.ip(), stale, now.mono) {
            draft = draft.header("WWW-Authenticate", value);
        }
        let bytes = self.name(draft, "Server").finish();
        let way = super::writing::reply_to(request, from);
        self.send(way.listener, way.peer, bytes);
        if let Some(why) = why {
            self.turn_away(from, why);
        }
    }
}

fn later(wall: Timestamp, seconds: u32) -> Timestamp {
    let span = jiff::SignedDuration::from_secs(i64::from(seconds));
    wall.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(lines: &str) -> Message {
        let text = format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:1001@h>;tag=1\r\n\
             To: <sip:1001@h>\r\nCall-ID: one\r\nCSeq: 5 REGISTER\r\n{lines}\r\n"
        );
        Message::parse(text.into()).unwrap()
    }

    fn held(call_id: &str, cseq: u32) -> Registrar {
        let binding = Binding {
            contact: "sip:a@192.0.2.1".into(),
            flow: "192.0.2.1:5060".parse().unwrap(),
            listener: 0,
            expires_at: Timestamp::UNIX_EPOCH,
            call_id: call_id.into(),
            cseq,
        };
        Registrar { bindings: [("1001".into(), (binding, Instant::ZERO))].into(), ..Registrar::default() }
    }

    #[test]
    fn wishes_row_by_row() {
        let bind = |uri: &str, s| Ok(Wish::Bind(uri.to_owned(), s));
        let rows = [
            ("", Ok(Wish::Query)),
            ("Contact: *\r\nExpires: 0\r\n", Ok(Wish::Remove)),
            ("Contact: *\r\n", Err(400)),
            ("Contact: *\r\nExpires: 5\r\n", Err(400)),
            ("Contact: *, <sip:a@h>\r\nExpires: 0\r\n", Err(400)),
            ("Contact: <sip:a@h>\r\n", bind("sip:a@h", 600)),
            ("Contact: <sip:a@h>\r\nExpires: 120\r\n", bind("sip:a@h", 120)),
            ("Contact: <sip:a@h>;expires=90\r\nExpires: 120\r\n", bind("sip:a@h", 90)),
            ("Contact: <sip:a@h>;expires=9000\r\n", bind("sip:a@h", 600)),
            ("Contact: <sip:a@h>;expires=59\r\n", Err(423)),
            ("Contact: <sip:a@192.0.2.1>;expires=0\r\n", Ok(Wish::Remove)),
            ("Contact: <sip:b@192.0.2.1>;expires=0\r\n", Ok(Wish::Nothing)),
            ("Contact: <sip:a@192.0.2.1>;expires=0, <sip:b@h>\r\n", bind("sip:b@h", 600)),
            ("Contact: <sip:a@h>;q=0.2, <sip:b@h>;q=0.9\r\n", bind("sip:b@h", 600)),
            ("Contact: <mailto:a@h>\r\n", Err(400)),
            ("Contact: <sip:a@h>\r\nExpires: soon\r\n", Err(400)),
        ];
        for (lines, wanted) in rows {
            let found = held("other", 9).wish(&"1001".into(), &register(lines), (60, 600));
            assert_eq!(found, wanted, "{lines}");
        }
    }

    #[test]
    fn an_overtaken_register_changes_nothing() {
        let request = register("Contact: <sip:b@h>\r\n");
        for (call_id, cseq, wanted) in
            [("one", 4, true), ("one", 5, false), ("one", 6, false), ("two", 6, true)]
        {
            let found = held(call_id, cseq).wish(&"1001".into(), &request, (60, 600));
            assert_eq!(found.is_ok(), wanted, "{call_id} {cseq}");
        }
    }
}
