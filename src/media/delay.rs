//! How much one source's packets should be held back: its transit is measured, and its lateness.
//!
//! Packets themselves are kept by [`super::jitter`] and [`super::slots`].

use super::reception::units;
use crate::time::Instant;

/// Clock units of one millisecond at 8 kHz; all bounds here are meant at that clock and scaled.
const NARROW: u32 = 8_000;
/// Least and most delay that is aimed at: 20 and 200 ms.
pub const TARGET_MIN: u32 = 160;
/// See [`TARGET_MIN`].
pub const TARGET_MAX: u32 = 1_600;
/// Kept above the worst lateness measured, for ticks that are not quite on time: 5 ms.
const MARGIN: u32 = 40;
/// How long the least transit is remembered, at least and, twice that, at most: 4 s.
const WINDOW: u32 = 32_000;
/// A transit that moves further than this is the source's clock set anew: 1 s.
const JUMP: u32 = 8_000;

/// See the file's own words. All times in units of the source's clock, wrapping.
#[derive(Clone, Copy, Debug)]
pub struct Delay {
    clock: u32,
    /// Units of the clock for each of 8 kHz.
    scale: u32,
    /// Least transit (arrival minus timestamp) of this window and the last one.
    least: u32,
    least_before: u32,
    window_at: u32,
    /// Worst lateness against the least transit, in 1/256 units, forgotten slowly.
    peak: u32,
}

impl Delay {
    /// Of a source whose timestamps count `clock` units a second, a multiple of 8,000.
    pub const fn new(clock: u32) -> Self {
        Delay { clock, scale: clock / NARROW, least: 0, least_before: 0, window_at: 0, peak: 0 }
    }

    /// A moment by the source's clock.
    pub fn units(&self, now: Instant) -> u32 {
        units(now, self.clock)
    }

    /// So many units of 8 kHz, in those of the clock.
    pub fn scaled(&self, samples: u32) -> u32 {
        samples * self.scale
    }

    /// A source begins, or its clock is set anew; lateness is remembered.
    pub fn restart(&mut self, transit: u32, arrival: u32) {
        (self.least, self.least_before) = (transit, transit);
        self.window_at = arrival;
    }

    /// Whether `transit` cannot be of the same clock.
    pub fn jumped(&self, transit: u32) -> bool {
        later(transit, self.base()).unsigned_abs() > self.scaled(JUMP)
    }

    /// Takes the transit of a packet that arrived at `arrival`.
    pub fn measure(&mut self, transit: u32, arrival: u32) {
        if arrival.wrapping_sub(self.window_at) > self.scaled(WINDOW) {
            self.window_at = arrival;
            self.least_before = self.least;
            self.least = transit;
        } else if later(transit, self.least) < 0 {
            self.least = transit;
        }
        let lateness = later(transit, self.base()).max(0) as u32;
        if lateness > self.scaled(TARGET_MAX) {
            return; // No delay of ours would have saved it: one straggler slows nobody down.
        }
        self.peak = (lateness * 256).max(self.peak - self.peak / 512);
    }

    /// The delay aimed at, in units.
    pub fn target(&self) -> u32 {
        let wanted = self.peak / 256 + self.scaled(MARGIN);
        wanted.clamp(self.scaled(TARGET_MIN), self.scaled(TARGET_MAX))
    }

    /// The timestamp that should be played at `arrival`.
    pub fn want(&self, arrival: u32) -> u32 {
        arrival.wrapping_sub(self.base()).wrapping_sub(self.target())
    }

    fn base(&self) -> u32 {
        match later(self.least, self.least_before) < 0 {
            true => self.least,
            false => self.least_before,
        }
    }
}

/// How much later `a` is than `b`, in units, on a clock that wraps.
pub fn later(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}
