//! Sound: RTP in, jitter buffers, codecs, bridges, prompts and recordings as frames, RTP out.
//!
//! Knows no SIP, call, queue or file. A media thread of `io` owns one [`engine`] and gives it
//! packets and ticks.

pub mod bank;
pub mod codec;
mod comfort;
pub mod conceal;
pub mod conference;
mod decoder;
pub mod delay;
mod dtmf;
mod encoder;
pub mod engine;
mod feedback;
pub mod g711;
pub mod inband;
pub mod jitter;
mod latch;
mod leg;
mod meeting;
pub mod mixer;
mod mos;
mod moving;
pub mod order;
mod packer;
mod player;
mod reception;
pub mod record;
pub mod resample;
mod rest;
mod roster;
mod rtcp;
pub(crate) mod rtp;
mod sealing;
mod sender;
mod serve;
#[cfg(feature = "opus")]
pub mod slots;
pub mod srtp;
mod tones;
mod watch;
pub mod wire;

pub use bank::SoundBank;
pub use engine::Engine;
pub use moving::Departed;
pub use order::{Fact, LegConfig, LegFigures, Order};
pub use wire::{Channel, Frame, Silence, SocketKey, Tape, Wire};
