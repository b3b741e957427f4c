//! A plan taken over by a running engine, seen from outside: by signal, by watch, by HTTP; back to an earlier
//! one; and two hundred callers who notice nothing.

mod back;
#[path = "../api/client.rs"]
#[allow(dead_code, reason = "each test target uses a part of it")]
mod client;
mod crowd;
#[path = "../sinks/engine.rs"]
mod engine;
mod house;
mod secrets;
mod security;
mod taken;
