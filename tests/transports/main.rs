//! SIP over real connections: framing, bounds, certificates, and whole calls through the engine's own
//! binary.

mod authority;
mod bounds;
mod calls;
mod client;
mod engine;
mod framing;
mod outgoing;
mod sockets;
