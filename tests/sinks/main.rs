//! Ticket sinks, seen from the office: what arrives, in which order, how often, and signed by whom.

mod asked;
mod contract;
mod engine;
mod feeds;
mod house;
mod http;
mod immediate;
mod jsonl;
#[path = "../real_call/line.rs"]
#[allow(dead_code)]
mod line;
mod look_ups;
mod post;
mod removed;
mod stub;
