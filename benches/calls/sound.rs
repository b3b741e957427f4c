//! S2, S3, S3R, S4: calls with sound both ways, each heard and judged at the caller's ear.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use hotline::io::packets::{Mover, PartyKey};
use hotline::phone::{Dial, Phone, PhoneEvent, PhoneState, listen};

use crate::Load;
use crate::engine::Engine;
use crate::floor::Floor;
use crate::rows::Rows;

/// One of them.
pub struct Scenario {
    pub name: &'static str,
    /// What is dialled in `tools/bench.toml`; S4 adds the room's number.
    number: &'static str,
    /// Datagram pairs a second that the engine must move for one call: RTP in and out.
    pairs: f64,
    /// Who is heard.
    hears: Hears,
}

#[derive(Clone, Copy, PartialEq)]
enum Hears {
    /// The bench prompt.
    Prompt,
    /// The caller's own tone, echoed by the far end: through the bridge there and back.
    Echo,
    /// The tones of the two others in its room, and not its own.
    Room,
}

/// Callers in a room of S4.
const PARTY: usize = 3;

pub const SCENARIOS: [Scenario; 4] = [
    Scenario { name: "S2", number: "9002", pairs: 50.0, hears: Hears::Prompt },
    Scenario { name: "S3", number: "9003", pairs: 100.0, hears: Hears::Echo },
    Scenario { name: "S3R", number: "9004", pairs: 100.0, hears: Hears::Echo },
    Scenario { name: "S4", number: "94", pairs: 50.0, hears: Hears::Room },
];

/// Calls begun a second.
const RATE: u64 = 50;
/// Heard by this share of the callers at least at its right level: a lost packet spoils nothing.
const TONE_DB: f64 = -20.0;

/// Puts the calls up, watches the engine, listens, hangs up.
pub fn measure(scenario: &Scenario, mut load: Load, floor: &Floor, rows: &mut Rows) {
    if scenario.hears == Hears::Room {
        load.calls = load.calls.next_multiple_of(PARTY);
    }
    let far_end = (scenario.hears == Hears::Echo).then(FarEnd::start);
    let engine = Engine::start(scenario.name, far_end.as_ref().map(|far| far.address));
    let mut callers = Callers::new(engine.sip, load.calls);
    let empty = engine.memory();
    callers.dial(scenario);
    callers.run_for(Duration::from_secs(3));
    let (before, heard_before) = (engine.cpu(), callers.received());
    callers.run_for(load.watched);
    let (cpu, heard) = (engine.cpu() - before, callers.received() - heard_before);
    let memory = (engine.memory() - empty) / load.calls as u64;
    callers.judge(scenario.hears);
    callers.hang_up();

    let (calls, seconds) = (load.calls as f64, load.watched.as_secs_f64());
    let expected = calls * seconds * 50.0;
    assert!((heard as f64) > expected * 0.99, "{heard} packets were heard of {expected}");
    let share = cpu.as_secs_f64() / seconds / calls * 100.0;
    let ratio = share / 100.0 * 1e6 / (scenario.pairs * floor.micros());
    let what = format!("{}, {} calls", scenario.name, load.calls);
    rows.add(&what, "% of a core per call", share);
    rows.add(&what, "× the kernel's floor", ratio);
    rows.add(&what, "KiB per call", memory as f64);
    rows.add(&what, "longest gap, ms", callers.worst_gap_ms() as f64);
}

/// SIPp answers whoever calls, in the callers' own A-law, and echoes all RTP: its built-in scenario
/// knows µ-law only, and the engine would decode both ways.
struct FarEnd {
    process: Child,
    address: SocketAddr,
}

impl FarEnd {
    fn start() -> FarEnd {
        // Free a moment ago; SIPp wants to be told numbers.
        let free = || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            socket.local_addr().expect("bound").port()
        };
        let (sip, sound) = (free(), free() & !1);
        let process = Command::new("sipp")
            .arg("-sf")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/sipp/answer.xml"))
            .args(["-i", "127.0.0.1", "-rtp_echo", "-nostdin"])
            .args(["-p", &sip.to_string(), "-mp", &sound.to_string()])
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("SIPp is installed (tools/test does it)");
        FarEnd { process, address: SocketAddr::from(([127, 0, 0, 1], sip)) }
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Telephones in one thread, each with a tone of its own.
struct Callers {
    mover: Mover<Phone>,
    phones: Vec<PartyKey>,
}

impl Callers {
    fn new(server: SocketAddr, count: usize) -> Callers {
        let mut mover = Mover::new().expect("a mover");
        let phones = (0..count)
            .map(|number| mover.plug_in(&format!("1380000{number:04}"), server, |_| {}).expect("sockets"))
            .collect();
        Callers { mover, phones }
    }

    /// Everybody calls and speaks; returns when all are answered.
    fn dial(&mut self, scenario: &Scenario) {
        for place in 0..self.phones.len() {
            let number = match scenario.hears {
                Hears::Room => format!("{}{:06}", scenario.number, place / PARTY),
                Hears::Prompt | Hears::Echo => scenario.number.to_owned(),
            };
            self.mover
                .order(self.phones[place], |phone, now| phone.dial(Dial::to(&number), now))
                .expect("an idle phone");
            self.run_for(Duration::from_millis(1_000 / RATE));
        }
        let bound = self.mover.now().mono + Duration::from_secs(10);
        while self.phones.iter().any(|key| self.mover.party(*key).state() != PhoneState::Talking) {
            assert!(self.mover.now().mono < bound, "not all calls were answered");
            self.run_for(Duration::from_millis(50));
        }
    }

    /// Moves packets; whoever is answered begins to speak.
    fn run_for(&mut self, span: Duration) {
        let until = self.mover.now().mono + span;
        while self.mover.now().mono < until {
            self.mover.turn(until).expect("the poll works");
            while let Some((key, event)) = self.mover.poll_event() {
                match event {
                    PhoneEvent::Answered => {
                        let place = self.place(key);
                        self.mover.order(key, |phone, now| phone.play(tone(hertz(place)), true, now));
                    }
                    PhoneEvent::Ended { .. } | PhoneEvent::Refused { .. } => panic!("{event:?}"),
                    _ => {}
                }
            }
        }
    }

    fn place(&self, key: PartyKey) -> usize {
        self.phones.iter().position(|known| *known == key).expect("one of ours")
    }

    fn received(&self) -> u64 {
        self.phones.iter().map(|key| self.mover.party(*key).count().received).sum()
    }

    fn worst_gap_ms(&self) -> u64 {
        self.phones.iter().map(|key| self.mover.party(*key).count().max_gap_ms).max().unwrap_or(0)
    }

    /// Each heard what it should, and nobody else's tone.
    fn judge(&self, hears: Hears) {
        let prompt = prompt();
        for (place, key) in self.phones.iter().enumerate() {
            let heard = self.mover.party(*key).heard();
            let last = &heard[heard.len() - 2 * 8_000..];
            match hears {
                Hears::Prompt => {
                    let found = listen::find_in_pieces(&prompt, heard, 0);
                    assert!(found.is_some_and(|found| found.score > 0.9), "caller {place}: {found:?}");
                }
                Hears::Echo => {
                    let own = listen::tone_level(last, hertz(place));
                    assert!(own > TONE_DB, "caller {place} hears its own tone at {own} dB");
                    let other = listen::tone_level(last, hertz(place + 7));
                    assert!(other < own - 20.0, "caller {place} hears another's tone at {other} dB");
                }
                Hears::Room => {
                    let first = place / PARTY * PARTY;
                    for other in first..first + PARTY {
                        let level = listen::tone_level(last, hertz(other));
                        match other == place {
                            true => {
                                assert!(level < TONE_DB - 15.0, "caller {place} hears itself at {level} dB")
                            }
                            false => assert!(level > TONE_DB, "caller {place} hears {other} at {level} dB"),
                        }
                    }
                    let stranger = listen::tone_level(last, hertz(place + 4 * PARTY));
                    assert!(stranger < TONE_DB - 15.0, "caller {place} hears another room at {stranger} dB");
                }
            }
        }
    }

    fn hang_up(&mut self) {
        for key in &self.phones {
            self.mover.order(*key, |phone, now| phone.hang_up(now));
        }
    }
}

/// Far enough apart to be told from one another within two seconds.
fn hertz(place: usize) -> f64 {
    300.0 + (place % 250) as f64 * 10.0
}

fn tone(hertz: f64) -> Arc<[i16]> {
    let step = std::f64::consts::TAU * hertz / 8_000.0;
    (0..8_000).map(|n| (8_000.0 * (step * f64::from(n)).sin()) as i16).collect()
}

fn prompt() -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/bench_10s.wav");
    let mut reader = hound::WavReader::open(path).expect("the bench prompt");
    reader.samples().map(|sample| sample.expect("a sample")).collect()
}
