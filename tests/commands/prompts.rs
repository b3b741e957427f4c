//! `hotline prompts`: recordings of every kind taken in, drafts, what is missing, and the variant that a caller hears.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use hotline::phone::listen;

use crate::house::{HOTLINE, House, printed, scratch};

const MANIFEST: &str = r#"# Kept as it is.
schema = 1

[[prompt]]
id = "closed"   # by hand
class = "notice"
text = "今天休息。"
english = "Closed today."
pinyin = "jin1tian1 xiu1xi5."
file = "closed.wav"
sha256 = ""
approver = "王主任"

[[prompt]]
id = "nine"
class = "fragment"
text = "九"
pinyin = "jiu3"
file = "nine.wav"
sha256 = "" # never sealed
"#;

/// A manifest in a directory of its own.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Desk {
        let desk = Desk(scratch(name));
        fs::create_dir(desk.0.join("prompts")).unwrap();
        fs::write(desk.manifest(), MANIFEST).unwrap();
        desk
    }

    fn manifest(&self) -> PathBuf {
        self.0.join("prompts/prompts.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.manifest()).unwrap()
    }

    fn prompts(&self, words: &[&str]) -> Output {
        let manifest = self.manifest();
        Command::new(HOTLINE)
            .args(["prompts", "--manifest", manifest.to_str().unwrap()])
            .args(words)
            .current_dir(&self.0)
            .output()
            .unwrap()
    }

    /// It ends well; what it said.
    fn well(&self, words: &[&str]) -> String {
        let output = self.prompts(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", printed(&output));
        printed(&output)
    }

    /// It refuses, and nothing has changed.
    fn refuses(&self, words: &[&str]) -> String {
        let before = (self.text(), files(&self.0.join("prompts")));
        let output = self.prompts(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {}", printed(&output));
        assert_eq!((self.text(), files(&self.0.join("prompts"))), before, "{words:?}");
        printed(&output)
    }

    fn sound(&self, name: &str) -> Vec<i16> {
        read_wav(&self.0.join("prompts").join(name))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    all.sort();
    all
}

/// As the engine would take it, and nothing else.
fn read_wav(path: &Path) -> Vec<i16> {
    let mut wav = hound::WavReader::open(path).unwrap();
    let spec = wav.spec();
    assert_eq!((spec.sample_rate, spec.channels, spec.bits_per_sample), (8_000, 1, 16));
    wav.samples::<i16>().map(Result::unwrap).collect()
}

/// A second of 1,000 Hz at −30 dBFS between silences, with what no telephone should carry on: 6 kHz and
/// direct current.
fn write_recording(path: &Path, rate: u32, channels: u16, bits: u16) {
    let float = bits == 32;
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: bits,
        sample_format: if float { hound::SampleFormat::Float } else { hound::SampleFormat::Int },
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..rate * 3 {
        let turn = f64::from(n) / f64::from(rate) * std::f64::consts::TAU;
        let speaks = (rate..2 * rate).contains(&n);
        let above = if rate >= 16_000 { 0.03 * (turn * 6_000.0).sin() } else { 0.0 };
        let sample = if speaks { 0.0447 * (turn * 1_000.0).sin() + above + 0.01 } else { 0.0 };
        for _ in 0..channels {
            match float {
                true => wav.write_sample(sample as f32).unwrap(),
                false => wav.write_sample((sample * f64::from((1_u32 << (bits - 1)) - 1)) as i32).unwrap(),
            }
        }
    }
    wav.finalize().unwrap();
}

fn converted(from: &Path, to: &Path, options: &[&str]) {
    let output = Command::new("sox").arg(from).args(options).arg(to).output().unwrap();
    assert!(output.status.success(), "sox (tools/test installs it): {}", printed(&output));
}

fn assert_is_the_recording(sound: &[i16], what: &str) {
    let seconds = sound.len() as f64 / 8_000.0;
    assert!((1.16..1.32).contains(&seconds), "{what}: {seconds} s of a second and its edges");
    let middle = &sound[2_400..7_200];
    let level = |hz| listen::tone_level(middle, hz);
    // −20 dBFS RMS of a sine peaks at −17; the frames at its ends are quieter.
    assert!((level(1_000.0) + 17.0).abs() < 0.7, "{what}: {} dB", level(1_000.0));
    for hz in [2_000.0, 500.0, 50.0] {
        assert!(level(hz) < -50.0, "{what}: {} dB at {hz} Hz", level(hz)); // 6 kHz would fold to 2.
    }
    let loud = |part: &[i16]| listen::tone_level(part, 1_000.0) > -40.0;
    assert!(!loud(&sound[..640]) && !loud(&sound[sound.len() - 640..]), "{what}: silence at both ends");
    let peak = sound.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!(peak < 29_205, "{what}: {peak}"); // −1 dBFS.
}

#[test]
fn recordings_of_every_kind_and_rate_become_prompts_of_one_level_and_length() {
    let desk = Desk::new("import");
    let mut kinds: Vec<(String, PathBuf)> = Vec::new();
    for (rate, channels, bits) in [
        (8_000, 1, 16),
        (11_025, 1, 16),
        (16_000, 2, 16),
        (22_050, 1, 8),
        (44_100, 2, 24),
        (48_000, 1, 32),
        (96_000, 6, 16),
    ] {
        let path = desk.0.join(format!("{rate}-{channels}-{bits}.wav"));
        write_recording(&path, rate, channels, bits);
        kinds.push((format!("WAV {rate} {channels} {bits}"), path));
    }
    let source = desk.0.join("44100-2-24.wav");
    for (name, options) in [
        ("a.flac", &["-r", "48000"][..]),
        ("b.flac", &["-r", "16000", "-c", "1", "-b", "16"]),
        ("c.mp3", &["-r", "44100", "-C", "128"]),
        ("d.mp3", &["-r", "16000", "-c", "1", "-C", "-2"]),
        ("e.ogg", &["-r", "44100", "-C", "4"]),
        ("f.ogg", &["-r", "8000", "-c", "1"]),
        ("g.wav", &["-r", "8000", "-c", "1", "-e", "a-law"]),
        ("h.wav", &["-r", "8000", "-c", "1", "-e", "mu-law"]),
    ] {
        let path = desk.0.join(name);
        converted(&source, &path, options);
        // The name says nothing: the content does.
        let path = if name == "c.mp3" { rename(&path, "c.dat") } else { path };
        kinds.push((format!("{name} {options:?}"), path));
    }
    for (kind, path) in &kinds {
        let said = desk.well(&["import", path.to_str().unwrap(), "--id", "closed", "--approver", "李主任"]);
        assert!(said.contains("closed.wav") && said.contains("8000 Hz"), "{said}");
        assert_is_the_recording(&desk.sound("closed.wav"), kind);
    }
    // The one manifest is changed in these places only.
    let text = desk.text();
    let hash = text.split("sha256 = \"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(hash.len(), 64);
    let expected = MANIFEST.replacen("sha256 = \"\"", &format!("sha256 = \"{hash}\""), 1).replacen(
        "王主任",
        "李主任",
        1,
    );
    assert_eq!(text, expected);
}

fn rename(path: &Path, name: &str) -> PathBuf {
    let other = path.with_file_name(name);
    fs::rename(path, &other).unwrap();
    other
}

#[test]
fn what_is_no_recording_is_refused_and_nothing_changes() {
    let desk = Desk::new("refused");
    let path = |name: &str| desk.0.join(name).to_str().unwrap().to_owned();
    write_recording(Path::new(&path("good.wav")), 16_000, 1, 16);
    fs::write(path("text.mp3"), "not a recording at all\n".repeat(100)).unwrap();
    fs::write(path("nothing.wav"), "").unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut silent = hound::WavWriter::create(path("silent.wav"), spec).unwrap();
    (0..16_000).for_each(|_| silent.write_sample(0_i16).unwrap());
    silent.finalize().unwrap();
    converted(Path::new(&path("good.wav")), Path::new(&path("good.ogg")), &[]);
    let mut noise = fs::read(path("good.ogg")).unwrap();
    noise.iter_mut().skip(200).step_by(3).for_each(|byte| *byte ^= 0x5a);
    fs::write(path("noise.ogg"), noise).unwrap();
    for (words, expected) in [
        (vec!["import", &path("text.mp3"), "--id", "closed"], "cannot read the recording"),
        (vec!["import", &path("nothing.wav"), "--id", "closed"], "cannot read the recording"),
        (vec!["import", &path("noise.ogg"), "--id", "closed"], "cannot read the recording"),
        (vec!["import", &path("absent.wav"), "--id", "closed"], "cannot read"),
        (vec!["import", &path("silent.wav"), "--id", "closed"], "no sound in the recording"),
        (vec!["import", &path("good.wav"), "--id", "other"], "other is new"),
        (vec!["import", &path("good.wav"), "--id", "closed", "--class", "notise"], "no class notise"),
        (
            vec!["import", &path("good.wav"), "--id", "closed", "--class", "queue"],
            "the class of closed is notice",
        ),
        (vec!["import", &path("good.wav"), "--id", "closed", "--language", "en"], "closed@en is new"),
        (
            vec!["import", &path("good.wav"), "--id", "closed", "--dialect", "../x", "--text", "x"],
            "dialect cannot be",
        ),
        (vec!["import", &path("good.wav"), "--id", "other", "--language", "en", "--text", "x"], "no other"),
        (vec!["import", &path("good.wav"), "--id", "Other-1", "--text", "x"], "may have a-z, 0-9 and _ only"),
        (
            vec!["import", &path("good.wav"), "--id", "../other", "--text", "x"],
            "may have a-z, 0-9 and _ only",
        ),
        (vec!["import", &path("good.wav"), "--id", "closed", "--approver", ""], "--approver cannot be empty"),
        (vec!["import", &path("good.wav"), "--id", "closed", "--text", "  "], "--text cannot be empty"),
        (
            vec!["import", &path("good.wav"), "--id", "closed", "--language", "e\nn", "--text", "x"],
            "language cannot be",
        ),
        (
            vec!["import", &path("good.wav"), "--id", "closed@en", "--language", "fr", "--text", "x"],
            "closed@en is a variant itself",
        ),
        (
            vec![
                "import",
                &path("good.wav"),
                "--id",
                "closed",
                "--valid-from",
                "2026-10-02",
                "--valid-until",
                "2026-10-01",
            ],
            "E0511",
        ),
        (vec!["seal"], "cannot read"),
        (vec!["seal", "--approver", ""], "--approver cannot be empty"),
        (vec!["seal", "other"], "no other"),
    ] {
        let said = desk.refuses(&words);
        assert!(said.contains(expected), "{words:?}: {said}");
    }
    // Written by hand: the check tells of it.
    let days = "valid_from = 2026-10-02\nvalid_until = 2026-10-01\n";
    fs::write(desk.manifest(), format!("{MANIFEST}{days}")).unwrap();
    let said = desk.refuses(&["check"]);
    assert!(said.contains("nine: E0511: valid_until is before valid_from"), "{said}");
    // A prompt may have a file of any name: no other prompt's sound is written over it.
    fs::write(desk.manifest(), MANIFEST.replace("\"nine.wav\"", "\"other.wav\"")).unwrap();
    let said = desk.refuses(&["import", &path("good.wav"), "--id", "other", "--text", "x"]);
    assert!(said.contains("other.wav is another prompt's file"), "{said}");
    fs::write(desk.manifest(), MANIFEST.replace("notice", "notise")).unwrap();
    let output = desk.prompts(&["list"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).contains("E0104"), "{}", printed(&output));
}

/// Bytes in the middle that are no sound.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 1_200].fill(0x55);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_recording_with_a_piece_missing_is_refused_and_says_from_where_on() {
    let desk = Desk::new("damaged");
    let source = desk.0.join("good.wav");
    write_recording(&source, 44_100, 1, 16);
    let rich = desk.0.join("rich.wav");
    write_recording(&rich, 96_000, 6, 16);
    for (name, source, options) in [
        ("a.mp3", &source, &["-C", "128"][..]),
        ("b.mp3", &source, &["-C", "-2"]),
        ("c.flac", &source, &[]),
        ("d.ogg", &rich, &["-C", "8"]), // Of many pages.
    ] {
        let path = desk.0.join(name);
        converted(source, &path, options);
        let word = path.to_str().unwrap();
        desk.well(&["import", word, "--id", "nine"]);
        damage(&path);
        let said = desk.refuses(&["import", word, "--id", "nine"]);
        assert!(said.contains("it is damaged from 1."), "{name}: {said}");
        // Cut off, anywhere.
        converted(source, &path, options);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
        let said = desk.refuses(&["import", word, "--id", "nine"]);
        assert!(said.contains("it is damaged"), "{name}: {said}");
    }
    let bytes = fs::read(&source).unwrap();
    fs::write(&source, &bytes[..bytes.len() - 2]).unwrap();
    let said = desk.refuses(&["import", source.to_str().unwrap(), "--id", "nine"]);
    assert!(said.contains("it is damaged from"), "{said}");

    // What is no number would take the rest with it.
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 16_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    for bad in [f32::NAN, f32::INFINITY] {
        let mut wav = hound::WavWriter::create(&source, spec).unwrap();
        for n in 0..64_000_u16 {
            let sample = (f32::from(n) * 0.1).sin() * 0.1;
            wav.write_sample(if n == 48_001 { bad } else { sample }).unwrap();
        }
        wav.finalize().unwrap();
        let said = desk.refuses(&["import", source.to_str().unwrap(), "--id", "nine"]);
        assert!(said.contains("a sample at 1.50 s is no number"), "{said}");
    }
}

#[test]
fn wav_files_that_were_streamed_and_tags_of_any_size_are_read_and_other_kinds_are_named() {
    let desk = Desk::new("forms");
    let source = desk.0.join("good.wav");
    write_recording(&source, 16_000, 1, 16);
    let whole = fs::read(&source).unwrap();
    assert_eq!(whole[36..40], *b"data");
    let path = desk.0.join("form.wav");
    let word = path.to_str().unwrap();
    for (riff, data) in [(0x7FFF_F024, 0x7FFF_F000), (u32::MAX, u32::MAX), (0, 0), (36, u32::MAX)] {
        let mut bytes = whole.clone();
        bytes[4..8].copy_from_slice(&riff.to_le_bytes());
        bytes[40..44].copy_from_slice(&data.to_le_bytes());
        fs::write(&path, bytes).unwrap();
        desk.well(&["import", word, "--id", "nine"]);
        desk.well(&["import", word, "--id", "closed"]);
        assert_is_the_recording(&desk.sound("closed.wav"), &format!("{riff:x} {data:x}"));
    }
    // A picture of 1.2 MB in front: its length in seven bits a byte.
    let tagged = desk.0.join("tagged.mp3");
    converted(&source, &tagged, &["-C", "64"]);
    let size = 1_200_000_u32;
    let mut bytes = b"ID3\x04\x00\x00".to_vec();
    bytes.extend([21, 14, 7, 0].map(|shift| (size >> shift & 0x7F) as u8));
    bytes.resize(10 + size as usize, 0xFF);
    bytes.extend(fs::read(&tagged).unwrap());
    fs::write(&tagged, bytes).unwrap();
    desk.well(&["import", tagged.to_str().unwrap(), "--id", "closed"]);
    assert_is_the_recording(&desk.sound("closed.wav"), "tagged");

    let mut rf64 = whole;
    rf64[..4].copy_from_slice(b"RF64");
    fs::write(&path, rf64).unwrap();
    let said = desk.refuses(&["import", word, "--id", "closed"]);
    assert!(said.contains("RF64 is not known; WAV, FLAC, MP3"), "{said}");
}

#[test]
fn imports_at_the_same_time_are_all_written_down_and_no_other_file_is_touched() {
    let desk = Desk::new("parallel");
    let recording = desk.0.join("r.wav");
    write_recording(&recording, 8_000, 1, 16);
    fs::write(desk.0.join("prompts/prompts.new"), "the operator's own").unwrap();
    fs::write(desk.0.join("prompts/closed.new"), "the operator's own").unwrap();
    let manifest = desk.manifest();
    let imports: Vec<_> = (0..8)
        .map(|n| {
            Command::new(HOTLINE)
                .args(["prompts", "--manifest", manifest.to_str().unwrap(), "import"])
                .args([recording.to_str().unwrap(), "--id", &format!("new_{n}"), "--text", "新"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    imports.into_iter().for_each(|mut import| assert!(import.wait().unwrap().success()));
    desk.well(&["import", recording.to_str().unwrap(), "--id", "closed"]);
    let text = desk.text();
    let mut expected = vec!["closed.new".to_owned(), "closed.wav".to_owned()];
    for n in 0..8 {
        assert!(text.contains(&format!("id = \"new_{n}\"")), "{n}: {text}");
        expected.push(format!("new_{n}.wav"));
    }
    expected.extend(["prompts.new".to_owned(), "prompts.toml".to_owned()]);
    let found = files(&desk.0.join("prompts"));
    let names: Vec<_> = found.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, expected);
    let own = found.iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "new"));
    own.for_each(|(path, bytes)| assert_eq!(bytes, b"the operator's own", "{path:?}"));
}

#[test]
fn no_import_writes_over_the_recording_of_another_entry() {
    let desk = Desk::new("anothers");
    let recording = desk.0.join("r.wav");
    write_recording(&recording, 16_000, 1, 16);
    let recording = recording.to_str().unwrap();
    desk.well(&["import", recording, "--id", "closed", "--language", "yue", "--text", "休息。"]);
    let said = desk.refuses(&["import", recording, "--id", "closed", "--dialect", "yue", "--text", "歇。"]);
    assert!(said.contains("closed has yue already, and not as a dialect"), "{said}");
    for file in ["closed.en.wav", "./closed.en.wav", "closed.wav"] {
        fs::write(desk.manifest(), desk.text().replace("file = \"nine.wav\"", &format!("file = \"{file}\"")))
            .unwrap();
        let words = match file {
            "closed.wav" => vec!["import", recording, "--id", "closed"],
            _ => vec!["import", recording, "--id", "closed", "--language", "en", "--text", "Closed."],
        };
        let said = desk.refuses(&words);
        assert!(said.contains("is another prompt's file"), "{file}: {said}");
        fs::write(desk.manifest(), desk.text().replace(&format!("file = \"{file}\""), "file = \"nine.wav\""))
            .unwrap();
    }
}

#[test]
fn what_the_engine_could_not_play_is_not_sealed_and_what_is_heard_badly_is_told() {
    let desk = Desk::new("unfit");
    let wav = |name: &str, rate: u32, sample: &dyn Fn(u32) -> f64| {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(desk.0.join(name), spec).unwrap();
        (0..rate).for_each(|n| {
            wav.write_sample((sample(n).clamp(-1.0, 1.0) * 32_767.0) as i16).unwrap();
        });
        wav.finalize().unwrap();
    };
    let tone = |n: u32| (f64::from(n) * 0.4).sin();
    for (rate, level, expected) in [
        (44_100, 0.3, "44100 Hz"),
        (8_000, 0.0, "peaks at"),
        (8_000, 1.0, "peaks at"),
        (0, 0.0, "no readable WAV"),
    ] {
        match rate {
            0 => fs::write(desk.0.join("prompts/nine.wav"), "junk").unwrap(),
            _ => wav("prompts/nine.wav", rate, &|n| level * tone(n)),
        }
        for words in [&["seal", "nine"][..], &["seal", "nine", "--approver", "李主任"]] {
            let said = desk.refuses(words);
            assert!(said.contains(expected) && said.contains("none was sealed"), "{said}");
        }
    }
    wav("prompts/nine.wav", 8_000, &|n| 0.3 * tone(n));
    desk.well(&["seal", "nine", "--approver", "李主任"]);

    let recording = desk.0.join("r.wav");
    let words = ["import", recording.to_str().unwrap(), "--id", "closed"];
    let warned = |level: f64| {
        wav("r.wav", 8_000, &|n| level * tone(n));
        let output = desk.prompts(&words);
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(warned(0.9), "");
    assert!(warned(3.0).contains("warning: the recording is clipped at 0.00 s"), "{}", warned(3.0));
    assert!(warned(0.003).contains("warning: the recording is faint"), "{}", warned(0.003));
}

#[test]
fn new_prompts_and_variants_are_written_down_and_an_approval_goes_with_its_sound() {
    let desk = Desk::new("written");
    let recording = desk.0.join("r.wav");
    write_recording(&recording, 16_000, 1, 16);
    let recording = recording.to_str().unwrap();
    let said = desk.well(&["import", recording, "--id", "closed"]);
    assert!(said.contains("王主任 approved the sound before it"), "{said}");
    assert!(!desk.text().contains("approver"), "{}", desk.text());
    desk.well(&["seal", "closed", "--approver", "王主任"]);
    assert!(desk.text().contains("approver = \"王主任\""));
    // Other words: what was read from the old ones goes.
    let words =
        ["import", recording, "--id", "closed", "--text", "明天休息。", "--valid-until", "2026-10-07"];
    let said = desk.well(&words);
    assert!(said.contains("pinyin and english of the old ones are taken out"), "{said}");
    let added = [
        vec!["import", recording, "--id", "opened", "--text", "\"开\"了。", "--class", "queue"],
        vec!["import", recording, "--id", "closed", "--language", "en", "--text", "Closed."],
        vec!["import", recording, "--id", "closed", "--dialect", "豫北", "--text", "今儿歇。"],
    ];
    added.iter().for_each(|words| drop(desk.well(words)));
    let text = desk.text();
    for part in [
        "text = \"明天休息。\"\nfile = \"closed.wav\"",
        "valid_until = 2026-10-07\n\n[[prompt.variant]]\nlanguage = \"en\"\ntext = \"Closed.\"\nfile = \"closed.en.wav\"",
        "\n\n[[prompt.variant]]\ndialect = \"豫北\"\ntext = \"今儿歇。\"\nfile = \"closed.豫北.wav\"",
        "\n\n[[prompt]]\nid = \"nine\"",
        "sha256 = \"\" # never sealed\n\n[[prompt]]\nid = \"opened\"\nclass = \"queue\"",
    ] {
        assert!(text.contains(part), "{part}\nin:\n{text}");
    }

    let rows: serde_json::Value = serde_json::from_str(&desk.well(&["list", "--json"])).unwrap();
    let row = |id: &str| rows.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
    assert_eq!(row("closed")["variants"], serde_json::json!(["en", "豫北"]));
    assert_eq!(row("closed")["valid_until"], "2026-10-07");
    assert_eq!(row("closed@en")["text"], "Closed.");
    assert_eq!(row("nine")["missing"], "sound");
    assert!(row("opened")["seconds"].as_f64().unwrap() > 1.0);
    // Five entries with one and the same sound, one with none, and one file that nothing names.
    fs::write(desk.0.join("prompts/stray.wav"), "x").unwrap();
    let output = desk.prompts(&["check"]);
    let said = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for fault in ["opened: has the same sound as", "nine: cannot read", "stray.wav: no entry names it"] {
        assert!(said.contains(fault), "{fault}: {said}");
    }
}

#[test]
fn drafts_are_spoken_for_what_has_no_sound_and_never_over_what_was_approved() {
    let desk = Desk::new("speak");
    let refused = desk.prompts(&["speak", "closed"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(printed(&refused).contains("approved by 王主任"), "{}", printed(&refused));
    fs::write(desk.manifest(), MANIFEST.replace("approver = \"王主任\"\n", "")).unwrap();
    // A slip in the pinyin is not spoken.
    let good = desk.text();
    fs::write(desk.manifest(), good.replace("jin1tian1", "jin1tian")).unwrap();
    let said = desk.refuses(&["speak", "closed"]);
    assert!(said.contains("closed: \"tian\" in its pinyin is no syllable"), "{said}");
    fs::write(desk.manifest(), good).unwrap();
    let missing = desk.prompts(&["list", "--missing"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(printed(&missing).contains("无声音 no sound"), "{}", printed(&missing));

    let said = desk.well(&["speak", "--all-missing"]);
    assert!(said.contains("closed: ") && said.contains("nine: "), "{said}");
    desk.well(&["check"]);
    desk.well(&["list", "--missing"]);
    assert!(desk.text().contains("\" # never sealed"));
    let (closed, nine) = (desk.sound("closed.wav"), desk.sound("nine.wav"));
    assert!(closed.len() > nine.len() && nine.len() > 1_600, "{} {}", closed.len(), nine.len());
    // Fragments join: hardly any silence at their ends.
    let first = nine.iter().position(|sample| sample.abs() > 500).unwrap();
    assert!(first < 500, "{first}");

    assert!(desk.well(&["speak", "--all-missing"]).contains("no prompt is without its sound"));
    let (before, sealed) = (desk.sound("nine.wav"), desk.text());
    desk.well(&["speak", "nine"]);
    assert_eq!((desk.sound("nine.wav"), desk.text()), (before, sealed), "the same words make the same bytes");

    // A language that espeak-ng has a voice for is spoken from its text; a dialect it has none for is not.
    let variants = "\n[[prompt.variant]]\nlanguage = \"en\"\ntext = \"Nine\"\nfile = \"nine.en.wav\"\nsha256 = \"\"\n\
                    \n[[prompt.variant]]\ndialect = \"豫北\"\ntext = \"九\"\nfile = \"nine.yu.wav\"\nsha256 = \"\"\n";
    fs::write(desk.manifest(), desk.text() + variants).unwrap();
    let output = desk.prompts(&["speak", "--all-missing"]);
    let said = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("nine@en: 0.") && said.contains("nine@豫北: no pinyin to speak from"), "{said}");
    assert_ne!(desk.sound("nine.en.wav"), desk.sound("nine.wav"));
}

/// The shipped file and prompts in a directory of their own, the file changed.
fn shipped(name: &str, change: impl Fn(String) -> String) -> PathBuf {
    let directory = scratch(name);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(directory.join("prompts")).unwrap();
    for entry in fs::read_dir(root.join("prompts")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, directory.join("prompts").join(path.file_name().unwrap())).unwrap();
    }
    let text = fs::read_to_string(root.join("routing.toml")).unwrap();
    fs::write(directory.join("routing.toml"), change(text)).unwrap();
    directory
}

fn run(directory: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(HOTLINE).args(words).current_dir(directory).output().unwrap();
    (output.status.code(), printed(&output))
}

#[test]
fn callers_of_a_line_with_a_language_hear_its_variants_and_all_others_what_they_heard() {
    let number = "[[number]]\nnumber = \"12348\"\n";
    let directory = shipped("language", |text| {
        assert_eq!(text.matches(number).count(), 1);
        text.replace(number, &format!("{number}language = \"en\"\n"))
    });
    let (code, said) = run(&directory, &["check"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("E0510"), "{said}");

    // Two seconds of a tone stand for what somebody says in English.
    let recording = directory.join("hello.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&recording, spec).unwrap();
    for n in 0..32_000 {
        wav.write_sample((8_000.0 * (f64::from(n) * 700.0 / 16_000.0 * std::f64::consts::TAU).sin()) as i16)
            .unwrap();
    }
    wav.finalize().unwrap();
    let words =
        ["prompts", "import", "hello.wav", "--id", "greeting", "--language", "en", "--text", "Hello."];
    let (code, said) = run(&directory, &words);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&directory, &["check", "--at", "2021-12-01T09:00:00+08:00"]);
    assert_eq!(code, Some(0), "{said}");
    let explained = |to: &str| run(&directory, &["explain", "--from", "13800000051", "--to", to]).1;
    assert!(explained("12348").contains("greeting@en: Hello."), "{}", explained("12348"));
    assert!(explained("12348").contains("language = \"en\""), "{}", explained("12348"));
    assert!(!explained("12345").contains("greeting@en"), "{}", explained("12345"));
    let (code, said) = run(&directory, &["prompts", "list", "--missing"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("goodbye@en") && said.contains("无变体 no variant"), "{said}");
    assert!(!said.contains("\ngreeting@en") && !said.contains("hold_music@en"), "{said}");

    let house = House::open_with("language-house", &directory.join("routing.toml"));
    let heard = |number: &str| {
        let file = format!("heard-{number}.wav");
        let words = ["call", number, "--from", "13800000051", "--record", &file, "--for", "4"];
        let call = house.command(&words).output().unwrap();
        assert_eq!(call.status.code(), Some(0), "{}", printed(&call));
        read_wav(&house.directory.join(file))
    };
    let tenths = |sound: &[i16]| {
        sound.chunks_exact(800).filter(|part| listen::tone_level(part, 700.0) > -20.0).count()
    };
    let greeting = read_wav(&directory.join("prompts/greeting.wav"));
    let greeted = |sound: &[i16]| {
        listen::find_in_pieces(&greeting[..16_000], sound, 0).is_some_and(|found| found.score > 0.8)
    };
    let (english, chinese) = (heard("12348"), heard("12345"));
    assert!(tenths(&english) > 15 && !greeted(&english), "{}", tenths(&english));
    assert!(tenths(&chinese) < 3 && greeted(&chinese), "{}", tenths(&chinese));
    drop(house);
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn the_shipped_prompts_are_as_they_were_sealed_and_none_that_is_used_is_missing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, said) = run(root, &["prompts", "check"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(root, &["prompts", "list", "--missing"]);
    assert_eq!((code, said.contains("no prompt is missing")), (Some(0), true), "{said}");

    // A prompt that the plan uses and the manifest lacks is told of, and so is one whose file is gone.
    let directory = shipped("missing", |text| text);
    let manifest = directory.join("prompts/prompts.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("id = \"goodbye\"", "id = \"farewell\"")).unwrap();
    fs::remove_file(directory.join("prompts/survey.wav")).unwrap();
    let (code, said) = run(&directory, &["prompts", "list", "--missing", "--json"]);
    assert_eq!(code, Some(1), "{said}");
    let rows: serde_json::Value = serde_json::from_str(&said).unwrap();
    let found: Vec<(&str, &str)> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["id"].as_str().unwrap(), row["missing"].as_str().unwrap()))
        .collect();
    assert_eq!(found, [("survey", "sound"), ("goodbye", "entry")]);
    fs::remove_dir_all(directory).unwrap();
}
