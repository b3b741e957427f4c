//! Signalling: messages, transactions, dialogs and the endpoint that owns them (RFC 3261).
//!
//! Knows no sound, menu or socket. A SIP Call-ID never leaves this room: the rooms above know a
//! [`SessionId`], and for traces an opaque wire reference in [`Invited`].

mod auth;
pub mod build;
mod check;
mod dialect;
mod dialog;
pub mod digest;
mod door;
mod ending;
pub mod endpoint;
mod endpoint_requests;
pub mod event;
pub mod fault;
pub mod header;
pub mod message;
pub mod method;
pub mod name;
pub mod name_addr;
mod nonce;
mod offers;
mod registrar;
mod responses;
pub mod scan;
pub mod sdp;
mod sdp_text;
mod session;
pub mod transaction;
pub mod transport;
mod uac;
mod uas;
pub mod uri;
pub mod via;
pub mod wire_ref;
mod writing;

pub use build::{Draft, reason_phrase};
pub use endpoint::Endpoint;
pub use event::{Config, Event, Invited, Output, Packet, SessionId};
pub use fault::{Fault, HeaderError, ParseError};
pub use header::CSeq;
pub use message::Message;
pub use method::Method;
pub use name::Name;
pub use name_addr::{Contacts, NameAddr};
pub use transport::{Hop, Transport};
pub use uri::Uri;
pub use via::Via;
pub use wire_ref::WireRef;
