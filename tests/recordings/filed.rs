//! What the manifest says of each file, what is found and finished at the start, and what `verify` finds.

use std::fs;
use std::path::Path;

use hotline::io::recorder::{Finding, Format, flac, repair};
use hotline::media::order::FRAME_SAMPLES;
use hotline::media::{Silence, Tape};
use sha2::{Digest, Sha256};

use crate::shelf::{DAY, Folder, Office, Shelf, begun, call, decoded, speech, wav, write_wav};

fn sha256(path: &Path) -> String {
    Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Records three seconds with a gap, a pause and one track that begins late.
fn record(shelf: &mut Shelf, n: u64) {
    let call = call(n);
    shelf.deck.begin(call, begun());
    shelf.deck.tracks(call);
    let sound = speech(n, FRAME_SAMPLES * 150);
    let (frames, _) = sound.as_chunks::<FRAME_SAMPLES>();
    for (at, frame) in frames.iter().enumerate() {
        assert!(shelf.deck.frame(call, frame, frame));
        if at >= 100 {
            shelf.deck.track(call, 2, at as u64, frame);
        }
    }
    shelf.deck.silent(call, Silence::Lost, 10, 13);
    shelf.deck.silent(call, Silence::Paused, 50, 75);
    shelf.deck.end(call, 3);
}

#[test]
fn each_file_is_in_the_manifest_with_its_sum_its_length_and_what_it_lacks() {
    for format in [Format::Wav, Format::Flac] {
        let mut shelf = Shelf::new(&format!("rows-{format:?}"), 4, format);
        record(&mut shelf, 1);
        let rows = shelf.office.rows(call(1), 2);
        let extension = format.extension();
        for (row, (track, name)) in rows.iter().zip([(None, String::new()), (Some(2), "-2".to_owned())]) {
            assert_eq!(row.file, format!("{DAY}/{}{name}.{extension}", call(1)));
            let path = shelf.office.data.join(&row.file);
            assert_eq!((row.call, row.track, row.format.as_str()), (call(1), track, extension));
            assert_eq!((row.sha256.clone(), row.bytes), (sha256(&path), fs::metadata(&path).unwrap().len()));
            assert_eq!((row.samples, &row.pauses[..]), (24_000, &[(8_000, 12_000)][..]));
            let lost = if track.is_none() { (3, vec![(1_600, 2_080)]) } else { (0, Vec::new()) };
            assert_eq!((row.lost_frames, row.gaps.clone()), lost);
        }
        let sound = |row: usize| {
            let path = shelf.office.data.join(&rows[row].file);
            if format == Format::Flac { decoded(&path) } else { wav(&path) }
        };
        let said = speech(1, 24_000);
        assert_eq!(sound(0), (said.iter().flat_map(|sample| [*sample; 2]).collect(), 2));
        let late: Vec<i16> = std::iter::repeat_n(0, 16_000).chain(said[16_000..].iter().copied()).collect();
        assert_eq!(sound(1), (late, 1));
        crate::shelf::wait("the other form to go", || {
            fs::read_dir(shelf.office.data.join(DAY)).unwrap().count() == 2
        });
        let (looked, findings) = shelf.office.verify();
        assert_eq!((looked.filed, looked.waiting, findings), (2, 0, vec![]));
        shelf.close();
    }
}

#[test]
fn verify_finds_one_changed_byte_a_missing_file_and_one_that_is_nobodys() {
    let mut shelf = Shelf::new("verify", 8, Format::Wav);
    for n in 1..=4 {
        record(&mut shelf, n);
    }
    for n in 1..=4 {
        shelf.office.rows(call(n), 2);
    }
    let data = shelf.office.data.clone();
    let file = |n, leg: &str| format!("{DAY}/{}{leg}.wav", call(n));
    let mut bytes = fs::read(data.join(file(1, ""))).unwrap();
    bytes[20_000] ^= 1;
    fs::write(data.join(file(1, "")), bytes).unwrap();
    fs::remove_file(data.join(file(2, "-2"))).unwrap();
    fs::OpenOptions::new().write(true).open(data.join(file(3, ""))).unwrap().set_len(1_000).unwrap();
    fs::remove_file(data.join(file(4, ""))).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", data.join(file(4, ""))).unwrap();
    fs::write(data.join(DAY).join("notes.txt"), "not ours").unwrap();
    write_wav(&data.join(file(99, "")), 2, &[1; 320]);
    let (looked, findings) = shelf.office.verify();
    assert_eq!((looked.filed, looked.findings), (8, 6));
    let of = |file: &str| findings.iter().find(|finding| format!("{finding:?}").contains(file));
    let Some(Finding::Changed { what, .. }) = of(&file(1, "")) else { panic!("{findings:?}") };
    assert!(what.contains("SHA-256"), "{what}");
    assert_eq!(of(&file(2, "-2")), Some(&Finding::Missing { file: file(2, "-2") }));
    assert!(matches!(of(&file(3, "")), Some(Finding::Changed { .. })));
    assert!(matches!(of(&file(4, "")), Some(Finding::Changed { .. })));
    assert!(matches!(of("notes.txt"), Some(Finding::Unlisted { .. })));
    assert!(matches!(of(&file(99, "")), Some(Finding::Unlisted { .. })));
    shelf.close();
}

#[test]
fn whatever_a_dead_process_left_half_done_is_done_at_the_next_start() {
    let folder = Folder::new("left");
    let day = folder.0.join(DAY);
    let at = |n: u64, extension: &str| day.join(format!("{}.{extension}", call(n)));
    let sound = |n: u64| speech(n, 40_000);
    for n in 1..=7 {
        write_wav(&at(n, "wav"), 2, &sound(n));
    }
    let compress = |n: u64| flac::compress(&at(n, "wav"), &at(n, "flac"), &|| true).unwrap();
    // 1: nothing begun. 2: killed while it was compressed.
    fs::write(at(2, "flac.part"), [7; 5_000]).unwrap();
    // 3: both there. 4: the WAV file gone, no row. 5: another sound in the FLAC file's place.
    [3, 4].into_iter().for_each(compress);
    fs::remove_file(at(4, "wav")).unwrap();
    flac::compress(&at(1, "wav"), &at(5, "flac"), &|| true).unwrap();
    // 6: a file cut short in its place. 7: killed while it was recorded.
    compress(6);
    fs::OpenOptions::new().write(true).open(at(6, "flac")).unwrap().set_len(300).unwrap();
    fs::rename(at(7, "wav"), at(7, "wav.part")).unwrap();

    assert_eq!(repair(&folder.0).len(), 1);
    let office = Office::open(&folder.0, Format::Flac);
    for n in 1..=7 {
        let rows = office.rows(call(n), 1);
        assert_eq!((rows.len(), rows[0].samples), (1, 20_000), "{n}");
        assert_eq!(decoded(&office.data.join(&rows[0].file)), (sound(n), 2), "{n}");
        crate::shelf::wait("the WAV file to go", || !at(n, "wav").exists());
    }
    assert_eq!(fs::read_dir(&day).unwrap().count(), 7, "nothing else is left");
    let (looked, findings) = office.verify();
    assert_eq!((looked.filed, findings), (7, vec![]));
    office.close();

    // A second start finds nothing to do.
    let before: Vec<_> = (1..=7).map(|n| fs::metadata(at(n, "flac")).unwrap().modified().unwrap()).collect();
    write_wav(&at(8, "wav"), 1, &sound(8));
    let office = Office::open(&folder.0, Format::Wav);
    assert_eq!(office.rows(call(8), 1)[0].format, "wav");
    let after: Vec<_> = (1..=7).map(|n| fs::metadata(at(n, "flac")).unwrap().modified().unwrap()).collect();
    assert_eq!(before, after);
    office.close();
}
