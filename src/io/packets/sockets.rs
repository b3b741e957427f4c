//! The three sockets of one telephone: SIP, RTP on an even port, RTCP on the odd one above it.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Pairs tried before giving up: the kernel draws ports at random, half of them even.
const PAIRS_TRIED: usize = 200;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Signalling.
    Sip,
    /// Sound.
    Rtp,
    /// Reports on it.
    Rtcp,
}

impl Channel {
    /// All three, in the order of their numbers.
    pub const ALL: [Channel; 3] = [Channel::Sip, Channel::Rtp, Channel::Rtcp];
}

/// Sockets that never wait.
#[derive(Debug)]
pub struct Sockets {
    sip: UdpSocket,
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

impl Sockets {
    /// Ports of the kernel's choice at `ip`.
    pub fn open(ip: IpAddr) -> io::Result<Self> {
        let socket = |port| -> io::Result<UdpSocket> {
            let socket = UdpSocket::bind(SocketAddr::new(ip, port))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let sip = socket(0)?;
        for _ in 0..PAIRS_TRIED {
            let rtp = socket(0)?;
            let port = rtp.local_addr()?.port();
            if port % 2 == 0
                && let Ok(rtcp) = socket(port + 1)
            {
                return Ok(Sockets { sip, rtp, rtcp });
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no even port with its odd one free"))
    }

    /// Ports at the address by which this machine reaches `server`.
    pub fn open_toward(server: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr =
            if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let scout = UdpSocket::bind(any)?;
        scout.connect(server)?; // Sends nothing: the kernel only picks the way.
        Self::open(scout.local_addr()?.ip())
    }

    /// One of them.
    pub fn socket(&self, channel: Channel) -> &UdpSocket {
        match channel {
            Channel::Sip => &self.sip,
            Channel::Rtp => &self.rtp,
            Channel::Rtcp => &self.rtcp,
        }
    }

    /// Where it is bound.
    pub fn address(&self, channel: Channel) -> io::Result<SocketAddr> {
        self.socket(channel).local_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_has_an_even_port_and_its_reports_the_one_above() {
        let sockets = Sockets::open_toward("127.0.0.1:5060".parse().unwrap()).unwrap();
        let [sip, rtp, rtcp] = Channel::ALL.map(|channel| sockets.address(channel).unwrap());
        assert!(sip.ip().is_loopback() && rtp.ip().is_loopback());
        assert_eq!((rtp.port() % 2, rtcp.port()), (0, rtp.port() + 1));
        assert_ne!(sip.port(), rtp.port());
    }
}
