//! SIPp as a caller, or as whoever is called: a scenario of ours in a process of its own.
//!
//! Scenarios are in `tests/sipp`. SIPp itself holds the engine to the order of messages and their
//! statuses, and fails on any message that a scenario does not await; what stands inside the
//! messages is looked up in its log.
#![allow(dead_code, reason = "each test target uses a part of it")]

use std::io::Read;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::engine::Engine;

/// What most callers offer.
pub const OFFER: &str = "v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 18000 RTP/AVP 8 0 101
a=rtpmap:101 telephone-event/8000
a=ptime:20";

/// Longest run of a scenario, unless it says otherwise.
const RUN_MAX: Duration = Duration::from_secs(20);

static RUNS: AtomicUsize = AtomicUsize::new(0);

/// A scenario whose blanks are being filled.
#[derive(Clone)]
pub struct Scenario {
    name: String,
    text: String,
    arguments: Vec<String>,
    bound: Duration,
}

/// SIPp at work; ended when the test is.
pub struct Running {
    name: String,
    process: Child,
    dir: PathBuf,
    printed: Receiver<String>,
    bound: Duration,
}

/// What went over the wire.
pub struct Log {
    messages: Vec<Logged>,
}

/// One message of a log.
#[derive(Debug)]
pub struct Logged {
    pub sent: bool,
    /// Seconds of the day.
    pub at: f64,
    pub text: String,
}

impl Scenario {
    /// `tests/sipp/{name}.xml`.
    pub fn of(name: &str) -> Scenario {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(format!("{name}.xml"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        Scenario { name: name.into(), text, arguments: Vec::new(), bound: RUN_MAX }
    }

    /// Fills a blank, `{{blank}}`.
    pub fn with(mut self, blank: &str, value: &str) -> Scenario {
        let blank = format!("{{{{{blank}}}}}");
        assert!(self.text.contains(&blank), "{} has no {blank}", self.name);
        self.text = self.text.replace(&blank, value);
        self
    }

    /// Further header lines.
    pub fn headers(self, lines: &[&str]) -> Scenario {
        let lines: String = lines.iter().map(|line| format!("\n{line}")).collect();
        self.with("headers", &lines)
    }

    /// A description.
    pub fn sdp(self, text: &str) -> Scenario {
        self.headers(&["Content-Type: application/sdp"]).with("body", text)
    }

    /// Further words on SIPp's command line.
    pub fn arguments(mut self, words: &[&str]) -> Scenario {
        self.arguments.extend(words.iter().map(ToString::to_string));
        self
    }

    /// Takes so long at most.
    pub fn within(mut self, bound: Duration) -> Scenario {
        self.bound = bound;
        self
    }

    /// Runs it against the engine, with `service` as the number that is dialled.
    pub fn run(self, engine: &Engine, service: &str) -> Log {
        self.start(engine, service).finish()
    }

    /// The same beside what the test does meanwhile.
    pub fn start(self, engine: &Engine, service: &str) -> Running {
        self.start_at(&engine.data, engine.sip, service)
    }

    /// The same against another server, a proxy in front of the engine.
    pub fn start_at(self, dir: &Path, server: SocketAddr, service: &str) -> Running {
        self.launch(dir, &["-s", service, &server.to_string()])
    }

    /// Waits for calls at `at`.
    pub fn listen(self, dir: &Path, at: SocketAddr) -> Running {
        let running = self.launch(dir, &["-p", &at.port().to_string()]);
        // The kernel's table says when it listens: trying to bind the port would be in its way.
        let entry = format!(":{:04X} ", at.port());
        let ends = Instant::now() + Duration::from_secs(5);
        while !std::fs::read_to_string("/proc/net/udp").unwrap().contains(&entry) {
            if let Ok(printed) = running.printed.recv_timeout(Duration::from_millis(20)) {
                panic!("{}: SIPp does not listen: {printed}", running.name);
            }
            assert!(Instant::now() < ends, "{}: SIPp does not listen", running.name);
        }
        running
    }

    fn launch(mut self, dir: &Path, last: &[&str]) -> Running {
        let usual = [
            ("uri", "sip:[service]@[remote_ip]:[remote_port]"),
            ("from", "<sip:13800000044@[local_ip]:[local_port]>"),
            ("hops", "70"),
            ("headers", ""),
            ("body", ""),
        ];
        for (blank, value) in usual {
            self.text = self.text.replace(&format!("{{{{{blank}}}}}"), value);
        }
        assert!(!self.text.contains("{{"), "{} has blanks left: {}", self.name, self.text);
        let dir = dir.join(format!("sipp-{}", RUNS.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("scenario.xml"), &self.text).unwrap();
        let mut command = Command::new("sipp");
        command.args(["-nostdin", "-trace_msg", "-message_file", "messages.log", "-sf", "scenario.xml"]);
        for (word, value) in [("-m", "1"), ("-i", "127.0.0.1")] {
            if !self.arguments.iter().any(|given| given == word) {
                command.args([word, value]);
            }
        }
        let mut process = command
            .args(&self.arguments)
            .args(last)
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("SIPp does not start ({error}): tools/test installs it"));
        let (mut out, mut err) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        let (sender, printed) = channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = out.read_to_end(&mut bytes);
            let _ = err.read_to_end(&mut bytes);
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        });
        Running { name: self.name, process, dir, printed, bound: self.bound }
    }
}

impl Running {
    /// Waits for its end: every call must have gone as the scenario says.
    pub fn finish(mut self) -> Log {
        let printed = self.printed.recv_timeout(self.bound);
        if printed.is_err() {
            self.process.kill().unwrap();
        }
        let status = self.process.wait().unwrap();
        let log = std::fs::read(self.dir.join("messages.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        match printed {
            Ok(_) if status.success() => Log { messages: read(&log) },
            Ok(printed) => panic!("{}: SIPp says {status}\n{log}\n{printed}", self.name),
            Err(_) => panic!("{}: not through within {:?}\n{log}", self.name, self.bound),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Log {
    /// What came in and begins like this: `SIP/2.0 200`, or `BYE`.
    pub fn received(&self, start: &str) -> Vec<&Logged> {
        self.messages.iter().filter(|message| !message.sent && message.text.starts_with(start)).collect()
    }

    /// What came in last that begins like this.
    pub fn last(&self, start: &str) -> &Logged {
        let found = self.received(start).pop();
        found.unwrap_or_else(|| panic!("no {start} came in: {:?}", self.messages))
    }

    /// The last final answer to a request of this method.
    pub fn answer_to(&self, method: &str) -> &Logged {
        let cseq = format!(" {method}");
        let found = self.received("SIP/2.0 ").into_iter().rev().find(|message| {
            message.header("CSeq").is_some_and(|value| value.ends_with(&cseq))
                && !message.text.starts_with("SIP/2.0 1")
        });
        found.unwrap_or_else(|| panic!("no answer to {method} came in: {:?}", self.messages))
    }

    /// What went out and begins like this.
    pub fn sent(&self, start: &str) -> Vec<&Logged> {
        self.messages.iter().filter(|message| message.sent && message.text.starts_with(start)).collect()
    }
}

impl Logged {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().take_while(|line| !line.is_empty()).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// Whether one of its lines, in head or body, is this.
    pub fn has(&self, line: &str) -> bool {
        self.text.lines().any(|found| found == line)
    }

    /// All values of a header, one for each of its lines.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let head = self.text.lines().take_while(|line| !line.is_empty());
        let lines = head.filter_map(|line| line.split_once(':'));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    /// The line that begins so.
    pub fn line(&self, start: &str) -> &str {
        let found = self.text.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no line {start} in {}", self.text))
    }
}

/// A port on loopback that is free now, for whoever is started next: none of those that the kernel gives to
/// sockets that ask for any (from 32768 on), since another test's may have it before it is bound.
pub fn free_port() -> SocketAddr {
    const FIRST: u16 = 10_000;
    const PORTS: usize = 6_000; // Phones have those from 16384 on.
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let begin = std::process::id() as usize * 97; // Another process at the same time begins elsewhere.
    let port = || FIRST + ((begin + TAKEN.fetch_add(1, Ordering::Relaxed)) % PORTS) as u16;
    (0..PORTS)
        .map(|_| SocketAddr::from(([127, 0, 0, 1], port())))
        .find(|at| UdpSocket::bind(at).is_ok() && TcpListener::bind(at).is_ok())
        .expect("one of them is free")
}

/// SIPp's message log: dashes and a time, a line on the message, a blank one, the message.
fn read(log: &str) -> Vec<Logged> {
    let entries = log.split("-----------------------------------------------").skip(1);
    entries
        .map(|entry| {
            let mut lines = entry.trim_start().splitn(3, '\n');
            let (time, what) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
            let clock = time.split_whitespace().nth(1).unwrap_or_default();
            let at = clock.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse().unwrap_or(0.0));
            let text = lines.next().unwrap_or_default().trim_start().replace('\r', "");
            Logged { sent: what.contains(" sent "), at, text }
        })
        .collect()
}
