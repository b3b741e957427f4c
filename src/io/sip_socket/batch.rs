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

/// Has the kernel say with each datagram when it arrived, and how many found no room so far.
pub(super) fn ask_for_notes(socket: &impl AsRawFd) -> io::Result<()> {
    for option in [libc::SO_TIMESTAMPNS, libc::SO_RXQ_OVFL] {
        let on: libc::c_int = 1;
        // SAFETY: the descriptor is open, and `on` outlives the call, whose length argument is its size.
        let done = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const on).cast(),
                mem::size_of::<libc::c_int>() as libc::socklen_t,
            )
        };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Where datagrams are received; pages that no datagram reached cost no memory.
pub(super) struct Inbox {
    room: Box<[u8]>,
}

/// One system call's worth.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// Datagrams.
    pub(super) count: usize,
    /// When the first of them arrived, since 1970, where the kernel says so.
    pub(super) first_at: Option<Duration>,
    /// Datagrams that had found no room when the first arrived, in this socket's life; it wraps.
    pub(super) lost: Option<u32>,
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
        // Only the first one's notes are wanted. Words, so that it is aligned as the kernel writes it.
        let mut control = [0_u64; 16];
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
        let mut received = Received { count: got, ..Received::default() };
        if got > 0 {
            read_notes(&headers[0].msg_hdr, &mut received);
        }
        Ok(received)
    }
}

/// The kernel's notes in a received header.
fn read_notes(header: &libc::msghdr, received: &mut Received) {
    // SAFETY: the kernel filled in the control buffer and its length, and the buffer is alive.
    let mut note = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: what these two return is null or a whole note within the buffer.
    while let Some(control) = unsafe { note.as_ref() } {
        // SAFETY: as above.
        let data = unsafe { libc::CMSG_DATA(control) };
        match (control.cmsg_level, control.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                // SAFETY: a note of this type carries one timespec, perhaps unaligned.
                let at = unsafe { data.cast::<libc::timespec>().read_unaligned() };
                received.first_at = u64::try_from(at.tv_sec)
                    .ok()
                    .zip(u32::try_from(at.tv_nsec).ok())
                    .map(|(seconds, nanos)| Duration::new(seconds, nanos));
            }
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                // SAFETY: a note of this type carries one u32, perhaps unaligned.
                received.lost = Some(unsafe { data.cast::<u32>().read_unaligned() });
            }
            _ => {}
        }
        // SAFETY: `control` is a note of `header`.
        note = unsafe { libc::CMSG_NXTHDR(header, control) };
    }
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
    fn the_kernel_says_when_the_first_datagram_of_a_batch_arrived_and_how_many_found_no_room() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let (here, there) = (socket(at), socket(at));
            ask_for_notes(&here).unwrap();
            socket2::SockRef::from(&here).set_recv_buffer_size(0).unwrap();
            let to = here.local_addr().unwrap();
            let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
            let before = now();
            send(&there, &[(to, Bytes::from_static(b"a"))]).unwrap();
            let mut inbox = Inbox::new();
            let received = inbox.receive(&here, |_, _| {}).unwrap();
            // The kernel begins to stamp some time after it was asked to: until then it stamps late.
            let (first_at, after) = (received.first_at.unwrap(), now());
            assert!(before <= first_at && first_at <= after, "{before:?} {first_at:?} {after:?}");
            assert_eq!(received.lost.unwrap_or(0), 0);
            for _ in 0..100 {
                send(&there, &[(to, Bytes::from(vec![0; 1_000]))]).unwrap();
            }
            let mut kept = 0;
            while let Ok(received) = inbox.receive(&here, |_, _| {}) {
                kept += received.count;
            }
            send(&there, &[(to, Bytes::from_static(b"b"))]).unwrap();
            let lost = inbox.receive(&here, |_, _| {}).unwrap().lost;
            assert_eq!(lost.map(|lost| lost as usize + kept), Some(100));
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
