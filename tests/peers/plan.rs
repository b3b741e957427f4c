//! The shipped plan with a few words changed, for tests that cannot wait as long as a caller.

use std::path::{Path, PathBuf};

use crate::engine::{Engine, data_dir};

/// An engine on a plan of its own: each edit replaces one place of the shipped `routing.toml`.
pub fn engine_on_plan(name: &str, clock: &str, edits: &[(&str, &str)], more: &[&str]) -> Engine {
    let path = write(name, edits);
    let mut arguments = vec!["--config", path.to_str().unwrap()];
    arguments.extend(more);
    Engine::start_with(name, clock, &arguments)
}

fn write(name: &str, edits: &[(&str, &str)]) -> PathBuf {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut plan = std::fs::read_to_string(home.join("routing.toml")).unwrap();
    let prompts = format!("prompts = {:?}", home.join("prompts/prompts.toml"));
    for (from, to) in edits.iter().copied().chain([("prompts = \"prompts/prompts.toml\"", prompts.as_str())])
    {
        assert!(plan.contains(from), "the shipped plan has no {from}");
        plan = plan.replace(from, to);
    }
    let data = data_dir(name);
    std::fs::create_dir_all(&data).unwrap();
    let path = data.join("routing.toml");
    std::fs::write(&path, plan).unwrap();
    path
}
