//! The plan of a hotline and what it stands on: who, when, and routing.toml read, checked and asked.
//!
//! The ground floor of `hotline`, in a package of its own because it depends on nothing above it and is a fifth of the
//! house: it is compiled beside the libraries that only upper rooms use. `hotline` shows its rooms under their names,
//! and `tests/layers.rs` holds them to the same list.

pub mod id;
pub mod time;

pub mod routing;
