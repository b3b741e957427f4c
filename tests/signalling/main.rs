//! The endpoint held against raw messages: calls in and out, races, strays, and its bounds.

mod digest_out;
mod door;
mod hunt;
mod incoming;
mod offers;
mod outgoing;
mod registering;
mod registrar;
mod trunks;
mod wire;
