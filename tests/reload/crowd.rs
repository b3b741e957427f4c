//! Two hundred callers in a queue while plans come and go: each keeps the call, the music and the place.
//!
//! They are words on one socket rather than telephones, which would be a test of this machine's patience;
//! their music goes to another, where it is looked at packet by packet.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::PATIENCE;
use crate::house::{House, NIGHT};

const CALLERS: usize = 200;
/// Callers who are being answered at a time.
const AT_ONCE: usize = 8;
/// A request without an answer is sent again after this (RFC 3261 §17.1.1.2, T1).
const AGAIN: Duration = Duration::from_millis(500);

/// One stream of sound: from one port of the engine's.
#[derive(Clone, Copy, Debug)]
struct Stream {
    ssrc: u32,
    last: u16,
    packets: u64,
    /// It changed its source, or went back in its numbers.
    broken: bool,
}

/// Hears all streams.
struct Ear {
    port: u16,
    streams: Arc<Mutex<BTreeMap<u16, Stream>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    fn open() -> Ear {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let port = socket.local_addr().unwrap().port();
        let streams = Arc::<Mutex<BTreeMap<u16, Stream>>>::default();
        let ends = Arc::new(AtomicBool::new(false));
        let (into, until) = (streams.clone(), ends.clone());
        let thread = std::thread::spawn(move || {
            let mut room = [0; 2_048];
            while !until.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut room) else { continue };
                // RTP, version 2; RTCP goes to a port that nobody has opened.
                if length >= 12 && room[0] >> 6 == 2 {
                    heard(&mut into.lock().unwrap(), from.port(), &room);
                }
            }
        });
        Ear { port, streams, ends, thread: Some(thread) }
    }

    fn streams(&self) -> BTreeMap<u16, Stream> {
        self.streams.lock().unwrap().clone()
    }
}

fn heard(streams: &mut BTreeMap<u16, Stream>, port: u16, packet: &[u8]) {
    let number = u16::from_be_bytes([packet[2], packet[3]]);
    let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
    let stream = streams.entry(port).or_insert(Stream { ssrc, last: number, packets: 0, broken: false });
    let forward = number.wrapping_sub(stream.last) < 0x8000;
    stream.broken |= stream.ssrc != ssrc || !forward;
    (stream.last, stream.packets) = (number, stream.packets + 1);
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// One caller.
#[derive(Debug, Default)]
struct Caller {
    /// With the engine's tag, once it has answered.
    to: Option<String>,
    /// When the INVITE was sent last, or is to be sent after [`AGAIN`].
    asked: Option<Instant>,
    provisional: bool,
    /// An engine with more to do than it can asks callers to try again later (RFC 3261 §21.5.4).
    tries: u32,
    /// Requests of the engine's within the call.
    touched: Vec<String>,
    gone: bool,
}

/// All of them.
struct Crowd {
    socket: UdpSocket,
    at: SocketAddr,
    ear: Ear,
    callers: Vec<Caller>,
}

impl Crowd {
    fn new(at: SocketAddr) -> Crowd {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let callers = (0..CALLERS).map(|_| Caller::default()).collect();
        Crowd { socket, at, ear: Ear::open(), callers }
    }

    fn say(&self, nth: usize, method: &str, branch: &str, body: &str) {
        let (here, at) = (self.socket.local_addr().unwrap(), self.at);
        let to = self.callers[nth].to.clone().unwrap_or_else(|| format!("<sip:12345@{at}>"));
        let sequence = if matches!(method, "INVITE" | "ACK") { 1 } else { 2 };
        let tries = self.callers[nth].tries;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let words = format!(
            "{method} sip:12345@{at} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{branch}{nth}-{tries};rport\r\n\
             From: <sip:1380000{nth:04}@{here}>;tag=c{nth}\r\nTo: {to}\r\nCall-ID: crowd-{nth}-{tries}\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:c@{here}>\r\nMax-Forwards: 70\r\n{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.socket.send_to(words.as_bytes(), at).unwrap();
    }

    fn invite(&mut self, nth: usize) {
        let port = self.ear.port;
        let offer = format!(
            "v=0\r\no=- {nth} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        );
        self.say(nth, "INVITE", "i", &offer);
        self.callers[nth].asked = Some(Instant::now());
    }

    /// Hears one message, or nothing for a while.
    fn hear(&mut self) {
        let mut room = [0; 8_192];
        let Ok((length, from)) = self.socket.recv_from(&mut room) else { return };
        let text = String::from_utf8_lossy(&room[..length]).into_owned();
        let header = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let id = header("Call-ID").unwrap_or_default();
        let Some((nth, tries)) = id.strip_prefix("crowd-").and_then(|id| id.split_once('-')) else { return };
        let nth: usize = nth.parse().unwrap();
        if tries != self.callers[nth].tries.to_string() {
            return; // Of a call that was refused.
        }
        let first = text.lines().next().unwrap_or_default().to_owned();
        let sequence = header("CSeq").unwrap_or_default();
        match first.strip_prefix("SIP/2.0 ") {
            Some(status) if sequence.ends_with("INVITE") => match &status[..1] {
                "1" => self.callers[nth].provisional = true,
                "2" => {
                    self.callers[nth].to = header("To");
                    self.say(nth, "ACK", "a", "");
                }
                "5" => {
                    let wait: u64 = header("Retry-After").and_then(|wait| wait.parse().ok()).expect(&text);
                    let to = self.callers[nth].to.replace(header("To").unwrap_or_default());
                    self.say(nth, "ACK", "i", "");
                    let caller = &mut self.callers[nth];
                    (caller.to, caller.provisional, caller.tries) = (to, false, caller.tries + 1);
                    caller.asked = Some(Instant::now() + Duration::from_secs(wait));
                }
                _ => panic!("caller {nth} is refused: {text}"),
            },
            Some(status) => {
                assert!(status.starts_with("200"), "the end of {nth}: {text}");
                self.callers[nth].gone = true;
            }
            None => {
                let method = first.split(' ').next().unwrap_or_default().to_owned();
                let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
                let copied: Vec<String> = copied
                    .into_iter()
                    .filter_map(|name| Some(format!("{name}: {}\r\n", header(name)?)))
                    .collect();
                let answer = format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", copied.concat());
                self.socket.send_to(answer.as_bytes(), from).unwrap();
                self.callers[nth].touched.push(method);
            }
        }
    }

    /// All of them call, a few at a time, to the last one's answer.
    fn call(&mut self) {
        let end = Instant::now() + 3 * PATIENCE;
        while self.callers.iter().any(|caller| caller.to.is_none()) {
            assert!(Instant::now() < end, "not all were answered");
            let asking = self.callers.iter().filter(|caller| caller.asked.is_some() && caller.to.is_none());
            let free = AT_ONCE.saturating_sub(asking.count());
            let fresh: Vec<usize> =
                (0..CALLERS).filter(|nth| self.callers[*nth].asked.is_none()).take(free).collect();
            let late = |caller: &Caller| {
                let asked = caller.asked.is_some_and(|at| at.elapsed() > AGAIN);
                caller.to.is_none() && !caller.provisional && asked
            };
            let late: Vec<usize> = (0..CALLERS).filter(|nth| late(&self.callers[*nth])).collect();
            fresh.into_iter().chain(late).for_each(|nth| self.invite(nth));
            self.hear();
        }
    }

    /// Listens until it is so.
    fn until(&mut self, what: &str, done: impl Fn(&Crowd) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < end, "{what}");
            self.hear();
        }
    }

    /// All of them hang up, to the last one's answer.
    fn hang_up(&mut self) {
        for nth in 0..CALLERS {
            self.say(nth, "BYE", "b", "");
        }
        let mut again = Instant::now() + AGAIN;
        let end = Instant::now() + PATIENCE;
        while self.callers.iter().any(|caller| !caller.gone) {
            assert!(Instant::now() < end, "not all were let go");
            if Instant::now() > again {
                let left: Vec<usize> = (0..CALLERS).filter(|nth| !self.callers[*nth].gone).collect();
                left.into_iter().for_each(|nth| self.say(nth, "BYE", "b", ""));
                again = Instant::now() + AGAIN;
            }
            self.hear();
        }
    }
}

/// Ids and states of the calls under way, by the engine.
fn calls(house: &House) -> Vec<(Value, Value)> {
    let calls = house.get("/v1/calls");
    calls.as_array().unwrap().iter().map(|call| (call["call"].clone(), call["state"].clone())).collect()
}

#[test]
fn two_hundred_callers_notice_nothing_of_reloads_and_rollbacks() {
    let edits = [
        ("length_max = 100", "length_max = 300"),
        ("shed = [{ waiting = 90, below = 1 }]", "shed = [{ waiting = 299, below = 1 }]"),
        ("no_seat_wait = \"20s\"", "no_seat_wait = \"2h\""),
        ("silence_max = \"12s\"", "silence_max = \"1h\""),
        ("announce_every = \"30s\"", "announce_every = \"2h\""),
        ("watch = true", "watch = false"),
    ];
    let house = House::open_with("crowd", &edits);
    let mut crowd = Crowd::new(house.engine.sip);
    crowd.call();
    let waiting = |house: &House| house.get("/v1/queues")[0]["waiting"].clone();
    crowd.until("all of them wait", |_| waiting(&house) == CALLERS);
    crowd.until("all of them hear music", |crowd| crowd.ear.streams().len() == CALLERS);
    let (before, heard) = (calls(&house), crowd.ear.streams());
    assert!(before.len() == CALLERS && before.iter().all(|(_, state)| state == "waiting"), "{before:?}");
    let longest = |house: &House| house.get("/v1/queues")[0]["longest_wait_ms"].as_u64().unwrap();
    let waited = longest(&house);

    // Another plan, a faulty one, back to the first, and what the file says again.
    house.write(&[NIGHT, ("wait_max = \"5min\"", "wait_max = \"3h\"")]);
    let taken = house.post("/v1/plan/reload", "").json();
    assert_eq!((&taken["outcome"], house.number()), (&json!("taken"), 2));
    house.write(&[("wait_max = \"5min\"", "wait_max = 4")]);
    assert_eq!(house.post("/v1/plan/reload", "").status, 422);
    let back = house.post("/v1/plan/rollback", "{\"number\": 1}").json();
    assert_eq!((&back["outcome"], house.number()), (&json!("taken"), 3));
    house.write(&[NIGHT, ("wait_max = \"5min\"", "wait_max = \"3h\"")]);
    house.engine.process.reload().unwrap();
    house.until("the signal is heard", |house| house.number() == 4);

    assert_eq!(calls(&house), before, "the same calls, in the same state");
    assert_eq!(waiting(&house), CALLERS);
    assert!(longest(&house) > waited, "nobody's wait began anew");
    // The music of each goes on: a second of it more.
    let goes_on = |crowd: &Crowd| {
        let now = crowd.ear.streams();
        heard.iter().all(|(port, then)| now[port].packets >= then.packets + 50)
    };
    crowd.until("the music goes on", goes_on);
    let now = crowd.ear.streams();
    assert_eq!(now.len(), CALLERS, "no stream began anew");
    for (port, then) in &heard {
        assert!(!now[port].broken && now[port].ssrc == then.ssrc, "{port}: {then:?}, {:?}", now[port]);
    }
    let touched: Vec<_> = crowd.callers.iter().filter(|caller| !caller.touched.is_empty()).collect();
    assert!(touched.is_empty(), "{touched:?}");
    crowd.hang_up();
    house.until("the queue is empty", |house| waiting(house) == 0);
}
