//! Offer and answer for one audio stream (RFC 3264): PCMA, PCMU and telephone-event.
//!
//! Pure functions from descriptions to what the media engine needs; which description goes into
//! which message is for [`super::leg`] to say. What one m-line is worth is in `stream`.
//!
//! What a description says decides, not the version in its `o=` line. RFC 3264 §8 has equal versions
//! mean equal descriptions, and those give equal agreements, so nothing changes. Peers that change a
//! description under its old version (hold, mostly), or whose version falls back after a restart or
//! behind a new controller, mean what they say and are taken at their word.

mod stream;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::media::LegConfig;
use crate::media::order::{Codec, Flow, Group, PortSlot, Srtp, Watches};
use crate::sip::Warning;
use crate::sip::sdp::{Direction, Media, Sdp};
use stream::{Stream, flow_of, is_live, mirrored, name, narrowed, static_type};

/// telephone-event's payload type in our own offers; any dynamic one would do (RFC 4733 §2.5.1.2).
const OUR_DTMF: u8 = 101;
/// The dynamic payload types (RFC 3551 §6).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;
/// Longest packets that we ask for, `a=maxptime`, milliseconds; we send none that are longer either.
pub const PACKET_MS_MAX: u16 = 60;

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

/// What we like best: what the other leg has, so that packets can be relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taste {
    /// Codec.
    pub codec: Codec,
    /// Milliseconds of sound in a packet, 10 to 60.
    pub packet_ms: u16,
}

impl Default for Taste {
    /// A-law in packets of 20 ms, as everywhere in the country.
    fn default() -> Self {
        Taste { codec: Codec::Pcma, packet_ms: 20 }
    }
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
    /// Another codec that the peer may change to without a word: it is in its answer, too.
    pub other_in: Option<(u8, Codec)>,
    /// telephone-event out and in.
    pub dtmf: Option<(u8, u8)>,
    /// RTP goes there.
    pub remote: SocketAddr,
    /// RTCP goes there.
    pub remote_rtcp: SocketAddr,
    /// RFC 5761.
    pub rtcp_mux: bool,
    /// Milliseconds of sound in each packet that we send.
    pub packet_ms: u16,
    /// As seen from our side.
    pub flow: Flow,
    /// Both keys, where the streams are ciphered.
    pub srtp: Option<Box<Srtp>>,
}

impl Agreed {
    /// For the media engine.
    pub fn config(
        &self,
        slot: PortSlot,
        group: Group,
        signalling_peer: IpAddr,
        silence_max: Duration,
    ) -> LegConfig {
        LegConfig {
            slot,
            group,
            codec: self.codec,
            payload_type: self.payload_type,
            payload_type_in: self.payload_type_in,
            other_in: self.other_in,
            dtmf: self.dtmf,
            remote: self.remote,
            remote_rtcp: self.remote_rtcp,
            rtcp_mux: self.rtcp_mux,
            packet_ms: self.packet_ms,
            new_peer: false,
            signalling_peer,
            flow: self.flow,
            srtp: self.srtp.clone(),
            silence_max,
            watches: Watches::default(), // The plan's, not negotiated.
        }
    }
}

/// Why there is no agreement: 488 to an offer, the end of a leg whose answer it is (RFC 3261
/// §13.3.1.3, §13.2.2.4). Where several streams fail, the one that came furthest is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Disagreement {
    /// No audio over plain RTP, or none that is not refused.
    #[error("no audio stream that we take")]
    NoAudio,
    /// Neither PCMA nor PCMU; in an answer: none that we offered.
    #[error("no codec in common")]
    NoCodec,
    /// No address to send to, or one of a family that we have not.
    #[error("no connection address")]
    NoAddress,
    /// More or fewer m-lines in the answer than in our offer (RFC 3264 §6).
    #[error("the answer's streams are not those of the offer")]
    Streams,
}

impl Disagreement {
    /// What the 488 says of it.
    pub fn warning(self) -> Warning {
        match self {
            Disagreement::NoAudio => Warning::MediaType,
            Disagreement::NoCodec => Warning::MediaFormat,
            Disagreement::NoAddress => Warning::AddressFormat,
            Disagreement::Streams => Warning::Other,
        }
    }
}

/// Our offer.
///
/// `last` is our last description in this session: its m-lines keep their places and their number,
/// refused ones with port 0, and its payload types keep their meaning (RFC 3264 §8, §8.3.2).
pub fn offer(local: Local, taste: Taste, last: Option<&Sdp>) -> Sdp {
    let place = last.and_then(|last| last.media.iter().position(is_live));
    let before = last.zip(place).map(|(last, place)| &last.media[place]);
    let second = match taste.codec {
        Codec::Pcma => Codec::Pcmu,
        _ => Codec::Pcma,
    };
    let mut audio = Media {
        protocol: before.map_or_else(|| "RTP/AVP".into(), |media| media.protocol.clone()),
        direction: Some(Direction::SendRecv),
        rtcp_mux: true,
        ptime: Some(taste.packet_ms),
        ..audio(local)
    };
    for codec in [taste.codec, second] {
        let number = match before {
            None => Some(static_type(codec)),
            Some(before) => stream::number_of(before, codec)
                .or(Some(static_type(codec)).filter(|number| !stream::uses(before, *number))),
        };
        if let Some(number) = number {
            add(&mut audio, number, name(codec));
        }
    }
    let dtmf = match before {
        None => Some(OUR_DTMF),
        Some(before) => stream::telephone_event(before)
            .or(Some(OUR_DTMF).filter(|number| !stream::uses(before, *number)))
            .or_else(|| DYNAMIC.clone().find(|number| !stream::uses(before, *number))),
    };
    if let Some(number) = dtmf {
        add_dtmf(&mut audio, number);
    }
    let mut media: Vec<Media> = last.map_or_else(Vec::new, |last| last.media.iter().map(refused).collect());
    match place {
        Some(place) => media[place] = audio,
        None => media.push(audio),
    }
    describe(local, media)
}

/// Our answer to `offered`, and what it means for the sound. Our order of preference decides; streams
/// beside the one audio that we take are refused with port 0 in their places (RFC 3264 §6).
pub fn answer(offered: &Sdp, local: Local, taste: Taste) -> Result<(Sdp, Agreed), Disagreement> {
    let (chosen, stream) = Stream::choose(offered, local.ip, taste.codec)?;
    let theirs = &offered.media[chosen];
    let ours = mirrored(stream.direction);
    let dtmf = stream::telephone_event(theirs);
    let agreed = Agreed {
        codec: stream.codec,
        payload_type: stream.payload_type,
        payload_type_in: stream.payload_type,
        // Our answer has one codec only: nothing else may come.
        other_in: None,
        dtmf: dtmf.map(|number| (number, number)),
        remote: stream.remote,
        remote_rtcp: stream::rtcp_of(theirs, stream.remote, theirs.rtcp_mux),
        rtcp_mux: theirs.rtcp_mux,
        packet_ms: stream.packet_ms,
        flow: flow_of(ours),
        srtp: None,
    };
    let mut audio = Media {
        protocol: theirs.protocol.clone(),
        direction: Some(ours),
        rtcp_mux: theirs.rtcp_mux,
        // Their own wish: most telephones have one packet time for both ways.
        ptime: Some(stream.packet_ms),
        ..audio(local)
    };
    add(&mut audio, stream.payload_type, name(stream.codec));
    if let Some(number) = dtmf {
        add_dtmf(&mut audio, number);
    }
    let mut media: Vec<Media> = offered.media.iter().map(refused).collect();
    media[chosen] = audio;
    Ok((describe(local, media), agreed))
}

/// What the peer's answer to our own offer means for the sound.
pub fn accept(offered: &Sdp, answered: &Sdp) -> Result<Agreed, Disagreement> {
    if offered.media.len() != answered.media.len() {
        return Err(Disagreement::Streams);
    }
    let place = offered.media.iter().position(is_live).ok_or(Disagreement::NoAudio)?;
    let (ours, theirs) = (&offered.media[place], &answered.media[place]);
    if !theirs.protocol.eq_ignore_ascii_case(&ours.protocol) {
        return Err(Disagreement::NoAudio); // RFC 3264 §6: the transport is the offer's.
    }
    let ip = offered.address_of(ours).ok_or(Disagreement::NoAddress)?;
    let known = |codec| stream::number_of(ours, codec);
    let stream = Stream::read(answered, theirs, ip, |codec| known(codec).is_some(), None)?;
    // The peer sends with our numbers, we with its (RFC 3264 §5.1).
    let payload_type_in = known(stream.codec).ok_or(Disagreement::NoCodec)?;
    let other_in = stream.other.and_then(|codec| Some((known(codec)?, codec)));
    let rtcp_mux = ours.rtcp_mux && theirs.rtcp_mux;
    let direction = narrowed(mirrored(stream.direction), offered.direction_of(ours));
    Ok(Agreed {
        codec: stream.codec,
        payload_type: stream.payload_type,
        payload_type_in,
        other_in,
        dtmf: stream::telephone_event(theirs).zip(stream::telephone_event(ours)),
        remote: stream.remote,
        remote_rtcp: stream::rtcp_of(theirs, stream.remote, rtcp_mux),
        rtcp_mux,
        packet_ms: stream.packet_ms,
        flow: flow_of(direction),
        srtp: None,
    })
}

fn describe(local: Local, media: Vec<Media>) -> Sdp {
    Sdp {
        origin: (local.session, local.version),
        owner: Some(local.ip),
        connection: Some(local.ip),
        direction: None,
        media,
    }
}

fn audio(local: Local) -> Media {
    Media { kind: "audio".into(), port: local.port, maxptime: Some(PACKET_MS_MAX), ..Media::default() }
}

/// RFC 3264 §6: the same media, transport and formats, with port 0 and nothing else.
fn refused(theirs: &Media) -> Media {
    Media {
        kind: theirs.kind.clone(),
        protocol: theirs.protocol.clone(),
        formats: theirs.formats.clone(),
        ..Media::default()
    }
}

fn add(media: &mut Media, number: u8, name: &str) {
    media.formats.push(number.to_string());
    media.rtpmap.push((number, name.into(), 8_000));
}

fn add_dtmf(media: &mut Media, number: u8) {
    add(media, number, "telephone-event");
    media.fmtp.push((number, "0-15".into()));
}
