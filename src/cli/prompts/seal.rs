//! `prompts seal` and `prompts speak`: files made or heard again, and their hashes written down.

use std::fs;

use toml::Value;

use super::book::{self, Book, Place};
use super::check::unfit;
use super::speak::Draft;
use super::{Done, RATE, Shelf, file, heard, id};
use crate::routing::prompts::{PromptTable, sealed};

/// `hotline prompts seal`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 只登记这些（默认全部）/ These only (default: all)
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// 谁审听并批准 / Who listened to it and approved it
    #[arg(long, value_name = "NAME")]
    pub approver: Option<String>,
}

/// `hotline prompts speak`.
#[derive(Debug, clap::Args)]
pub struct SpeakArgs {
    /// 试读这些，如 greeting、greeting@en / These, like greeting or greeting@en
    #[arg(value_name = "ID", required_unless_present = "all_missing", conflicts_with = "all_missing")]
    pub ids: Vec<String>,
    /// 试读所有缺声音的 / All that have no sound
    #[arg(long)]
    pub all_missing: bool,
}

/// Writes each file's hash down, where all are fit to be heard. Who approved another sound has not approved this one.
pub fn run(args: &Args, shelf: &Shelf) -> Result<Done, String> {
    book::says_something("--approver", args.approver.as_deref())?;
    let mut book = shelf.book()?;
    let (mut text, mut refused, mut changed) = (String::new(), String::new(), 0);
    let chosen = shelf.chosen(&args.ids)?;
    for prompt in &chosen {
        let path = shelf.beside(file(prompt));
        let bytes = fs::read(&path).map_err(|error| {
            let (id, name) = (id(prompt), path.display());
            format!("{id}: 读不到 {name}（{error}）\n{id}: cannot read {name} ({error})")
        })?;
        for fault in unfit(prompt, &bytes) {
            let id = id(prompt);
            refused.push_str(&format!("{id}: {}\n{id}: {}\n", fault.zh, fault.en));
        }
        let place = place(&book, id(prompt))?;
        let hash = sealed(&bytes).0;
        if book.get(place, "sha256") == Some(hash.as_str()) && args.approver.is_none() {
            continue;
        }
        changed += 1;
        note(&mut text, prompt, seal(&mut book, place, &bytes, args.approver.as_deref())?);
    }
    if !refused.is_empty() {
        return Err(format!("{refused}没有登记任何一条\nnone was sealed"));
    }
    book.save()?;
    let all = chosen.len();
    text.push_str(&format!("登记 {all} 条，{changed} 条有变\nsealed {all} prompts, {changed} changed\n"));
    Done::well(text)
}

/// Speaks drafts. What somebody approved is not replaced by one.
pub fn speak(args: &SpeakArgs, shelf: &Shelf) -> Result<Done, String> {
    let chosen: Vec<&PromptTable> = match args.all_missing {
        true => shelf.table.prompts.iter().filter(|own| !shelf.beside(file(own)).exists()).collect(),
        false => shelf.chosen(&args.ids)?,
    };
    let (mut text, mut clean) = (String::new(), true);
    for prompt in chosen {
        let name = id(prompt);
        // Opened one by one: nobody waits for all of them, and should one fail, what is on disk is sealed.
        let mut book = shelf.book()?;
        let place = place(&book, name)?;
        let drafted = match book.get(place, "approver") {
            Some(approver) => Err(format!(
                "已由 {approver} 批准，试读不会替换它；先删去 approver\n\
                 approved by {approver}, and no draft replaces it; remove approver first"
            )),
            None => Draft::of(prompt).and_then(|draft| draft.speak()),
        };
        let bytes = match drafted {
            Ok(bytes) => bytes,
            Err(why) => {
                clean = false;
                why.lines().for_each(|line| text.push_str(&format!("{name}: {line}\n")));
                continue;
            }
        };
        book::write(&shelf.beside(file(prompt)), &bytes)?;
        seal(&mut book, place, &bytes, None)?;
        book.save()?;
        let seconds = heard(&bytes)?.len() as f64 / f64::from(RATE);
        text.push_str(&format!("{name}: {seconds:.2} s\n"));
    }
    if text.is_empty() {
        text.push_str("没有缺少声音的提示音\nno prompt is without its sound\n");
    }
    Ok(Done { text, clean })
}

fn place(book: &Book, id: &str) -> Result<Place, String> {
    book.find(id).ok_or_else(|| format!("清单里没有 {id}\nthere is no {id} in the manifest"))
}

/// Writes the hash of `bytes` down, and who approved them; says whose approval went with the old sound.
pub fn seal(
    book: &mut Book,
    place: Place,
    bytes: &[u8],
    approver: Option<&str>,
) -> Result<Option<String>, String> {
    let hash = sealed(bytes).0;
    let other = book.get(place, "sha256") != Some(hash.as_str());
    book.set(place, "sha256", Value::String(hash))?;
    if let Some(approver) = approver {
        book.set(place, "approver", Value::String(approver.to_owned()))?;
        return Ok(None);
    }
    let gone = book.get(place, "approver").filter(|_| other).map(str::to_owned);
    if gone.is_some() {
        book.remove(place, "approver")?;
    }
    Ok(gone)
}

fn note(text: &mut String, prompt: &PromptTable, gone: Option<String>) {
    let id = id(prompt);
    match gone {
        Some(approver) => text.push_str(&format!(
            "{id}: 已登记；{approver} 批准的是原来的声音，approver 已删去\n\
             {id}: sealed; {approver} approved the sound before it, and approver is taken out\n"
        )),
        None => text.push_str(&format!("{id}: 已登记 / sealed\n")),
    }
}
