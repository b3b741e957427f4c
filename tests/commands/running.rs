//! `hotline run` as an operator handles it: SIGTERM, SIGHUP, files that are of no use.

use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hotline::io::packets::PartyKey;
use hotline::phone::{Answers, Dial, Phone, PhoneEvent, Side, listen};

use crate::house::{HOTLINE, House, printed, scratch};
use crate::line::Lines;

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn ended(lines: &Lines, line: PartyKey) -> bool {
    lines.saw(line, |event| matches!(event, PhoneEvent::Ended { .. }))
}

/// A caller of 12345 and a clerk who talk.
fn talk(house: &House, lines: &mut Lines) -> (PartyKey, PartyKey) {
    let password = house.password("1002");
    let seat = lines.plug_in("1002", house.sip(), |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(200));
    });
    lines.order(seat, Phone::register);
    lines.until("registration", secs(5), |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    let caller = lines.plug_in("13800000051", house.sip(), |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the clerk's answer", secs(20), |lines| {
        lines.saw(seat, |event| *event == PhoneEvent::Answered)
    });
    let tone: Vec<i16> =
        (0..8_000).map(|n| (4_000.0 * (f64::from(n) * 0.25 * std::f64::consts::PI).sin()) as i16).collect();
    lines.order(seat, |phone, now| phone.play(tone.into(), true, now));
    lines.until("the clerk's voice", secs(10), |lines| hears_the_clerk(lines, caller));
    (caller, seat)
}

/// Whether the last tenth of a second that the caller heard has the clerk's 1,000 Hz.
fn hears_the_clerk(lines: &Lines, caller: PartyKey) -> bool {
    let heard = lines.phone(caller).heard();
    is_the_clerk(&heard[heard.len().saturating_sub(800)..])
}

fn is_the_clerk(part: &[i16]) -> bool {
    listen::tone_level(part, 1_000.0) > -26.0
}

/// Dials until the number is answered or refused; gives the status and Retry-After of a refusal.
fn outcome(house: &House, lines: &mut Lines, number: &str) -> Result<(), (u16, Option<u32>)> {
    let line = lines.plug_in("13800000052", house.sip(), |_| {});
    lines.order(line, |phone, now| phone.dial(Dial::to(number), now)).unwrap();
    let refused = |event: &PhoneEvent| match event {
        PhoneEvent::Refused { status, retry_after_s } => Some((*status, *retry_after_s)),
        _ => None,
    };
    lines.until("an answer or a refusal", secs(10), |lines| {
        lines.saw(line, |event| *event == PhoneEvent::Answered || refused(event).is_some())
    });
    match lines.told(line).into_iter().find_map(refused) {
        Some(refusal) => Err(refusal),
        None => {
            lines.order(line, Phone::hang_up);
            lines.until("the end", secs(5), |lines| ended(lines, line));
            Ok(())
        }
    }
}

#[test]
fn sigterm_lets_the_talk_go_on_turns_new_callers_away_and_ends_in_order() {
    let mut house = House::open("drain");
    let mut lines = Lines::new();
    let (caller, _) = talk(&house, &mut lines);
    house.engine.terminate().unwrap();
    lines.until("the drain is seen", secs(5), |_| house.get("/readyz").0.contains("503"));
    let Err((503, Some(retry))) = outcome(&house, &mut lines, "12345") else {
        panic!("a new caller is asked to try again later: {:?}", lines.told(caller));
    };
    assert!(retry > 0);
    let before = lines.phone(caller).heard().len();
    lines.run_for(secs(2));
    assert!(!ended(&lines, caller), "the talk goes on: {:?}", lines.told(caller));
    let since = &lines.phone(caller).heard()[before..];
    let with_clerk = since.chunks_exact(800).filter(|part| is_the_clerk(part)).count();
    assert!(with_clerk >= 10, "the clerk is heard in {with_clerk} tenths of two seconds");
    assert!(house.engine.ended().unwrap().is_none());

    lines.order(caller, Phone::hang_up);
    lines.until("the end of the call", secs(5), |lines| {
        lines.saw(caller, |event| matches!(event, PhoneEvent::HangUpAnswered { status: Some(200) }))
    });
    assert!(house.end(secs(10)).success(), "{}", house.log());
    let records = Command::new(HOTLINE).args(["records", "--data"]).arg(house.data()).output().unwrap();
    assert!(printed(&records).contains("cause=CallerHungUp"), "{}", printed(&records));
}

#[test]
fn a_second_sigterm_ends_the_talk_with_bye_and_the_record_says_why() {
    let mut house = House::open("quick");
    let mut lines = Lines::new();
    let (caller, seat) = talk(&house, &mut lines);
    house.engine.terminate().unwrap();
    lines.until("the drain is seen", secs(5), |_| house.get("/readyz").0.contains("503"));
    assert!(!ended(&lines, caller));
    house.engine.terminate().unwrap();
    lines.until("both are told", secs(5), |lines| ended(lines, caller) && ended(lines, seat));
    assert!(lines.saw(caller, |event| matches!(event, PhoneEvent::Ended { by: Side::Them, .. })));
    assert!(house.end(secs(10)).success(), "{}", house.log());
    let records = Command::new(HOTLINE).args(["records", "--data"]).arg(house.data()).output().unwrap();
    let records = printed(&records);
    assert!(records.contains("cause=Drained") && records.contains(".wav"), "{records}");
}

#[test]
fn sighup_with_a_broken_file_changes_nothing_and_with_a_good_one_new_calls_follow_it() {
    let directory = scratch("plan");
    let config = directory.join("routing.toml");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let prompts = root.join("prompts/prompts.toml");
    let shipped = std::fs::read_to_string(root.join("routing.toml")).unwrap();
    let shipped = shipped.replace("\"prompts/prompts.toml\"", &format!("{:?}", prompts.to_str().unwrap()));
    std::fs::write(&config, &shipped).unwrap();
    let house = House::open_with("reload", &config);
    let mut lines = Lines::new();
    let (caller, _) = talk(&house, &mut lines);
    assert_eq!(outcome(&house, &mut lines, "12336"), Ok(()));
    assert_eq!(outcome(&house, &mut lines, "12337"), Err((404, None)));

    let moved = shipped.replace("number = \"12336\"", "number = \"12337\"");
    let moved = moved.replace("merge_list = \"puyang-2021-30\"\n", ""); // The list has no such number.
    std::fs::write(&config, moved.replace("months = 3", "months = \"three\"")).unwrap();
    house.engine.reload().unwrap();
    lines.until("the refusal is logged", secs(10), |_| house.log().contains("the plan stays as it is"));
    assert!(house.log().contains("transition.months"), "{}", house.log());
    assert_eq!(outcome(&house, &mut lines, "12336"), Ok(()), "the old plan is whole");
    assert_eq!(outcome(&house, &mut lines, "12337"), Err((404, None)));

    std::fs::write(&config, &moved).unwrap();
    house.engine.reload().unwrap();
    lines.until("the new plan is logged", secs(10), |_| house.log().contains("a new plan is in force"));
    assert_eq!(outcome(&house, &mut lines, "12337"), Ok(()));
    assert_eq!(outcome(&house, &mut lines, "12336"), Err((404, None)));
    assert!(!ended(&lines, caller), "the talk went on all the while: {:?}", lines.told(caller));
    lines.until("the clerk's voice, still", secs(5), |lines| hears_the_clerk(lines, caller));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_file_that_is_missing_or_faulty_starts_nothing_and_the_reason_is_said_in_both_languages() {
    let directory = scratch("faulty");
    let run = |words: &[&str]| {
        let run = Command::new(HOTLINE).args(words).current_dir(&directory).output().unwrap();
        (run.status.code(), printed(&run))
    };
    let (code, text) = run(&["run"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("没有路由文件 routing.toml") && text.contains("--config"), "{text}");
    assert!(text.contains("there is no routing file routing.toml"), "{text}");
    assert_eq!(run(&["demo"]).0, Some(2));

    std::fs::write(directory.join("routing.toml"), "schema = 1\nqueues = 3\n").unwrap();
    // A port that is taken: were it opened before the file was judged, that would be the reason.
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let (code, text) = run(&["run", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(code, Some(1));
    assert!(text.contains("routing.toml:2:1") && text.contains("unknown key queues"), "{text}");
    assert!(!text.contains("ready sip="));
    assert!(!directory.join("data").exists(), "nothing was made");
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Bytes that a pipe of Linux holds, and those of which a write goes in whole or waits.
const PIPE: (usize, usize) = (65_536, 4_096);

#[test]
fn a_log_that_nobody_reads_holds_up_nobody() {
    let directory = scratch("unread-log");
    let mut engine = Command::new(HOTLINE)
        .args(["run", "--listen", "127.0.0.1:0", "--http", "off", "--rtp-ports", "20000-29999", "--data"])
        .arg(directory.join("data"))
        .env("RUST_LOG", "debug")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(engine.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let sip = ready.split_whitespace().find_map(|word| word.strip_prefix("sip=")).expect("a ready line");
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.connect(sip).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let local = peer.local_addr().unwrap();
    for round in 0..20 {
        // Each of these is a line of the log, and gets no answer.
        for _ in 0..50 {
            peer.send(b"INVITE\r\n\r\n").unwrap();
        }
        let options = format!(
            "OPTIONS sip:{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{round};rport\r\n\
             From: <sip:a@{local}>;tag=1\r\nTo: <sip:{sip}>\r\nCall-ID: {round}\r\nCSeq: 1 OPTIONS\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        peer.send(options.as_bytes()).unwrap();
        let mut room = [0; 2_048];
        let length = peer.recv(&mut room).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(room[..length].starts_with(b"SIP/2.0 200 "), "round {round}");
    }
    engine.kill().unwrap();
    let mut log = Vec::new();
    engine.stderr.take().unwrap().read_to_end(&mut log).unwrap();
    engine.wait().unwrap();
    assert!(log.len() > PIPE.0 - PIPE.1, "no further line would have gone in: {} bytes", log.len());
    let lines = log.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines < 20 * 50, "and others waited: {lines} lines");
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn levels_of_the_log_that_cannot_be_read_are_named_and_nothing_starts() {
    let directory = scratch("log-levels");
    let output = Command::new(HOTLINE)
        .args(["run", "--listen", "127.0.0.1:0", "--http", "off", "--data"])
        .arg(directory.join("data"))
        .env("RUST_LOG", "hotline=loud")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("没有启动 / not started: RUST_LOG: hotline=loud: "), "{told}");
    assert!(!directory.join("data").exists(), "nothing was opened");
}
