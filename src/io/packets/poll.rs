//! One wait for many sockets, by epoll, and a bell that ends it from another thread.
#![allow(unsafe_code)]

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Ready sockets taken up in one wait; the kernel lists the others first the next time.
const READY_MAX: usize = 256;
/// The tag of the bell.
const BELL: u64 = u64::MAX;

/// Sockets that are waited for together. Level-triggered: what is left of a burst is ready again.
pub(super) struct Poll {
    epoll: OwnedFd,
    ears: UnixStream,
    hand: UnixStream,
    events: Vec<libc::epoll_event>,
}

/// Ends a wait.
#[derive(Debug)]
pub struct Bell(UnixStream);

impl Bell {
    /// Rings. A bell that nobody has heard yet is loud enough.
    pub fn ring(&self) {
        let _ = (&self.0).write(&[1]);
    }
}

impl Poll {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: takes a plain number; a descriptor that is not negative is new and ours alone.
        let epoll = unsafe {
            let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if epoll < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(epoll)
        };
        let (ears, hand) = UnixStream::pair()?;
        for end in [&ears, &hand] {
            end.set_nonblocking(true)?;
        }
        let events = vec![libc::epoll_event { events: 0, u64: 0 }; READY_MAX];
        let poll = Poll { epoll, ears, hand, events };
        poll.add(&poll.ears, BELL)?;
        Ok(poll)
    }

    pub(super) fn bell(&self) -> io::Result<Bell> {
        self.hand.try_clone().map(Bell)
    }

    /// Watches a socket for as long as it is open.
    pub(super) fn add(&self, socket: &impl AsRawFd, tag: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: tag };
        // SAFETY: `event` outlives the call, and the kernel checks the descriptors.
        let done = unsafe {
            libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, socket.as_raw_fd(), &mut event)
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits at most so long; puts the tags of what is ready into `ready`. `true`: the bell was rung.
    pub(super) fn wait(&mut self, most: Duration, ready: &mut Vec<u64>) -> io::Result<bool> {
        // Rounded up: a wait that ends early would be followed by an idle turn.
        let most_ms = i32::try_from(most.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX);
        // SAFETY: the kernel writes at most `READY_MAX` events into the buffer of that many.
        let count = unsafe {
            libc::epoll_wait(self.epoll.as_raw_fd(), self.events.as_mut_ptr(), READY_MAX as i32, most_ms)
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            // A signal: whoever waits looks around and waits again.
            return if error.kind() == io::ErrorKind::Interrupted { Ok(false) } else { Err(error) };
        };
        let mut rung = false;
        for event in &self.events[..count] {
            let tag = event.u64; // A copy: the struct is packed.
            if tag == BELL {
                rung = true;
                while matches!((&self.ears).read(&mut [0; 64]), Ok(1..)) {}
            } else {
                ready.push(tag);
            }
        }
        Ok(rung)
    }
}
