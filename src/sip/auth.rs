//! Proof that a seat is who it says, and a brake on guessing (RFC 7616, RFC 8760).
//!
//! Which requests must be proved is for the callers of [`Guard::check`]; nonces are in `nonce`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::config::Brakes;
use super::dialect::{Dialects, Phone};
use super::digest::{Algorithm, Challenge, Credentials};
use super::event::Config;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::nonce::Nonces;
use super::sources::neighbourhood;
use super::uri::Uri;
use crate::id::{Dice, SeatId};
use crate::time::Instant;

/// Most pairs of source and user that are remembered for guessing; the least guilty makes room.
const GUESSERS_MAX: usize = 4_096;
/// Most Authorization headers of one request that are looked at.
const CREDENTIALS_MAX: usize = 4;

/// What a request's credentials are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Proved.
    Good(SeatId),
    /// None, or none of use: 401 with a fresh nonce.
    Challenge {
        /// The proof was right but its nonce too old or used: nobody need be asked for a password.
        stale: bool,
    },
    /// Wrong: 401 again, and counted.
    Wrong,
    /// Too many wrong ones: 503 without a look, for so long. RFC 3261 has Retry-After for it (§20.33), and a telephone
    /// whose password was mended comes back by itself; after a 403 it need not (§21.4.4).
    Braked(Duration),
}

/// A seat's password was wrong, as an operator is told: at first, and when it was so often that nothing is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guessed {
    /// Whose.
    pub(super) seat: SeatId,
    /// Nothing is looked at for so long; `None`: it was the first within [`Brakes::guess_span`].
    pub(super) braked: Option<Duration>,
}

/// The guard.
pub(super) struct Guard {
    realm: String,
    accounts: HashMap<Box<str>, (SeatId, String, String)>,
    /// Stands in for the HA1 of users that do not exist.
    decoy: String,
    nonces: Nonces,
    dialects: Dialects,
    brakes: Brakes,
    guessers: HashMap<Guesser, Guesses>,
    guessed: Option<Guessed>,
}

/// Where wrong proofs come from, and the mark of the user they are for.
type Guesser = (IpAddr, u64);

/// Its wrong proofs.
#[derive(Clone, Copy)]
struct Guesses {
    since: Instant,
    count: u32,
    /// The operator knows that nothing is looked at.
    told: bool,
}

impl Guesses {
    fn none(now: Instant) -> Self {
        Guesses { since: now, count: 0, told: false }
    }

    /// How long they count yet.
    fn left(&self, span: Duration, now: Instant) -> Duration {
        span.saturating_sub(now.since(self.since))
    }
}

impl Guard {
    pub(super) fn new(dice: &mut Dice, now: Instant) -> Self {
        Guard {
            realm: String::new(),
            accounts: HashMap::new(),
            decoy: "0".repeat(64),
            nonces: Nonces::new(dice, now),
            dialects: Dialects::default(),
            brakes: Brakes::default(),
            guessers: HashMap::new(),
            guessed: None,
        }
    }

    /// Takes the accounts and bounds of a plan. Nonces stay good, and wrong proofs count on.
    pub(super) fn configure(&mut self, config: &Config) {
        self.realm = config.domain.clone();
        self.brakes = config.brakes;
        let account = |seat: &super::event::SeatAccount| {
            let id = seat.seat.clone();
            (
                id.as_str().into(),
                (id, seat.ha1_md5.to_ascii_lowercase(), seat.ha1_sha256.to_ascii_lowercase()),
            )
        };
        self.accounts = config.seats.iter().map(account).collect();
    }

    /// Whether a seat has an account.
    pub(super) fn knows(&self, user: &str) -> bool {
        self.accounts.contains_key(user)
    }

    /// Judges the Authorization of `request`. A user who does not exist is treated like a wrong
    /// password, with the same work.
    pub(super) fn check(&mut self, request: &Message, source: IpAddr, now: Instant) -> Verdict {
        let given = request
            .headers(Name::Authorization)
            .take(CREDENTIALS_MAX)
            .filter_map(|value| Credentials::parse(value).ok())
            .find(|given| *given.realm == *self.realm.as_bytes() && given.qop.is_some());
        let (Some(given), Some(method)) = (given, request.method()) else {
            return Verdict::Challenge { stale: false };
        };
        let phone = self.phone(request, source);
        self.dialects.answered(phone, given.algorithm);
        let account = std::str::from_utf8(&given.username).ok().and_then(|user| self.accounts.get(user));
        let seat = account.map(|(seat, ..)| seat.clone());
        let guesser = (neighbourhood(source), self.user_mark(&given.username));
        if let Some(left) = self.braked_for(guesser, now) {
            self.tell_braked(guesser, seat, left); // Another plan may have braked it.
            return Verdict::Braked(left);
        }
        let Some(serial) = self.nonces.serial_of(&given.nonce) else {
            return Verdict::Challenge { stale: false };
        };
        let ha1 = match (account, given.algorithm) {
            (Some((_, md5, _)), Algorithm::Md5) => md5,
            (Some((_, _, sha256)), Algorithm::Sha256) => sha256,
            (None, Algorithm::Md5) => &self.decoy[..32],
            (None, Algorithm::Sha256) => &self.decoy,
        };
        let proved = prove(&given, ha1, method, request.request_uri().unwrap_or_default());
        let Some((seat, ..)) = account.filter(|_| proved && !ha1.is_empty()) else {
            let count = self.note_guess(guesser, now);
            match self.braked_for(guesser, now) {
                Some(left) => self.tell_braked(guesser, seat, left),
                None if count == 1 => self.guessed = seat.map(|seat| Guessed { seat, braked: None }),
                None => {}
            }
            return Verdict::Wrong;
        };
        let seat = seat.clone();
        let nc = given.qop.as_ref().map_or(0, |qop| qop.nc);
        if !self.nonces.take(serial, nc, now) {
            return Verdict::Challenge { stale: true };
        }
        Verdict::Good(seat)
    }

    /// WWW-Authenticate values for a 401 to `request`, the stronger algorithm first (RFC 8760 §2.4);
    /// MD5 alone where the phone did not understand that.
    pub(super) fn challenges(
        &mut self,
        request: &Message,
        source: IpAddr,
        stale: bool,
        now: Instant,
    ) -> Vec<Vec<u8>> {
        let phone = self.phone(request, source);
        let seq = request.cseq().map_or(0, |cseq| cseq.number).to_be_bytes();
        let mark = self.user_mark(&[request.call_id().unwrap_or_default(), &seq].concat());
        let algorithms: &[Algorithm] = match self.dialects.ask(phone, mark) {
            true => &[Algorithm::Md5],
            false => &[Algorithm::Sha256, Algorithm::Md5],
        };
        let nonce = self.nonces.draw(now);
        let challenge = |algorithm: &Algorithm| Challenge {
            realm: self.realm.as_bytes().into(),
            nonce: nonce.as_bytes().into(),
            opaque: None,
            algorithm: *algorithm,
            qop_auth: true,
            stale,
        };
        algorithms.iter().map(|algorithm| challenge(algorithm).to_value()).collect()
    }

    fn phone(&self, request: &Message, source: IpAddr) -> Phone {
        let user = user_of(request, Name::From).unwrap_or_default();
        (source.to_canonical(), self.user_mark(user.as_bytes()))
    }

    /// A user's name as a number, so that a table of guessers holds no text of theirs.
    fn user_mark(&self, user: &[u8]) -> u64 {
        let mac = self.nonces.mac(user);
        mac.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }

    /// What the operator is to be told of the last [`Guard::check`].
    pub(super) fn take_guessed(&mut self) -> Option<Guessed> {
        self.guessed.take()
    }

    fn braked_for(&self, guesser: Guesser, now: Instant) -> Option<Duration> {
        let guesses = self.guessers.get(&guesser)?;
        let left = guesses.left(self.brakes.guess_span, now);
        (guesses.count >= self.brakes.guesses && !left.is_zero()).then_some(left)
    }

    /// The operator is told once.
    fn tell_braked(&mut self, guesser: Guesser, seat: Option<SeatId>, left: Duration) {
        let guesses = self.guessers.get_mut(&guesser).filter(|guesses| !guesses.told);
        if let (Some(guesses), Some(seat)) = (guesses, seat) {
            guesses.told = true;
            self.guessed = Some(Guessed { seat, braked: Some(left) });
        }
    }

    /// How many there were within [`Brakes::guess_span`], with this one.
    fn note_guess(&mut self, guesser: Guesser, now: Instant) -> u32 {
        let span = self.brakes.guess_span;
        if self.guessers.len() >= GUESSERS_MAX && !self.guessers.contains_key(&guesser) {
            self.make_room(now);
        }
        let guesses = self.guessers.entry(guesser).or_insert(Guesses::none(now));
        if guesses.left(span, now).is_zero() {
            *guesses = Guesses::none(now);
        }
        guesses.count += 1;
        guesses.count
    }

    /// What counts no more goes; else who was wrong least often, of these the oldest: names that nobody has are no way to
    /// push out what was counted for a seat.
    fn make_room(&mut self, now: Instant) {
        let span = self.brakes.guess_span;
        self.guessers.retain(|_, guesses| !guesses.left(span, now).is_zero());
        if self.guessers.len() >= GUESSERS_MAX {
            let least = self.guessers.iter().min_by_key(|(who, own)| (own.count, own.since, **who));
            if let Some(who) = least.map(|(who, _)| *who) {
                self.guessers.remove(&who);
            }
        }
    }
}

/// Whether the proof is right and made for this request: a captured one must not open another door.
fn prove(given: &Credentials<'_>, ha1: &str, method: &Method, request_uri: &[u8]) -> bool {
    let same_place = *given.uri == *request_uri
        || match (Uri::parse(&given.uri), Uri::parse(request_uri)) {
            (Ok(hashed), Ok(requested)) => {
                hashed.same_user(&requested) && hashed.host.eq_ignore_ascii_case(requested.host)
            }
            _ => false,
        };
    given.verify(ha1, method) && same_place
}

/// The user part of a request's From or To, as it names a seat.
pub(super) fn user_of(request: &Message, name: Name) -> Option<String> {
    let address = request.address(name).ok()?;
    let uri = address.parse_uri().ok().filter(Uri::is_sip)?;
    String::from_utf8(uri.user_decoded().into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::digest::{Qop, ha1, response};
    use crate::sip::event::SeatAccount;
    use bytes::Bytes;

    const REALM: &str = "hotline.example";

    fn at(s: u64) -> Instant {
        Instant::from_millis(s * 1_000)
    }

    fn guard() -> Guard {
        let mut guard = Guard::new(&mut Dice::seeded(3), at(0));
        let hash = |algorithm| ha1(algorithm, b"1001", REALM.as_bytes(), b"secret");
        guard.configure(&Config {
            domain: REALM.into(),
            seats: vec![SeatAccount {
                seat: "1001".into(),
                ha1_md5: hash(Algorithm::Md5),
                ha1_sha256: hash(Algorithm::Sha256),
            }],
            ..Config::default()
        });
        guard
    }

    fn nonce_of(guard: &mut Guard, now: Instant) -> String {
        let asking = register(Algorithm::Md5, "1001", "", "", 1);
        let values = guard.challenges(&asking, "192.0.2.1".parse().unwrap(), false, now);
        let challenge = Challenge::parse(&values[0]).unwrap();
        String::from_utf8(challenge.nonce.to_vec()).unwrap()
    }

    fn register(algorithm: Algorithm, user: &str, password: &str, nonce: &str, nc: u32) -> Message {
        let uri = b"sip:hotline.example";
        let qop = Qop { nc, cnonce: b"c"[..].into() };
        let ha1 = ha1(algorithm, user.as_bytes(), REALM.as_bytes(), password.as_bytes());
        let proof = response(algorithm, &ha1, &Method::Register, uri, nonce.as_bytes(), Some(&qop));
        let credentials = Credentials {
            username: user.as_bytes().into(),
            realm: REALM.as_bytes().into(),
            nonce: nonce.as_bytes().into(),
            uri: uri[..].into(),
            response: proof.as_bytes().into(),
            algorithm,
            qop: Some(qop),
            opaque: None,
        };
        let mut text = b"REGISTER sip:hotline.example SIP/2.0\r\nAuthorization: ".to_vec();
        text.extend(credentials.to_value());
        text.extend(b"\r\n\r\n");
        Message::parse(text.into()).unwrap()
    }

    fn home() -> IpAddr {
        "192.0.2.1".parse().unwrap()
    }

    #[test]
    fn both_algorithms_prove_a_seat_and_nothing_else_does() {
        let mut guard = guard();
        let nonce = nonce_of(&mut guard, at(1));
        let mut check = |request: &Message| guard.check(request, home(), at(2));
        let good = Verdict::Good("1001".into());
        assert_eq!(check(&register(Algorithm::Md5, "1001", "secret", &nonce, 1)), good);
        assert_eq!(check(&register(Algorithm::Sha256, "1001", "secret", &nonce, 2)), good);
        assert_eq!(check(&register(Algorithm::Md5, "1001", "wrong", &nonce, 3)), Verdict::Wrong);
        assert_eq!(check(&register(Algorithm::Sha256, "1002", "secret", &nonce, 4)), Verdict::Wrong);
        let forged = "0".repeat(48);
        let fresh = Verdict::Challenge { stale: false };
        assert_eq!(check(&register(Algorithm::Md5, "1001", "secret", &forged, 1)), fresh);
        let bare = Message::parse(Bytes::from_static(b"REGISTER sip:h SIP/2.0\r\n\r\n")).unwrap();
        assert_eq!(check(&bare), fresh);
    }

    #[test]
    fn a_proof_counts_once_and_for_300_s() {
        let mut guard = guard();
        let nonce = nonce_of(&mut guard, at(1));
        let request = |nc| register(Algorithm::Md5, "1001", "secret", &nonce, nc);
        let good = Verdict::Good("1001".into());
        let stale = Verdict::Challenge { stale: true };
        assert_eq!(guard.check(&request(1), home(), at(2)), good);
        assert_eq!(guard.check(&request(1), home(), at(2)), stale, "replayed");
        assert_eq!(guard.check(&request(5), home(), at(2)), good);
        assert_eq!(guard.check(&request(4), home(), at(2)), good, "reordered");
        assert_eq!(guard.check(&request(4), home(), at(2)), stale);
        assert_eq!(guard.check(&request(1), home(), at(2)), stale);
        assert_eq!(guard.check(&request(200), home(), at(301)), good);
        assert_eq!(guard.check(&request(100), home(), at(301)), stale, "too far back to tell");
        assert_eq!(guard.check(&request(201), home(), at(302)), stale, "too old");
    }

    #[test]
    fn ten_wrong_guesses_in_a_minute_are_enough() {
        let mut guard = guard();
        let nonce = nonce_of(&mut guard, at(1));
        let wrong = register(Algorithm::Md5, "1001", "wrong", &nonce, 1);
        let mut told = Vec::new();
        for _ in 0..10 {
            assert_eq!(guard.check(&wrong, home(), at(2)), Verdict::Wrong);
            told.extend(guard.take_guessed());
        }
        let of = |braked| Guessed { seat: "1001".into(), braked };
        let braked = of(Some(Duration::from_secs(60)));
        assert_eq!(told, [of(None), braked], "once, and once more when it is braked");
        let nobody = register(Algorithm::Md5, "9999", "wrong", &nonce, 1);
        assert_eq!((guard.check(&nobody, home(), at(2)), guard.take_guessed()), (Verdict::Wrong, None));
        let right = register(Algorithm::Md5, "1001", "secret", &nonce, 1);
        assert_eq!(guard.check(&right, home(), at(61)), Verdict::Braked(Duration::from_secs(1)));
        assert_eq!(guard.check(&right, "192.0.2.2".parse().unwrap(), at(61)), Verdict::Good("1001".into()));
        let right = register(Algorithm::Md5, "1001", "secret", &nonce, 2);
        assert_eq!(guard.check(&right, home(), at(62)), Verdict::Good("1001".into()));
    }

    /// The same guard with other bounds.
    fn bound(guard: &mut Guard, guesses: u32, span_s: u64) {
        guard.brakes = Brakes { guesses, guess_span: Duration::from_secs(span_s), ..Brakes::default() };
    }

    #[test]
    fn another_plan_moves_the_bounds_and_forgets_no_guess() {
        let mut guard = guard();
        let nonce = nonce_of(&mut guard, at(1));
        let wrong = register(Algorithm::Md5, "1001", "wrong", &nonce, 1);
        let mut told = Vec::new();
        for _ in 0..4 {
            assert_eq!(guard.check(&wrong, home(), at(2)), Verdict::Wrong);
            told.extend(guard.take_guessed());
        }
        let of = |braked| Guessed { seat: "1001".into(), braked };
        assert_eq!(told, [of(None)]);
        bound(&mut guard, 3, 600);
        let left = Duration::from_secs(500);
        let right = register(Algorithm::Md5, "1001", "secret", &nonce, 1);
        assert_eq!(guard.check(&right, home(), at(102)), Verdict::Braked(left), "all four count, and longer");
        assert_eq!(guard.take_guessed(), Some(of(Some(left))));
        assert_eq!((guard.check(&right, home(), at(103)), guard.take_guessed()).1, None, "told once");
        bound(&mut guard, 10, 600);
        assert_eq!(guard.check(&right, home(), at(104)), Verdict::Good("1001".into()));
        bound(&mut guard, 3, 60);
        let right = register(Algorithm::Md5, "1001", "secret", &nonce, 2);
        assert_eq!(guard.check(&right, home(), at(104)), Verdict::Good("1001".into()), "over for the span");
    }

    #[test]
    fn a_neighbourhood_of_ipv6_is_one_guesser() {
        let mut guard = guard();
        let nonce = nonce_of(&mut guard, at(1));
        let wrong = register(Algorithm::Md5, "1001", "wrong", &nonce, 1);
        for host in 0..10 {
            let source = format!("2001:db8::{host:x}").parse().unwrap();
            assert_eq!(guard.check(&wrong, source, at(2)), Verdict::Wrong);
        }
        let next = "2001:db8::ffff".parse().unwrap();
        assert!(matches!(guard.check(&wrong, next, at(2)), Verdict::Braked(_)));
        assert_eq!(guard.check(&wrong, "2001:db8:0:1::1".parse().unwrap(), at(2)), Verdict::Wrong);
    }

    #[test]
    fn tables_stay_bounded_and_who_guesses_on_is_not_pushed_out_by_names() {
        let mut guard = guard();
        let (guesser, source) = ((home(), 0), |index: u32| IpAddr::from(index.to_be_bytes()));
        for _ in 0..10 {
            guard.note_guess(guesser, at(1));
        }
        for index in 0..2 * GUESSERS_MAX as u32 {
            guard.note_guess((source(index), 1), at(1));
        }
        assert_eq!(guard.guessers.len(), GUESSERS_MAX);
        assert!(guard.braked_for(guesser, at(2)).is_some());
        guard.note_guess((source(u32::MAX), 1), at(61));
        assert_eq!(guard.guessers.len(), 1, "what counted no more is gone");
    }
}
