//! The chain of who looked at what: append-only, each entry bound to the one before by its hash.
//!
//! The room makes and judges entries; keeping them is for `io`.

mod chain;
mod entry;

pub use chain::{Broken, Chain, Fault, Head, verify};
pub use entry::{Action, CHANGES_MAX, Entry, GENESIS, Trigger};
