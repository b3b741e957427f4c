//! The endpoint held against raw messages: calls in and out, races, strays, and its bounds.

mod bodies;
mod door;
mod incoming;
mod offers;
mod outgoing;
mod registrar;
mod wire;
