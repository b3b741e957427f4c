//! The endpoint held against raw messages: calls in and out, races, strays, and its bounds.

mod abuse;
mod bodies;
mod digest_out;
mod door;
mod flows;
mod forks;
mod hunt;
mod incoming;
mod offers;
mod outgoing;
mod pair;
mod refresh;
mod registering;
mod registrar;
mod reliable;
mod trunks;
mod update;
mod weather;
mod wire;
