//! The store by itself: on disk before it says so, whole after a kill, bounded while it fails.

mod archive;
mod failing;
mod hand_ons;
mod kept;
mod killed;
mod missed;
mod office;
mod report;
mod schema;
