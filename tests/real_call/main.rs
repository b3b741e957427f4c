//! One real call through the whole house: the engine's own binary, two telephones over real UDP on
//! loopback, the clock set inside the transition months. Needs nothing but the engine.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant as SystemInstant};

use hotline::id::Dice;
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::listen;
use hotline::phone::{Answers, Dial, Output, Phone, PhoneConfig, PhoneEvent};
use hotline::time::{Instant, Now, Timestamp};

/// The engine, ended when the test is.
struct Engine {
    process: Child,
    data: PathBuf,
    sip: SocketAddr,
}

impl Engine {
    fn start(name: &str, ports: &str, clock: &str) -> Engine {
        let data = std::env::temp_dir().join(format!("hotline-{name}-{}", std::process::id()));
        let mut process = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["run", "--listen", "127.0.0.1:0", "--http", "off", "--rtp-ports", ports, "--clock", clock])
            .arg("--data")
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the engine starts");
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let sip = ready.split_whitespace().find_map(|word| word.strip_prefix("sip=")).expect("a ready line");
        Engine { process, data, sip: sip.parse().unwrap() }
    }

    fn password(&self, seat: &str) -> String {
        let path = self.data.join("secrets").join(format!("seat-{seat}"));
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// A telephone with its sockets.
struct Line {
    phone: Phone,
    sip: UdpSocket,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    events: Vec<PhoneEvent>,
}

impl Line {
    fn plug_in(user: &str, server: SocketAddr, set: impl FnOnce(&mut PhoneConfig)) -> Line {
        let socket = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let sip = socket();
        // RTP on an even port with RTCP beside it.
        let (rtp, rtcp) = std::iter::repeat_with(socket)
            .take(200)
            .find_map(|rtp| {
                let port = rtp.local_addr().unwrap().port();
                let beside =
                    (port % 2 == 0).then(|| UdpSocket::bind(("127.0.0.1", port + 1)).ok()).flatten()?;
                Some((rtp, beside))
            })
            .expect("a pair of ports");
        for socket in [&sip, &rtp, &rtcp] {
            socket.set_nonblocking(true).unwrap();
        }
        let mut config = PhoneConfig::new(user, sip.local_addr().unwrap(), rtp.local_addr().unwrap(), server);
        set(&mut config);
        let phone = Phone::new(config, Dice::seeded(u64::from(sip.local_addr().unwrap().port())));
        Line { phone, sip, rtp, rtcp, events: Vec::new() }
    }

    /// Moves what is there; `true` if anything was.
    fn turn(&mut self, now: Now) -> bool {
        let mut room = [0; 4_096];
        let mut moved = false;
        while let Ok((length, from)) = self.sip.recv_from(&mut room) {
            self.phone.handle_sip(from, &room[..length], now);
            moved = true;
        }
        for socket in [&self.rtp, &self.rtcp] {
            while let Ok((length, from)) = socket.recv_from(&mut room) {
                self.phone.handle_rtp(from, &room[..length], now);
                moved = true;
            }
        }
        if self.phone.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.phone.handle_timeout(now);
            moved = true;
        }
        while let Some(output) = self.phone.poll_output() {
            match output {
                Output::Sip { to, bytes } => drop(self.sip.send_to(&bytes, to)),
                Output::Rtp { to, bytes } => drop(self.rtp.send_to(&bytes, to)),
                Output::Rtcp { to, bytes } => drop(self.rtcp.send_to(&bytes, to)),
                Output::Event(event) => self.events.push(event),
            }
        }
        moved
    }

    fn saw(&self, what: impl Fn(&PhoneEvent) -> bool) -> bool {
        self.events.iter().any(what)
    }
}

struct Clock(SystemInstant);

impl Clock {
    fn now(&self) -> Now {
        Now { mono: Instant::from_nanos(self.0.elapsed().as_nanos() as u64), wall: Timestamp::now() }
    }

    /// Runs the telephones until `done`, or fails with what they saw.
    fn until(
        &self,
        what: &str,
        lines: &mut [&mut Line],
        bound: Duration,
        done: impl Fn(&[&mut Line]) -> bool,
    ) {
        let began = SystemInstant::now();
        // A socket that nobody writes to is the nap between two turns.
        let nap = UdpSocket::bind("127.0.0.1:0").unwrap();
        nap.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        while !done(lines) {
            let moved = lines.iter_mut().map(|line| line.turn(self.now())).fold(false, |a, b| a | b);
            if !moved {
                let _ = nap.recv(&mut [0]);
            }
            let seen: Vec<_> = lines.iter().map(|line| &line.events).collect();
            assert!(began.elapsed() < bound, "{what}: not within {bound:?}; {seen:?}");
        }
    }
}

fn prompt(id: &str) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(format!("{id}.wav"));
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

fn tone(hertz: f32) -> Arc<[i16]> {
    (0..8_000)
        .map(|n| (6_000.0 * (n as f32 / 8_000.0 * hertz * std::f32::consts::TAU).sin()) as i16)
        .collect()
}

#[test]
fn a_caller_of_a_merged_number_hears_the_transition_talks_to_a_clerk_and_grades_the_call() {
    let engine = Engine::start("real-call", "40000-44799", "2021-09-01T09:00:00+08:00");
    let clock = Clock(SystemInstant::now());
    let secs = Duration::from_secs;
    let password = engine.password("1001");
    let mut seat = Line::plug_in("1001", engine.sip, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(300));
    });
    let mut caller = Line::plug_in("13800000042", engine.sip, |_| {});
    seat.phone.register(clock.now());
    clock.until("registration", &mut [&mut seat], secs(5), |lines| {
        lines[0].saw(|event| matches!(event, PhoneEvent::Registered { .. }))
    });
    let (high, low) = (tone(1_000.0), tone(440.0));
    caller.phone.dial(Dial::to("12336"), clock.now()).unwrap();
    clock.until("the clerk's answer", &mut [&mut caller, &mut seat], secs(40), |lines| {
        lines[1].saw(|event| matches!(event, PhoneEvent::Answered))
    });
    caller.phone.play(low, true, clock.now());
    seat.phone.play(high, true, clock.now());
    let talked = clock.now().mono + secs(8);
    clock.until("talk", &mut [&mut caller, &mut seat], secs(12), |_| clock.now().mono >= talked);
    let seat_heard = seat.phone.heard().to_vec();
    seat.phone.hang_up(clock.now());
    let asked = clock.now().mono + secs(2);
    clock.until("the survey", &mut [&mut caller, &mut seat], secs(6), |_| clock.now().mono >= asked);
    caller.phone.press("2", clock.now());
    clock.until("the end", &mut [&mut caller, &mut seat], secs(20), |lines| {
        lines[0].saw(|event| matches!(event, PhoneEvent::Ended { .. }))
    });

    let heard = caller.phone.heard().to_vec();
    let mut from = 0;
    for id in ["transition", "greeting", "wei_nin_fuwu", "survey_thanks"] {
        let found = listen::find(&prompt(id), &heard, from).filter(|found| found.score > 0.8);
        from = found.unwrap_or_else(|| panic!("{id} was not heard after sample {from}")).at_sample;
    }
    let level = |sound: &[i16], hertz: f32| {
        let best = sound.chunks_exact(1_600).map(|part| listen::tone_level(part, hertz.into()) as f64);
        best.fold(f64::MIN, f64::max)
    };
    assert!(level(&heard, 1_000.0) > level(&prompt("greeting"), 1_000.0) + 6.0, "the caller heard the clerk");
    assert!(level(&seat_heard, 440.0) > -25.0, "the clerk heard the caller: {}", level(&seat_heard, 440.0));

    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let settled = || {
        let calls = reader.calls(&CallQuery { most: 10, ..CallQuery::default() }).unwrap();
        calls.into_iter().find(|record| record.cause.is_some() && record.recording.is_some())
    };
    let mut record = None;
    let began = SystemInstant::now();
    while record.is_none() && began.elapsed() < secs(10) {
        record = settled();
    }
    let record = record.expect("one closed record with its recording");
    assert_eq!((record.line.as_str(), record.caller.as_str()), ("12336", "13800000042"));
    assert_eq!(record.seat.as_ref().map(|seat| seat.as_str()), Some("1001"));
    assert_eq!(record.grade, Some(2));
    assert!(!record.undurable && record.shifted_clock);
    let recording = hound::WavReader::open(engine.data.join(record.recording.unwrap())).unwrap();
    assert_eq!((recording.spec().channels, recording.spec().sample_rate), (2, 8_000));
    let both: Vec<i16> = recording.into_samples::<i16>().map(Result::unwrap).collect();
    let side = |first: usize| -> Vec<i16> { both.iter().skip(first).step_by(2).copied().collect() };
    assert!(level(&side(0), 440.0) > -25.0, "the caller is on the left");
    assert!(listen::find(&prompt("transition"), &side(1), 0).is_some_and(|found| found.score > 0.8));
    assert_eq!(reader.tickets(10).unwrap().len(), 1, "one call, one ticket");
}
