//! What the engine asks of the thread that drives it: somewhere to put packets and recorded frames.
//!
//! How they leave (io_uring, plain sends, a disk thread's ring) is for `io` to say.

use std::net::SocketAddr;

use super::order::{FRAME_SAMPLES, PortSlot};
use crate::id::CallId;
use crate::time::Timestamp;

/// One 20 ms frame of linear sound: 160 mono samples at 8 kHz.
pub type Frame = [i16; FRAME_SAMPLES];

/// Which socket of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Channel {
    /// The even port: sound and, with RFC 5761, reports too.
    Rtp,
    /// The odd port: reports.
    Rtcp,
}

/// One bound socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SocketKey {
    /// The pair.
    pub slot: PortSlot,
    /// The one of the two.
    pub kind: Channel,
}

impl SocketKey {
    /// The RTP socket of `slot`.
    pub fn rtp(slot: PortSlot) -> Self {
        SocketKey { slot, kind: Channel::Rtp }
    }

    /// The RTCP socket of `slot`.
    pub fn rtcp(slot: PortSlot) -> Self {
        SocketKey { slot, kind: Channel::Rtcp }
    }
}

/// Where packets go. Must not block; a packet that cannot be sent is dropped.
pub trait Wire {
    /// Sends `packet` (at most `PACKET_MAX` of `rtp` bytes, and `TAIL_MAX` of `srtp` where it is sealed) from `socket` to `to`; copies it.
    fn send(&mut self, socket: SocketKey, to: SocketAddr, packet: &[u8]);

    /// From now on the RTP of `slot` comes from `source` alone and goes there, or (`None`) again from
    /// anywhere. A hint: a wire that does not heed it carries the same packets, at more cost.
    fn lock(&mut self, _slot: PortSlot, _source: Option<SocketAddr>) {}
}

/// Where recorded frames go. Must not block.
pub trait Tape {
    /// A recording begins; `begun` names the moment of its first frame.
    fn begin(&mut self, call: CallId, begun: Timestamp);
    /// The next 20 ms: what the caller says and what the caller hears. `false`: no room, not taken;
    /// the engine then makes up for it with silence before the next frame, so that time stays true.
    fn frame(&mut self, call: CallId, left: &Frame, right: &Frame) -> bool;
    /// The recording is whole; `lost_frames` of it are silence for want of room.
    fn end(&mut self, call: CallId, lost_frames: u64);
    /// Each leg's own sound is wanted too; said once, after `begin`.
    fn tracks(&mut self, _call: CallId) {}
    /// What one leg said in the recording's frame number `at`, from 0: mono, at its own place. What is
    /// not said, or finds no room, is silence there.
    fn track(&mut self, _call: CallId, _leg: u16, _at: u64, _sound: &Frame) {}
    /// Frames `from..until` of the recording hold silence, and why. Told before `end`, in order.
    fn silent(&mut self, _call: CallId, _why: Silence, _from: u64, _until: u64) {}
}

/// Why a recording is silent where people may have spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Silence {
    /// Somebody paused it.
    Paused,
    /// Its frames found no room, or were not made in time.
    Lost,
}
