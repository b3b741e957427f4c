//! The endpoint held against raw messages: calls in and out, races, strays, and its bounds.

mod abuse;
mod bodies;
mod digest_out;
mod door;
mod flows;
mod forks;
mod headers;
mod hunt;
mod incoming;
mod info;
mod interplay;
mod keys;
mod offers;
mod outgoing;
mod pair;
mod refer;
mod refresh;
mod registering;
mod registrar;
mod reliable;
mod replaces;
mod stories;
mod trunks;
mod update;
mod weather;
mod wire;
