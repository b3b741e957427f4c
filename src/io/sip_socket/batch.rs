//! Many datagrams per system call: recvmmsg and sendmmsg. A datagram in and one out cost the
//! kernel 3 to 4 µs however they are asked for; the calls around them need not be paid one by one.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Duration;

use bytes::Bytes;
use socket2::{SockAddr, SockAddrStorage};

/// Datagrams of one system call.
pub(super) const AT_ONCE: usize = 16;
/// No datagram is longer.
const ROOM: usize = 65_536;

/// Has the kernel stamp datagrams as they arrive, so that their wait is known.
pub(super) fn ask_for_stamps(socket: &impl AsRawFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open, and `on` outlives the call, whose length argument is its size.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const on).cast(),
            mem::size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Where datagrams are received; pages that no datagram reached cost no memory.
pub(super) struct Inbox {
    room: Box<[u8]>,
}

/// One system call's worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    /// Datagrams.
    pub(super) count: usize,
    /// When the first of them arrived, since 1970, where the kernel says so.
    pub(super) first_at: Option<Duration>,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Inbox { room: vec![0; AT_ONCE * ROOM].into_boxed_slice() }
    }

    /// Takes up to [`AT_ONCE`] datagrams that are there now, the oldest first.
    pub(super) fn receive(
        &mut self,
        socket: &impl AsRawFd,
        mut take: impl FnMut(SocketAddr, Bytes),
    ) -> io::Result<Received> {
        let mut names: [SockAddrStorage; AT_ONCE] = std::array::from_fn(|_| SockAddrStorage::zeroed());
        let mut rooms = self.room.chunks_exact_mut(ROOM);
        let mut parts: [libc::iovec; AT_ONCE] = std::array::from_fn(|_| {
            let room = rooms.next().expect("the room has a chunk for each datagram");
            libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: ROOM }
        });
        let mut headers: [libc::mmsghdr; AT_ONCE] = std::array::from_fn(|index| {
            // SAFETY: all zeros are a valid value of this C structure.
            let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
            header.msg_hdr.msg_name = (&raw mut names[index]).cast();
            header.msg_hdr.msg_namelen = names[index].size_of();
            header.msg_hdr.msg_iov = &raw mut parts[index];
            header.msg_hdr.msg_iovlen = 1;
            header
        });
        // Only the first one's stamp is wanted. Words, so that it is aligned as the kernel writes it.
        let mut control = [0_u64; 8];
        headers[0].msg_hdr.msg_control = control.as_mut_ptr().cast();
        headers[0].msg_hdr.msg_controllen = mem::size_of_val(&control) as _;
        // SAFETY: each header points to buffers that outlive the call, with their true lengths.
        let got = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                AT_ONCE as libc::c_uint,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
        for ((header, name), room) in headers.iter().zip(names).zip(self.room.chunks_exact(ROOM)).take(got) {
            // SAFETY: the kernel wrote a name of this length into the storage.
            let from = unsafe { SockAddr::new(name, header.msg_hdr.msg_namelen) };
            if let Some(from) = from.as_socket() {
                take(from, Bytes::copy_from_slice(&room[..header.msg_len as usize]));
            }
        }
        let first_at = if got > 0 { stamp(&headers[0].msg_hdr) } else { None };
        Ok(Received { count: got, first_at })
    }
}

/// The kernel's stamp in a received header.
fn stamp(header: &libc::msghdr) -> Option<Duration> {
    // SAFETY: the kernel filled in the control buffer and its length, and the buffer is alive.
    let control = unsafe { libc::CMSG_FIRSTHDR(header).as_ref() }?;
    if control.cmsg_level != libc::SOL_SOCKET || control.cmsg_type != libc::SCM_TIMESTAMPNS {
        return None;
    }
    // SAFETY: a message of this type carries one timespec, perhaps unaligned.
    let at = unsafe { libc::CMSG_DATA(control).cast::<libc::timespec>().read_unaligned() };
    Some(Duration::new(u64::try_from(at.tv_sec).ok()?, u32::try_from(at.tv_nsec).ok()?))
}

/// Sends up to [`AT_ONCE`] datagrams in order; says how many left. `Err`: the first did not.
pub(super) fn send(socket: &impl AsRawFd, datagrams: &[(SocketAddr, Bytes)]) -> io::Result<usize> {
    let count = datagrams.len().min(AT_ONCE);
    let nowhere = SockAddr::from(SocketAddr::from(([0, 0, 0, 0], 0)));
    let mut names: [SockAddr; AT_ONCE] = std::array::from_fn(|_| nowhere.clone());
    let mut parts = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; AT_ONCE];
    // SAFETY: all zeros are a valid value of this C structure.
    let mut headers: [libc::mmsghdr; AT_ONCE] = unsafe { mem::zeroed() };
    for (index, (to, bytes)) in datagrams.iter().take(count).enumerate() {
        names[index] = SockAddr::from(*to);
        // The kernel only reads what it sends.
        parts[index] = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        let header = &mut headers[index].msg_hdr;
        header.msg_name = names[index].as_ptr().cast_mut().cast();
        header.msg_namelen = names[index].len();
        header.msg_iov = &raw mut parts[index];
        header.msg_iovlen = 1;
    }
    // SAFETY: the first `count` headers point to buffers that outlive the call, with their true lengths.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count as libc::c_uint,
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::time::Duration;

    fn socket(at: &str) -> UdpSocket {
        let socket = UdpSocket::bind(at).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket
    }

    #[test]
    fn datagrams_arrive_in_order_with_their_senders_over_both_families() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let (here, there) = (socket(at), socket(at));
            let to = here.local_addr().unwrap();
            let letters: Vec<_> = (0..20_u8)
                .map(|number| (to, Bytes::from(vec![number; 1_000 + usize::from(number)])))
                .collect();
            assert_eq!(send(&there, &letters).unwrap(), AT_ONCE);
            assert_eq!(send(&there, &letters[AT_ONCE..]).unwrap(), 4);
            let mut inbox = Inbox::new();
            let mut heard = Vec::new();
            assert_eq!(inbox.receive(&here, |from, bytes| heard.push((from, bytes))).unwrap().count, AT_ONCE);
            assert_eq!(inbox.receive(&here, |from, bytes| heard.push((from, bytes))).unwrap().count, 4);
            let from = there.local_addr().unwrap();
            assert!(heard.iter().map(|(_, bytes)| bytes).eq(letters.iter().map(|(_, bytes)| bytes)));
            assert!(heard.iter().all(|(sender, _)| *sender == from));
            let nothing = inbox.receive(&here, |_, _| unreachable!()).unwrap_err();
            assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[test]
    fn the_kernel_says_when_the_first_datagram_of_a_batch_arrived() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let (here, there) = (socket(at), socket(at));
            ask_for_stamps(&here).unwrap();
            let to = here.local_addr().unwrap();
            let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
            let before = now();
            send(&there, &[(to, Bytes::from_static(b"a"))]).unwrap();
            let after = now();
            send(&there, &[(to, Bytes::from_static(b"b"))]).unwrap();
            let received = Inbox::new().receive(&here, |_, _| {}).unwrap();
            let first_at = received.first_at.unwrap();
            assert!(before <= first_at && first_at <= after, "{before:?} {first_at:?} {after:?}");
        }
    }

    #[test]
    fn the_longest_datagram_is_whole_and_an_empty_one_is_one() {
        let (here, there) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
        let to = here.local_addr().unwrap();
        let longest = Bytes::from(vec![7; 65_507]);
        assert_eq!(send(&there, &[(to, longest.clone()), (to, Bytes::new())]).unwrap(), 2);
        let mut heard = Vec::new();
        Inbox::new().receive(&here, |_, bytes| heard.push(bytes)).unwrap();
        assert_eq!(heard, [longest, Bytes::new()]);
    }
}
