//! Session descriptions as far as offer/answer needs them (RFC 8866, RFC 3264).

use std::net::IpAddr;

/// One description. Every m-line is kept, in order, so that an answer can refuse what it does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdp {
    /// `o=` session id and version.
    pub origin: (u64, u64),
    /// Session-level `c=`, used where a media has none of its own.
    pub connection: Option<IpAddr>,
    /// Session-level direction, used where a media has none of its own.
    pub direction: Option<Direction>,
    /// The m-lines.
    pub media: Vec<Media>,
}

/// One m-line with its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// `a=rtpmap`: payload type, encoding name, clock rate.
    pub rtpmap: Vec<(u8, String, u32)>,
    /// `a=fmtp`: payload type and its parameters.
    pub fmtp: Vec<(u8, String)>,
    /// `a=ptime`, milliseconds.
    pub ptime: Option<u16>,
    /// Direction of its own.
    pub direction: Option<Direction>,
    /// `a=rtcp` (RFC 3605): port, and address if given.
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    /// `a=rtcp-mux` (RFC 5761).
    pub rtcp_mux: bool,
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
