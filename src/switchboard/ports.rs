//! The house's RTP port pairs: bound ahead of need, kept bound, and lent to one leg at a time.
//!
//! A pair is reused last-released-last, so that stray packets of an old call have died out.

use std::collections::VecDeque;

use crate::media::order::PortSlot;

/// Pairs that are bound ahead of need.
const AHEAD: usize = 64;

pub(super) struct Ports {
    free: VecDeque<PortSlot>,
    /// Lent, as a bit per slot.
    lent: Vec<bool>,
    /// Pairs in the range.
    range: u32,
    /// Bound, or being bound.
    ordered: u32,
    awaited: u32,
    /// Legs that found none since somebody asked.
    missing: u64,
}

impl Ports {
    pub(super) fn new((first, last): (u16, u16)) -> Self {
        let range = u32::from(last.saturating_sub(first)).div_ceil(2);
        Ports {
            free: VecDeque::new(),
            lent: vec![false; range as usize],
            range,
            ordered: 0,
            awaited: 0,
            missing: 0,
        }
    }

    /// `io` has bound these. A pair that another process holds is just missing from the list.
    pub(super) fn opened(&mut self, slots: Vec<PortSlot>) {
        self.awaited = 0;
        self.free.extend(slots);
    }

    /// How many more to bind, if it is time.
    pub(super) fn wanted(&mut self) -> Option<u32> {
        if self.free.len() >= AHEAD / 2 || self.awaited > 0 || self.ordered >= self.range {
            return None;
        }
        let more =
            u32::try_from(AHEAD).unwrap_or(u32::MAX).max(self.ordered / 2).min(self.range - self.ordered);
        self.ordered += more;
        self.awaited = more;
        Some(more)
    }

    pub(super) fn lend(&mut self) -> Option<PortSlot> {
        let Some(slot) = self.free.pop_front() else {
            self.missing += 1;
            return None;
        };
        if let Some(lent) = self.lent.get_mut(slot.0 as usize) {
            *lent = true;
        }
        Some(slot)
    }

    /// Back from a leg; a second return of one pair changes nothing.
    pub(super) fn release(&mut self, slot: PortSlot) {
        if let Some(lent) = self.lent.get_mut(slot.0 as usize)
            && std::mem::take(lent)
        {
            self.free.push_back(slot);
        }
    }

    pub(super) fn take_missing(&mut self) -> u64 {
        std::mem::take(&mut self.missing)
    }

    pub(super) fn in_use(&self) -> usize {
        self.lent.iter().filter(|lent| **lent).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_reused_last_released_last() {
        let mut ports = Ports::new((20_000, 20_007));
        assert_eq!(ports.wanted(), Some(4));
        assert_eq!(ports.wanted(), None, "one order at a time");
        ports.opened((0..4).map(PortSlot).collect());
        let first = ports.lend().unwrap();
        ports.release(first);
        ports.release(first);
        let next: Vec<_> = std::iter::from_fn(|| ports.lend()).map(|slot| slot.0).collect();
        assert_eq!(next, [1, 2, 3, 0], "twice returned is returned once");
        assert_eq!((ports.lend(), ports.in_use()), (None, 4));
        // The one that ended the list above found none either.
        assert_eq!((ports.take_missing(), ports.take_missing()), (2, 0));
        assert_eq!(ports.wanted(), None, "the range is used up");
    }
}
