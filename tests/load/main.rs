//! `hotline load` as a user runs it: against the engine's own binary, and against servers that go wrong.

#[path = "../engine/mod.rs"]
mod engine;
mod faults;
mod files;
mod meeting;
mod queue;
mod scenarios;
mod sipp;
mod tool;
mod uas;
