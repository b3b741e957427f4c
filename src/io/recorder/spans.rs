//! Stretches of a recording, in order and bounded in number.

use crate::media::order::FRAME_SAMPLES;

/// Stretches that are kept of one recording; beyond it the last one grows over those that follow.
const SPANS_MAX: usize = 128;

/// Frames from and until, in order, apart from one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<(u64, u64)>);

/// Stretches that a recording has room for from its beginning: the media thread adds them.
const ROOM: usize = 8;

impl Spans {
    /// None yet, with room for some.
    pub fn with_room() -> Spans {
        Spans(Vec::with_capacity(ROOM))
    }

    /// Adds frames `from..until`. What touches the last stretch, or finds no room, is one with it.
    pub fn add(&mut self, from: u64, until: u64) {
        let full = self.0.len() >= SPANS_MAX;
        match self.0.last_mut() {
            _ if from >= until => {}
            Some(last) if full || from <= last.1 => last.1 = last.1.max(until),
            _ => self.0.push((from, until)),
        }
    }

    /// The stretches of both.
    pub fn joined(mut self, mut other: Spans) -> Spans {
        self.0.append(&mut other.0);
        self.0.sort_unstable();
        let mut joined = Spans::default();
        for (from, until) in self.0 {
            joined.add(from, until);
        }
        joined
    }

    /// In samples.
    pub fn samples(&self) -> Vec<(u64, u64)> {
        let frame = FRAME_SAMPLES as u64;
        self.0.iter().map(|(from, until)| (from * frame, until * frame)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_and_many_stay_bounded() {
        let mut spans = Spans::default();
        for (from, until) in [(0, 2), (2, 3), (7, 7), (10, 12)] {
            spans.add(from, until);
        }
        let mut others = Spans::default();
        others.add(5, 6);
        others.add(11, 20);
        let joined = spans.joined(others);
        assert_eq!(joined, Spans(vec![(0, 3), (5, 6), (10, 20)]));
        assert_eq!(joined.samples()[1], (800, 960));
        let mut many = Spans::default();
        (0..10_000).for_each(|n| many.add(2 * n, 2 * n + 1));
        assert_eq!(many.0.len(), SPANS_MAX);
        assert_eq!(many.0.last(), Some(&(254, 19_999)), "none of it is forgotten");
    }
}
