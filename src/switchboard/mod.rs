//! Moves values between the rooms and holds no rules of its own.

pub mod fact;
pub mod port;

pub use fact::{Fact, What};
pub use port::{Input, Output};
