//! Recordings from the media engine's frames to files, manifest and what an operator sees of them.
//! `tools/test` installs flac, which decodes what we compress.

mod calls;
mod compressed;
mod disk;
#[path = "../engine/mod.rs"]
mod engine;
mod filed;
mod keeper;
mod killed;
#[allow(dead_code, reason = "each test target uses a part of it")]
#[path = "../real_call/line.rs"]
mod line;
mod many;
mod sealed;
mod shelf;
mod tracks;
