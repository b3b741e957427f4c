//! From the operator's files to a [`Plan`]: names the files it wants, takes them, and judges all at once.
//!
//! Nothing is opened here: `io` fetches what [`Draft::wants`] names.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use sha2::{Digest, Sha256};
use toml::de::DeTable;

use super::build;
use super::cases;
use super::check;
use super::diagnostic::{Report, Spot};
use super::difference::{self, Fixtures};
use super::nearest::nearest;
use super::origins::Origins;
use super::plan::{Listener, Plan};
use super::prompts::{ManifestTable, hex};
use super::read::read_table;
use super::source::{Fetched, Problems, Said, Source, beside};
use super::tables::RoutingTable;
use super::trunk_values::Targets;
use super::values::Ports;
use crate::time::Timestamp;

/// What the command line says in place of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--listen`; empty to keep the file's.
    pub listen: Vec<Listener>,
    /// `--trunk name=address:port`.
    pub trunk_targets: BTreeMap<String, SocketAddr>,
    /// `--rtp-ports first-last`.
    pub rtp_ports: Option<(u16, u16)>,
}

/// A file that is being read.
#[derive(Debug)]
pub struct Draft {
    sources: Vec<Source>,
    problems: Problems,
    unreadable: bool,
    table: Option<RoutingTable>,
    manifest_name: Option<String>,
    manifest: Option<ManifestTable>,
    files: BTreeMap<String, Fetched>,
    digest: Sha256,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The plan, if there is no error.
    pub plan: Option<Plan>,
    /// Where the plan's parts are written.
    pub origins: Origins,
    /// Where it says what holds from start to end.
    pub fixtures: Fixtures,
    /// How many tests the file has; all of them pass where there is a plan.
    pub cases: usize,
    /// Everything that is wrong or doubtful.
    pub report: Report,
}

impl Draft {
    /// Begins with the routing file itself.
    pub fn read(name: &str, fetched: Fetched, overrides: &Overrides) -> Self {
        let mut draft = Draft {
            sources: Vec::new(),
            problems: Problems::default(),
            unreadable: false,
            table: None,
            manifest_name: None,
            manifest: None,
            files: BTreeMap::new(),
            digest: Sha256::new(),
        };
        let Some(spot) = draft.take_text(name, fetched, "E0001") else {
            draft.unreadable = true;
            return draft;
        };
        let Some(source) = draft.sources.first() else {
            return draft;
        };
        let (document, faults) = DeTable::parse_recoverable(&source.text);
        if !faults.is_empty() {
            syntax(&faults, &spot, &mut draft.problems);
            draft.unreadable = true;
            return draft;
        }
        let read = RoutingTable::read;
        let mut table = read_table(document.get_ref(), spot, &mut draft.problems, read);
        apply(overrides, &mut table, &mut draft.problems);
        draft.manifest_name = table.prompts.as_ref().map(|manifest| beside(name, &manifest.value));
        draft.table = Some(table);
        draft
    }

    /// The files to fetch next and [`give`](Draft::give); none when everything is there.
    pub fn wants(&self) -> Vec<String> {
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

    /// Takes a file that was wanted.
    pub fn give(&mut self, name: &str, fetched: Fetched) {
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
            syntax(&faults, &spot, &mut self.problems);
            return;
        }
        let read = ManifestTable::read;
        self.manifest = Some(read_table(document.get_ref(), spot, &mut self.problems, read));
    }

    /// The same as [`judge`](Draft::judge), and what is over by `now` as well.
    pub fn judge_at(mut self, now: Timestamp) -> Outcome {
        if let Some(table) = &self.table {
            check::judge_at(table, now, &mut self.problems);
        }
        self.judge()
    }

    /// Applies every rule, and makes the plan if none is broken.
    pub fn judge(mut self) -> Outcome {
        let mut plan = None;
        let mut origins = Origins::default();
        let mut fixtures = Fixtures::new();
        let mut tested = 0;
        if let Some(table) = &self.table {
            check::judge(table, self.manifest.as_ref(), &mut self.problems);
            let sounds = match (&self.manifest, &self.manifest_name) {
                (Some(manifest), Some(name)) => {
                    check::sounds(table, manifest, name, &self.files, &mut self.problems)
                }
                _ => BTreeMap::new(),
            };
            if !self.problems.any_error() {
                plan = build::plan(table, sounds, hex(&self.digest.finalize()));
                origins = Origins::of(table, &self.sources);
                fixtures = difference::fixtures(table);
                if let Some(made) = &plan {
                    tested = cases::run(table, made, &mut self.problems);
                }
                if self.problems.any_error() {
                    plan = None; // A test fails.
                }
            }
        }
        let mut report = self.problems.into_report(self.sources);
        report.unreadable = self.unreadable;
        Outcome { plan, origins, fixtures, cases: tested, report }
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
                self.problems
                    .error(
                        missing,
                        &spot,
                        format!("读不到 {name}（{reason}）"),
                        format!("cannot read {name} ({reason})"),
                    )
                    .remedy("检查文件名和读取权限", "look at its name and whether it may be read");
                Err(())
            }
        };
        self.sources.push(Source { name: name.to_owned(), text: text.clone().unwrap_or_default() });
        text.ok().map(|_| spot)
    }
}

fn syntax(faults: &[toml::de::Error], spot: &Spot, problems: &mut Problems) {
    for fault in faults {
        let spot = Spot { span: fault.span().unwrap_or(0..0), ..spot.clone() };
        problems
            .error(
                "E0003",
                &spot,
                format!("不合 TOML 语法: {}", fault.message()),
                format!("not TOML: {}", fault.message()),
            )
            .effect(
                "整个文件不会启用，正在运行的方案保持不变",
                "the whole file is not used; a running engine keeps the plan it has",
            )
            .remedy(
                "改正这一处；字符串加引号，每行一个键",
                "correct this place; strings in quotes, one key a line",
            );
    }
}

/// Puts what the command line says in place of what the file says.
fn apply(overrides: &Overrides, table: &mut RoutingTable, problems: &mut Problems) {
    if let Some(network) = &mut table.network {
        if !overrides.listen.is_empty() {
            let spot = Spot::option("--listen");
            let listen =
                overrides.listen.iter().map(|listener| Said { value: listener.clone(), spot: spot.clone() });
            network.listen = Some(Said { value: listen.collect(), spot });
        }
        if let Some((first, last)) = overrides.rtp_ports {
            network.rtp_ports = Some(Said { value: Ports(first, last), spot: Spot::option("--rtp-ports") });
        }
    }
    for (name, target) in &overrides.trunk_targets {
        let spot = Spot::option("--trunk");
        let trunk =
            table.trunks.iter_mut().find(|trunk| trunk.name.as_ref().is_some_and(|said| said.value == *name));
        if let Some(trunk) = trunk {
            let target = Said { value: (*target).into(), spot: spot.clone() };
            trunk.target = Some(Said { value: Targets(vec![target]), spot });
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
