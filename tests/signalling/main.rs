//! The endpoint held against raw messages: calls in and out, races, strays, and its bounds.

mod door;
mod headers;
mod incoming;
mod info;
mod offers;
mod outgoing;
mod refer;
mod registrar;
mod replaces;
mod wire;
