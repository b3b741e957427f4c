//! FLAC files hold what their WAV files held, every sample, whoever decodes them.

use std::fs;

use hotline::io::recorder::flac::{compress, is_same_sound, read_in, samples_in};

use crate::shelf::{Folder, decoded, speech, write_wav};

#[test]
fn a_flac_file_is_its_wav_file_sample_for_sample_whatever_its_length() {
    let folder = Folder::new("samples");
    let (wav, flac) = (folder.0.join("a.wav"), folder.0.join("a.flac"));
    // Around the ends of blocks; a last block is never too short to code.
    let lengths = [64, 65, 4_095, 4_096, 4_097, 4_100, 4_159, 4_160, 8_192, 8_193, 12_345, 40_000, 81_921];
    for (n, length) in lengths.into_iter().enumerate() {
        for channels in [1, 2] {
            let mut sound = speech(n as u64, length * channels);
            if n % 3 == 0 {
                // The loudest there is, and stretches of silence as a pause leaves them.
                sound.iter_mut().step_by(7).for_each(|sample| *sample = i16::MIN);
                sound.iter_mut().step_by(11).for_each(|sample| *sample = i16::MAX);
                let half = sound.len() / 2;
                sound[half..].fill(0);
            }
            write_wav(&wav, channels as u16, &sound);
            compress(&wav, &flac, &|| true).unwrap();
            assert_eq!(decoded(&flac), (sound.clone(), channels as u16), "{length} × {channels}");
            assert_eq!(read_in(fs::File::open(&flac).unwrap()).unwrap(), (sound, channels as u16));
            assert!(is_same_sound(&wav, &flac, &|| true).unwrap());
            assert_eq!(samples_in(fs::File::open(&flac).unwrap()).unwrap(), length as u64);
            fs::remove_file(&flac).unwrap();
        }
    }
}

#[test]
fn another_sound_a_broken_file_and_a_length_too_little_are_told_apart() {
    let folder = Folder::new("other");
    let (wav, flac) = (folder.0.join("a.wav"), folder.0.join("a.flac"));
    let mut sound = speech(1, 16_000);
    write_wav(&wav, 2, &sound);
    compress(&wav, &flac, &|| true).unwrap();
    assert!(fs::metadata(&flac).unwrap().len() < fs::metadata(&wav).unwrap().len() * 3 / 4);
    let whole = fs::read(&flac).unwrap();
    for at in [30, 45, 2_000, whole.len() - 1] {
        let mut broken = whole.clone();
        broken[at] ^= 1;
        fs::write(&flac, broken).unwrap();
        // The sum of the samples is at 26..42: it is not compared, the samples themselves are.
        let same = matches!(is_same_sound(&wav, &flac, &|| true), Ok(true));
        assert_eq!(same, at == 30, "byte {at}");
    }
    fs::write(&flac, &whole[..whole.len() / 2]).unwrap();
    assert!(!matches!(is_same_sound(&wav, &flac, &|| true), Ok(true)), "half of it");
    fs::write(&flac, &whole).unwrap();
    sound[9_999] ^= 1;
    write_wav(&wav, 2, &sound);
    assert!(!is_same_sound(&wav, &flac, &|| true).unwrap(), "one bit of one sample");
    write_wav(&wav, 2, &sound[..9_998]);
    assert!(!is_same_sound(&wav, &flac, &|| true).unwrap(), "shorter");
}

#[test]
fn what_is_too_short_is_left_alone_and_what_is_told_to_stop_stops() {
    let folder = Folder::new("short");
    let (wav, flac) = (folder.0.join("a.wav"), folder.0.join("a.flac"));
    write_wav(&wav, 2, &[5; 126]);
    let error = compress(&wav, &flac, &|| true).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    assert!(!flac.exists());
    write_wav(&wav, 2, &speech(1, 80_000));
    let error = compress(&wav, &flac, &|| false).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Interrupted);
}
