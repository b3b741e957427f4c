//! The rooms that the targets are about. What signalling must not use, it does not find here.

#[path = "../../plan/src/id.rs"]
pub mod id;
#[path = "../../plan/src/time.rs"]
pub mod time;

#[path = "../../src/sip/mod.rs"]
pub mod sip;
