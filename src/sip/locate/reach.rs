//! What our own listeners can send to: a hop that none of them reaches is no hop.

use std::net::IpAddr;
use std::sync::Arc;

use super::Question;
use crate::sip::event::ListenerConfig;
use crate::sip::transport::{Hop, Transport};

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The question for a name's addresses.
    pub(super) fn question(self, host: &Arc<str>) -> Question {
        match self {
            Family::V4 => Question::A(host.clone()),
            Family::V6 => Question::Aaaa(host.clone()),
        }
    }

    /// Whether an address is of the family.
    pub(super) fn holds(self, ip: IpAddr) -> bool {
        ip.is_ipv4() == (self == Family::V4)
    }
}

/// The listeners, as seen by somebody who looks for a way out.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    listeners: Vec<ListenerConfig>,
}

impl Reach {
    /// By these listeners, in the operator's order.
    pub fn of(listeners: &[ListenerConfig]) -> Self {
        Reach { listeners: listeners.to_vec() }
    }

    /// Whether one of them speaks `transport`.
    pub fn speaks(&self, transport: Transport) -> bool {
        self.listeners.iter().any(|listener| listener.transport == transport)
    }

    /// The families that `transport` is spoken in; the operator's first comes first (RFC 7984 §4
    /// asks for both and leaves their order to local policy).
    pub fn families(&self, transport: Transport) -> Vec<Family> {
        let mut families = Vec::new();
        for listener in self.listeners.iter().filter(|listener| listener.transport == transport) {
            let family = if listener.bind.is_ipv4() { Family::V4 } else { Family::V6 };
            if !families.contains(&family) {
                families.push(family);
            }
        }
        families
    }

    /// Whether a listener can send there and it is not our own door: calls would go in circles.
    pub(super) fn reaches(&self, hop: &Hop) -> bool {
        self.families(hop.transport).iter().any(|family| family.holds(hop.addr.ip()))
            && !self.listeners.iter().any(|own| is_own(own, hop))
    }
}

fn is_own(own: &ListenerConfig, hop: &Hop) -> bool {
    let (ip, bound) = (hop.addr.ip(), own.bind.ip());
    let here = ip == bound || ip == own.advertise || bound.is_unspecified() && ip.is_loopback();
    here && own.transport == hop.transport && own.bind.port() == hop.addr.port()
}
