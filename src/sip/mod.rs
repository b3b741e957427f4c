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
mod early;
mod ending;
pub mod endpoint;
mod endpoint_requests;
pub mod event;
mod extensions;
pub mod fault;
mod flows;
pub mod framing;
mod head;
pub mod header;
mod hunt;
mod load;
pub mod message;
pub mod method;
mod multipart;
pub mod name;
pub mod name_addr;
mod nonce;
mod offers;
mod proving;
mod redirects;
mod refresh;
mod registering;
mod registrar;
mod reliable;
mod responses;
pub mod scan;
pub mod sdp;
mod sdp_text;
mod session;
mod sources;
mod start;
pub mod transaction;
pub mod transport;
mod trunks;
mod uac;
mod uas;
mod update;
pub mod uri;
pub mod via;
mod vouching;
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
