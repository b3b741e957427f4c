//! The tick by io_uring: non-blocking receives and sends on registered files, a batch per enter.
//!
//! Every request carries `MSG_DONTWAIT` and so completes while it is submitted: an enter that waits
//! for as many completions as it submitted never sleeps, and no request outlives the call that made
//! it. Sockets are read without being asked whether they are ready; [`Appetite`] decides how often.
#![allow(unsafe_code)]

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use io_uring::{IoUring, cqueue, opcode, squeue, types};

use super::sockets::{
    Direct, PortPair, RAW_ADDRESS_LEN, RawAddress, SOCKETS, direct_index, key_at, raise_file_limit,
    table_index,
};
use super::{Hear, MediaFigures, Outbox, PACKET_ROOM, Shell};
use crate::media::order::PortSlot;
use crate::media::{Channel, SocketKey};

/// Requests per enter.
const BATCH: usize = 256;
/// Registered files at most; pairs beyond are used by descriptor.
const FILES_MAX: u32 = 32_768;
/// Tries to have a batch carried out before the ring is given up.
const ENTERS_MAX: usize = 100;
/// Packets taken from one socket in one tick; the rest waits for the next.
const BURST_MAX: u8 = 8;
/// Once a source has a socket of its own, the open one is read every so many ticks: strangers can wait.
const OPEN_TICKS: u32 = 16;
/// For so many ticks after that it is read as before: the source's packets may still lie there.
const GRACE_TICKS: u32 = 16;
/// So many of the source's packets at the open socket after that: on a host of several addresses the
/// connected socket may have the wrong one, and is given up.
const ASTRAY_MAX: u8 = 4;
/// RTCP packets taken from one socket at a time.
const RTCP_BURST_MAX: u8 = 2;

/// See the module's own words.
pub struct UringShell {
    ring: IoUring,
    registered: u32,
    pairs: Vec<Option<Held>>,
    letters: Box<[Letter]>,
    addresses: Box<[RawAddress]>,
    reads: Vec<Read>,
    again: Vec<Read>,
    /// Pairs whose source comes by the open socket, though it has one of its own.
    astray: Vec<PortSlot>,
    round: u32,
    figures: Arc<MediaFigures>,
}

/// A pair that this shell has had.
struct Held {
    pair: Arc<PortPair>,
    /// Whether its files are registered at their places.
    fixed: bool,
    appetite: Appetite,
    direct: Option<HeldDirect>,
}

/// The socket of a pair's locked source.
struct HeldDirect {
    direct: Arc<Direct>,
    fixed: bool,
    since: u32,
    /// When the open socket was read last.
    open_at: u32,
    /// The source's packets that came by the open socket nevertheless.
    astray: u8,
}

/// One receive in the making. Boxed in a slice that never moves, so that it can point into itself.
#[repr(C)]
struct Letter {
    header: libc::msghdr,
    vector: libc::iovec,
    from: RawAddress,
    buffer: [u8; PACKET_ROOM],
}

/// A socket to be read in this tick.
#[derive(Clone, Copy)]
struct Read {
    index: u32,
    left: u8,
    hits: u8,
}

impl HeldDirect {
    /// Whether the open socket beside it is to be read at tick `round`.
    fn reads_open(&mut self, round: u32) -> bool {
        let young = round.wrapping_sub(self.since) < GRACE_TICKS;
        let due = young || round.wrapping_sub(self.open_at) >= OPEN_TICKS;
        if due {
            self.open_at = round;
        }
        due
    }
}

impl Held {
    /// Whose a packet is that came by one of its RTP sockets.
    fn sender(&mut self, is_direct: bool, from: Option<SocketAddr>, round: u32) -> Option<SocketAddr> {
        let Some(direct) = &mut self.direct else { return from };
        if is_direct {
            return Some(direct.direct.source);
        }
        let grown = round.wrapping_sub(direct.since) >= GRACE_TICKS;
        if grown && from == Some(direct.direct.source) {
            direct.astray = direct.astray.saturating_add(1);
        }
        from
    }

    fn is_astray(&self) -> bool {
        self.direct.as_ref().is_some_and(|direct| direct.astray >= ASTRAY_MAX)
    }
}

/// How many receives a socket is worth. A read in vain costs a fifth of one with a packet, so we
/// ask as often as packets are to be expected every 20 ms, and until it is empty when there is
/// reason to think that more came. A relay is served twice per packet, and its packets mostly come
/// between the same two of its services: the other one is left out, unless the last packet failed to
/// come, and looked at once in a while.
#[derive(Clone, Copy, Default)]
struct Appetite {
    served: u32,
    services: u8,
    /// Reads in vain in a row, at services of even and of odd number.
    vain: [u8; 2],
    /// The last read was in vain.
    waits: bool,
    /// Ticks of 5 ms not yet paid for by a packet.
    owed: u8,
    eager: bool,
}

impl Appetite {
    const TICKS_PER_PACKET: u8 = 4;
    /// So many reads in vain make a service one to be left out.
    const VAIN_MIN: u8 = 8;
    /// Of so many services, the first two are made in any case.
    const LOOKS: u8 = 16;
    const OWED_MAX: u8 = 12;

    /// Receives to try now, at tick `round`.
    fn ask(&mut self, round: u32) -> u8 {
        let ticks = round.wrapping_sub(self.served).min(u32::from(Self::OWED_MAX)) as u8;
        self.served = round;
        self.services = self.services.wrapping_add(1);
        self.owed = (self.owed + ticks).min(Self::OWED_MAX);
        let expects_none = self.vain[usize::from(self.services % 2)] >= Self::VAIN_MIN && !self.waits;
        if ticks < Self::TICKS_PER_PACKET && expects_none && !self.eager && self.services % Self::LOOKS >= 2 {
            return 0;
        }
        if self.eager || self.services.is_multiple_of(8) {
            BURST_MAX // Looks for a sender that is faster than it should be.
        } else {
            (self.owed / Self::TICKS_PER_PACKET).max(1)
        }
    }

    /// What came of it: `hits` packets, and whether the socket was then `dry`.
    fn learn(&mut self, hits: u8, dry: bool) {
        let vain = &mut self.vain[usize::from(self.services % 2)];
        *vain = if hits == 0 { vain.saturating_add(1) } else { 0 };
        self.waits = hits == 0;
        self.owed = if dry && hits > 0 {
            0
        } else {
            self.owed.saturating_sub(hits.saturating_mul(Self::TICKS_PER_PACKET))
        };
        self.eager = hits > 1;
    }
}

impl UringShell {
    /// A ring for at most `slots` pairs. Fails where kernel or container forbid it, or where the
    /// kernel is older than 6.1. To be made on the thread that uses it.
    pub fn new(slots: u32, figures: Arc<MediaFigures>) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_cqsize(2 * BATCH as u32)
            .build(BATCH as u32)?;
        // The kernel refuses a table larger than the process's limit of open files.
        let files = u32::try_from(raise_file_limit()?).unwrap_or(u32::MAX);
        let registered = slots.saturating_mul(SOCKETS as u32).min(FILES_MAX).min(files);
        ring.submitter().register_files_sparse(registered)?;
        Ok(UringShell {
            ring,
            registered,
            pairs: Vec::new(),
            letters: letters(),
            addresses: vec![RawAddress::empty(); BATCH].into(),
            reads: Vec::with_capacity(BATCH),
            again: Vec::with_capacity(BATCH),
            astray: Vec::with_capacity(BATCH),
            round: 0,
            figures,
        })
    }

    /// Submits the `count` requests pushed, and waits until all are done, which they are at once.
    fn enter(&mut self, count: usize) -> io::Result<()> {
        let mut error = None;
        for _ in 0..ENTERS_MAX {
            match self.ring.submit_and_wait(count) {
                Ok(_) if self.ring.completion().len() >= count => return Ok(()),
                Ok(_) => {}
                Err(refusal) => error = Some(refusal), // Interrupted, or short of memory just now.
            }
        }
        Err(error.unwrap_or_else(|| io::Error::other("requests did not complete")))
    }

    fn held(&mut self, slot: PortSlot) -> Option<&mut Held> {
        self.pairs.get_mut(slot.0 as usize)?.as_mut()
    }

    /// Opens a socket for a locked source, or closes it.
    fn lock(&mut self, slot: PortSlot, source: Option<SocketAddr>) {
        let Some(held) = self.held(slot) else { return };
        let pair = Arc::clone(&held.pair);
        if let Some(before) = held.direct.take()
            && before.fixed
            && let Err(error) = self.ring.submitter().register_files_update(direct_index(slot) as u32, &[-1])
        {
            tracing::warn!(%error, slot = slot.0, "a closed leg's socket stays open");
        }
        match pair.connect(source) {
            Ok(Some(direct)) => self.hold(slot, direct),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, slot = slot.0, "a source goes on by the open socket");
                let _ = pair.connect(None);
            }
        }
    }

    fn hold(&mut self, slot: PortSlot, direct: Arc<Direct>) {
        let index = direct_index(slot) as u32;
        let descriptor = [direct.socket.as_raw_fd()];
        let fixed = index < self.registered
            && self.ring.submitter().register_files_update(index, &descriptor).is_ok_and(|count| count == 1);
        let since = self.round;
        if let Some(held) = self.held(slot) {
            held.direct = Some(HeldDirect { direct, fixed, since, open_at: since, astray: 0 });
        }
    }

    fn plan_reads(&mut self, due: &[PortSlot], due_rtcp: &[PortSlot]) {
        self.round = self.round.wrapping_add(1);
        self.reads.clear();
        let round = self.round;
        for &slot in due {
            let Some(held) = self.held(slot) else { continue };
            let left = held.appetite.ask(round);
            let open = table_index(SocketKey::rtp(slot)) as u32;
            match &mut held.direct {
                None if left == 0 => {}
                None => self.reads.push(Read { index: open, left, hits: 0 }),
                Some(direct) => {
                    if direct.reads_open(round) {
                        self.reads.push(Read { index: open, left: BURST_MAX, hits: 0 });
                    }
                    if left > 0 {
                        self.reads.push(Read { index: direct_index(slot) as u32, left, hits: 0 });
                    }
                }
            }
        }
        for &slot in due_rtcp {
            if self.held(slot).is_some() {
                self.reads.push(Read {
                    index: table_index(SocketKey::rtcp(slot)) as u32,
                    left: RTCP_BURST_MAX,
                    hits: 0,
                });
            }
        }
    }

    /// One enter of receives for `self.reads[first..last]`; who may have more goes to `self.again`.
    fn read_batch(&mut self, first: usize, last: usize, hear: &mut Hear) -> io::Result<()> {
        for (place, read) in self.reads[first..last].iter().enumerate() {
            let letter = &mut self.letters[place];
            let (key, is_direct) = key_at(read.index as usize);
            let entry = if is_direct {
                let (buffer, len) = (letter.buffer.as_mut_ptr(), PACKET_ROOM as u32);
                entry_for(
                    direct_file(&self.pairs, key.slot),
                    |fd| opcode::Recv::new(fd, buffer, len).flags(RECEIVE_FLAGS as i32).build(),
                    |fd| opcode::Recv::new(fd, buffer, len).flags(RECEIVE_FLAGS as i32).build(),
                )
            } else {
                letter.header.msg_namelen = RAW_ADDRESS_LEN;
                let header = &raw mut letter.header;
                entry_for(
                    file_of(&self.pairs, key),
                    |fd| opcode::RecvMsg::new(fd, header).flags(RECEIVE_FLAGS).build(),
                    |fd| opcode::RecvMsg::new(fd, header).flags(RECEIVE_FLAGS).build(),
                )
            };
            push(&mut self.ring, entry.user_data(place as u64))?;
        }
        self.enter(last - first)?;
        let (mut received, mut oversize) = (0, 0);
        for done in self.ring.completion() {
            let place = done.user_data() as usize;
            let mut read = self.reads[first + place];
            let (key, is_direct) = key_at(read.index as usize);
            let came = usize::try_from(done.result()).ok();
            read.left -= 1;
            read.hits += u8::from(came.is_some());
            let letter = &mut self.letters[place];
            let mut from = letter.from.decode();
            if let Some(held) = self.pairs[key.slot.0 as usize].as_mut().filter(|_| key.kind == Channel::Rtp)
            {
                if came.is_some() {
                    from = held.sender(is_direct, from, self.round);
                    if held.is_astray() && self.astray.len() < BATCH {
                        self.astray.push(key.slot);
                    }
                }
                // A pair with a connected socket expects nothing of the open one.
                if (came.is_none() || read.left == 0) && is_direct == held.direct.is_some() {
                    held.appetite.learn(read.hits, came.is_none());
                }
            }
            if came.is_some() && read.left > 0 {
                self.again.push(read);
            }
            match (came, from) {
                (Some(len), _) if len > PACKET_ROOM => oversize += 1,
                (Some(len), Some(from)) => {
                    received += 1;
                    hear(key, from, &mut letter.buffer[..len]);
                }
                _ => {}
            }
        }
        MediaFigures::add(&self.figures.received, received);
        MediaFigures::add(&self.figures.oversize, oversize);
        Ok(())
    }

    /// One enter of sends for the parcels `first..last`; how many the kernel refused.
    fn send_batch(&mut self, outbox: &Outbox, first: usize, last: usize) -> io::Result<u64> {
        let mut pushed = 0;
        for parcel in &outbox.parcels()[first..last] {
            let slot = parcel.socket.slot.0 as usize;
            let Some(Some(held)) = self.pairs.get(slot) else {
                continue; // Counted as refused: it was not pushed.
            };
            let packet = outbox.bytes(parcel);
            let direct = held.direct.as_ref().filter(|held| held.direct.carries(parcel));
            if direct.is_some() {
                let (bytes, len) = (packet.as_ptr(), packet.len() as u32);
                let entry = entry_for(
                    direct_file(&self.pairs, parcel.socket.slot),
                    |fd| opcode::Send::new(fd, bytes, len).flags(SEND_FLAGS).build(),
                    |fd| opcode::Send::new(fd, bytes, len).flags(SEND_FLAGS).build(),
                );
                push(&mut self.ring, entry)?;
                pushed += 1;
                continue;
            }
            let (raw, raw_len) = RawAddress::encode(parcel.to, held.pair.is_v6());
            self.addresses[pushed] = raw;
            let address = (&raw const self.addresses[pushed]).cast();
            let len = packet.len() as u32;
            let entry = entry_for(
                file_of(&self.pairs, parcel.socket),
                |fd| {
                    opcode::Send::new(fd, packet.as_ptr(), len)
                        .flags(SEND_FLAGS)
                        .dest_addr(address)
                        .dest_addr_len(raw_len)
                        .build()
                },
                |fd| {
                    opcode::Send::new(fd, packet.as_ptr(), len)
                        .flags(SEND_FLAGS)
                        .dest_addr(address)
                        .dest_addr_len(raw_len)
                        .build()
                },
            );
            push(&mut self.ring, entry)?;
            pushed += 1;
        }
        if pushed > 0 {
            self.enter(pushed)?;
        }
        let sent = self.ring.completion().filter(|done: &cqueue::Entry| done.result() >= 0).count();
        Ok((last - first - sent) as u64)
    }
}

/// `MSG_TRUNC` makes the result the packet's own length, so that one cut off is known.
const RECEIVE_FLAGS: u32 = (libc::MSG_DONTWAIT | libc::MSG_TRUNC) as u32;
const SEND_FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

/// How a socket is named to the kernel.
enum File {
    Fixed(types::Fixed),
    Plain(types::Fd),
}

fn file_of(pairs: &[Option<Held>], socket: SocketKey) -> File {
    match pairs.get(socket.slot.0 as usize) {
        Some(Some(held)) if !held.fixed => {
            let [rtp, rtcp] = held.pair.descriptors();
            File::Plain(types::Fd(match socket.kind {
                Channel::Rtp => rtp,
                Channel::Rtcp => rtcp,
            }))
        }
        _ => File::Fixed(types::Fixed(table_index(socket) as u32)),
    }
}

fn direct_file(pairs: &[Option<Held>], slot: PortSlot) -> File {
    let held = pairs.get(slot.0 as usize).and_then(|held| held.as_ref()?.direct.as_ref());
    match held.filter(|held| !held.fixed) {
        Some(held) => File::Plain(types::Fd(held.direct.socket.as_raw_fd())),
        None => File::Fixed(types::Fixed(direct_index(slot) as u32)),
    }
}

/// The request for a file, registered or not.
fn entry_for(
    file: File,
    fixed: impl FnOnce(types::Fixed) -> squeue::Entry,
    plain: impl FnOnce(types::Fd) -> squeue::Entry,
) -> squeue::Entry {
    match file {
        File::Fixed(file) => fixed(file),
        File::Plain(file) => plain(file),
    }
}

fn push(ring: &mut IoUring, entry: squeue::Entry) -> io::Result<()> {
    // SAFETY: what the entry points to (letters, addresses, the outbox) is neither moved nor freed
    // before `enter` has seen the completion, for `enter` waits for all of them; after an error the
    // thread leaks this shell and keeps the outbox.
    let pushed = unsafe { ring.submission().push(&entry) };
    pushed.map_err(io::Error::other) // Only if the last enter failed: a batch is no larger than the ring.
}

fn letters() -> Box<[Letter]> {
    let mut letters: Box<[Letter]> = (0..BATCH)
        .map(|_| Letter {
            // SAFETY: plain numbers and pointers, for which zero is a value.
            header: unsafe { std::mem::zeroed() },
            vector: libc::iovec { iov_base: std::ptr::null_mut(), iov_len: PACKET_ROOM },
            from: RawAddress::empty(),
            buffer: [0; PACKET_ROOM],
        })
        .collect();
    for letter in &mut letters {
        letter.vector.iov_base = letter.buffer.as_mut_ptr().cast();
        letter.header.msg_name = (&raw mut letter.from).cast();
        letter.header.msg_iov = &mut letter.vector;
        letter.header.msg_iovlen = 1;
    }
    letters
}

impl Shell for UringShell {
    fn name(&self) -> &'static str {
        "io_uring"
    }

    fn adopt(&mut self, pair: &Arc<PortPair>) -> io::Result<()> {
        pair.drain();
        let place = pair.slot.0 as usize;
        if self.pairs.len() <= place {
            self.pairs.resize_with(place + 1, || None);
        }
        if let Some(held) = &mut self.pairs[place] {
            held.appetite = Appetite::default();
            return Ok(()); // Pairs live as long as the process: the files are still registered.
        }
        let index = table_index(SocketKey::rtp(pair.slot)) as u32;
        let fixed = index + 1 < self.registered
            && self
                .ring
                .submitter()
                .register_files_update(index, &pair.descriptors())
                .is_ok_and(|count| count == 2);
        let held = Held { pair: Arc::clone(pair), fixed, appetite: Appetite::default(), direct: None };
        self.pairs[place] = Some(held);
        if let Some(direct) = pair.direct() {
            self.hold(pair.slot, direct);
        }
        Ok(())
    }

    fn release(&mut self, slot: PortSlot) {
        self.lock(slot, None);
        // A registered file that nobody reads costs nothing, and is likely to come back.
    }

    fn receive(&mut self, due: &[PortSlot], due_rtcp: &[PortSlot], mut hear: Hear) -> io::Result<()> {
        self.plan_reads(due, due_rtcp);
        while !self.reads.is_empty() {
            self.again.clear();
            for first in (0..self.reads.len()).step_by(BATCH) {
                let last = (first + BATCH).min(self.reads.len());
                self.read_batch(first, last, &mut hear)?;
            }
            std::mem::swap(&mut self.reads, &mut self.again);
        }
        Ok(())
    }

    fn send(&mut self, outbox: &mut Outbox) -> io::Result<()> {
        for (slot, source) in outbox.take_locks() {
            self.lock(slot, source);
        }
        while let Some(slot) = self.astray.pop() {
            self.lock(slot, None);
        }
        let total = outbox.parcels().len();
        let mut failed = 0;
        for first in (0..total).step_by(BATCH) {
            let last = (first + BATCH).min(total);
            failed += self.send_batch(outbox, first, last)?;
        }
        outbox.clear();
        MediaFigures::add(&self.figures.sent, total as u64 - failed);
        MediaFigures::add(&self.figures.send_failed, failed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays `arrivals` (packets queued before each service, `period` ticks apart) against one
    /// appetite: reads in vain, and the most packets left waiting after a service.
    fn play(period: u32, arrivals: &[u32]) -> (u32, u32) {
        let mut appetite = Appetite::default();
        let (mut queued, mut vain, mut left_max) = (0, 0, 0);
        for (service, came) in arrivals.iter().enumerate() {
            queued += came;
            let (mut hits, mut dry) = (0, false);
            let reads = appetite.ask((service as u32 + 1) * period);
            for _ in 0..reads {
                if queued == 0 {
                    (vain, dry) = (vain + 1, true);
                    break;
                }
                (queued, hits) = (queued - 1, hits + 1);
            }
            if reads > 0 {
                appetite.learn(hits, dry);
            }
            left_max = left_max.max(queued);
        }
        (vain, left_max)
    }

    #[test]
    fn a_steady_stream_is_read_once_per_packet() {
        let (vain, left) = play(4, &[1; 800]);
        assert!(vain <= 102, "{vain} reads in vain for 800 packets");
        assert_eq!(left, 0);
    }

    #[test]
    fn a_late_packet_is_fetched_with_the_next() {
        let arrivals: Vec<u32> = [1, 1, 1, 0, 2, 1].repeat(50);
        assert_eq!(play(4, &arrivals).1, 0);
    }

    #[test]
    fn a_relay_served_every_10_ms_has_no_packet_waiting() {
        let arrivals: Vec<u32> = [1, 0].repeat(400);
        let (vain, left) = play(2, &arrivals);
        assert_eq!(left, 0);
        assert!(vain <= 100, "{vain} reads in vain for 400 packets");
    }

    #[test]
    fn a_relayed_packet_that_comes_at_another_service_waits_for_the_next_one_only() {
        // The source's clock drifts from one side of a service to the other, and back; now and then a
        // packet is late.
        let mut arrivals: Vec<u32> = [1, 0].repeat(100);
        arrivals.extend([0, 1].repeat(100));
        arrivals.extend([[1, 0, 0, 1, 1, 0].as_slice(), &[1, 0].repeat(20)].concat().repeat(5));
        assert!(play(2, &arrivals).1 <= 1);
        let mut appetite = Appetite::default();
        let (mut waited_max, mut waits) = (0, 0);
        for (service, came) in arrivals.iter().enumerate() {
            waits = if waits > 0 || *came > 0 { waits + 1 } else { 0 };
            if appetite.ask((service as u32 + 1) * 2) > 0 {
                appetite.learn(u8::from(waits > 0), true);
                (waited_max, waits) = (waited_max.max(waits), 0);
            }
        }
        assert!(waited_max <= 2, "{waited_max} services");
    }

    #[test]
    fn a_sender_of_10_ms_packets_is_kept_up_with() {
        assert!(play(4, &[2; 400]).1 <= 8);
    }

    #[test]
    fn a_silent_socket_is_asked_once_per_service() {
        assert_eq!(play(4, &[0; 100]), (100, 0));
    }
}
