//! Session descriptions: one audio stream, offered and answered (RFC 4566, RFC 3264).
//!
//! Other streams are refused with port 0; what is done with the sound is for `sound`.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use super::g711::Codec;

/// Which way the sound goes, seen by the side that says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// Only from the speaker of this description.
    SendOnly,
    /// Only to the speaker of this description.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|direction| direction.name() == name)
    }

    /// The speaker sends.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// The speaker listens.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The answer to an offer of `self` by one who wishes for `wish` (RFC 3264 §6.1).
    pub fn answered(self, wish: Direction) -> Direction {
        match (wish.sends() && self.receives(), wish.receives() && self.sends()) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

/// The audio stream of a description.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Media {
    /// Where its speaker wants RTP.
    pub rtp: SocketAddr,
    /// Where its speaker wants RTCP.
    pub rtcp: SocketAddr,
    /// The codecs that we know, in its order, with the payload types.
    pub codecs: Vec<(u8, Codec)>,
    /// The payload type of telephone-event.
    pub event: Option<u8>,
    /// Which way.
    pub direction: Direction,
    /// The m= lines in order, each with the fields after the port; ours is at `index`.
    lines: Vec<String>,
    index: usize,
}

/// Reads a description; `None` without an audio stream that is switched on.
pub(super) fn parse(body: &[u8]) -> Option<Media> {
    let text = std::str::from_utf8(body).ok()?;
    let mut sections: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines().map(str::trim_end) {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        sections.last_mut()?.push(line);
    }
    let (session, streams) = sections.split_first()?;
    let index = streams.iter().position(|stream| is_live_audio(stream))?;
    let stream = &streams[index];
    let find = |prefix: &str| {
        [stream, session].into_iter().find_map(|part| part.iter().find_map(|line| line.strip_prefix(prefix)))
    };
    let mut fields = stream[0].strip_prefix("m=audio ")?.split_whitespace();
    let port: u16 = fields.next()?.split('/').next()?.parse().ok()?;
    let payload_types: Vec<u8> = fields.skip(1).filter_map(|field| field.parse().ok()).collect();
    let host: IpAddr = find("c=")?.strip_prefix("IN IP4 ")?.split('/').next()?.trim().parse().ok()?;
    let rtp = SocketAddr::new(host, port);
    let name_of = |payload_type: u8| encoding(stream, payload_type);
    let codecs =
        payload_types.iter().filter_map(|pt| codec_of(*pt, name_of(*pt)).map(|codec| (*pt, codec))).collect();
    let event = payload_types
        .iter()
        .copied()
        .find(|pt| name_of(*pt).is_some_and(|name| name.eq_ignore_ascii_case("telephone-event/8000")));
    let direction =
        attribute_direction(stream).or_else(|| attribute_direction(session)).unwrap_or(Direction::SendRecv);
    let direction = if host.is_unspecified() { Direction::Inactive } else { direction }; // Hold as RFC 2543 had it.
    let rtcp = rtcp_address(stream, rtp);
    let lines = streams.iter().map(|stream| stream[0].to_owned()).collect();
    Some(Media { rtp, rtcp, codecs, event, direction, lines, index })
}

fn is_live_audio(stream: &[&str]) -> bool {
    let mut fields = stream[0].split_whitespace();
    fields.next() == Some("m=audio")
        && fields.next().is_some_and(|port| port != "0")
        && fields.next() == Some("RTP/AVP")
}

/// What `a=rtpmap` says of a payload type: `PCMA/8000`.
fn encoding<'a>(stream: &[&'a str], payload_type: u8) -> Option<&'a str> {
    stream.iter().find_map(|line| {
        let (number, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        (number.parse() == Ok(payload_type)).then(|| name.trim().trim_end_matches("/1"))
    })
}

fn codec_of(payload_type: u8, encoding: Option<&str>) -> Option<Codec> {
    match encoding {
        None => Codec::of_payload_type(payload_type),
        Some(name) => [Codec::Pcma, Codec::Pcmu]
            .into_iter()
            .find(|codec| name.eq_ignore_ascii_case(&format!("{}/8000", codec.name()))),
    }
}

fn attribute_direction(lines: &[&str]) -> Option<Direction> {
    lines.iter().find_map(|line| Direction::parse(line.strip_prefix("a=")?))
}

/// `a=rtcp` (RFC 3605), else the port above; `a=rtcp-mux` is never asked for, so never given.
fn rtcp_address(stream: &[&str], rtp: SocketAddr) -> SocketAddr {
    let above = SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1));
    let Some(value) = stream.iter().find_map(|line| line.strip_prefix("a=rtcp:")) else {
        return above;
    };
    let mut fields = value.split_whitespace();
    let Some(port) = fields.next().and_then(|port| port.parse().ok()) else {
        return above;
    };
    let host = fields.nth(2).and_then(|host| host.parse().ok()).unwrap_or(rtp.ip());
    SocketAddr::new(host, port)
}

/// Our side of the descriptions of one call.
#[derive(Clone, Debug)]
pub(super) struct Describer {
    rtp: SocketAddr,
    codecs: Vec<Codec>,
    event: Option<u8>,
    packet_ms: u16,
    session: u64,
    version: u64,
}

impl Describer {
    /// For a stream that arrives at `rtp`.
    pub(super) fn new(rtp: SocketAddr, codecs: &[Codec], event: Option<u8>, session: u64) -> Self {
        Describer { rtp, codecs: codecs.to_vec(), event, packet_ms: 20, session, version: 0 }
    }

    /// Asks for packets of another length than 20 ms.
    pub(super) fn with_packet_ms(self, packet_ms: u16) -> Self {
        Describer { packet_ms, ..self }
    }

    /// From now on these codecs are offered and taken.
    pub(super) fn set_codecs(&mut self, codecs: &[Codec]) {
        self.codecs = codecs.to_vec();
    }

    fn head(&mut self) -> String {
        self.version += 1;
        let ip = self.rtp.ip();
        format!(
            "v=0\r\no=- {} {} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n",
            self.session, self.version
        )
    }

    fn stream(&self, codecs: &[(u8, Codec)], event: Option<u8>, direction: Direction) -> String {
        let mut list = String::new();
        let mut maps = String::new();
        for (payload_type, codec) in codecs {
            let _ = write!(list, " {payload_type}"); // Writing to a String cannot fail.
            let _ = write!(maps, "a=rtpmap:{payload_type} {}/8000\r\n", codec.name());
        }
        if let Some(event) = event {
            let _ = write!(list, " {event}");
            let _ = write!(maps, "a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-16\r\n");
        }
        let (port, packet_ms) = (self.rtp.port(), self.packet_ms);
        format!("m=audio {port} RTP/AVP{list}\r\n{maps}a=ptime:{packet_ms}\r\na={}\r\n", direction.name())
    }

    /// An offer of all that we know.
    pub(super) fn offer(&mut self, direction: Direction) -> String {
        let codecs: Vec<_> = self.codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect();
        self.head() + &self.stream(&codecs, self.event, direction)
    }

    /// An answer to `offer` with one codec, the first of ours that they know, and the stream as it
    /// then stands: their addresses, our common codec and event type, their direction.
    ///
    /// `None` where no codec is common (488).
    pub(super) fn answer(&mut self, offer: &Media, wish: Direction) -> Option<(String, Media)> {
        let codec = self
            .codecs
            .iter()
            .find_map(|ours| offer.codecs.iter().find(|(_, theirs)| theirs == ours))
            .copied()?;
        let event = self.event.and(offer.event);
        let mut text = self.head();
        for (index, line) in offer.lines.iter().enumerate() {
            if index == offer.index {
                text += &self.stream(&[codec], event, offer.direction.answered(wish));
            } else {
                text += &refused(line);
            }
        }
        Some((text, Media { codecs: vec![codec], event, ..offer.clone() }))
    }
}

/// An m= line with its port set to 0.
fn refused(line: &str) -> String {
    let mut fields: Vec<&str> = line.split_whitespace().collect();
    if let Some(port) = fields.get_mut(1) {
        *port = "0";
    }
    fields.join(" ") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describer(codecs: &[Codec]) -> Describer {
        Describer::new("192.0.2.9:4000".parse().unwrap(), codecs, Some(101), 1)
    }

    #[test]
    fn an_offer_is_read_as_it_was_written() {
        let offer =
            parse(describer(&[Codec::Pcmu, Codec::Pcma]).offer(Direction::SendOnly).as_bytes()).unwrap();
        assert_eq!(offer.rtp, "192.0.2.9:4000".parse().unwrap());
        assert_eq!(offer.rtcp, "192.0.2.9:4001".parse().unwrap());
        assert_eq!(offer.codecs, [(0, Codec::Pcmu), (8, Codec::Pcma)]);
        assert_eq!((offer.event, offer.direction), (Some(101), Direction::SendOnly));
    }

    #[test]
    fn an_answer_takes_one_codec_and_refuses_other_streams() {
        let offer = "v=0\r\nc=IN IP4 192.0.2.1\r\na=recvonly\r\nm=video 5000 RTP/AVP 96\r\nm=audio 6000 RTP/AVP 0 97 98 96\r\n\
            a=rtpmap:97 PCMA/8000/1\r\na=rtpmap:98 opus/48000/2\r\na=rtpmap:96 telephone-event/8000\r\na=rtcp:7001 IN IP4 192.0.2.3\r\n";
        let offer = parse(offer.as_bytes()).unwrap();
        assert_eq!(offer.rtcp, "192.0.2.3:7001".parse().unwrap());
        let (text, agreed) = describer(&[Codec::Pcma]).answer(&offer, Direction::SendRecv).unwrap();
        assert!(text.contains("m=video 0 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 97 96\r\n"), "{text}");
        assert!(text.contains("a=sendonly"), "{text}");
        assert_eq!((agreed.codecs, agreed.event), (vec![(97, Codec::Pcma)], Some(96)));
        assert_eq!(describer(&[]).answer(&offer, Direction::SendRecv), None);
    }

    #[test]
    fn answers_to_hold() {
        use Direction::*;
        for (offer, wish, answer) in [
            (SendRecv, SendRecv, SendRecv),
            (SendOnly, SendRecv, RecvOnly),
            (RecvOnly, SendRecv, SendOnly),
            (Inactive, SendRecv, Inactive),
            (SendOnly, SendOnly, Inactive),
            (SendRecv, SendOnly, SendOnly),
        ] {
            assert_eq!(offer.answered(wish), answer, "{offer:?} {wish:?}");
        }
    }

    #[test]
    fn what_is_no_audio_is_not_read() {
        for text in [
            "",
            "v=0\r\n",
            "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP 8\r\n",
            "c=IN IP4 x\r\nm=audio 9 RTP/AVP 8\r\n",
            "m=audio\r\n",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        let held = parse(b"c=IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP 8\r\n").unwrap();
        assert_eq!(held.direction, Direction::Inactive);
    }
}
