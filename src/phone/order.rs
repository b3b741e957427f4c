//! The sequence numbers of one RTP source: what is next, behind, again or missing (RFC 3550 §A.1).

/// Packets that are remembered for finding duplicates.
const WINDOW: u32 = 128;
/// A step in sequence numbers beyond this begins a new stream.
const STEP_MAX: i32 = 3000;

/// Where a packet belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// After all that came so far.
    Next,
    /// Before one that came already.
    Behind,
    /// It was here before.
    Again,
}

/// The numbers that came so far, extended to 32 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    first: u32,
    highest: u32,
    /// Bit n: `highest - n` was received.
    window: u128,
    unique: u64,
}

impl Order {
    /// From this packet on.
    pub(super) fn begin(sequence: u16) -> Self {
        let sequence = u32::from(sequence) + 0x1_0000; // Room below for what came earlier.
        Order { first: sequence, highest: sequence, window: 1, unique: 1 }
    }

    /// Counts from the highest number on, what came so far forgotten.
    pub(super) fn begin_anew(&mut self) {
        (self.first, self.unique) = (self.highest.wrapping_add(1), 0);
    }

    fn step(&self, sequence: u16) -> i32 {
        i32::from(sequence.wrapping_sub(self.highest as u16) as i16)
    }

    /// Near enough to be of the same stream.
    pub(super) fn continues(&self, sequence: u16) -> bool {
        self.step(sequence).abs() <= STEP_MAX
    }

    /// Takes a number in.
    pub(super) fn place(&mut self, sequence: u16) -> Place {
        let step = self.step(sequence);
        if step > 0 {
            let step = step.unsigned_abs();
            self.highest = self.highest.wrapping_add(step);
            self.window = if step < WINDOW { self.window << step | 1 } else { 1 };
            self.unique += 1;
            return Place::Next;
        }
        let back = step.unsigned_abs();
        if back < WINDOW && self.window >> back & 1 == 1 {
            return Place::Again;
        }
        if back < WINDOW {
            self.window |= 1 << back;
        }
        self.first = self.first.min(self.highest.wrapping_sub(back));
        self.unique += 1;
        Place::Behind
    }

    /// The highest number.
    pub(super) fn highest(&self) -> u32 {
        self.highest
    }

    /// Numbers from the first to the highest.
    pub(super) fn expected(&self) -> u64 {
        u64::from(self.highest.wrapping_sub(self.first).wrapping_add(1))
    }

    /// Numbers among them that did not come.
    pub(super) fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_placed_across_the_wrap_and_what_is_missing_is_counted() {
        let mut order = Order::begin(65_534);
        let places: Vec<Place> = [65_535, 1, 0, 0, 4, 65_534].map(|number| order.place(number)).into();
        use Place::*;
        assert_eq!(places, [Next, Next, Behind, Again, Next, Again]);
        assert_eq!((order.expected(), order.lost()), (7, 2));
        assert!(order.continues(3_004) && !order.continues(3_005));
    }

    #[test]
    fn counting_anew_forgets_what_was_lost_before_and_not_the_place() {
        let mut order = Order::begin(10);
        order.place(20);
        assert_eq!(order.lost(), 9);
        order.begin_anew();
        assert_eq!((order.expected(), order.lost()), (0, 0));
        order.place(21);
        order.place(23);
        assert_eq!((order.expected(), order.lost()), (3, 1));
    }
}
