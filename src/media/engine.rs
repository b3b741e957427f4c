//! The engine of one media thread: orders, packets and ticks in; packets, frames and facts out.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::bank::SoundBank;
use super::order::{Fact, Order, PortSlot};
use super::roster::Roster;
use super::wire::{SocketKey, Tape, Wire};
use crate::id::Dice;
use crate::time::{Instant, Now};

/// See the module's own words.
pub struct Engine {
    bank: SoundBank,
    dice: Dice,
    /// Whose sockets are read in which tick.
    read: Roster,
    facts: VecDeque<Fact>,
    legs: usize,
}

impl Engine {
    /// An engine without legs.
    pub fn new(bank: SoundBank, dice: Dice) -> Self {
        Engine {
            bank,
            dice,
            read: Roster::default(),
            facts: VecDeque::new(),
            legs: 0,
        }
    }

    /// Takes a bank made by [`SoundBank::with`]: ids handed out before stay valid.
    pub fn set_bank(&mut self, bank: SoundBank) {
        self.bank = bank;
    }

    /// Carries out `order`. Orders about legs that are gone are forgotten.
    pub fn handle_order(
        &mut self,
        order: Order,
        now: Now,
        wire: &mut impl Wire,
        tape: &mut impl Tape,
    ) {
        let _ = (order, now, wire, tape, self.dice.next_u32());
    }

    /// Whose sockets, RTP and RTCP, must be read before [`Engine::tick`] of `phase`.
    pub fn due(&self, phase: u8) -> &[PortSlot] {
        self.read.list(usize::from(phase))
    }

    /// Takes a packet in; a relay's goes out at once, its header rewritten in place.
    pub fn handle_packet(
        &mut self,
        socket: SocketKey,
        from: SocketAddr,
        packet: &mut [u8],
        now: Instant,
        wire: &mut impl Wire,
    ) {
        let _ = (socket, from, packet, now, wire);
    }

    /// Serves `phase`, 0..=3. Ticks come every 5 ms on a schedule of absolute times, `phase` going
    /// round. A late tick makes up for at most `CATCH_UP_MAX` frames, a doubled one does nothing,
    /// so the shell need not count: it may also leave out ticks that it missed.
    pub fn tick(&mut self, phase: u8, now: Instant, wire: &mut impl Wire, tape: &mut impl Tape) {
        let _ = (phase, now, wire, tape);
    }

    /// The next fact.
    pub fn poll_output(&mut self) -> Option<Fact> {
        self.facts.pop_front()
    }

    /// How many legs are open.
    pub fn legs(&self) -> usize {
        self.legs
    }

    /// How many recordings run.
    pub fn recordings(&self) -> usize {
        0
    }
}
