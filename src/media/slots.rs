//! Jitter buffer of packets that must be kept whole: Opus in, sound at 16 kHz out, a frame each tick.
//!
//! A packet may last 2.5 to 120 ms whatever was asked for, so it is laid by its timestamp and decoded
//! when its time has come; what is lost is made up by the codec. At most `SLOTS` packets are held
//! (61 KB): with none free the newest is dropped and counted. How long to hold them back is measured
//! in [`super::delay`].

use super::codec::opus::{Decoder, OpusError, PACKET_BYTES_MAX, SAMPLES_MAX, STEP};
use super::codec::{WIDE_SAMPLES, WideFrame};
use super::delay::{Delay, TARGET_MAX, later};
use super::jitter::FAINT_LINEAR;
use crate::time::Instant;

/// RFC 7587 §4.1, whatever rate the sound has.
const CLOCK: u32 = 48_000;
/// Packets held: 960 ms of 20 ms each, 120 of the shortest.
const SLOTS: usize = 48;
/// Units of the clock for each sample of ours.
const UNITS: u32 = CLOCK / 16_000;
const FRAME: u32 = WIDE_SAMPLES as u32 * UNITS;
/// Further ahead than this is too early: 512 ms, as in the ring of other codecs.
const AHEAD_MAX: u32 = CLOCK / 1_000 * 512;
/// Nothing newer for so long: the next packet begins anew. 1 s.
const IDLE: u32 = CLOCK;
/// After so many packets in a row that were too late or too early, their clock is believed.
const STRIKES_MAX: u8 = 4;
/// What is made up at once: 20 ms.
const LOST_MAX: u32 = FRAME;

#[derive(Clone, Copy)]
struct Slot {
    timestamp: u32,
    /// How long the packet lasts, in units of the clock.
    units: u32,
    /// 0: free.
    length: u16,
    bytes: [u8; PACKET_BYTES_MAX],
}

const FREE: Slot = Slot { timestamp: 0, units: 0, length: 0, bytes: [0; PACKET_BYTES_MAX] };

impl Slot {
    fn end(&self) -> u32 {
        self.timestamp.wrapping_add(self.units)
    }
}

/// See the file's own words.
pub struct Slots {
    slots: Box<[Slot]>,
    decoder: Decoder,
    /// Decoded and not played yet; `ready` of them.
    sound: [i16; SAMPLES_MAX + WIDE_SAMPLES],
    ready: usize,
    /// The timestamp of the first sample after those.
    next: u32,
    /// One past the newest that came.
    newest: u32,
    delay: Delay,
    /// From here on nothing is missed until something comes: a pause was announced.
    rest_at: Option<u32>,
    running: bool,
    faint: bool,
    strikes: u8,
    late: u64,
    early: u64,
}

impl Slots {
    /// An empty buffer, all of it allocated.
    pub fn new() -> Result<Self, OpusError> {
        Ok(Slots {
            slots: vec![FREE; SLOTS].into_boxed_slice(),
            decoder: Decoder::new()?,
            sound: [0; SAMPLES_MAX + WIDE_SAMPLES],
            ready: 0,
            next: 0,
            newest: 0,
            delay: Delay::new(CLOCK),
            rest_at: None,
            running: false,
            faint: true,
            strikes: 0,
            late: 0,
            early: 0,
        })
    }

    /// Forgets all sound and the source's clock: a new source begins. Counts go on.
    pub fn reset(&mut self) {
        self.clear();
        self.running = false;
        self.decoder.reset();
    }

    fn clear(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.length = 0);
        self.ready = 0;
    }

    /// Takes a packet that arrived `now`; not a duplicate. `false`: it is none of Opus.
    pub fn put(&mut self, timestamp: u32, packet: &[u8], now: Instant) -> bool {
        let Some(samples) = Decoder::samples(packet) else { return false };
        let units = samples as u32 * UNITS;
        let end = timestamp.wrapping_add(units);
        let arrival = self.delay.units(now);
        let transit = arrival.wrapping_sub(timestamp);
        if !self.running || self.delay.jumped(transit) {
            self.restart(timestamp, transit, arrival);
        }
        self.delay.measure(transit, arrival);
        let ahead = later(end, self.next);
        if ahead <= 0 || ahead > AHEAD_MAX as i32 {
            self.strikes += 1;
            if self.strikes < STRIKES_MAX {
                self.count_miss(ahead > 0);
                return true;
            }
            self.restart(timestamp, transit, arrival);
        }
        self.strikes = 0;
        let idle = later(self.newest, self.next) <= 0;
        if idle && self.rests() {
            // The source paused, so the delay can be set right unheard.
            let wanted = self.delay.want(arrival);
            self.next = if later(timestamp, wanted) < 0 { timestamp } else { wanted };
            self.ready = 0;
            self.rest_at = Some(self.next);
        } else if later(self.next, timestamp) > 0 {
            self.count_miss(false); // Its beginning was made up for: a packet has no second half.
            return true;
        }
        match self.slots.iter_mut().find(|slot| slot.length == 0) {
            Some(slot) => {
                (slot.timestamp, slot.units, slot.length) = (timestamp, units, packet.len() as u16);
                slot.bytes[..packet.len()].copy_from_slice(packet);
            }
            None => self.count_miss(true),
        }
        if later(end, self.newest) > 0 {
            self.newest = end;
        }
        true
    }

    fn count_miss(&mut self, early: bool) {
        match early {
            true => self.early += 1,
            false => self.late += 1,
        }
    }

    fn restart(&mut self, timestamp: u32, transit: u32, arrival: u32) {
        self.clear();
        self.running = true;
        self.strikes = 0;
        self.delay.restart(transit, arrival);
        self.next = timestamp.wrapping_sub(self.delay.target());
        self.newest = self.next;
        self.rest_at = Some(self.next);
    }

    /// The source says that it pauses from `timestamp` on (a telephone-event).
    pub fn rest(&mut self, timestamp: u32) {
        self.rest_at = Some(timestamp);
    }

    /// The frame due `now`. `false`: nothing is to be heard, the source pauses or has not begun.
    pub fn take(&mut self, frame: &mut WideFrame, now: Instant) -> bool {
        if !self.running {
            return false;
        }
        let play = self.next.wrapping_sub(self.ready as u32 * UNITS);
        if later(play, self.newest) > IDLE as i32 {
            self.reset();
            return false;
        }
        let ahead = later(self.delay.want(self.delay.units(now)), play);
        let samples = |count: u32| self.delay.scaled(count) as i32;
        if ahead > samples(TARGET_MAX) {
            self.skip_to(play.wrapping_add(ahead as u32)); // After a stall of ours.
        } else if ahead >= samples(480) || ahead >= samples(240) && self.faint {
            // Heard by the decoder, whose state follows the stream, and by nobody else.
            self.fill();
            self.pop(frame);
        } else if ahead <= -samples(320) || ahead <= -samples(120) && self.faint {
            return self.hold(frame);
        }
        let sounds = self.fill();
        self.pop(frame);
        self.faint = frame.iter().all(|sample| sample.unsigned_abs() <= FAINT_LINEAR);
        sounds
    }

    /// The delay aimed at, in samples at 8 kHz.
    pub fn target(&self) -> u32 {
        self.delay.target() / self.delay.scaled(1)
    }

    /// Packets that came too late, and too early, to be heard.
    pub fn misses(&self) -> (u64, u64) {
        (self.late, self.early)
    }

    fn rests(&self) -> bool {
        self.rest_at.is_some_and(|rest| later(self.next.wrapping_add(FRAME), rest) > 0)
    }

    /// Sound comes later than it did: a frame more than was sent.
    fn hold(&mut self, frame: &mut WideFrame) -> bool {
        if self.rests() {
            return false;
        }
        self.decoder.make_up(frame);
        true
    }

    /// At least a frame is made ready. `false`: it is nothing but a pause.
    fn fill(&mut self) -> bool {
        let mut sounds = self.ready > 0;
        while self.ready < WIDE_SAMPLES {
            sounds |= self.fill_some();
        }
        sounds
    }

    /// The next packet's sound, or some in place of what is lost. Whether it is sound at all.
    fn fill_some(&mut self) -> bool {
        let held = self.slots.iter().enumerate().filter(|(_, slot)| slot.length > 0);
        let next = held.map(|(place, slot)| (later(slot.timestamp, self.next), place)).min();
        match next {
            Some((gap, place)) if gap < 0 => {
                self.slots[place].length = 0;
                self.late += 1;
                false
            }
            Some((gap, place)) if (gap as u32) < STEP as u32 * UNITS => {
                self.decode(place);
                true
            }
            _ if self.rests() => {
                let gap = next.map_or(u32::MAX, |(gap, _)| gap as u32 / UNITS);
                self.add(gap.min((WIDE_SAMPLES - self.ready) as u32) as usize, |_, made| made.fill(0));
                false
            }
            Some((gap, place)) => {
                let (gap, slot) = (gap as u32, self.slots[place]);
                match slot.units >= gap {
                    true => self.add(steps(gap), |decoder, made| {
                        decoder.recover(&slot.bytes[..usize::from(slot.length)], made);
                    }),
                    false => self.add(steps((gap - slot.units).min(LOST_MAX)), Decoder::make_up),
                }
                true
            }
            None => {
                self.add(steps((WIDE_SAMPLES - self.ready) as u32 * UNITS), Decoder::make_up);
                true
            }
        }
    }

    fn decode(&mut self, place: usize) {
        let slot = &mut self.slots[place];
        let room = &mut self.sound[self.ready..];
        let count = self.decoder.decode(&slot.bytes[..usize::from(slot.length)], room);
        // What cannot be decoded takes its time all the same.
        let length = (slot.units / UNITS) as usize;
        room[count.min(length)..length].fill(0);
        slot.length = 0;
        self.ready += length;
        self.next = slot.end();
        self.rest_at = self.rest_at.filter(|rest| later(self.next, *rest) <= 0);
    }

    fn add(&mut self, count: usize, make: impl FnOnce(&mut Decoder, &mut [i16])) {
        make(&mut self.decoder, &mut self.sound[self.ready..][..count]);
        self.ready += count;
        self.next = self.next.wrapping_add(count as u32 * UNITS);
    }

    fn pop(&mut self, frame: &mut WideFrame) {
        frame.copy_from_slice(&self.sound[..WIDE_SAMPLES]);
        self.sound.copy_within(WIDE_SAMPLES..self.ready, 0);
        self.ready -= WIDE_SAMPLES;
    }

    fn skip_to(&mut self, timestamp: u32) {
        self.ready = 0;
        self.next = timestamp;
        for slot in self.slots.iter_mut().filter(|slot| slot.length > 0) {
            if later(slot.timestamp, timestamp) < 0 {
                slot.length = 0;
            }
        }
    }
}

/// So many units in samples, as the decoder makes sound up: in steps, at least one.
fn steps(units: u32) -> usize {
    ((units / UNITS) as usize / STEP).max(1) * STEP
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::media::codec::opus::Encoder;

    fn ms(at: u64) -> Instant {
        Instant::from_millis(1_000 + at)
    }

    /// Packets of 20 ms of something like a voice, syllables whose pitch glides, and its sound.
    fn packets(count: usize) -> (Vec<Vec<u8>>, Vec<i16>) {
        let mut encoder = Encoder::new().unwrap();
        let mut phase = 0.0_f64;
        let buzz: Vec<i16> = (0..count * WIDE_SAMPLES)
            .map(|n| {
                let at = n as f64 / 16_000.0 * std::f64::consts::TAU;
                phase += (130.0 + 40.0 * (at * 1.3).sin()) / 16_000.0 * std::f64::consts::TAU;
                let loud = (at * 1.5).sin().powi(2);
                let buzz: f64 = (1..20).map(|k| (phase * f64::from(k)).sin() / f64::from(k)).sum();
                (loud * 6_000.0 * buzz) as i16
            })
            .collect();
        let packets = buzz.chunks_exact(WIDE_SAMPLES).map(|frame| {
            let mut payload = vec![0; PACKET_BYTES_MAX];
            let length = encoder.encode(frame, &mut payload);
            payload.truncate(length);
            payload
        });
        (packets.collect(), buzz)
    }

    /// What is heard if packet n comes at `arrival(n)` ms; `None`: never.
    fn run(packets: &[Vec<u8>], arrival: impl Fn(usize) -> Option<u64>) -> (Slots, Vec<i16>, Vec<bool>) {
        let mut slots = Slots::new().unwrap();
        let (mut heard, mut sounds) = (vec![], vec![]);
        for tick in 0..packets.len() as u64 + 5 {
            for (n, packet) in packets.iter().enumerate() {
                if arrival(n).is_some_and(|at| at <= tick * 20 && at + 20 > tick * 20) {
                    let timestamp = (n as u32).wrapping_sub(7).wrapping_mul(960);
                    assert!(slots.put(timestamp, packet, ms(tick * 20)));
                }
            }
            let mut frame = [0; WIDE_SAMPLES];
            let sound = slots.take(&mut frame, ms(tick * 20));
            sounds.push(sound);
            if sound {
                heard.extend(frame);
            }
        }
        (slots, heard, sounds)
    }

    fn energy(sound: &[i16]) -> f64 {
        sound.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / sound.len() as f64
    }

    #[test]
    fn an_even_stream_comes_out_whole_across_the_wrap() {
        let (packets, buzz) = packets(60);
        let (slots, heard, _) = run(&packets, |n| Some(n as u64 * 20));
        assert!(heard.len() >= 58 * WIDE_SAMPLES, "{}", heard.len() / WIDE_SAMPLES);
        assert_eq!(slots.misses(), (0, 0));
        let part = 10 * WIDE_SAMPLES..40 * WIDE_SAMPLES;
        let ratio = energy(&heard[part.clone()]) / energy(&buzz[part]);
        assert!((0.7..1.4).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_lost_packet_is_taken_from_the_copy_in_the_next_where_that_is_there() {
        let (packets, _) = packets(120);
        // Each fourth packet comes 50 ms late: the delay grows, and after a loss the next packet is there.
        let arrival = |n: usize| n as u64 * 20 + if n.is_multiple_of(4) { 50 } else { 0 };
        let (_, whole, _) = run(&packets, |n| Some(arrival(n)));
        let lost = 90;
        let (slots, heard, _) = run(&packets, |n| (n != lost).then(|| arrival(n)));
        assert!(slots.target() >= 400, "{}", slots.target());
        assert_eq!(heard.len(), whole.len());
        let at = whole.iter().zip(&heard).position(|(a, b)| a != b).expect("one is lost");
        let (got, wanted) = (&heard[at..at + WIDE_SAMPLES], &whole[at..at + WIDE_SAMPLES]);
        let wrong: Vec<i16> = got.iter().zip(wanted).map(|(a, b)| a.saturating_sub(*b)).collect();
        let close = 10.0 * (energy(wanted) / energy(&wrong)).log10();
        println!("lost at {at}, {close} dB");
        assert!(close > 3.0, "the copy is {close} dB from what was lost");
        let level = 10.0 * (energy(got) / energy(wanted)).log10();
        assert!(level.abs() < 2.0, "{level} dB");
    }

    #[test]
    fn an_announced_pause_is_quiet_and_sound_comes_back() {
        let (packets, _) = packets(60);
        let mut slots = Slots::new().unwrap();
        let mut seen = vec![];
        for tick in 0..60_u64 {
            match tick {
                0..20 | 40.. => {
                    slots.put(tick as u32 * 960, &packets[tick as usize], ms(tick * 20));
                }
                20 => slots.rest(20 * 960),
                _ => {}
            }
            seen.push(slots.take(&mut [0; WIDE_SAMPLES], ms(tick * 20)));
        }
        assert!(seen[22..40].iter().all(|sounds| !sounds), "{seen:?}");
        assert!(seen[2..20].iter().chain(&seen[42..]).all(|sounds| *sounds), "{seen:?}");
    }

    #[test]
    fn memory_is_bounded_and_nothing_breaks_whatever_comes() {
        let seed = 9;
        println!("seed {seed}");
        let mut dice = Dice::seeded(seed);
        let (packets, _) = packets(8);
        let mut slots = Slots::new().unwrap();
        for step in 0..6_000_u64 {
            let mut packet = packets[dice.below(8) as usize].clone();
            if dice.below(3) == 0 {
                packet.truncate(1 + dice.below(40) as usize);
                packet[0] = dice.next_u32() as u8;
            }
            let timestamp = match dice.below(4) {
                0 => dice.next_u32(),
                _ => (step * 240 + dice.below(30_000)) as u32,
            };
            if dice.below(50) == 0 {
                slots.rest(timestamp);
            }
            slots.put(timestamp, &packet, ms(step * 5));
            if step % 3 == 0 {
                slots.take(&mut [0; WIDE_SAMPLES], ms(step * 5));
            }
        }
        let (late, early) = slots.misses();
        assert!(late > 0 && early > 0, "{late} {early}");
    }
}
