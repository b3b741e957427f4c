//! One run: calls begun as they are due, everything moved, everything counted, in one thread.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::iter::Peekable;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::calls::{Call, Line, Role, Stage, Taken, Whose, far_tone, near_tone, number_in};
use super::figures::{Figures, note};
use super::judge::{Bench, TONE_KEPT, Tone, Wanted, tone};
use super::lobby::{Guest, Lobby};
use super::plan::{FarSide, Plan, Scenario};
use super::report::Report;
use super::schedule::{Arrivals, Schedule};
use super::seconds::Seconds;
use super::server::Watch;
use super::streams::Streams;
use crate::cli::signals;
use crate::id::Dice;
use crate::io::affinity;
use crate::io::media::{ShellChoice, raise_file_limit};
use crate::io::packets::batch::{Batch, Port};
use crate::phone::stream::{Ear, Kept, Loop, Voice};
use crate::phone::{Agreed, Answers, Codec, Dial, Phone, PhoneConfig, PhoneEvent, Side};
use crate::time::{Agenda, Instant, Timestamp};

/// Calls begun before others have their turn.
const STARTS: usize = 16;
/// Hang-ups carried out before others have their turn.
const DEEDS: usize = 32;
/// Telephones of the far side that wait for a call.
const SPARE: usize = 64;
/// When no more calls begin, those under way may live on for so long.
const LIVE_ON: Duration = Duration::from_secs(2);
/// Then they are ended at this pace: a wave of BYEs is no part of the load.
const ENDED_PER_SECOND: u32 = 200;
/// Beyond the patience of callers, the last answers are waited for so long.
const LINGER: Duration = Duration::from_secs(34);
/// How long the seats' registrations may take.
const REGISTER_MAX: Duration = Duration::from_secs(10);
/// And their ends.
const UNREGISTER_MAX: Duration = Duration::from_secs(3);
/// A prompt is kept for so much longer than it is: it may begin late. Samples.
const PROMPT_SLACK: usize = 3 * 8_000;
/// Calls whose first leg is over and whose second is not.
const HALVES_MAX: usize = 65_536;
/// Kept where any sound will do, samples.
const ANY_KEPT: usize = 2 * 8_000;

/// How far the run has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Calls begin.
    Beginning,
    /// No more begin; those under way end.
    Ending { by: Instant },
}

/// Why no more calls begin.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Why {
    /// The time is over.
    Over,
    /// All of `--calls` were begun: they live their time out.
    Enough,
    /// By a signal.
    Stopped,
}

/// See the module's own words.
pub struct Floor {
    pub(super) plan: Plan,
    pub(super) lobby: Lobby,
    pub(super) streams: Streams,
    pub(super) figures: Figures,
    /// Until the run is over.
    bench: Option<Bench>,
    schedule: Peekable<Schedule>,
    phase: Phase,
    pub(super) began: Instant,
    pub(super) began_wall: Timestamp,
    pub(super) measured_from: Instant,
    /// When no more calls began.
    pub(super) ended: Instant,
    ends: Instant,
    /// Until when calls may live on after that.
    live_on: Instant,
    pub(super) stopped_early: bool,
    lines: Vec<Line>,
    near: (usize, SocketAddr),
    far: Option<(usize, SocketAddr)>,
    ip: IpAddr,
    idle: VecDeque<Guest>,
    callers: usize,
    fars: usize,
    pub(super) up: u64,
    /// Callers under way by their number.
    by_number: HashMap<String, Guest>,
    /// When a call's patience or time is over.
    deeds: Agenda<Guest>,
    /// What the first to end of the two legs of a call heard.
    halves: HashMap<u64, Option<bool>>,
    tones: HashMap<(bool, Tone), Loop>,
    /// All calls without sound say that it goes here.
    mute: Option<SocketAddr>,
    next: u64,
    sample: Dice,
    dice: Dice,
    seconds: Seconds,
}

impl Floor {
    /// Opens everything, and registers the seats.
    pub fn open(plan: Plan, arrivals: Arrivals, quiet: bool) -> io::Result<Floor> {
        let _ = raise_file_limit(); // What is then too much says so itself.
        affinity::wake_sharply();
        let mut dice = Dice::seeded(plan.seed);
        // What the seed decides is drawn first; what names calls must differ from run to run.
        let schedule = Schedule::new(plan.stretches.clone(), arrivals, dice.split());
        let sample = dice.split();
        let mut key = [0; 32];
        rand::RngCore::fill_bytes(&mut rand::rng(), &mut key);
        let mut lobby = Lobby::new()?;
        signals::ring_on_stop(lobby.bell()?)?;
        let mut target = plan.target;
        let ip = way_to(if target.port() == 0 { SocketAddr::new(target.ip(), 5060) } else { target })?;
        let near = lobby.open_door(SocketAddr::new(ip, 0))?;
        let far = match &plan.far {
            FarSide::None => None,
            FarSide::Seats(_) => Some(lobby.open_door(SocketAddr::new(ip, 0))?),
            FarSide::Trunk(at) => {
                let (door, bound) = lobby.open_door(*at)?;
                let ip = if bound.ip().is_unspecified() { ip } else { bound.ip() };
                Some((door, SocketAddr::new(ip, bound.port())))
            }
        };
        if let (true, Some((_, at))) = (target.port() == 0, far) {
            target = at; // The self-test.
        }
        let plan = Plan { target, ..plan };
        let watch = plan.watched.clone().map(Watch::open).transpose()?;
        let batch = Batch::new(ip, plan.rtp_ports, ShellChoice::Auto)?;
        let mut streams = Streams::new(batch, lobby.clock());
        let mute = if plan.with_sound() { None } else { Some(streams.open()?.1) };
        let bench = Some(Bench::open()?);
        let now = lobby.now();
        let lasts = schedule.lasts();
        let mut floor = Floor {
            lobby,
            streams,
            figures: Figures::default(),
            bench,
            schedule: schedule.peekable(),
            phase: Phase::Beginning,
            began: now.mono,
            began_wall: now.wall,
            measured_from: now.mono,
            ended: now.mono,
            ends: now.mono + lasts,
            live_on: now.mono,
            stopped_early: false,
            lines: Vec::new(),
            near,
            far,
            ip,
            idle: VecDeque::new(),
            callers: 0,
            fars: 0,
            up: 0,
            by_number: HashMap::new(),
            deeds: Agenda::default(),
            halves: HashMap::new(),
            tones: HashMap::new(),
            mute,
            next: 0,
            sample,
            dice: Dice::keyed(key),
            seconds: Seconds::new(watch, quiet),
            plan,
        };
        floor.staff()?;
        let now = floor.lobby.now();
        (floor.began, floor.began_wall) = (now.mono, now.wall);
        floor.measured_from = now.mono + floor.plan.warm_up;
        floor.ends = now.mono + lasts;
        Ok(floor)
    }

    /// The far side takes its places.
    fn staff(&mut self) -> io::Result<()> {
        let FarSide::Seats(seats) = self.plan.far.clone() else { return self.open_spare() };
        let guests: Vec<Guest> = seats
            .iter()
            .map(|(seat, password)| {
                let guest = self.add_far(Some((seat, password)))?;
                self.lobby.name(guest, seat);
                self.lobby.order(guest, Phone::register);
                Ok(guest)
            })
            .collect::<io::Result<_>>()?;
        let bound = self.lobby.now().mono + REGISTER_MAX;
        let mut waiting = guests.len();
        while waiting > 0 {
            self.lobby.turn(bound)?;
            while let Some((_, event, _)) = self.lobby.poll_event() {
                match event {
                    PhoneEvent::Registered { .. } => waiting -= 1,
                    PhoneEvent::RegisterFailed { status } => {
                        let status = status.map_or_else(|| "–".to_owned(), |status| status.to_string());
                        return Err(io::Error::other(format!(
                            "座席登录失败 / a seat's registration failed: {status}"
                        )));
                    }
                    _ => {}
                }
            }
            if self.lobby.now().mono >= bound {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "座席没有都登录上 / not all seats were registered",
                ));
            }
        }
        Ok(())
    }

    fn open_spare(&mut self) -> io::Result<()> {
        if !matches!(self.plan.far, FarSide::Trunk(_)) {
            return Ok(());
        }
        while self.lobby.open() < SPARE && self.fars < self.plan.calls_max {
            let guest = self.add_far(None)?;
            self.lobby.take_any(guest);
        }
        Ok(())
    }

    fn config(&mut self, user: &str, sip: SocketAddr) -> io::Result<(PhoneConfig, Option<Port>)> {
        let (port, rtp) = match self.mute {
            Some(rtp) => (None, rtp),
            None => {
                let (port, rtp) = self.streams.open().map_err(|error| {
                    let (first, last) = self.plan.rtp_ports;
                    let text = format!("RTP 端口 / RTP ports {first}-{last}: {error}");
                    io::Error::new(error.kind(), text)
                })?;
                (Some(port), rtp)
            }
        };
        let mut config = PhoneConfig::new(user, sip, rtp, self.plan.target);
        config.sound_elsewhere = true;
        config.codecs = vec![self.plan.codec];
        if let Some(domain) = &self.plan.domain {
            config.domain.clone_from(domain);
        }
        Ok((config, port))
    }

    fn add_far(&mut self, seat: Option<(&str, &str)>) -> io::Result<Guest> {
        let Some((door, at)) = self.far else { return Err(io::ErrorKind::NotConnected.into()) };
        let (mut config, port) = self.config(seat.map_or("far", |(seat, _)| seat), at)?;
        config.answers = Answers::After(self.plan.answer_after);
        config.password = seat.map(|(_, password)| password.to_owned());
        self.fars += 1;
        let role = Role::Far { seat: seat.is_some(), taken: None };
        Ok(self.add(config, door, Line { port, role }))
    }

    fn add_caller(&mut self) -> io::Result<Guest> {
        let (door, at) = self.near;
        let account = self.plan.user.clone();
        let user = account.as_ref().map_or_else(|| self.plan.caller(0), |(user, _)| user.clone());
        let (mut config, port) = self.config(&user, at)?;
        config.password = account.map(|(_, password)| password);
        config.answers = Answers::Busy;
        self.callers += 1;
        Ok(self.add(config, door, Line { port, role: Role::Caller(None) }))
    }

    fn add(&mut self, config: PhoneConfig, door: usize, line: Line) -> Guest {
        let guest = self.lobby.add(config, door, self.dice.split());
        self.lines.push(line);
        guest
    }

    /// Runs to the end, or until it is stopped; then what was found.
    pub fn run(mut self) -> io::Result<Report> {
        let mut counting = self.plan.warm_up.is_zero();
        loop {
            let now = self.lobby.now().mono;
            let sum_due = self.seconds.due(self.began);
            if now >= sum_due {
                self.close_second();
            }
            if !counting && now >= self.measured_from {
                counting = true;
                self.streams.count_anew();
                self.figures.count_anew();
                self.seconds.count_anew();
            }
            self.begin_due(now)?;
            self.carry_out_due(now);
            self.streams.take_turn()?;
            self.heed_events()?;
            match self.phase {
                Phase::Beginning if self.schedule.peek().is_none() && now >= self.ends => {
                    self.end(now, Why::Over)
                }
                Phase::Ending { by } if self.up == 0 || now >= by => break,
                _ => {}
            }
            let due = self.next_due(sum_due);
            if self.lobby.turn(due)? {
                if std::mem::replace(&mut self.stopped_early, true) {
                    break; // Asked twice: what is up stays up.
                }
                let now = self.lobby.now().mono;
                self.end(now, Why::Stopped);
            }
        }
        self.ended = self.ended.min(self.lobby.now().mono);
        self.leave()?;
        self.close_second();
        let sound = self.bench.take().map(Bench::close).unwrap_or_default();
        let seconds = std::mem::replace(&mut self.seconds, Seconds::new(None, true));
        Ok(super::summary::summary(self, sound, seconds))
    }

    fn next_due(&mut self, second: Instant) -> Instant {
        let call = match self.phase {
            Phase::Beginning => Some(self.schedule.peek().map_or(self.ends, |due| self.began + *due)),
            Phase::Ending { by } => Some(by),
        };
        let deed = self.deeds.next();
        [call, deed, self.streams.due()].into_iter().flatten().fold(second, Instant::min)
    }

    fn begin_due(&mut self, now: Instant) -> io::Result<()> {
        if self.phase != Phase::Beginning {
            return Ok(());
        }
        for _ in 0..STARTS {
            let Some(due) = self.schedule.peek().map(|due| self.began + *due) else { break };
            if due > now {
                break;
            }
            if self.plan.calls.is_some_and(|calls| self.next >= calls) {
                self.end(now, Why::Enough);
                break;
            }
            self.schedule.next();
            let measured = due >= self.measured_from;
            let guest = match self.idle.pop_front() {
                Some(guest) => guest,
                None if self.callers < self.plan.calls_max => self.add_caller()?,
                None => {
                    self.figures.calls.not_started += u64::from(measured);
                    continue;
                }
            };
            self.begin(guest, due, measured)?;
        }
        Ok(())
    }

    fn begin(&mut self, guest: Guest, due: Instant, measured: bool) -> io::Result<()> {
        let index = self.next;
        self.next += 1;
        let number = self.plan.caller(index);
        // Drawn for every call, so that the seed decides alike whatever else happens.
        let lot = (self.sample.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let dial = Dial {
            from_user: Some(number.clone()),
            headers: self.plan.headers.clone(),
            ..Dial::to(&self.plan.number(index))
        };
        self.by_number.insert(number.clone(), guest);
        self.lines[guest].role = Role::Caller(Some(Call {
            index,
            due,
            stage: Stage::Calling,
            progressed: false,
            rang: false,
            measured,
            sampled: self.plan.with_sound() && lot < self.plan.sample,
            number,
            paired: false,
        }));
        self.up += 1;
        self.figures.calls.peak = self.figures.calls.peak.max(self.up);
        self.figures.now.attempted += 1;
        self.deeds.set(&guest, Some(due + self.plan.patience));
        let begun = self.lobby.now().mono;
        if measured {
            self.figures.calls.attempted += 1;
            note(&mut self.figures.start_late, begun.since(due));
        }
        let dialled = self.lobby.order(guest, |phone, now| phone.dial(dial, now));
        dialled.map_err(|error| io::Error::other(format!("不能呼叫 / cannot call: {error}")))
    }

    /// No more calls begin.
    fn end(&mut self, now: Instant, why: Why) {
        self.ended = match (self.phase, why) {
            (_, Why::Enough) => self.ends.max(now + self.plan.patience + self.plan.hold),
            (Phase::Beginning, _) => now.min(self.ends),
            (Phase::Ending { .. }, _) => self.ended,
        };
        let at_once = why == Why::Stopped;
        let live_on = match why {
            Why::Stopped => Duration::ZERO,
            Why::Over => LIVE_ON,
            Why::Enough => self.plan.patience + self.plan.hold,
        };
        self.live_on = now + live_on;
        self.phase = Phase::Ending { by: self.live_on + self.plan.patience + LINGER };
        let mut last = self.live_on;
        for guest in 0..self.lines.len() {
            let Role::Caller(Some(call)) = &self.lines[guest].role else { continue };
            let stays = match call.stage {
                Stage::Talking => call.due + self.plan.hold <= last && !at_once,
                Stage::Calling => !at_once,
                Stage::Ending { .. } => true,
            };
            if !stays {
                last += Duration::from_secs(1) / ENDED_PER_SECOND;
                self.deeds.set(&guest, Some(last));
            }
        }
    }

    /// Patience or time is over.
    fn carry_out_due(&mut self, now: Instant) {
        for _ in 0..DEEDS {
            let due = self.deeds.next().unwrap_or(now);
            let Some(guest) = self.deeds.take_due(now) else { break };
            let Role::Caller(Some(call)) = &mut self.lines[guest].role else { continue };
            match call.stage {
                Stage::Calling => {
                    // The telephone is busy until its CANCEL, or the silence, has come to an end.
                    self.failed(guest, "not answered in time");
                }
                Stage::Talking => call.stage = Stage::Ending { due },
                Stage::Ending { .. } => continue,
            }
            self.lobby.order(guest, Phone::hang_up);
        }
    }

    fn heed_events(&mut self) -> io::Result<()> {
        while let Some((guest, event, at)) = self.lobby.poll_event() {
            match self.lines[guest].role {
                Role::Caller(_) => self.heed_caller(guest, event, at)?,
                Role::Far { .. } => self.heed_far(guest, event, at)?,
            }
        }
        Ok(())
    }

    fn heed_caller(&mut self, guest: Guest, event: PhoneEvent, at: Instant) -> io::Result<()> {
        let Floor { lines, figures, deeds, plan, .. } = self;
        let Role::Caller(Some(call)) = &mut lines[guest].role else {
            // A call that was given up, to its very end.
            if matches!(event, PhoneEvent::Ended { .. } | PhoneEvent::Refused { .. }) {
                self.idle.push_back(guest);
            }
            return Ok(());
        };
        let since = at.since(call.due);
        match event {
            PhoneEvent::Ringing { status: 101.., .. } | PhoneEvent::Answered => {
                let answered = event == PhoneEvent::Answered;
                let rings = matches!(event, PhoneEvent::Ringing { status: 180, .. });
                if !std::mem::replace(&mut call.progressed, true) {
                    note(&mut figures.now.post_dial, since);
                    if call.measured {
                        note(&mut figures.post_dial, since);
                    }
                }
                if rings && !std::mem::replace(&mut call.rang, true) && call.measured {
                    note(&mut figures.ringing, since);
                }
                if answered {
                    figures.now.answered += 1;
                    figures.answered_ever += 1;
                    note(&mut figures.now.setup, since);
                    if call.measured {
                        figures.calls.answered += 1;
                        note(&mut figures.setup, since);
                    }
                    call.stage = Stage::Talking;
                    let holds = at + plan.hold;
                    deeds.set(&guest, Some(holds));
                    self.answered(guest, holds);
                }
            }
            PhoneEvent::SoundAgreed(agreed) => self.agree(guest, agreed, at),
            PhoneEvent::Refused { status, .. } => {
                self.failed(guest, &status.to_string());
                self.idle.push_back(guest);
            }
            PhoneEvent::HangUpAnswered { status } => {
                if let (Stage::Ending { due }, true) = (call.stage, call.measured) {
                    match status {
                        Some(200..=299) => note(&mut figures.bye, at.since(due)),
                        _ => figures.calls.bye_failed += 1,
                    }
                }
                self.finish(guest)?;
            }
            PhoneEvent::Ended { by, status } => self.caller_ended(guest, by, status)?,
            _ => {}
        }
        Ok(())
    }

    /// Whoever is in a meeting leaves with the last who came, so that all hear all to the end. When no
    /// more calls begin, a late answer does not make the run longer.
    fn answered(&mut self, guest: Guest, holds: Instant) {
        if let Phase::Ending { .. } = self.phase {
            let last = self.live_on.max(self.lobby.now().mono + LIVE_ON);
            self.deeds.set(&guest, Some(holds.min(last)));
        }
        if self.plan.scenario != Scenario::Meeting {
            return;
        }
        let Role::Caller(Some(call)) = &self.lines[guest].role else { return };
        let room = call.index / self.plan.per_room;
        for index in room * self.plan.per_room..call.index {
            if let Some(other) = self.by_number.get(&self.plan.caller(index))
                && let Role::Caller(Some(Call { stage: Stage::Talking, .. })) = &self.lines[*other].role
            {
                let other = *other;
                let holds = self.deeds.due(&guest).unwrap_or(holds);
                self.deeds.set(&other, Some(holds));
            }
        }
    }

    fn caller_ended(&mut self, guest: Guest, by: Side, status: Option<u16>) -> io::Result<()> {
        let Role::Caller(Some(call)) = &self.lines[guest].role else { return Ok(()) };
        match (call.stage, by) {
            (Stage::Calling, _) => {
                let cause = match (by, status) {
                    (Side::Timeout, _) => "no answer to INVITE".to_owned(),
                    (_, Some(status)) => status.to_string(),
                    (_, None) => "ended early".to_owned(),
                };
                self.failed(guest, &cause);
                self.idle.push_back(guest);
            }
            // Until the BYE is answered.
            (Stage::Ending { .. }, Side::Us) => self.end_leg(guest)?,
            (Stage::Ending { .. }, _) => self.finish(guest)?,
            (Stage::Talking, Side::Us) => {
                // By its own manners: no codec in common, or our 200 never acknowledged.
                self.failed(guest, "no common codec");
                self.idle.push_back(guest);
            }
            (Stage::Talking, _) => {
                self.figures.calls.cut_off += u64::from(call.measured);
                self.finish(guest)?;
            }
        }
        Ok(())
    }

    fn failed(&mut self, guest: Guest, cause: &str) {
        self.figures.now.failed += 1;
        if let Role::Caller(Some(call)) = &self.lines[guest].role
            && call.measured
        {
            self.figures.failed(cause);
        }
        self.free(guest);
    }

    /// The call is over, however it went.
    fn finish(&mut self, guest: Guest) -> io::Result<()> {
        self.end_leg(guest)?;
        self.free(guest);
        self.idle.push_back(guest);
        Ok(())
    }

    fn free(&mut self, guest: Guest) {
        let Role::Caller(slot) = &mut self.lines[guest].role else { return };
        let Some(call) = slot.take() else { return };
        if self.by_number.get(&call.number) == Some(&guest) {
            self.by_number.remove(&call.number);
        }
        self.deeds.set(&guest, None);
        self.up -= 1;
    }

    fn heed_far(&mut self, guest: Guest, event: PhoneEvent, at: Instant) -> io::Result<()> {
        match event {
            PhoneEvent::IncomingCall { from, .. } => {
                let number = number_in(&from, self.plan.from_digits);
                let mut of = None;
                if let Some(caller) = self.by_number.get(&number).copied()
                    && let Role::Caller(Some(call)) = &mut self.lines[caller].role
                {
                    call.paired = true;
                    of = Some(Whose { index: call.index, sampled: call.sampled });
                }
                if let Role::Far { taken, .. } = &mut self.lines[guest].role {
                    *taken = Some(Taken { of });
                }
                self.open_spare()?;
            }
            PhoneEvent::Answered => {
                self.figures.calls.far_answered += u64::from(at >= self.measured_from);
            }
            PhoneEvent::SoundAgreed(agreed) => self.agree(guest, agreed, at),
            PhoneEvent::Ended { .. } => {
                self.end_leg(guest)?;
                if let Role::Far { seat, taken } = &mut self.lines[guest].role {
                    *taken = None;
                    if !*seat {
                        self.lobby.take_any(guest);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Sound begins, or goes on otherwise.
    fn agree(&mut self, guest: Guest, agreed: Agreed, at: Instant) {
        let Some(port) = self.lines[guest].port else { return };
        let (payload_type, codec) = agreed.codec;
        let (said, sampled) = match &self.lines[guest].role {
            Role::Caller(Some(call)) => (near_tone(call.index), call.sampled && call.measured),
            Role::Far { taken: Some(Taken { of: Some(whose) }), .. } => {
                (far_tone(whose.index), whose.sampled && at >= self.measured_from)
            }
            Role::Far { .. } => (2 * guest + 1, false),
            Role::Caller(None) => return,
        };
        if let Some((_, ear)) = self.streams.leg(port) {
            ear.agree_anew(payload_type, agreed.rtp);
        }
        let sound = self.tone(said, codec);
        let caller = matches!(self.lines[guest].role, Role::Caller(_));
        let kept = sampled.then(|| match (self.plan.scenario, &self.plan.prompt) {
            (Scenario::Prompt, Some(prompt)) => Kept::first(prompt.len() + PROMPT_SLACK, codec),
            (Scenario::Prompt, None) if caller => Kept::first(ANY_KEPT, codec),
            _ => Kept::last(TONE_KEPT, codec),
        });
        let dice = &mut self.dice;
        self.streams.begin(port, agreed.rtp, agreed.open, at, || {
            (Voice::new(payload_type, sound, dice), Ear::new(payload_type, agreed.rtp, kept))
        });
    }

    fn tone(&mut self, number: Tone, codec: Codec) -> Loop {
        let key = (codec == Codec::Pcmu, number % super::judge::TONES);
        self.tones.entry(key).or_insert_with(|| Loop::new(&tone(number), codec)).clone()
    }

    /// The sound of a leg is over: counted, and judged where it was kept.
    fn end_leg(&mut self, guest: Guest) -> io::Result<()> {
        let Some(port) = self.lines[guest].port else { return Ok(()) };
        let Some(ended) = self.streams.end(port, self.lobby.now().mono)? else { return Ok(()) };
        let heard = self.figures.leg_ended(&ended);
        let pair = match &self.lines[guest].role {
            Role::Caller(Some(call)) => {
                let missed = self.far.is_some() && !call.paired;
                self.figures.calls.unpaired += u64::from(missed && call.measured);
                call.paired.then_some(call.index)
            }
            Role::Far { taken: Some(Taken { of: Some(whose) }), .. } => Some(whose.index),
            _ => None,
        };
        match pair {
            None => self.figures.rtp.one_way += u64::from(heard == Some(false)),
            Some(index) => match self.halves.remove(&index) {
                None if self.halves.len() < HALVES_MAX => drop(self.halves.insert(index, heard)),
                None => {} // Whether it went one way only is not told then.
                Some(other) => {
                    let differ = matches!((heard, other), (Some(here), Some(there)) if here != there);
                    self.figures.rtp.one_way += u64::from(differ);
                }
            },
        }
        if let Some(kept) = ended.kept {
            let wanted = self.wanted(guest);
            if let Some(bench) = &mut self.bench {
                bench.submit(wanted, kept);
            }
        }
        Ok(())
    }

    /// What this leg should have heard at its end.
    fn wanted(&self, guest: Guest) -> Wanted {
        match &self.lines[guest].role {
            Role::Far { taken: Some(Taken { of: Some(whose) }), .. } => {
                Wanted::Tones(vec![near_tone(whose.index)])
            }
            Role::Caller(Some(call)) => match (self.plan.scenario, &self.plan.prompt) {
                (Scenario::Signalling, _) => Wanted::Unknown,
                (Scenario::Prompt, Some(prompt)) => Wanted::Prompt(prompt.clone()),
                (Scenario::Prompt, None) => Wanted::Sound,
                (Scenario::Meeting, _) => Wanted::Tones(self.others(call.index)),
                _ if self.far.is_none() => Wanted::Tones(vec![near_tone(call.index)]), // An echo.
                _ if call.paired => Wanted::Tones(vec![far_tone(call.index)]),
                _ => Wanted::Unknown,
            },
            _ => Wanted::Unknown,
        }
    }

    /// The tones of those who are in the same meeting.
    fn others(&self, index: u64) -> Vec<Tone> {
        let first = index - index % self.plan.per_room;
        let there = |other: &u64| {
            let guest = self.by_number.get(&self.plan.caller(*other));
            let role = guest.map(|guest| &self.lines[*guest].role);
            // Who ends in this very moment was there until now.
            matches!(
                role,
                Some(Role::Caller(Some(Call { stage: Stage::Talking | Stage::Ending { .. }, .. })))
            )
        };
        (first..first + self.plan.per_room)
            .filter(|other| *other != index && there(other))
            .map(near_tone)
            .collect()
    }

    fn close_second(&mut self) {
        let warm_up = self.seconds.due(self.began) <= self.measured_from;
        let sum = self.streams.sum();
        let gaps = &mut self.streams.gaps_now;
        self.seconds.close(&mut self.figures, &sum, gaps, self.up, warm_up);
    }

    /// Legs that are still up are counted, and seats leave.
    fn leave(&mut self) -> io::Result<()> {
        for guest in 0..self.lines.len() {
            self.end_leg(guest)?;
        }
        if !matches!(self.plan.far, FarSide::Seats(_)) {
            return Ok(());
        }
        let mut waiting = 0;
        for guest in 0..self.lines.len() {
            if matches!(self.lines[guest].role, Role::Far { seat: true, .. }) {
                self.lobby.order(guest, Phone::unregister);
                waiting += 1;
            }
        }
        let bound = self.lobby.now().mono + UNREGISTER_MAX;
        while waiting > 0 && self.lobby.now().mono < bound {
            self.lobby.turn(bound)?;
            while let Some((_, event, _)) = self.lobby.poll_event() {
                waiting -= usize::from(matches!(
                    event,
                    PhoneEvent::Unregistered | PhoneEvent::RegisterFailed { .. }
                ));
            }
        }
        Ok(())
    }

    pub(super) fn ip(&self) -> IpAddr {
        self.ip
    }
}

/// The address by which this machine reaches another.
fn way_to(target: SocketAddr) -> io::Result<IpAddr> {
    let scout = UdpSocket::bind(SocketAddr::from(([0; 4], 0)))?;
    scout.connect(target)?; // Sends nothing: the kernel only picks the way.
    Ok(scout.local_addr()?.ip())
}
