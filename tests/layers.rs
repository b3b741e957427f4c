//! The allow-list of the house: who may use whom, and who may touch the world (README, the map).
//!
//! Reads the sources as text: a line of a room that names a room it must not know, or waits, reads a
//! clock, rolls dice or opens something where the list does not allow it, fails by file and line.

use std::fs;
use std::path::{Path, PathBuf};

/// The sources of the two packages, the lower one first.
const PACKAGES: [&str; 2] = ["plan/src", "src"];

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Rooms from the ground floor up, and what each may use.
const ROOMS: [(&str, &[&str]); 16] = [
    ("id", &[]),
    ("time", &[]),
    ("media", &["id", "time"]),
    ("sip", &["id", "time"]),
    ("ledger", &["id", "time"]),
    ("tickets", &["id", "time"]),
    ("routing", &["id", "time"]),
    ("acd", &["id", "time", "routing"]),
    ("call", &["id", "time", "sip", "media", "routing"]),
    ("switchboard", &["id", "time", "media", "sip", "ledger", "tickets", "routing", "acd", "call"]),
    // Of routing the formula by which callers' waits are judged.
    ("telemetry", &["id", "time", "media", "sip", "routing", "acd", "switchboard"]),
    ("console", &["id", "time", "acd", "switchboard"]),
    (
        "io",
        &[
            "id",
            "time",
            "media",
            "sip",
            "ledger",
            "tickets",
            "routing",
            "acd",
            "call",
            "switchboard",
            "telemetry",
            "console",
        ],
    ),
    ("phone", &["id", "time", "io"]), // Of io, the packet mover only.
    ("cli", &["id", "time", "io", "routing", "phone", "switchboard", "telemetry"]),
    ("main", &["cli"]),
];

/// Words that touch the world, and the rooms that may say them.
const WORLD: [(&str, &[&str]); 12] = [
    (".await", &["io", "cli"]),
    ("std::fs", &["io", "cli"]),
    ("std::thread", &["io", "cli"]),
    ("thread::spawn", &["io", "cli"]),
    ("tokio::", &["io", "cli"]),
    ("SystemTime::now", &["io", "cli"]),
    ("Instant::now()", &["io", "cli"]),
    ("Timestamp::now", &["io", "cli"]),
    ("rand::rng()", &["io", "cli"]),
    ("UdpSocket", &["io", "cli"]),
    ("Mutex", &["io"]),
    ("tracing::", &["switchboard", "telemetry", "console", "io", "cli"]),
];

fn sources(under: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(under).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The room that a source file belongs to.
fn room_of(path: &Path, root: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Lines of code: comments and the tests at a file's end left out.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
}

/// Whether a line says a word, and not only the beginning of a longer one.
fn says(line: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    line.match_indices(word)
        .any(|(at, _)| !word.ends_with(char::is_alphanumeric) || ends(&line[at + word.len()..]))
}

/// The rooms that a line names: `crate::room`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").map(|(at, word)| {
        let rest = &line[at + word.len()..];
        &rest[..rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len())]
    })
}

#[test]
fn every_room_uses_only_what_the_list_grants() {
    let mut files = Vec::new();
    for package in PACKAGES {
        let root = home().join(package);
        let mut its = Vec::new();
        sources(&root, &mut its);
        files.extend(its.into_iter().map(|path| (room_of(&path, &root), path)));
    }
    let mut faults = Vec::new();
    for (room, path) in files.iter().filter(|(room, _)| room != "lib") {
        let Some((_, may)) = ROOMS.iter().find(|(name, _)| name == room) else {
            faults.push(format!("{}: room {room} is not on the list", path.display()));
            continue;
        };
        if path.to_string_lossy().contains("_test") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for (number, line) in code_lines(&text) {
            for used in named(line).filter(|used| used != room) {
                if ROOMS.iter().any(|(name, _)| *name == used) && !may.contains(&used) {
                    faults.push(format!("{}:{number}: {room} must not know {used}", path.display()));
                }
            }
            if room == "phone" && line.contains("crate::io") && !line.contains("crate::io::packets") {
                faults.push(format!("{}:{number}: of io, phone knows the packet mover only", path.display()));
            }
            for (word, allowed) in WORLD {
                if says(line, word) && !allowed.contains(&room.as_str()) {
                    faults.push(format!("{}:{number}: {word} is not for {room}", path.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(files.len() > 100, "the sources were found");
}

#[test]
fn rooms_are_listed_from_the_ground_floor_up_and_no_two_know_each_other() {
    let texts = PACKAGES.map(|package| fs::read_to_string(home().join(package).join("lib.rs")).unwrap());
    let lines = texts.iter().flat_map(|text| text.lines());
    let declared: Vec<&str> =
        lines.filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let place = |room: &str| declared.iter().position(|name| *name == room);
    for (room, may) in ROOMS.iter().filter(|(room, _)| *room != "main") {
        for used in *may {
            assert!(place(used) < place(room), "{room} uses {used}, which is not below it");
        }
    }
}
