//! The endpoint held against raw messages: calls in and out, races, strays, and its bounds.

mod abuse;
mod bodies;
mod digest_out;
mod door;
mod flows;
mod hunt;
mod incoming;
mod offers;
mod outgoing;
mod registering;
mod registrar;
mod trunks;
mod wire;
