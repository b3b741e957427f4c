//! `prompts check`: every entry has its sound as it was sealed, and each sound is fit to be heard.
//!
//! Whether the plan has the prompts that it needs, and whether they hold today, is for `hotline check` to say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::book::ends_before_it_begins;
use super::level::{self, PEAK_MAX_DBFS, PEAK_MIN_DBFS, decibels};
use super::{Done, RATE, Shelf, file, heard, id};
use crate::routing::diagnostic::Text;
use crate::routing::prompts::{Class, PromptTable, sealed};

/// What a caller hears before the queue begins, seconds.
const GREETING_MAX_S: f64 = 5.0;

/// All faults at once.
pub fn run(shelf: &Shelf) -> Result<Done, String> {
    let mut faults: Vec<(String, Text)> = Vec::new();
    let (mut sounds, mut files): (BTreeMap<String, &str>, BTreeMap<&str, &str>) = Default::default();
    let mut ids = BTreeSet::new();
    for prompt in &shelf.table.prompts {
        let own = id(prompt);
        if !ids.insert(own) {
            faults.push((own.to_owned(), Text::new("编号重复", "there are two of this id")));
        }
        faults.extend(entry_faults(prompt).into_iter().map(|fault| (own.to_owned(), fault)));
        if let Some(other) = files.insert(file(prompt), own) {
            faults.push((own.to_owned(), same(other, "用同一个文件", "has the same file as")));
            continue;
        }
        let path = shelf.beside(file(prompt));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let name = path.display();
                faults.push((
                    own.to_owned(),
                    Text::new(format!("读不到 {name}（{error}）"), format!("cannot read {name} ({error})")),
                ));
                continue;
            }
        };
        faults.extend(sound_faults(prompt, &bytes).into_iter().map(|fault| (own.to_owned(), fault)));
        if let Some(other) = sounds.insert(sealed(&bytes).0, own) {
            faults.push((own.to_owned(), same(other, "声音相同", "has the same sound as")));
        }
    }
    let mut known: BTreeSet<&str> = files.into_keys().collect();
    known.extend(shelf.path.file_name().and_then(|name| name.to_str()));
    known.insert("README.md");
    for name in strangers(&shelf.path, &known) {
        faults.push((name, Text::new("清单里没有它", "no entry names it")));
    }
    let count = shelf.table.prompts.len();
    if faults.is_empty() {
        return Done::well(format!("{count} 条提示音都与登记的一致\n{count} prompts, all as sealed\n"));
    }
    let lines = faults
        .iter()
        .flat_map(|(own, fault)| [format!("{own}: {}\n", fault.zh), format!("{own}: {}\n", fault.en)]);
    Ok(Done { text: lines.collect(), clean: false })
}

fn same(other: &str, zh: &str, en: &str) -> Text {
    Text::new(format!("与 {other} {zh}"), format!("{en} {other}"))
}

fn entry_faults(prompt: &PromptTable) -> Vec<Text> {
    let mut faults = Vec::new();
    let Some(class) = prompt.class.as_ref().map(|said| said.value) else {
        return vec![Text::new("没有写 class", "class is missing")];
    };
    if !class.is_spoken() && prompt.pinyin.is_some() {
        let word = class.word();
        faults.push(Text::new(
            format!("类别 {word} 没有人说话，不用 pinyin"),
            format!("pinyin in class {word}, which nobody speaks"),
        ));
    }
    if !prompt.holds_some_day() {
        faults.push(ends_before_it_begins());
    }
    let name = file(prompt);
    if Path::new(name).components().count() != 1 || !name.ends_with(".wav") {
        faults.push(Text::new(
            format!("文件名 {name} 应是清单旁边的 .wav"),
            format!("the file {name} should be a .wav beside the manifest"),
        ));
    }
    faults
}

fn sound_faults(prompt: &PromptTable, bytes: &[u8]) -> Vec<Text> {
    let mut faults = Vec::new();
    if prompt.sha256.as_ref().is_none_or(|own| own.value != sealed(bytes)) {
        faults.push(Text::new(
            "与登记的 SHA-256 不符；审听后用 prompts seal",
            "is not what was sealed: listen to it, then prompts seal",
        ));
    }
    faults.extend(unfit(prompt, bytes));
    faults
}

/// Why a sound is not fit to be heard, whatever was sealed.
pub fn unfit(prompt: &PromptTable, bytes: &[u8]) -> Vec<Text> {
    let mut faults = Vec::new();
    let samples = match heard(bytes) {
        Ok(samples) => samples,
        Err(why) => {
            let (zh, en) = why.split_once('\n').unwrap_or((&why, &why));
            return vec![Text::new(zh, en)];
        }
    };
    let seconds = samples.len() as f64 / f64::from(RATE);
    let greets = prompt.class.as_ref().is_some_and(|said| said.value == Class::Greeting);
    if greets && seconds > GREETING_MAX_S {
        faults.push(Text::new(
            format!("长 {seconds:.2} 秒；问候语最长 {GREETING_MAX_S} 秒"),
            format!("lasts {seconds:.2} s; a greeting may last {GREETING_MAX_S} s"),
        ));
    }
    let peak = decibels(level::peak(&samples));
    if !(PEAK_MIN_DBFS..=PEAK_MAX_DBFS).contains(&peak) {
        faults.push(Text::new(
            format!("峰值 {peak:.1} dBFS，应在 {PEAK_MIN_DBFS} 与 {PEAK_MAX_DBFS} 之间"),
            format!("peaks at {peak:.1} dBFS; must be between {PEAK_MIN_DBFS} and {PEAK_MAX_DBFS}"),
        ));
    }
    faults
}

/// Files beside the manifest that nothing names.
fn strangers(manifest: &Path, known: &BTreeSet<&str>) -> Vec<String> {
    let folder = manifest.parent().filter(|own| !own.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !known.contains(name.as_str())).collect();
    names.sort();
    names
}
