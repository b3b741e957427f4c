//! Datagrams with the time at which the kernel took them in (`SO_TIMESTAMPNS`).
//!
//! Who measures others by their packets must not measure its own slowness: however late a datagram
//! is read, its stamp says when it came.
#![allow(unsafe_code)]

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use crate::io::clock::Clock;
use crate::io::media::sockets::{RAW_ADDRESS_LEN, RawAddress};
use crate::time::Instant;

/// Room for what the kernel says beside a datagram; 64-bit words for its alignment. One stamp takes 32
/// octets.
pub(super) const CONTROL_WORDS: usize = 8;

/// A datagram that was read.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its octets; more than there was room for where it was cut off.
    pub length: usize,
    /// Who sent it.
    pub from: SocketAddr,
    /// When the kernel had it.
    pub at: Stamp,
}

/// Nanoseconds since 1970 by the system's wall clock; `None` where the kernel did not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(pub Option<u64>);

/// How the wall clock of the stamps stands to the monotonic clock of everything else, read anew each
/// turn: stamps that are turned at once do not mind its jumps.
#[derive(Clone, Copy, Debug)]
pub struct Turner {
    wall_ns: u64,
    mono: Instant,
}

impl Turner {
    /// Both clocks as they stand now.
    pub fn now(clock: &Clock) -> Self {
        let now = clock.now();
        Turner { wall_ns: u64::try_from(now.wall.as_nanosecond()).unwrap_or(0), mono: now.mono }
    }

    /// When the clocks were read.
    pub fn mono(&self) -> Instant {
        self.mono
    }

    /// A stamp on the monotonic clock. Never later than when the clocks were read, but for what came
    /// since; without a stamp, then.
    pub fn turn(&self, stamp: Stamp) -> Instant {
        let Some(stamp) = stamp.0 else { return self.mono };
        let nanos = self.mono.as_nanos().saturating_add(stamp).saturating_sub(self.wall_ns);
        Instant::from_nanos(nanos)
    }
}

/// Has the kernel stamp what comes to this socket. Where no other socket of the machine is stamped it starts
/// to do so a moment later, from a work queue of its own; until then a stamp says when the datagram was read.
pub fn enable(socket: &UdpSocket) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option's value is an int, which outlives the call.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads one datagram without waiting.
pub fn receive(socket: &UdpSocket, room: &mut [u8]) -> io::Result<Arrival> {
    let mut from = RawAddress::empty();
    let mut control = [0_u64; CONTROL_WORDS];
    let mut vector = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    // SAFETY: plain numbers and pointers, for which zero is a value.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = (&raw mut from).cast();
    header.msg_namelen = RAW_ADDRESS_LEN;
    header.msg_iov = &mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    // SAFETY: all that the header points to outlives the call.
    let length =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &mut header, libc::MSG_DONTWAIT | libc::MSG_TRUNC) };
    let Ok(length) = usize::try_from(length) else { return Err(io::Error::last_os_error()) };
    let from = from.decode().ok_or(io::ErrorKind::InvalidData)?;
    Ok(Arrival { length, from, at: read(&header) })
}

/// The stamp beside a datagram that `header` was filled for.
pub(super) fn read(header: &libc::msghdr) -> Stamp {
    // SAFETY: the kernel wrote `msg_controllen` octets of whole control messages, by which these
    // macros step; a timespec is read where one was announced, wherever it is aligned.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            if (*message).cmsg_level == libc::SOL_SOCKET && (*message).cmsg_type == libc::SCM_TIMESTAMPNS {
                let time = libc::CMSG_DATA(message).cast::<libc::timespec>().read_unaligned();
                let nanos = u64::try_from(time.tv_sec).ok().and_then(|seconds| {
                    seconds.checked_mul(1_000_000_000)?.checked_add(time.tv_nsec.unsigned_abs())
                });
                return Stamp(nanos);
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    Stamp(None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_datagram_read_late_says_when_it_came() {
        let clock = Clock::system();
        let ear = UdpSocket::bind("127.0.0.1:0").unwrap();
        enable(&ear).unwrap();
        let mouth = UdpSocket::bind("127.0.0.1:0").unwrap();
        let slack = Duration::from_millis(2); // The two clocks are read one after the other.
        let in_time = (0..50).any(|_| {
            let before = clock.mono();
            mouth.send_to(b"now", ear.local_addr().unwrap()).unwrap();
            let after = clock.mono();
            while clock.mono().since(after) < Duration::from_millis(30) {}
            let mut room = [0; 16];
            let arrival = receive(&ear, &mut room).unwrap();
            assert_eq!((arrival.length, arrival.from), (3, mouth.local_addr().unwrap()));
            let at = Turner::now(&clock).turn(arrival.at);
            at + slack >= before && at <= after + slack
        });
        assert!(in_time, "all of them are stamped when they are read");
        let mut room = [0; 16];
        assert_eq!(receive(&ear, &mut room).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
