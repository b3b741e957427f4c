//! A leg whose packets are ciphered: what is sent is sealed, what comes is opened first of all.
//!
//! A stranger's packet is told by its source before its seal is looked at, and no packet moves the
//! belief in a source before its seal is found true.

use std::net::SocketAddr;

use super::engine::Engine;
use super::latch::Verdict;
use super::leg::Leg;
use super::order::{Fact, LegConfig, PortSlot};
use super::rtcp::REPORT_MAX;
use super::rtp::PACKET_MAX;
use super::srtp::{Cipher, TAIL_MAX};
use super::wire::{Channel, SocketKey, Wire};

/// Packets up to this length are sealed in a smaller room, which is quicker to clear.
const USUAL: usize = 256;

impl Engine {
    /// Opens a packet that came for the leg of `slot`, if its packets are ciphered: the bytes of it that
    /// are left. `None`: refused.
    pub(super) fn unseal(
        &mut self,
        slot: PortSlot,
        from: SocketAddr,
        packet: &mut [u8],
        report: bool,
    ) -> Option<usize> {
        let leg = self.leg_mut(slot)?;
        let Some(cipher) = &mut leg.cipher else { return Some(packet.len()) };
        let known = match report {
            true => leg.latch.may_report(from),
            false => leg.latch.may_speak(from),
        };
        let opened = match (known, report) {
            _ if packet.len() > PACKET_MAX + TAIL_MAX => None,
            (false, _) => None,
            (true, true) => cipher.open_rtcp(packet),
            (true, false) => cipher.open_rtp(packet),
        };
        if opened.is_none() {
            leg.refused += 1;
            if !known && !report && leg.latch.refuse() == (Verdict::Stranger { first: true }) {
                let leg = leg.id;
                self.facts.push_back(Fact::StrangerRefused { leg, source: from });
            }
        }
        opened
    }
}

impl Leg {
    /// Keys for a leg that opens.
    pub(super) fn cipher(config: &LegConfig) -> Option<Box<Cipher>> {
        config.srtp.as_ref().map(|srtp| Box::new(Cipher::new(srtp)))
    }

    /// Goes over to the keys of `config`, which is not in force yet.
    pub(super) fn rekey(&mut self, config: &LegConfig) {
        match (&self.config.srtp, &config.srtp, &mut self.cipher) {
            (Some(before), Some(after), Some(cipher)) => cipher.change(before, after, config.new_peer),
            _ => self.cipher = Leg::cipher(config),
        }
    }

    /// Sends an RTP packet, sealed where the leg's are.
    pub(super) fn transmit(&mut self, packet: &[u8], wire: &mut impl Wire) {
        match packet.len() {
            _ if self.cipher.is_none() => wire.send(self.rtp(), self.latch.destination(), packet),
            0..=USUAL => self.seal::<{ USUAL + TAIL_MAX }>(packet, wire),
            _ => self.seal::<{ PACKET_MAX + TAIL_MAX }>(packet, wire),
        }
    }

    fn seal<const N: usize>(&mut self, packet: &[u8], wire: &mut impl Wire) {
        let Some(cipher) = &mut self.cipher else { return };
        let mut sealed = [0; N];
        let Some(room) = sealed.get_mut(..packet.len()) else { return };
        room.copy_from_slice(packet);
        if let Some(length) = cipher.seal_rtp(&mut sealed, packet.len()) {
            wire.send(self.rtp(), self.latch.destination(), &sealed[..length]);
        }
    }

    /// Sends a report of ours, sealed where the leg's are.
    pub(super) fn transmit_report(&mut self, packet: &[u8], wire: &mut impl Wire) {
        let kind = if self.config.rtcp_mux { Channel::Rtp } else { Channel::Rtcp };
        let (from, to) = (SocketKey { slot: self.config.slot, kind }, self.report_to());
        let Some(cipher) = &mut self.cipher else {
            return wire.send(from, to, packet);
        };
        let mut sealed = [0; REPORT_MAX + TAIL_MAX];
        let Some(room) = sealed.get_mut(..packet.len()) else { return };
        room.copy_from_slice(packet);
        if let Some(length) = cipher.seal_rtcp(&mut sealed, packet.len()) {
            wire.send(from, to, &sealed[..length]);
        }
    }
}
