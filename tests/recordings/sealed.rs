//! Recordings encrypted at rest: from the recorder to the sealed file, at every point where a process may be killed, and
//! with keys that were exchanged or lost.

use std::fs;
use std::path::Path;

use hotline::io::recorder::seal::seal_file;
use hotline::io::recorder::{Finding, Format, Key, SealKeys, flac, repair, samples};
use hotline::media::Tape;
use hotline::media::order::FRAME_SAMPLES;

use crate::shelf::{DAY, Folder, Office, Shelf, begun, call, speech, wait, write_wav};

fn key(byte: u8) -> Key {
    Key::new([byte; 32])
}

fn keys() -> SealKeys {
    SealKeys::new(Some(key(1)), Vec::new())
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Whether any file in the directory holds these bytes.
fn is_readable(directory: &Path, wanted: &[u8]) -> bool {
    names(directory).iter().any(|name| {
        let bytes = fs::read(directory.join(name)).unwrap();
        bytes.windows(wanted.len()).any(|part| part == wanted)
    })
}

fn record(shelf: &mut Shelf, n: u64) {
    shelf.deck.begin(call(n), begun());
    shelf.deck.tracks(call(n));
    let sound = speech(n, FRAME_SAMPLES * 150);
    let (frames, _) = sound.as_chunks::<FRAME_SAMPLES>();
    for (at, frame) in frames.iter().enumerate() {
        assert!(shelf.deck.frame(call(n), frame, frame));
        shelf.deck.track(call(n), 2, at as u64, frame);
    }
    shelf.deck.end(call(n), 0);
}

#[test]
fn both_sides_and_tracks_are_sealed_and_nothing_is_left_in_the_clear() {
    for format in [Format::Wav, Format::Flac] {
        let mut shelf = Shelf::new_with(&format!("sealed-{format:?}"), 4, format, keys());
        record(&mut shelf, 1);
        let rows = shelf.office.rows(call(1), 2);
        let day = shelf.office.data.join(DAY);
        let extension = format.extension();
        let wanted = [format!("{}-2.{extension}.sealed", call(1)), format!("{}.{extension}.sealed", call(1))];
        wait("what is in the clear to go", || names(&day) == wanted);
        let said = speech(1, 24_000);
        for (row, channels) in rows.iter().zip([2, 1]) {
            assert_eq!((row.format.as_str(), row.samples), (extension, 24_000));
            let (found, count) = samples(&shelf.office.data.join(&row.file), &keys()).unwrap();
            let sound: Vec<i16> = said.iter().flat_map(|sample| vec![*sample; channels]).collect();
            assert_eq!((found, usize::from(count)), (sound, channels));
        }
        // By the name that the call's record has, too.
        assert!(samples(&day.join(format!("{}.wav", call(1))), &keys()).is_ok());
        let bytes: Vec<u8> = said[4_000..4_020].iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert!(!is_readable(&day, &bytes) && !is_readable(&day, b"RIFF") && !is_readable(&day, b"fLaC"));
        // Without keys as with them; only what is opened is known to open.
        let (looked, findings) = shelf.office.verify();
        assert_eq!((looked.filed, looked.sealed, looked.opened, findings), (2, 2, 2, vec![]));
        let (looked, findings) = shelf.office.verify_with(&SealKeys::default());
        assert_eq!((looked.filed, looked.sealed, looked.opened, findings), (2, 2, 0, vec![]));
        shelf.close();
    }
}

#[test]
fn at_whatever_point_a_process_was_killed_the_next_start_leaves_one_sealed_file() {
    let folder = Folder::new("sealed-left");
    let day = folder.0.join(DAY);
    let at = |n: u64, extension: &str| day.join(format!("{}.{extension}", call(n)));
    let sound = |n: u64| speech(n, 40_000);
    for n in 1..=9 {
        write_wav(&at(n, "wav"), 2, &sound(n));
    }
    let go_on = || true;
    let compress = |n: u64| flac::compress(&at(n, "wav"), &at(n, "flac"), &go_on).unwrap();
    let seal = |n: u64, of: &str, by: u8| {
        seal_file(&at(n, of), &at(n, &format!("{of}.sealed")), &key(by), &go_on).unwrap();
    };
    // 1: nothing begun. 2: killed while it was sealed. 3: compressed, not sealed.
    fs::write(at(2, "wav.sealed.part"), [7; 5_000]).unwrap();
    fs::write(at(2, "flac.sealed.part"), [7; 50]).unwrap();
    compress(3);
    // 4: all three there. 5: WAV gone. 6: both gone, no row.
    [4, 5, 6].into_iter().for_each(compress);
    [4, 5, 6].into_iter().for_each(|n| seal(n, "flac", 1));
    [5, 6].into_iter().for_each(|n| fs::remove_file(at(n, "wav")).unwrap());
    fs::remove_file(at(6, "flac")).unwrap();
    // 7: another sound's sealed file in its place. 8: one of a key that nobody has. 9: sealed by a plan that wanted WAV.
    compress(7);
    fs::remove_file(at(7, "flac")).unwrap();
    seal_file(&at(1, "wav"), &at(7, "flac.sealed"), &key(1), &go_on).unwrap();
    compress(8);
    seal(8, "flac", 99);
    seal(9, "wav", 1);

    assert_eq!(repair(&folder.0), [], "what was half made is gone");
    assert!(!at(2, "wav.sealed.part").exists() && !at(2, "flac.sealed.part").exists());
    let office = Office::open_with(&folder.0, Format::Flac, keys());
    for n in 1..=9 {
        let rows = office.rows(call(n), 1);
        assert_eq!((rows.len(), rows[0].samples), (1, 20_000), "{n}");
        assert_eq!(rows[0].file, format!("{DAY}/{}.flac.sealed", call(n)));
        assert_eq!(samples(&office.data.join(&rows[0].file), &keys()).unwrap(), (sound(n), 2), "{n}");
    }
    let wanted: Vec<String> = (1..=9).map(|n| format!("{}.flac.sealed", call(n))).collect();
    let mut wanted = wanted;
    wanted.sort();
    wait("everything else to go", || names(&day) == wanted);
    let (looked, findings) = office.verify();
    assert_eq!((looked.filed, looked.opened, findings), (9, 9, vec![]));
    office.close();

    // A second start, by a plan without a key and in another format, finds nothing to do.
    let before: Vec<_> = wanted.iter().map(|name| fs::read(day.join(name)).unwrap()).collect();
    write_wav(&at(10, "wav"), 1, &sound(10));
    let office = Office::open(&folder.0, Format::Wav);
    assert_eq!(office.rows(call(10), 1)[0].file, format!("{DAY}/{}.wav", call(10)));
    let after: Vec<_> = wanted.iter().map(|name| fs::read(day.join(name)).unwrap()).collect();
    assert!(before == after);
    office.close();
}

#[test]
fn a_new_key_is_for_new_files_and_old_ones_open_with_the_old() {
    let mut shelf = Shelf::new_with("sealed-exchanged", 16, Format::Wav, keys());
    record(&mut shelf, 1);
    let first = shelf.office.rows(call(1), 2);
    let both = || SealKeys::new(Some(key(2)), vec![key(1)]);
    let take = |shelf: &Shelf, keys: SealKeys| {
        shelf.office.archive.lock().unwrap().as_ref().unwrap().set_keys(keys.into());
    };
    take(&shelf, both());
    record(&mut shelf, 2);
    let second = shelf.office.rows(call(2), 2);
    let data = shelf.office.data.clone();
    wait("what is in the clear to go", || {
        names(&data.join(DAY)).iter().all(|name| name.ends_with(".sealed"))
    });
    let opens = |file: &str, keys: &SealKeys| samples(&data.join(file), keys).is_ok();
    let only = |byte: u8| SealKeys::new(None, vec![key(byte)]);
    assert!(opens(&first[0].file, &both()) && opens(&second[0].file, &both()));
    assert!(opens(&first[0].file, &only(1)) && !opens(&first[0].file, &only(2)));
    assert!(!opens(&second[0].file, &only(1)) && opens(&second[0].file, &only(2)));
    // What went with the old key is told by the id of the key that is wanted.
    let refused = samples(&data.join(&first[0].file), &only(2)).unwrap_err().to_string();
    assert!(refused.contains(&key(1).id().to_string()), "{refused}");
    let (looked, findings) = shelf.office.verify_with(&only(2));
    assert_eq!((looked.filed, looked.opened, findings.len()), (4, 2, 2));
    let locked = Finding::Locked { file: first[0].file.clone(), key: key(1).id() };
    assert!(findings.contains(&locked), "{findings:?}");
    // And back to the clear.
    take(&shelf, SealKeys::new(None, vec![key(1), key(2)]));
    record(&mut shelf, 3);
    assert!(shelf.office.rows(call(3), 2)[0].file.ends_with(".wav"));
    shelf.close();
}

#[test]
fn a_file_that_cannot_be_sealed_stays_in_the_clear_and_is_done_at_the_next_start() {
    let folder = Folder::new("sealed-barred");
    let day = folder.0.join(DAY);
    let at = |n: u64, extension: &str| day.join(format!("{}.{extension}", call(n)));
    [1, 2].into_iter().for_each(|n| write_wav(&at(n, "wav"), 2, &speech(n, 8_000)));
    // Where the sealed file would grow, there is a directory.
    fs::create_dir(at(1, "wav.sealed.part")).unwrap();
    let office = Office::open_with(&folder.0, Format::Wav, keys());
    office.rows(call(2), 1);
    wait("the first to fail", || {
        let archive = office.archive.lock().unwrap();
        let failed = &archive.as_ref().unwrap().figures().failed;
        failed.load(std::sync::atomic::Ordering::Relaxed) == 1
    });
    assert!(at(1, "wav").exists() && office.reader().manifest_of(call(1)).unwrap().is_empty());
    office.close();
    fs::remove_dir(at(1, "wav.sealed.part")).unwrap();
    let office = Office::open_with(&folder.0, Format::Wav, keys());
    assert_eq!(office.rows(call(1), 1)[0].file, format!("{DAY}/{}.wav.sealed", call(1)));
    wait("the clear one to go", || !at(1, "wav").exists());
    office.close();
}

#[test]
fn verify_finds_a_sealed_file_that_was_changed_or_never_opened() {
    let mut shelf = Shelf::new_with("sealed-changed", 4, Format::Wav, keys());
    record(&mut shelf, 1);
    let rows = shelf.office.rows(call(1), 2);
    let path = shelf.office.data.join(&rows[0].file);
    wait("the clear one to go", || names(path.parent().unwrap()).len() == 2);
    let mut bytes = fs::read(&path).unwrap();
    bytes[300] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (_, findings) = shelf.office.verify_with(&SealKeys::default());
    let [Finding::Changed { file, what }] = &findings[..] else { panic!("{findings:?}") };
    assert!(*file == rows[0].file && what.contains("SHA-256"), "{what}");
    assert!(samples(&path, &keys()).is_err(), "and it is not played");
    shelf.close();
}
