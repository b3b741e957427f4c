//! The far ends of legs: telephones that we call, as far as a call's machine can tell.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use hotline::call::Callee;
use hotline::id::LegId;
use hotline::media::order::PortSlot;
use hotline::sip::sdp::{Media, Sdp};

/// Everybody's address.
pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

/// A description with PCMA and telephone-event.
pub fn sdp() -> Arc<Sdp> {
    let media = Media {
        kind: "audio".into(),
        port: 4_000,
        protocol: "RTP/AVP".into(),
        formats: vec!["8".into()],
        ptime: Some(20),
        ..Media::default()
    };
    Arc::new(Sdp { origin: (1, 1), connection: Some(ADDRESS), media: vec![media], ..Sdp::default() })
}

/// One leg's far end.
pub struct Far {
    pub callee: Callee,
    /// It has picked up.
    pub answered: bool,
}

/// Ports that calls have, each once.
#[derive(Default)]
pub struct Ports {
    lent: HashMap<u32, LegId>,
    by_leg: HashMap<LegId, u32>,
    free: Vec<u32>,
    born: u32,
    pub most: usize,
}

impl Ports {
    pub fn lend(&mut self, leg: LegId) -> PortSlot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.born += 1;
            self.born
        });
        self.lent.insert(slot, leg);
        self.by_leg.insert(leg, slot);
        self.most = self.most.max(self.lent.len());
        PortSlot(slot)
    }

    pub fn release(&mut self, slot: PortSlot) {
        let Some(leg) = self.lent.remove(&slot.0) else { panic!("port {} is given back twice", slot.0) };
        self.by_leg.remove(&leg);
        self.free.push(slot.0);
    }

    /// The port of a leg whose sound is over.
    pub fn of(&self, leg: LegId) -> Option<PortSlot> {
        self.by_leg.get(&leg).copied().map(PortSlot)
    }

    pub fn lent(&self) -> usize {
        self.lent.len()
    }
}
