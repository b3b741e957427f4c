//! The trace: every SIP message in and out, kept for a while, found again by the call.
//!
//! The control loop clones a message's handle and pushes it ([`Tracer`]); a thread of its own blanks
//! secrets, writes files of bounded size under `data/trace`, and sends copies to a collector. Whatever
//! finds no room is counted and gone: nobody waits for a trace. To look at one is an access and
//! written in the ledger first ([`open`], [`Trace`]).

mod blank;
mod files;
mod hep;
mod ladder;
mod pcap;
mod read;
mod show;
mod thread;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;

pub use read::{Access, Message, Party, Trace, TraceError, open, row};

use super::clock::Clock;
use crate::id::CallId;
use crate::routing::trace::Trace as Wanted;
use crate::sip::event::{ListenerConfig, Origin};
use crate::sip::{Packet, Transport, WireRef};

/// Folder of the data directory that holds the files.
pub const FOLDER: &str = "trace";
/// Messages that wait for the thread: a second of a thousand calls a second.
const WAITING_MAX: usize = 16_384;
/// Bytes of them.
const WAITING_BYTES_MAX: usize = 16 << 20;
/// The thread comes by so often, and at once when half of the room is taken.
const COMES_EVERY: Duration = Duration::from_millis(100);
/// Whoever reads waits so long for what the thread still holds.
const FLUSH_WAIT: Duration = Duration::from_secs(2);

/// One message, as it went over the wire.
#[derive(Clone, Debug)]
struct Seen {
    /// Microseconds since 1970, by the engine's clock.
    at_us: i64,
    sent: bool,
    transport: Transport,
    local: SocketAddr,
    peer: SocketAddr,
    bytes: Bytes,
}

/// One leg of a call, and by which reference its messages are found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tie {
    at_us: i64,
    call: CallId,
    party: Origin,
    wire_ref: WireRef,
}

/// What waits for the thread, and what it has come to.
struct Shared {
    state: Mutex<State>,
    woken: Condvar,
    done: Condvar,
    counts: Counts,
}

struct State {
    seen: Vec<Seen>,
    ties: Vec<Tie>,
    bytes: usize,
    wanted: Wanted,
    closing: bool,
    /// The thread is gone.
    ended: bool,
    /// Flushes asked for, and done.
    asked: u64,
    flushed: u64,
}

/// Totals since the start.
#[derive(Debug, Default)]
struct Counts {
    kept: AtomicU64,
    /// No room to wait in.
    refused: AtomicU64,
    /// The disk would not take them.
    unwritten: AtomicU64,
    copied: AtomicU64,
    uncopied: AtomicU64,
}

impl Shared {
    /// No code runs under this lock that could panic, but for the allocator.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A way to have what was seen so far on disk, for those who are about to read it.
#[derive(Clone)]
pub struct Flush(Arc<Shared>);

impl Flush {
    /// Waits until what the control loop has handed over is in the files; not for long.
    pub fn wait(&self) {
        let mut state = self.0.state();
        state.asked += 1;
        let mine = state.asked;
        self.0.woken.notify_one();
        let late = |state: &mut State| state.flushed < mine && !state.ended;
        drop(self.0.done.wait_timeout_while(state, FLUSH_WAIT, late));
    }
}

/// The control loop's side: see the module's own words.
pub struct Tracer {
    shared: Arc<Shared>,
    faces: Vec<(Transport, SocketAddr)>,
    clock: Clock,
    enabled: bool,
    /// Of this turn: handed over together, so that a leg is known when its INVITE is read.
    seen: Vec<Seen>,
    ties: Vec<Tie>,
    thread: Option<JoinHandle<()>>,
}

impl Tracer {
    /// Starts the thread. Files go to [`FOLDER`] of `data`, which must exist.
    pub fn start(
        data: PathBuf,
        wanted: Wanted,
        faces: &[ListenerConfig],
        clock: Clock,
    ) -> std::io::Result<Self> {
        let state = State {
            seen: Vec::new(),
            ties: Vec::new(),
            bytes: 0,
            wanted,
            closing: false,
            ended: false,
            asked: 0,
            flushed: 0,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            woken: Condvar::new(),
            done: Condvar::new(),
            counts: Counts::default(),
        });
        let theirs = Arc::clone(&shared);
        let folder = data.join(FOLDER);
        let thread = std::thread::Builder::new()
            .name("trace".to_owned())
            .spawn(move || thread::Worker::new(folder, wanted).run(&theirs))?;
        let own = |face: &ListenerConfig| match face.bind.ip() {
            ip if ip.is_unspecified() => face.advertise,
            ip => ip,
        };
        let faces =
            faces.iter().map(|face| (face.transport, SocketAddr::new(own(face), face.bind.port()))).collect();
        Ok(Tracer {
            shared,
            faces,
            clock,
            enabled: wanted.enabled,
            seen: Vec::new(),
            ties: Vec::new(),
            thread: Some(thread),
        })
    }

    /// A message came in.
    pub fn received(&mut self, packet: &Packet) {
        self.take(packet, false);
    }

    /// A message goes out.
    pub fn sent(&mut self, packet: &Packet) {
        self.take(packet, true);
    }

    fn take(&mut self, packet: &Packet, sent: bool) {
        let Some((transport, local)) = self.faces.get(packet.listener).copied().filter(|_| self.enabled)
        else {
            return;
        };
        // What fills the ring alone is not worth more than it.
        if self.seen.len() < WAITING_MAX {
            let at_us = self.clock.now().wall.as_microsecond();
            let bytes = packet.bytes.clone();
            self.seen.push(Seen { at_us, sent, transport, local, peer: packet.peer, bytes });
        } else {
            self.shared.counts.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A leg of a call has its dialog on the wire.
    pub fn tie(&mut self, call: CallId, party: Origin, wire_ref: WireRef) {
        if self.enabled && self.ties.len() < WAITING_MAX {
            let at_us = self.clock.now().wall.as_microsecond();
            self.ties.push(Tie { at_us, call, party, wire_ref });
        }
    }

    /// Gives the turn's messages to the thread: one lock, and no waiting for disk or network.
    pub fn hand_over(&mut self) {
        if self.seen.is_empty() && self.ties.is_empty() {
            return;
        }
        let mut state = self.shared.state();
        let room = state.seen.len() + self.seen.len() <= WAITING_MAX
            && state.bytes <= WAITING_BYTES_MAX
            && state.ties.len() <= WAITING_MAX
            && !state.ended;
        if room {
            state.bytes += self.seen.iter().map(|seen| seen.bytes.len()).sum::<usize>();
            state.seen.append(&mut self.seen);
            state.ties.append(&mut self.ties);
            if state.seen.len() > WAITING_MAX / 2 || state.bytes > WAITING_BYTES_MAX / 2 {
                self.shared.woken.notify_one();
            }
        } else {
            self.shared.counts.refused.fetch_add(self.seen.len() as u64, Ordering::Relaxed);
            self.seen.clear();
            self.ties.clear();
        }
    }

    /// What a new plan wants holds from now on.
    pub fn configure(&mut self, wanted: Wanted) {
        self.enabled = wanted.enabled;
        let mut state = self.shared.state();
        state.wanted = wanted;
        self.shared.woken.notify_one();
    }

    /// See [`Flush`].
    pub fn flush(&self) -> Flush {
        Flush(Arc::clone(&self.shared))
    }

    /// Totals since the start: kept, refused, unwritten, copied, uncopied.
    pub fn totals(&self) -> [u64; 5] {
        let counts = &self.shared.counts;
        [&counts.kept, &counts.refused, &counts.unwritten, &counts.copied, &counts.uncopied]
            .map(|count| count.load(Ordering::Relaxed))
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.hand_over();
        self.shared.state().closing = true;
        self.shared.woken.notify_one();
        if let Some(thread) = self.thread.take() {
            // A fault of its own has been told by its panic; there is nothing else to do about it.
            let _ = thread.join();
        }
    }
}

/// Both of one family: a mapped address for an IPv4 one beside an IPv6 one.
fn alike(one: SocketAddr, other: SocketAddr) -> (SocketAddr, SocketAddr) {
    let plain = |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port());
    let mapped = |at: SocketAddr| match at.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), at.port()),
        IpAddr::V6(_) => at,
    };
    let (one, other) = (plain(one), plain(other));
    if one.is_ipv4() == other.is_ipv4() { (one, other) } else { (mapped(one), mapped(other)) }
}
