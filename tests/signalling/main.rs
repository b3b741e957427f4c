//! The endpoint held against raw messages: calls in and out, races, strays, and its bounds.

mod abuse;
mod bodies;
mod door;
mod flows;
mod incoming;
mod offers;
mod outgoing;
mod registrar;
mod wire;
