//! The archive in a process of its own, killed at odd moments while it compresses: whatever it leaves
//! is a whole WAV file or a whole FLAC file of each call, and the next start goes on from there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hotline::io::recorder::{Format, flac, repair};

use crate::shelf::{DAY, Folder, Office, call, decoded, speech, wait, wav, write_wav};

/// Tells the child where.
const PLACE: &str = "HOTLINE_ARCHIVE_CHILD";
/// Seconds of each call.
const LENGTHS: [usize; 4] = [1, 90, 10, 60];

/// As a process of its own it goes on until it is killed; as a test it has nothing to do.
#[test]
fn an_archive_that_is_left_alone_ends_with_nothing_left_to_do() {
    let folder;
    let data = match std::env::var(PLACE) {
        Ok(place) => PathBuf::from(place),
        Err(_) => {
            folder = Folder::new("alone");
            write_wav(&file(&folder.0, 0, "wav"), 2, &speech(0, 16_000));
            folder.0.clone()
        }
    };
    repair(&data);
    let calls = if std::env::var(PLACE).is_ok() { LENGTHS.len() as u64 } else { 1 };
    let office = Office::open(&data, Format::Flac);
    for n in 0..calls {
        office.rows(call(n), 1);
        wait("the WAV file to go", || !file(&data, n, "wav").exists());
    }
    office.close();
}

fn file(data: &Path, n: u64, extension: &str) -> PathBuf {
    data.join(DAY).join(format!("{}.{extension}", call(n)))
}

fn spawn(data: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::an_archive_that_is_left_alone_ends_with_nothing_left_to_do"])
        .env(PLACE, data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

#[test]
fn killed_at_any_moment_it_leaves_every_recording_whole() {
    let folder = Folder::new("killed");
    let data = &folder.0;
    let sound = |n: u64| speech(n, LENGTHS[n as usize] * 16_000);
    for n in 0..LENGTHS.len() as u64 {
        write_wav(&file(data, n, "wav"), 2, &sound(n));
    }
    let assert_whole = || {
        for n in 0..LENGTHS.len() as u64 {
            let (wav_path, flac_path) = (file(data, n, "wav"), file(data, n, "flac"));
            let kept = match (wav_path.exists(), flac_path.exists()) {
                (true, _) => wav(&wav_path).0,
                (false, true) => flac::read_in(fs::File::open(&flac_path).unwrap()).unwrap().0,
                (false, false) => panic!("call {n} is gone"),
            };
            assert!(kept == sound(n), "call {n} is not what it was");
        }
    };
    let finished = |n: u64| file(data, n, "flac").exists();
    let part = |n: u64| bytes(&file(data, n, "flac.part"));
    // As soon as it begins, in the midst, when a copy is being held against its source, when it got
    // its name, and when the WAV file goes.
    let moments: [(&str, &dyn Fn() -> bool); 6] = [
        ("a copy begins", &|| (0..4).any(|n| file(data, n, "flac.part").exists() || finished(n))),
        ("the longest is under way", &|| part(1) > 10_000 || finished(1)),
        ("further on", &|| part(1) > 500_000 || finished(1)),
        ("a copy has its name", &|| (0..4).filter(|n| finished(*n)).count() >= 1),
        ("another one", &|| (0..4).filter(|n| finished(*n)).count() >= 2),
        ("a WAV file is gone", &|| (0..4).any(|n| !file(data, n, "wav").exists())),
    ];
    for (what, moment) in moments {
        let mut child = spawn(data);
        wait(what, || moment() || child.try_wait().unwrap().is_some());
        let _ = child.kill();
        child.wait().unwrap();
        assert_whole();
    }
    assert!(spawn(data).wait().unwrap().success());
    for n in 0..LENGTHS.len() as u64 {
        assert_eq!(decoded(&file(data, n, "flac")), (sound(n), 2));
    }
    assert_eq!(fs::read_dir(data.join(DAY)).unwrap().count(), LENGTHS.len(), "no WAV, no part of a file");
    let office = Office::open(data, Format::Flac);
    let (looked, findings) = office.verify();
    assert_eq!((looked.filed, findings), (LENGTHS.len(), vec![]));
    office.close();
}
