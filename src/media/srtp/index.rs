//! Packet indices: rollover counters guessed from sequence numbers, and windows that let each index
//! through once (RFC 3711 §3.3.1, §3.3.2, appendix A).

/// So many indices behind the highest are told apart; older ones count as used. The RFC asks for 64.
pub const WINDOW: u64 = 128;

/// The indices of one stream that were used. RTP's have 48 bits, RTCP's 31.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    highest: Option<u64>,
    /// Bit n: `highest - n` was used.
    used: u128,
}

impl Window {
    /// Whether no index was used yet.
    pub fn is_empty(&self) -> bool {
        self.highest.is_none()
    }

    /// The index nearest to the highest that ends in `sequence`; the first one's rollover counter is
    /// zero. `None`: before the stream's beginning.
    pub fn guess(&self, sequence: u16) -> Option<u64> {
        let sequence = u64::from(sequence);
        let Some(highest) = self.highest else {
            return Some(sequence);
        };
        let (rollover, last) = (highest >> 16, highest & 0xffff);
        let rollover = match last < 0x8000 {
            true if sequence > last + 0x8000 => rollover.checked_sub(1)?,
            false if sequence < last - 0x8000 => rollover + 1,
            _ => rollover,
        };
        Some(rollover << 16 | sequence)
    }

    /// Whether `index` was not used and is not too old to know.
    pub fn is_new(&self, index: u64) -> bool {
        match self.highest {
            Some(highest) if index <= highest => {
                highest - index < WINDOW && self.used >> (highest - index) & 1 == 0
            }
            _ => true,
        }
    }

    /// `index` is used from now on.
    pub fn mark(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => {
                if highest - index < WINDOW {
                    self.used |= 1 << (highest - index);
                }
            }
            Some(highest) => {
                let moved = index - highest;
                self.used = if moved < WINDOW { self.used << moved | 1 } else { 1 };
                self.highest = Some(index);
            }
            None => (self.highest, self.used) = (Some(index), 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(highest: u64) -> Window {
        let mut window = Window::default();
        window.mark(highest);
        window
    }

    #[test]
    fn rollover_counters_are_guessed_as_appendix_a_says() {
        // Highest so far, a sequence number, its index.
        let rows = [
            (0, 1, Some(1)),
            (65_530, 65_535, Some(65_535)),
            (65_530, 3, Some(0x1_0003)),
            (0x1_0003, 65_531, Some(65_531)),
            (0x1_0003, 4, Some(0x1_0004)),
            (0x1_7fff, 0xffff, Some(0x1_ffff)),
            (0x1_7ffe, 0xffff, Some(0xffff)),
            (0x1_8000, 0, Some(0x1_0000)),
            (0x1_8001, 0, Some(0x2_0000)),
            (3, 65_535, None),
            (0xffff_ffff_0003, 65_535, Some(0xffff_fffe_ffff)),
        ];
        for (highest, sequence, index) in rows {
            assert_eq!(at(highest).guess(sequence), index, "{highest:#x} {sequence:#x}");
        }
        assert_eq!(Window::default().guess(65_535), Some(65_535), "the first one's counter is zero");
    }

    #[test]
    fn each_index_is_let_through_once_and_none_that_is_too_old_to_know() {
        let mut window = Window::default();
        let order = [70_000, 70_003, 70_001, 70_120, 70_002];
        for index in order {
            assert!(window.is_new(index), "{index}");
            window.mark(index);
            assert!(!window.is_new(index), "{index} again");
        }
        assert!(!window.is_new(70_000), "used, and still known");
        assert!(window.is_new(70_004) && window.is_new(70_119));
        window.mark(70_132);
        assert!(!window.is_new(70_004), "128 behind");
        assert!(window.is_new(70_005), "127 behind");
        window.mark(80_000);
        assert!(window.is_new(79_999) && !window.is_new(70_132));
        window.mark(10);
        assert!(!window.is_new(10));
    }
}
