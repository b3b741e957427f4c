//! What a listener speaks (RFC 3261 §18), and one place to send to.

use std::net::SocketAddr;
use std::sync::Arc;

/// A transport of RFC 3261 §26.3.1 that we serve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams: lost, doubled and out of order.
    #[default]
    Udp,
    /// A stream.
    Tcp,
    /// A stream within TLS.
    Tls,
}

impl Transport {
    /// Whether the transport itself sees to repetition: A, E and G never run, and D, I, J and K are
    /// zero (RFC 3261 §17).
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }

    /// As Via writes it (RFC 3261 §20.42).
    pub fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// As the `transport` parameter of a URI writes it (RFC 3261 §19.1.1).
    pub fn uri_name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// The port where none is said (RFC 3261 §19.1.2).
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
        }
    }

    /// By its name in a URI or a Via; case does not count.
    pub fn of(name: &[u8]) -> Option<Transport> {
        [Transport::Udp, Transport::Tcp, Transport::Tls]
            .into_iter()
            .find(|transport| name.eq_ignore_ascii_case(transport.uri_name().as_bytes()))
    }
}

/// One place that a target's requests can go: what RFC 3263 makes of a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// How.
    pub transport: Transport,
    /// Where.
    pub addr: SocketAddr,
    /// The name that was looked up: what a TLS certificate must say. `None`: an address was written.
    pub name: Option<Arc<str>>,
    /// Its place among the hops of its target.
    pub rank: Rank,
}

/// Where a hop stands among those of its target, as SRV tells it. Hops that no SRV record stands
/// behind all have the same, and are tried as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rank {
    /// Lower first: services in their order, and in each of them the priorities.
    pub tier: u16,
    /// The record behind it, of which it may be one address among several.
    pub record: u16,
    /// That record's share of the first tries within its tier.
    pub weight: u16,
}

impl Hop {
    /// Whether both lead to the same door, whatever their rank.
    pub fn is_same_door(&self, other: &Hop) -> bool {
        (self.transport, self.addr, &self.name) == (other.transport, other.addr, &other.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            assert_eq!(Transport::of(transport.via_name().as_bytes()), Some(transport));
            assert_eq!(Transport::of(transport.uri_name().as_bytes()), Some(transport));
        }
        assert_eq!(Transport::of(b"sctp"), None);
    }
}
