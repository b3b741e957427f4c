//! One media thread: every five milliseconds it takes orders, receives, ticks its engine and sends.
//!
//! The schedule is absolute, so nothing drifts. A fault in a tick costs that tick.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};
use std::time::{Duration, Instant as SystemInstant};

use super::handle::{Command, Moved, Wake};
use super::sockets::{PortPair, go_real_time};
use super::{MediaFigures, Outbox, Shell, ShellChoice, epoll, open_shell};
use crate::id::LegId;
use crate::io::clock::Clock;
use crate::io::recorder::Deck;
use crate::media::engine::IDLE_ROUNDS;
use crate::media::order::{Fact, Order, PortSlot};
use crate::media::{Departed, Engine};
use crate::time::Now;

/// Between two ticks.
const PERIOD: Duration = Duration::from_millis(5);
/// Phases of the engine.
const PHASES: u64 = 4;
/// RTCP sockets are read every this many rounds of the phases: 80 ms.
const RTCP_ROUNDS: u64 = 4;
/// Ticks that are made up for when we were held up; what is older is left out.
const BEHIND_MAX: u64 = 4;
/// A fact that is not pressing waits so many ticks for whatever else wakes the control thread.
const PATIENT_TICKS: u8 = 4;
/// Orders carried out in one tick: the rest waits five milliseconds.
const ORDERS_PER_TICK: usize = 1_024;

/// What a media thread sits down with.
pub(super) struct Seat {
    pub(super) index: usize,
    pub(super) engine: Engine,
    pub(super) deck: Deck,
    pub(super) orders: Receiver<Command>,
    pub(super) facts: SyncSender<Fact>,
    /// Legs that go over to another thread; there is room for all that do at once.
    pub(super) moved: SyncSender<Moved>,
    /// Set where facts may lie unread that nobody was woken for; all threads share it.
    pub(super) unread: Arc<AtomicBool>,
    pub(super) wake: Wake,
    pub(super) starved: Arc<AtomicBool>,
    pub(super) clock: Clock,
    pub(super) figures: Arc<MediaFigures>,
}

/// Runs until the handle is gone. The shell is made here, for a ring belongs to its thread;
/// `report` hears its name or why there is none.
pub(super) fn run(
    seat: Seat,
    choice: ShellChoice,
    slots: u32,
    report: &SyncSender<io::Result<&'static str>>,
) {
    let shell = match open_shell(choice, slots, &seat.figures) {
        Ok(shell) => shell,
        Err(error) => {
            let _ = report.send(Err(error));
            return;
        }
    };
    if let Err(error) = go_real_time() {
        tracing::debug!(thread = seat.index, %error, "no real-time priority");
    }
    let _ = report.send(Ok(shell.name()));
    let mut thread = MediaThread {
        seat,
        shell,
        outbox: Outbox::default(),
        open: Vec::new(),
        due: Vec::new(),
        due_rtcp: Vec::new(),
        fact: None,
        unwoken: None,
    };
    thread.keep_time();
}

struct MediaThread {
    seat: Seat,
    shell: Box<dyn Shell>,
    outbox: Outbox,
    /// Pairs of open legs, by slot: for a shell that takes over.
    open: Vec<Option<Arc<PortPair>>>,
    due: Vec<PortSlot>,
    due_rtcp: Vec<PortSlot>,
    /// A fact that found its ring full.
    fact: Option<Fact>,
    /// Ticks since the first fact that nobody has been woken for.
    unwoken: Option<u8>,
}

impl MediaThread {
    fn keep_time(&mut self) {
        let mut next = SystemInstant::now();
        let mut number: u64 = 0;
        loop {
            next += PERIOD;
            number += 1;
            let now = SystemInstant::now();
            if let Some(ahead) = next.checked_duration_since(now) {
                std::thread::sleep(ahead);
            } else {
                let behind = (now - next).as_nanos() as u64 / PERIOD.as_nanos() as u64;
                MediaFigures::add(&self.seat.figures.late_ticks, u64::from(behind > 0));
                if behind > BEHIND_MAX {
                    // The number moves along, so that each phase keeps its places in time.
                    let left_out = behind - BEHIND_MAX;
                    next += PERIOD * left_out as u32;
                    number += left_out;
                    MediaFigures::add(&self.seat.figures.skipped_ticks, left_out);
                }
            }
            match catch_unwind(AssertUnwindSafe(|| self.tick(number))) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => {
                    MediaFigures::add(&self.seat.figures.faults, 1);
                    self.outbox.clear();
                    tracing::error!(thread = self.seat.index, "a media tick failed");
                }
            }
        }
    }

    /// One tick; `false` when the handle is gone.
    fn tick(&mut self, number: u64) -> bool {
        let now = self.seat.clock.now();
        let phase = (number % PHASES) as u8;
        self.seat.deck.turn();
        if !self.take_orders(now) {
            return false;
        }
        self.receive(number, phase, now);
        self.seat.engine.tick(phase, now.mono, &mut self.outbox, &mut self.seat.deck);
        if let Err(error) = self.shell.send(&mut self.outbox) {
            self.replace_shell(&error);
        }
        MediaFigures::add(&self.seat.figures.outbox_full, self.outbox.take_dropped());
        MediaFigures::add(&self.seat.figures.ticks, 1);
        self.tell();
        true
    }

    fn take_orders(&mut self, now: Now) -> bool {
        for _ in 0..ORDERS_PER_TICK {
            match self.seat.orders.try_recv() {
                Ok(Command::Order { order, pair }) => self.carry_out(order, pair, now),
                Ok(Command::Depart(leg)) => self.let_go(leg),
                Ok(Command::Arrive { departed, group, pair }) => {
                    self.adopt(pair);
                    self.seat.engine.arrive(departed, group, &mut self.outbox);
                }
                Ok(Command::Bank(bank)) => self.seat.engine.set_bank(bank),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        if self.seat.starved.swap(false, Ordering::AcqRel) {
            (self.seat.wake)(); // Room for what is held on the other side.
        }
        true
    }

    fn carry_out(&mut self, order: Order, pair: Option<Arc<PortPair>>, now: Now) {
        if let Some(pair) = pair {
            self.adopt(pair);
        }
        self.seat.engine.handle_order(order, now, &mut self.outbox, &mut self.seat.deck);
    }

    fn adopt(&mut self, pair: Arc<PortPair>) {
        if let Err(error) = self.shell.adopt(&pair) {
            tracing::error!(%error, slot = pair.slot.0, "a leg's sockets cannot be watched");
        }
        let place = pair.slot.0 as usize;
        if self.open.len() <= place {
            self.open.resize(place + 1, None);
        }
        self.open[place] = Some(pair);
    }

    /// A leg goes over to another thread, which has its sockets next.
    fn let_go(&mut self, leg: LegId) {
        let departed = self.seat.engine.depart(leg);
        if let Some(slot) = departed.as_ref().map(Departed::slot) {
            self.shell.release(slot);
            if let Some(place) = self.open.get_mut(slot.0 as usize) {
                *place = None;
            }
        }
        // It fails only when the house is gone: there are never more on the way than there is room for.
        let _ = self.seat.moved.try_send(Moved { leg, departed });
        (self.seat.wake)();
    }

    fn receive(&mut self, number: u64, phase: u8, now: Now) {
        let engine = &mut self.seat.engine;
        let outbox = &mut self.outbox;
        let round = number / PHASES;
        let resting = |slot: PortSlot| {
            u64::from(slot.0) % IDLE_ROUNDS != round % IDLE_ROUNDS && engine.is_idle(slot, now.mono)
        };
        self.due.clear();
        self.due.extend(engine.due(phase).iter().filter(|slot| !resting(**slot)));
        // Spread over the rounds, so that no tick reads all of them.
        let turn = round % RTCP_ROUNDS;
        self.due_rtcp.clear();
        let their_turn = |slot: &&PortSlot| u64::from(slot.0) % RTCP_ROUNDS == turn;
        self.due_rtcp.extend(self.due.iter().filter(their_turn));
        let mut hear = |socket, from, packet: &mut [u8]| {
            engine.handle_packet(socket, from, packet, now.mono, outbox);
        };
        let received = self.shell.receive(&self.due, &self.due_rtcp, &mut hear);
        if let Err(error) = received {
            self.replace_shell(&error);
        }
    }

    /// Passes on facts; those without room wait in the engine.
    fn tell(&mut self) {
        let mut pressing = false;
        while let Some(fact) = self.fact.take().or_else(|| self.seat.engine.poll_output()) {
            let closed = match &fact {
                Fact::Closed { slot, .. } => Some(*slot),
                _ => None,
            };
            // Before it is told: once it is, another thread may have the pair.
            if let Some(slot) = closed {
                self.shell.release(slot);
                if let Some(place) = self.open.get_mut(slot.0 as usize) {
                    *place = None;
                }
            }
            let waits = matches!(fact, Fact::Closed { .. } | Fact::Latched { .. });
            match self.seat.facts.try_send(fact) {
                Ok(()) if waits => {
                    self.seat.unread.store(true, Ordering::Release);
                    self.unwoken.get_or_insert(0);
                }
                Ok(()) => pressing = true,
                Err(TrySendError::Full(fact)) => {
                    MediaFigures::add(&self.seat.figures.facts_held, 1);
                    self.fact = Some(fact);
                    break;
                }
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
        // Mostly something else has woken the control thread meanwhile, and it has read them.
        let mut waited = false;
        if let Some(ticks) = &mut self.unwoken {
            *ticks += 1;
            if *ticks > PATIENT_TICKS {
                self.unwoken = None;
                waited = self.seat.unread.load(Ordering::Acquire);
            }
        }
        if pressing || waited || self.fact.is_some() {
            self.unwoken = None;
            (self.seat.wake)();
        }
    }

    /// The shell broke down: epoll takes over.
    fn replace_shell(&mut self, error: &io::Error) {
        MediaFigures::add(&self.seat.figures.faults, 1);
        tracing::error!(%error, shell = self.shell.name(), "media moves over to epoll");
        self.outbox.clear();
        let mut shell = match epoll::EpollShell::new(Arc::clone(&self.seat.figures)) {
            Ok(shell) => shell,
            Err(error) => {
                tracing::error!(%error, "and epoll is not to be had: the next tick tries again");
                return;
            }
        };
        hand_over(&mut *self.shell, &mut shell, self.open.iter().flatten());
        // Leaked: the kernel may still hold pointers into it.
        std::mem::forget(std::mem::replace(&mut self.shell, Box::new(shell)));
    }
}

/// What `before` listens to, `next` does from now on. `before`, which may never be dropped, keeps no
/// socket of a locked source: the kernel would prefer it to all that come after.
pub(super) fn hand_over<'a>(
    before: &mut dyn Shell,
    next: &mut dyn Shell,
    pairs: impl Iterator<Item = &'a Arc<PortPair>>,
) {
    for pair in pairs {
        before.release(pair.slot);
        if let Err(error) = next.adopt(pair) {
            tracing::error!(%error, slot = pair.slot.0, "a leg's sockets cannot be watched");
        }
    }
}
