//! Real peers against the engine's own binary: SIPp as caller and as called, baresip as caller and
//! as seat, and noise. `tools/test` installs both (Debian: sip-tester, baresip-core).

#[path = "../transports/authority.rs"]
#[allow(dead_code, reason = "each test target uses a part of it")]
mod authority;
mod baresip;
mod callers;
mod door;
#[path = "../engine/mod.rs"]
mod engine;
mod extensions;
mod far_end;
mod forms;
mod noise;
mod patience;
mod phones;
mod phones_connected;
mod phones_encrypted;
mod phones_wide;
mod plan;
mod races;
mod records;
mod reliable;
mod sipp;
mod sub_center;
mod transfers;
mod trunks;
