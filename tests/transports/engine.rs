//! The engine's own binary with listeners of each kind.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use hotline::io::engine_process::EngineProcess;

use crate::client::PATIENCE;

/// One engine at a time: more would be tests of the machine's patience.
static PLACE: Mutex<()> = Mutex::new(());

pub struct Engine {
    pub process: EngineProcess,
    pub dir: PathBuf,
    _place: std::sync::MutexGuard<'static, ()>,
}

impl Engine {
    /// With the shipped plan, listening to `listen`, its `edits` made, and `more` on its command
    /// line; `dir` is its data directory and holds its log.
    pub fn start(dir: PathBuf, listen: &str, edits: &[(&str, &str)], more: &[&str]) -> Engine {
        let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut plan = std::fs::read_to_string(root.join("routing.toml")).unwrap();
        let prompts = format!("prompts = \"{}\"", root.join("prompts/prompts.toml").display());
        let listen = format!("listen = [{listen}]");
        let own =
            [("prompts = \"prompts/prompts.toml\"", &*prompts), ("listen = [\"127.0.0.1:5060\"]", &*listen)];
        for (from, to) in own.iter().chain(edits) {
            assert_eq!(plan.matches(from).count(), 1, "{from}");
            plan = plan.replacen(from, to, 1);
        }
        let file = dir.join("routing.toml");
        std::fs::write(&file, plan).unwrap();
        let words = ["run", "--http", "127.0.0.1:0", "--rtp-ports", "20000-29999", "--clock"];
        let mut words: Vec<OsString> = words.map(OsString::from).to_vec();
        words.push("2021-12-01T09:00:00+08:00".into());
        words.extend(["--data".into(), dir.clone().into(), "--config".into(), file.into()]);
        words.extend(more.iter().map(OsString::from));
        let log = dir.join("log");
        let process = EngineProcess::start(Path::new(env!("CARGO_BIN_EXE_hotline")), words, &log).unwrap();
        Engine { process, dir, _place: place }
    }

    pub fn at(&self, transport: &str) -> SocketAddr {
        self.process.listens(transport)[0]
    }

    /// What the engine's log says.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap()
    }

    fn metrics(&self) -> String {
        let mut http = TcpStream::connect(self.process.http().unwrap()).unwrap();
        http.set_read_timeout(Some(PATIENCE)).unwrap();
        http.write_all(b"GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        http.read_to_string(&mut text).unwrap();
        text
    }

    /// Waits until a series of the figures has this value.
    pub fn until(&self, series: &str, wanted: &str) {
        let line = format!("{series} {wanted}");
        let ends = Instant::now() + PATIENCE;
        while !self.metrics().lines().any(|found| found == line) {
            assert!(Instant::now() < ends, "{line} did not come true:\n{}", self.metrics());
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.process.kill();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
