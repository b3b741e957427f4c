//! From the operator's files to a [`Plan`]: names the files it wants, takes them, and judges all at once.
//!
//! Nothing is opened here: `io` fetches what [`Draft::wants`] names.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::de::DeTable;

use super::admin::{AdminTable, HttpAt};
use super::build;
use super::cases;
use super::check;
use super::diagnostic::{Report, Spot};
use super::difference::{self, Fixtures, NumberSpots};
use super::effective::Effective;
use super::include::Includes;
use super::kb;
use super::nearest::nearest;
use super::notes::{Found, Notes};
use super::origins::Origins;
use super::plan::{Listener, Plan};
use super::prompts::{ManifestTable, hex};
use super::read::{Value, read_table, read_tops};
use super::source::{Fetched, Listed, Problems, Said, Source, beside};
use super::starter;
use super::syntax::syntax;
use super::tables::RoutingTable;
use super::trunk_values::Targets;
use super::values::Ports;
use crate::time::Timestamp;

/// What the command line says in place of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// `--listen`; empty to keep the file's.
    pub listen: Vec<Listener>,
    /// `--trunk name=address:port`.
    pub trunk_targets: BTreeMap<String, SocketAddr>,
    /// `--rtp-ports first-last`.
    pub rtp_ports: Option<(u16, u16)>,
    /// `--http`.
    #[serde(default)]
    pub http: Option<HttpAt>,
}

/// A file that is being read.
#[derive(Debug)]
pub struct Draft {
    name: String,
    overrides: Overrides,
    includes: Includes,
    sources: Vec<Source>,
    problems: Problems,
    unreadable: bool,
    table: Option<RoutingTable>,
    manifest_name: Option<String>,
    manifest: Option<ManifestTable>,
    /// The file of articles, until it was given.
    kb_name: Option<String>,
    files: BTreeMap<String, Fetched>,
    digest: Sha256,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The plan, if there is no error.
    pub plan: Option<Plan>,
    /// The plan that it would be, where nothing but the file's own tests keep it from use: to be looked at, and
    /// never to take a call.
    pub untried: Option<Plan>,
    /// Where the plan's parts are written.
    pub origins: Origins,
    /// Where it says what holds from start to end.
    pub fixtures: Fixtures,
    /// Where it says numbers.
    pub numbers: NumberSpots,
    /// How many tests the file has; all of them pass where there is a plan.
    pub cases: usize,
    /// How far the judging came.
    pub stage: Stage,
    /// Everything that is wrong or doubtful.
    pub report: Report,
    /// Each value in force with its origin, if there is a plan and somebody [wanted](Draft::noting) it.
    pub effective: Option<Effective>,
}

/// A plan is judged in three stages, of which each needs a plan in which those before found no error: what would be proved of
/// a number that is nowhere, or tested of a flow that goes in circles?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Each rule by itself.
    Rules,
    /// What holds for the whole, at all hours.
    Proofs,
    /// The file's own tests.
    Tests,
}

impl Draft {
    /// Begins with the routing file itself.
    pub fn read(name: &str, fetched: Fetched, overrides: &Overrides) -> Self {
        Draft::begin(name, fetched, overrides, None)
    }

    /// The same, and notes what is asked for and found on the way.
    pub fn noting(name: &str, fetched: Fetched, overrides: &Overrides) -> Self {
        Draft::begin(name, fetched, overrides, Some(Notes::default()))
    }

    fn begin(name: &str, fetched: Fetched, overrides: &Overrides, notes: Option<Notes>) -> Self {
        let mut draft = Draft {
            name: name.to_owned(),
            overrides: overrides.clone(),
            includes: Includes::new(name, fetched),
            sources: Vec::new(),
            problems: Problems::noting(notes),
            unreadable: false,
            table: None,
            manifest_name: None,
            manifest: None,
            kb_name: None,
            files: BTreeMap::new(),
            digest: Sha256::new(),
        };
        draft.advance();
        draft
    }

    /// The files to fetch next and [`give`](Draft::give); with no [listing](Draft::wants_listings) wanted either,
    /// none when everything is there.
    pub fn wants(&self) -> Vec<String> {
        if self.sources.is_empty() {
            return self.includes.walk().wants;
        }
        let mut names = self.wants_of_prompts();
        names.extend(self.kb_name.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
        names
    }

    fn wants_of_prompts(&self) -> Vec<String> {
        let (Some(table), Some(manifest_name)) = (&self.table, &self.manifest_name) else {
            return Vec::new();
        };
        let Some(manifest) = &self.manifest else {
            return match self.files.contains_key(manifest_name) {
                true => Vec::new(),
                false => vec![manifest_name.clone()],
            };
        };
        let names: BTreeSet<String> = check::wanted(table, manifest)
            .filter_map(|entry| entry.file.as_ref())
            .map(|file| beside(manifest_name, &file.value))
            .filter(|name| !self.files.contains_key(name))
            .collect();
        names.into_iter().collect()
    }

    /// The directories, each with `/` at its end, whose files' names to [`give_listing`](Draft::give_listing).
    pub fn wants_listings(&self) -> Vec<String> {
        if self.sources.is_empty() { self.includes.walk().listings } else { Vec::new() }
    }

    /// Takes the names in a directory that was wanted.
    pub fn give_listing(&mut self, name: &str, listed: Listed) {
        self.includes.give_listing(name, listed);
        self.advance();
    }

    /// Takes a file that was wanted.
    pub fn give(&mut self, name: &str, fetched: Fetched) {
        if self.sources.is_empty() {
            self.includes.give(name, fetched);
            return self.advance();
        }
        if self.kb_name.as_deref() == Some(name) {
            return self.take_articles(name, fetched); // Whoever else wants it asks again.
        }
        if self.manifest.is_some() || self.manifest_name.as_deref() != Some(name) {
            self.files.insert(name.to_owned(), fetched);
            return;
        }
        self.files.insert(name.to_owned(), Ok(Vec::new())); // Asked for once, whatever comes.
        let index = self.sources.len();
        let Some(spot) = self.take_text(name, fetched, "E0501") else {
            return;
        };
        let Some(source) = self.sources.get(index) else {
            return;
        };
        let (document, faults) = DeTable::parse_recoverable(&source.text);
        if !faults.is_empty() {
            syntax(&faults, document.get_ref(), &source.text, &spot, &mut self.problems);
            return;
        }
        let notes = self.problems.notes.take(); // Of the plan, not of its prompts.
        let read = ManifestTable::read;
        self.manifest = Some(read_table(document.get_ref(), spot, &mut self.problems, read));
        self.problems.notes = notes;
    }

    /// Reads the articles of `[kb]`; what is wrong with the file is told at its lines.
    fn take_articles(&mut self, name: &str, fetched: Fetched) {
        self.kb_name = None; // Asked for once, whatever comes.
        let index = self.sources.len();
        let is_text = |bytes: Vec<u8>| match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(bytes),
            Err(_) => Err("不是 UTF-8 / not UTF-8".to_owned()),
        };
        let Some(spot) = self.take_text(name, fetched.and_then(is_text), "E1620") else { return };
        let (Some(source), Some(table)) = (self.sources.get(index), &mut self.table) else { return };
        if let Some(kb) = &mut table.kb {
            kb.articles = kb::read_lines(&source.text, &spot, &mut self.problems);
        }
    }

    /// Reads the routing file and those that it includes as one, once all of them are there.
    fn advance(&mut self) {
        let walk = self.includes.walk();
        if !walk.is_over() {
            return;
        }
        self.unreadable = true; // Until they are read.
        if let Some(reason) = self.includes.absence().map(str::to_owned) {
            let name = self.name.clone();
            self.take_text(&name, Err(reason), "E0001");
            return;
        }
        let mut whole = !walk.lacks();
        for name in &walk.order {
            let Some(bytes) = self.includes.file(name).map(|file| file.bytes.clone()) else { continue };
            whole &= self.take_text(name, Ok(bytes), "E0001").is_some();
        }
        walk.report(&mut self.problems);
        let spots =
            (0..self.sources.len()).map(|index| Spot { file: Some(index), span: 0..0, key: String::new() });
        let texts = self.sources.iter().map(|source| DeTable::parse_recoverable(&source.text));
        let documents: Vec<_> = spots.zip(texts).collect();
        for ((spot, (document, faults)), source) in documents.iter().zip(&self.sources) {
            syntax(faults, document.get_ref(), &source.text, spot, &mut self.problems);
            whole &= faults.is_empty();
        }
        if !whole {
            for (index, source) in self.sources.iter().enumerate() {
                self.problems.blot_out_lines(index, &source.text);
            }
            return;
        }
        let tops = documents.iter().map(|(spot, (document, _))| (spot.clone(), document.get_ref()));
        let Some(mut table) = read_tops(tops, &mut self.problems, RoutingTable::read) else { return };
        apply(&self.overrides, &mut table, &mut self.problems);
        let named = |said: &Said<String>| {
            let by = said.spot.file.and_then(|file| self.sources.get(file));
            beside(by.map_or(self.name.as_str(), |source| source.name.as_str()), &said.value)
        };
        self.manifest_name = table.prompts.as_ref().map(named);
        self.kb_name = table.kb.as_ref().and_then(|kb| kb.file()).map(named);
        self.table = Some(table);
        self.unreadable = false;
    }

    /// The same as [`judge`](Draft::judge), and what is over by `now` as well.
    pub fn judge_at(mut self, now: Timestamp) -> Outcome {
        if let Some(table) = &self.table {
            check::judge_at(table, self.manifest.as_ref(), now, &mut self.problems);
        }
        self.judge()
    }

    /// The same for a house that opens: a prompt whose time is over, or has not come, keeps no caller from
    /// being answered, and neither does a fault in an article of `[kb]`. It is told of as a warning.
    pub fn judge_opening(mut self, now: Timestamp) -> Outcome {
        if let Some(table) = &self.table {
            check::judge_at(table, self.manifest.as_ref(), now, &mut self.problems);
        }
        self.problems.soften(&check::RUN_OUT);
        self.problems.soften(&check::FILE_FAULTS);
        self.judge()
    }

    /// The manifest and its name, where it could be read.
    pub fn manifest(&self) -> Option<(&str, &ManifestTable)> {
        self.manifest_name.as_deref().zip(self.manifest.as_ref())
    }

    /// The manifest's name, where the file says one.
    pub fn manifest_name(&self) -> Option<&str> {
        self.manifest_name.as_deref()
    }

    /// The ids of prompts that callers can come to hear, whether the manifest has them or not.
    pub fn prompts_in_use(&self) -> BTreeSet<String> {
        let manifest = self.manifest.as_ref();
        self.table.as_ref().map(|table| check::in_use(table, manifest)).unwrap_or_default()
    }

    /// The languages and dialects that lines ask for.
    pub fn languages(&self) -> BTreeSet<String> {
        let numbers = self.table.iter().flat_map(|table| &table.numbers);
        numbers.filter_map(|line| line.language.as_ref()).map(|said| said.value.clone()).collect()
    }

    /// Applies every rule, and makes the plan if none is broken.
    pub fn judge(mut self) -> Outcome {
        let (mut plan, mut untried) = (None, None);
        let mut origins = Origins::default();
        let mut fixtures = Fixtures::new();
        let mut numbers = NumberSpots::new();
        let mut tested = 0;
        let mut stage = Stage::Rules;
        if self.sources.is_empty() {
            self.report_unfetched();
        }
        if let Some(table) = &self.table {
            check::judge(table, self.manifest.as_ref(), &mut self.problems);
            let sounds = match (&self.manifest, &self.manifest_name) {
                (Some(manifest), Some(name)) => {
                    check::sounds(table, manifest, name, &self.files, &mut self.problems)
                }
                _ => BTreeMap::new(),
            };
            if !self.problems.any_error() {
                stage = Stage::Proofs;
                plan = build::plan(table, sounds, hex(&self.digest.finalize()));
                if let Some(built) = &plan {
                    check::heard(built, table, &mut self.problems);
                    check::prove(built, table, &mut self.problems);
                }
                plan = plan.filter(|_| !self.problems.any_error());
                origins = Origins::of(table, &self.sources);
                fixtures = difference::fixtures(table);
                numbers = difference::number_spots(table);
                if let Some(made) = &plan {
                    stage = Stage::Tests;
                    tested = cases::run(table, made, &self.name, &mut self.problems);
                }
                if self.problems.any_error() {
                    untried = plan.take(); // A test fails.
                }
                if let Some(made) = &plan {
                    check::told(made, table, &mut self.problems);
                }
            }
        }
        let lacking = self.table.as_ref().and_then(|table| starter::lacking(table, &self.problems));
        let notes = self.problems.notes.take();
        let effective = plan.as_ref().and(notes).map(|notes| Effective::of(&notes, &self.sources));
        let mut report = self.problems.into_report(self.sources);
        report.unreadable = self.unreadable;
        report.lacking = lacking;
        Outcome { plan, untried, origins, fixtures, numbers, cases: tested, stage, report, effective }
    }

    /// Whoever judges before everything that was wanted is given learns that it is not there.
    fn report_unfetched(&mut self) {
        let reason = || "没有取来 / not fetched".to_owned();
        loop {
            let walk = self.includes.walk();
            if walk.is_over() {
                return;
            }
            for name in &walk.wants {
                self.give(name, Err(reason()));
            }
            for name in &walk.listings {
                self.give_listing(name, Err(reason()));
            }
        }
    }

    /// Keeps a file as a source; `None`, with a problem noted, where it is no text.
    fn take_text(&mut self, name: &str, fetched: Fetched, missing: &'static str) -> Option<Spot> {
        let spot = Spot { file: Some(self.sources.len()), span: 0..0, key: String::new() };
        let text = match fetched {
            Ok(bytes) => {
                self.digest.update((bytes.len() as u64).to_be_bytes());
                self.digest.update(&bytes);
                String::from_utf8(bytes).map_err(|error| {
                    let at = error.utf8_error().valid_up_to();
                    self.problems
                        .error(
                            "E0002",
                            &spot,
                            format!("{name} 第 {at} 字节之后不是 UTF-8"),
                            format!("{name} is not UTF-8 after byte {at}"),
                        )
                        .remedy("另存为 UTF-8 编码", "save it in UTF-8");
                })
            }
            Err(reason) => {
                let fault = self.problems.error(
                    missing,
                    &spot,
                    format!("读不到 {name}（{reason}）"),
                    format!("cannot read {name} ({reason})"),
                );
                match missing {
                    "E0501" => fault
                        .effect("来电人什么提示音也听不到", "callers would hear no prompt at all")
                        .remedy(
                            "把随程序发布的 prompts/ 目录放到路由文件旁边，或用 prompts = \"…\" 指明它的位置",
                            "put the prompts/ that come with the engine beside the routing file, or say prompts = \"…\"",
                        ),
                    "E1620" => fault
                        .effect("座席查不到任何知识条目", "clerks would find no article at all")
                        .remedy(
                            "把文件放到 path 所说的位置（相对于写 [kb] 的文件），并让引擎可读",
                            "put the file where path says, beside the file that has [kb], and let the engine read it",
                        ),
                    _ => fault.remedy("检查文件名和读取权限", "look at its name and whether it may be read"),
                };
                Err(())
            }
        };
        self.sources.push(Source::new(name.to_owned(), text.clone().unwrap_or_default()));
        text.ok().map(|_| spot)
    }
}

/// Puts what the command line says in place of what the file says.
fn apply(overrides: &Overrides, table: &mut RoutingTable, problems: &mut Problems) {
    if let Some(network) = &mut table.network {
        if !overrides.listen.is_empty() {
            let spot = Spot::option("--listen");
            let listen =
                overrides.listen.iter().map(|listener| Said { value: listener.clone(), spot: spot.clone() });
            let listen = Said { value: listen.collect(), spot };
            network.listen = Some(overridden("network", "listen", listen, problems));
        }
        if let Some((first, last)) = overrides.rtp_ports {
            let ports = Said { value: Ports(first, last), spot: Spot::option("--rtp-ports") };
            network.rtp_ports = Some(overridden("network", "rtp_ports", ports, problems));
        }
    }
    if let Some(http) = overrides.http {
        let spot = Spot::option("--http");
        match &mut table.admin {
            Some(admin) => {
                admin.http = Some(overridden("admin", "http", Said { value: http, spot }, problems));
            }
            None => table.admin = Some(AdminTable::overridden(http, spot)),
        }
    }
    for (name, target) in &overrides.trunk_targets {
        let spot = Spot::option("--trunk");
        let trunk =
            table.trunks.iter_mut().find(|trunk| trunk.name.as_ref().is_some_and(|said| said.value == *name));
        if let Some(trunk) = trunk {
            let target = Said { value: (*target).into(), spot: spot.clone() };
            let target = Said { value: Targets(vec![target]), spot };
            trunk.target = Some(overridden(&trunk.spot.key, "target", target, problems));
            continue;
        }
        let names = table.trunks.iter().filter_map(|trunk| trunk.name.as_ref());
        let names: Vec<&str> = names.map(|said| said.value.as_str()).collect();
        problems
            .error(
                "E0609",
                &spot,
                format!("--trunk: 没有名为 \"{name}\" 的中继"),
                format!("--trunk: there is no trunk \"{name}\""),
            )
            .remedy(format!("已有: {}", names.join(", ")), format!("there are: {}", names.join(", ")))
            .nearest(nearest(name, names.iter().copied()));
    }
}

/// Notes what the command line says of a key.
fn overridden<T: Value>(table: &str, name: &'static str, said: Said<T>, problems: &mut Problems) -> Said<T> {
    if let (Some(notes), Some(written)) = (&mut problems.notes, said.value.written()) {
        notes.note(table, name, Found::Said(written, said.spot.clone()));
    }
    said
}
