//! The only room that waits, reads a clock, rolls dice, opens or spawns anything.

pub mod plan_files;
pub mod store;
