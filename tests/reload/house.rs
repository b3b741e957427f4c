//! The engine with a plan that the test rewrites, and what it says of its plans.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use crate::client::{Answer, PATIENCE, get, post};
use crate::engine::{Engine, plan};

/// See the module's own words.
pub struct House {
    pub engine: Engine,
    /// What its routing file says.
    text: String,
}

impl House {
    /// With the shipped plan and its prompts beside it.
    pub fn open(name: &str) -> House {
        House::open_with(name, &[])
    }

    pub fn open_with(name: &str, edits: &[(&str, &str)]) -> House {
        let text = edited(&plan(""), edits);
        House { engine: Engine::start(&format!("reload-{name}"), &text), text }
    }

    /// With the shipped plan at this moment.
    pub fn open_at(name: &str, when: &str) -> House {
        let text = plan("");
        House { engine: Engine::start_at(&format!("reload-{name}"), &text, when), text }
    }

    /// Writes the routing file with these edits of what it said at the start.
    pub fn write(&self, edits: &[(&str, &str)]) {
        self.write_text(&edited(&self.text, edits));
    }

    pub fn write_text(&self, text: &str) {
        std::fs::write(self.file(), text).unwrap();
    }

    pub fn file(&self) -> PathBuf {
        self.engine.data.join("routing.toml")
    }

    fn token(&self) -> String {
        let file = self.engine.data.join("secrets/api-token");
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    pub fn get(&self, path: &str) -> Value {
        let answer = get(self.engine.http, path, &self.token());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// As a person who says who they are.
    pub fn post(&self, path: &str, body: &str) -> Answer {
        post(self.engine.http, &format!("{path}?by=wang"), &self.token(), body)
    }

    /// The plan in force: `GET /v1/plan`.
    pub fn plan(&self) -> Value {
        self.get("/v1/plan")
    }

    pub fn number(&self) -> u64 {
        self.plan()["number"].as_u64().expect("a number")
    }

    /// Waits until `done`; each look is a request.
    pub fn until(&self, what: &str, done: impl Fn(&House) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < end, "{what}: {}\n{}", self.plan(), self.log());
        }
    }

    /// The value of a series of the figures; 0 where there is none.
    pub fn figure(&self, series: &str) -> f64 {
        let (_, body) = self.engine.get("/metrics");
        let found = body.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        found.map_or(0.0, |value| value.parse().unwrap())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.engine.data.join("engine.log")).unwrap()
    }

    /// Numbers that the engine's own plan view of seats and queues shows: the queues.
    pub fn queues(&self) -> Vec<String> {
        let queues = self.get("/v1/queues");
        let names = queues.as_array().unwrap().iter();
        names.map(|queue| queue["queue"].as_str().unwrap().to_owned()).collect()
    }

    /// Changes of plan in the ledger, the oldest first: actor, reason, what.
    pub fn ledger(&self) -> Vec<(String, String, Value)> {
        let entries = self.get("/v1/ledger");
        let changes = entries.as_array().unwrap().iter().rev();
        changes
            .filter(|entry| entry["action"]["kind"] == "plan_changed")
            .map(|entry| {
                let word = |key: &str| entry[key].as_str().unwrap().to_owned();
                (word("actor"), word("reason"), entry["action"]["of"].clone())
            })
            .collect()
    }
}

fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in edits {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replacen(from, to, 1);
    }
    text
}

/// A queue more, with nobody's calls: an edit that shows in `queues`.
pub const NIGHT: (&str, &str) = (
    "[[seat]]\n# 工号",
    "[[queue]]\nname = \"night\"\ngreeting = \"greeting\"\nmusic = \"hold_music\"\noverflow_prompt = \"no_seat\"\n\n[[seat]]\n# 工号",
);

/// The prompts of the shipped plan, copied beside the house's file, and an edit that names them.
pub fn own_prompts(data: &Path) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
    std::fs::create_dir_all(data.join("prompts")).unwrap();
    for entry in std::fs::read_dir(shipped).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, data.join("prompts").join(from.file_name().unwrap())).unwrap();
    }
}
