//! A recording's sound over HTTP: whole and in parts, in the clear and sealed.

use std::fs;

use hotline::io::recorder::Key;
use hotline::io::recorder::seal::seal_file;
use hotline::switchboard::fact::{Cause, What};

use crate::client::{Answer, get, raw};
use crate::fixture::{OWNER, Served, call, story};
use crate::refusals::problem;

/// Three chunks and a part of one.
const BYTES: usize = 3 * 65_536 + 1_000;

/// Letters: the client reads text.
fn sound(n: u64) -> String {
    (0..BYTES as u64).map(|at| char::from((33 + (at * 31 + at / 251 + n) % 90) as u8)).collect()
}

/// Call `n` with its recording; `key`: sealed with it.
fn recorded(served: &Served, n: u64, key: Option<u8>) {
    let file = format!("recordings/2021-09-01/{}.wav", call(n));
    let what = What::Recorded { file: file.clone(), duration_ms: 1_000, lost_frames: 0 };
    served.write(story(call(n), vec![what], Cause::CallerHungUp));
    let path = served.data.join(&file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, sound(n)).unwrap();
    if let Some(byte) = key {
        let sealed = served.data.join(format!("{file}.sealed"));
        seal_file(&path, &sealed, &Key::new([byte; 32]), &|| true).unwrap();
        fs::remove_file(&path).unwrap();
    }
}

fn path(n: u64) -> String {
    format!("/v1/recordings/{}?by=wang&reason=complaint", call(n))
}

fn part(served: &Served, n: u64, range: &str) -> Answer {
    let path = path(n);
    let words =
        format!("GET {path} HTTP/1.0\r\nHost: h\r\nAuthorization: Bearer {OWNER}\r\nRange: {range}\r\n\r\n");
    raw(served.at, words.as_bytes())
}

#[test]
fn a_recording_is_heard_whole_and_in_parts_sealed_or_not() {
    let served = Served::open("sounds");
    for (n, key) in [(1, None), (2, Some(1))] {
        recorded(&served, n, key);
        let whole = get(served.at, &path(n), OWNER);
        assert_eq!((whole.status, whole.header("content-type")), (200, Some("audio/wav")), "{n}");
        assert_eq!(whole.header("content-length"), Some(&*BYTES.to_string()));
        assert!(whole.body == sound(n), "{n}");
        for (range, from, until) in [
            ("bytes=0-43", 0, 43),
            ("bytes=65530-65541", 65_530, 65_541),
            ("bytes=100000-", 100_000, BYTES - 1),
            ("bytes=-10", BYTES - 10, BYTES - 1),
        ] {
            let answer = part(&served, n, range);
            assert_eq!(answer.status, 206, "{range}");
            let span = format!("bytes {from}-{until}/{BYTES}");
            assert_eq!(answer.header("content-range"), Some(&*span));
            assert!(answer.body == sound(n)[from..=until], "{n} {range}");
        }
        let beyond = part(&served, n, "bytes=4711000-");
        assert_eq!(problem(&beyond), (416, "no_such_range".into()));
        assert_eq!(beyond.header("content-range"), Some(&*format!("bytes */{BYTES}")));
    }
}

#[test]
fn what_cannot_be_opened_is_a_problem_and_never_noise() {
    let served = Served::open("locked");
    recorded(&served, 1, Some(9));
    assert_eq!(problem(&get(served.at, &path(1), OWNER)), (503, "no_key".into()));
    // The last chunk is looked at before anything is sent; one before it ends the answer short.
    let file = |n: u64| served.data.join(format!("recordings/2021-09-01/{}.wav.sealed", call(n)));
    let spoil = |n: u64, place: usize| {
        let mut bytes = fs::read(file(n)).unwrap();
        bytes[place] ^= 1;
        fs::write(file(n), bytes).unwrap();
    };
    recorded(&served, 2, Some(1));
    spoil(2, BYTES);
    assert_eq!(problem(&get(served.at, &path(2), OWNER)), (500, "broken_recording".into()));
    recorded(&served, 3, Some(1));
    spoil(3, 48 + 65_552 + 5);
    let answer = get(served.at, &path(3), OWNER);
    assert!(answer.body == sound(3)[..65_536], "{} bytes of the first chunk", answer.body.len());
    fs::OpenOptions::new().write(true).open(file(3)).unwrap().set_len(48 + 65_552).unwrap();
    assert_eq!(problem(&get(served.at, &path(3), OWNER)), (500, "broken_recording".into()));
    // Only what somebody could hear is said to have been played.
    let ledger = get(served.at, "/v1/ledger", OWNER).json();
    let played = ledger.as_array().unwrap().iter().filter(|one| one["action"]["kind"] == "recording_played");
    assert_eq!(played.map(|one| one["subject"].clone()).collect::<Vec<_>>(), [call(3).to_string()]);
}
