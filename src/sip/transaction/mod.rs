//! The four transaction machines (RFC 3261 §17 with RFC 6026), one file each.
//!
//! A machine holds the bytes it may have to send again and the times of its RFC-lettered timers,
//! nothing else: who its peer is, and who wants to hear of it, is kept by the endpoint. Over
//! a reliable transport (`rely`) A, E and G never run, and D, I, J and K are zero: due at once, so that
//! what the machine has to tell is told first.

use std::time::Duration;

mod invite_client;
mod invite_server;
mod non_invite_client;
mod non_invite_server;
mod table;

pub use invite_client::InviteClient;
pub use invite_server::InviteServer;
pub use non_invite_client::NonInviteClient;
pub use non_invite_server::NonInviteServer;
pub use table::{Entry, Fingerprint, Key, Machine, Ran, Table};

/// Estimate of the round trip.
pub const T1: Duration = Duration::from_millis(500);
/// Longest interval between retransmissions of a non-INVITE request or an INVITE's response.
pub const T2: Duration = Duration::from_secs(4);
/// Longest time that a message stays in the network.
pub const T4: Duration = Duration::from_secs(5);
/// 64·T1: timers B, F, H, J, L and M. D is "at least 32 s", which this is.
pub const PATIENCE: Duration = Duration::from_secs(32);

/// What a machine wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Send the stored bytes.
    Send,
    /// Hand the message just taken to the transaction's user.
    Tell,
    /// Tell the user that the peer stayed silent (B, F or H).
    TimeOut,
    /// Forget the machine.
    Done,
}

const ORDER: [Act; 4] = [Act::Send, Act::Tell, Act::TimeOut, Act::Done];

/// The acts that wait to be drained: a set, as no machine wants one twice after one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Acts(u8);

impl Acts {
    fn push(&mut self, act: Act) {
        self.0 |= 1 << act as u8;
    }

    /// Sending comes first, forgetting last.
    fn pop(&mut self) -> Option<Act> {
        let act = *ORDER.get(self.0.trailing_zeros() as usize)?;
        self.0 &= self.0 - 1;
        Some(act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_leave_in_order_and_once() {
        let mut acts = Acts::default();
        for act in [Act::Done, Act::Tell, Act::Send, Act::Tell] {
            acts.push(act);
        }
        let drained: Vec<Act> = std::iter::from_fn(|| acts.pop()).collect();
        assert_eq!(drained, [Act::Send, Act::Tell, Act::Done]);
    }

    #[test]
    fn a_machine_fits_in_two_cache_lines() {
        assert!(size_of::<InviteClient>() <= 80, "{}", size_of::<InviteClient>());
        assert!(size_of::<InviteServer>() <= 80);
        assert!(size_of::<NonInviteClient>() <= 80);
        assert!(size_of::<NonInviteServer>() <= 80);
    }
}
