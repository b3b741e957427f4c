//! Where a call under way may be put through to: the plan's own peers and seats, and nobody else.
//!
//! A number that nobody wrote into the plan is not reached, whoever asks: this house is no open relay.

use std::sync::Arc;

use super::people::ExpertGroup;
use super::plan::{Peer, Plan};
use crate::id::SeatId;

/// Where a call may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// A sub-center, retained seats, a department, another platform or an emergency peer, by its trunk.
    Peer(Peer),
    /// A clerk's telephone.
    Seat(SeatId),
    /// Whoever of these experts is free.
    Group(Arc<ExpertGroup>),
}

impl Plan {
    /// Whom a `sip:`, `sips:` or `tel:` URI, or a bare number, names among those that a call may be put
    /// through to. Matching is exact, in all the forms that a number of ours comes in.
    ///
    /// Lines that are queued for are not reached by a trunk: a caller goes there by queueing.
    pub fn reach(&self, target: &str) -> Option<Reached> {
        if let Some(number) = self.city.shortest(target) {
            let number = number.as_str();
            let platform = || self.peers.get(number).map(|own| &own.peer);
            let asked = self.emergency.get(number).or_else(|| self.departments.get(number));
            if let Some(peer) = asked.or_else(platform) {
                return Some(Reached::Peer(peer.clone()));
            }
            let line = self.line_of(number);
            if let Some(peer) = line.and_then(|line| line.mode.peer()) {
                return Some(Reached::Peer(peer.clone()));
            }
            if let Some(group) = self.experts.get(line.map_or(number, |line| line.number.as_str())) {
                return Some(Reached::Group(group.clone()));
            }
        }
        let user = target.split_once(':').map_or(target, |(_, rest)| rest);
        let user = user.split(['@', ';', ':']).next().unwrap_or_default();
        let scheme = target.split_once(':').map_or("sip", |(scheme, _)| scheme);
        let is_sip = ["sip", "sips"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        self.seats.get(user).filter(|_| is_sip).map(|seat| Reached::Seat(seat.id.clone()))
    }
}
