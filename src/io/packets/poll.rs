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
pub struct Poll {
    epoll: OwnedFd,
    ears: UnixStream,
    hand: UnixStream,
    events: Vec<libc::epoll_event>,
    /// The kernel takes waits to the nanosecond (5.11 and later).
    fine: bool,
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
    /// Nothing but the bell.
    pub fn new() -> io::Result<Self> {
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
        let poll = Poll { epoll, ears, hand, events, fine: true };
        poll.add(&poll.ears, BELL)?;
        Ok(poll)
    }

    /// Ends a wait from another thread.
    pub fn bell(&self) -> io::Result<Bell> {
        self.hand.try_clone().map(Bell)
    }

    /// Watches a socket for as long as it is open.
    pub fn add(&self, socket: &impl AsRawFd, tag: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: tag };
        // SAFETY: `event` outlives the call, and the kernel checks the descriptors.
        let done = unsafe {
            libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, socket.as_raw_fd(), &mut event)
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits at most so long; puts the tags of what is ready into `ready`. `true`: the bell was rung.
    pub fn wait(&mut self, most: Duration, ready: &mut Vec<u64>) -> io::Result<bool> {
        let count = self.ask(most);
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

    fn ask(&mut self, most: Duration) -> i64 {
        if self.fine {
            let span = libc::timespec {
                tv_sec: most.as_secs().try_into().unwrap_or(libc::time_t::MAX),
                tv_nsec: most.subsec_nanos().into(),
            };
            // SAFETY: the kernel writes at most `READY_MAX` events into the buffer of that many and
            // reads `span`, which outlives the call; no signal mask is given.
            let count = unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    self.epoll.as_raw_fd(),
                    self.events.as_mut_ptr(),
                    READY_MAX as libc::c_int,
                    &raw const span,
                    std::ptr::null::<libc::sigset_t>(),
                    0_usize,
                )
            };
            if count >= 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ENOSYS) {
                return count;
            }
            self.fine = false;
        }
        // Rounded up: a wait that ends early would be followed by an idle turn.
        let most_ms = i32::try_from(most.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX);
        // SAFETY: the kernel writes at most `READY_MAX` events into the buffer of that many.
        let count = unsafe {
            libc::epoll_wait(self.epoll.as_raw_fd(), self.events.as_mut_ptr(), READY_MAX as i32, most_ms)
        };
        count.into()
    }
}
