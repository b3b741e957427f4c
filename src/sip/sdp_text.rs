//! Session descriptions as text: reading what others send, writing what we say (RFC 8866 §9).
//!
//! Reading is lenient: `s=`, `t=` and `o=` may be missing, lines may end in LF, and whatever is
//! unknown is passed over. What is bounded is in `sdp`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

use bytes::Bytes;

use super::scan;
use super::sdp::{CRYPTO_MAX, CryptoLine, Direction, FORMATS_MAX, MEDIA_MAX, Media, Rtpmap, Sdp, SdpError};

impl Sdp {
    /// Reads a body of type `application/sdp`.
    pub fn parse(body: &[u8]) -> Result<Sdp, SdpError> {
        let mut lines = body
            .split(|&byte| byte == b'\n')
            .map(scan::trim_end)
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
            .map(|(index, line)| (index + 1, line));
        match lines.next() {
            Some((_, [b'v', b'=', version @ ..])) if scan::trim(version) == b"0" => {}
            _ => return Err(SdpError::Version),
        }
        let mut sdp = Sdp::default();
        for (line, bytes) in lines {
            let [kind, b'=', value @ ..] = bytes else {
                return Err(SdpError::Line { line });
            };
            let value = String::from_utf8_lossy(value);
            let value = text(&value);
            match kind {
                b'o' => (sdp.origin, sdp.owner) = read_origin(&value),
                b'c' => {
                    let address = read_address(&value).ok_or(SdpError::Address { line })?;
                    match sdp.media.last_mut() {
                        Some(media) => media.connection = Some(address),
                        None => sdp.connection = Some(address),
                    }
                }
                b'm' if sdp.media.len() == MEDIA_MAX => return Err(SdpError::TooLarge),
                b'm' => {
                    let media = read_media(&value).ok_or(SdpError::Line { line })?;
                    if media.formats.len() > FORMATS_MAX {
                        return Err(SdpError::TooLarge);
                    }
                    sdp.media.push(media);
                }
                b'a' => match sdp.media.last_mut() {
                    Some(media) => media.read_attribute(&value),
                    None => sdp.direction = read_direction(&value).or(sdp.direction),
                },
                _ => {}
            }
        }
        // Some write a host name in `o=`, or no such line at all.
        sdp.owner = Some(sdp.owner());
        Ok(sdp)
    }

    /// Writes it as a body.
    pub fn write(&self) -> Bytes {
        let mut out = String::with_capacity(512);
        let (id, version) = self.origin;
        line(&mut out, format_args!("v=0"));
        let address = address(self.owner());
        line(&mut out, format_args!("o=- {id} {version} IN {address}"));
        line(&mut out, format_args!("s=-"));
        write_connection(&mut out, self.connection);
        line(&mut out, format_args!("t=0 0"));
        write_direction(&mut out, self.direction);
        for media in &self.media {
            media.write(&mut out);
        }
        Bytes::from(out)
    }
}

impl Sdp {
    /// The address for `o=`: the owner's, else the session's, else the first m-line's.
    fn owner(&self) -> IpAddr {
        let first = self.media.iter().find_map(|media| media.connection);
        self.owner.or(self.connection).or(first).unwrap_or(IpAddr::from([0; 4]))
    }
}

impl Media {
    fn read_attribute(&mut self, text: &str) {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        match name {
            "rtpmap" if self.rtpmap.len() < FORMATS_MAX => self.rtpmap.extend(read_rtpmap(value)),
            "fmtp" if self.fmtp.len() < FORMATS_MAX => {
                let value = value.trim();
                let (number, parameters) = value.split_once(' ').unwrap_or((value, ""));
                if let Ok(number) = number.parse() {
                    self.fmtp.push((number, parameters.trim().to_owned()));
                }
            }
            "ptime" => self.ptime = read_millis(value).or(self.ptime),
            "maxptime" => self.maxptime = read_millis(value).or(self.maxptime),
            "rtcp" => self.rtcp = read_rtcp(value).or(self.rtcp),
            "rtcp-mux" => self.rtcp_mux = true,
            "crypto" if self.crypto.len() < CRYPTO_MAX => {
                self.crypto.push(CryptoLine(value.trim().to_owned()));
            }
            _ => self.direction = read_direction(text).or(self.direction),
        }
    }

    fn write(&self, out: &mut String) {
        let (kind, protocol) = (word(&self.kind), word(&self.protocol));
        let _ = write!(out, "m={kind} {} {protocol}", self.port);
        for format in &self.formats {
            out.push(' ');
            out.push_str(&word(format));
        }
        out.push_str("\r\n");
        write_connection(out, self.connection);
        for Rtpmap { number, name, clock, channels } in &self.rtpmap {
            let name = word(name);
            match channels {
                1 => line(out, format_args!("a=rtpmap:{number} {name}/{clock}")),
                more => line(out, format_args!("a=rtpmap:{number} {name}/{clock}/{more}")),
            }
        }
        for (number, parameters) in &self.fmtp {
            line(out, format_args!("a=fmtp:{number} {}", text(parameters)));
        }
        if let Some(ptime) = self.ptime {
            line(out, format_args!("a=ptime:{ptime}"));
        }
        if let Some(maxptime) = self.maxptime {
            line(out, format_args!("a=maxptime:{maxptime}"));
        }
        write_direction(out, self.direction);
        match self.rtcp {
            None => {}
            Some((port, None)) => line(out, format_args!("a=rtcp:{port}")),
            Some((port, Some(ip))) => {
                line(out, format_args!("a=rtcp:{port} IN {}", address(ip)));
            }
        }
        if self.rtcp_mux {
            line(out, format_args!("a=rtcp-mux"));
        }
        for CryptoLine(crypto) in &self.crypto {
            line(out, format_args!("a=crypto:{}", text(crypto)));
        }
    }
}

/// `20` or, from some, `20.0`.
fn read_millis(value: &str) -> Option<u16> {
    value.trim().split('.').next().unwrap_or_default().parse().ok()
}

/// `- 2890844526 2890842807 IN IP4 192.0.2.1`: session id and version, and the address where it is
/// one. What is no number counts as 0, for some write words there.
fn read_origin(value: &str) -> ((u64, u64), Option<IpAddr>) {
    let mut words = value.split_ascii_whitespace().skip(1);
    let mut number = || {
        let word = words.next().unwrap_or_default();
        scan::number(word.as_bytes()).unwrap_or(0)
    };
    let version = (number(), number());
    let address = words.nth(2).and_then(|word| word.parse().ok());
    (version, address)
}

/// `IN IP4 192.0.2.1/127`: the part after the slash is for multicast.
fn read_address(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    let net = words.next()?;
    let kind = words.next()?;
    let ip: IpAddr = words.next()?.split('/').next()?.parse().ok()?;
    let known = match ip {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    };
    // An IPv4 address in IPv6 clothes is reached by IPv4 (RFC 5118 §4.9).
    (net.eq_ignore_ascii_case("IN") && kind.eq_ignore_ascii_case(known)).then_some(ip.to_canonical())
}

/// `audio 49170/2 RTP/AVP 0 8`
fn read_media(value: &str) -> Option<Media> {
    let mut words = value.split_ascii_whitespace();
    let kind = words.next()?.to_owned();
    let port = words.next()?.split('/').next()?.parse().ok()?;
    let protocol = words.next()?.to_owned();
    Some(Media {
        kind,
        port,
        protocol,
        formats: words.take(FORMATS_MAX + 1).map(str::to_owned).collect(),
        ..Media::default()
    })
}

/// `97 telephone-event/8000/1`: the part behind the clock rate is the number of channels.
fn read_rtpmap(value: &str) -> Option<Rtpmap> {
    let mut words = value.split_ascii_whitespace();
    let number = words.next()?.parse().ok()?;
    let mut parts = words.next()?.split('/');
    let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
    let clock = parts.next()?.parse().ok()?;
    let channels = parts.next().and_then(|count| count.parse().ok()).unwrap_or(1);
    Some(Rtpmap { number, name, clock, channels })
}

/// `53020` or `53020 IN IP4 192.0.2.1` (RFC 3605).
fn read_rtcp(value: &str) -> Option<(u16, Option<IpAddr>)> {
    let value = value.trim();
    match value.split_once(' ') {
        None => Some((value.parse().ok()?, None)),
        Some((port, rest)) => Some((port.parse().ok()?, Some(read_address(rest)?))),
    }
}

fn read_direction(text: &str) -> Option<Direction> {
    Some(match text.trim() {
        "sendrecv" => Direction::SendRecv,
        "sendonly" => Direction::SendOnly,
        "recvonly" => Direction::RecvOnly,
        "inactive" => Direction::Inactive,
        _ => return None,
    })
}

fn write_direction(out: &mut String, direction: Option<Direction>) {
    let name = match direction {
        None => return,
        Some(Direction::SendRecv) => "sendrecv",
        Some(Direction::SendOnly) => "sendonly",
        Some(Direction::RecvOnly) => "recvonly",
        Some(Direction::Inactive) => "inactive",
    };
    line(out, format_args!("a={name}"));
}

fn write_connection(out: &mut String, connection: Option<IpAddr>) {
    if let Some(ip) = connection {
        line(out, format_args!("c=IN {}", address(ip)));
    }
}

fn address(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!("IP4 {ip}"),
        IpAddr::V6(ip) => format!("IP6 {ip}"),
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
    out.push_str("\r\n");
}

/// `text` with what would end the line blanked.
fn text(text: &str) -> Cow<'_, str> {
    match text.contains(char::is_control) {
        true => Cow::Owned(text.replace(char::is_control, " ")),
        false => Cow::Borrowed(text),
    }
}

/// `word` without what would end the word.
fn word(word: &str) -> Cow<'_, str> {
    let ends = |c: char| c.is_control() || c == ' ';
    match word.contains(ends) {
        true => Cow::Owned(word.replace(ends, "")),
        false => Cow::Borrowed(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=carrier 2890844526 2890842807 IN IP4 203.0.113.9\r\ns=call\r\n\
        c=IN IP4 203.0.113.9\r\nb=AS:64\r\nt=0 0\r\na=group:BUNDLE 0\r\na=sendrecv\r\n\
        m=audio 49170 RTP/AVP 8 0 18 101\r\nc=IN IP6 2001:db8::1\r\n\
        a=rtpmap:101 telephone-event/8000/1\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendonly\r\n\
        a=rtcp:53020 IN IP4 203.0.113.10\r\na=rtcp-mux\r\na=unknown:x\r\n\
        m=video 0 RTP/SAVPF 31\r\n";

    #[test]
    fn a_carriers_offer_is_read() {
        let sdp = Sdp::parse(OFFER.as_bytes()).unwrap();
        assert_eq!(sdp.origin, (2890844526, 2890842807));
        assert_eq!(sdp.connection, Some("203.0.113.9".parse().unwrap()));
        assert_eq!(sdp.direction, Some(Direction::SendRecv));
        let [audio, video] = &sdp.media[..] else {
            panic!("two m-lines");
        };
        assert_eq!((audio.kind.as_str(), audio.port), ("audio", 49170));
        assert_eq!(audio.formats, ["8", "0", "18", "101"]);
        assert_eq!(sdp.address_of(audio), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(sdp.direction_of(audio), Direction::SendOnly);
        assert_eq!(audio.encoding(101), Some(("telephone-event", 8000)));
        assert_eq!(audio.parameters(101), Some("0-15"));
        assert_eq!(audio.encoding(8), Some(("PCMA", 8000)));
        assert_eq!(audio.encoding(18), Some(("G729", 8000)));
        assert_eq!(audio.encoding(96), None);
        assert_eq!(audio.ptime, Some(20));
        assert_eq!(audio.rtcp, Some((53020, Some("203.0.113.10".parse().unwrap()))));
        assert!(audio.rtcp_mux);
        assert_eq!((video.port, video.protocol.as_str()), (0, "RTP/SAVPF"));
        assert_eq!(sdp.address_of(video), sdp.connection);
        assert_eq!(sdp.direction_of(video), Direction::SendRecv);
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        let sdp = Sdp::parse(OFFER.as_bytes()).unwrap();
        let text = String::from_utf8(sdp.write().to_vec()).unwrap();
        assert_eq!(Sdp::parse(text.as_bytes()), Ok(sdp));
        assert_eq!(
            text,
            "v=0\r\no=- 2890844526 2890842807 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\n\
             t=0 0\r\na=sendrecv\r\nm=audio 49170 RTP/AVP 8 0 18 101\r\nc=IN IP6 2001:db8::1\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendonly\r\n\
             a=rtcp:53020 IN IP4 203.0.113.10\r\na=rtcp-mux\r\nm=video 0 RTP/SAVPF 31\r\n"
        );
    }

    #[test]
    fn a_careless_description_is_read_all_the_same() {
        let sdp = Sdp::parse(b"v=0\nc=IN IP4 224.2.1.1/127\nm=audio 4000/2 RTP/AVP 0\n\na=ptime:20.0\na=rtpmap:x\na=fmtp:300 x\na=rtcp:\n").unwrap();
        assert_eq!(sdp.origin, (0, 0));
        assert_eq!(sdp.connection, Some("224.2.1.1".parse().unwrap()));
        let audio = &sdp.media[0];
        assert_eq!((audio.port, audio.ptime, audio.rtcp), (4000, Some(20), None));
        assert!(audio.rtpmap.is_empty() && audio.fmtp.is_empty());
        assert_eq!(Sdp::parse(b"v=0\r\n").unwrap().media, []);
    }

    #[test]
    fn channels_and_keys_are_kept_and_keys_are_never_shown() {
        let text = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
            m=audio 4000 RTP/SAVP 111\r\na=rtpmap:111 opus/48000/2\r\n\
            a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n";
        let sdp = Sdp::parse(text.as_bytes()).unwrap();
        assert_eq!((sdp.media[0].channels(111), sdp.media[0].channels(8)), (2, 1));
        assert_eq!(String::from_utf8(sdp.write().to_vec()).unwrap(), text);
        assert!(!format!("{sdp:?}").contains("WVNf"), "{sdp:?}");
        let many = format!("{text}{}", "a=crypto:1 X inline:x\r\n".repeat(CRYPTO_MAX + 9));
        assert_eq!(Sdp::parse(many.as_bytes()).unwrap().media[0].crypto.len(), CRYPTO_MAX, "bounded");
    }

    #[test]
    fn faults_are_told_with_their_line() {
        for (text, error) in [
            ("", SdpError::Version),
            ("m=audio 1 RTP/AVP 0", SdpError::Version),
            ("v=1", SdpError::Version),
            ("v=0\r\njunk", SdpError::Line { line: 2 }),
            ("v=0\r\n\r\nm=audio", SdpError::Line { line: 3 }),
            ("v=0\r\nm=audio 65536 RTP/AVP 0", SdpError::Line { line: 2 }),
            ("v=0\r\nc=IN IP4 host.example", SdpError::Address { line: 2 }),
            ("v=0\r\nc=IN IP6 192.0.2.1", SdpError::Address { line: 2 }),
            ("v=0\r\nc=ATM NSAP 47.0091", SdpError::Address { line: 2 }),
        ] {
            assert_eq!(Sdp::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn m_lines_formats_and_attributes_are_bounded() {
        let lines = |count| format!("v=0\r\n{}", "m=audio 1 RTP/AVP 0\r\n".repeat(count));
        assert!(Sdp::parse(lines(MEDIA_MAX).as_bytes()).is_ok());
        assert_eq!(Sdp::parse(lines(MEDIA_MAX + 1).as_bytes()), Err(SdpError::TooLarge));
        let formats = |count| format!("v=0\r\nm=audio 1 RTP/AVP{}", " 0".repeat(count));
        assert!(Sdp::parse(formats(FORMATS_MAX).as_bytes()).is_ok());
        assert_eq!(Sdp::parse(formats(FORMATS_MAX + 1).as_bytes()), Err(SdpError::TooLarge));
        let many = "a=rtpmap:96 x/8000\r\n".repeat(FORMATS_MAX + 9);
        let sdp = Sdp::parse(format!("{}{many}", lines(1)).as_bytes()).unwrap();
        assert_eq!(sdp.media[0].rtpmap.len(), FORMATS_MAX);
    }

    #[test]
    fn no_word_can_begin_a_line() {
        let mut sdp = Sdp::parse(OFFER.as_bytes()).unwrap();
        sdp.media[0].formats.push("9\r\na=x".to_owned());
        sdp.media[0].fmtp.push((9, "a\r\nm=video 1 RTP/AVP 31".to_owned()));
        assert_eq!(Sdp::parse(&sdp.write()).unwrap().media.len(), 2);
    }
}
