//! Sound: RTP in, jitter buffers, codecs, bridges, prompts and recordings as frames, RTP out.
//!
//! Knows no SIP, call, queue or file. A media thread of `io` owns one [`engine`] and gives it
//! packets and ticks.

pub mod bank;
mod conceal;
mod dtmf;
pub mod engine;
mod feedback;
pub mod g711;
mod jitter;
mod latch;
mod leg;
mod mos;
pub mod order;
mod packer;
mod player;
mod reception;
mod record;
mod roster;
mod rtcp;
mod rtp;
mod sender;
mod serve;
mod watch;
pub mod wire;

pub use bank::SoundBank;
pub use engine::Engine;
pub use order::{Fact, LegConfig, LegFigures, Order};
pub use wire::{Channel, Frame, SocketKey, Tape, Wire};
