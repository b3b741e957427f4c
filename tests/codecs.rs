//! Every codec against another's: ITU tables by way of Debian's libspandsp for G.711 and G.722, and
//! the system's libopus, called from python for what the house calls from Rust.
//!
//! The peers are plain C libraries behind `tests/codec_peer.py`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hotline::media::codec::g722;
use hotline::media::g711::{self, Law};
use hotline::media::resample;

/// What the peer makes of `input`. A peer that cannot be had is a failure that says what to install.
fn peer(what: &str, input: &[u8]) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/codec_peer.py");
    let mut child = Command::new("python3")
        .arg(script)
        .arg(what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 runs the peers' libraries: apt-get install python3");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the peer ends");
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    writer.join().expect("a writer").expect("the peer read all");
    output.stdout
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
}

/// A prompt of the house, 8 kHz.
fn prompt(id: &str) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(format!("{id}.wav"));
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

/// Speech at 16 kHz with something above 4 kHz in it.
fn wide_speech() -> Vec<i16> {
    let mut wide = resample::double_all(&prompt("greeting"));
    for (n, sample) in wide.iter_mut().enumerate() {
        let hiss = 1_500.0 * (n as f64 * 2.2).sin() * (n as f64 / 9_000.0).sin();
        *sample = sample.saturating_add(hiss as i16);
    }
    wide
}

/// How far `got` is below `wanted` in what differs, decibels.
fn closeness(got: &[i16], wanted: &[i16]) -> f64 {
    let energy = |sound: &mut dyn Iterator<Item = f64>| sound.map(|sample| sample * sample).sum::<f64>();
    let differs = energy(&mut got.iter().zip(wanted).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    10.0 * (energy(&mut wanted.iter().map(|sample| f64::from(*sample))) / differs.max(1.0)).log10()
}

#[test]
fn all_codes_of_g711_are_those_of_another_implementation() {
    let all: Vec<u8> = (0..=255).collect();
    let linear: Vec<i16> = (i16::MIN..=i16::MAX).collect();
    for (law, name) in [(Law::A, "alaw"), (Law::Mu, "ulaw")] {
        let wanted = samples(&peer(&format!("{name}-decode"), &all));
        let got: Vec<i16> = all.iter().map(|code| g711::decode_sample(law, *code)).collect();
        assert_eq!(got, wanted, "{name}");
        let wanted = peer(&format!("{name}-encode"), &bytes(&linear));
        let mut got = vec![0; linear.len()];
        g711::encode(law, &linear, &mut got);
        // A sample on the very border of two steps may go to either: the codes are neighbours, and the
        // samples beside it agree.
        let differ: Vec<usize> = (0..got.len()).filter(|n| got[*n] != wanted[*n]).collect();
        assert!(law == Law::Mu || differ.is_empty(), "A-law: {differ:?}");
        for n in differ {
            let sample = linear[n];
            assert_eq!(got[n].abs_diff(wanted[n]), 1, "{name}: {sample}");
            assert_eq!((got[n - 1], got[n + 1]), (wanted[n - 1], wanted[n + 1]), "{name}: {sample}");
            assert_ne!(wanted[n], wanted[n + 1], "{name}: {sample} is on a border");
        }
    }
}

/// After one code for silence both decoders are in one state, from there on they agree to the bit.
#[test]
fn g722_decodes_to_the_same_samples_as_another_decoder() {
    let codes = peer("g722-encode", &bytes(&wide_speech()));
    let wanted = samples(&peer("g722-decode", &[&[g722::SILENCE], &codes[..]].concat()));
    let mut got = vec![0; codes.len() * 2];
    g722::Decoder::default().decode(&codes, &mut got);
    let differs = (0..got.len()).find(|n| got[*n] != wanted[*n + 2]);
    assert_eq!(differs, None, "the first sample that differs");
}

/// Coders that begin one step apart make other codes of the same worth for ever after: what is
/// compared is what a decoder that is not ours hears of them.
#[test]
fn g722_encodes_to_codes_that_another_decoder_hears_as_well_as_another_encoders() {
    let speech = wide_speech();
    let theirs = samples(&peer("g722-decode", &peer("g722-encode", &bytes(&speech))));
    let mut codes = vec![0; speech.len() / 2];
    g722::Encoder::default().encode(&speech, &mut codes);
    let ours = samples(&peer("g722-decode", &codes));
    // The filters of both bands are 22 samples late.
    let [ours, theirs] = [ours, theirs].map(|heard| closeness(&heard[22..], &speech[..speech.len() - 22]));
    assert!(theirs > 15.0 && (ours - theirs).abs() < 0.2, "{ours} dB beside {theirs} dB");
}

/// RFC 6716 gives the decoder: libopus, called past the crate, must hear what we code, and we it.
#[cfg(feature = "opus")]
#[test]
fn opus_packets_go_to_and_from_the_library_itself() {
    use hotline::media::codec::opus::{Decoder, Encoder, PACKET_BYTES_MAX, SAMPLES_MAX};
    let speech = wide_speech();
    let speech = &speech[..speech.len() / 320 * 320];
    let (mut encoder, mut ours) = (Encoder::new().unwrap(), vec![]);
    for frame in speech.chunks_exact(320) {
        let mut payload = [0; PACKET_BYTES_MAX];
        let length = encoder.encode(frame, &mut payload);
        ours.extend((length as u16).to_le_bytes());
        ours.extend(&payload[..length]);
    }
    let theirs = peer("opus-encode", &bytes(speech));
    let decode = |mut packets: &[u8]| -> Vec<i16> {
        let (mut decoder, mut heard) = (Decoder::new().unwrap(), vec![]);
        while let Some((length, rest)) = packets.split_first_chunk::<2>() {
            let (packet, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)));
            let mut sound = [0; SAMPLES_MAX];
            assert_eq!(Decoder::samples(packet), Some(320));
            let count = decoder.decode(packet, &mut sound);
            heard.extend(&sound[..count]);
            packets = rest;
        }
        heard
    };
    for (who, packets) in [("ours", &ours), ("theirs", &theirs)] {
        let by_us = decode(packets);
        let by_them = samples(&peer("opus-decode", packets));
        assert!(by_us == by_them, "{who}: one library, one sound");
        let narrow = |sound: &[i16]| sound.iter().step_by(2).copied().collect::<Vec<i16>>();
        let found = hotline::phone::listen::find(&prompt("greeting")[..30_000], &narrow(&by_them), 0);
        assert!(found.is_some_and(|found| found.score > 0.8), "{who}: {found:?}");
    }
}
