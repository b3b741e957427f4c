//! What people hear: prompts found in their earpieces, and one another's voices.

use std::time::Duration;

use hotline::id::PromptId;
use hotline::phone::{Codec, listen};

use crate::city::City;
use crate::clerk::Who;

/// Samples of a prompt that must be there, each exactly: the first two seconds.
const NEEDLE: usize = 16_000;
const RATE: u64 = 8_000;

impl City {
    /// When a prompt began in the caller's ear, from the first sound of the call on.
    pub fn heard_at(&self, who: Who, prompt: &str) -> Option<Duration> {
        self.heard_after(who, prompt, Duration::ZERO)
    }

    /// The same, not before that moment.
    ///
    /// The city's sound network is fair wherever this is asked, so the prompt comes through A-law
    /// sample by sample; a correlation would take longer than all the rest of the city.
    pub fn heard_after(&self, who: Who, prompt: &str, from: Duration) -> Option<Duration> {
        let samples = &self.plan.prompts[&PromptId::from(prompt)].samples;
        let through = |sample: &i16| Codec::Pcma.decode(Codec::Pcma.encode(*sample));
        let needle: Vec<i16> = samples.iter().take(NEEDLE).map(through).collect();
        let hay = self.look_at(who).phone.heard();
        let from = ((from.as_millis() as u64 * RATE / 1_000) as usize).min(hay.len());
        let at = hay[from..].windows(needle.len()).position(|window| window == needle)?;
        Some(Duration::from_millis((from + at) as u64 * 1_000 / RATE))
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
