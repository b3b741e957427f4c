//! Real peers against the engine's own binary: SIPp as caller and as called, baresip as caller and
//! as seat, and noise. `tools/test` installs both (Debian: sip-tester, baresip-core).

mod baresip;
mod callers;
#[path = "../engine/mod.rs"]
mod engine;
mod phones;
mod plan;
mod records;
mod sipp;
