//! Many packets per call of the kernel, by io_uring.
//!
//! As in `io::media`, every request says `MSG_DONTWAIT` and so is done while it is submitted: no
//! request outlives the enter that made it. Here each receive brings its stamp along.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::RawFd;

use io_uring::{IoUring, opcode, squeue, types};

use super::{BATCH, Habit, Hear, Letter, Port, RECEIVED_MAX};
use crate::io::media::raise_file_limit;
use crate::io::media::sockets::{RAW_ADDRESS_LEN, RawAddress};
use crate::io::packets::stamp::{self, CONTROL_WORDS};

/// Tries to have a batch carried out before the ring is given up.
const ENTERS_MAX: usize = 100;

pub(super) struct Uring {
    ring: IoUring,
    registered: u32,
    files: Vec<Option<File>>,
    rooms: Box<[Room]>,
    addresses: Box<[RawAddress]>,
    reads: Vec<Read>,
    again: Vec<Read>,
}

#[derive(Clone, Copy)]
enum File {
    Fixed(u32),
    Plain(RawFd),
}

/// One receive in the making. Boxed in a slice that never moves, so that it can point into itself.
#[repr(C)]
struct Room {
    header: libc::msghdr,
    vector: libc::iovec,
    from: RawAddress,
    control: [u64; CONTROL_WORDS],
    bytes: [u8; RECEIVED_MAX],
}

#[derive(Clone, Copy)]
struct Read {
    port: Port,
    left: u8,
    hits: u8,
}

impl Uring {
    pub(super) fn new(ports: u32) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_cqsize(2 * BATCH as u32)
            .build(BATCH as u32)?;
        let files = u32::try_from(raise_file_limit()?).unwrap_or(u32::MAX);
        let registered = ports.min(files).min(32_768);
        ring.submitter().register_files_sparse(registered)?;
        Ok(Uring {
            ring,
            registered,
            files: Vec::new(),
            rooms: rooms(),
            addresses: vec![RawAddress::empty(); BATCH].into(),
            reads: Vec::with_capacity(BATCH),
            again: Vec::with_capacity(BATCH),
        })
    }

    /// A socket that stays open for as long as this ring.
    pub(super) fn adopt(&mut self, port: Port, descriptor: RawFd) {
        let fixed = port.0 < self.registered
            && self
                .ring
                .submitter()
                .register_files_update(port.0, &[descriptor])
                .is_ok_and(|count| count == 1);
        if self.files.len() <= port.place() {
            self.files.resize(port.place() + 1, None);
        }
        self.files[port.place()] = Some(if fixed { File::Fixed(port.0) } else { File::Plain(descriptor) });
    }

    fn file(&self, port: Port) -> Option<File> {
        self.files.get(port.place()).copied().flatten()
    }

    pub(super) fn receive(&mut self, ports: &[Port], habits: &mut [Habit], hear: Hear) -> io::Result<()> {
        self.reads.clear();
        for port in ports {
            if self.file(*port).is_some() {
                let left = habits[port.place()].ask();
                self.reads.push(Read { port: *port, left, hits: 0 });
            }
        }
        while !self.reads.is_empty() {
            self.again.clear();
            for first in (0..self.reads.len()).step_by(BATCH) {
                let last = (first + BATCH).min(self.reads.len());
                self.read(first, last, habits, hear)?;
            }
            std::mem::swap(&mut self.reads, &mut self.again);
        }
        Ok(())
    }

    fn read(&mut self, first: usize, last: usize, habits: &mut [Habit], hear: Hear) -> io::Result<()> {
        for (place, read) in self.reads[first..last].iter().enumerate() {
            let room = &mut self.rooms[place];
            room.header.msg_namelen = RAW_ADDRESS_LEN;
            room.header.msg_controllen = size_of_val(&room.control) as _;
            let header = &raw mut room.header;
            let flags = (libc::MSG_DONTWAIT | libc::MSG_TRUNC) as u32;
            let entry = match self.files.get(read.port.place()).copied().flatten() {
                Some(File::Fixed(index)) => {
                    opcode::RecvMsg::new(types::Fixed(index), header).flags(flags).build()
                }
                Some(File::Plain(descriptor)) => {
                    opcode::RecvMsg::new(types::Fd(descriptor), header).flags(flags).build()
                }
                None => opcode::Nop::new().build(), // Not met: only adopted ports are read.
            };
            push(&mut self.ring, &entry.user_data(place as u64))?;
        }
        self.enter(last - first)?;
        for done in self.ring.completion() {
            let place = done.user_data() as usize;
            let mut read = self.reads[first + place];
            let came = usize::try_from(done.result()).ok();
            read.left -= 1;
            read.hits += u8::from(came.is_some());
            if came.is_some() && read.left > 0 {
                self.again.push(read);
            } else {
                habits[read.port.place()].eager = read.hits > 1;
            }
            let room = &self.rooms[place];
            if let (Some(length), Some(from)) = (came, room.from.decode()) {
                let at = stamp::read(&room.header);
                hear(read.port, from, at, &room.bytes[..length.min(RECEIVED_MAX)]);
            }
        }
        Ok(())
    }

    /// How many the kernel did not take.
    pub(super) fn send(&mut self, letters: &[Letter]) -> io::Result<u64> {
        let mut pushed = 0;
        for letter in letters {
            let (raw, raw_length) = RawAddress::encode(letter.to, false);
            self.addresses[pushed] = raw;
            let address = (&raw const self.addresses[pushed]).cast();
            let (bytes, length) = (letter.bytes.as_ptr(), letter.length as u32);
            let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
            let entry = match self.file(letter.port) {
                Some(File::Fixed(index)) => opcode::Send::new(types::Fixed(index), bytes, length)
                    .flags(flags)
                    .dest_addr(address)
                    .dest_addr_len(raw_length)
                    .build(),
                Some(File::Plain(descriptor)) => opcode::Send::new(types::Fd(descriptor), bytes, length)
                    .flags(flags)
                    .dest_addr(address)
                    .dest_addr_len(raw_length)
                    .build(),
                None => continue, // Counted as refused: it was not pushed.
            };
            push(&mut self.ring, &entry)?;
            pushed += 1;
        }
        if pushed > 0 {
            self.enter(pushed)?;
        }
        let sent = self.ring.completion().filter(|done| done.result() >= 0).count();
        Ok((letters.len() - sent) as u64)
    }

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
}

fn push(ring: &mut IoUring, entry: &squeue::Entry) -> io::Result<()> {
    // SAFETY: what the entry points to (rooms, addresses, the letters) is neither moved nor freed
    // before `enter` has seen the completion, for `enter` waits for all of them; requests complete
    // while they are submitted, so none is under way after an error either.
    let pushed = unsafe { ring.submission().push(entry) };
    pushed.map_err(io::Error::other) // Only if the last enter failed: a batch is no larger than the ring.
}

fn rooms() -> Box<[Room]> {
    let mut rooms: Box<[Room]> = (0..BATCH)
        .map(|_| Room {
            // SAFETY: plain numbers and pointers, for which zero is a value.
            header: unsafe { std::mem::zeroed() },
            vector: libc::iovec { iov_base: std::ptr::null_mut(), iov_len: RECEIVED_MAX },
            from: RawAddress::empty(),
            control: [0; CONTROL_WORDS],
            bytes: [0; RECEIVED_MAX],
        })
        .collect();
    for room in &mut rooms {
        room.vector.iov_base = room.bytes.as_mut_ptr().cast();
        room.header.msg_name = (&raw mut room.from).cast();
        room.header.msg_iov = &mut room.vector;
        room.header.msg_iovlen = 1;
        room.header.msg_control = room.control.as_mut_ptr().cast();
    }
    rooms
}
