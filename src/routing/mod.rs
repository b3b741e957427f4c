//! What the operator wants: `routing.toml` read, checked, and asked.
//!
//! Tables mirror the file; [`Plan`] is what survives the check, and only `Plan` leaves the room,
//! with what there is to say about the files.

pub mod afterwards;
mod build;
pub mod callers;
pub mod cases;
mod check;
pub mod diagnostic;
pub mod difference;
pub mod explain;
pub mod flow;
pub mod listening;
pub mod load;
pub mod meeting;
mod nearest;
pub mod number;
pub mod origins;
pub mod outside;
pub mod people;
mod people_values;
pub mod plan;
pub mod prompts;
pub mod queueing;
pub mod reach;
mod read;
pub mod readiness;
pub mod rewrite;
pub mod script;
pub mod sound;
pub mod source;
pub mod speech;
mod tables;
pub mod trace;
pub mod transition;
pub mod trunk;
mod trunk_values;
mod values;
pub mod watching;

pub use load::{Draft, Outcome, Overrides};
pub use number::{Dialled, Found};
pub use plan::Plan;
pub use source::Fetched;
pub use values::duration;
