//! The sound of all legs: each sends every 20 ms by its own turn of an absolute clock, and is read
//! then; what came is timed by the kernel.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::figures::micros;
use crate::io::clock::Clock;
use crate::io::packets::batch::{Batch, Port};
use crate::io::packets::stamp::Turner;
use crate::phone::stream::{Ear, EarCount, Heard, Kept, Voice};
use crate::time::Instant;

/// Turns in 20 ms: legs are spread over them, so that packets leave evenly.
const GROUPS: usize = 20;
/// From one turn to the next.
const TURN: Duration = Duration::from_millis(1);
/// Turns made up for at most; when the tool is later, the packets of those before are left out.
const LATE_MAX: u32 = 1_000;
/// Later than this, and the other side has to cover up what is missing.
const HEARD_LATE: Duration = Duration::from_millis(30);
/// Reads at a leg's end, for what came last.
const LAST_READS: usize = 2;

struct Leg {
    to: SocketAddr,
    /// We may send.
    open: bool,
    voice: Voice,
    ear: Ear,
    group: usize,
    began: Instant,
    /// Packets sent before counting began.
    sent_before: u64,
    /// When the last of the keys that were pressed went down.
    last_key_at: Option<Instant>,
}

/// What a leg was when it ended.
pub struct Ended {
    pub count: EarCount,
    pub sent: u64,
    pub jitter: Duration,
    pub mos: Option<f64>,
    pub kept: Option<Kept>,
    pub lasted: Duration,
}

/// All legs together, at one time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    pub sent: u64,
    pub received: u64,
    pub expected: u64,
    pub lost: u64,
    pub late: u64,
    pub jitter: Duration,
    pub legs: u32,
}

/// See the module's own words.
pub struct Streams {
    batch: Batch,
    legs: Vec<Option<Leg>>,
    groups: Vec<Vec<Port>>,
    clock: Clock,
    next: Instant,
    turn: usize,
    ended: Sum,
    /// When packets were last sent so late that it is heard.
    late_at: Option<Instant>,
    pub skipped: u64,
    pub gaps: Histogram<u64>,
    /// Of the second under way.
    pub gaps_now: Histogram<u64>,
    pub first: Histogram<u64>,
    pub send_late: Histogram<u64>,
}

impl Streams {
    pub fn new(batch: Batch, clock: Clock) -> Self {
        Streams {
            batch,
            legs: Vec::new(),
            groups: vec![Vec::new(); GROUPS],
            clock,
            next: clock.mono(),
            turn: 0,
            ended: Sum::default(),
            late_at: None,
            skipped: 0,
            gaps: micros(),
            gaps_now: micros(),
            first: micros(),
            send_late: micros(),
        }
    }

    pub fn name(&self) -> &'static str {
        self.batch.name()
    }

    /// Packets that the kernel did not take.
    pub fn refused(&self) -> u64 {
        self.batch.refused()
    }

    /// Ports for one more telephone.
    pub fn open(&mut self) -> io::Result<(Port, SocketAddr)> {
        let port = self.batch.open()?;
        if self.legs.len() <= port.place() {
            self.legs.resize_with(port.place() + 1, || None);
        }
        Ok((port, self.batch.address(port)?))
    }

    /// A leg begins to speak and to listen; one that does already goes on as was agreed anew.
    pub fn begin(
        &mut self,
        port: Port,
        to: SocketAddr,
        open: bool,
        began: Instant,
        parts: impl FnOnce() -> (Voice, Ear),
    ) {
        if let Some(leg) = &mut self.legs[port.place()] {
            (leg.to, leg.open) = (to, open);
            return;
        }
        self.batch.drain(port);
        let (voice, ear) = parts();
        let group = (0..GROUPS).min_by_key(|group| self.groups[*group].len()).unwrap_or(0);
        if self.groups.iter().all(Vec::is_empty) {
            self.next = self.clock.mono(); // There were no turns to be late for.
        }
        self.groups[group].push(port);
        self.legs[port.place()] =
            Some(Leg { to, open, voice, ear, group, began, sent_before: 0, last_key_at: None });
    }

    pub fn leg(&mut self, port: Port) -> Option<(&mut Voice, &mut Ear)> {
        self.legs[port.place()].as_mut().map(|leg| (&mut leg.voice, &mut leg.ear))
    }

    /// Presses keys on a leg. `false`: its other side takes none.
    pub fn press(&mut self, port: Port, keys: &str) -> bool {
        let Some(leg) = self.legs[port.place()].as_mut() else { return false };
        leg.last_key_at = None;
        leg.voice.press(keys)
    }

    /// When the last of the keys that were pressed went down.
    pub fn last_key_at(&self, port: Port) -> Option<Instant> {
        self.legs[port.place()].as_ref()?.last_key_at
    }

    /// Whether the tool has spoilt what was heard in so long a time by its own lateness.
    pub fn were_late_within(&self, span: Duration) -> bool {
        self.late_at.is_some_and(|late| late + span >= self.clock.mono())
    }

    /// The leg is over.
    pub fn end(&mut self, port: Port, now: Instant) -> io::Result<Option<Ended>> {
        if self.legs[port.place()].is_none() {
            return Ok(None);
        }
        self.batch.flush()?;
        for _ in 0..LAST_READS {
            self.receive(&[port])?;
        }
        let Some(mut leg) = self.legs[port.place()].take() else { return Ok(None) };
        self.groups[leg.group].retain(|other| *other != port);
        let ended = Ended {
            count: leg.ear.count(),
            sent: leg.voice.sent - leg.sent_before,
            jitter: leg.ear.jitter(),
            mos: leg.ear.mos(),
            kept: leg.ear.take_kept(),
            lasted: now.since(leg.began),
        };
        self.ended.add(&ended.count, ended.sent);
        Ok(Some(ended))
    }

    /// Forgets what was counted so far: the warm-up.
    pub fn count_anew(&mut self) {
        for leg in self.legs.iter_mut().flatten() {
            leg.ear.count_anew();
            leg.sent_before = leg.voice.sent;
        }
        self.ended = Sum::default();
        self.skipped = 0;
        for histogram in [&mut self.gaps, &mut self.gaps_now, &mut self.first, &mut self.send_late] {
            histogram.reset();
        }
    }

    /// All that was counted, legs that are over included.
    pub fn sum(&self) -> Sum {
        let mut sum = self.ended;
        for leg in self.legs.iter().flatten() {
            sum.add(&leg.ear.count(), leg.voice.sent - leg.sent_before);
            sum.jitter += leg.ear.jitter();
            sum.legs += 1;
        }
        sum
    }

    /// When the next turn is due; `None` while nobody speaks.
    pub fn due(&self) -> Option<Instant> {
        self.groups.iter().any(|group| !group.is_empty()).then_some(self.next)
    }

    /// Takes the turn that is due, if one is.
    pub fn take_turn(&mut self) -> io::Result<()> {
        let now = self.clock.mono();
        if self.due().is_none_or(|due| due > now) {
            return Ok(());
        }
        let behind = (now.since(self.next).as_nanos() / TURN.as_nanos()) as u32;
        if let Some(left_out) = behind.checked_sub(LATE_MAX) {
            self.skip(left_out);
        }
        let late = now.since(self.next);
        let turn = self.turn;
        self.turn = (turn + 1) % GROUPS;
        self.next += TURN;
        let group = std::mem::take(&mut self.groups[turn]);
        let served = self.serve(&group, late);
        self.groups[turn] = group;
        served
    }

    fn skip(&mut self, turns: u32) {
        for _ in 0..turns {
            self.skipped += self.groups[self.turn].len() as u64;
            self.turn = (self.turn + 1) % GROUPS;
        }
        self.next += TURN * turns;
    }

    fn serve(&mut self, group: &[Port], late: Duration) -> io::Result<()> {
        if group.is_empty() {
            return Ok(());
        }
        let mut sent = 0;
        let now = self.clock.mono();
        for port in group {
            if let Some(leg) = self.legs[port.place()].as_mut().filter(|leg| leg.open) {
                self.batch.send(*port, leg.to, |room| leg.voice.write(room))?;
                if leg.voice.last_key_went_down() {
                    leg.last_key_at = Some(now);
                }
                sent += 1;
            }
        }
        self.batch.flush()?;
        if sent > 0 && late > HEARD_LATE {
            self.late_at = Some(now);
        }
        self.send_late.saturating_record_n(late.as_micros() as u64, sent);
        self.receive(group)
    }

    fn receive(&mut self, ports: &[Port]) -> io::Result<()> {
        let turner = Turner::now(&self.clock);
        let Streams { batch, legs, gaps, gaps_now, first, .. } = self;
        let mut hear = |port: Port, from, stamp, bytes: &[u8]| {
            let Some(Some(leg)) = legs.get_mut(port.place()) else { return };
            let at = turner.turn(stamp);
            match leg.ear.handle_packet(from, bytes, at) {
                Heard::After(gap) => {
                    let gap = gap.as_micros() as u64;
                    gaps.saturating_record(gap);
                    gaps_now.saturating_record(gap);
                }
                Heard::First => first.saturating_record(at.since(leg.began).as_micros() as u64),
                Heard::Anew | Heard::Nothing => {}
            }
        };
        batch.receive(ports, &mut hear)
    }
}

impl Sum {
    fn add(&mut self, count: &EarCount, sent: u64) {
        self.sent += sent;
        self.received += count.received;
        self.expected += count.expected;
        self.lost += count.lost;
        self.late += count.late;
    }
}
