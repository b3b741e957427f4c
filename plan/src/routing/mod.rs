//! What the operator wants: `routing.toml` read, checked, and asked.
//!
//! Tables mirror the file; [`Plan`] is what survives the check, and only `Plan` leaves the room,
//! with what there is to say about the files.

pub mod admin;
pub mod afterwards;
mod build;
pub mod by_number;
pub mod calendar;
pub mod callers;
pub mod cases;
mod check;
pub mod diagnostic;
pub mod difference;
mod digits;
pub mod effective;
pub mod emergency;
pub mod explain;
pub mod feed;
#[cfg(test)]
mod fixture_test;
pub mod flow;
pub mod holidays;
pub mod hours;
mod hours_words;
pub mod in_use;
#[cfg(test)]
mod in_use_test;
mod include;
pub mod kb;
pub mod kpi;
pub mod listening;
pub mod load;
pub mod meeting;
pub mod merge_lists;
mod nearest;
mod notes;
pub mod number;
pub mod origins;
pub mod outside;
pub mod peers;
pub mod people;
mod people_values;
pub mod plan;
pub mod prompts;
pub mod proof;
pub mod queueing;
pub mod reach;
mod read;
pub mod readiness;
pub mod retention;
pub mod rewrite;
pub mod sample;
pub mod schema;
pub mod script;
pub mod security;
mod shape;
pub mod sound;
pub mod source;
pub mod speech;
mod starter;
mod syntax;
mod tables;
pub mod three_way;
mod told;
pub mod trace;
pub mod transition;
pub mod trunk;
pub mod trunk_terms;
mod trunk_values;
mod values;
pub mod watching;
mod written;

pub use load::{Draft, Outcome, Overrides, Stage};
pub use number::{Dialled, Found};
pub use plan::Plan;
pub use source::{Fetched, Listed};
pub use values::duration;
