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
        let differ: Vec<_> = (0..got.len()).filter(|n| got[*n] != wanted[*n]).collect();
        println!("{name}: {} differ: {:?}", differ.len(), differ.iter().take(10).map(|n| (linear[*n], got[*n], wanted[*n])).collect::<Vec<_>>());
    }
}

#[test]
fn g722_decodes_to_the_same_samples_as_another_decoder() {
    let codes = peer("g722-encode", &bytes(&wide_speech()));
    let wanted = samples(&peer("g722-decode", &codes));
    let mut got = vec![0; codes.len() * 2];
    g722::Decoder::default().decode(&codes, &mut got);
    assert!(got == wanted, "first differs at {:?}", (0..got.len()).find(|n| got[*n] != wanted[*n]));
}

#[test]
fn g722_encodes_to_codes_that_another_encoder_makes_too() {
    let speech = wide_speech();
    let wanted = peer("g722-encode", &bytes(&speech));
    let mut got = vec![0; speech.len() / 2];
    g722::Encoder::default().encode(&speech, &mut got);
    let differ: Vec<usize> = (0..got.len()).filter(|n| got[*n] != wanted[*n]).collect();
    println!("{} of {} differ, first {:?} last {:?}", differ.len(), got.len(), differ.first(), differ.last());
    let closeness = closeness(&samples(&peer("g722-decode", &got)), &samples(&peer("g722-decode", &wanted)));
    println!("{closeness}");
}
