//! What a phone is told when it is unpacked: its addresses, its account and its manners.
//!
//! How it then speaks is for the other files of the room.

use std::net::SocketAddr;
use std::time::Duration;

use super::digest::Algorithm;
use super::g711::Codec;

/// The telephone-event payload type that we offer unless told otherwise.
const TELEPHONE_EVENT: u8 = 101;
/// Registration life that we ask for unless told otherwise, seconds.
const EXPIRES_S: u32 = 300;
/// Sound kept per call unless told otherwise, seconds.
const HEAR_MAX_S: u32 = 600;

/// What a phone does with a call that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Rings, then answers after this time; at once, without ringing, for zero.
    After(Duration),
    /// Rings on until the caller gives up.
    Never,
    /// Refuses with 486 Busy Here.
    Busy,
    /// Refuses with this status, 603 for instance.
    Reject(u16),
    /// Rings until [`Phone::answer`](super::Phone::answer) or [`Phone::reject`](super::Phone::reject).
    Manual,
}

/// One phone's settings. [`PhoneConfig::new`] fills in what is usual.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// Our SIP address as the others see it; IPv4.
    pub sip: SocketAddr,
    /// Our RTP address as the others see it; RTCP is one port above.
    pub rtp: SocketAddr,
    /// Where requests outside of a dialog are sent.
    pub server: SocketAddr,
    /// The user part of our address of record, and the digest user name.
    pub user: String,
    /// The host part of our address of record and of the numbers we dial.
    pub domain: String,
    /// Answers a digest challenge; without it a challenge is a refusal.
    pub password: Option<String>,
    /// Shown beside our number.
    pub display_name: Option<String>,
    /// The codecs that we offer and accept, the favourite first.
    pub codecs: Vec<Codec>,
    /// Milliseconds of sound in a packet, in steps of 10: sent so, and asked for so, whatever the other
    /// side asks for.
    pub packet_ms: u16,
    /// The digest algorithms that we accept, the favourite first (RFC 8760 §2.3).
    pub algorithms: Vec<Algorithm>,
    /// What happens to a call that comes in.
    pub answers: Answers,
    /// Hangs up this long after the answer, whoever called.
    pub hang_up_after: Option<Duration>,
    /// How long the phone is busy after a call before it takes the next one.
    pub rest: Duration,
    /// Registration life to ask for, seconds.
    pub expires_s: u32,
    /// Time to the next try after a registration that timed out or met a 5xx; `None` gives up.
    pub register_again: Option<Duration>,
    /// Payload type for telephone-event (RFC 4733); `None` presses keys in the sound itself.
    pub telephone_event: Option<u8>,
    /// Sends silence while nothing is played; otherwise nothing is sent then.
    pub send_silence: bool,
    /// Sends RTCP sender reports.
    pub rtcp: bool,
    /// Sound kept per call, seconds; what comes later is counted only.
    pub hear_max_s: u32,
    /// The phone only signals: it tells what was agreed ([`PhoneEvent::SoundAgreed`]), and its owner
    /// moves the sound.
    ///
    /// [`PhoneEvent::SoundAgreed`]: super::PhoneEvent::SoundAgreed
    pub sound_elsewhere: bool,
}

impl PhoneConfig {
    /// A phone for `user` that answers after two seconds, knows A-law and µ-law, and sends silence.
    ///
    /// The domain is the server's address until it is set.
    pub fn new(user: &str, sip: SocketAddr, rtp: SocketAddr, server: SocketAddr) -> Self {
        PhoneConfig {
            sip,
            rtp,
            server,
            user: user.to_owned(),
            domain: server.to_string(),
            password: None,
            display_name: None,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            packet_ms: 20,
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            answers: Answers::After(Duration::from_secs(2)),
            hang_up_after: None,
            rest: Duration::ZERO,
            expires_s: EXPIRES_S,
            register_again: Some(Duration::from_secs(30)),
            telephone_event: Some(TELEPHONE_EVENT),
            send_silence: true,
            rtcp: true,
            hear_max_s: HEAR_MAX_S,
            sound_elsewhere: false,
        }
    }
}

/// One call to place.
#[derive(Clone, Debug, Default)]
pub struct Dial {
    /// The number or user to call in our domain, or a whole `sip:` URI.
    pub to: String,
    /// Who calls, where a trunk speaks for many; our own user otherwise.
    pub from_user: Option<String>,
    /// The name shown beside `from_user`; that of the settings otherwise.
    pub from_display: Option<String>,
    /// Further headers, written as they are: `("Diversion", "<sip:96119@…>")`.
    pub headers: Vec<(String, String)>,
    /// Sends the INVITE without SDP, for the other side to offer (RFC 3264 §5).
    pub late_offer: bool,
}

impl Dial {
    /// A plain call to `to`.
    pub fn to(to: &str) -> Self {
        Dial { to: to.to_owned(), ..Dial::default() }
    }
}
