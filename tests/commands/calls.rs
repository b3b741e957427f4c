//! `hotline call` and `hotline phone` against `hotline run`: all three the real binary.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hotline::phone::listen;

use crate::house::{HOTLINE, House, printed};

fn wav(path: &Path) -> Vec<i16> {
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

fn write_tone(path: &Path, hertz: f64, channels: u16) {
    let spec = hound::WavSpec {
        channels,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..12 * 8_000 * u32::from(channels) {
        let turn = f64::from(n) / 8_000.0 * hertz * std::f64::consts::TAU;
        wav.write_sample((4_000.0 * turn.sin()) as i16).unwrap();
    }
    wav.finalize().unwrap();
}

/// Tenths of seconds in which a tone is there.
fn tenths(sound: &[i16], hertz: f64) -> usize {
    sound.chunks_exact(800).filter(|part| listen::tone_level(part, hertz) > -26.0).count()
}

#[test]
fn a_caller_is_answered_hears_the_greeting_and_is_counted_and_nobody_reads_his_number_in_the_log() {
    let house = House::open("call");
    let caller = "13812345678";
    let words = ["call", "12345", "--from", caller, "--record", "heard.wav", "--for", "7"];
    let call = house.command(&words).output().unwrap();
    let text = printed(&call);
    assert_eq!(call.status.code(), Some(0), "{text}");
    for step in ["振铃 / ringing: 180", "接通 / answered", "结束 / ended: 本方 / by us"] {
        assert!(text.contains(step), "{step}: {text}");
    }
    let greeting = wav(&Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/greeting.wav"));
    let heard = wav(&house.directory.join("heard.wav"));
    let found = listen::find_in_pieces(&greeting, &heard, 0).expect("the greeting");
    assert!(found.score > 0.8, "{found:?}");

    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        assert_eq!(house.get(path), ("HTTP/1.1 200 OK".to_owned(), body.to_owned()), "{path}");
    }
    let (_, metrics) = house.get("/metrics");
    let counted = |line: &str| metrics.lines().any(|found| found == line);
    assert!(counted("hotline_calls_opened_total{line=\"12345\"} 1"), "{metrics}");
    assert_eq!(house.get("/v1/snapshot").0, "HTTP/1.1 401 Unauthorized");
    let snapshot = house.get_as_owner("/v1/snapshot").1;
    assert!(serde_json::from_str::<serde_json::Value>(&snapshot).is_ok(), "{snapshot}");

    let log = house.log();
    assert!(log.contains("call opened") && log.contains("138******78"), "{log}");
    assert!(!log.contains(caller), "{log}");
    assert!(
        log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "JSON off a terminal"
    );
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let secrets = house.data().join("secrets");
    assert_eq!(mode(&secrets), 0o700);
    let files: Vec<_> = std::fs::read_dir(&secrets).unwrap().map(|entry| entry.unwrap().path()).collect();
    let made = "twelve seats, the token of the API, the keys of pick-up codes and of recordings";
    assert_eq!(files.len(), 15, "{made}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
}

#[test]
fn a_number_that_is_nobodys_ends_in_its_status_and_exit_code_1_and_wrong_use_in_2() {
    let house = House::open("refused");
    let call = house.command(&["call", "119"]).output().unwrap();
    assert_eq!(call.status.code(), Some(1));
    assert!(printed(&call).contains("被拒 / refused: 404 没有这个号码"), "{}", printed(&call));

    write_tone(&house.directory.join("stereo.wav"), 440.0, 2);
    let call = house.command(&["call", "12345", "--play", "stereo.wav"]).output().unwrap();
    assert_eq!(call.status.code(), Some(2));
    assert!(printed(&call).contains("8000 Hz, 2 channels"), "{}", printed(&call));
    for words in [&["call", "12345", "--digits", "1-2"][..], &["call", "12345", "--header", "X"], &["call"]] {
        let call = house.command(words).output().unwrap();
        assert_eq!(call.status.code(), Some(2), "{words:?}: {}", printed(&call));
    }
    assert!(!house.log().contains("call opened"));
}

#[test]
fn a_seat_and_a_caller_of_the_command_line_hear_each_other_and_the_grade_is_kept() {
    let house = House::open("phone");
    write_tone(&house.directory.join("caller.wav"), 1_000.0, 1);
    let phone = [
        "phone",
        "--seat",
        "1001",
        "--data",
        "data",
        "--answer-after",
        "300ms",
        "--for",
        "6s",
        "--record",
        "seat.wav",
        "--count",
        "1",
    ];
    let mut phone = house.command(&phone).stdout(Stdio::piped()).spawn().unwrap();
    let mut words = BufReader::new(phone.stdout.take().unwrap());
    let mut first = String::new();
    words.read_line(&mut first).unwrap();
    assert!(first.contains("座席 1001 已登录"), "{first}");

    // The greeting takes 5 s, the clerk's number 3 s, the talk the rest of the clerk's 6 s; then the
    // question is put for 12 s, in which the digit comes.
    let call = [
        "call",
        "12333",
        "--play",
        "caller.wav",
        "--record",
        "caller-heard.wav",
        "--digits",
        ",,,,,,,,,,,,,,2",
    ];
    let call = house.command(&call).output().unwrap();
    assert_eq!(call.status.code(), Some(0), "{}", printed(&call));
    assert!(printed(&call).contains("结束 / ended: 对方 / by them"), "{}", printed(&call));

    let mut rest = String::new();
    words.read_to_string(&mut rest).unwrap();
    assert_eq!(phone.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("来电 / call from 13800000000 所拨 / dialled: 12333"), "{rest}");
    assert!(rest.contains("已退出登录 / unregistered"), "{rest}");
    let seat_heard = tenths(&wav(&house.directory.join("seat.wav")), 1_000.0);
    assert!(seat_heard >= 5, "the clerk heard the caller for {seat_heard} tenths");
    let caller_heard = tenths(&wav(&house.directory.join("caller-heard.wav")), 440.0);
    assert!(caller_heard >= 5, "the caller heard the clerk for {caller_heard} tenths");

    let begun = Instant::now();
    loop {
        let tickets = Command::new(HOTLINE).args(["tickets", "--data"]).arg(house.data()).output().unwrap();
        let tickets = printed(&tickets);
        // The office hears of the end a moment after the caller does.
        if tickets.contains(" closed ") {
            assert!(tickets.contains("line=12333") && tickets.contains("seat=1001 grade=2"), "{tickets}");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{tickets}");
    }
}

#[test]
fn a_phone_with_a_wrong_password_says_so_and_leaves() {
    let house = House::open("password");
    std::fs::write(house.directory.join("password"), "not it\n").unwrap();
    let words = ["phone", "--seat", "1001", "--password-file", "password"];
    let phone = house.command(&words).output().unwrap();
    assert_eq!(phone.status.code(), Some(1));
    assert!(printed(&phone).contains("登录失败 / registration failed: 401"), "{}", printed(&phone));
    assert!(printed(&phone).contains("secrets/seat-1001"), "{}", printed(&phone));
    let log = house.log();
    assert!(
        log.contains("座席 1001 的口令不对") && log.contains("wrong password for seat 1001 from 127.0.0.1"),
        "{log}"
    );
    let phone = house.command(&["phone", "--seat", "9999", "--data", "data"]).output().unwrap();
    assert_eq!(phone.status.code(), Some(2));
    assert!(printed(&phone).contains("secrets/seat-9999"), "{}", printed(&phone));
}
