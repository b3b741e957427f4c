//! `prompts.toml` as text that is changed in places: comments, order and blanks stay as they are.
//!
//! Each change is made twice, in the text and in the values that it should then hold. What is saved was read again
//! and holds just these: an unusual way of writing TOML is refused, never spoiled.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use crate::io::kept_plans::put;
use crate::io::plan_files;
use crate::routing::diagnostic::{Severity, Text};
use crate::routing::prompts;

/// Where an entry stands: the index of its `[[prompt]]`, and of its variant there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Among the prompts.
    pub prompt: usize,
    /// Among that prompt's variants; `None`: the prompt itself.
    pub variant: Option<usize>,
}

/// A manifest that can be changed; by nobody else until it is dropped.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    /// Its folder, locked: the manifest itself is another file after each change.
    _lock: File,
    text: String,
    held: Table,
}

fn odd() -> String {
    "清单的写法无法原样改动；请把每个键单独写一行\nthe manifest cannot be changed in place; write each key on a line of its own"
        .to_owned()
}

impl Book {
    /// Waits until nobody else changes it, and reads it. The error is for the user, in both languages.
    pub fn open(path: &Path) -> Result<Book, String> {
        let name = path.display();
        let lock = locked(path).map_err(|error| {
            format!("不能锁住 {name} 所在的文件夹: {error}\ncannot lock the folder of {name}: {error}")
        })?;
        let bytes = plan_files::fetch(path)
            .map_err(|why| format!("读不到 {name}（{why}）\ncannot read {name} ({why})"))?;
        let text = String::from_utf8(bytes)
            .map_err(|error| format!("{name} 不是 UTF-8: {error}\n{name} is not UTF-8: {error}"))?;
        Book::of(path, lock, text)
    }

    fn of(path: &Path, lock: File, text: String) -> Result<Book, String> {
        let name = path.display();
        let held = text
            .parse()
            .map_err(|error| format!("{name} 不合 TOML 语法: {error}\n{name} is not TOML: {error}"))?;
        Ok(Book { path: path.to_owned(), _lock: lock, text, held })
    }

    /// Whether another entry than the one called `id` has this file.
    pub fn is_anothers(&self, file: &str, id: &str) -> bool {
        let plain = |name: &str| -> PathBuf {
            Path::new(name).components().filter(|part| *part != Component::CurDir).collect()
        };
        let own = self.find(id);
        let prompts = self.held.get("prompt").and_then(Value::as_array).into_iter().flatten().enumerate();
        let places = prompts.flat_map(|(prompt, entry)| {
            let count = entry.get("variant").and_then(Value::as_array).map_or(0, Vec::len);
            std::iter::once(None).chain((0..count).map(Some)).map(move |variant| Place { prompt, variant })
        });
        let mut others = places.filter(|place| Some(*place) != own);
        others.any(|place| self.get(place, "file").is_some_and(|name| plain(name) == plain(file)))
    }

    /// Where `greeting`, or its variant `greeting@en`, stands.
    pub fn find(&self, id: &str) -> Option<Place> {
        let (base, language) = match id.split_once(crate::id::VARIANT_MARK) {
            Some((base, language)) => (base, Some(language)),
            None => (id, None),
        };
        let prompts = self.held.get("prompt")?.as_array()?;
        let prompt = prompts.iter().position(|own| own.get("id").and_then(Value::as_str) == Some(base))?;
        let Some(language) = language else { return Some(Place { prompt, variant: None }) };
        let variants = prompts[prompt].get("variant")?.as_array()?;
        let spoken = |own: &Value| {
            let said = own.get("language").or_else(|| own.get("dialect"));
            said.and_then(Value::as_str) == Some(language)
        };
        Some(Place { prompt, variant: Some(variants.iter().position(spoken)?) })
    }

    /// A text of an entry.
    pub fn get(&self, place: Place, key: &str) -> Option<&str> {
        let entry = self.held.get("prompt")?.as_array()?.get(place.prompt)?;
        let entry = match place.variant {
            Some(variant) => entry.get("variant")?.as_array()?.get(variant)?,
            None => entry,
        };
        entry.get(key)?.as_str()
    }

    /// Gives a key another value, or adds it behind the entry's last one.
    pub fn set(&mut self, place: Place, key: &str, value: Value) -> Result<(), String> {
        let (text, end) = {
            let document = self.document()?;
            let entry = entry(&document, place).ok_or_else(odd)?;
            (entry.get(key).map(toml::Spanned::span), last_value(entry).ok_or_else(odd)?)
        };
        match text {
            Some(span) => self.text.replace_range(span, &value.to_string()),
            None => self.add_line(end, &format!("{key} = {value}\n")),
        }
        self.held_entry(place).ok_or_else(odd)?.insert(key.to_owned(), value);
        Ok(())
    }

    /// Takes a key out with its line; whether it was there.
    pub fn remove(&mut self, place: Place, key: &str) -> Result<bool, String> {
        let span = {
            let document = self.document()?;
            entry(&document, place).ok_or_else(odd)?.get(key).map(toml::Spanned::span)
        };
        let Some(span) = span else { return Ok(false) };
        let start = self.text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.line_end(span.end);
        self.text.replace_range(start..end, "");
        self.held_entry(place).ok_or_else(odd)?.remove(key);
        Ok(true)
    }

    /// Adds a prompt at the end of the file.
    pub fn add_prompt(&mut self, keys: Table) -> Result<Place, String> {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(&format!("\n[[prompt]]\n{}", lines(&keys)));
        let prompts = self.held.entry("prompt").or_insert_with(|| Value::Array(Vec::new()));
        let prompts = prompts.as_array_mut().ok_or_else(odd)?;
        prompts.push(Value::Table(keys));
        Ok(Place { prompt: prompts.len() - 1, variant: None })
    }

    /// Adds a variant behind the others of its prompt.
    pub fn add_variant(&mut self, prompt: usize, keys: Table) -> Result<Place, String> {
        let base = Place { prompt, variant: None };
        let count =
            self.held_entry(base).and_then(|own| own.get("variant")?.as_array().map(Vec::len)).unwrap_or(0);
        let end = {
            let document = self.document()?;
            let last = Place { prompt, variant: count.checked_sub(1) };
            last_value(entry(&document, last).ok_or_else(odd)?).ok_or_else(odd)?
        };
        self.add_line(end, &format!("\n[[prompt.variant]]\n{}", lines(&keys)));
        let entry = self.held_entry(base).ok_or_else(odd)?;
        let variants = entry.entry("variant").or_insert_with(|| Value::Array(Vec::new()));
        variants.as_array_mut().ok_or_else(odd)?.push(Value::Table(keys));
        Ok(Place { prompt, variant: Some(count) })
    }

    /// Whether the text, read again, holds what it should, and is a manifest that the engine would take.
    pub fn is_whole(&self) -> Result<(), String> {
        if self.text.parse::<Table>().ok().as_ref() != Some(&self.held) {
            return Err(odd());
        }
        let bytes = self.text.clone().into_bytes();
        let (table, report) = prompts::read(&self.path.to_string_lossy(), Ok(bytes))?;
        if report.count(Severity::Error) > 0 {
            return Err(report.render(false));
        }
        let mut ids = BTreeSet::new();
        for prompt in &table.prompts {
            let id = super::id(prompt);
            if !prompt.holds_some_day() {
                let fault = ends_before_it_begins();
                return Err(format!("{id}: {}\n{id}: {}", fault.zh, fault.en));
            }
            if !ids.insert(id) {
                return Err(format!("{id}: 编号重复\n{id}: there are two of this id"));
            }
        }
        Ok(())
    }

    /// Writes it beside and renames, so that no reader meets a half manifest.
    pub fn save(&self) -> Result<(), String> {
        self.is_whole()?;
        write(&self.path, self.text.as_bytes())
    }

    fn document(&self) -> Result<toml::Spanned<DeTable<'_>>, String> {
        DeTable::parse(&self.text).map_err(|_| odd())
    }

    fn held_entry(&mut self, place: Place) -> Option<&mut Table> {
        let entry = self.held.get_mut("prompt")?.as_array_mut()?.get_mut(place.prompt)?;
        match place.variant {
            Some(variant) => entry.get_mut("variant")?.as_array_mut()?.get_mut(variant)?.as_table_mut(),
            None => entry.as_table_mut(),
        }
    }

    /// Behind the line on which `at` is.
    fn add_line(&mut self, at: usize, line: &str) {
        let end = self.line_end(at);
        let missing = if self.text[..end].ends_with('\n') { "" } else { "\n" };
        self.text.insert_str(end, &format!("{missing}{line}"));
    }

    /// The first byte of the next line.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }
}

fn locked(path: &Path) -> io::Result<File> {
    let folder = path.parent().filter(|own| !own.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let lock = File::open(folder)?;
    lock.lock()?;
    Ok(lock)
}

/// What the check of a whole plan says of such a prompt.
pub fn ends_before_it_begins() -> Text {
    Text::new("E0511: valid_until 早于 valid_from", "E0511: valid_until is before valid_from")
}

/// Whether an option that was given says something.
pub fn says_something(option: &str, given: Option<&str>) -> Result<(), String> {
    match given {
        Some(text) if text.trim().is_empty() => Err(format!("{option} 不能为空\n{option} cannot be empty")),
        _ => Ok(()),
    }
}

/// Writes a file beside its place and renames it there.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: io::Error| {
        let name = path.display();
        format!("写不了 {name}: {error}\ncannot write {name}: {error}")
    };
    put(path, bytes).map_err(failed)
}

fn lines(keys: &Table) -> String {
    // In the order in which the shipped manifest has them, others after it.
    const ORDER: [&str; 12] = [
        "id",
        "language",
        "dialect",
        "class",
        "text",
        "english",
        "pinyin",
        "file",
        "sha256",
        "approver",
        "valid_from",
        "valid_until",
    ];
    let known = ORDER.iter().filter_map(|key| Some((*key, keys.get(*key)?)));
    known.map(|(key, value)| format!("{key} = {value}\n")).collect()
}

fn entry<'t>(document: &'t toml::Spanned<DeTable<'_>>, place: Place) -> Option<&'t DeTable<'t>> {
    let prompts = document.get_ref().get("prompt")?.get_ref().as_array()?;
    let entry = prompts.get(place.prompt)?.get_ref().as_table()?;
    match place.variant {
        Some(variant) => entry.get("variant")?.get_ref().as_array()?.get(variant)?.get_ref().as_table(),
        None => Some(entry),
    }
}

/// Where the last of an entry's own values ends.
fn last_value(entry: &DeTable<'_>) -> Option<usize> {
    let own =
        entry.iter().filter(|(_, value)| !matches!(value.get_ref(), DeValue::Array(_) | DeValue::Table(_)));
    own.map(|(_, value)| value.span()).map(|Range { end, .. }| end).max()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const MANIFEST: &str = r#"# Heard first.
schema = 1

[[prompt]] # The one.
id = "greeting"   # aligned   by hand
text = "您好。"
file = 'greeting.wav'
sha256 = "00" # sealed by us
approver = "王"

  [[prompt.variant]]
  language = "en"
  text = "Hello."
  file = "greeting.en.wav"
  sha256 = ""

# Behind.
[[prompt]]
sha256 = ""
id = "bye"
text = """再
见"""
file = "bye.wav""#;

    fn book() -> Book {
        Book::of(Path::new("prompts.toml"), File::open(".").unwrap(), MANIFEST.to_owned()).unwrap()
    }

    fn holds(book: &Book) -> bool {
        book.text.parse::<Table>().unwrap() == book.held
    }

    fn word(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn entries_are_found_by_id_and_variants_by_their_language() {
        let book = book();
        assert_eq!(book.find("greeting"), Some(Place { prompt: 0, variant: None }));
        assert_eq!(book.find("greeting@en"), Some(Place { prompt: 0, variant: Some(0) }));
        assert_eq!(book.find("bye"), Some(Place { prompt: 1, variant: None }));
        for id in ["greeting@de", "bye@en", "other", ""] {
            assert_eq!(book.find(id), None, "{id}");
        }
        assert_eq!(book.get(Place { prompt: 0, variant: Some(0) }, "text"), Some("Hello."));
    }

    #[test]
    fn a_value_changes_in_its_place_and_every_other_byte_stays() {
        let mut book = book();
        for (id, key, before, after) in [
            ("greeting", "sha256", "\"00\" # sealed", "\"aa\" # sealed"),
            (
                "greeting@en",
                "sha256",
                "\"greeting.en.wav\"\n  sha256 = \"\"",
                "\"greeting.en.wav\"\n  sha256 = \"aa\"",
            ),
            ("bye", "sha256", "[[prompt]]\nsha256 = \"\"", "[[prompt]]\nsha256 = \"aa\""),
        ] {
            let expected = book.text.replacen(before, after, 1);
            assert_ne!(expected, book.text, "{id}");
            book.set(book.find(id).unwrap(), key, word("aa")).unwrap();
            assert_eq!(book.text, expected);
            assert!(holds(&book));
        }
    }

    #[test]
    fn keys_are_added_behind_the_entrys_own_and_taken_out_with_their_line() {
        let mut book = book();
        let day: Value = "d = 2026-10-01".parse::<Table>().unwrap().remove("d").unwrap();
        book.set(book.find("greeting").unwrap(), "valid_until", day).unwrap();
        assert!(book.text.contains("approver = \"王\"\nvalid_until = 2026-10-01\n\n  [[prompt.variant]]"));
        book.set(book.find("bye").unwrap(), "approver", word("李 \"x\"")).unwrap();
        assert!(holds(&book), "{}", book.text);
        assert_eq!(book.remove(book.find("greeting").unwrap(), "approver"), Ok(true));
        assert_eq!(book.remove(book.find("greeting").unwrap(), "approver"), Ok(false));
        assert_eq!(book.remove(book.find("greeting").unwrap(), "text"), Ok(true));
        assert!(holds(&book) && book.text.contains("by hand\nfile = 'greeting.wav'"), "{}", book.text);
    }

    #[test]
    fn prompts_are_added_at_the_end_and_variants_behind_their_own() {
        let mut book = book();
        let keys = |pairs: &[(&str, &str)]| -> Table {
            pairs.iter().map(|(key, text)| ((*key).to_owned(), word(text))).collect()
        };
        let added = book.add_variant(0, keys(&[("file", "a.wav"), ("dialect", "豫北")])).unwrap();
        assert_eq!((added, book.find("greeting@豫北")), (Place { prompt: 0, variant: Some(1) }, Some(added)));
        let first = book.add_variant(1, keys(&[("language", "en"), ("text", "Bye.")])).unwrap();
        assert_eq!(first, Place { prompt: 1, variant: Some(0) });
        let added = book.add_prompt(keys(&[("id", "new"), ("text", "新")])).unwrap();
        assert_eq!(book.find("new"), Some(added));
        assert!(holds(&book), "{}", book.text);
        let places: Vec<_> = ["# Heard", "豫北", "# Behind", "\"bye\"", "Bye.", "新"]
            .iter()
            .map(|part| book.text.find(part).unwrap())
            .collect();
        assert!(places.is_sorted(), "{}", book.text);
    }

    #[test]
    fn what_cannot_be_changed_in_place_is_refused_and_the_file_stays() {
        let path = std::env::temp_dir().join(format!("hotline-book-{}.toml", std::process::id()));
        let text = "prompt = [{ id = \"a\", text = \"b\", file = \"a.wav\", sha256 = \"\" }]\n";
        fs::write(&path, text).unwrap();
        let mut book = Book::open(&path).unwrap();
        let place = book.find("a").unwrap();
        book.set(place, "sha256", word("00")).unwrap(); // A value is a value.
        book.save().unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("sha256 = \"00\" }]"));
        let refused = book.remove(place, "text").and_then(|_| book.save());
        assert!(refused.unwrap_err().contains("in place"));
        assert!(fs::read_to_string(&path).unwrap().contains("text = \"b\""));
        fs::remove_file(&path).unwrap();
    }
}
