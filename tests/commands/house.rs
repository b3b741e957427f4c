//! The engine as a child of the test, with a directory of its own, and its own binary's commands.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::time::{Duration, Instant};

use hotline::io::engine_process::EngineProcess;

/// The binary that is tested.
pub const HOTLINE: &str = env!("CARGO_BIN_EXE_hotline");

/// A running engine.
pub struct House {
    pub engine: EngineProcess,
    pub directory: PathBuf,
    config: String,
}

impl House {
    /// After the transition months, by the shipped file.
    pub fn open(name: &str) -> House {
        House::open_with(name, &Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml"))
    }

    pub fn open_with(name: &str, config: &Path) -> House {
        let directory = scratch(name);
        let config = config.to_str().unwrap().to_owned();
        let engine = launch(&directory, &config, &[]);
        House { engine, directory, config }
    }

    /// Once more, after its end, with these words in place of its usual ones.
    pub fn start_again(&mut self, words: &[&str]) {
        self.engine = launch(&self.directory, &self.config, words);
    }

    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("engine.log")).unwrap()
    }

    pub fn password(&self, seat: &str) -> String {
        let file = self.data().join("secrets").join(format!("seat-{seat}"));
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// A command of the binary toward this engine, in this directory.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(HOTLINE);
        command.args(words).args(["--server", &self.sip().to_string()]).current_dir(&self.directory);
        command
    }

    pub fn sip(&self) -> SocketAddr {
        self.engine.sip()
    }

    /// Status line and body, without a token.
    pub fn get(&self, path: &str) -> (String, String) {
        self.asks(path, "")
    }

    /// The same with the house's own token.
    pub fn get_as_owner(&self, path: &str) -> (String, String) {
        let token = std::fs::read_to_string(self.data().join("secrets/api-token")).unwrap();
        self.asks(path, &format!("Authorization: Bearer {}\r\n", token.trim()))
    }

    fn asks(&self, path: &str, headers: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.engine.http().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: hotline\r\n{headers}Connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    /// Waits for the engine's own end.
    pub fn end(&mut self, bound: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.engine.ended().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < bound, "the engine did not end within {bound:?}: {}", self.log());
            std::thread::yield_now();
        }
    }
}

/// Where a word stands among `instead`, the usual one does not.
fn launch(directory: &Path, config: &str, instead: &[&str]) -> EngineProcess {
    let data = directory.join("data");
    let usual = [
        ["--config", config],
        ["--listen", "127.0.0.1:0"],
        ["--http", "127.0.0.1:0"],
        ["--rtp-ports", "20000-29999"],
        ["--clock", "2021-12-01T09:00:00+08:00"],
        ["--data", data.to_str().unwrap()],
    ];
    let usual = usual.iter().filter(|[name, _]| !instead.contains(name)).flatten();
    let arguments = ["run"].iter().chain(instead).chain(usual);
    EngineProcess::start(Path::new(HOTLINE), arguments, &directory.join("engine.log")).unwrap()
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// An empty directory.
pub fn scratch(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("hotline-commands-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// What a command printed, both ways.
pub fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
