//! The sound of one of many telephones at once: RTP made from a loop, and checked as it comes.
//!
//! What a phone of its own does with sound costs microseconds a packet; here are thousands of
//! streams in one thread, so a packet is a header and a copy on its way out, and a look at its header
//! on its way in. Nothing is allocated per packet. When a packet leaves is for the owner to say.

mod ear;
mod mos;
mod voice;

pub use ear::{Ear, EarCount, Heard, Kept};
pub use mos::mos;
pub use voice::{FRAME, Loop, Voice};
