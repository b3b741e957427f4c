//! Offer and answer for one audio stream (RFC 3264): PCMA, PCMU and telephone-event.
//!
//! Pure functions from descriptions to what the media engine needs; which description goes into
//! which message is for [`super::leg`] to say.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::media::LegConfig;
use crate::media::order::{Codec, Flow, PortSlot};
use crate::sip::sdp::{Direction, Media, Sdp};

/// telephone-event's payload type in our own offers; any dynamic one would do (RFC 4733 §2.5.1.2).
const OUR_DTMF: u8 = 101;

/// Our side of a stream: what our descriptions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// Where we receive: what others are told.
    pub ip: IpAddr,
    /// RTP port; RTCP is the next one.
    pub port: u16,
    /// `o=` session id.
    pub session: u64,
    /// `o=` version: grows with each description that differs.
    pub version: u64,
}

/// What both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Codec both ways.
    pub codec: Codec,
    /// Payload type the peer receives, thus ours to send.
    pub payload_type: u8,
    /// Payload type the peer sends.
    pub payload_type_in: u8,
    /// telephone-event out and in.
    pub dtmf: Option<(u8, u8)>,
    /// RTP goes there.
    pub remote: SocketAddr,
    /// RTCP goes there.
    pub remote_rtcp: SocketAddr,
    /// RFC 5761.
    pub rtcp_mux: bool,
    /// As seen from our side.
    pub flow: Flow,
}

impl Agreed {
    /// For the media engine.
    pub fn config(&self, slot: PortSlot, signalling_peer: IpAddr, silence_max: Duration) -> LegConfig {
        LegConfig {
            slot,
            codec: self.codec,
            payload_type: self.payload_type,
            payload_type_in: self.payload_type_in,
            dtmf: self.dtmf,
            remote: self.remote,
            remote_rtcp: self.remote_rtcp,
            rtcp_mux: self.rtcp_mux,
            packet_ms: 20,
            new_peer: false,
            signalling_peer,
            flow: self.flow,
            silence_max,
        }
    }
}

/// Why there is no agreement: 488 to an offer, the end of a leg whose answer it is (RFC 3261 §13.3.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// No audio over plain RTP, or none that is not refused.
    #[error("no audio stream that we take")]
    NoAudio,
    /// Neither PCMA nor PCMU, or not at 20 ms.
    #[error("no codec in common")]
    NoCodec,
    /// No address to send to.
    #[error("no connection address")]
    NoAddress,
}

/// Our offer, `first` being the codec that we like best (the other leg's, so that packets can be relayed).
pub fn offer(local: Local, first: Codec) -> Sdp {
    let second = match first {
        Codec::Pcma => Codec::Pcmu,
        Codec::Pcmu => Codec::Pcma,
    };
    let codecs = [first, second];
    let audio = Media {
        formats: codecs
            .iter()
            .map(|codec| static_type(*codec).to_string())
            .chain([OUR_DTMF.to_string()])
            .collect(),
        rtpmap: codecs
            .iter()
            .map(|codec| rtpmap(static_type(*codec), *codec))
            .chain([dtmf_map(OUR_DTMF)])
            .collect(),
        fmtp: vec![(OUR_DTMF, "0-15".into())],
        direction: Some(Direction::SendRecv),
        rtcp_mux: true,
        ..audio(local)
    };
    describe(local, vec![audio])
}

/// Our answer to `offered`, and what it means for the sound. Our order of preference decides; streams
/// beyond the first audio are refused with port 0 (RFC 3264 §6).
pub fn answer(offered: &Sdp, local: Local, preferred: Codec) -> Result<(Sdp, Agreed), Disagreement> {
    let chosen = choose_stream(offered)?;
    let theirs = &offered.media[chosen];
    let (codec, payload_type) = choose_codec(theirs, preferred).ok_or(Disagreement::NoCodec)?;
    let dtmf = telephone_event(theirs);
    let direction = theirs.direction.or(offered.direction).unwrap_or(Direction::SendRecv);
    let ours = match direction {
        Direction::SendRecv => Direction::SendRecv,
        Direction::SendOnly => Direction::RecvOnly,
        Direction::RecvOnly => Direction::SendOnly,
        Direction::Inactive => Direction::Inactive,
    };
    let (remote, on_hold) = remote_of(offered, theirs)?;
    let agreed = Agreed {
        codec,
        payload_type,
        payload_type_in: payload_type,
        dtmf: dtmf.map(|pt| (pt, pt)),
        remote,
        remote_rtcp: rtcp_of(theirs, remote),
        rtcp_mux: theirs.rtcp_mux,
        flow: if on_hold { Flow::Inactive } else { flow_of(ours) },
    };
    let mut formats = vec![payload_type.to_string()];
    let mut maps = vec![rtpmap(payload_type, codec)];
    let mut fmtp = Vec::new();
    if let Some(pt) = dtmf {
        formats.push(pt.to_string());
        maps.push(dtmf_map(pt));
        fmtp.push((pt, "0-15".into()));
    }
    let media = offered
        .media
        .iter()
        .enumerate()
        .map(|(index, their_stream)| {
            if index == chosen {
                Media {
                    protocol: their_stream.protocol.clone(),
                    formats: formats.clone(),
                    rtpmap: maps.clone(),
                    fmtp: fmtp.clone(),
                    direction: Some(ours),
                    rtcp_mux: their_stream.rtcp_mux,
                    ..audio(local)
                }
            } else {
                refused(their_stream)
            }
        })
        .collect();
    Ok((describe(local, media), agreed))
}

/// What the peer's answer to our own offer means for the sound.
pub fn accept(answered: &Sdp) -> Result<Agreed, Disagreement> {
    let chosen = choose_stream(answered)?;
    let theirs = &answered.media[chosen];
    let (codec, payload_type) = first_codec(theirs).ok_or(Disagreement::NoCodec)?;
    let (remote, on_hold) = remote_of(answered, theirs)?;
    let direction = theirs.direction.or(answered.direction).unwrap_or(Direction::SendRecv);
    let flow = match direction {
        _ if on_hold => Flow::Inactive,
        Direction::SendRecv => Flow::SendRecv,
        Direction::SendOnly => Flow::RecvOnly,
        Direction::RecvOnly => Flow::SendOnly,
        Direction::Inactive => Flow::Inactive,
    };
    Ok(Agreed {
        codec,
        payload_type,
        // The peer sends what we offered: the static type (RFC 3264 §5.1).
        payload_type_in: static_type(codec),
        dtmf: telephone_event(theirs).map(|pt| (pt, OUR_DTMF)),
        remote,
        remote_rtcp: rtcp_of(theirs, remote),
        rtcp_mux: theirs.rtcp_mux,
        flow,
    })
}

fn describe(local: Local, media: Vec<Media>) -> Sdp {
    Sdp { origin: (local.session, local.version), connection: Some(local.ip), direction: None, media }
}

fn audio(local: Local) -> Media {
    Media {
        kind: "audio".into(),
        port: local.port,
        protocol: "RTP/AVP".into(),
        formats: Vec::new(),
        connection: None,
        rtpmap: Vec::new(),
        fmtp: Vec::new(),
        ptime: Some(20),
        direction: None,
        rtcp: None,
        rtcp_mux: false,
    }
}

fn refused(theirs: &Media) -> Media {
    Media {
        kind: theirs.kind.clone(),
        port: 0,
        protocol: theirs.protocol.clone(),
        formats: theirs.formats.clone(),
        connection: None,
        rtpmap: Vec::new(),
        fmtp: Vec::new(),
        ptime: None,
        direction: None,
        rtcp: None,
        rtcp_mux: false,
    }
}

fn choose_stream(sdp: &Sdp) -> Result<usize, Disagreement> {
    sdp.media
        .iter()
        .position(|media| {
            media.kind == "audio" && media.port != 0 && media.protocol.eq_ignore_ascii_case("RTP/AVP")
        })
        .ok_or(Disagreement::NoAudio)
}

/// The codecs of a stream, in the stream's order. A format without rtpmap is a static type (RFC 3551).
fn codecs(media: &Media) -> impl Iterator<Item = (Codec, u8)> + '_ {
    media.formats.iter().filter_map(|format| {
        let pt: u8 = format.parse().ok()?;
        let codec = match media.rtpmap.iter().find(|(mapped, ..)| *mapped == pt) {
            Some((_, name, 8_000)) if name.eq_ignore_ascii_case("PCMA") => Codec::Pcma,
            Some((_, name, 8_000)) if name.eq_ignore_ascii_case("PCMU") => Codec::Pcmu,
            Some(_) => return None,
            None => match pt {
                8 => Codec::Pcma,
                0 => Codec::Pcmu,
                _ => return None,
            },
        };
        Some((codec, pt))
    })
}

fn first_codec(media: &Media) -> Option<(Codec, u8)> {
    codecs(media).next()
}

fn choose_codec(media: &Media, preferred: Codec) -> Option<(Codec, u8)> {
    codecs(media).find(|(codec, _)| *codec == preferred).or_else(|| first_codec(media))
}

fn telephone_event(media: &Media) -> Option<u8> {
    media
        .rtpmap
        .iter()
        .find(|(pt, name, rate)| {
            *rate == 8_000
                && name.eq_ignore_ascii_case("telephone-event")
                && media.formats.iter().any(|format| format.parse() == Ok(*pt))
        })
        .map(|(pt, ..)| *pt)
}

/// Where RTP goes, and whether the address says hold in the old way, `c=0.0.0.0` (RFC 3264 §8.4).
fn remote_of(sdp: &Sdp, media: &Media) -> Result<(SocketAddr, bool), Disagreement> {
    let ip = media.connection.or(sdp.connection).ok_or(Disagreement::NoAddress)?;
    Ok((SocketAddr::new(ip, media.port), ip.is_unspecified()))
}

fn rtcp_of(media: &Media, rtp: SocketAddr) -> SocketAddr {
    if media.rtcp_mux {
        return rtp;
    }
    match media.rtcp {
        Some((port, ip)) => SocketAddr::new(ip.unwrap_or(rtp.ip()), port),
        None => SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1)),
    }
}

fn flow_of(ours: Direction) -> Flow {
    match ours {
        Direction::SendRecv => Flow::SendRecv,
        Direction::SendOnly => Flow::SendOnly,
        Direction::RecvOnly => Flow::RecvOnly,
        Direction::Inactive => Flow::Inactive,
    }
}

fn static_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => 8,
        Codec::Pcmu => 0,
    }
}

fn rtpmap(pt: u8, codec: Codec) -> (u8, String, u32) {
    let name = match codec {
        Codec::Pcma => "PCMA",
        Codec::Pcmu => "PCMU",
    };
    (pt, name.into(), 8_000)
}

fn dtmf_map(pt: u8) -> (u8, String, u32) {
    (pt, "telephone-event".into(), 8_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Local =
        Local { ip: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port: 20_000, session: 1, version: 1 };

    fn stream(formats: &[&str], maps: &[(u8, &str)]) -> Media {
        Media {
            formats: formats.iter().map(ToString::to_string).collect(),
            rtpmap: maps.iter().map(|(pt, name)| (*pt, name.to_string(), 8_000)).collect(),
            port: 4_000,
            ..audio(LOCAL)
        }
    }

    fn their(media: Vec<Media>) -> Sdp {
        Sdp { connection: Some("192.0.2.9".parse().unwrap()), ..describe(LOCAL, media) }
    }

    #[test]
    fn the_answer_takes_our_preference_and_their_payload_types() {
        let offered = their(vec![stream(&["0", "97", "101"], &[(97, "PCMA"), (101, "telephone-event")])]);
        let (sdp, agreed) = answer(&offered, LOCAL, Codec::Pcma).unwrap();
        assert_eq!((agreed.codec, agreed.payload_type, agreed.dtmf), (Codec::Pcma, 97, Some((101, 101))));
        assert_eq!(sdp.media[0].formats, ["97", "101"]);
        let (_, agreed) = answer(&offered, LOCAL, Codec::Pcmu).unwrap();
        assert_eq!((agreed.codec, agreed.payload_type), (Codec::Pcmu, 0));
    }

    #[test]
    fn what_we_do_not_take_is_refused_stream_by_stream() {
        let mut video = stream(&["96"], &[]);
        video.kind = "video".into();
        let offered = their(vec![video, stream(&["8"], &[])]);
        let (sdp, _) = answer(&offered, LOCAL, Codec::Pcma).unwrap();
        assert_eq!(sdp.media.iter().map(|media| media.port).collect::<Vec<_>>(), [0, 20_000]);
        let only_g729 = their(vec![stream(&["18"], &[(18, "G729")])]);
        assert_eq!(answer(&only_g729, LOCAL, Codec::Pcma).unwrap_err(), Disagreement::NoCodec);
        let mut secure = stream(&["8"], &[]);
        secure.protocol = "RTP/SAVP".into();
        assert_eq!(answer(&their(vec![secure]), LOCAL, Codec::Pcma).unwrap_err(), Disagreement::NoAudio);
    }

    #[test]
    fn hold_in_each_spelling_turns_the_flow() {
        let rows = [
            (Some(Direction::SendOnly), "192.0.2.9", Flow::RecvOnly),
            (Some(Direction::RecvOnly), "192.0.2.9", Flow::SendOnly),
            (Some(Direction::Inactive), "192.0.2.9", Flow::Inactive),
            (None, "192.0.2.9", Flow::SendRecv),
            (None, "0.0.0.0", Flow::Inactive),
        ];
        for (direction, ip, flow) in rows {
            let mut offered = their(vec![stream(&["8"], &[])]);
            offered.media[0].direction = direction;
            offered.connection = Some(ip.parse().unwrap());
            let (_, agreed) = answer(&offered, LOCAL, Codec::Pcma).unwrap();
            assert_eq!(agreed.flow, flow, "{direction:?} {ip}");
        }
    }

    #[test]
    fn rtcp_goes_where_the_peer_says() {
        let mut media = stream(&["8"], &[]);
        assert_eq!(accept(&their(vec![media.clone()])).unwrap().remote_rtcp.port(), 4_001);
        media.rtcp = Some((5_555, None));
        assert_eq!(accept(&their(vec![media.clone()])).unwrap().remote_rtcp.port(), 5_555);
        media.rtcp_mux = true;
        assert_eq!(accept(&their(vec![media])).unwrap().remote_rtcp.port(), 4_000);
    }

    #[test]
    fn our_own_offer_can_be_answered_by_ourselves() {
        let (answered, theirs) = answer(&offer(LOCAL, Codec::Pcmu), LOCAL, Codec::Pcmu).unwrap();
        let ours = accept(&answered).unwrap();
        assert_eq!(ours, theirs);
    }
}
