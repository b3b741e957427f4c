//! What one m-line of a peer is worth to us: codec, address, direction, packet time.

use std::net::{IpAddr, SocketAddr};

use super::{Disagreement, PACKET_MS_MAX, codec};
use crate::media::order::{Codec, Flow};
use crate::sip::sdp::{Direction, Media, Sdp};

/// An audio stream that we can take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    pub(super) codec: Codec,
    /// The peer's number for it.
    pub(super) payload_type: u8,
    /// Another of our codecs that the m-line has, and may change to.
    pub(super) other: Option<Codec>,
    pub(super) remote: SocketAddr,
    /// As the peer sees it, with what its address says.
    pub(super) direction: Direction,
    /// What the peer wants to receive.
    pub(super) packet_ms: u16,
}

/// Which codecs an m-line may be read with.
pub(super) struct Wanted<'a> {
    /// The first of these that is there is taken, whatever the m-line's own order.
    pub(super) first: &'a [Codec],
    /// Whether a codec under this number is one that may be taken.
    pub(super) may: &'a dyn Fn(Codec, u8) -> bool,
    /// Milliseconds in each packet, where it does not say.
    pub(super) packet_ms: u16,
}

impl Stream {
    /// Reads one m-line, whose profile is for [`keys`](super::keys) to judge: of its codecs the most
    /// wanted, else the first.
    pub(super) fn read(
        sdp: &Sdp,
        media: &Media,
        ours: IpAddr,
        wanted: &Wanted<'_>,
    ) -> Result<Stream, Disagreement> {
        if !is_audio(media) {
            return Err(Disagreement::NoAudio);
        }
        let there = || codecs(media).filter(|(codec, number)| (wanted.may)(*codec, *number));
        let (codec, payload_type) = wanted
            .first
            .iter()
            .find_map(|first| there().find(|(codec, _)| codec == first))
            .or_else(|| there().next())
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
        // A change without a word goes on by the same clock, and to nothing that is only passed on.
        let fits = |other: &Codec| {
            *other != codec && other.clock() == codec.clock() && ![codec, *other].contains(&Codec::G729)
        };
        let other = there().map(|(codec, _)| codec).find(fits);
        let packet_ms = codec::packet_ms(codec, packet_ms(media, wanted.packet_ms));
        let remote = SocketAddr::new(ip, media.port);
        Ok(Stream { codec, payload_type, other, remote, direction, packet_ms })
    }
}

/// Whether it is sound that is not refused.
pub(super) fn is_audio(media: &Media) -> bool {
    media.kind.eq_ignore_ascii_case("audio") && is_live(media)
}

/// Whether the m-line is not refused, or out of use: port 0 (RFC 3264 §6, §8.2).
pub(super) fn is_live(media: &Media) -> bool {
    media.port != 0
}

/// The codecs of a stream, in the stream's order. A format without rtpmap is a static type (RFC 3551).
pub(super) fn codecs(media: &Media) -> impl Iterator<Item = (Codec, u8)> + '_ {
    media.formats.iter().filter_map(|format| {
        let number: u8 = format.parse().ok()?;
        Some((codec::codec_of(media, number)?, number))
    })
}

/// The payload type of a codec.
pub(super) fn number_of(media: &Media, codec: Codec) -> Option<u8> {
    codecs(media).find(|(known, _)| *known == codec).map(|(_, number)| number)
}

/// Whether a payload type has a meaning in this stream.
pub(super) fn uses(media: &Media, number: u8) -> bool {
    media.formats.iter().any(|format| format.parse() == Ok(number))
        || media.rtpmap.iter().any(|map| map.number == number)
}

/// telephone-event of a clock rate, at whatever number.
pub(super) fn event_of(media: &Media, clock: u32) -> Option<u8> {
    let is_event = |number: &u8| {
        media
            .encoding(*number)
            .is_some_and(|(name, rate)| rate == clock && name.eq_ignore_ascii_case("telephone-event"))
    };
    media.formats.iter().filter_map(|format| format.parse().ok()).find(is_event)
}

/// telephone-event for a codec: of the codec's own clock (RFC 4733 §2.1). Beside Opus many telephones
/// have the one of 8 kHz only; a key pressed there is a key all the same.
pub(super) fn event_for(media: &Media, codec: Codec) -> Option<(u8, u32)> {
    [codec.clock(), 8_000].into_iter().find_map(|clock| Some((event_of(media, clock)?, clock)))
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

/// The packet time that the peer wants: the nearest that we can to `a=ptime`, `unsaid` where there is
/// none, none longer than its `a=maxptime` (RFC 8866 §6.4) nor than ours.
fn packet_ms(media: &Media, unsaid: u16) -> u16 {
    let wanted = media.ptime.filter(|ms| *ms > 0).unwrap_or(unsaid);
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
