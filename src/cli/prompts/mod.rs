//! `hotline prompts`: what callers hear, listed, recorded, drafted, sealed and checked.

mod book;
mod check;
mod container;
mod decode;
mod import;
mod level;
mod list;
mod pinyin;
mod rate;
mod seal;
mod speak;

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::io::plan_files;
use crate::routing::Overrides;
use crate::routing::diagnostic::Severity;
use crate::routing::prompts::{ManifestTable, PromptTable, SAMPLE_RATE as RATE};
use book::Book;

/// 提示音：列出、录入、试读、登记、检查 / Prompts: list, import, draft, seal, check
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 路由文件，其 prompts 一行指明清单 / The routing file, whose `prompts` names the manifest
    #[arg(long, value_name = "FILE", default_value = "routing.toml", global = true)]
    pub config: PathBuf,
    /// 直接给出清单，不看路由文件 / The manifest itself, whatever a routing file says
    #[arg(long, value_name = "FILE", global = true)]
    pub manifest: Option<PathBuf>,
    /// 做什么 / What to do
    #[command(subcommand)]
    pub what: What,
}

/// What is to be done.
#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// 列出 / List them
    List(list::Args),
    /// 录入一段录音（WAV、FLAC、MP3、OGG，任何采样率）/ Take in a recording (WAV, FLAC, MP3, OGG, any rate)
    Import(import::Args),
    /// 用 espeak-ng 按拼音试读 / Speak drafts from their pinyin by espeak-ng
    Speak(seal::SpeakArgs),
    /// 审听之后重新登记 SHA-256 / Seal files again after listening to them
    Seal(seal::Args),
    /// 检查条目、文件、格式、时长、响度 / Check entries, files, format, lengths and levels
    Check,
}

/// Exit codes: 0 done, 1 something is missing or wrong, 2 files unreadable.
pub fn run(args: &Args) -> ExitCode {
    let shelf = match Shelf::open(args) {
        Ok(shelf) => shelf,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let done = match &args.what {
        What::List(own) => list::run(own, &shelf),
        What::Import(own) => import::run(own, &shelf),
        What::Speak(own) => seal::speak(own, &shelf),
        What::Seal(own) => seal::run(own, &shelf),
        What::Check => check::run(&shelf),
    };
    match done {
        Ok(Done { text, clean }) => {
            // A reader that has gone (`| head`) does not change what was done.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            ExitCode::from(u8::from(!clean))
        }
        Err(why) => {
            eprintln!("{}", why.trim_end());
            ExitCode::from(1)
        }
    }
}

/// What a command says, and whether all is well.
struct Done {
    text: String,
    clean: bool,
}

impl Done {
    fn well(text: String) -> Result<Done, String> {
        Ok(Done { text, clean: true })
    }
}

/// A manifest that can be read, and what the plan wants of it.
struct Shelf {
    path: PathBuf,
    table: ManifestTable,
    /// Ids that callers can come to hear; `None` where only the manifest was given.
    used: Option<BTreeSet<String>>,
    /// Languages and dialects that lines ask for.
    languages: BTreeSet<String>,
}

impl Shelf {
    fn open(args: &Args) -> Result<Shelf, String> {
        if let Some(path) = &args.manifest {
            let table = read(path)?;
            return Ok(Shelf { path: path.clone(), table, used: None, languages: BTreeSet::new() });
        }
        let config = args.config.display();
        let draft = plan_files::draft(&args.config, &Overrides::default());
        let Some(name) = draft.manifest_name() else {
            return Err(format!(
                "{config} 读不到，或没有写 prompts = \"…\"；可用 --manifest 直接给出清单\n\
                 {config} cannot be read, or has no prompts = \"…\"; --manifest names the manifest itself"
            ));
        };
        let path = PathBuf::from(name);
        let table = read(&path)?;
        Ok(Shelf { path, table, used: Some(draft.prompts_in_use()), languages: draft.languages() })
    }

    fn book(&self) -> Result<Book, String> {
        Book::open(&self.path)
    }

    /// A file named in the manifest.
    fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }

    /// The entries called so; all if none is asked for.
    fn chosen<'a>(&'a self, ids: &[String]) -> Result<Vec<&'a PromptTable>, String> {
        if ids.is_empty() {
            return Ok(self.table.prompts.iter().collect());
        }
        let entry = |id: &String| {
            self.table.get(id).ok_or_else(|| {
                let name = self.path.display();
                format!("{name} 里没有 {id}\nthere is no {id} in {name}")
            })
        };
        ids.iter().map(entry).collect()
    }
}

/// A manifest whose shape is right.
fn read(path: &Path) -> Result<ManifestTable, String> {
    let (table, report) = crate::routing::prompts::read(&path.to_string_lossy(), plan_files::fetch(path))?;
    match report.count(Severity::Error) {
        0 => Ok(table),
        _ => Err(report.render(std::io::stderr().is_terminal())),
    }
}

/// The id of an entry whose shape is right.
fn id(prompt: &PromptTable) -> &str {
    prompt.id.as_ref().map_or("", |said| said.value.as_str())
}

/// Its file.
fn file(prompt: &PromptTable) -> &str {
    prompt.file.as_ref().map_or("", |said| said.value.as_str())
}

/// The samples of a file that the engine can play, full scale being 1. The error is for the user.
fn heard(bytes: &[u8]) -> Result<Vec<f64>, String> {
    let sealed = crate::routing::prompts::sealed(bytes);
    match crate::routing::prompts::decode(bytes, &sealed) {
        Ok(samples) => Ok(samples.iter().map(|sample| f64::from(*sample) / 32_768.0).collect()),
        Err(fault) => Err(fault.to_string()),
    }
}
