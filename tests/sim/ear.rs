//! What people hear: prompts found in their earpieces, and one another's voices.

use std::time::Duration;

use hotline::id::PromptId;
use hotline::phone::listen;

use crate::city::City;
use crate::clerk::Who;

/// Samples of a prompt that are looked for: its first two seconds tell it from all others.
const NEEDLE: usize = 16_000;
/// A clean copy after A-law comes to 0.99, another prompt stays below 0.3.
const FOUND: f32 = 0.9;
const RATE: u64 = 8_000;

impl City {
    /// When a prompt began in the caller's ear, from the first sound of the call on.
    pub fn heard_at(&self, who: Who, prompt: &str) -> Option<Duration> {
        self.heard_after(who, prompt, Duration::ZERO)
    }

    /// The same, not before that moment.
    pub fn heard_after(&self, who: Who, prompt: &str, from: Duration) -> Option<Duration> {
        let samples = &self.plan.prompts[&PromptId::from(prompt)].samples;
        let needle = &samples[..samples.len().min(NEEDLE)];
        let hay = self.look_at(who).phone.heard();
        let from = (from.as_millis() as u64 * RATE / 1_000) as usize;
        let found = listen::find(needle, hay, from.min(hay.len()))?;
        let millis = found.at_sample as u64 * 1_000 / RATE;
        (found.score >= FOUND).then_some(Duration::from_millis(millis))
    }

    pub fn heard(&self, who: Who, prompt: &str) -> bool {
        self.heard_at(who, prompt).is_some()
    }

    /// Whether `who` hears the voice of `other` right now.
    pub fn hears(&self, who: Who, other: Who) -> bool {
        let heard = self.look_at(who).phone.heard();
        let last = &heard[heard.len().saturating_sub(1_600)..];
        let hz = (self.look_at(other).tone_hz / 10.0).round() * 10.0;
        last.len() == 1_600 && listen::tone_level(last, hz) > -25.0
    }
}
