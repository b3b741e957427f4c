//! Session descriptions as text: reading what others send, writing what we say (RFC 8866 §9).
//!
//! Reading is lenient: `s=`, `t=` and `o=` may be missing, lines may end in LF, and whatever is
//! unknown is passed over. What is bounded is in `sdp`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

use bytes::Bytes;

use super::scan;
use super::sdp::{Direction, FORMATS_MAX, MEDIA_MAX, Media, Sdp, SdpError};

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
        let mut sdp = Sdp { origin: (0, 0), connection: None, direction: None, media: Vec::new() };
        for (line, bytes) in lines {
            let [kind, b'=', value @ ..] = bytes else {
                return Err(SdpError::Line { line });
            };
            let value = String::from_utf8_lossy(value);
            let value = text(&value);
            match kind {
                b'o' => sdp.origin = read_origin(&value),
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
        Ok(sdp)
    }

    /// Writes it as a body. The address in `o=` is the session's, else the first m-line's.
    pub fn write(&self) -> Bytes {
        let mut out = String::with_capacity(512);
        let first = self.media.iter().find_map(|media| media.connection);
        let origin = self.connection.or(first).unwrap_or(IpAddr::from([0; 4]));
        let (id, version) = self.origin;
        line(&mut out, format_args!("v=0"));
        let address = address(origin);
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
            "ptime" => {
                let whole = value.trim().split('.').next().unwrap_or_default();
                self.ptime = whole.parse().ok().or(self.ptime);
            }
            "rtcp" => self.rtcp = read_rtcp(value).or(self.rtcp),
            "rtcp-mux" => self.rtcp_mux = true,
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
        for (number, name, rate) in &self.rtpmap {
            line(out, format_args!("a=rtpmap:{number} {}/{rate}", word(name)));
        }
        for (number, parameters) in &self.fmtp {
            line(out, format_args!("a=fmtp:{number} {}", text(parameters)));
        }
        if let Some(ptime) = self.ptime {
            line(out, format_args!("a=ptime:{ptime}"));
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
    }
}

/// Session id and version; what is no number counts as 0, for some write words there.
fn read_origin(value: &str) -> (u64, u64) {
    let mut words = value.split_ascii_whitespace().skip(1);
    let mut number = || {
        let word = words.next().unwrap_or_default();
        scan::number(word.as_bytes()).unwrap_or(0)
    };
    (number(), number())
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
    (net.eq_ignore_ascii_case("IN") && kind.eq_ignore_ascii_case(known)).then_some(ip)
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
        connection: None,
        rtpmap: Vec::new(),
        fmtp: Vec::new(),
        ptime: None,
        direction: None,
        rtcp: None,
        rtcp_mux: false,
    })
}

/// `97 telephone-event/8000/1`: channels are not kept, for sound here has one.
fn read_rtpmap(value: &str) -> Option<(u8, String, u32)> {
    let mut words = value.split_ascii_whitespace();
    let number = words.next()?.parse().ok()?;
    let mut parts = words.next()?.split('/');
    let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
    let rate = parts.next()?.parse().ok()?;
    Some((number, name, rate))
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
