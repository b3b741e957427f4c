//! The tool's own binary, and what its report says.

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// One run, with a folder of its own for its reports.
pub struct Tool {
    folder: PathBuf,
    words: Vec<String>,
    /// Below those of the engine that it calls, and apart from those of other tests.
    ports: (u16, u16),
}

/// How a run ended.
pub struct Ran {
    pub code: Option<i32>,
    pub printed: String,
    pub report: Value,
    pub csv: String,
    pub html: String,
}

impl Tool {
    /// `name` is this run's own; `place` keeps its RTP ports apart from those of others.
    pub fn new(name: &str, place: u16, words: &str) -> Tool {
        let folder = std::env::temp_dir().join(format!("hotline-load-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let words = words.split_whitespace().map(str::to_owned).collect();
        let first = 14_000 + 200 * place;
        Tool { folder, words, ports: (first, first + 199) }
    }

    /// Has the ports of the next place, too: a far side that waits takes 64 pairs before anybody calls.
    pub fn with_ports_of_two(mut self) -> Tool {
        self.ports.1 += 200;
        self
    }

    pub fn toward(self, target: SocketAddr) -> Tool {
        self.with("--target", &target.to_string())
    }

    pub fn with(mut self, name: &str, value: &str) -> Tool {
        self.words.extend([name.to_owned(), value.to_owned()]);
        self
    }

    pub fn start(&self) -> Child {
        let file = |name: &str| self.folder.join(name);
        let (first, last) = self.ports;
        Command::new(env!("CARGO_BIN_EXE_hotline"))
            .arg("load")
            .args(&self.words)
            .args(["--rtp-ports", &format!("{first}-{last}"), "--seed", "7"])
            .arg("--json")
            .arg(file("report.json"))
            .arg("--csv")
            .arg(file("report.csv"))
            .arg("--html")
            .arg(file("report.html"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub fn wait(self, child: Child) -> Ran {
        let output = child.wait_with_output().unwrap();
        let printed =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let read = |name: &str| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let report = serde_json::from_str(&read("report.json")).unwrap_or(Value::Null);
        Ran {
            code: output.status.code(),
            printed,
            report,
            csv: read("report.csv"),
            html: read("report.html"),
        }
    }

    pub fn run(self) -> Ran {
        let child = self.start();
        self.wait(child)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Ran {
    /// A figure by its path: `/calls/answered`.
    pub fn count(&self, path: &str) -> u64 {
        let value = self.report.pointer(path).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("no {path}: {}\n{}", self.report, self.printed))
    }

    pub fn number(&self, path: &str) -> f64 {
        let value = self.report.pointer(path).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("no {path}: {}\n{}", self.report, self.printed))
    }

    /// Calls attempted, answered, failed.
    pub fn calls(&self) -> [u64; 3] {
        ["/calls/attempted", "/calls/answered", "/calls/failed"].map(|path| self.count(path))
    }

    /// Legs judged right, wrong, none, not at all.
    pub fn sound(&self) -> [u64; 4] {
        ["/sound/right", "/sound/wrong", "/sound/none", "/sound/unjudged"].map(|path| self.count(path))
    }
}

/// Free a moment ago.
pub fn free_address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
