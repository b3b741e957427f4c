//! The front door: the commands of `hotline`.

pub mod check;
pub mod explain;
