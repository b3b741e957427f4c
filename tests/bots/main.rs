//! Programs that talk with callers, over real connections: through the engine's own binary with telephones and sound,
//! and program by program as far as each can misbehave.

#[path = "../sinks/engine.rs"]
mod engine;
#[path = "../real_call/line.rs"]
#[allow(dead_code, reason = "each test target uses a part of it")]
mod line;

mod calls;
mod manners;
mod program;
