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

#[test]
fn tmp_all() {
    let Some(dir) = std::env::var_os("RVDIR") else { return };
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let full = std::env::var_os("FULL").is_some();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap().replace("../prompts/prompts.toml", "prompts/prompts.toml");
        let outcome = judged(&text);
        let codes: Vec<&str> = outcome.report.diagnostics.iter().map(|d| d.code).collect();
        println!("{:50} {:?}", file.file_stem().unwrap().to_string_lossy(), codes);
        if full { println!("{}", outcome.report.render(false)); }
    }
}
