//! The media engine as values: orders, packets and ticks in; packets, frames and facts out.
//! Peers read and write RTP and RTCP by code of their own.

mod bridge;
mod codecs;
mod comfort;
mod conference;
mod dtmf;
mod hold;
mod inband;
mod latch;
mod libsrtp;
mod missing;
mod packets;
mod prompts;
mod ptime;
mod reception;
mod recording;
mod renegotiation;
mod rtcp;
mod silence;
mod srtp;
mod stage;
