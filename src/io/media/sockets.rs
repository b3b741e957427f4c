//! Pairs of UDP sockets, RTP even and RTCP odd, bound on demand from the configured range and kept
//! for the life of the process; and what the process must be granted to hold them.
//!
//! Once a leg's source is locked, a second socket on the same port is connected to it: the kernel
//! prefers it, and a connected socket is cheaper by a quarter both ways. Whoever else sends to the
//! port still reaches the open socket, and is counted.
//!
//! Which leg has which pair is for the rooms below to say; who reads them, for the shells.
#![allow(unsafe_code)]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};

use socket2::{Domain, Protocol, Socket, Type};

use super::outbox::Parcel;
use crate::media::order::PortSlot;
use crate::media::{Channel, SocketKey};

/// Expedited forwarding (RFC 3246, RFC 4594 §4.1): DSCP 46 in the upper six bits of the octet.
const DSCP_EXPEDITED: u32 = 46 << 2;
/// Stale packets thrown away from one socket when a leg opens; who floods it further is refused as a stranger.
const DRAINED_MAX: usize = 512;
/// Files beside the calls': listeners, database, logs, timers, web clients.
const FILES_BESIDE_CALLS: u64 = 256;
/// Files of one call: two legs with three sockets each, and a recording.
const FILES_PER_CALL: u64 = 7;

/// One leg's sockets.
#[derive(Debug)]
pub struct PortPair {
    /// Its place in the range.
    pub slot: PortSlot,
    /// The even port.
    pub rtp: UdpSocket,
    /// The odd one.
    pub rtcp: UdpSocket,
    v6: bool,
    /// Asked for when a source is locked or a shell takes over, never per packet.
    direct: Mutex<Option<Arc<Direct>>>,
}

/// A socket on a pair's even port that is connected to a leg's locked source.
#[derive(Debug)]
pub struct Direct {
    /// The socket.
    pub socket: UdpSocket,
    /// What it is connected to.
    pub source: SocketAddr,
}

impl Direct {
    /// Whether a packet leaves by it.
    pub fn carries(&self, parcel: &Parcel) -> bool {
        parcel.socket.kind == Channel::Rtp && parcel.to == self.source
    }
}

impl PortPair {
    /// Whether the sockets speak IPv6 (and IPv4 mapped into it).
    pub fn is_v6(&self) -> bool {
        self.v6
    }

    /// The socket of `channel`.
    pub fn socket(&self, channel: Channel) -> &UdpSocket {
        match channel {
            Channel::Rtp => &self.rtp,
            Channel::Rtcp => &self.rtcp,
        }
    }

    /// Both descriptors, RTP first.
    pub fn descriptors(&self) -> [RawFd; 2] {
        [self.rtp.as_raw_fd(), self.rtcp.as_raw_fd()]
    }

    /// The socket connected to the locked source, if there is one.
    pub fn direct(&self) -> Option<Arc<Direct>> {
        self.direct.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens a socket connected to `source` beside the open one, or (`None`) lets go of it; it is
    /// closed when no shell holds it any more.
    pub fn connect(&self, source: Option<SocketAddr>) -> io::Result<Option<Arc<Direct>>> {
        let direct = match source {
            Some(source) => Some(Arc::new(Direct { socket: self.connected(source)?, source })),
            None => None,
        };
        self.direct.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&direct);
        Ok(direct)
    }

    fn connected(&self, source: SocketAddr) -> io::Result<UdpSocket> {
        let open = socket2::SockRef::from(&self.rtp);
        let here = self.rtp.local_addr()?;
        let socket = prepared(here)?;
        // Both sockets allow it for just this moment: the port stays ours alone.
        open.set_reuse_address(true)?;
        let bound = socket.set_reuse_address(true).and_then(|()| socket.bind(&here.into()));
        open.set_reuse_address(false)?;
        bound?;
        socket.set_reuse_address(false)?;
        let to = match source {
            SocketAddr::V4(v4) if self.v6 => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            other => other,
        };
        socket.connect(&to.into())?;
        Ok(socket.into())
    }

    /// Throws away what an earlier leg's peer still sent.
    pub fn drain(&self) {
        let mut waste = [0; 16];
        for socket in [&self.rtp, &self.rtcp] {
            for _ in 0..DRAINED_MAX {
                if socket.recv_from(&mut waste).is_err_and(|error| {
                    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
                }) {
                    break;
                }
            }
        }
    }
}

/// The range of ports, and the pairs opened from it.
#[derive(Debug)]
pub struct PortRange {
    bind: IpAddr,
    first: u16,
    slots: u32,
    next: u32,
    /// Slots that somebody else held when we came by: tried again once the range is through.
    taken: Vec<u32>,
    pairs: Vec<Option<Arc<PortPair>>>,
}

impl PortRange {
    /// Ports `first..=last` on `bind`. An odd `first` is left out.
    pub fn new(bind: IpAddr, first: u16, last: u16) -> Self {
        let first = first.checked_add(first % 2).unwrap_or(u16::MAX - 1);
        let slots = (u32::from(last) + 1).saturating_sub(u32::from(first)) / 2;
        PortRange { bind, first, slots, next: 0, taken: Vec::new(), pairs: Vec::new() }
    }

    /// How many pairs the range has.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// The RTP port of `slot`.
    pub fn port(&self, slot: PortSlot) -> u16 {
        self.first.saturating_add((2 * slot.0) as u16)
    }

    /// The opened pair of `slot`.
    pub fn pair(&self, slot: PortSlot) -> Option<&Arc<PortPair>> {
        self.pairs.get(slot.0 as usize)?.as_ref()
    }

    /// Binds up to `count` more pairs, lowest first. Ports that others hold are stepped over and
    /// tried again once the range is through. Fewer come back when the range or the process's
    /// files are exhausted; a later call tries anew.
    pub fn open(&mut self, count: u32) -> Vec<PortSlot> {
        let mut opened = Vec::new();
        let mut second_tries = std::mem::take(&mut self.taken).into_iter();
        while (opened.len() as u32) < count {
            let slot = if self.next < self.slots {
                self.next += 1;
                self.next - 1
            } else if let Some(slot) = second_tries.next() {
                slot
            } else {
                break;
            };
            match self.bind_pair(slot) {
                Ok(pair) => {
                    let index = slot as usize;
                    if self.pairs.len() <= index {
                        self.pairs.resize(index + 1, None);
                    }
                    self.pairs[index] = Some(Arc::new(pair));
                    opened.push(PortSlot(slot));
                }
                Err(error) => {
                    self.taken.push(slot);
                    if is_exhausted(&error) {
                        break;
                    }
                }
            }
        }
        self.taken.extend(second_tries);
        opened
    }

    /// How many pairs, up to `most`, nobody holds: each is bound and let go again. A few microseconds each.
    pub fn free(&self, most: u32) -> u32 {
        let mut free = 0;
        for slot in 0..self.slots {
            if free == most {
                break;
            }
            free += u32::from(self.bind_pair(slot).is_ok());
        }
        free
    }

    fn bind_pair(&self, slot: u32) -> io::Result<PortPair> {
        let port = self.port(PortSlot(slot));
        Ok(PortPair {
            slot: PortSlot(slot),
            rtp: bind(SocketAddr::new(self.bind, port))?,
            rtcp: bind(SocketAddr::new(self.bind, port + 1))?,
            v6: self.bind.is_ipv6(),
            direct: Mutex::new(None),
        })
    }
}

/// Whether the process is out of something, so that the next port would fail as well.
fn is_exhausted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = prepared(address)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn prepared(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // Marking is a courtesy to routers; a container may forbid it.
    let _ = socket.set_tos_v4(DSCP_EXPEDITED); // An IPv6 socket too: what goes to IPv4 peers asks this one.
    if address.is_ipv6() {
        let _ = socket.set_tclass_v6(DSCP_EXPEDITED);
    }
    Ok(socket)
}

/// Sockets of a pair at most: RTP, RTCP, and RTP of the locked source.
pub const SOCKETS: usize = 3;

/// Where a pair's open sockets are found in the tables of the shells.
pub fn table_index(key: SocketKey) -> usize {
    SOCKETS * key.slot.0 as usize + usize::from(key.kind == Channel::Rtcp)
}

/// Where the socket of its locked source is found.
pub fn direct_index(slot: PortSlot) -> usize {
    SOCKETS * slot.0 as usize + 2
}

/// The inverse of both: the socket, and whether it is the connected one.
pub fn key_at(index: usize) -> (SocketKey, bool) {
    let slot = PortSlot((index / SOCKETS) as u32);
    match index % SOCKETS {
        1 => (SocketKey::rtcp(slot), false),
        place => (SocketKey::rtp(slot), place == 2),
    }
}

/// A socket address as the kernel writes it.
#[derive(Clone, Copy)]
#[repr(C)]
pub union RawAddress {
    family: libc::sa_family_t,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

/// Room that the kernel may fill with an address of a UDP socket of either family.
pub const RAW_ADDRESS_LEN: libc::socklen_t = size_of::<RawAddress>() as libc::socklen_t;

impl RawAddress {
    /// No address.
    pub fn empty() -> Self {
        // SAFETY: all members are plain numbers, for which zero is a value.
        unsafe { std::mem::zeroed() }
    }

    /// `address` for a socket of its own family, or mapped into IPv6 for a socket bound to that.
    /// The second value is the length that the kernel wants to hear.
    pub fn encode(address: SocketAddr, socket_is_v6: bool) -> (Self, libc::socklen_t) {
        let address = match address {
            SocketAddr::V4(v4) if socket_is_v6 => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            other => other,
        };
        let mut raw = RawAddress::empty();
        match address {
            SocketAddr::V4(v4) => {
                raw.v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: v4.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from(*v4.ip()).to_be() },
                    sin_zero: [0; 8],
                };
                (raw, size_of::<libc::sockaddr_in>() as libc::socklen_t)
            }
            SocketAddr::V6(v6) => {
                raw.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: v6.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                    sin6_scope_id: v6.scope_id(),
                };
                (raw, RAW_ADDRESS_LEN)
            }
        }
    }

    /// The address, one mapped into IPv6 given back as IPv4.
    pub fn decode(&self) -> Option<SocketAddr> {
        // SAFETY: every member begins with the family, and all bit patterns are values of all members.
        unsafe {
            match i32::from(self.family) {
                libc::AF_INET => Some(SocketAddr::V4(SocketAddrV4::new(
                    Ipv4Addr::from(u32::from_be(self.v4.sin_addr.s_addr)),
                    u16::from_be(self.v4.sin_port),
                ))),
                libc::AF_INET6 => {
                    let ip = Ipv6Addr::from(self.v6.sin6_addr.s6_addr);
                    let port = u16::from_be(self.v6.sin6_port);
                    Some(match ip.to_ipv4_mapped() {
                        Some(v4) => SocketAddr::V4(SocketAddrV4::new(v4, port)),
                        None => SocketAddr::V6(SocketAddrV6::new(ip, port, 0, self.v6.sin6_scope_id)),
                    })
                }
                _ => None,
            }
        }
    }
}

/// Pairs of ports that `calls` calls at once need: a caller's and a clerk's each.
pub fn needed_pairs(calls: u32) -> u32 {
    calls.saturating_mul(2)
}

/// Open files that `calls` calls at once need.
pub fn needed_files(calls: u32) -> u64 {
    FILES_BESIDE_CALLS + FILES_PER_CALL * u64::from(calls)
}

/// Raises the soft limit of open files to the hard one; what the limit is then.
pub fn raise_file_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` outlives both calls, which read or write just that struct.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) != 0 {
            return Err(io::Error::last_os_error());
        }
        let raised = libc::rlimit { rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max };
        if libc::setrlimit(libc::RLIMIT_NOFILE, &raised) != 0 {
            return Ok(limit.rlim_cur);
        }
    }
    Ok(limit.rlim_max)
}

/// Asks for real-time priority for the calling thread, and for sleeps that end when they are due.
pub fn go_real_time() -> io::Result<()> {
    let wanted = libc::sched_param { sched_priority: 10 };
    // SAFETY: the first call takes plain numbers; `wanted` outlives the second, and 0 is this thread.
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, 1_000 as libc::c_ulong);
        if libc::sched_setscheduler(0, libc::SCHED_FIFO, &wanted) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn pairs_are_even_and_odd_and_held_ports_are_stepped_over() {
        let mut range = PortRange::new(HERE, 13_001, 13_009);
        assert_eq!(range.slots(), 4, "13002 to 13009");
        let held = UdpSocket::bind((HERE, 13_005)).unwrap();
        assert_eq!((range.free(9), range.free(2)), (3, 2), "slot 1 is held");
        assert_eq!(range.open(2), [PortSlot(0), PortSlot(2)]);
        let pair = range.pair(PortSlot(2)).unwrap();
        assert_eq!(pair.rtp.local_addr().unwrap().port(), 13_006);
        assert_eq!(pair.rtcp.local_addr().unwrap().port(), 13_007);
        assert!(range.pair(PortSlot(1)).is_none());
        assert_eq!(range.open(5), [PortSlot(3)], "slot 1 is still held");
        drop(held);
        assert_eq!(range.open(1), [PortSlot(1)], "and is taken once it is free");
        assert_eq!(range.open(1), [], "the range is through");
    }

    /// The traffic class that the next packet to `socket` came with: IP_TOS or IPV6_TCLASS.
    fn class_of_next(socket: &UdpSocket) -> i32 {
        let mut byte = [0u8; 16];
        let mut room = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: byte.len() };
        let mut control = [0u64; 16];
        // SAFETY: all members are plain numbers or pointers, for which zero is a value.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        (message.msg_iov, message.msg_iovlen) = (&mut room, 1);
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control) as _;
        // SAFETY: the buffers outlive the call, and `message` names their lengths; the kernel's control
        // messages are walked by its own macros, which stay inside of what it says it wrote.
        unsafe {
            assert!(libc::recvmsg(socket.as_raw_fd(), &mut message, 0) > 0, "{}", io::Error::last_os_error());
            let mut next = libc::CMSG_FIRSTHDR(&message);
            while let Some(header) = next.as_ref() {
                match (header.cmsg_level, header.cmsg_type) {
                    (libc::IPPROTO_IP, libc::IP_TOS) => return i32::from(*libc::CMSG_DATA(header)),
                    (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                        return libc::CMSG_DATA(header).cast::<i32>().read_unaligned();
                    }
                    _ => next = libc::CMSG_NXTHDR(&message, header),
                }
            }
        }
        panic!("no traffic class came with the packet");
    }

    #[test]
    fn packets_leave_marked_for_expedited_forwarding_whatever_family_they_go_by() {
        let peer = |ip: IpAddr| {
            let socket = UdpSocket::bind((ip, 0)).unwrap();
            socket.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
            let asks = socket2::SockRef::from(&socket);
            match ip {
                IpAddr::V4(_) => asks.set_recv_tos_v4(true).unwrap(),
                IpAddr::V6(_) => asks.set_recv_tclass_v6(true).unwrap(),
            }
            socket
        };
        let (four, six) = (peer(HERE), peer(Ipv6Addr::LOCALHOST.into()));
        let any = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        for (bind, first, peers) in [(HERE, 13_040, vec![&four]), (any, 13_044, vec![&four, &six])] {
            let mut range = PortRange::new(bind, first, first + 3);
            let slot = range.open(1)[0];
            let pair = range.pair(slot).unwrap();
            for (channel, peer) in [Channel::Rtp, Channel::Rtcp]
                .into_iter()
                .flat_map(|channel| peers.iter().map(move |peer| (channel, *peer)))
            {
                let asks = socket2::SockRef::from(pair.socket(channel));
                assert_eq!(asks.tos_v4().unwrap(), 46 << 2);
                let (to, len) = RawAddress::encode(peer.local_addr().unwrap(), bind.is_ipv6());
                // SAFETY: `to` is an address of `len` bytes, and both outlive the call.
                let sent = unsafe {
                    let to: *const RawAddress = &to;
                    let fd = pair.socket(channel).as_raw_fd();
                    libc::sendto(fd, b"x".as_ptr().cast(), 1, 0, to.cast(), len)
                };
                assert_eq!(sent, 1, "{}", io::Error::last_os_error());
                assert_eq!(class_of_next(peer) >> 2, 46, "{bind} to {:?}", peer.local_addr());
            }
        }
    }

    #[test]
    fn what_was_sent_to_an_earlier_leg_is_thrown_away() {
        let mut range = PortRange::new(HERE, 13_020, 13_021);
        range.open(1);
        let pair = range.pair(PortSlot(0)).unwrap();
        let sender = UdpSocket::bind((HERE, 0)).unwrap();
        for _ in 0..3 {
            sender.send_to(b"stale", (HERE, 13_020)).unwrap();
            sender.send_to(b"stale", (HERE, 13_021)).unwrap();
        }
        pair.drain();
        for socket in [&pair.rtp, &pair.rtcp] {
            let error = socket.recv_from(&mut [0; 8]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[test]
    fn addresses_survive_the_kernels_form() {
        for text in ["192.0.2.7:4000", "[2001:db8::1]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(RawAddress::encode(address, false).0.decode(), Some(address));
            let (mapped, len) = RawAddress::encode(address, true);
            assert_eq!(mapped.decode(), Some(address), "through a dual-stack socket");
            assert_eq!(len, RAW_ADDRESS_LEN);
        }
        assert_eq!(RawAddress::empty().decode(), None);
    }

    #[test]
    fn keys_and_table_places_match() {
        for key in [SocketKey::rtp(PortSlot(3)), SocketKey::rtcp(PortSlot(3))] {
            assert_eq!(key_at(table_index(key)), (key, false));
        }
    }

    #[test]
    fn a_locked_source_has_a_socket_of_its_own_and_the_port_stays_ours() {
        let mut range = PortRange::new(HERE, 13_040, 13_041);
        range.open(1);
        let pair = range.pair(PortSlot(0)).unwrap();
        let [source, stranger] = [(); 2].map(|()| UdpSocket::bind((HERE, 0)).unwrap());
        let direct = pair.connect(Some(source.local_addr().unwrap())).unwrap().unwrap();
        for socket in [&source, &stranger] {
            socket.send_to(b"sound", (HERE, 13_040)).unwrap();
        }
        let mut buffer = [0; 8];
        assert_eq!(direct.socket.recv(&mut buffer).unwrap(), 5);
        assert_eq!(pair.rtp.recv_from(&mut buffer).unwrap().1, stranger.local_addr().unwrap());
        let theft = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        theft.set_reuse_address(true).unwrap();
        let refused = theft.bind(&SocketAddr::new(HERE, 13_040).into()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        pair.connect(None).unwrap();
        drop(direct);
        source.send_to(b"again", (HERE, 13_040)).unwrap();
        assert_eq!(pair.rtp.recv_from(&mut buffer).unwrap().1, source.local_addr().unwrap());
    }

    #[test]
    fn a_thousand_calls_need_seven_thousand_files_and_some() {
        assert_eq!(needed_files(1_000), 7_256);
        assert!(raise_file_limit().unwrap() >= 256);
    }
}
