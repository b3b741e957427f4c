//! One run: calls begun as they are due, everything moved, everything counted, in one thread.

mod callers;
mod clerks;
mod far;
mod hearing;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::iter::Peekable;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::calls::{Line, Role, Stage};
use super::figures::Figures;
use super::judge::{Bench, Tone};
use super::line::InLine;
use super::lobby::{Guest, Lobby};
use super::plan::{FarSide, Plan};
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
use crate::phone::PhoneConfig;
use crate::phone::stream::Loop;
use crate::time::{Agenda, Instant, Timestamp};

/// Calls begun before others have their turn.
const STARTS: usize = 16;
/// Hang-ups carried out before others have their turn.
const DEEDS: usize = 32;
/// When no more calls begin, those under way may live on for so long.
const LIVE_ON: Duration = Duration::from_secs(2);
/// Then they are ended at this pace: a wave of BYEs is no part of the load.
const ENDED_PER_SECOND: u32 = 200;
/// Beyond the patience of callers, the last answers are waited for so long.
const LINGER: Duration = Duration::from_secs(34);

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
    third: Option<(usize, SocketAddr)>,
    ip: IpAddr,
    idle: VecDeque<Guest>,
    callers: usize,
    /// Telephones of a trunk's far side, the third party's included.
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
    /// What kind a call is, and when its caller gives up.
    lots: Dice,
    /// Callers who wait for seats.
    pub(super) line: InLine,
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
        let lots = dice.split();
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
            FarSide::Trunk(at) => Some(open_far(&mut lobby, *at, ip)?),
        };
        let third = plan.third.map(|at| open_far(&mut lobby, at, ip)).transpose()?;
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
            third,
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
            lots,
            line: InLine::new(plan.greeting, plan.wrap_up),
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
        let verdicts = self.bench.take().map(Bench::close).unwrap_or_default();
        let seconds = std::mem::replace(&mut self.seconds, Seconds::new(None, true));
        Ok(super::summary::summary(self, verdicts, seconds))
    }

    fn next_due(&mut self, second: Instant) -> Instant {
        let call = match self.phase {
            Phase::Beginning => Some(self.schedule.peek().map_or(self.ends, |due| self.began + *due)),
            Phase::Ending { by } => Some(by),
        };
        let deed = self.deeds.next();
        [call, deed, self.streams.due()].into_iter().flatten().fold(second, Instant::min)
    }

    /// No more calls begin.
    fn end(&mut self, now: Instant, why: Why) {
        self.ended = match (self.phase, why) {
            (_, Why::Enough) => self.ends.max(now + self.plan.patience + self.plan.longest_life()),
            (Phase::Beginning, _) => now.min(self.ends),
            (Phase::Ending { .. }, _) => self.ended,
        };
        let at_once = why == Why::Stopped;
        let live_on = match why {
            Why::Stopped => Duration::ZERO,
            // Whoever waits in line is served to the end.
            Why::Over if !self.plan.mix.waits() => LIVE_ON,
            Why::Over | Why::Enough => self.plan.patience + self.plan.longest_life(),
        };
        self.live_on = now + live_on;
        self.phase = Phase::Ending { by: self.live_on + self.plan.patience + LINGER };
        let mut last = self.live_on;
        for guest in 0..self.lines.len() {
            let Role::Caller(Some(call)) = &self.lines[guest].role else { continue };
            let stays = match call.stage {
                Stage::Talking => (call.kind.waits() || call.due + call.holds <= last) && !at_once,
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
            match self.lines[guest].role {
                Role::Caller(_) => self.caller_due(guest, due),
                Role::Far { .. } => self.clerk_due(guest, due),
            }
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

    fn close_second(&mut self) {
        let warm_up = self.seconds.due(self.began) <= self.measured_from;
        let sum = self.streams.sum();
        let gaps = &mut self.streams.gaps_now;
        self.seconds.close(&mut self.figures, &sum, gaps, self.up, &mut self.line, warm_up);
    }

    pub(super) fn ip(&self) -> IpAddr {
        self.ip
    }
}

/// A door for whoever answers there, and the address that it has for others.
fn open_far(lobby: &mut Lobby, at: SocketAddr, ip: IpAddr) -> io::Result<(usize, SocketAddr)> {
    let (door, bound) = lobby.open_door(at)?;
    let ip = if bound.ip().is_unspecified() { ip } else { bound.ip() };
    Ok((door, SocketAddr::new(ip, bound.port())))
}

/// The address by which this machine reaches another.
fn way_to(target: SocketAddr) -> io::Result<IpAddr> {
    let scout = UdpSocket::bind(SocketAddr::from(([0; 4], 0)))?;
    scout.connect(target)?; // Sends nothing: the kernel only picks the way.
    Ok(scout.local_addr()?.ip())
}
