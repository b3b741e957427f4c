//! The engine's own binary with a plan of the test's making.
#![allow(dead_code, reason = "each test target uses a part of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use hotline::io::engine_process::EngineProcess;

/// By the clock of an engine that is set to nothing else.
const WHEN: &str = "2021-12-01T09:00:00+08:00";

const HOTLINE: &str = env!("CARGO_BIN_EXE_hotline");

/// The shipped plan with further tables at its end; its prompts stay where they are.
pub fn plan(more: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = std::fs::read_to_string(root.join("routing.toml")).unwrap();
    let here = "prompts = \"prompts/prompts.toml\"";
    assert!(shipped.contains(here), "the shipped plan names its prompts so");
    let there = format!("prompts = \"{}\"", root.join("prompts/prompts.toml").display());
    format!("{}\n{more}\n", shipped.replace(here, &there))
}

/// The running engine, ended when the test is.
pub struct Engine {
    pub process: EngineProcess,
    config: PathBuf,
    pub data: PathBuf,
    pub sip: SocketAddr,
    pub http: SocketAddr,
}

impl Engine {
    pub fn start(name: &str, plan: &str) -> Engine {
        Engine::start_at(name, plan, WHEN)
    }

    /// With its clock set so.
    pub fn start_at(name: &str, plan: &str, when: &str) -> Engine {
        let data = std::env::temp_dir().join(format!("hotline-engine-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).unwrap();
        let config = data.join("routing.toml");
        std::fs::write(&config, plan).unwrap();
        let (process, sip, http) = launch(&config, &data, when);
        Engine { process, config, data, sip, http }
    }

    /// Kill -9, and the same again.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    pub fn restart(&mut self) {
        self.restart_at(WHEN);
    }

    /// With its clock set so.
    pub fn restart_at(&mut self, when: &str) {
        (self.process, self.sip, self.http) = launch(&self.config, &self.data, when);
    }

    /// Head and body of the answer to a request with the house's own token; without a body it is a GET.
    pub fn ask(&self, path: &str, body: Option<&str>) -> (String, String) {
        let token = std::fs::read_to_string(self.data.join("secrets/api-token")).unwrap();
        let (method, body) = (if body.is_some() { "POST" } else { "GET" }, body.unwrap_or_default());
        let mut stream = TcpStream::connect(self.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: hotline\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            token.trim(),
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.to_owned(), body.to_owned())
    }

    /// A look-up command beside it.
    pub fn look_up(&self, words: &[&str]) -> Output {
        Command::new(HOTLINE).args(words).arg("--data").arg(&self.data).output().unwrap()
    }

    /// Head and body of the answer to a GET.
    pub fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.http).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.to_owned(), body.to_owned())
    }
}

fn launch(config: &Path, data: &Path, when: &str) -> (EngineProcess, SocketAddr, SocketAddr) {
    let (config, home) = (config.to_str().unwrap(), data.to_str().unwrap());
    let words = ["run", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--rtp-ports", "20000-29999"];
    let more = ["--clock", when, "--config", config, "--data", home];
    let words = words.into_iter().chain(more);
    let process = EngineProcess::start(Path::new(HOTLINE), words, &data.join("engine.log")).unwrap();
    let (sip, http) = (process.sip(), process.http().expect("an address of HTTP"));
    (process, sip, http)
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
