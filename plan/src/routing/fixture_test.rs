//! Plans for the unit tests of this room, from files of the source tree.

use std::path::Path;

use super::{Draft, Outcome, Overrides, Plan};

/// Where the shipped `routing.toml` and its prompts are.
fn home() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The shipped `routing.toml`, as text.
pub fn sample() -> String {
    std::fs::read_to_string(home().join("routing.toml")).expect("the shipped file")
}

/// What a routing file of this text, beside the shipped prompts, comes to.
pub fn judged(text: &str) -> Outcome {
    let mut draft = Draft::read("routing.toml", Ok(text.as_bytes().to_vec()), &Overrides::default());
    loop {
        let wanted = draft.wants();
        if wanted.is_empty() {
            return draft.judge();
        }
        for name in wanted {
            let bytes = std::fs::read(home().join(&name)).map_err(|error| error.to_string());
            draft.give(&name, bytes);
        }
    }
}

/// The plan of the shipped file.
pub fn shipped() -> Plan {
    judged(&sample()).plan.expect("the shipped plan is whole")
}
