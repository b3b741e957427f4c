//! Legs in figures.

use serde::{Deserialize, Serialize};

/// A leg in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Sound {
    /// What it was coded in, as SDP writes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub codec: String,
    /// RTP packets in.
    pub received: u64,
    /// RTP packets out.
    pub sent: u64,
    /// Lost on the way in.
    pub lost: u64,
    /// Came too late to be heard.
    pub late: u64,
    /// Came twice.
    pub duplicate: u64,
    /// From strangers, or malformed.
    pub refused: u64,
    /// Microseconds.
    pub jitter_us: u32,
    /// Longest time between two packets, milliseconds.
    pub gap_max_ms: u32,
    /// By RTCP, microseconds; 0: not known.
    pub round_trip_us: u32,
    /// E-model × 100; 0: nothing was heard.
    pub mos_x100: u16,
    /// In bridges, milliseconds of packets without a sound, as far as they were told.
    pub mute_ms: u32,
    /// In bridges, milliseconds without packets, as far as they were told.
    pub unheard_ms: u32,
    /// What the other end's own reports say of what it got from us; `None`: it sent none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Outbound>,
}

/// The way out in figures, as who hears it reports them (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Outbound {
    /// Packets that should have come there.
    pub expected: u64,
    /// Of those, lost.
    pub lost: u64,
    /// Microseconds.
    pub jitter_us: u32,
    /// E-model × 100.
    pub mos_x100: u16,
    /// Reports that could not be true.
    pub nonsense: u32,
}

impl Sound {
    /// Of what should have been heard, the part that was not: 0 to 1. `None`: nothing should have.
    pub fn missed(&self) -> Option<f64> {
        let expected = self.received.saturating_sub(self.duplicate) + self.lost;
        part(self.lost + self.late, expected)
    }
}

impl Outbound {
    /// Of what should have come there, the part that did not: 0 to 1. `None`: nothing should have.
    pub fn missed(&self) -> Option<f64> {
        part(self.lost, self.expected)
    }
}

fn part(missed: u64, expected: u64) -> Option<f64> {
    (expected > 0).then(|| missed.min(expected) as f64 / expected as f64)
}
