//! `hotline`: a SIP/RTP call-routing engine for a city's 12345 government hotline.
//!
//! The rooms below are listed from the ground floor up. A room uses only rooms listed before it,
//! as far as `tests/layers.rs` allows; facts go up, orders go down, and both turn round in
//! [`switchboard`] only. Everything below [`io`] takes input and time as values and hands out
//! what to do.

pub use hotline_plan::{id, routing, time};

pub mod media;
pub mod sip;

pub mod ledger;
pub mod tickets;

pub mod acd;
pub mod call;

pub mod switchboard;

pub mod console;
pub mod telemetry;

pub mod io;
pub mod phone;

pub mod cli;
