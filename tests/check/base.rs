//! The compact plan, its prompts, and the house's judgement on them, all in memory.

use std::collections::BTreeMap;
use std::io::Cursor;

use hotline::routing::diagnostic::{Report, Severity};
use hotline::routing::prompts::{REQUIRED, SAID_SOMETIMES};
use hotline::routing::{Draft, Fetched, Outcome, Overrides};
use sha2::{Digest, Sha256};

/// When the files are judged.
const NOW: &str = "2026-07-01T09:00:00+08:00";
pub const PLAN: &str = include_str!("base.toml");

/// Prompts that the compact plan names itself.
const NAMED: [&str; 4] = ["greeting", "hold_music", "transition", "no_seat"];

/// One way to spoil the compact plan.
pub enum Edit {
    /// What stands once in `routing.toml`, and what stands there instead.
    Plan(&'static str, &'static str),
    /// The same in `prompts.toml`.
    Manifest(&'static str, &'static str),
    /// What becomes of a prompt's file.
    Sound(&'static str, Sound),
    /// The bytes of a whole file.
    Bytes(&'static str, &'static [u8]),
    /// A file beside the others, with marks.
    File(&'static str, &'static str),
    /// A file cannot be read.
    Gone(&'static str),
    /// `--listen`.
    Listen(&'static str),
    /// `--trunk name=address`.
    Target(&'static str, &'static str),
    /// `--rtp-ports`.
    Ports(u16, u16),
    /// `--at`, in place of the usual instant.
    At(&'static str),
}

/// Puts tables in front of the plan's last one.
macro_rules! add {
    ($tables:literal) => {
        $crate::base::Edit::Plan("[[ticket_sink]]\n", concat!($tables, "\n\n[[ticket_sink]]\n"))
    };
}
/// Puts keys behind those of the plan's queue.
macro_rules! queue {
    ($keys:literal) => {
        $crate::base::Edit::Plan("announce_every = \"29s\"", concat!("announce_every = \"29s\"\n", $keys))
    };
}
pub(crate) use {add, queue};

/// What becomes of a prompt's file.
pub enum Sound {
    /// Sealed, but of another sampling rate.
    Rate(u32),
    /// Sealed, and so long.
    Seconds(u32),
    /// Another sound than the sealed one; the hash is the marked place.
    Changed,
    /// Sealed, but no WAV.
    Broken,
}

/// A problem that must be found: where the marked text `⟦…⟧` stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    pub file: &'static str,
    pub line: usize,
    pub column: usize,
    pub text: String,
}

/// Files that can be judged.
pub struct Files {
    name: &'static str,
    files: BTreeMap<&'static str, Fetched>,
    overrides: Overrides,
    at: &'static str,
    /// The marked places, in the order of the edits.
    pub marked: Vec<Place>,
}

const ROUTING: &str = "routing.toml";
const PROMPTS: &str = "prompts.toml";

impl Files {
    /// The compact plan with these edits.
    pub fn with(edits: &[Edit]) -> Files {
        Files::of(ROUTING, PLAN.to_owned(), PROMPTS, edits)
    }

    /// A plan of this name, with its manifest and these edits.
    pub fn of(name: &'static str, mut plan: String, prompts: &'static str, edits: &[Edit]) -> Files {
        let mut overrides = Overrides::default();
        let mut at = NOW;
        let mut files: BTreeMap<&'static str, Fetched> = BTreeMap::new();
        let mut manifest = String::from("schema = 1\n");
        let folder = prompts.strip_suffix(PROMPTS).expect("the manifest's usual name");
        for id in REQUIRED.into_iter().chain(SAID_SOMETIMES).chain(NAMED) {
            let (bytes, sealed) = sound_of(id, edits);
            let hash: String = Sha256::digest(&sealed).iter().map(|byte| format!("{byte:02x}")).collect();
            let hash = if bytes == sealed { format!("\"{hash}\"") } else { format!("⟦\"{hash}\"⟧") };
            // Who is greeted knows of the recording.
            let told = if id == "greeting" { "通话将被录音" } else { id };
            manifest.push_str(&format!(
                "\n[[prompt]]\nid = \"{id}\"\ntext = \"{told}。\"\nfile = \"{id}.wav\"\nsha256 = {hash}\n"
            ));
            files.insert(wav_name(folder, id), Ok(bytes));
        }
        for edit in edits {
            match edit {
                Edit::Plan(from, to) => replace(&mut plan, from, to),
                Edit::Manifest(from, to) => replace(&mut manifest, from, to),
                Edit::Listen(at) => overrides.listen.push(at.parse().expect("a listener")),
                Edit::Target(name, at) => {
                    overrides.trunk_targets.insert((*name).to_owned(), at.parse().expect("an address"));
                }
                Edit::Ports(first, last) => overrides.rtp_ports = Some((*first, *last)),
                Edit::At(instant) => at = instant,
                Edit::Sound(..) | Edit::Bytes(..) | Edit::File(..) | Edit::Gone(..) => {}
            }
        }
        let mut marked = unmark(name, &mut plan);
        marked.extend(unmark(prompts, &mut manifest));
        files.insert(name, Ok(plan.into_bytes()));
        files.insert(prompts, Ok(manifest.into_bytes()));
        for edit in edits {
            match edit {
                Edit::Bytes(name, bytes) => drop(files.insert(name, Ok(bytes.to_vec()))),
                Edit::File(name, text) => {
                    let mut text = (*text).to_owned();
                    marked.extend(unmark(name, &mut text));
                    files.insert(name, Ok(text.into_bytes()));
                }
                Edit::Gone(name) => drop(files.insert(name, Err("没有这个文件 / no such file".to_owned()))),
                _ => {}
            }
        }
        Files { name, files, overrides, at, marked }
    }

    /// What `hotline check` would find.
    pub fn judge(&self) -> Outcome {
        self.draft().judge_at(self.at.parse().expect("an instant"))
    }

    /// What a house that opens would find.
    pub fn open(&self) -> Outcome {
        self.draft().judge_opening(self.at.parse().expect("an instant"))
    }

    /// The same as [`judge`](Self::judge), with each value in force.
    pub fn judge_noting(&self) -> Outcome {
        let draft = Draft::noting(self.name, self.files[self.name].clone(), &self.overrides);
        self.complete(draft).judge_at(self.at.parse().expect("an instant"))
    }

    /// A file as it stands after the edits.
    pub fn text(&self, name: &str) -> Option<String> {
        String::from_utf8(self.files.get(name)?.clone().ok()?).ok()
    }

    fn draft(&self) -> Draft {
        self.complete(Draft::read(self.name, self.files[self.name].clone(), &self.overrides))
    }

    fn complete(&self, mut draft: Draft) -> Draft {
        loop {
            let (wanted, listings) = (draft.wants(), draft.wants_listings());
            if wanted.is_empty() && listings.is_empty() {
                return draft;
            }
            for directory in listings {
                let within = |name: &&str| {
                    let inner = name.strip_prefix(directory.trim_start_matches("./"))?;
                    (!inner.contains('/')).then(|| inner.to_owned())
                };
                let names = self.files.keys().filter_map(within).rev().collect();
                draft.give_listing(&directory, Ok(names));
            }
            for name in wanted {
                let fetched = self.files.get(name.as_str()).cloned();
                draft.give(&name, fetched.unwrap_or_else(|| Err("没有这个文件 / no such file".to_owned())));
            }
        }
    }
}

/// Codes in the order of the report.
pub fn codes(report: &Report) -> Vec<&'static str> {
    report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// Whether a code is an error's.
pub fn is_error(code: &str) -> bool {
    code.starts_with('E')
}

/// The severity that a code says.
pub fn severity(code: &str) -> Severity {
    if is_error(code) { Severity::Error } else { Severity::Warning }
}

fn wav_name(folder: &str, id: &str) -> &'static str {
    String::leak(format!("{folder}{id}.wav")) // As many as there are prompts; the process is short.
}

/// The bytes of a prompt's file and the bytes that its hash is taken of.
fn sound_of(id: &str, edits: &[Edit]) -> (Vec<u8>, Vec<u8>) {
    let usual = wav(8_000, 800);
    let spoilt = edits.iter().find_map(|edit| match edit {
        Edit::Sound(name, sound) if *name == id => Some(sound),
        _ => None,
    });
    match spoilt {
        None => (usual.clone(), usual),
        Some(Sound::Broken) => (b"RIFF".to_vec(), b"RIFF".to_vec()),
        Some(Sound::Changed) => (wav(8_000, 801), usual),
        Some(Sound::Rate(rate)) => (wav(*rate, 800), wav(*rate, 800)),
        Some(Sound::Seconds(seconds)) => (wav(8_000, seconds * 8_000), wav(8_000, seconds * 8_000)),
    }
}

pub fn wav(rate: u32, samples: u32) -> Vec<u8> {
    let format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: format };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).expect("a header");
    for sample in 0..samples {
        writer.write_sample(if sample % 16 < 8 { 4_000_i16 } else { -4_000 }).expect("a sample");
    }
    writer.finalize().expect("a whole file");
    bytes.into_inner()
}

fn replace(text: &mut String, from: &str, to: &str) {
    assert_eq!(text.matches(from).count(), 1, "{from:?} stands once in the text that is edited");
    *text = text.replacen(from, to, 1);
}

/// Takes the marks out of a text and says where they stood.
fn unmark(file: &'static str, text: &mut String) -> Vec<Place> {
    let mut marked = Vec::new();
    while let Some(open) = text.find('⟦') {
        text.remove(open);
        let close = text.find('⟧').expect("a mark that begins ends");
        text.remove(close);
        let line_start = text[..open].rfind('\n').map_or(0, |newline| newline + 1);
        marked.push(Place {
            file,
            line: text[..open].matches('\n').count() + 1,
            column: text[line_start..open].chars().count() + 1,
            text: text[open..close].to_owned(),
        });
    }
    marked
}
