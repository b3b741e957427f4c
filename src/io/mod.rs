//! The only room that waits, reads a clock, rolls dice, opens or spawns anything.

pub mod clock;
pub mod media;
pub mod plan_files;
pub mod recorder;
pub mod store;
