//! The HTTP API from outside: who may what, refusals, bodies, the stream of facts, and the document that says so.
//!
//! Most stand before a switchboard and a store without telephones, so that every answer can be had; calls, and
//! deaths of the process, have the engine itself.

mod bodies;
mod client;
mod crowds;
mod document;
#[path = "../sinks/engine.rs"]
mod engine;
mod fixture;
mod holds;
mod kb;
mod letters;
#[allow(dead_code, reason = "each test target uses a part of it")]
#[path = "../real_call/line.rs"]
mod line;
mod notices;
mod people;
mod refusals;
mod reload;
mod requests;
mod resumed;
mod rights;
mod sounds;
mod streams;
#[allow(dead_code, reason = "each test target uses a part of it")]
#[path = "../sinks/stub.rs"]
mod stub;
mod talks;
