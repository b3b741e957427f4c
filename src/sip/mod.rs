//! Signalling: messages, transactions, dialogs and the endpoint that owns them (RFC 3261).
//!
//! Knows no sound, menu or socket. A SIP Call-ID never leaves this room: the rooms above know a
//! [`SessionId`], and for traces an opaque wire reference in [`Invited`].

pub mod event;
pub mod sdp;
pub mod transaction;

pub use event::{Config, Event, Invited, Output, Packet, SessionId};
