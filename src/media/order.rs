//! Orders to the media engine and facts from it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::g711::Law;
use crate::id::{CallId, LegId};
use crate::time::Timestamp;

/// Samples of one 20 ms frame at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;

/// A pair of bound sockets (RTP even, RTCP odd) by its place in the house's port range: port = first + 2·slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct PortSlot(pub u32);

/// A prompt in the [`super::bank::SoundBank`]: index, valid for the bank that handed it out and all later ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SoundId(pub u32);

/// Codecs of this house.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Codec {
    /// A-law, static payload type 8.
    Pcma,
    /// µ-law, static payload type 0.
    Pcmu,
    /// ITU-T G.722, 64 kbit/s: 16 kHz in an RTP clock of 8 kHz (RFC 3551 §4.5.2), static payload type 9.
    G722,
    /// Linear, 16 bit, 8 kHz, big-endian (RFC 3551 §4.5.11).
    L16,
    /// RFC 7587: an RTP clock of 48 kHz, whatever is inside.
    Opus,
    /// Passed on between two legs that speak it, never decoded here. Static payload type 18.
    G729,
}

impl Codec {
    /// The law, where it is G.711.
    pub fn law(self) -> Option<Law> {
        match self {
            Codec::Pcma => Some(Law::A),
            Codec::Pcmu => Some(Law::Mu),
            Codec::G722 | Codec::L16 | Codec::Opus | Codec::G729 => None,
        }
    }

    /// RTP's clock, hertz.
    pub fn clock(self) -> u32 {
        match self {
            Codec::Opus => 48_000,
            _ => 8_000,
        }
    }
}

/// Legs of one group are served by one thread in one tick, so that they can hear one another: those
/// of a call, and all calls of a meeting room.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Group(pub u64);

impl Group {
    /// The group of an ordinary call.
    pub fn of_call(call: CallId) -> Self {
        Group(call.lot())
    }

    /// The group of all calls in a conference that is not one call's own.
    pub fn of_conference(conference: ConferenceId) -> Self {
        // SplitMix64's finish: rooms in a row are spread over threads and phases like calls.
        let mut mixed = conference.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Group(mixed ^ (mixed >> 31))
    }
}

/// A conference: a call's own, or a meeting room's. Its legs share a [`Group`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ConferenceId(pub u64);

/// Who hears a member of a conference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// All members that hear.
    Everyone,
    /// Nobody: muted, or listening in.
    Nobody,
    /// One member: whispering.
    Only(LegId),
}

/// What a member of a conference may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rights {
    /// It hears the others; `false`: on hold.
    pub hears: bool,
    /// Who hears it.
    pub heard_by: Audience,
}

impl Rights {
    /// Hears all and is heard by all.
    pub const FULL: Rights = Rights { hears: true, heard_by: Audience::Everyone };
}

/// Why a leg did not become a member of a conference; it hears nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It has as many members as may be ([`super::conference::PARTIES_MAX`]).
    Full,
    /// The leg belongs to another [`Group`] than the conference's first member.
    OtherGroup,
}

/// How a leg's packets are ciphered (RFC 3711, RFC 7714), with the parameters that both sides chose
/// (RFC 4568).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SrtpSuite {
    /// AES_CM_128_HMAC_SHA1_80.
    AesCm128HmacSha1_80,
    /// AES_CM_128_HMAC_SHA1_32: RTP's tag is short, RTCP's is not.
    AesCm128HmacSha1_32,
    /// AEAD_AES_128_GCM.
    AeadAes128Gcm,
    /// AEAD_AES_256_GCM.
    AeadAes256Gcm,
}

impl SrtpSuite {
    /// Bytes of the master key and of the master salt.
    pub const fn lengths(self) -> (usize, usize) {
        match self {
            SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm128HmacSha1_32 => (16, 14),
            SrtpSuite::AeadAes128Gcm => (16, 12),
            SrtpSuite::AeadAes256Gcm => (32, 12),
        }
    }
}

/// Most bytes of a master key with its salt.
pub const MASTER_MAX: usize = 44;

/// A master key followed by its salt; what is beyond the suite's lengths is zero. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Master(pub [u8; MASTER_MAX]);

impl Drop for Master {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Master(…)")
    }
}

/// A leg's cipher in both directions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Srtp {
    /// The same both ways.
    pub suite: SrtpSuite,
    /// What we send with: the key that our own SDP names. Always a new one where it changes: numbers of
    /// packets go on, and none may be used twice with one key.
    pub ours: Master,
    /// What the peer sends with: the key that its SDP names.
    pub theirs: Master,
}

/// Whether sound flows, as negotiated, from our side (RFC 3264 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// Both ways.
    SendRecv,
    /// We send only: the peer holds us listening to nothing of its own.
    SendOnly,
    /// We receive only.
    RecvOnly,
    /// Neither; RTCP goes on.
    Inactive,
}

/// How one leg's sound travels, as negotiated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LegConfig {
    /// Our sockets.
    pub slot: PortSlot,
    /// Whom it is served with, until an [`Order::Move`].
    pub group: Group,
    /// Codec both ways.
    pub codec: Codec,
    /// Payload type that we send.
    pub payload_type: u8,
    /// Payload type that the peer sends (RFC 3264 allows them to differ).
    pub payload_type_in: u8,
    /// A second payload type that the peer may send, and its codec.
    pub other_in: Option<(u8, Codec)>,
    /// telephone-event payload types, out and in; `None`: not negotiated.
    pub dtmf: Option<(u8, u8)>,
    /// Where the peer's SDP says that RTP goes.
    pub remote: SocketAddr,
    /// Where RTCP goes (port + 1, `a=rtcp`, or the RTP address with rtcp-mux).
    pub remote_rtcp: SocketAddr,
    /// RFC 5761.
    pub rtcp_mux: bool,
    /// Milliseconds of sound in each packet that we send, 10 to 60 in steps of 10: what the peer asked for.
    pub packet_ms: u16,
    /// Another telephone than the last description's: a call that forked. What the last one sends is
    /// not heard any more, though it may come from the same host.
    pub new_peer: bool,
    /// The signalling peer's own address: RTP from it is believed over the signalled address (NAT).
    pub signalling_peer: IpAddr,
    /// Directions.
    pub flow: Flow,
    /// `None`: plain RTP.
    pub srtp: Option<Box<Srtp>>,
    /// Tell `Silent` after so long without RTP and RTCP; zero: never.
    pub silence_max: Duration,
    /// What is told of sound that is missing while another leg hears this one.
    pub watches: Watches,
    /// The peer is told keys by signalling: none are pressed on it in place of another's events, nor heard in its sound.
    pub keys_told: bool,
}

/// How long sound may be missing in a bridge before it is told; zero: never.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Watches {
    /// Packets without a sound in them: a dead microphone.
    pub mute: Duration,
    /// No packets from one side, while the other's come: one-way audio.
    pub one_way: Duration,
}

/// What a leg hears.
#[derive(Clone, PartialEq, Debug)]
pub enum Order {
    /// Begin; the socket's stale packets are dropped first. Sends nothing until told what to hear.
    Open { leg: LegId, config: Box<LegConfig> },
    /// Renegotiated: SSRC, sequence and clock go on.
    Change { leg: LegId, config: Box<LegConfig> },
    /// End; answered by `Closed` with the figures.
    Close { leg: LegId },
    /// Sounds one after another in place of what was heard; `Played` with `mark` when they are through (never if replaced).
    /// With `repeat` the list begins anew for ever and `Played` never comes.
    Play { leg: LegId, sounds: Arc<[SoundId]>, repeat: bool, mark: u32 },
    /// Hear nothing: no packets are sent.
    Quiet { leg: LegId },
    /// The two hear one another, in place of what they heard.
    Bridge { a: LegId, b: LegId },
    /// The pair is parted; both are `Quiet`.
    Part { a: LegId, b: LegId },
    /// A member of a conference from now on, in place of what it heard; again with other rights: these.
    /// `NotJoined` where that cannot be. A member that is told to hear something else is out of it.
    Join { leg: LegId, conference: ConferenceId, rights: Rights },
    /// Out of its conference, and `Quiet`.
    Leave { leg: LegId },
    /// Served with another group from now on, and `Quiet`: it will hear what is ordered next. Its stream,
    /// its source and its keys go on. For a call's only leg, and none that is recorded.
    Move { leg: LegId, group: Group },
    /// Press digits on the peer (RFC 4733), 100 ms each.
    SendDigits { leg: LegId, digits: String },
    /// Stereo recording of a call: left is `caller`, right is everyone else and what is played to the caller.
    /// A leg opened later takes part as soon as it is bridged with one that does.
    /// With `tracks` each leg's own sound is kept in a file beside it as well.
    Record { call: CallId, caller: LegId, begun: Timestamp, tracks: bool },
    /// Left is this leg from now on, and right what it is given: the caller has left, and others talk on.
    TurnRecord { call: CallId, left: LegId },
    /// Silence is recorded from here on, so that time stays true, until `ResumeRecord`.
    PauseRecord { call: CallId },
    /// Sound is recorded again.
    ResumeRecord { call: CallId },
    /// The recording is closed; answered by the recorder.
    StopRecord { call: CallId },
}

/// What a leg did.
#[derive(Clone, PartialEq, Debug)]
pub enum Fact {
    /// One press, however often its packets were repeated or its end lost.
    Digit { leg: LegId, digit: char },
    /// See [`Order::Play`].
    Played { leg: LegId, mark: u32 },
    /// First believed packet: the source is locked.
    Latched { leg: LegId, source: SocketAddr },
    /// No RTP and no RTCP for the leg's `silence_max`. Told again after each further such span.
    Silent { leg: LegId },
    /// Sound came back after `Silent`.
    Heard { leg: LegId },
    /// In a bridge its packets have come for `watches.mute` without a sound in them: once, until `SoundBack`.
    Mute { leg: LegId },
    /// In a bridge nothing has come from it for `watches.one_way`, while the other side's packets come
    /// and neither holds: once, until `SoundBack`.
    Unheard { leg: LegId },
    /// What `Mute` or `Unheard` told of is over.
    SoundBack { leg: LegId },
    /// Packets from others were refused: told once per leg, counted in the figures.
    StrangerRefused { leg: LegId, source: SocketAddr },
    /// The leg is gone, its slot free.
    Closed { leg: LegId, slot: PortSlot, figures: Box<LegFigures> },
    /// The recording's file is whole (told by the recorder).
    Recorded { call: CallId, file: String, samples: u64, lost_frames: u64 },
    /// It could not join, and hears nothing.
    NotJoined { leg: LegId, conference: ConferenceId, why: Refusal },
    /// One of the recording's files is whole (told by the recorder, after `Recorded` where it is the
    /// one of both sides).
    Filed(Box<Filed>),
    /// A fault inside the engine ended this leg's sound (a bug, caught): its call should end.
    Failed { leg: LegId },
}

/// A file of a recording, as it was when it was closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filed {
    /// Whose.
    pub call: CallId,
    /// Index of the leg whose sound alone it holds; `None`: both sides.
    pub track: Option<u16>,
    /// Under the data directory.
    pub file: String,
    /// Samples of each channel.
    pub samples: u64,
    /// Frames that are silence because they were lost.
    pub lost_frames: u64,
    /// Where they were, in samples from the beginning: from, until. A bounded number; the last may be
    /// longer than what is lost in it.
    pub gaps: Vec<(u64, u64)>,
    /// What was paused, in the same way.
    pub pauses: Vec<(u64, u64)>,
}

/// One leg's sound in figures.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct LegFigures {
    /// RTP packets taken in.
    pub received: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// Never came (RFC 3550 A.3).
    pub lost: u64,
    /// Came too late to be heard.
    pub late: u64,
    /// Came twice.
    pub duplicate: u64,
    /// From strangers, runts, wrong versions or payload types; ciphered ones that are forged, altered or
    /// heard before.
    pub refused: u64,
    /// Interarrival jitter, microseconds (RFC 3550 A.8).
    pub jitter_us: u32,
    /// Longest gap between packets, milliseconds.
    pub gap_max_ms: u32,
    /// Round trip by RTCP, microseconds; 0: unknown.
    pub round_trip_us: u32,
    /// E-model MOS × 100 (G.107); 0: nothing heard.
    pub mos_x100: u16,
    /// What the sound was coded in at the end; `None`: the leg was never open.
    pub codec: Option<Codec>,
    /// In a bridge, milliseconds of packets without a sound in them that were told as `Mute`.
    pub mute_ms: u32,
    /// In a bridge, milliseconds without packets that were told as `Unheard`.
    pub unheard_ms: u32,
    /// The other direction, by the peer's own reports.
    pub outbound: Outbound,
}

/// What the peer says of the stream that it gets from us (RFC 3550 §6.4.1): that is what it hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outbound {
    /// Report blocks about our stream that were believed; 0: the other figures are not known.
    pub reports: u32,
    /// Report blocks that cannot be true, left out of account.
    pub nonsense: u32,
    /// Packets that should have come to the peer by its last report.
    pub expected: u64,
    /// Of those, never came.
    pub lost: u64,
    /// Interarrival jitter at the peer, microseconds: the mean over its reports.
    pub jitter_us: u32,
    /// E-model MOS × 100; 0: not known.
    pub mos_x100: u16,
}
