//! The media engine as values: orders, packets and ticks in; packets, frames and facts out.
//! Peers read and write RTP and RTCP by code of their own.

mod bridge;
mod dtmf;
mod hold;
mod latch;
mod missing;
mod packets;
mod prompts;
mod ptime;
mod reception;
mod recording;
mod renegotiation;
mod rtcp;
mod silence;
mod stage;
