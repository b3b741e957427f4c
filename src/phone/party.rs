//! A phone on real sockets: how `io`'s packet mover takes hold of one.

use std::io;
use std::net::SocketAddr;

use super::{Output, Phone, PhoneConfig, PhoneEvent};
use crate::io::packets::{Channel, Mover, Outgoing, Party, PartyKey, Sockets};
use crate::time::{Instant, Now};

impl Party for Phone {
    type Event = PhoneEvent;

    fn handle_packet(&mut self, at: Channel, from: SocketAddr, bytes: &[u8], now: Now) {
        match at {
            Channel::Sip => self.handle_sip(from, bytes, now),
            Channel::Rtp | Channel::Rtcp => self.handle_rtp(from, bytes, now),
        }
    }

    fn handle_timeout(&mut self, now: Now) {
        Phone::handle_timeout(self, now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Phone::poll_timeout(self)
    }

    fn poll_output(&mut self) -> Option<Outgoing<PhoneEvent>> {
        let packet = |by, to, bytes| Outgoing::Packet { by, to, bytes };
        Some(match Phone::poll_output(self)? {
            Output::Sip { to, bytes } => packet(Channel::Sip, to, bytes),
            Output::Rtp { to, bytes } => packet(Channel::Rtp, to, bytes),
            Output::Rtcp { to, bytes } => packet(Channel::Rtcp, to, bytes),
            Output::Event(event) => Outgoing::Event(event),
        })
    }
}

impl Mover<Phone> {
    /// Puts a phone for `user` on sockets of its own, toward `server`; `set` changes its settings.
    pub fn plug_in(
        &mut self,
        user: &str,
        server: SocketAddr,
        set: impl FnOnce(&mut PhoneConfig),
    ) -> io::Result<PartyKey> {
        let sockets = Sockets::open_toward(server)?;
        let (sip, rtp) = (sockets.address(Channel::Sip)?, sockets.address(Channel::Rtp)?);
        let mut config = PhoneConfig::new(user, sip, rtp, server);
        set(&mut config);
        let dice = self.dice();
        self.add(Phone::new(config, dice), sockets)
    }
}
