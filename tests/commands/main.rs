//! The commands of the binary, run as a user runs them: `run`, `call`, `phone`, `demo`.

mod calls;
mod demo;
mod house;
#[path = "../real_call/line.rs"]
mod line;
mod prompts;
mod running;
mod walk;
