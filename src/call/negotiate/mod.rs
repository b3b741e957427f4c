//! Offer and answer for one audio stream (RFC 3264): its codec, its packets, telephone-event, its keys.
//!
//! Pure functions from descriptions to what the media engine needs; which description goes into
//! which message is for [`super::leg`] to say. What one m-line is worth is in `stream`, how codecs are
//! written in `codec`, keys are in `keys`, and what the operator allows in `terms`.
//!
//! What a description says decides, not the version in its `o=` line. RFC 3264 §8 has equal versions
//! mean equal descriptions, and those give equal agreements, so nothing changes. Peers that change a
//! description under its old version (hold, mostly), or whose version falls back after a restart or
//! behind a new controller, mean what they say and are taken at their word.

mod codec;
mod keys;
mod stream;
mod terms;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::media::LegConfig;
use crate::media::order::{Codec, Flow, Group, PortSlot, Srtp, Watches};
use crate::sip::Warning;
use crate::sip::sdp::{Direction, Media, Sdp};
pub use codec::G729;
use keys::Verdict;
use stream::{Stream, Wanted, flow_of, is_live, mirrored, narrowed};
pub use terms::{Codecs, KeySeed, Keys, Terms};

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
    /// Codec; `None`: as the operator's list has it.
    pub codec: Option<Codec>,
    /// Milliseconds of sound in a packet, 10 to 60.
    pub packet_ms: u16,
    /// Whether it may be G.729.
    pub g729: G729,
}

impl Default for Taste {
    /// In packets of 20 ms, as everywhere in the country.
    fn default() -> Self {
        Taste { codec: None, packet_ms: 20, g729: G729::No }
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
    /// G.729 with silence suppression of its own kind.
    pub annexb: bool,
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
            keys_told: false,            // The same.
        }
    }
}

/// Why there is no agreement: 488 to an offer, the end of a leg whose answer it is (RFC 3261
/// §13.3.1.3, §13.2.2.4). Where several streams fail, the one that came furthest is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Disagreement {
    /// No audio, or none that is not refused.
    #[error("no audio stream that we take")]
    NoAudio,
    /// Encrypted where it may not be, in the clear where it must not, or keyed by other means.
    #[error("no audio over a transport that we take")]
    NoTransport,
    /// None that the operator allows; in an answer: none that we offered.
    #[error("no codec in common")]
    NoCodec,
    /// No address to send to, or one of a family that we have not.
    #[error("no connection address")]
    NoAddress,
    /// No key that can be used (RFC 4568).
    #[error("no key for encrypted sound")]
    NoKey,
    /// More or fewer m-lines in the answer than in our offer (RFC 3264 §6).
    #[error("the answer's streams are not those of the offer")]
    Streams,
}

impl Disagreement {
    /// What the 488 says of it.
    pub fn warning(self) -> Warning {
        match self {
            Disagreement::NoAudio => Warning::MediaType,
            Disagreement::NoTransport => Warning::Transport,
            Disagreement::NoCodec => Warning::MediaFormat,
            Disagreement::NoKey => Warning::Attribute,
            Disagreement::NoAddress => Warning::AddressFormat,
            Disagreement::Streams => Warning::Other,
        }
    }
}

/// Our offer: the codec of our taste, then the operator's.
///
/// `last` is our last description in this session: its m-lines keep their places and their number,
/// refused ones with port 0, and its payload types keep their meaning (RFC 3264 §8, §8.3.2).
pub fn offer(local: Local, taste: Taste, terms: &Terms, keys: Keys<'_>, last: Option<&Sdp>) -> Sdp {
    let place = last.and_then(|last| last.media.iter().position(is_live));
    let before = last.zip(place).map(|(last, place)| &last.media[place]);
    let (protocol, crypto) = keys::offered(terms, keys, before);
    let mut audio = Media {
        protocol,
        direction: Some(Direction::SendRecv),
        rtcp_mux: true,
        // What is passed on comes as it goes out.
        ptime: Some(terms.packet_ms.filter(|_| taste.g729 == G729::No).unwrap_or(taste.packet_ms)),
        crypto,
        ..audio(local)
    };
    let allowed = |codec: &Codec| terms.codecs.contains(codec) && taste.g729.allows(*codec);
    for codec in
        Codecs::of(taste.codec.into_iter().chain(terms.codecs.iter().copied()).filter(allowed)).iter()
    {
        codec::offer(&mut audio, *codec, taste.g729.annexb(), before);
    }
    if terms.has_events() {
        codec::offer_events(&mut audio, before);
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
pub fn answer(
    offered: &Sdp,
    local: Local,
    taste: Taste,
    terms: &Terms,
    keys: Keys<'_>,
) -> Result<(Sdp, Agreed), Disagreement> {
    let Chosen { place, stream, verdict } = choose(offered, local.ip, taste, terms, &keys)?;
    let theirs = &offered.media[place];
    let (crypto, srtp) = match (verdict, keys.dice) {
        (Verdict::Encrypted(chosen), Some(dice)) => {
            let (line, srtp) = chosen.answer(dice);
            (vec![line], Some(Box::new(srtp)))
        }
        _ => (Vec::new(), None),
    };
    let ours = mirrored(stream.direction);
    let event = stream::event_for(theirs, stream.codec).filter(|_| terms.has_events());
    // What is passed on comes out in packets as it went in.
    let packet_ms = if stream.codec == Codec::G729 { taste.packet_ms } else { stream.packet_ms };
    let agreed = Agreed {
        codec: stream.codec,
        payload_type: stream.payload_type,
        payload_type_in: stream.payload_type,
        // Our answer has one codec only: nothing else may come.
        other_in: None,
        dtmf: event.map(|(number, _)| (number, number)),
        remote: stream.remote,
        remote_rtcp: stream::rtcp_of(theirs, stream.remote, theirs.rtcp_mux),
        rtcp_mux: theirs.rtcp_mux,
        packet_ms,
        flow: flow_of(ours),
        annexb: taste.g729.annexb(),
        srtp,
    };
    let mut audio = Media {
        protocol: theirs.protocol.clone(),
        direction: Some(ours),
        rtcp_mux: theirs.rtcp_mux,
        // Their own wish: most telephones have one packet time for both ways.
        ptime: Some(packet_ms),
        crypto,
        ..audio(local)
    };
    codec::add(&mut audio, stream.payload_type, stream.codec, taste.g729.annexb());
    if let Some((number, clock)) = event {
        codec::add_event(&mut audio, number, clock);
    }
    let mut media: Vec<Media> = offered.media.iter().map(refused).collect();
    media[place] = audio;
    Ok((describe(local, media), agreed))
}

/// The stream of an offer that is taken.
struct Chosen<'a> {
    place: usize,
    stream: Stream,
    verdict: Verdict<'a>,
}

/// The first stream of an offer that we can take: encrypted before plain, and RTP before RTP with
/// feedback.
fn choose<'a>(
    offered: &Sdp,
    ours: IpAddr,
    taste: Taste,
    terms: &Terms,
    keys: &Keys<'a>,
) -> Result<Chosen<'a>, Disagreement> {
    let first = Codecs::of(taste.codec.into_iter().chain(terms.codecs.iter().copied()));
    let mut why = Disagreement::NoAudio;
    let mut chosen = None;
    for (place, media) in offered.media.iter().enumerate() {
        let may = |codec, number| {
            let annexb = codec == Codec::G729 && taste.g729.annexb() && !codec::annexb(media, number);
            terms.codecs.contains(&codec) && taste.g729.allows(codec) && !annexb
        };
        let take = || {
            if !stream::is_audio(media) {
                return Err(Disagreement::NoAudio);
            }
            let verdict = keys::judge(media, terms, keys)?;
            let wanted = Wanted { first: &first, may: &may, packet_ms: unsaid(terms) };
            let stream = Stream::read(offered, media, ours, &wanted)?;
            Ok(Chosen { place, stream, verdict })
        };
        match take() {
            Ok(one) => {
                let plain = matches!(one.verdict, Verdict::Plain);
                let rank = (plain, media.protocol.to_ascii_uppercase().ends_with("AVPF"));
                if chosen.as_ref().is_none_or(|(so_far, _)| rank < *so_far) {
                    chosen = Some((rank, one));
                }
            }
            Err(fault) => why = why.max(fault),
        }
    }
    chosen.map(|(_, one)| one).ok_or(why)
}

/// Whether an offer has G.729, and then whether with Annex B, in a stream that we could take.
pub fn offers_g729(offered: &Sdp) -> Option<bool> {
    let mut streams = offered.media.iter().filter(|media| stream::is_audio(media));
    streams.find_map(|media| Some(codec::annexb(media, stream::number_of(media, Codec::G729)?)))
}

/// What the peer's answer to our own offer means for the sound.
pub fn accept(offered: &Sdp, answered: &Sdp, terms: &Terms) -> Result<Agreed, Disagreement> {
    if offered.media.len() != answered.media.len() {
        return Err(Disagreement::Streams);
    }
    let place = offered.media.iter().position(is_live).ok_or(Disagreement::NoAudio)?;
    let (ours, theirs) = (&offered.media[place], &answered.media[place]);
    if !stream::is_audio(theirs) {
        return Err(Disagreement::NoAudio);
    }
    if !theirs.protocol.eq_ignore_ascii_case(&ours.protocol) {
        return Err(Disagreement::NoTransport); // RFC 3264 §6: the transport is the offer's.
    }
    let ip = offered.address_of(ours).ok_or(Disagreement::NoAddress)?;
    let known = |codec| stream::number_of(ours, codec);
    // Annex B that was declined in the offer is not to be had in the answer (RFC 7261 §3).
    let annexb_fits = |number| {
        known(Codec::G729).is_some_and(|own| codec::annexb(ours, own) || !codec::annexb(theirs, number))
    };
    let may = |codec, number| known(codec).is_some() && (codec != Codec::G729 || annexb_fits(number));
    let wanted = Wanted { first: &[], may: &may, packet_ms: unsaid(terms) };
    let stream = Stream::read(answered, theirs, ip, &wanted)?;
    let srtp = keys::accepted(ours, theirs, terms)?.map(Box::new);
    // The peer sends with our numbers, we with its (RFC 3264 §5.1).
    let payload_type_in = known(stream.codec).ok_or(Disagreement::NoCodec)?;
    let other_in = stream.other.and_then(|codec| Some((known(codec)?, codec)));
    let rtcp_mux = ours.rtcp_mux && theirs.rtcp_mux;
    let direction = narrowed(mirrored(stream.direction), offered.direction_of(ours));
    let event = stream::event_for(theirs, stream.codec);
    Ok(Agreed {
        codec: stream.codec,
        payload_type: stream.payload_type,
        payload_type_in,
        other_in,
        dtmf: event.and_then(|(number, clock)| Some((number, stream::event_of(ours, clock)?))),
        remote: stream.remote,
        remote_rtcp: stream::rtcp_of(theirs, stream.remote, rtcp_mux),
        rtcp_mux,
        packet_ms: stream.packet_ms,
        flow: flow_of(direction),
        annexb: stream.codec == Codec::G729 && codec::annexb(theirs, stream.payload_type),
        srtp,
    })
}

/// What is sent where the other side does not say, milliseconds (RFC 3551 §4.5).
fn unsaid(terms: &Terms) -> u16 {
    terms.packet_ms.unwrap_or(20)
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
