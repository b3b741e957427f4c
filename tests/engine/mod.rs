//! The engine's own binary as a test runs it.
#![allow(dead_code, reason = "each test target uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Below the range that the kernel draws ports from, and wide enough for the shipped plan's calls.
/// Engines side by side share it: a pair that another one holds is passed over.
const RTP_PORTS: &str = "20000-29999";

/// Engines of one test process that run at a time: more would be tests of the machine's patience.
const ENGINES_MAX: usize = 4;

/// How long a figure may take to come true.
const FIGURE_MAX: Duration = Duration::from_secs(20);

static RUNNING: Mutex<usize> = Mutex::new(0);
static ONE_ENDED: Condvar = Condvar::new();

/// One of the places that engines run in.
struct Place;

impl Place {
    fn wait() -> Place {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |running: &mut usize| *running >= ENGINES_MAX;
        *ONE_ENDED.wait_while(running, full).unwrap_or_else(PoisonError::into_inner) += 1;
        Place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ONE_ENDED.notify_one();
    }
}

/// The engine, ended when the test is.
pub struct Engine {
    process: Child,
    pub data: PathBuf,
    pub sip: SocketAddr,
    /// Its ready line.
    ready: String,
    _place: Place,
}

impl Engine {
    /// With a data directory of its own.
    pub fn start(name: &str, clock: &str) -> Engine {
        Engine::start_with(name, clock, &[])
    }

    /// The same with further words on its command line.
    pub fn start_with(name: &str, clock: &str, more: &[&str]) -> Engine {
        let place = Place::wait();
        let data = data_dir(name);
        let (process, sip, ready) = Engine::launch(&data, clock, more);
        Engine { process, data, sip, ready, _place: place }
    }

    /// Its words are not read beyond the ready line, and its pipe is closed: whoever starts an engine
    /// and goes away must not end it.
    fn launch(data: &Path, clock: &str, more: &[&str]) -> (Child, SocketAddr, String) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["run", "--listen", "127.0.0.1:0", "--clock", clock])
            .args(if more.contains(&"--rtp-ports") { &[][..] } else { &["--rtp-ports", RTP_PORTS][..] })
            .arg("--data")
            .arg(data)
            .args(if more.contains(&"--http") { &[][..] } else { &["--http", "off"][..] })
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the engine starts");
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let sip = ready.split_whitespace().find_map(|word| word.strip_prefix("sip=")).expect("a ready line");
        (process, sip.parse().unwrap(), ready)
    }

    /// Its process, for whoever watches that.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Where it takes calls over a transport, by its name in a URI.
    pub fn at(&self, transport: &str) -> SocketAddr {
        let mut listeners = self.said("listen").split(',');
        let at = listeners.find_map(|listener| listener.strip_prefix(transport)?.strip_prefix(':'));
        at.unwrap_or_else(|| panic!("no {transport}: {}", self.ready)).parse().unwrap()
    }

    /// Where it serves its figures, if it was started with `--http`.
    pub fn http(&self) -> &str {
        self.said("http")
    }

    fn said(&self, name: &str) -> &str {
        let mut words = self.ready.split_whitespace();
        words.find_map(|word| word.strip_prefix(name)?.strip_prefix('=')).expect("a ready line says so")
    }

    /// Waits until a series of its figures, which it serves if it was started with `--http`, has this
    /// value.
    pub fn until(&self, series: &str, wanted: &str) {
        let line = format!("{series} {wanted}");
        let ends = Instant::now() + FIGURE_MAX;
        loop {
            let figures = self.figures();
            if figures.lines().any(|found| found == line) {
                return;
            }
            assert!(Instant::now() < ends, "{line} did not come true:\n{figures}");
        }
    }

    fn figures(&self) -> String {
        let mut http = TcpStream::connect(self.said("http")).unwrap();
        http.write_all(b"GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        http.read_to_string(&mut text).unwrap();
        text
    }

    /// The process is gone from one instruction to the next; then it is started again.
    pub fn kill_and_restart(&mut self, clock: &str) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        (self.process, self.sip, self.ready) = Engine::launch(&self.data, clock, &[]);
    }

    pub fn password(&self, seat: &str) -> String {
        let path = self.data.join("secrets").join(format!("seat-{seat}"));
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }
}

/// Where the engine of this name in this process keeps its data.
pub fn data_dir(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("hotline-{name}-{}", std::process::id()))
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
