//! The sound of one call: a packet each 20 ms out, packets in, RTCP beside them (RFC 3550).
//!
//! Where packets go is agreed by `sdp`; the recording is `recorder`'s, the keys are `dtmf`'s.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

use super::dtmf::{self, Event, Keypad, Pressed};
use super::event::{Output, PhoneEvent};
use super::g711::Codec;
use super::recorder::{Numbers, Recorder, SoundCount};
use super::rtcp;
use super::sdp::Media;
use crate::id::Dice;
use crate::time::{Instant, Now};

/// Time between packets.
const FRAME_TIME: Duration = Duration::from_millis(20);
/// Samples in a packet.
const FRAME: usize = 160;
/// Frames that are made up for when the phone is served late; older ones are left out.
const CATCH_UP_MAX: u64 = 5;
/// Time between sender reports.
const REPORT_TIME: Duration = Duration::from_secs(5);

/// A sound to be played to the other side.
struct Source {
    samples: Arc<[i16]>,
    at: usize,
    repeat: bool,
}

/// Where and how we send.
struct Sending {
    rtp: SocketAddr,
    rtcp: SocketAddr,
    codec: (u8, Codec),
    event: Option<u8>,
    /// Neither side keeps us from sending.
    open: bool,
}

/// Sound on its way into a packet of another length than a frame's.
#[derive(Default)]
struct Gathered {
    payload_type: u8,
    timestamp: u32,
    codes: Vec<u8>,
}

/// The clock of what we send.
struct Ticks {
    began: Instant,
    /// The next frame, counted from `began`.
    frame: u64,
    report_at: Option<Instant>,
}

/// The sound of one call, kept until the next one for looking at.
pub(super) struct Sound {
    ssrc: u32,
    sequence: u16,
    base: u32,
    /// The next packet begins a talkspurt.
    marked: bool,
    /// The timestamp of the key press under way.
    pressed_at: u32,
    sending: Option<Sending>,
    ticks: Option<Ticks>,
    source: Option<Source>,
    keypad: Keypad,
    /// Samples of a packet.
    packet: usize,
    gathered: Gathered,
    send_silence: bool,
    with_rtcp: bool,
    codecs_in: Vec<(u8, Codec)>,
    event_in: Option<u8>,
    last_event: Option<(u32, u32)>,
    recorder: Recorder,
    sent_octets: u32,
    sent_packets: u32,
    last_report: Option<rtcp::Heard>,
    cname: String,
    outputs: VecDeque<Output>,
}

/// How the sound of a phone is set up.
pub(super) struct SoundConfig {
    /// Samples kept.
    pub hear_max: usize,
    /// Sends silence while nothing is played.
    pub send_silence: bool,
    /// Sends sender reports.
    pub rtcp: bool,
    /// What may arrive before an answer says more.
    pub codecs: Vec<Codec>,
    /// Milliseconds of sound in a packet.
    pub packet_ms: u16,
    /// The telephone-event type that we offer.
    pub event: Option<u8>,
    /// Canonical name in SDES.
    pub cname: String,
}

impl Sound {
    /// A silent line that listens already: early media may come.
    pub(super) fn new(config: SoundConfig, dice: &mut Dice) -> Self {
        Sound {
            ssrc: dice.next_u32(),
            sequence: dice.next_u32() as u16,
            base: dice.next_u32(),
            marked: true,
            pressed_at: 0,
            sending: None,
            ticks: None,
            source: None,
            keypad: Keypad::default(),
            packet: usize::from(config.packet_ms.max(10)) * 8,
            gathered: Gathered::default(),
            send_silence: config.send_silence,
            with_rtcp: config.rtcp,
            codecs_in: config.codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect(),
            event_in: config.event,
            last_event: None,
            recorder: Recorder::new(config.hear_max),
            sent_octets: 0,
            sent_packets: 0,
            last_report: None,
            cname: config.cname,
            outputs: VecDeque::new(),
        }
    }

    /// Takes what both sides agreed on; `open` says that we may send. `media` is the other side's
    /// description, narrowed to what is common.
    pub(super) fn agree(&mut self, media: &Media, open: bool) {
        let Some(codec) = media.codecs.first().copied() else {
            return;
        };
        // They may use any codec of the agreement, with our numbers or theirs.
        for entry in &media.codecs {
            if !self.codecs_in.contains(entry) {
                self.codecs_in.retain(|(payload_type, _)| *payload_type != entry.0);
                self.codecs_in.push(*entry);
            }
        }
        self.event_in = media.event.or(self.event_in);
        self.sending = Some(Sending { rtp: media.rtp, rtcp: media.rtcp, codec, event: media.event, open });
    }

    /// Begins to send.
    pub(super) fn begin(&mut self, now: Instant) {
        self.recorder.answered(now);
        if self.ticks.is_none() {
            let report_at = self.with_rtcp.then_some(now + REPORT_TIME);
            self.ticks = Some(Ticks { began: now, frame: 0, report_at });
        }
    }

    /// Ends sending; the recording and the counters stay.
    pub(super) fn end(&mut self) {
        self.ticks = None;
        self.sending = None;
        self.source = None;
        self.gathered.codes.clear();
        self.keypad.clear();
    }

    /// Plays `samples` (8 kHz) from the next frame on, in place of what was played.
    pub(super) fn play(&mut self, samples: Arc<[i16]>, repeat: bool, now: Instant) {
        self.source = (!samples.is_empty()).then_some(Source { samples, at: 0, repeat });
        self.wake(now);
    }

    /// Presses keys, one after the other.
    pub(super) fn press(&mut self, digits: &str, now: Instant) {
        self.keypad.press(digits);
        self.wake(now);
    }

    /// After quiet without packets, frames go on from the present.
    fn wake(&mut self, now: Instant) {
        if let Some(ticks) = &mut self.ticks {
            let elapsed = now.since(ticks.began).as_nanos().div_ceil(FRAME_TIME.as_nanos()) as u64;
            ticks.frame = ticks.frame.max(elapsed);
        }
    }

    /// What was heard: 8 kHz samples from the first packet on.
    pub(super) fn heard(&self) -> &[i16] {
        self.recorder.heard()
    }

    /// When the first packet came.
    pub(super) fn heard_began(&self) -> Option<Instant> {
        self.recorder.began()
    }

    /// The counters.
    pub(super) fn count(&self) -> SoundCount {
        self.recorder.count
    }

    /// When to call [`Sound::handle_timeout`] next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let ticks = self.ticks.as_ref()?;
        let frame = self.has_something_to_send().then(|| ticks.due());
        [frame, ticks.report_at].into_iter().flatten().min()
    }

    /// What to do next.
    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn has_something_to_send(&self) -> bool {
        let open = self.sending.as_ref().is_some_and(|sending| sending.open);
        open && (self.send_silence || self.source.is_some() || !self.keypad.is_idle())
    }

    /// Time passed.
    pub(super) fn handle_timeout(&mut self, now: Now) {
        self.skip_missed(now.mono);
        while self.has_something_to_send() {
            let Some(ticks) = &mut self.ticks else { return };
            if ticks.due() > now.mono {
                break;
            }
            let frame = ticks.frame;
            ticks.frame += 1;
            self.send_frame(frame);
        }
        if self.ticks.as_ref().and_then(|ticks| ticks.report_at).is_some_and(|at| at <= now.mono) {
            self.send_report(now);
        }
    }

    fn skip_missed(&mut self, now: Instant) {
        let Some(ticks) = &mut self.ticks else { return };
        let present = (now.since(ticks.began).as_nanos() / FRAME_TIME.as_nanos()) as u64;
        if present > ticks.frame + CATCH_UP_MAX {
            ticks.frame = present;
        }
    }

    fn send_frame(&mut self, frame: u64) {
        let timestamp = self.base.wrapping_add((frame as u32).wrapping_mul(FRAME as u32));
        let (event_type, codec) = match &self.sending {
            Some(sending) => (sending.event, sending.codec),
            None => return,
        };
        match (self.keypad.frame(), event_type) {
            (Pressed::Down { event, first, copies }, Some(event_type)) => {
                self.send_gathered();
                if first {
                    self.pressed_at = timestamp;
                }
                for _ in 0..copies {
                    self.send_packet(event_type, first, self.pressed_at, &event.bytes());
                }
                self.marked = true;
            }
            (Pressed::Down { event, .. }, None) => self.send_sound(codec, timestamp, &dtmf::tone(event)),
            (Pressed::Gap, _) => self.send_quiet(codec, timestamp),
            (Pressed::Nothing, _) => self.send_source(codec, timestamp),
        }
    }

    fn send_source(&mut self, codec: (u8, Codec), timestamp: u32) {
        let Some(source) = &mut self.source else {
            return self.send_quiet(codec, timestamp);
        };
        let mut samples = [0; FRAME];
        let mut played = false;
        for sample in &mut samples {
            *sample = source.samples[source.at];
            source.at += 1;
            if source.at == source.samples.len() {
                source.at = 0;
                if !source.repeat {
                    played = true;
                    break;
                }
            }
        }
        self.send_sound(codec, timestamp, &samples);
        if played {
            self.source = None;
            self.outputs.push_back(Output::Event(PhoneEvent::SoundPlayed));
        }
    }

    fn send_quiet(&mut self, codec: (u8, Codec), timestamp: u32) {
        if self.send_silence {
            self.send_sound(codec, timestamp, &[0; FRAME]);
        } else {
            self.send_gathered();
            self.marked = true;
        }
    }

    fn send_sound(&mut self, codec: (u8, Codec), timestamp: u32, samples: &[i16; FRAME]) {
        let payload: [u8; FRAME] = std::array::from_fn(|index| codec.1.encode(samples[index]));
        if self.packet == FRAME {
            let marked = std::mem::take(&mut self.marked);
            return self.send_packet(codec.0, marked, timestamp, &payload);
        }
        if self.gathered.payload_type != codec.0 {
            self.send_gathered();
        }
        if self.gathered.codes.is_empty() {
            (self.gathered.payload_type, self.gathered.timestamp) = (codec.0, timestamp);
        }
        self.gathered.codes.extend(payload);
        while self.gathered.codes.len() >= self.packet {
            let rest = self.gathered.codes.split_off(self.packet);
            self.send_gathered();
            self.gathered.codes = rest;
        }
    }

    /// What was gathered leaves as one packet.
    fn send_gathered(&mut self) {
        let codes = std::mem::take(&mut self.gathered.codes);
        if codes.is_empty() {
            return;
        }
        let (payload_type, timestamp) = (self.gathered.payload_type, self.gathered.timestamp);
        self.gathered.timestamp = timestamp.wrapping_add(codes.len() as u32);
        let marked = std::mem::take(&mut self.marked);
        self.send_packet(payload_type, marked, timestamp, &codes);
    }

    fn send_packet(&mut self, payload_type: u8, marked: bool, timestamp: u32, payload: &[u8]) {
        let Some(sending) = &self.sending else { return };
        let packet = RtpPacketBuilder::new()
            .payload_type(payload_type)
            .marked(marked)
            .sequence(Seq::from(self.sequence))
            .timestamp(timestamp)
            .ssrc(self.ssrc)
            .payload(payload)
            .build();
        let Ok(bytes) = packet else { return };
        self.outputs.push_back(Output::Rtp { to: sending.rtp, bytes });
        self.sequence = self.sequence.wrapping_add(1);
        self.sent_packets = self.sent_packets.wrapping_add(1);
        self.sent_octets = self.sent_octets.wrapping_add(payload.len() as u32);
        self.recorder.count.sent += 1;
    }

    fn send_report(&mut self, now: Now) {
        let (Some(ticks), Some(sending)) = (&mut self.ticks, &self.sending) else {
            return;
        };
        ticks.report_at = Some(now.mono + REPORT_TIME);
        let elapsed = now.mono.since(ticks.began).as_micros() / 125;
        let report = rtcp::SenderReport {
            ssrc: self.ssrc,
            wall: now.wall,
            timestamp: self.base.wrapping_add(elapsed as u32),
            packets: self.sent_packets,
            octets: self.sent_octets,
            cname: &self.cname,
            reception: self.recorder.reception(),
            jitter: self.recorder.count.jitter as u32,
            heard: self.last_report.as_ref(),
        };
        let bytes = report.bytes(now.mono);
        self.outputs.push_back(Output::Rtcp { to: sending.rtcp, bytes });
        self.recorder.count.rtcp_sent += 1;
    }

    /// A datagram at the RTP address or the port above it.
    pub(super) fn handle_packet(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        // RTCP types fall where RTP payload types cannot be (RFC 5761 §4).
        if bytes.get(1).is_some_and(|kind| (192..=223).contains(kind)) {
            let (packets, report) = rtcp::read(bytes, now);
            self.recorder.count.rtcp_received += packets;
            self.last_report = report.or(self.last_report.take());
            return;
        }
        let Ok(packet) = RtpReader::new(bytes) else {
            self.recorder.count.garbage += 1;
            return;
        };
        let numbers = Numbers {
            ssrc: packet.ssrc(),
            sequence: packet.sequence_number().into(),
            timestamp: packet.timestamp(),
        };
        if self.sending.as_ref().is_some_and(|agreed| agreed.rtp != from) {
            self.recorder.count.strangers += 1;
        }
        if !self.recorder.note(numbers, now) {
            return;
        }
        let payload_type = packet.payload_type();
        if self.event_in == Some(payload_type) {
            self.hear_event(numbers, packet.payload());
        } else if let Some((_, codec)) = self.codecs_in.iter().find(|(known, _)| *known == payload_type) {
            self.recorder.record(numbers, *codec, packet.payload(), now);
        } else {
            self.recorder.count.wrong_payload_type += 1;
        }
    }

    /// A press is one timestamp, however many packets tell of it.
    fn hear_event(&mut self, numbers: Numbers, payload: &[u8]) {
        let Some(event) = Event::parse(payload) else {
            return;
        };
        let Some(key) = dtmf::key(event.code) else {
            return;
        };
        let newer = self.last_event.is_none_or(|(ssrc, last)| {
            ssrc != numbers.ssrc || (numbers.timestamp.wrapping_sub(last) as i32) > 0
        });
        if newer {
            self.last_event = Some((numbers.ssrc, numbers.timestamp));
            self.outputs.push_back(Output::Event(PhoneEvent::DigitHeard(key)));
        }
    }
}

impl Ticks {
    fn due(&self) -> Instant {
        self.began + FRAME_TIME * u32::try_from(self.frame).unwrap_or(u32::MAX)
    }
}
