//! What the operator wants: `routing.toml` read, checked, and asked.
//!
//! Tables mirror the file; [`Plan`] is what survives the check, and only `Plan` leaves the room.

pub mod plan;
pub mod speech;

pub use plan::Plan;
