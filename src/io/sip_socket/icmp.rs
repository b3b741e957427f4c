//! ICMP errors of a UDP socket that is not connected: asked for, and read off its error queue.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;

/// Errors read in one go.
const BURST: usize = 64;

/// Asks the kernel to keep ICMP errors in the socket's error queue.
pub(super) fn ask(socket: &socket2::Socket) -> io::Result<()> {
    let on: libc::c_int = 1;
    let v6 = socket.local_addr().is_ok_and(|at| at.is_ipv6());
    let (level, option) =
        if v6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) } else { (libc::IPPROTO_IP, libc::IP_RECVERR) };
    // SAFETY: the descriptor is open, and `on` outlives the call, whose length argument is its size.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const on).cast(),
            mem::size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads the queue: for each error, where the datagram was going.
pub(super) fn read(socket: &impl AsRawFd, mut tell: impl FnMut(SocketAddr)) {
    for _ in 0..BURST {
        // SAFETY: all zeros are valid values of these C structures.
        let mut to: libc::sockaddr_storage = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut header: libc::msghdr = unsafe { mem::zeroed() };
        let mut byte = [0_u8; 1];
        let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: byte.len() };
        let mut control = [0_u64; 64];
        header.msg_name = (&raw mut to).cast();
        header.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = mem::size_of_val(&control) as _;
        // SAFETY: `header` points to buffers on this stack frame with their true lengths.
        let got = unsafe {
            libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT)
        };
        if got < 0 {
            return;
        }
        if let Some(peer) = address(&to) {
            tell(peer);
        }
    }
}

fn address(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage holds a sockaddr_in.
            let v4 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddr::new(IpAddr::V4(ip), u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that the storage holds a sockaddr_in6.
            let v6 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddr::new(IpAddr::V6(ip), u16::from_be(v6.sin6_port)))
        }
        _ => None,
    }
}
