//! Whose packets are believed: symmetric RTP that works behind NAT and cannot be stolen.
//!
//! The signalled address is believed until packets that hang together come from the signalling
//! peer's own address, or from the signalled host by another port; then that source is locked.
//! A locked source changes by renegotiation only, so a stranger who speaks first, faster or later
//! is never heard (the attacks known as RTP bleed and RTP injection).

use std::net::{IpAddr, SocketAddr};

use super::rtp::Header;

/// Packets in sequence, of one SSRC, after which a source is locked.
pub const CONSISTENT: u8 = 4;
/// Packets in sequence that another port must send, not one from the signalled address among them,
/// once that has been heard: who is merely faster gets nothing. 5 s of sound.
const INSTEAD: u8 = 250;
/// Telephones of a forked call whose sound is refused while another's is believed; the oldest is
/// forgotten beyond.
const LEFT_MAX: usize = 4;

/// What to do with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// To be heard.
    Believed,
    /// To be heard, and its source is locked from now on.
    Locked,
    /// Perhaps the peer behind NAT: not heard yet.
    Waiting,
    /// Not the peer. `first`: none was told before.
    Stranger {
        /// Whether this is the first one.
        first: bool,
    },
}

/// One leg's belief.
#[derive(Clone, Debug)]
pub struct Latch {
    signalled: SocketAddr,
    peer: IpAddr,
    locked: Option<SocketAddr>,
    own: Option<Run>,
    other: Option<Run>,
    stranger_told: bool,
    /// Of a forked call's other telephones: signalled address, and the source where one was locked.
    left: Vec<(SocketAddr, SocketAddr)>,
}

/// Packets that hang together.
#[derive(Clone, Copy, Debug)]
struct Run {
    source: SocketAddr,
    ssrc: u32,
    next: u16,
    length: u8,
}

impl Run {
    /// Takes a packet into `run`, which begins anew where it does not fit; how long it is then.
    fn take(run: &mut Option<Run>, source: SocketAddr, header: &Header) -> u8 {
        let next = header.sequence.wrapping_add(1);
        let length = match run {
            Some(run) if run.source == source && run.ssrc == header.ssrc && run.next == header.sequence => {
                run.length.saturating_add(1)
            }
            _ => 1,
        };
        *run = Some(Run { source, ssrc: header.ssrc, next, length });
        length
    }
}

impl Latch {
    /// Believes `signalled`; `peer` is where the signalling comes from.
    pub fn new(signalled: SocketAddr, peer: IpAddr) -> Self {
        Latch {
            signalled,
            peer,
            locked: None,
            own: None,
            other: None,
            stranger_told: false,
            left: Vec::new(),
        }
    }

    /// Another telephone takes the last one's place, perhaps behind the same host: the last one is
    /// refused from now on, until it comes back.
    pub fn succeed(&mut self, signalled: SocketAddr, peer: IpAddr) {
        let mut left = std::mem::take(&mut self.left);
        if self.signalled != signalled {
            left.push((self.signalled, self.destination()));
        }
        left.retain(|(other, _)| *other != signalled);
        if left.len() > LEFT_MAX {
            left.remove(0);
        }
        *self = Latch { left, stranger_told: self.stranger_told, ..Latch::new(signalled, peer) };
    }

    /// Whether this is what is believed in already.
    pub fn expects(&self, signalled: SocketAddr, peer: IpAddr) -> bool {
        self.signalled == signalled && self.peer == peer
    }

    /// Judges a packet with a payload type that was negotiated.
    pub fn judge(&mut self, from: SocketAddr, header: &Header) -> Verdict {
        if let Some(locked) = self.locked {
            return match locked == from {
                true => Verdict::Believed,
                false => self.refuse(),
            };
        }
        if from == self.signalled {
            self.other = None;
            return match Run::take(&mut self.own, from, header) >= CONSISTENT {
                true => self.lock(from),
                false => Verdict::Believed,
            };
        }
        if from.ip() != self.peer && from.ip() != self.signalled.ip() {
            return self.refuse();
        }
        if self.left.iter().any(|(other, source)| *other == from || *source == from) {
            return self.refuse();
        }
        let wanted = if self.own.is_some() { INSTEAD } else { CONSISTENT };
        match Run::take(&mut self.other, from, header) >= wanted {
            true => self.lock(from),
            false => Verdict::Waiting,
        }
    }

    /// Whether a packet from `from` would not be refused as a stranger's; nothing is learned of it.
    pub fn may_speak(&self, from: SocketAddr) -> bool {
        let left = || self.left.iter().any(|(other, source)| *other == from || *source == from);
        match self.locked {
            Some(locked) => from == locked,
            None if from == self.signalled => true,
            None => (from.ip() == self.signalled.ip() || from.ip() == self.peer) && !left(),
        }
    }

    /// Whether a report from `from` may be the peer's: once locked, only the same host's.
    pub fn may_report(&self, from: SocketAddr) -> bool {
        match self.locked {
            Some(locked) => from.ip() == locked.ip(),
            None => from.ip() == self.signalled.ip() || from.ip() == self.peer,
        }
    }

    /// The locked source.
    pub fn locked(&self) -> Option<SocketAddr> {
        self.locked
    }

    /// Where to send: the locked source, until then the signalled address.
    pub fn destination(&self) -> SocketAddr {
        self.locked.unwrap_or(self.signalled)
    }

    /// Refuses a packet of somebody else.
    pub fn refuse(&mut self) -> Verdict {
        Verdict::Stranger { first: !std::mem::replace(&mut self.stranger_told, true) }
    }

    fn lock(&mut self, source: SocketAddr) -> Verdict {
        self.locked = Some(source);
        Verdict::Locked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNALLED: &str = "10.0.0.5:4000";
    const NAT: &str = "192.0.2.1:61000";
    const STRANGER: &str = "198.51.100.9:4000";

    fn latch() -> Latch {
        Latch::new(address(SIGNALLED), address(NAT).ip())
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn judge(latch: &mut Latch, from: &str, sequence: u16, ssrc: u32) -> Verdict {
        let header = Header { marker: false, payload_type: 8, sequence, timestamp: 0, ssrc };
        latch.judge(address(from), &header)
    }

    #[test]
    fn the_signalled_address_is_heard_at_once_and_soon_locked() {
        let mut latch = latch();
        for sequence in [65_534, 65_535, 0] {
            assert_eq!(judge(&mut latch, SIGNALLED, sequence, 1), Verdict::Believed);
        }
        assert_eq!(judge(&mut latch, SIGNALLED, 1, 1), Verdict::Locked);
        assert_eq!(latch.locked(), Some(address(SIGNALLED)));
        let late = judge(&mut latch, NAT, 5, 1);
        assert_eq!(late, Verdict::Stranger { first: true });
    }

    #[test]
    fn a_phone_behind_nat_is_believed_when_its_packets_hang_together() {
        let mut latch = latch();
        for sequence in 10..13 {
            assert_eq!(judge(&mut latch, NAT, sequence, 1), Verdict::Waiting);
        }
        assert_eq!(latch.destination(), address(SIGNALLED));
        assert_eq!(judge(&mut latch, NAT, 13, 1), Verdict::Locked);
        assert_eq!(latch.destination(), address(NAT));
        assert_eq!(judge(&mut latch, NAT, 14, 1), Verdict::Believed);
    }

    #[test]
    fn packets_that_do_not_hang_together_lock_nothing() {
        // (source, sequence, SSRC): gaps, other sources, other ports.
        let mut latch = latch();
        for n in 0..100_u16 {
            assert_eq!(judge(&mut latch, NAT, n * 2, 1), Verdict::Waiting);
        }
        for n in 0..100_u16 {
            assert_eq!(judge(&mut latch, NAT, n, u32::from(n)), Verdict::Waiting);
        }
        for n in 0..100_u16 {
            let from = format!("192.0.2.1:{}", 5_000 + n % 2);
            assert_eq!(judge(&mut latch, &from, n, 1), Verdict::Waiting);
        }
        assert_eq!(latch.locked(), None);
    }

    #[test]
    fn another_port_of_the_host_is_believed_only_if_the_signalled_one_falls_silent() {
        let other = "10.0.0.5:4002";
        let mut latch = latch();
        assert_eq!(judge(&mut latch, SIGNALLED, 0, 1), Verdict::Believed);
        // Faster by far, while the signalled stream loses every fourth packet and so never hangs together.
        let mut fast = 0;
        for n in (0..40_u16).filter(|n| n % 4 != 3) {
            for _ in 0..20 {
                assert_eq!(judge(&mut latch, other, fast, 9), Verdict::Waiting);
                fast += 1;
            }
            assert_eq!(judge(&mut latch, SIGNALLED, n, 1), Verdict::Believed);
        }
        assert_eq!(latch.locked(), None);
        for n in 0..INSTEAD - 1 {
            assert_eq!(judge(&mut latch, other, 2_000 + u16::from(n), 9), Verdict::Waiting, "{n}");
        }
        assert_eq!(judge(&mut latch, other, 2_000 + u16::from(INSTEAD) - 1, 9), Verdict::Locked);
    }

    #[test]
    fn a_telephone_that_lost_a_fork_is_refused_until_it_wins_after_all() {
        let [a, b] = ["10.0.0.5:4000", "10.0.0.5:4002"];
        let mut latch = Latch::new(address(a), address(NAT).ip());
        (0..4).for_each(|n| assert_ne!(judge(&mut latch, NAT, n, 1), Verdict::Stranger { first: true }));
        assert_eq!(latch.locked(), Some(address(NAT)));
        latch.succeed(address(b), address(NAT).ip());
        for source in [NAT, a] {
            for n in 4..12 {
                assert!(matches!(judge(&mut latch, source, n, 1), Verdict::Stranger { .. }), "{source} {n}");
            }
        }
        assert_eq!(judge(&mut latch, b, 1, 2), Verdict::Believed);
        latch.succeed(address(a), address(NAT).ip());
        (20..23).for_each(|n| assert_eq!(judge(&mut latch, NAT, n, 1), Verdict::Waiting));
        assert_eq!(judge(&mut latch, NAT, 23, 1), Verdict::Locked);
        assert!(matches!(judge(&mut latch, b, 9, 2), Verdict::Stranger { .. }));
        for port in 5_000..5_020 {
            latch.succeed(SocketAddr::new(address(a).ip(), port), address(NAT).ip());
        }
        assert_eq!(latch.left.len(), LEFT_MAX);
    }

    #[test]
    fn a_stranger_first_faster_or_later_gets_nothing_and_is_told_once() {
        let mut latch = latch();
        let first = judge(&mut latch, STRANGER, 0, 9);
        assert_eq!(first, Verdict::Stranger { first: true });
        for n in 1..50 {
            let again = judge(&mut latch, STRANGER, n, 9);
            assert_eq!(again, Verdict::Stranger { first: false });
        }
        for n in 0..4 {
            judge(&mut latch, SIGNALLED, n, 1);
            judge(&mut latch, STRANGER, n, 1);
        }
        assert_eq!(latch.locked(), Some(address(SIGNALLED)));
        let port = judge(&mut latch, "10.0.0.5:4002", 4, 1);
        assert_eq!(port, Verdict::Stranger { first: false });
        assert!(latch.may_report(address("10.0.0.5:4001")));
        assert!(!latch.may_report(address(STRANGER)));
        assert!(!latch.may_report(address(NAT)));
    }
}
