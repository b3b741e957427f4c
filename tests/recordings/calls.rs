//! Real calls through the engine's own binary: paused over HTTP, kept with tracks as FLAC, on a disk
//! that is full.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use hotline::io::packets::PartyKey;
use hotline::io::recorder::flac;
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::listen::tone_level;
use hotline::phone::{Answers, Dial, Phone, PhoneEvent};
use hotline::telemetry::CallRecord;

use crate::disk::Small;
use crate::engine::{Engine, data_dir};
use crate::line::Lines;

const WHEN: &str = "2021-12-01T09:00:00+08:00";
const CALLER: f64 = 440.0;
const CLERK: f64 = 1_000.0;

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// An engine on the shipped plan with these lines in its `[recording]`, and where its HTTP is.
fn engine(name: &str, recording: &str) -> (Engine, SocketAddr) {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = std::fs::read_to_string(home.join("routing.toml")).unwrap();
    let prompts = format!("prompts = {:?}", home.join("prompts/prompts.toml"));
    let shipped = "prompts = \"prompts/prompts.toml\"";
    let (tracks, format) = ("\ntracks = false\n", "\nformat = \"wav\"\n");
    assert!([shipped, tracks, format].iter().all(|text| plan.contains(text)));
    let plan =
        plan.replace(shipped, &prompts).replace(tracks, "\n").replace(format, &format!("\n{recording}\n"));
    let data = data_dir(name);
    std::fs::create_dir_all(&data).unwrap();
    let path = data.join("routing.toml");
    std::fs::write(&path, plan).unwrap();
    let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let words = ["--config", path.to_str().unwrap(), "--http", &http.to_string()];
    (Engine::start_with(name, WHEN, &words), http)
}

/// Status and body.
fn ask(at: SocketAddr, method: &str, path: &str, token: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(secs(10))).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
    (status, answer[end + 4..].to_vec())
}

fn tone(hertz: f64) -> Vec<i16> {
    (0..8_000)
        .map(|n| (6_000.0 * (f64::from(n) / 8_000.0 * hertz * std::f64::consts::TAU).sin()) as i16)
        .collect()
}

/// A caller of 12345 and a clerk who talk in tones.
fn talk(engine: &Engine, lines: &mut Lines) -> (PartyKey, PartyKey) {
    let password = engine.password("1001");
    let seat = lines.plug_in("1001", engine.sip, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(200));
    });
    lines.order(seat, Phone::register);
    lines.until("registration", secs(10), |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    let caller = lines.plug_in("13800000042", engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the clerk's answer", secs(40), |lines| {
        lines.saw(seat, |event| *event == PhoneEvent::Answered)
    });
    lines.order(caller, |phone, now| phone.play(tone(CALLER).into(), true, now));
    lines.order(seat, |phone, now| phone.play(tone(CLERK).into(), true, now));
    lines.until("the clerk's voice", secs(20), |lines| {
        let heard = lines.phone(caller).heard();
        tone_level(&heard[heard.len().saturating_sub(800)..], CLERK) > -26.0
    });
    (caller, seat)
}

fn hang_up(lines: &mut Lines, seat: PartyKey, caller: PartyKey) {
    lines.order(caller, Phone::hang_up);
    lines.until("the end at the seat", secs(10), |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Ended { .. }))
    });
}

fn record(data: &Path, lines: &mut Lines, wanted: impl Fn(&CallRecord) -> bool) -> CallRecord {
    let reader = Reader::open(&data.join(FILE)).unwrap();
    let find = || {
        let calls = reader.calls(&CallQuery { most: 10, ..CallQuery::default() }).unwrap();
        calls.into_iter().find(|record| wanted(record))
    };
    lines.until("the record", secs(20), |_| find().is_some());
    find().unwrap()
}

fn hotline(data: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hotline")).args(words).arg("--data").arg(data).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Tenths of a second in which a tone is heard.
fn heard(sound: &[i16], hertz: f64) -> Vec<bool> {
    sound.chunks_exact(800).map(|part| tone_level(part, hertz) > -35.0).collect()
}

#[test]
fn a_clerk_pauses_the_recording_and_what_is_kept_is_whole_and_compressed() {
    let (engine, http) = engine("rec-call", "tracks = true\nformat = \"flac\"");
    let mut lines = Lines::new();
    let (caller, seat) = talk(&engine, &mut lines);
    let token = std::fs::read_to_string(engine.data.join("secrets/api-token")).unwrap();
    let token = token.trim();
    let open = record(&engine.data, &mut lines, |_| true);
    let path = format!("/v1/recordings/{}", open.call);
    let unknown = "/v1/recordings/017bb000-0000-7000-8000-000000000000/pause?by=wang&reason=card";
    for (path, token, status) in [
        (format!("{path}/pause?by=wang&reason=card"), "guess", 401),
        (format!("{path}/pause?by=wang"), token, 400),
        (unknown.to_owned(), token, 404),
    ] {
        assert_eq!(ask(http, "POST", &path, token).0, status, "{path}");
    }
    lines.run_for(secs(1));
    let pause = || ask(http, "POST", &format!("{path}/pause?by=clerk-1001&reason=card"), token);
    let text = |(status, body): (u16, Vec<u8>)| (status, String::from_utf8(body).unwrap());
    assert_eq!(text(pause()), (200, r#"{"changed":true,"paused":true}"#.into()));
    assert_eq!(text(pause()), (200, r#"{"changed":false,"paused":true}"#.into()), "twice is once");
    lines.run_for(secs(2));
    let resumed = ask(http, "POST", &format!("{path}/resume?by=clerk-1001&reason=done"), token);
    assert_eq!(text(resumed), (200, r#"{"changed":true,"paused":false}"#.into()));
    lines.run_for(secs(1));
    hang_up(&mut lines, seat, caller);

    let record =
        record(&engine.data, &mut lines, |record| record.cause.is_some() && record.recording.is_some());
    assert_eq!(record.recording_pauses, 1);
    assert_eq!(ask(http, "POST", &format!("{path}/pause?by=wang&reason=late"), token).0, 409);
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let kept = engine.data.join(record.recording.as_ref().unwrap());
    let waves = || {
        let names = std::fs::read_dir(kept.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| !path.to_string_lossy().ends_with(".flac.sealed")).count()
    };
    lines.until("all that is kept", secs(30), |_| {
        reader.manifest_of(record.call).unwrap().len() == 3 && waves() == 0
    });
    let rows = reader.manifest_of(record.call).unwrap();
    assert!(
        rows.iter().all(|row| row.format == "flac" && row.samples == rows[0].samples && row.lost_frames == 0)
    );
    let [(from, until)] = rows[0].pauses[..] else { panic!("one pause: {:?}", rows[0].pauses) };
    assert!((until - from).abs_diff(16_000) < 8_000, "about two seconds: {}", until - from);

    // Over HTTP as it is kept, and its pause is silence of its own length between two talks.
    let (status, body) = ask(http, "GET", &format!("{path}?by=wang&reason=complaint"), token);
    assert_eq!((status, &body[..4]), (200, &b"fLaC"[..]));
    let played = engine.data.join("played.flac");
    std::fs::write(&played, body).unwrap();
    let (both, channels) = flac::read_in(File::open(&played).unwrap()).unwrap();
    assert_eq!((channels, both.len() as u64), (2, 2 * rows[0].samples));
    let left: Vec<i16> = both.iter().step_by(2).copied().collect();
    let right: Vec<i16> = both.iter().skip(1).step_by(2).copied().collect();
    let (from, until) = (from as usize, until as usize);
    assert!(left[from..until].iter().chain(&right[from..until]).all(|sample| *sample == 0));
    for (side, hertz) in [(&left, CALLER), (&right, CLERK)] {
        assert!(tone_level(&side[from - 4_000..from], hertz) > -30.0, "{hertz} Hz before");
        assert!(tone_level(&side[until..until + 4_000], hertz) > -30.0, "{hertz} Hz after");
    }
    let (status, body) = ask(http, "GET", &format!("{path}?by=wang&reason=complaint&track=1"), token);
    assert_eq!(status, 200);
    std::fs::write(&played, body).unwrap();
    let (track, channels) = flac::read_in(File::open(&played).unwrap()).unwrap();
    assert_eq!((channels, track.len()), (1, left.len()));
    assert!(heard(&track, CLERK).iter().filter(|heard| **heard).count() > 15);
    assert!(heard(&track, CALLER).iter().all(|heard| !heard), "the clerk alone");

    // Who did what is in the ledger, and what is kept is as it was filed.
    let ledger: Vec<String> = reader.ledger(None, 100).unwrap().into_iter().map(|row| row.json).collect();
    for (action, who) in [
        ("recording_paused", "clerk-1001"),
        ("recording_resumed", "clerk-1001"),
        ("recording_played", "wang"),
    ] {
        let named = ledger.iter().filter(|json| json.contains(action) && json.contains(who)).count();
        assert_eq!(named, if action == "recording_resumed" { 1 } else { 2 }, "{action}");
    }
    let listed = said(&hotline(&engine.data, &["records"]));
    assert!(listed.contains(".flac.sealed pauses=1 tracks=2 sha256="), "{listed}");
    let verified = hotline(&engine.data, &["records", "verify"]);
    assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    assert!(said(&verified).contains("3 opened from end to end"), "{}", said(&verified));

    // An export is opened, and in the ledger; without a reason there is none, and nothing is written over.
    let (call, out) = (record.call.to_string(), engine.data.join("exported.flac"));
    let open = ["records", "open", &call, "--out", out.to_str().unwrap(), "--by", "zhang"];
    assert_eq!(hotline(&engine.data, &open).status.code(), Some(2));
    let open = [&open[..], &["--reason", "court order"]].concat();
    let exported = hotline(&engine.data, &open);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    assert_eq!(flac::read_in(File::open(&out).unwrap()).unwrap(), (both, 2));
    let last = reader.ledger(None, 1).unwrap().remove(0).json;
    assert!(["recording_exported", "zhang", "court order"].iter().all(|word| last.contains(word)), "{last}");
    assert_eq!(hotline(&engine.data, &open).status.code(), Some(2));

    let kept = engine.data.join(&rows[0].file);
    let mut bytes = std::fs::read(&kept).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&kept, bytes).unwrap();
    let verified = hotline(&engine.data, &["records", "verify"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(said(&verified).contains(&format!("改动 / changed: {}", rows[0].file)), "{}", said(&verified));
}

#[test]
fn a_call_whose_recording_finds_no_room_goes_on_and_says_so_afterwards() {
    let data = data_dir("rec-full");
    std::fs::create_dir_all(data.join("recordings")).unwrap();
    // Half a second of one call. A process that may not mount leaves this to the recorder's own tests.
    let Some(small) = Small::over(&data.join("recordings"), 32) else { return };
    let (engine, _) = engine("rec-full", "");
    let mut lines = Lines::new();
    let (caller, seat) = talk(&engine, &mut lines);
    let from = lines.phone(caller).heard().len();
    lines.run_for(secs(3));
    let heard = lines.phone(caller).heard()[from..].to_vec();
    assert!(heard.len() > 2 * 8_000, "{} samples", heard.len());
    let clerk = self::heard(&heard, CLERK);
    assert!(clerk.iter().filter(|heard| **heard).count() + 2 >= clerk.len(), "without a gap: {clerk:?}");
    hang_up(&mut lines, seat, caller);
    let record =
        record(&engine.data, &mut lines, |record| record.cause.is_some() && record.recording.is_some());
    assert!(record.recording_lost > 100, "{} frames", record.recording_lost);
    let answered = record.answered_ms.unwrap();
    assert!(record.recording_ms.unwrap().abs_diff(answered) < 500, "{:?} {answered}", record.recording_ms);
    drop(engine);
    drop(small);
    let _ = std::fs::remove_dir_all(data);
}
