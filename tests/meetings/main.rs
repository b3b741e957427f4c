//! Meeting rooms as they are heard: by telephones that dial the engine's own binary, and by packets on
//! several media threads.

#[path = "../engine/mod.rs"]
mod engine;
#[allow(dead_code, reason = "each test target uses a part of it")]
#[path = "../real_call/line.rs"]
mod line;

mod rooms;
mod threads;
