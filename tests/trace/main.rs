//! The trace of real calls: the engine's own binary, telephones over real UDP, and what `hotline trace`
//! and HTTP then show. `tools/test` installs tshark, which reads the captures.

mod collector;
#[path = "../engine/mod.rs"]
mod engine;
mod http;
#[allow(dead_code)]
#[path = "../real_call/line.rs"]
mod line;
mod shown;
mod talk;
