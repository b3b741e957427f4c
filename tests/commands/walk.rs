//! The walk of both READMEs, from an empty file to a line that is called, done as it is written: each block of it is
//! typed in, in order, and shows what it promises.
//!
//! ```` ```toml ```` is appended to `routing.toml`; ```` ```sh ```` is run line by line, and what stands behind ` # ` is in
//! what the line prints; ```` ```sh terminal=2 ```` goes on in a terminal of its own, and ```` ```text terminal=2 ````
//! is what it prints later. Ports are the test's: other tests have engines at the same time.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::house::{HOTLINE, printed, scratch};

/// What a terminal promises is there by then.
const SEEN_MAX: Duration = Duration::from_secs(60);
/// What makes the binary that the tests have already, and puts it into the way.
const BUILD: [&str; 2] = ["cargo build --release", "export PATH=\"$PWD/target/release:$PATH\""];

/// A fenced block.
#[derive(Debug)]
struct Block {
    /// `sh`, `sh terminal=2`, `toml`, `text terminal=2`.
    info: String,
    lines: Vec<String>,
}

impl Block {
    fn terminal(&self) -> Option<&str> {
        self.info.split_once(" terminal=").map(|(_, name)| name)
    }

    fn is(&self, language: &str) -> bool {
        self.info.split(' ').next() == Some(language)
    }

    /// Commands with what each promises.
    fn commands(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.lines.iter().map(|line| match line.split_once(" # ") {
            Some((command, promise)) => (command.trim(), Some(promise.trim())),
            None => (line.trim(), None),
        })
    }
}

/// The blocks of the walk, which is the section that names this file.
fn blocks(readme: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(readme)).unwrap();
    let mut sections = text.split("\n## ").filter(|section| section.contains("`tests/commands/walk.rs`"));
    let section = sections.next().unwrap_or_else(|| panic!("{readme} has the walk"));
    assert!(sections.next().is_none(), "once");
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in section.lines() {
        match line.strip_prefix("```") {
            Some(info) => {
                inside = !inside;
                if inside {
                    blocks.push(Block { info: info.to_owned(), lines: Vec::new() });
                }
            }
            None if inside => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            None => {}
        }
    }
    blocks
}

/// Something that goes on in a terminal, and what it has printed.
struct Terminal {
    child: Child,
    lines: mpsc::Receiver<String>,
    printed: String,
}

impl Terminal {
    /// Waits until it has printed this, and gives all that it has.
    fn shows(&mut self, promise: &str) -> &str {
        let end = Instant::now() + SEEN_MAX;
        while !self.printed.contains(promise) {
            let wait = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(wait);
            let line = line.unwrap_or_else(|_| panic!("{promise} is not in:\n{}", self.printed));
            self.printed += &line;
            self.printed.push('\n');
        }
        &self.printed
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Gone already, if it was stopped as a user stops it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory like the source tree's, a `hotline` in the way, and the terminals.
struct Desk {
    home: PathBuf,
    here: PathBuf,
    terminals: BTreeMap<String, Terminal>,
}

impl Desk {
    fn new(name: &str) -> Desk {
        let home = scratch(name);
        std::os::unix::fs::symlink(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts"),
            home.join("prompts"),
        )
        .unwrap();
        let bin = home.join("bin");
        std::fs::create_dir(&bin).unwrap();
        let server = bin.join("server");
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in\n\
             run) exec '{HOTLINE}' \"$@\" --listen 127.0.0.1:0 --http 127.0.0.1:0 ;;\n\
             call | phone) exec '{HOTLINE}' \"$@\" --server \"$(cat '{0}')\" ;;\n\
             *) exec '{HOTLINE}' \"$@\" ;;\nesac\n",
            server.display()
        );
        std::fs::write(bin.join("hotline"), script).unwrap();
        std::fs::set_permissions(bin.join("hotline"), std::fs::Permissions::from_mode(0o755)).unwrap();
        Desk { here: home.clone(), home, terminals: BTreeMap::new() }
    }

    fn shell(&self, line: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(&self.here).stdin(Stdio::null());
        shell.env("PATH", format!("{}:{path}", self.home.join("bin").display()));
        shell
    }

    /// A command that comes to its end; gives what it printed. Only a file that is of no use makes one fail.
    fn run(&mut self, line: &str, promise: Option<&str>) -> String {
        let left = self.home.join("left");
        let line_and_place = format!("{line}\ncode=$?\npwd > '{}'\nexit $code", left.display());
        let output = self.shell(&line_and_place).output().unwrap();
        let text = printed(&output);
        let fails =
            promise.is_some_and(|promise| promise.contains("not usable") || promise.contains("不能启用"));
        assert_eq!(output.status.code(), Some(i32::from(fails)), "{line}: {text}");
        assert!(promise.is_none_or(|promise| text.contains(promise)), "{line} promises {promise:?}: {text}");
        self.here = PathBuf::from(std::fs::read_to_string(left).unwrap().trim());
        text
    }

    /// A command that goes on.
    fn begin(&mut self, terminal: &str, line: &str, promise: Option<&str>) {
        let mut child = self.shell(&format!("exec {line} 2>&1")).stdout(Stdio::piped()).spawn().unwrap();
        let (give, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            // To its end, whether anybody listens or not: it must not meet a closed pipe.
            for line in out.lines().map_while(Result::ok) {
                let _ = give.send(line);
            }
        });
        let mut begun = Terminal { child, lines, printed: String::new() };
        if let Some(promise) = promise.filter(|promise| !promise.starts_with("ready sip=")) {
            begun.shows(promise);
        } else {
            let shown = begun.shows("ready sip=");
            let sip = shown.split_whitespace().find_map(|word| word.strip_prefix("sip=")).unwrap();
            std::fs::write(self.home.join("bin/server"), sip).unwrap();
        }
        self.terminals.insert(terminal.to_owned(), begun);
    }

    fn append(&self, lines: &[String]) {
        let file = self.here.join("routing.toml");
        let before = std::fs::read_to_string(&file).expect("the walk has made the file");
        let gap = if before.is_empty() { "" } else { "\n" };
        std::fs::write(file, format!("{before}{gap}{}\n", lines.join("\n"))).unwrap();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.terminals.clear();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// The tables of a text, in order.
fn heads<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.filter(|line| line.starts_with('[')).collect()
}

fn walk(readme: &str, name: &str) {
    let blocks = blocks(readme);
    let mut desk = Desk::new(name);
    let mut lacking: Option<String> = None;
    for block in &blocks {
        match block.terminal() {
            Some(terminal) if block.is("text") => {
                let terminal = desk.terminals.get_mut(terminal).expect("it was begun");
                for line in &block.lines {
                    terminal.shows(line);
                }
            }
            Some(terminal) => {
                for (command, promise) in block.commands() {
                    desk.begin(terminal, command, promise);
                }
            }
            None if block.is("toml") => {
                // The first is what the check of the empty file has asked for.
                if let Some(asked) = lacking.take() {
                    let written = heads(block.lines.iter().map(String::as_str));
                    assert_eq!(heads(asked.lines()), written, "{asked}");
                }
                desk.append(&block.lines);
            }
            None => {
                assert!(block.is("sh"), "{block:?}");
                for (command, promise) in block.commands().filter(|(command, _)| !BUILD.contains(command)) {
                    let text = desk.run(command, promise);
                    if command == "hotline check" && lacking.is_none() && text.contains("E0204") {
                        lacking = Some(text);
                    }
                }
            }
        }
    }
    assert_eq!(desk.terminals.len(), 2, "an engine and a seat");
    assert!(lacking.is_none(), "the file was written");
}

#[test]
fn the_walk_of_the_readme_leads_where_it_says() {
    walk("README.md", "walk-en");
}

#[test]
fn the_walk_of_the_chinese_readme_leads_where_it_says() {
    walk("README.zh.md", "walk-zh");
}

#[test]
fn both_walks_go_the_same_way() {
    let steps = |readme: &str| -> Vec<(String, Vec<String>)> {
        let strip = |block: Block| {
            let lines = match block.is("toml") {
                true => block.lines.iter().map(|line| line.split(" = ").next().unwrap().to_owned()).collect(),
                false => block.commands().map(|(command, _)| command.to_owned()).collect(),
            };
            let lines = if block.is("text") { Vec::new() } else { lines };
            (block.info, lines)
        };
        blocks(readme).into_iter().map(strip).collect()
    };
    let (en, zh) = (steps("README.md"), steps("README.zh.md"));
    assert!(en.len() >= 8, "{en:?}");
    assert_eq!(en, zh);
}
