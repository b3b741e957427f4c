//! Trunks that are named, not numbered: a name server of the test's own on loopback, the lookups of
//! `io::resolver`, and calls of a whole engine that go where the names lead.

#[path = "../engine/mod.rs"]
mod engine;

mod calls;
mod lookups;
mod server;
