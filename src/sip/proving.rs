//! Whether a trunk's hops are there: OPTIONS now and then, and what their answers say (RFC 3261 §11).
//!
//! How many results turn a hop from up to down and back is kept in `trunks`.

use std::net::SocketAddr;

use super::build::Draft;
use super::dialog::MAX_FORWARDS;
use super::endpoint::{Due, Endpoint, Source, User};
use super::event::{Event, TrunkConfig};
use super::method::Method;
use super::name::Name;
use super::transport::Hop;
use super::writing::host_of;
use crate::id::TrunkId;
use crate::time::Now;

/// One OPTIONS of ours: whom it asks, and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proving {
    pub(super) trunk: TrunkId,
    addr: SocketAddr,
    number: u64,
}

impl Endpoint {
    /// Something about a trunk is due.
    pub(super) fn handle_trunk_timeout(&mut self, trunk: &TrunkId, now: Now) {
        self.handle_registration_timeout(trunk, now);
        let due = |config: &TrunkConfig| Some((config.clone(), config.probe?));
        if let Some((config, probe)) = self.trunk(trunk).and_then(due) {
            for hop in &config.hops {
                let number = self.dice.next_u64();
                let known = self.trunks.get_mut(trunk);
                let known =
                    known.and_then(|state| state.hops.iter_mut().find(|known| known.addr == hop.addr));
                let Some(unanswered) = known.and_then(|known| known.take_probe(&probe, number, now.mono))
                else {
                    continue;
                };
                if unanswered {
                    // Timer F would need 32 s to say so; the next one's turn is enough.
                    self.note_alive(&config, hop.addr, false);
                }
                self.ask_hop(&config, hop, number, now);
            }
        }
        self.wake_trunk(trunk);
    }

    /// Sets a trunk's timer to what it wants.
    pub(super) fn wake_trunk(&mut self, trunk: &TrunkId) {
        let due = self.trunks.get(trunk).and_then(|state| state.poll_timeout());
        self.agenda.set(&Due::Trunk(trunk.clone()), due);
    }

    fn ask_hop(&mut self, trunk: &TrunkConfig, hop: &Hop, number: u64, now: Now) {
        let Some(listener) = self.listener_for(hop) else { return };
        let Some(to) = self.trunk_request(&Method::Options, trunk, hop, listener) else { return };
        let (draft, key) = to;
        let call_id = format!("{}@{}", self.dice.hex(16), host_of(&self.config, listener));
        let target = host_towards(trunk, hop);
        let user = trunk.account.as_ref().map_or(String::new(), |account| format!("{}@", account.user));
        let from = format!("<sip:{user}{}>;tag={}", host_of(&self.config, listener), self.dice.hex(16));
        let draft = draft
            .header("From", from)
            .header("To", format!("<sip:{target}>"))
            .header("Call-ID", call_id)
            .header("CSeq", "1 OPTIONS");
        let draft = self.sign(draft, listener).header("Accept", "application/sdp");
        let bytes = self.vouch(draft, Some(&trunk.trunk), &Method::Options).finish();
        let user = Proving { trunk: trunk.trunk.clone(), addr: hop.addr, number };
        let way = Source { listener, peer: hop.addr };
        self.request(User::Proving(Box::new(user)), key, way, bytes, now);
    }

    /// A request to a trunk outside any dialog, so far with its Via, and the key of its answers.
    /// `None` where the tables are full: calls come first.
    pub(super) fn trunk_request(
        &mut self,
        method: &Method,
        trunk: &TrunkConfig,
        hop: &Hop,
        listener: usize,
    ) -> Option<(Draft, super::transaction::Key)> {
        if self.table.len() >= self.config.limits.transactions_max {
            return None;
        }
        let uri = format!("sip:{}", host_towards(trunk, hop));
        let (via, key) = self.branch(listener, method);
        let draft = Draft::request(method, uri.as_bytes())
            .header("Via", via)
            .header_number(Name::MaxForwards, MAX_FORWARDS);
        Some((draft, key))
    }

    /// A final answer to an OPTIONS, or 408 for none. Whatever it says, it is a sign of life, but for
    /// 503, which a peer that drains gives too, and 408, which a proxy gives for a server that is not.
    pub(super) fn handle_proved(&mut self, proving: &Proving, status: u16, now: Now) {
        let _ = now;
        let Some(trunk) = self.trunk(&proving.trunk).cloned() else { return };
        let known = self.trunks.get_mut(&proving.trunk);
        let Some(hop) = known.and_then(|state| state.hops.iter_mut().find(|hop| hop.addr == proving.addr))
        else {
            return;
        };
        // One that was counted as unanswered has had its say.
        if hop.asked.take_if(|asked| *asked == proving.number).is_some() {
            self.note_alive(&trunk, proving.addr, !matches!(status, 408 | 503));
        }
    }

    fn note_alive(&mut self, trunk: &TrunkConfig, addr: SocketAddr, alive: bool) {
        if let Some(up) = self.trunks.note(trunk, addr, alive) {
            self.tell(Event::TrunkHealth { trunk: trunk.trunk.clone(), up });
        }
    }

    /// ICMP said that nobody listens at `peer`: its hops need not be waited for.
    pub(super) fn hop_unreachable(&mut self, peer: SocketAddr, now: Now) {
        let has = |trunk: &&TrunkConfig| trunk.hops.iter().any(|hop| hop.addr == peer);
        let trunks: Vec<TrunkConfig> = self.config.trunks.iter().filter(has).cloned().collect();
        for trunk in trunks {
            let known = self.trunks.get_mut(&trunk.trunk);
            let hop = known.and_then(|state| state.hops.iter_mut().find(|hop| hop.addr == peer));
            if hop.is_some_and(|hop| hop.asked.take().is_some()) {
                self.note_alive(&trunk, peer, false);
            }
            self.registrar_unreachable(&trunk.trunk, peer, now);
        }
    }
}

/// Host of a URI towards a trunk: its domain, else the hop's address.
pub(super) fn host_towards(trunk: &TrunkConfig, hop: &Hop) -> String {
    match &*trunk.domain {
        "" => hop.addr.to_string(),
        domain => domain.to_owned(),
    }
}
