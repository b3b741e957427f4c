//! One call as a machine: inputs in, commands out, the clock turned by hand. No signalling, no sound.

mod caller;
mod early;
mod ending;
mod hold;
mod meeting;
mod missing;
mod negotiated;
mod opening;
mod peer;
mod recording;
mod refer;
mod replaced;
mod said;
mod seat;
mod sound;
mod states;
mod survey;
mod urgent;
