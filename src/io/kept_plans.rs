//! Plans that were in force, kept with all their files: what a rollback reads.
//!
//! Under `plans/` of the data directory: `history.jsonl`, a line a plan, the oldest first; `files/`, each
//! file once by the SHA-256 of its bytes, so that a prompt that was replaced under its name is there still;
//! `started.json`, with which of them the engine was started: what holds from start to end is its; and
//! `cancelled.json`, the numbers that any of them cancelled: none comes back unsaid. All are written beside and renamed: a process that dies in between leaves the old or the new.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan_files::{Held, Reading, Shelf, through};
use crate::ledger::Trigger;
use crate::routing::prompts::sealed;
use crate::routing::{Listed, Overrides};
use crate::time::Timestamp;

/// Plans that are kept; for a further one the oldest is given up that the engine was not started with, and the
/// files that only it had.
pub const KEPT_MAX: usize = 100;

/// A plan that was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// From 1, without holes; a restart with the same files keeps it.
    pub number: u64,
    /// Of its files.
    pub digest: String,
    /// In force from then on, by the engine's clock.
    pub since: Timestamp,
    /// What brought it about.
    pub trigger: Trigger,
    /// Who.
    pub by: String,
    /// Why, in their words; empty where none were said.
    pub reason: String,
    /// The earlier plan that it is again.
    pub rolled_back_to: Option<u64>,
    /// What it was read from, the routing file first.
    pub files: Vec<KeptFile>,
}

/// One of its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// The name by which the plan asks for it.
    pub name: String,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// What the engine was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Which plan.
    pub number: u64,
    /// What the command line said in place of its files.
    pub overrides: Overrides,
}

/// The shelf.
#[derive(Clone, Debug)]
pub struct KeptPlans {
    directory: PathBuf,
}

impl KeptPlans {
    /// That of this data directory, which need not exist.
    pub fn of(data: &Path) -> Self {
        KeptPlans { directory: data.join("plans") }
    }

    /// All that are kept, the oldest first; none before the first start. A line that is no entry is passed
    /// over: it costs the way back to that plan, and no start and no reload.
    pub fn history(&self) -> io::Result<Vec<Kept>> {
        let text = match fs::read_to_string(self.directory.join("history.jsonl")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Keeps a plan with its files. Of files that could not be read there are none in a plan in force.
    pub fn keep(&self, mut plan: Kept, files: &[Held]) -> io::Result<Kept> {
        let shelf = self.directory.join("files");
        DirBuilder::new().recursive(true).mode(0o700).create(&shelf)?;
        for held in files {
            let Ok(bytes) = &held.fetched else { continue };
            let sha256 = sealed(bytes).0;
            let path = shelf.join(&sha256);
            if !path.exists() {
                put(&path, bytes)?;
            }
            plan.files.push(KeptFile { name: held.name.clone(), sha256 });
        }
        let mut history = self.history()?;
        history.push(plan.clone());
        let given_up = history.len().saturating_sub(KEPT_MAX);
        let started = self.started().ok().flatten().map(|started| started.number);
        for _ in 0..given_up {
            let oldest = history.iter().position(|kept| Some(kept.number) != started);
            history.remove(oldest.unwrap_or(0));
        }
        let mut text = String::new();
        for kept in &history {
            text.push_str(&serde_json::to_string(kept)?);
            text.push('\n');
        }
        put(&self.directory.join("history.jsonl"), text.as_bytes())?;
        if given_up > 0 {
            sweep(&shelf, &history);
        }
        Ok(plan)
    }

    /// Numbers that were cancelled by plans in force, and that nobody has restored; none before the first start.
    pub fn cancelled(&self) -> io::Result<BTreeSet<String>> {
        match fs::read(self.directory.join("cancelled.json")) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }

    /// Notes them, where they are others than before.
    pub fn note_cancelled(&self, numbers: &BTreeSet<String>) -> io::Result<()> {
        if self.cancelled().is_ok_and(|known| known == *numbers) {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        put(&self.directory.join("cancelled.json"), serde_json::to_string(numbers)?.as_bytes())
    }

    /// Notes with which plan, and in spite of what in it, an engine has started.
    pub fn note_start(&self, number: u64, overrides: &Overrides) -> io::Result<()> {
        let started = Started { number, overrides: overrides.clone() };
        put(&self.directory.join("started.json"), serde_json::to_string(&started)?.as_bytes())
    }

    /// With which it has; `None` before the first start.
    pub fn started(&self) -> io::Result<Option<Started>> {
        match fs::read(self.directory.join("started.json")) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a kept plan again, and judges it by the rules of this engine.
    pub fn read(&self, kept: &Kept, overrides: &Overrides, now: Timestamp) -> Reading {
        let name = kept.files.first().map_or("", |file| file.name.as_str());
        through(name, overrides, now, &mut Then { plans: self, kept })
    }

    fn fetch(&self, file: &KeptFile) -> io::Result<Vec<u8>> {
        let bytes = fs::read(self.directory.join("files").join(&file.sha256))?;
        if sealed(&bytes).0 == file.sha256 {
            return Ok(bytes);
        }
        let why = "保存的内容已损坏 / what was kept is damaged";
        Err(io::Error::new(io::ErrorKind::InvalidData, why))
    }
}

/// The files of a plan as they were then.
struct Then<'a> {
    plans: &'a KeptPlans,
    kept: &'a Kept,
}

impl Shelf for Then<'_> {
    fn file(&mut self, name: &str) -> Held {
        let fetched = match self.kept.files.iter().find(|file| file.name == name) {
            Some(file) => self.plans.fetch(file).map_err(|error| error.to_string()),
            None => Err("当时的方案没有这个文件 / the plan had no such file then".to_owned()),
        };
        Held { name: name.to_owned(), fetched, mark: None }
    }

    fn names(&mut self, directory: &str) -> Listed {
        // What stands beside a routing file without a directory is asked for as `./`, and named without it.
        let plain = |path: &Path| path.strip_prefix(".").unwrap_or(path).to_owned();
        let directory = plain(Path::new(directory));
        let there = |file: &KeptFile| {
            let path = Path::new(&file.name);
            let inside = plain(path.parent()?) == directory;
            path.file_name().filter(|_| inside).map(|name| name.to_string_lossy().into_owned())
        };
        Ok(self.kept.files.iter().filter_map(there).collect())
    }
}

/// Writes a file whole, on disk before it is there by its name. Until then it has a name that nobody else gives.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_file_name(format!(".{:016x}.new", rand::random::<u64>()));
    let mut file = File::create_new(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let renamed = written.and_then(|()| fs::rename(&beside, path));
    if renamed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    renamed
}

/// Removes what no kept plan names; what cannot be removed stays for the next time.
fn sweep(shelf: &Path, history: &[Kept]) {
    let named: BTreeSet<&str> =
        history.iter().flat_map(|kept| &kept.files).map(|file| file.sha256.as_str()).collect();
    for entry in fs::read_dir(shelf).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(|name| named.contains(name)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(name: &str) -> (KeptPlans, PathBuf) {
        let data = std::env::temp_dir().join(format!("hotline-plans-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).unwrap();
        (KeptPlans::of(&data), data)
    }

    fn held(name: &str, bytes: &[u8]) -> Held {
        Held { name: name.into(), fetched: Ok(bytes.to_vec()), mark: None }
    }

    fn plan(number: u64) -> Kept {
        Kept {
            number,
            digest: format!("{number:064x}"),
            since: Timestamp::UNIX_EPOCH,
            trigger: Trigger::Watch,
            by: "operator".into(),
            reason: String::new(),
            rolled_back_to: None,
            files: Vec::new(),
        }
    }

    #[test]
    fn a_file_that_two_plans_share_is_kept_once_and_gone_with_the_last_of_them() {
        let (plans, data) = shelf("shared");
        assert_eq!(plans.history().unwrap(), []);
        for number in 1..=KEPT_MAX as u64 {
            let own = format!("plan {number}");
            plans
                .keep(plan(number), &[held("routing.toml", own.as_bytes()), held("a.wav", b"sound")])
                .unwrap();
        }
        let files = || fs::read_dir(data.join("plans/files")).unwrap().count();
        assert_eq!((plans.history().unwrap().len(), files()), (KEPT_MAX, KEPT_MAX + 1));
        let last = KEPT_MAX as u64 + 1;
        plans.keep(plan(last), &[held("routing.toml", b"the last"), held("a.wav", b"sound")]).unwrap();
        let history = plans.history().unwrap();
        assert_eq!((history.len(), history[0].number, files()), (KEPT_MAX, 2, KEPT_MAX + 1));
        assert_eq!(plans.fetch(&history[0].files[0]).unwrap(), b"plan 2");
        assert_eq!(plans.fetch(&history[KEPT_MAX - 1].files[1]).unwrap(), b"sound");
        fs::remove_dir_all(data).unwrap();
    }

    #[test]
    fn the_plan_that_the_engine_was_started_with_is_kept_however_many_follow() {
        let (plans, data) = shelf("started");
        assert_eq!(plans.started().unwrap(), None);
        plans.keep(plan(1), &[held("routing.toml", b"plan 1")]).unwrap();
        plans.keep(plan(2), &[held("routing.toml", b"plan 2")]).unwrap();
        let listen = vec!["tcp:127.0.0.1:5070".parse().unwrap()];
        let overrides = Overrides { listen, rtp_ports: Some((20_000, 20_999)), ..Overrides::default() };
        plans.note_start(2, &overrides).unwrap();
        for number in 3..=KEPT_MAX as u64 + 5 {
            plans.keep(plan(number), &[]).unwrap();
        }
        assert_eq!(plans.started().unwrap(), Some(Started { number: 2, overrides }));
        let history = plans.history().unwrap();
        assert_eq!((history.len(), history[0].number, history[1].number), (KEPT_MAX, 2, 7));
        assert_eq!(plans.fetch(&history[0].files[0]).unwrap(), b"plan 2");
        fs::remove_dir_all(data).unwrap();
    }

    #[test]
    fn cancelled_numbers_are_kept_as_they_were_noted_last() {
        let (plans, data) = shelf("cancelled");
        assert!(plans.cancelled().unwrap().is_empty());
        let numbers = |all: &[&str]| all.iter().map(|number| (*number).to_owned()).collect::<BTreeSet<_>>();
        for noted in [numbers(&["12336", "12396"]), numbers(&["12396"]), numbers(&[])] {
            plans.note_cancelled(&noted).unwrap();
            assert_eq!(plans.cancelled().unwrap(), noted);
        }
        fs::write(data.join("plans/cancelled.json"), "[12336").unwrap();
        assert!(plans.cancelled().is_err());
        plans.note_cancelled(&numbers(&["12336"])).unwrap();
        assert_eq!(plans.cancelled().unwrap().len(), 1);
        fs::remove_dir_all(data).unwrap();
    }

    #[test]
    fn a_line_that_is_no_entry_costs_that_plan_and_no_other() {
        let (plans, data) = shelf("line");
        plans.keep(plan(1), &[]).unwrap();
        let file = data.join("plans/history.jsonl");
        fs::write(&file, fs::read_to_string(&file).unwrap() + "{\"number\": 2\n").unwrap();
        plans.keep(plan(3), &[]).unwrap();
        let numbers: Vec<u64> = plans.history().unwrap().iter().map(|kept| kept.number).collect();
        assert_eq!(numbers, [1, 3]);
        fs::remove_dir_all(data).unwrap();
    }

    /// Lines beside the routing file by a pattern, under each name by which `--config` may give the file.
    #[test]
    fn a_pattern_finds_the_files_beside_the_routing_file_however_that_is_named() {
        for (directory, pattern) in
            [("", "lines*.toml"), ("./", "./lines*.toml"), ("/etc/hotline/", "lines*.toml")]
        {
            let (plans, data) = shelf("beside");
            let root = format!("schema = 1\ninclude = [\"{pattern}\", \"more/*.toml\"]\n");
            let beside = if directory == "./" { "" } else { directory };
            let files = [
                held(&format!("{directory}routing.toml"), root.as_bytes()),
                held(&format!("{beside}lines-a.toml"), b""),
                held(&format!("{beside}more/lines-b.toml"), b""),
            ];
            let kept = plans.keep(plan(1), &files).unwrap();
            let reading = plans.read(&kept, &Overrides::default(), Timestamp::UNIX_EPOCH);
            let read: Vec<&str> = reading.files.iter().map(|held| held.name.as_str()).collect();
            for file in &files {
                assert!(read.contains(&file.name.as_str()), "{}: {read:?}", file.name);
            }
            let codes: Vec<_> = reading.outcome.report.diagnostics.iter().map(|found| found.code).collect();
            assert!(!codes.contains(&"E0008"), "{directory}: {codes:?}");
            fs::remove_dir_all(data).unwrap();
        }
    }

    #[test]
    fn what_was_changed_on_the_shelf_is_not_read() {
        let (plans, data) = shelf("damaged");
        let kept = plans.keep(plan(1), &[held("routing.toml", b"schema = 1")]).unwrap();
        fs::write(data.join("plans/files").join(&kept.files[0].sha256), b"schema = 2").unwrap();
        let reading = plans.read(&kept, &Overrides::default(), Timestamp::UNIX_EPOCH);
        assert!(reading.outcome.plan.is_none() && reading.outcome.report.unreadable);
        assert!(reading.outcome.report.render(false).contains("damaged"));
        fs::remove_dir_all(data).unwrap();
    }
}
