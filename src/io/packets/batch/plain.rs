//! A call of the kernel per packet: for where io_uring is not to be had.

use std::io;

use super::{Habit, Hear, Letter, Port, RECEIVED_MAX};
use crate::io::media::PortRange;
use crate::io::packets::stamp;
use crate::media::order::PortSlot;

pub(super) struct Plain {
    room: [u8; RECEIVED_MAX],
}

impl Default for Plain {
    fn default() -> Self {
        Plain { room: [0; RECEIVED_MAX] }
    }
}

impl Plain {
    pub(super) fn receive(
        &mut self,
        ports: &[Port],
        range: &PortRange,
        habits: &mut [Habit],
        hear: Hear,
    ) -> io::Result<()> {
        for port in ports {
            let Some(pair) = range.pair(PortSlot(port.0)) else { continue };
            let habit = &mut habits[port.place()];
            let mut hits = 0;
            for _ in 0..habit.ask() {
                // An error is emptiness, or an ICMP echo of something sent, taken off by this call.
                let Ok(arrival) = stamp::receive(&pair.rtp, &mut self.room) else { break };
                hits += 1;
                hear(*port, arrival.from, arrival.at, &self.room[..arrival.length.min(RECEIVED_MAX)]);
            }
            habit.eager = hits > 1;
        }
        Ok(())
    }
}

/// How many the kernel did not take.
pub(super) fn send(letters: &[Letter], range: &PortRange) -> u64 {
    let sent = |letter: &&Letter| {
        let pair = range.pair(PortSlot(letter.port.0));
        pair.is_some_and(|pair| pair.rtp.send_to(&letter.bytes[..letter.length], letter.to).is_ok())
    };
    (letters.len() - letters.iter().filter(sent).count()) as u64
}
