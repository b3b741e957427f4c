//! Codecs and keys of the pad as SDP writes them: names, clocks, numbers and parameters.

use super::stream;
use crate::media::order::Codec;
use crate::sip::sdp::{Media, Rtpmap};

/// The dynamic payload types (RFC 3551 §6).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;
/// Forward correction is welcome, and one channel is what we send and want (RFC 7587 §6.1).
const OPUS: &str = "useinbandfec=1;stereo=0;sprop-stereo=0";

/// Whether G.729 may be agreed on. It is passed on from leg to leg and never decoded here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum G729 {
    /// Not: something of ours is to be heard, or the sound to be kept.
    #[default]
    No,
    /// It may, beside others: the other leg has offered it.
    May {
        /// With silence suppression of its own kind.
        annexb: bool,
    },
    /// It and nothing else: the other leg speaks it.
    Must {
        /// See [`G729::May`].
        annexb: bool,
    },
}

impl G729 {
    /// The rule (RFC 3264 leaves it to us): it may be offered to the second leg where the first has
    /// offered it, nothing is recorded, and nothing of ours is played to either from here to the end.
    pub fn between(first: Option<bool>, recorded: bool, spoken_to: bool) -> G729 {
        match first {
            Some(annexb) if !recorded && !spoken_to => G729::May { annexb },
            _ => G729::No,
        }
    }

    pub(super) fn allows(self, codec: Codec) -> bool {
        match self {
            G729::No => codec != Codec::G729,
            G729::May { .. } => true,
            G729::Must { .. } => codec == Codec::G729,
        }
    }

    pub(super) fn annexb(self) -> bool {
        matches!(self, G729::May { annexb: true } | G729::Must { annexb: true })
    }
}

/// The codec that a payload type stands for.
pub(super) fn codec_of(media: &Media, number: u8) -> Option<Codec> {
    let (name, clock) = media.encoding(number)?;
    let found = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::L16, Codec::Opus, Codec::G729]
        .into_iter()
        .find(|codec| name.eq_ignore_ascii_case(self::name(*codec)))?;
    (clock == found.clock() && media.channels(number) == channels(found)).then_some(found)
}

fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcma => "PCMA",
        Codec::Pcmu => "PCMU",
        Codec::G722 => "G722",
        Codec::L16 => "L16",
        Codec::Opus => "opus",
        Codec::G729 => "G729",
    }
}

/// Opus says two, whatever is inside (RFC 7587 §7).
fn channels(codec: Codec) -> u8 {
    if codec == Codec::Opus { 2 } else { 1 }
}

/// The number that a codec has in our own offers where nothing stands against it: its static one, or
/// always the same dynamic one.
fn usual_number(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::G729 => 18,
        Codec::L16 => 107,
        Codec::Opus => 111,
    }
}

/// telephone-event's usual number by its clock; any dynamic one would do (RFC 4733 §2.5.1.2).
fn usual_event(clock: u32) -> u8 {
    if clock == 8_000 { 101 } else { 102 }
}

/// Adds a codec to an offer, with its number in `before` where it has one: what a number means stays
/// for the whole session (RFC 3264 §8.3.2). A static number that means something else by now is none.
pub(super) fn offer(media: &mut Media, codec: Codec, annexb: bool, before: Option<&Media>) {
    let known = before.and_then(|before| stream::number_of(before, codec));
    let usual = usual_number(codec);
    let number = match known {
        None if DYNAMIC.contains(&usual) => free(usual, media, before),
        None => Some(usual).filter(|number| is_free(*number, media, before)),
        known => known,
    };
    if let Some(number) = number {
        add(media, number, codec, annexb);
    }
}

/// Adds the keys of the pad to an offer, for each clock of its codecs (RFC 4733 §2.1, RFC 7587 §4.1).
pub(super) fn offer_events(media: &mut Media, before: Option<&Media>) {
    for clock in [8_000, 48_000] {
        if !stream::codecs(media).any(|(codec, _)| codec.clock() == clock) {
            continue;
        }
        let known = before.and_then(|before| stream::event_of(before, clock));
        if let Some(number) = known.or_else(|| free(usual_event(clock), media, before)) {
            add_event(media, number, clock);
        }
    }
}

fn is_free(number: u8, media: &Media, before: Option<&Media>) -> bool {
    !stream::uses(media, number) && before.is_none_or(|before| !stream::uses(before, number))
}

fn free(usual: u8, media: &Media, before: Option<&Media>) -> Option<u8> {
    std::iter::once(usual).chain(DYNAMIC).find(|number| is_free(*number, media, before))
}

/// Adds a codec under a number.
pub(super) fn add(media: &mut Media, number: u8, codec: Codec, annexb: bool) {
    map(media, Rtpmap { number, name: name(codec).into(), clock: codec.clock(), channels: channels(codec) });
    match codec {
        Codec::Opus => media.fmtp.push((number, OPUS.into())),
        // Said either way, for what is not said counts as yes (RFC 4856 §2.1.9).
        Codec::G729 => {
            media.fmtp.push((number, if annexb { "annexb=yes" } else { "annexb=no" }.into()));
        }
        Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::L16 => {}
    }
}

/// Adds telephone-event under a number.
pub(super) fn add_event(media: &mut Media, number: u8, clock: u32) {
    map(media, Rtpmap { number, name: "telephone-event".into(), clock, channels: 1 });
    media.fmtp.push((number, "0-15".into()));
}

fn map(media: &mut Media, map: Rtpmap) {
    media.formats.push(map.number.to_string());
    media.rtpmap.push(map);
}

/// Whether G.729 comes with Annex B: unless its parameters say no (RFC 4856 §2.1.9).
pub(super) fn annexb(media: &Media, number: u8) -> bool {
    let parameters = media.parameters(number).unwrap_or_default();
    let said = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let says_no = |(name, value): (&str, &str)| {
        name.trim().eq_ignore_ascii_case("annexb") && value.trim().eq_ignore_ascii_case("no")
    };
    !said.into_iter().any(says_no)
}

/// The packet time nearest below that the codec has: a packet of Opus is one frame of 10, 20, 40 or
/// 60 ms (RFC 6716 §2.1.4).
pub(super) fn packet_ms(codec: Codec, ms: u16) -> u16 {
    match (codec, ms) {
        (Codec::Opus, 30) => 20,
        (Codec::Opus, 50) => 40,
        _ => ms,
    }
}
