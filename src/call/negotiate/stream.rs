//! What one m-line of a peer is worth to us: codec, address, direction, packet time.

use std::net::{IpAddr, SocketAddr};

use super::{Disagreement, PACKET_MS_MAX};
use crate::media::order::{Codec, Flow};
use crate::sip::sdp::{Direction, Media, Sdp};

/// An audio stream that we can take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    pub(super) codec: Codec,
    /// The peer's number for it.
    pub(super) payload_type: u8,
    /// The other of our two codecs, where the m-line has both.
    pub(super) other: Option<Codec>,
    pub(super) remote: SocketAddr,
    /// As the peer sees it, with what its address says.
    pub(super) direction: Direction,
    /// What the peer wants to receive.
    pub(super) packet_ms: u16,
}

impl Stream {
    /// The first stream of an offer that we can take, plain RTP before RTP with feedback.
    pub(super) fn choose(sdp: &Sdp, ours: IpAddr, preferred: Codec) -> Result<(usize, Stream), Disagreement> {
        let mut why = Disagreement::NoAudio;
        let mut with_feedback = None;
        for (place, media) in sdp.media.iter().enumerate() {
            match Stream::read(sdp, media, ours, |_| true, Some(preferred)) {
                Ok(stream) if media.protocol.eq_ignore_ascii_case("RTP/AVP") => return Ok((place, stream)),
                Ok(stream) => with_feedback = with_feedback.or(Some((place, stream))),
                Err(fault) => why = why.max(fault),
            }
        }
        with_feedback.ok_or(why)
    }

    /// Reads one m-line: the preferred one of its codecs that are `known`, else the first.
    pub(super) fn read(
        sdp: &Sdp,
        media: &Media,
        ours: IpAddr,
        known: impl Fn(Codec) -> bool,
        preferred: Option<Codec>,
    ) -> Result<Stream, Disagreement> {
        if !media.kind.eq_ignore_ascii_case("audio") || !is_live(media) || !is_plain(&media.protocol) {
            return Err(Disagreement::NoAudio);
        }
        let wanted = || codecs(media).filter(|(codec, _)| known(*codec));
        let (codec, payload_type) = wanted()
            .find(|(codec, _)| Some(*codec) == preferred)
            .or_else(|| wanted().next())
            .ok_or(Disagreement::NoCodec)?;
        let ip = sdp.address_of(media).ok_or(Disagreement::NoAddress)?.to_canonical();
        // `c=0.0.0.0`, or `::`, is hold as RFC 2543 spelt it: nothing is to be sent (RFC 3264 §8.4).
        let held = ip.is_unspecified();
        if !held && ip.is_ipv4() != ours.to_canonical().is_ipv4() {
            return Err(Disagreement::NoAddress);
        }
        let mut direction = sdp.direction_of(media);
        if held {
            direction = narrowed(direction, Direction::SendOnly);
        }
        let other = wanted().map(|(codec, _)| codec).find(|other| *other != codec);
        let packet_ms = packet_ms(media);
        let remote = SocketAddr::new(ip, media.port);
        Ok(Stream { codec, payload_type, other, remote, direction, packet_ms })
    }
}

/// Whether the m-line is not refused, or out of use: port 0 (RFC 3264 §6, §8.2).
pub(super) fn is_live(media: &Media) -> bool {
    media.port != 0
}

/// RTP without encryption. RTP/AVPF (RFC 4585) differs in what RTCP may say and when: without an
/// `a=rtcp-fb` line in our answer no feedback is agreed on, our reports keep to RTP/AVP's pace, which
/// AVPF allows (§5), and feedback that comes all the same is passed over. Encrypted streams are
/// refused: sound that somebody wants encrypted is not taken in the clear.
fn is_plain(protocol: &str) -> bool {
    protocol.eq_ignore_ascii_case("RTP/AVP") || protocol.eq_ignore_ascii_case("RTP/AVPF")
}

/// The codecs of a stream, in the stream's order. A format without rtpmap is a static type (RFC 3551).
fn codecs(media: &Media) -> impl Iterator<Item = (Codec, u8)> + '_ {
    media.formats.iter().filter_map(|format| {
        let number: u8 = format.parse().ok()?;
        match media.encoding(number)? {
            (name, 8_000) if name.eq_ignore_ascii_case("PCMA") => Some((Codec::Pcma, number)),
            (name, 8_000) if name.eq_ignore_ascii_case("PCMU") => Some((Codec::Pcmu, number)),
            _ => None,
        }
    })
}

/// The payload type of a codec.
pub(super) fn number_of(media: &Media, codec: Codec) -> Option<u8> {
    codecs(media).find(|(known, _)| *known == codec).map(|(_, number)| number)
}

/// Whether a payload type has a meaning in this stream.
pub(super) fn uses(media: &Media, number: u8) -> bool {
    media.formats.iter().any(|format| format.parse() == Ok(number))
        || media.rtpmap.iter().any(|(mapped, ..)| *mapped == number)
}

/// telephone-event at the clock rate of our codecs (RFC 4733 §2.1), at whatever number.
pub(super) fn telephone_event(media: &Media) -> Option<u8> {
    let is_event = |number: &u8| {
        media
            .encoding(*number)
            .is_some_and(|(name, rate)| rate == 8_000 && name.eq_ignore_ascii_case("telephone-event"))
    };
    media.formats.iter().filter_map(|format| format.parse().ok()).find(is_event)
}

/// Where reports go: the sound's own port with rtcp-mux (RFC 5761), else as `a=rtcp` says (RFC 3605),
/// else one port above (RFC 3550 §11).
pub(super) fn rtcp_of(media: &Media, rtp: SocketAddr, mux: bool) -> SocketAddr {
    match media.rtcp {
        _ if mux => rtp,
        Some((port, ip)) => SocketAddr::new(ip.unwrap_or(rtp.ip()), port),
        None => SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1)),
    }
}

/// The packet time that the peer wants: the nearest that we can to `a=ptime`, 20 ms where there is
/// none (RFC 3551 §4.5), none longer than its `a=maxptime` (RFC 8866 §6.4) nor than ours.
fn packet_ms(media: &Media) -> u16 {
    let wanted = media.ptime.filter(|ms| *ms > 0).unwrap_or(20);
    let most = media.maxptime.filter(|ms| *ms > 0).unwrap_or(PACKET_MS_MAX).min(PACKET_MS_MAX);
    let nearest = wanted.saturating_add(4) / 10 * 10;
    nearest.min(most / 10 * 10).max(10)
}

/// The answer to a direction by one who would have both ways (RFC 3264 §6.1).
pub(super) fn mirrored(theirs: Direction) -> Direction {
    match theirs {
        Direction::SendRecv => Direction::SendRecv,
        Direction::SendOnly => Direction::RecvOnly,
        Direction::RecvOnly => Direction::SendOnly,
        Direction::Inactive => Direction::Inactive,
    }
}

/// What both directions allow, seen from one side.
pub(super) fn narrowed(one: Direction, other: Direction) -> Direction {
    let sends = |direction| matches!(direction, Direction::SendRecv | Direction::SendOnly);
    let receives = |direction| matches!(direction, Direction::SendRecv | Direction::RecvOnly);
    match (sends(one) && sends(other), receives(one) && receives(other)) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}

pub(super) fn flow_of(ours: Direction) -> Flow {
    match ours {
        Direction::SendRecv => Flow::SendRecv,
        Direction::SendOnly => Flow::SendOnly,
        Direction::RecvOnly => Flow::RecvOnly,
        Direction::Inactive => Flow::Inactive,
    }
}

pub(super) fn static_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => 8,
        Codec::Pcmu => 0,
        Codec::G722 => 9,
        Codec::G729 => 18,
        Codec::L16 => 107,
        Codec::Opus => 111,
    }
}

pub(super) fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcma => "PCMA",
        Codec::Pcmu => "PCMU",
        Codec::G722 => "G722",
        Codec::G729 => "G729",
        Codec::L16 => "L16",
        Codec::Opus => "opus",
    }
}
