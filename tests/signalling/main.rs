//! The endpoint held against raw messages: calls in and out, races, strays, and its bounds.

mod door;
mod forks;
mod incoming;
mod offers;
mod outgoing;
mod pair;
mod refresh;
mod registrar;
mod reliable;
mod update;
mod weather;
mod wire;
