//! A recorder with its archive and store, in a directory of its own; and files to hold against others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hotline::id::{CallId, Dice};
use hotline::io::recorder::{
    Archive, ArchiveConfig, Deck, Finding, Format, Looked, Recorder, RecorderConfig, SealKeys, Tell, verify,
};
use hotline::io::store::{FILE, ManifestRow, Opening, Reader, Store};
use hotline::media::Fact;
use hotline::time::Timestamp;

/// How long anything may take to come true.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The day of all recordings here.
pub const DAY: &str = "recordings/2021-09-01";

pub fn call(n: u64) -> CallId {
    CallId::draw(1_630_427_400_000 + n, &mut Dice::seeded(n))
}

pub fn begun() -> Timestamp {
    "2021-09-01T09:00:00+08:00".parse().unwrap()
}

/// A directory of its own, removed with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hotline-shelf-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join(DAY)).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Looks until `seen`.
pub fn wait(what: &str, mut seen: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !seen() {
        assert!(Instant::now() < end, "{what}: never came");
        std::thread::yield_now();
    }
}

/// Store and archive over a data directory.
pub struct Office {
    pub data: PathBuf,
    pub archive: Arc<Mutex<Option<Archive>>>,
    pub keys: Arc<SealKeys>,
    store: Store,
}

impl Office {
    pub fn open(data: &Path, format: Format) -> Office {
        Office::open_with(data, format, SealKeys::default())
    }

    pub fn open_with(data: &Path, format: Format, keys: SealKeys) -> Office {
        let keys = Arc::new(keys);
        let store = Opening::open(data, &[]).unwrap().start(|_| {}).unwrap();
        let config =
            ArchiveConfig { data: data.to_owned(), format, keys: keys.clone(), errands: store.errands() };
        let archive = Arc::new(Mutex::new(Some(Archive::start(config).unwrap())));
        Office { data: data.to_owned(), archive, keys, store }
    }

    pub fn reader(&self) -> Reader {
        Reader::open(&self.data.join(FILE)).unwrap()
    }

    /// The rows of `call`, once there are so many.
    pub fn rows(&self, call: CallId, count: usize) -> Vec<ManifestRow> {
        let reader = self.reader();
        wait("rows of the manifest", || reader.manifest_of(call).unwrap().len() >= count);
        reader.manifest_of(call).unwrap()
    }

    pub fn verify(&self) -> (Looked, Vec<Finding>) {
        self.verify_with(&self.keys)
    }

    pub fn verify_with(&self, keys: &SealKeys) -> (Looked, Vec<Finding>) {
        let mut findings = Vec::new();
        let looked = verify(&self.data, &self.reader(), keys, |finding| findings.push(finding.clone()));
        (looked.unwrap(), findings)
    }

    pub fn close(self) {
        let archive = self.archive.lock().unwrap().take();
        archive.unwrap().close();
        assert_eq!(self.store.close(), 0);
    }
}

/// The whole, from a deck to the manifest.
pub struct Shelf {
    pub office: Office,
    pub recorder: Recorder,
    pub deck: Deck,
    /// What the recorder told, but for what is filed.
    pub facts: Receiver<Fact>,
    _folder: Folder,
}

impl Shelf {
    pub fn new(name: &str, recordings_max: usize, format: Format) -> Shelf {
        Shelf::new_with(name, recordings_max, format, SealKeys::default())
    }

    pub fn new_with(name: &str, recordings_max: usize, format: Format, keys: SealKeys) -> Shelf {
        let folder = Folder::new(name);
        let office = Office::open_with(&folder.0, format, keys);
        let config = RecorderConfig { data: folder.0.clone(), zone: jiff::tz::TimeZone::UTC, recordings_max };
        let (told, facts) = channel();
        let archive = Arc::clone(&office.archive);
        let tell: Tell = Arc::new(move |fact| match fact {
            Fact::Filed(filed) => archive.lock().unwrap().as_ref().unwrap().file(filed),
            fact => drop(told.send(fact)),
        });
        let (recorder, mut decks) = Recorder::spawn(config, 1, tell).unwrap();
        Shelf { office, recorder, deck: decks.pop().unwrap(), facts, _folder: folder }
    }

    /// Ends with every file whole and filed.
    pub fn close(self) {
        drop(self.deck);
        self.recorder.join();
        self.office.close();
    }
}

/// Samples of a WAV file, interleaved, and its channels.
pub fn wav(path: &Path) -> (Vec<i16>, u16) {
    let reader = hound::WavReader::open(path).unwrap();
    let channels = reader.spec().channels;
    (reader.into_samples::<i16>().map(Result::unwrap).collect(), channels)
}

pub fn write_wav(path: &Path, channels: u16, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
    writer.finalize().unwrap();
}

/// What the reference decoder makes of a FLAC file; it checks the sum of the samples as well.
pub fn decoded(path: &Path) -> (Vec<i16>, u16) {
    let out = path.with_extension("decoded.wav");
    let done =
        Command::new("flac").args(["--decode", "--silent", "--force", "-o"]).arg(&out).arg(path).output();
    let done = done.expect("flac is installed: see tools/test");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let sound = wav(&out);
    fs::remove_file(out).unwrap();
    sound
}

/// Something like speech: a tone that swells, and noise.
pub fn speech(n: u64, samples: usize) -> Vec<i16> {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let sample = |at: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = (state >> 48) as i16 / 64;
        let swell = (at as f64 / 9_000.0).sin().abs();
        noise + (6_000.0 * swell * (at as f64 * 0.3 + n as f64).sin()) as i16
    };
    (0..samples).map(sample).collect()
}
