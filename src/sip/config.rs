//! What the plan says of signalling: listeners, seats, trunks, and the bounds of tables.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;

use super::transport::{Hop, Transport};
use super::trunk_terms::TrunkTerms;
use crate::id::{SeatId, TrunkId};

/// Who may talk to the endpoint, from the plan.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Our listeners: bound address, and the address that Contact, Via and SDP say.
    pub listeners: Vec<ListenerConfig>,
    /// Realm and domain of seats.
    pub domain: String,
    /// Seats by SIP user.
    pub seats: Vec<SeatAccount>,
    /// Trunks in the file's order.
    pub trunks: Vec<TrunkConfig>,
    /// Shortest registration, seconds: below it 423.
    pub register_min_s: u32,
    /// Longest registration, seconds: longer is cut.
    pub register_max_s: u32,
    /// Session timer that we ask for, and give where it is left to us, seconds; below 90 it is 90
    /// (RFC 4028 §5), and nothing said, 0, is the half hour that §4 recommends.
    pub session_expires_s: u32,
    /// Sent in `User-Agent`/`Server`.
    pub product: String,
    /// Bounds of the endpoint's tables.
    pub limits: Limits,
    /// Bounds of those who are not known yet.
    pub brakes: Brakes,
}

/// Bounds of the endpoint's tables. A new INVITE over one of them is answered 503 with Retry-After;
/// a request inside a dialog is then answered without keeping the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions, both ways: a bridged call has two.
    pub sessions_max: usize,
    /// Transactions, those included that only linger to answer repetitions (32 s over UDP).
    pub transactions_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { sessions_max: 10_000, transactions_max: 200_000 }
    }
}

/// How often somebody may be wrong, and how much a stranger may send. Another plan moves them; what was counted counts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brakes {
    /// Wrong proofs of one name from one address within `guess_span` before nothing is computed any more.
    pub guesses: u32,
    /// How long wrong proofs count, from the first of them.
    pub guess_span: Duration,
    /// Messages that an address may send at once which is no trunk's.
    pub messages_at_once: u32,
    /// And in a second, once those are used up.
    pub messages_per_s: u32,
}

impl Default for Brakes {
    fn default() -> Self {
        Brakes {
            guesses: 10,
            guess_span: Duration::from_secs(60),
            messages_at_once: 2_000,
            messages_per_s: 100,
        }
    }
}

/// A listener as signalling sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// What it speaks.
    pub transport: Transport,
    /// What the socket is bound to (port resolved).
    pub bind: SocketAddr,
    /// What others are told.
    pub advertise: IpAddr,
}

/// A seat's account: HA1 only, never the password (RFC 8760).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatAccount {
    /// Which seat; its id is the SIP user.
    pub seat: SeatId,
    /// MD5(user:realm:password), lower-case hex.
    pub ha1_md5: String,
    /// SHA-256(user:realm:password), lower-case hex.
    pub ha1_sha256: String,
}

/// A trunk as signalling sees it.
#[derive(Clone, Debug)]
pub struct TrunkConfig {
    /// Which trunk.
    pub trunk: TrunkId,
    /// Its address set: address and prefix length.
    pub sources: Vec<(IpAddr, u8)>,
    /// A subjectAltName DNS name of its verified TLS client certificate, by which it is known as well.
    pub certificate: Option<String>,
    /// Where INVITEs to it go, the first tried first; empty: inward only, or not looked up yet.
    pub hops: Vec<Hop>,
    /// Whether P-Asserted-Identity from it is believed (RFC 3325).
    pub trust_identity: bool,
    /// Which headers say there that a call was forwarded.
    pub forwarding: Forwarding,
    /// Host of Request-URI, To and From towards it; empty: the hop's address.
    pub domain: String,
    /// Who we are there, where it asks (RFC 3261 §22).
    pub account: Option<TrunkAccount>,
    /// How long we register for there, as its user agent (RFC 3261 §10); `None`: we do not.
    pub register: Option<Duration>,
    /// OPTIONS by which its health is known; `None`: it counts as up.
    pub probe: Option<Probe>,
    /// A hop that gives no sign of life for so long is given up; zero: only Timer B ends it.
    pub connect_timeout: Duration,
    /// Most calls at once, both ways; 0: no bound of its own.
    pub calls_max: u32,
    /// Most new calls outward in a second; 0: no bound of its own.
    pub calls_per_second: u32,
    /// An emergency center's: its calls are the last to be refused.
    pub emergency: bool,
    /// Numbers behind it of those who help in an emergency: no call is sent on to them.
    pub helpers: Vec<String>,
    /// A drill: whatever answers there sends nobody on.
    pub drill: bool,
    /// Another platform of the hotline is behind it: calls that are handed over to it are signed.
    pub platform: bool,
    /// Which extensions are used with it.
    pub terms: TrunkTerms,
}

/// Where a trunk wants to read which number was dialled at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// RFC 7044.
    pub history_info: bool,
    /// RFC 5806.
    pub diversion: bool,
}

/// What a trunk's 401 and 407 are answered with.
#[derive(Clone, Debug)]
pub struct TrunkAccount {
    /// User of the digest, and of the address of record.
    pub user: String,
    /// Only this realm is answered; `None`: whichever asks.
    pub realm: Option<String>,
    /// Never shown.
    pub password: SecretString,
}

/// OPTIONS health with hysteresis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Between two of them.
    pub every: Duration,
    /// Failures in a row before the trunk counts as down.
    pub down_after: u32,
    /// Answers in a row before it counts as up again.
    pub up_after: u32,
}

impl TrunkConfig {
    /// A trunk of this name with nothing said of it.
    pub fn named(trunk: TrunkId) -> Self {
        TrunkConfig {
            trunk,
            sources: Vec::new(),
            certificate: None,
            hops: Vec::new(),
            trust_identity: false,
            forwarding: Forwarding::default(),
            domain: String::new(),
            account: None,
            register: None,
            probe: None,
            connect_timeout: Duration::ZERO,
            calls_max: 0,
            calls_per_second: 0,
            emergency: false,
            helpers: Vec::new(),
            drill: false,
            platform: false,
            terms: TrunkTerms::default(),
        }
    }
}
