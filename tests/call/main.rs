//! One call as a machine: inputs in, commands out, the clock turned by hand. No signalling, no sound.

mod caller;
mod early;
mod ending;
mod hold;
mod kept;
mod meeting;
mod missing;
mod negotiated;
mod opening;
mod outward;
mod peer;
mod recording;
mod refer;
mod replaced;
mod ring_all;
mod said;
mod seat;
mod sound;
mod states;
mod survey;
mod three_way;
mod three_way_failures;
mod three_way_keys;
mod three_way_sound;
