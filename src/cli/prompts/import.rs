//! `prompts import`: a recording of any kind made into a prompt of the house, and written down.

use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use toml::{Table, Value};

use super::book::{self, Book, Place};
use super::decode::{self, decode};
use super::level::{self, EDGE, EDGE_OF_FRAGMENTS, decibels};
use super::seal::seal;
use super::{Done, RATE, Shelf};
use crate::id::VARIANT_MARK;
use crate::routing::prompts::{Class, is_id, sealed};

/// `hotline prompts import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 录音 / The recording
    #[arg(value_name = "FILE")]
    pub recording: PathBuf,
    /// 提示音编号；清单里没有的，按 --text 新增 / Its id; one that is new needs --text
    #[arg(long, value_name = "ID")]
    pub id: String,
    /// 它的语言变体，如 en / Its variant in a language, like en
    #[arg(long, value_name = "TAG", conflicts_with = "dialect")]
    pub language: Option<String>,
    /// 它的方言变体，如 豫北 / Its variant in a dialect
    #[arg(long, value_name = "NAME")]
    pub dialect: Option<String>,
    /// 录音里说的话 / What it says
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// 类别（新增时，默认 notice）/ Its class (of a new one; default: notice)
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// 谁审听并批准 / Who listened to it and approved it
    #[arg(long, value_name = "NAME")]
    pub approver: Option<String>,
    /// 有效期首日，如 2026-10-01 / Its first day
    #[arg(long, value_name = "DATE")]
    pub valid_from: Option<Date>,
    /// 有效期末日 / Its last day
    #[arg(long, value_name = "DATE")]
    pub valid_until: Option<Date>,
}

/// Decodes, mixes, resamples, levels, cuts, writes the WAV beside the manifest and seals it there.
pub fn run(args: &Args, shelf: &Shelf) -> Result<Done, String> {
    args.are_said()?;
    let class = class(args, shelf)?;
    let recording = decode(fetch(&args.recording)?)?;
    let mut samples = super::rate::to_telephone(&recording.samples, recording.rate);
    if class.is_spoken() {
        super::rate::high_pass(&mut samples);
    }
    let edge = if class == Class::Fragment { EDGE_OF_FRAGMENTS } else { EDGE };
    let before = decibels(level::loudness(&samples));
    let made = level::finish(samples, class, edge)
        .map_err(|_| "录音里没有声音\nthere is no sound in the recording".to_owned())?;
    let bytes = level::wav(&made).map_err(|error| format!("{error}\n{error}"))?;

    let mut book = shelf.book()?;
    let (place, old_text) = entry(args, class, &bytes, &mut book)?;
    let gone = seal(&mut book, place, &bytes, args.approver.as_deref())?;
    let stale = say(args, place, old_text.as_deref(), &mut book)?;
    let file = book.get(place, "file").unwrap_or_default().to_owned();
    if book.is_anothers(&file, &args.name()) {
        return Err(format!("{file} 已是另一条提示音的文件\n{file} is another prompt's file"));
    }
    book.is_whole()?;
    // The sound first: should the rest fail, the old hash tells that it is another.
    book::write(&shelf.beside(&file), &bytes)?;
    book.save()?;

    let (seconds, after) = (made.len() as f64 / f64::from(RATE), decibels(level::loudness(&made)));
    let (rate, peak) = (recording.rate, decibels(level::peak(&made)));
    let mut text = format!(
        "{}: {} → {file}，{:.2} 秒 {rate} Hz → {seconds:.2} 秒 8000 Hz，响度 {before:.1} → {after:.1} dBFS，峰值 {peak:.1}\n\
         {}: {} → {file}, {:.2} s of {rate} Hz → {seconds:.2} s of 8000 Hz, loudness {before:.1} → {after:.1} dBFS, peak {peak:.1}\n",
        args.name(),
        args.recording.display(),
        recording.seconds(),
        args.name(),
        args.recording.display(),
        recording.seconds(),
    );
    if let Some(approver) = gone {
        text.push_str(&format!(
            "{approver} 批准的是原来的声音，approver 已删去；审听后用 seal --approver 写上\n\
             {approver} approved the sound before it, and approver is taken out; say it again by seal --approver\n"
        ));
    }
    if stale {
        text.push_str(
            "文字变了，原来的 pinyin、english 已删去\nthe words are others: pinyin and english of the old ones are taken out\n",
        );
    }
    warn(recording.clipped_at, after - before);
    Done::well(text)
}

/// By more a recording is made louder only with a word to who imports it.
const GAIN_MAX_DB: f64 = 30.0;

/// Tells of what no levelling mends.
fn warn(clipped_at: Option<f64>, gain_db: f64) {
    if let Some(seconds) = clipped_at {
        eprintln!(
            "警告: 录音在第 {seconds:.2} 秒处削波（连续的样本都在满刻度），会听到破音\n\
             warning: the recording is clipped at {seconds:.2} s (sample after sample at full scale): it crackles"
        );
    }
    if gain_db > GAIN_MAX_DB {
        eprintln!(
            "警告: 录音很轻，放大了 {gain_db:.0} dB，底噪也随之放大\n\
             warning: the recording is faint: its noise is made louder with it, by {gain_db:.0} dB"
        );
    }
}

impl Args {
    fn tongue(&self) -> Option<(&'static str, &str)> {
        let language = self.language.as_deref().map(|own| ("language", own));
        language.or(self.dialect.as_deref().map(|own| ("dialect", own)))
    }

    /// None of them is empty, and a tag can be part of an id and of a file's name.
    fn are_said(&self) -> Result<(), String> {
        book::says_something("--text", self.text.as_deref())?;
        book::says_something("--approver", self.approver.as_deref())?;
        let Some((key, own)) = self.tongue() else { return Ok(()) };
        let apart = |letter: char| matches!(letter, '/' | '\\' | VARIANT_MARK) || letter.is_control();
        if own.trim().is_empty() || own.starts_with('.') || own.contains(apart) {
            return Err(format!("{key} 不能是 {own:?}\n{key} cannot be {own:?}"));
        }
        if self.id.contains(VARIANT_MARK) {
            let id = &self.id;
            return Err(format!(
                "{id} 本身已是变体，不再写 {key}\n{id} is a variant itself: it has no {key} of its own"
            ));
        }
        Ok(())
    }

    /// `greeting`, `greeting@en`.
    fn name(&self) -> String {
        match self.tongue() {
            Some((_, own)) => format!("{}{VARIANT_MARK}{own}", self.id),
            None => self.id.clone(),
        }
    }
}

/// The class that the prompt has, or shall have.
fn class(args: &Args, shelf: &Shelf) -> Result<Class, String> {
    let asked = match &args.class {
        Some(word) => Some(
            Class::ALL.iter().find(|(own, _)| own == word).map(|(_, class)| *class).ok_or_else(|| {
                let words = Class::ALL.map(|(word, _)| word).join(", ");
                format!("没有 {word} 这个类别；有: {words}\nthere is no class {word}; there are: {words}")
            })?,
        ),
        None => None,
    };
    let own = shelf.table.get(&args.id).and_then(|own| own.class.as_ref()).map(|said| said.value);
    match (own, asked) {
        (Some(own), Some(asked)) if own != asked => {
            let (id, own) = (&args.id, own.word());
            Err(format!("{id} 的类别是 {own}\nthe class of {id} is {own}"))
        }
        (own, asked) => Ok(own.or(asked).unwrap_or(Class::Notice)),
    }
}

fn fetch(path: &Path) -> Result<Vec<u8>, String> {
    let name = path.display();
    let failed = |error: std::io::Error| format!("读不到 {name}（{error}）\ncannot read {name} ({error})");
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(decode::BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > decode::BYTES_MAX {
        return Err(format!("{name} 太大\n{name} is too large"));
    }
    Ok(bytes)
}

/// Where the prompt stands, and its text until now; a new one is added.
fn entry(
    args: &Args,
    class: Class,
    bytes: &[u8],
    book: &mut Book,
) -> Result<(Place, Option<String>), String> {
    if let Some(place) = book.find(&args.name()) {
        if let Some((key, own)) = args.tongue().filter(|(key, own)| book.get(place, key) != Some(own)) {
            let id = &args.id;
            return Err(format!(
                "{id} 的变体 {own} 不是 {key}，而是另一种\n{id} has {own} already, and not as a {key}"
            ));
        }
        return Ok((place, book.get(place, "text").map(str::to_owned)));
    }
    let name = args.name();
    let text = args.text.clone().ok_or_else(|| {
        format!("清单里还没有 {name}，请用 --text 写明它说什么\n{name} is new: say by --text what is heard")
    })?;
    let word = |text: &str| Value::String(text.to_owned());
    let mut keys = Table::new();
    keys.insert("text".to_owned(), word(&text));
    keys.insert("sha256".to_owned(), word(&sealed(bytes).0));
    let place = match args.tongue() {
        None => {
            if !is_id(&name) {
                return Err(format!(
                    "提示音编号 \"{name}\" 只能用 a-z、0-9、_，以字母开头\n\
                     the prompt id \"{name}\" may have a-z, 0-9 and _ only, a letter first"
                ));
            }
            keys.insert("id".to_owned(), word(&name));
            keys.insert("class".to_owned(), word(class.word()));
            keys.insert("file".to_owned(), word(&format!("{name}.wav")));
            book.add_prompt(keys)?
        }
        Some((key, own)) => {
            let base = book.find(&args.id).ok_or_else(|| {
                let id = &args.id;
                format!("清单里没有 {id}，先录入它本身\nthere is no {id}: import the prompt itself first")
            })?;
            keys.insert(key.to_owned(), word(own));
            keys.insert("file".to_owned(), word(&format!("{}.{own}.wav", args.id)));
            book.add_variant(base.prompt, keys)?
        }
    };
    Ok((place, None))
}

/// Writes down what it says and how long it holds; whether pinyin or english of other words were taken out.
fn say(args: &Args, place: Place, old_text: Option<&str>, book: &mut Book) -> Result<bool, String> {
    let mut stale = false;
    if let Some(text) = args.text.as_deref().filter(|text| old_text.is_some_and(|old| old != *text)) {
        book.set(place, "text", Value::String(text.to_owned()))?;
        for key in ["pinyin", "english"] {
            stale |= book.remove(place, key)?;
        }
    }
    for (key, day) in [("valid_from", args.valid_from), ("valid_until", args.valid_until)] {
        let Some(day) = day else { continue };
        let day: toml::value::Datetime =
            day.to_string().parse().map_err(|error| format!("{key}: {error}\n{key}: {error}"))?;
        book.set(place, key, Value::Datetime(day))?;
    }
    Ok(stale)
}
