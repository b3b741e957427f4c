//! Session descriptions as far as offer/answer needs them (RFC 8866, RFC 3264).

use std::net::IpAddr;

/// One description. Every m-line is kept, in order, so that an answer can refuse what it does not take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sdp {
    /// `o=` session id and version.
    pub origin: (u64, u64),
    /// Address in `o=`: with the session id it names whoever made the description (RFC 8866 §5.2).
    pub owner: Option<IpAddr>,
    /// Session-level `c=`, used where a media has none of its own.
    pub connection: Option<IpAddr>,
    /// Session-level direction, used where a media has none of its own.
    pub direction: Option<Direction>,
    /// The m-lines.
    pub media: Vec<Media>,
}

/// One m-line with its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, ….
    pub kind: String,
    /// 0: refused.
    pub port: u16,
    /// `RTP/AVP`, ….
    pub protocol: String,
    /// Formats of the m-line, verbatim, in the order of preference.
    pub formats: Vec<String>,
    /// `c=` of its own.
    pub connection: Option<IpAddr>,
    /// `a=rtpmap`.
    pub rtpmap: Vec<Rtpmap>,
    /// `a=fmtp`: payload type and its parameters.
    pub fmtp: Vec<(u8, String)>,
    /// `a=ptime`, milliseconds.
    pub ptime: Option<u16>,
    /// `a=maxptime`, milliseconds.
    pub maxptime: Option<u16>,
    /// Direction of its own.
    pub direction: Option<Direction>,
    /// `a=rtcp` (RFC 3605): port, and address if given.
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    /// `a=rtcp-mux` (RFC 5761).
    pub rtcp_mux: bool,
    /// `a=crypto` (RFC 4568), in the order of preference; read by [`sdes`](super::sdes).
    pub crypto: Vec<CryptoLine>,
}

/// `a=rtpmap:97 opus/48000/2`: what a payload type means in its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtpmap {
    /// Payload type.
    pub number: u8,
    /// Encoding name, as it is written.
    pub name: String,
    /// Clock rate, hertz.
    pub clock: u32,
    /// Channels; 1 where none are said.
    pub channels: u8,
}

/// The value of an `a=crypto` line, as it is written. It holds a key, and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct CryptoLine(pub String);

impl std::fmt::Debug for CryptoLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CryptoLine(…)")
    }
}

/// `a=sendrecv` and its kin, as the describing side sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// Only from the describing side.
    SendOnly,
    /// Only to the describing side.
    RecvOnly,
    /// Neither.
    Inactive,
}

/// Most m-lines in one description.
pub const MEDIA_MAX: usize = 16;

/// Most formats on one m-line, and most `a=rtpmap` and `a=fmtp` lines kept for it.
pub const FORMATS_MAX: usize = 64;

/// Most `a=crypto` lines kept for one m-line.
pub const CRYPTO_MAX: usize = 16;

/// Why a description cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Does not begin with `v=0`.
    #[error("not a session description")]
    Version,
    /// Not `x=…`, or an m-line that cannot be read.
    #[error("line {line} of the session description is faulty")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// `c=` is not an IP address: host names are not looked up.
    #[error("line {line} of the session description has no IP address")]
    Address {
        /// Counted from 1.
        line: usize,
    },
    /// More than [`MEDIA_MAX`] m-lines, or more than [`FORMATS_MAX`] formats on one.
    #[error("session description is too large")]
    TooLarge,
}

impl Sdp {
    /// Where sound for `media` goes: its own `c=`, else the session's.
    pub fn address_of(&self, media: &Media) -> Option<IpAddr> {
        media.connection.or(self.connection)
    }

    /// Whether it has keys in it (RFC 4568): then it is for signalling over TLS only.
    pub fn tells_keys(&self) -> bool {
        self.media.iter().any(|media| !media.crypto.is_empty())
    }

    /// Direction of `media`: its own, else the session's, else both ways (RFC 8866 §6.7).
    pub fn direction_of(&self, media: &Media) -> Direction {
        media.direction.or(self.direction).unwrap_or(Direction::SendRecv)
    }
}

impl Media {
    /// Encoding name and clock rate of a payload type: by `a=rtpmap`, else the static one.
    pub fn encoding(&self, payload_type: u8) -> Option<(&str, u32)> {
        self.mapped(payload_type)
            .map(|map| (map.name.as_str(), map.clock))
            .or_else(|| static_encoding(payload_type))
    }

    /// Channels of a payload type: one, unless `a=rtpmap` says otherwise.
    pub fn channels(&self, payload_type: u8) -> u8 {
        self.mapped(payload_type).map_or(1, |map| map.channels)
    }

    fn mapped(&self, payload_type: u8) -> Option<&Rtpmap> {
        self.rtpmap.iter().find(|map| map.number == payload_type)
    }

    /// Parameters of a payload type, `a=fmtp`.
    pub fn parameters(&self, payload_type: u8) -> Option<&str> {
        self.fmtp.iter().find(|(number, _)| *number == payload_type).map(|(_, text)| text.as_str())
    }
}

/// Encodings with a fixed payload type (RFC 3551 §6), audio only.
pub fn static_encoding(payload_type: u8) -> Option<(&'static str, u32)> {
    Some(match payload_type {
        0 => ("PCMU", 8000),
        3 => ("GSM", 8000),
        4 => ("G723", 8000),
        5 => ("DVI4", 8000),
        6 => ("DVI4", 16000),
        7 => ("LPC", 8000),
        8 => ("PCMA", 8000),
        9 => ("G722", 8000),
        10 | 11 => ("L16", 44100),
        12 => ("QCELP", 8000),
        13 => ("CN", 8000),
        14 => ("MPA", 90000),
        15 => ("G728", 8000),
        18 => ("G729", 8000),
        _ => return None,
    })
}
