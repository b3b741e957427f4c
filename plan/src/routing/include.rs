//! `include`: which files make up the plan, in which order, and what is wrong with how they are named.
//!
//! Nothing is opened here. What is not there yet is wanted; once nothing is, the files have their order: the
//! routing file first, and behind each file those that it includes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::de::DeTable;

use super::diagnostic::Spot;
use super::source::{Fetched, Listed, Problems, beside};

/// Files of one plan at most.
pub const FILES_MAX: usize = 256;
/// An included file includes others, and those others, so deep at most.
pub const DEPTH_MAX: usize = 4;

/// The files that were fetched, the routing file among them.
#[derive(Debug)]
pub struct Includes {
    root: String,
    files: BTreeMap<String, Result<File, String>>,
    listings: BTreeMap<String, Listed>,
}

/// A file.
#[derive(Debug)]
pub struct File {
    /// As it was fetched.
    pub bytes: Vec<u8>,
    /// The entries of its `include` as they are written, with their places.
    entries: Vec<(String, Range<usize>)>,
}

/// The plan's files as far as they are known.
#[derive(Debug, Default)]
pub struct Walk {
    /// Names of those that are there, in order.
    pub order: Vec<String>,
    /// To be fetched.
    pub wants: Vec<String>,
    /// Directories to be listed.
    pub listings: Vec<String>,
    faults: Vec<(Spot, Fault)>,
    /// Where each file was named.
    named: BTreeMap<String, Spot>,
}

#[derive(Debug)]
enum Fault {
    Missing { name: String, reason: String },
    Circle { name: String },
    Twice { name: String, first: Spot },
    Nothing { pattern: String, reason: Option<String> },
    TooMany,
    TooDeep,
    Malformed,
}

impl File {
    fn new(bytes: Vec<u8>) -> Self {
        let entries = std::str::from_utf8(&bytes).map(entries).unwrap_or_default();
        File { bytes, entries }
    }
}

/// What a text includes. Whether it is TOML, and the entries are texts, is for those who read it whole.
fn entries(text: &str) -> Vec<(String, Range<usize>)> {
    if !text.contains("include") {
        return Vec::new(); // Most files: they are parsed once only.
    }
    let (document, _) = DeTable::parse_recoverable(text);
    let list = document.get_ref().get("include").and_then(|said| said.get_ref().as_array());
    let entry = |entry: &toml::Spanned<toml::de::DeValue<'_>>| {
        Some((entry.get_ref().as_str()?.to_owned(), entry.span()))
    };
    list.into_iter().flat_map(|list| list.iter()).filter_map(entry).collect()
}

impl Includes {
    /// Begins with the routing file.
    pub fn new(root: &str, fetched: Fetched) -> Self {
        let root = root.to_owned();
        let files = BTreeMap::from([(root.clone(), fetched.map(File::new))]);
        Includes { root, files, listings: BTreeMap::new() }
    }

    /// Takes a file that was wanted.
    pub fn give(&mut self, name: &str, fetched: Fetched) {
        self.files.insert(name.to_owned(), fetched.map(File::new));
    }

    /// Takes the names in a directory that was wanted.
    pub fn give_listing(&mut self, name: &str, listed: Listed) {
        self.listings.insert(name.to_owned(), listed);
    }

    /// A file that is there.
    pub fn file(&self, name: &str) -> Option<&File> {
        self.files.get(name)?.as_ref().ok()
    }

    /// Why the routing file itself is not there.
    pub fn absence(&self) -> Option<&str> {
        self.files.get(&self.root)?.as_ref().err().map(String::as_str)
    }

    /// Goes through the files as far as they are there.
    pub fn walk(&self) -> Walk {
        let mut walk = Walk::default();
        if self.absence().is_none() {
            self.visit(&self.root, &mut vec![normal(&self.root)], &mut walk);
        }
        walk
    }

    /// A file and behind it those that it includes; `above` holds the way to it, itself last.
    fn visit(&self, name: &str, above: &mut Vec<String>, walk: &mut Walk) {
        let index = walk.order.len();
        walk.order.push(name.to_owned());
        let entries = self.file(name).map(|file| file.entries.as_slice()).unwrap_or_default();
        for (place, (entry, span)) in entries.iter().enumerate() {
            let spot = Spot { file: Some(index), span: span.clone(), key: format!("include[{place}]") };
            if above.len() > DEPTH_MAX {
                walk.faults.push((spot, Fault::TooDeep));
                continue;
            }
            for other in self.named(&normal(&beside(name, entry)), &spot, walk) {
                self.follow(other, &spot, above, walk);
            }
        }
    }

    fn follow(&self, other: String, spot: &Spot, above: &mut Vec<String>, walk: &mut Walk) {
        let fault = if above.contains(&other) {
            Fault::Circle { name: other.clone() }
        } else if let Some(first) = walk.named.get(&other) {
            Fault::Twice { name: other.clone(), first: first.clone() }
        } else if walk.named.len() + 1 >= FILES_MAX {
            Fault::TooMany
        } else {
            walk.named.insert(other.clone(), spot.clone());
            match self.files.get(&other) {
                None => return walk.wants.push(other),
                Some(Ok(_)) => {
                    above.push(other.clone());
                    self.visit(&other, above, walk);
                    above.pop();
                    return;
                }
                Some(Err(reason)) => Fault::Missing { name: other.clone(), reason: reason.clone() },
            }
        };
        walk.faults.push((spot.clone(), fault));
    }

    /// The files that an entry names: itself, or those in a listing that its pattern fits, sorted.
    fn named(&self, path: &str, spot: &Spot, walk: &mut Walk) -> Vec<String> {
        let (directory, pattern) = match path.rfind('/') {
            Some(at) => path.split_at(at + 1),
            None => ("", path),
        };
        if pattern.is_empty() || directory.contains('*') || pattern.contains("**") {
            walk.faults.push((spot.clone(), Fault::Malformed));
            return Vec::new();
        }
        if !pattern.contains('*') {
            return vec![path.to_owned()];
        }
        let wanted = if directory.is_empty() { "./" } else { directory };
        let fault = match self.listings.get(wanted) {
            None => {
                if !walk.listings.iter().any(|known| known == wanted) {
                    walk.listings.push(wanted.to_owned());
                }
                return Vec::new();
            }
            Some(Err(reason)) => Some(reason.clone()),
            Some(Ok(names)) => {
                let mut names: Vec<&String> = names.iter().filter(|name| fits(pattern, name)).collect();
                names.sort();
                if !names.is_empty() {
                    return names.into_iter().map(|name| format!("{directory}{name}")).collect();
                }
                None
            }
        };
        walk.faults.push((spot.clone(), Fault::Nothing { pattern: path.to_owned(), reason: fault }));
        Vec::new()
    }
}

impl Walk {
    /// Whether everything is there that can be had.
    pub fn is_over(&self) -> bool {
        self.wants.is_empty() && self.listings.is_empty()
    }

    /// Whether a part of the plan is not there: what is left of it would be judged wrongly.
    pub fn lacks(&self) -> bool {
        let lacking = |fault: &Fault| matches!(fault, Fault::Missing { .. } | Fault::Nothing { .. });
        self.faults.iter().any(|(_, fault)| lacking(fault))
    }

    /// Notes what is wrong with how the files are named.
    pub fn report(&self, problems: &mut Problems) {
        for (spot, fault) in &self.faults {
            fault.report(spot, problems);
        }
    }
}

impl Fault {
    fn report(&self, spot: &Spot, problems: &mut Problems) {
        let (code, zh, en) = match self {
            Fault::Missing { name, reason } => (
                "E0005",
                format!("读不到所引入的 {name}（{reason}）"),
                format!("cannot read {name}, which is included ({reason})"),
            ),
            Fault::Circle { name } => (
                "E0006",
                format!("{name} 引入了自己，或经别的文件绕回自己"),
                format!("{name} includes itself, or comes back to itself by way of others"),
            ),
            Fault::Twice { name, .. } => {
                ("E0007", format!("{name} 引入了两次"), format!("{name} is included twice"))
            }
            Fault::Nothing { pattern, reason: None } => {
                ("E0008", format!("没有文件符合 {pattern}"), format!("no file fits {pattern}"))
            }
            Fault::Nothing { pattern, reason: Some(reason) } => (
                "E0008",
                format!("没有文件符合 {pattern}（{reason}）"),
                format!("no file fits {pattern} ({reason})"),
            ),
            Fault::TooMany => (
                "E0010",
                format!("一个方案最多由 {FILES_MAX} 个文件组成"),
                format!("a plan is made of {FILES_MAX} files at most"),
            ),
            Fault::TooDeep => (
                "E0010",
                format!("引入的层数最多为 {DEPTH_MAX}"),
                format!("files include others {DEPTH_MAX} deep at most"),
            ),
            Fault::Malformed => (
                "E0011",
                "include 里应是文件名，或文件名里带 *".to_owned(),
                "include wants a file's name, or one with * in it".to_owned(),
            ),
        };
        let (zh_remedy, en_remedy) = self.remedy();
        let found = problems.error(code, spot, zh, en);
        found
            .effect(
                "整个方案不会启用，正在运行的方案保持不变",
                "the whole plan is not used; a running engine keeps the plan it has",
            )
            .remedy(zh_remedy, en_remedy);
        if let Fault::Twice { first, .. } = self {
            found.related(first, "第一次", "first");
        }
    }

    fn remedy(&self) -> (&'static str, &'static str) {
        match self {
            Fault::Missing { .. } => (
                "检查文件名和读取权限；路径相对于写着 include 的文件",
                "look at its name and whether it may be read; names are relative to the file that says include",
            ),
            Fault::Circle { .. } | Fault::Twice { .. } => (
                "删去这一处；用 * 时换一个只含所需文件的目录",
                "remove this one; with *, use a directory of its own",
            ),
            Fault::Nothing { .. } => (
                "改正目录或文件名，或删去这一项；路径相对于写着 include 的文件",
                "correct the directory or the name, or remove it; names are relative to the file that says include",
            ),
            Fault::TooMany | Fault::TooDeep => ("合并一些文件", "put some of the files together"),
            Fault::Malformed => (
                "* 只能在最后的文件名里，代表任意几个字符，如 \"lines/*.toml\"；不能写 **",
                "* stands in the last part only, for any letters, like \"lines/*.toml\"; there is no **",
            ),
        }
    }
}

/// Whether a name fits a pattern whose `*` are any letters; names that begin with a dot are hidden from it.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let mut parts = pattern.split('*');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
    let Some(middle) = name.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    let after = parts.try_fold(middle, |rest, part| rest.find(part).map(|at| &rest[at + part.len()..]));
    after.is_some()
}

/// The shortest name of the same file, as far as names alone can tell.
fn normal(name: &str) -> String {
    let mut path = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(path.components().next_back(), Some(Component::Normal(_))) => {
                path.pop();
            }
            other => path.push(other),
        }
    }
    let slash = if name.ends_with('/') { "/" } else { "" }; // A directory is no file's name.
    format!("{}{slash}", path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_letters_of_one_name() {
        for (pattern, name, expected) in [
            ("*.toml", "a.toml", true),
            ("*.toml", ".toml", false),
            ("*.toml", ".a.toml", false),
            (".*.toml", ".a.toml", true),
            ("*.toml", "a.toml~", false),
            ("*", "anything", true),
            ("line-*-*.toml", "line-1-a.toml", true),
            ("line-*-*.toml", "line-1.toml", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-c-b-c", true),
            ("a*b*c", "a-c", false),
            ("号*.toml", "号码.toml", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_file_has_one_name_however_the_way_to_it_is_written() {
        for (name, expected) in [
            ("a.toml", "a.toml"),
            ("./a.toml", "a.toml"),
            ("lines/../a.toml", "a.toml"),
            ("../lines/./a.toml", "../lines/a.toml"),
            ("../../a.toml", "../../a.toml"),
            ("/etc/hotline/../a.toml", "/etc/a.toml"),
            ("/../a.toml", "/../a.toml"),
            ("lines/*.toml", "lines/*.toml"),
            ("lines/", "lines/"),
        ] {
            assert_eq!(normal(name), expected);
        }
    }

    #[test]
    fn a_plan_has_an_end_however_many_files_include_others() {
        let list = |names: &[String]| {
            let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("include = [{}]\n", quoted.join(", ")).into_bytes()
        };
        let many: Vec<String> = (0..300).map(|at| format!("{at:03}.toml")).collect();
        let mut includes = Includes::new("routing.toml", Ok(list(&many)));
        for name in &many {
            includes.give(name, Ok(Vec::new()));
        }
        let walk = includes.walk();
        assert_eq!(walk.order.len(), FILES_MAX);
        assert!(walk.faults.iter().all(|(_, fault)| matches!(fault, Fault::TooMany)), "{:?}", walk.faults);
        assert_eq!(walk.faults.len(), 300 - (FILES_MAX - 1));

        let mut includes = Includes::new("0.toml", Ok(list(&["1.toml".to_owned()])));
        for at in 1..10 {
            includes.give(&format!("{at}.toml"), Ok(list(&[format!("{}.toml", at + 1)])));
        }
        let walk = includes.walk();
        assert_eq!(walk.order.len(), 1 + DEPTH_MAX);
        assert!(matches!(walk.faults.as_slice(), [(_, Fault::TooDeep)]), "{:?}", walk.faults);
    }
}
