//! Kamailio in front of the engine as the carrier's proxy: route sets, forks and their races
//! (RFC 3261 §16), or as the box between two engines; with SIPp as the citizens and sub-centers behind it. `tools/test` installs both.

mod account;
#[path = "../transports/authority.rs"]
#[allow(dead_code, reason = "each test target uses a part of it")]
mod authority;
mod carrier;
mod city;
mod connection;
mod early;
#[path = "../engine/mod.rs"]
mod engine;
mod failover;
mod kamailio;
mod phone;
#[path = "../peers/plan.rs"]
mod plan;
#[path = "../peers/records.rs"]
mod records;
mod round;
#[path = "../peers/sipp.rs"]
mod sipp;
