//! The only room that waits, reads a clock, rolls dice, opens or spawns anything.

pub mod affinity;
pub mod bot;
pub mod clock;
pub mod engine_process;
pub mod house;
pub mod http;
pub mod kb;
pub mod kept_plans;
pub mod look_up;
pub mod media;
pub mod packets;
pub mod plain;
pub mod plan_files;
pub mod process;
pub mod recorder;
pub mod resolver;
pub mod secrets;
pub mod sip_socket;
pub mod store;
pub mod ticket_sink;
pub mod trace;
mod webhook;
