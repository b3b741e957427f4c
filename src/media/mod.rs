//! Sound: RTP in, jitter buffers, codecs, bridges, prompts and recordings as frames, RTP out.
//!
//! Knows no SIP, call, queue or file. A media thread of `io` owns one [`engine`] and gives it
//! packets and ticks.

pub mod order;

pub use order::{Fact, LegConfig, Order};
