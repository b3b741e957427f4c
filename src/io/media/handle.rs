//! The control thread's end of the media threads: orders in, facts out, never a wait.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use super::sockets::{PortPair, PortRange};
use super::spread::{Spread, call_of};
use super::thread::{Seat, run};
use super::{MediaFigures, ShellChoice};
use crate::id::{CallId, Dice, LegId};
use crate::io::clock::Clock;
use crate::io::recorder::{Recorder, RecorderConfig, RecorderFigures};
use crate::media::order::{Fact, Group, Order, PortSlot};
use crate::media::{Departed, Engine, SoundBank};

/// Orders that may wait in the ring of one media thread.
pub const ORDERS_RING: usize = 4_096;
/// Orders that may wait outside a full ring; then a leg that opens is refused.
pub const ORDERS_HELD_MAX: usize = 16_384;
/// Facts that may wait for the control thread; more wait in their engines.
const FACTS_RING: usize = 8_192;

/// Legs on their way from one thread to another; the next one's call is told that its sound failed.
const MOVING_MAX: usize = 256;
/// Orders that wait for a leg on its way; then the oldest gives way that is not its end.
const MOVING_HELD_MAX: usize = 64;

/// Wakes the control thread: facts are there, or room for orders.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What the media threads need to know.
pub struct MediaConfig {
    /// The address that RTP is received on.
    pub bind: IpAddr,
    /// First and last port of the range.
    pub ports: (u16, u16),
    /// How packets are moved.
    pub shell: ShellChoice,
    /// Media threads; 0: one less than there are cores, at least one.
    pub shards: usize,
    /// Orders that a ring holds: [`ORDERS_RING`].
    pub orders_ring: usize,
    /// The prompts.
    pub bank: SoundBank,
    /// Dice for SSRCs.
    pub dice: Dice,
    /// The house's clocks.
    pub clock: Clock,
    /// Where and how recordings are kept.
    pub recorder: RecorderConfig,
    /// See [`Wake`].
    pub wake: Wake,
}

/// What a media thread is told.
pub(super) enum Command {
    /// An order, with the sockets if a leg opens.
    Order { order: Order, pair: Option<Arc<PortPair>> },
    /// A leg goes over to another thread: it is given back as [`Moved`].
    Depart(LegId),
    /// And comes from there.
    Arrive { departed: Departed, group: Group, pair: Arc<PortPair> },
    /// New prompts.
    Bank(SoundBank),
}

/// A leg that a thread has let go of; `None`: it was gone before.
pub(super) struct Moved {
    pub(super) leg: LegId,
    pub(super) departed: Option<Departed>,
}

/// Where a leg is going, and what is wanted of it there.
struct Moving {
    group: Group,
    to: usize,
    held: VecDeque<Order>,
}

impl Moving {
    fn hold(&mut self, order: Order) {
        if self.held.len() >= MOVING_HELD_MAX
            && let Some(least) = self.held.iter().position(|held| !matches!(held, Order::Close { .. }))
        {
            self.held.remove(least);
        }
        self.held.push_back(order);
    }
}

/// See the module's own words. Dropped without [`MediaHandle::stop`], the threads end by themselves.
pub struct MediaHandle {
    ports: PortRange,
    shards: Vec<Shard>,
    spread: Spread,
    /// By its call, of which it is the only leg.
    moving: HashMap<CallId, Moving>,
    moved: Receiver<Moved>,
    facts: Receiver<Fact>,
    /// Set where facts may lie unread that nobody was woken for.
    unread: Arc<AtomicBool>,
    /// Facts of our own making: orders that could not be given.
    refused: VecDeque<Fact>,
    recorder: Option<Recorder>,
    figures: Arc<MediaFigures>,
    shell: &'static str,
}

struct Shard {
    ring: SyncSender<Command>,
    held: VecDeque<Command>,
    /// Set while orders are held: the thread wakes us when it has made room.
    starved: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl MediaHandle {
    /// Starts the threads. Fails where the forced shell is not to be had.
    pub fn spawn(mut config: MediaConfig) -> io::Result<MediaHandle> {
        let shards = match config.shards {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().max(2) - 1),
            count => count,
        };
        let ports = PortRange::new(config.bind, config.ports.0, config.ports.1);
        let figures = Arc::new(MediaFigures::default());
        let (tell, facts) = sync_channel(FACTS_RING);
        let (let_go, moved) = sync_channel(MOVING_MAX);
        let (recorder, decks) = {
            let (tell, wake) = (tell.clone(), Arc::clone(&config.wake));
            let told = move |fact| {
                let _ = tell.send(fact); // Fails only when the house is gone.
                wake();
            };
            Recorder::spawn(config.recorder, shards, Arc::new(told))?
        };
        let unread = Arc::new(AtomicBool::new(false));
        let mut started = Vec::new();
        let mut shell = "";
        for (index, deck) in decks.into_iter().enumerate() {
            let (ring, orders) = sync_channel(config.orders_ring);
            let starved = Arc::new(AtomicBool::new(false));
            let seat = Seat {
                index,
                engine: Engine::new(config.bank.clone(), config.dice.split()),
                deck,
                orders,
                facts: tell.clone(),
                moved: let_go.clone(),
                unread: Arc::clone(&unread),
                wake: Arc::clone(&config.wake),
                starved: Arc::clone(&starved),
                clock: config.clock,
                figures: Arc::clone(&figures),
            };
            let (choice, slots) = (config.shell, ports.slots());
            let (report, reported) = sync_channel(1);
            let thread = std::thread::Builder::new()
                .name(format!("media-{index}"))
                .spawn(move || run(seat, choice, slots, &report))?;
            shell = reported.recv().map_err(|_| io::Error::other("a media thread died at its start"))??;
            started.push(Shard { ring, held: VecDeque::new(), starved, thread });
        }
        tracing::info!(shell, threads = shards, pairs = ports.slots(), "media threads run");
        Ok(MediaHandle {
            ports,
            shards: started,
            spread: Spread::new(shards),
            moving: HashMap::new(),
            moved,
            facts,
            unread,
            refused: VecDeque::new(),
            recorder: Some(recorder),
            figures,
            shell,
        })
    }

    /// `io_uring` or `epoll`.
    pub fn shell(&self) -> &'static str {
        self.shell
    }

    /// The port that SDP names for `slot`.
    pub fn port(&self, slot: PortSlot) -> u16 {
        self.ports.port(slot)
    }

    /// Where somebody on this machine reaches the RTP socket of `slot`; `None`: it is not bound.
    pub fn sound_at(&self, slot: PortSlot) -> Option<SocketAddr> {
        let mut at = self.ports.pair(slot)?.rtp.local_addr().ok()?;
        if at.ip().is_unspecified() {
            at.set_ip(Ipv4Addr::LOCALHOST.into()); // One for all addresses takes both families.
        }
        Some(at)
    }

    /// Binds up to `count` more pairs of sockets; see [`PortRange::open`]. A few microseconds each.
    pub fn open_ports(&mut self, count: u32) -> Vec<PortSlot> {
        self.ports.open(count)
    }

    /// Gives an order, in order per call. Never waits: what finds the ring full is held, and when
    /// too much is held a leg that opens is refused, which is told as [`Fact::Failed`].
    pub fn send(&mut self, order: Order) {
        if !self.moving.is_empty()
            && let Some(moving) = self.moving.get_mut(&call_of(&order))
        {
            return moving.hold(order);
        }
        if let Order::Move { leg, group } = order {
            return self.send_over(leg, group);
        }
        let Order::Open { leg, config } = order else {
            // Orders other than Open are about legs that are open, so what is held stays bounded.
            let shard = self.spread.of_order(&order);
            return self.shards[shard].give(Command::Order { order, pair: None }, &self.figures);
        };
        let Some(pair) = self.ports.pair(config.slot).map(Arc::clone) else {
            return self.refused.push_back(Fact::Failed { leg });
        };
        let place = self.spread.place(leg, &config);
        match place.filter(|place| self.shards[*place].held.len() < ORDERS_HELD_MAX) {
            Some(place) => {
                self.spread.opened(leg, &config, place);
                let command = Command::Order { order: Order::Open { leg, config }, pair: Some(pair) };
                self.shards[place].give(command, &self.figures);
            }
            None => {
                MediaFigures::add(&self.figures.orders_refused, 1);
                self.refused.push_back(Fact::Failed { leg });
            }
        }
    }

    /// To another thread by way of this one; what is ordered meanwhile waits here.
    fn send_over(&mut self, leg: LegId, group: Group) {
        let way = self.spread.way(leg.call, group);
        match way.filter(|(from, to)| from == to || self.moving.len() < MOVING_MAX) {
            Some((from, to)) if from == to => {
                self.spread.moved(leg.call, group);
                let command = Command::Order { order: Order::Move { leg, group }, pair: None };
                self.shards[to].give(command, &self.figures);
            }
            Some((from, to)) => {
                self.moving.insert(leg.call, Moving { group, to, held: VecDeque::new() });
                self.shards[from].give(Command::Depart(leg), &self.figures);
            }
            None => {
                MediaFigures::add(&self.figures.orders_refused, 1);
                self.refused.push_back(Fact::Failed { leg });
            }
        }
    }

    fn take_over(&mut self, Moved { leg, departed }: Moved) {
        let Some(Moving { group, to, held }) = self.moving.remove(&leg.call) else { return };
        let pair = departed.as_ref().and_then(|departed| self.ports.pair(departed.slot())).map(Arc::clone);
        if let (Some(departed), Some(pair)) = (departed, pair) {
            self.spread.moved(leg.call, group);
            self.shards[to].give(Command::Arrive { departed, group, pair }, &self.figures);
        }
        self.send_many(held);
    }

    /// Gives several orders.
    pub fn send_many(&mut self, orders: impl IntoIterator<Item = Order>) {
        for order in orders {
            self.send(order);
        }
    }

    /// New prompts; ids handed out before stay valid.
    pub fn set_bank(&mut self, bank: &SoundBank) {
        for shard in &mut self.shards {
            shard.give(Command::Bank(bank.clone()), &self.figures);
        }
    }

    /// The next fact. Passes on held orders too: to be called to the end whenever woken.
    pub fn poll(&mut self) -> Option<Fact> {
        for shard in &mut self.shards {
            shard.pass_held();
        }
        while let Ok(moved) = self.moved.try_recv() {
            self.take_over(moved);
        }
        // Before the look, so that what is told from now on is not taken for read.
        self.unread.swap(false, Ordering::AcqRel);
        let told = self.refused.pop_front().or_else(|| self.facts.try_recv().ok())?;
        self.spread.told(&told);
        Some(told)
    }

    /// The figures of all threads.
    pub fn figures(&self) -> &Arc<MediaFigures> {
        &self.figures
    }

    /// The recorder's figures.
    pub fn recorder_figures(&self) -> Option<&Arc<RecorderFigures>> {
        self.recorder.as_ref().map(Recorder::figures)
    }

    /// Ends the threads; returns what they still told, when all recordings are whole.
    pub fn stop(mut self) -> Vec<Fact> {
        let mut last: Vec<Fact> = std::iter::from_fn(|| self.poll()).collect();
        let threads: Vec<JoinHandle<()>> = self.shards.drain(..).map(|it| it.thread).collect();
        let recorder = self.recorder.take();
        let facts = self.facts;
        // Joined aside, so that the facts that they wait to tell find room.
        let joiner = std::thread::spawn(move || {
            for thread in threads {
                let _ = thread.join(); // Its faults were caught and logged.
            }
            if let Some(recorder) = recorder {
                recorder.join();
            }
        });
        last.extend(facts.iter());
        let _ = joiner.join();
        last
    }
}

impl Shard {
    fn give(&mut self, command: Command, figures: &MediaFigures) {
        self.pass_held();
        let command = if self.held.is_empty() {
            match self.ring.try_send(command) {
                Err(TrySendError::Full(command)) => command,
                Ok(()) | Err(TrySendError::Disconnected(_)) => return,
            }
        } else {
            command
        };
        MediaFigures::add(&figures.orders_held, 1);
        self.held.push_back(command);
        self.starved.store(true, Ordering::Release);
    }

    fn pass_held(&mut self) {
        while let Some(command) = self.held.pop_front() {
            if let Err(TrySendError::Full(command)) = self.ring.try_send(command) {
                self.held.push_front(command);
                self.starved.store(true, Ordering::Release);
                return;
            }
        }
    }
}
