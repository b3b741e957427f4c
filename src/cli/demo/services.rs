//! The demo's own plan: the operator's, and the same once more with the self-service switched on that the sample
//! shows and leaves to the operator's choice. The engine begins with the first and is given the second later.

use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::io::plan_files;
use crate::routing::diagnostic::Severity;
use crate::routing::{Outcome, Overrides, Plan, sample};

/// The flow in which it begins.
const FIRST: &str = "services";
/// What of the sample is switched on.
const SWITCHED_ON: [&str; 14] = [
    "flow services",
    "flow order",
    "flow order_help",
    "flow order_complaint",
    "flow order_kept",
    "flow progress",
    "flow progress_missing",
    "flow progress_failed",
    "look_up tickets",
    "flow move_car",
    "flow car_missing",
    "flow car_unanswered",
    "look_up owners",
    "calling",
];

/// Both plans, on disk.
pub struct Plans {
    /// What the engine is started with, and reads again.
    pub file: PathBuf,
    services: PathBuf,
    /// The second plan, or why there is none, in both languages.
    pub outcome: Result<Box<Plan>, String>,
}

impl Plans {
    /// Writes both to `plan/` of the data directory.
    pub fn write(config: &Path, data: &Path) -> io::Result<Self> {
        let (file, services) = (data.join("plan/routing.toml"), data.join("plan/services.toml"));
        std::fs::create_dir_all(data.join("plan"))?;
        let first = in_one_file(config)?;
        std::fs::write(&file, to_text(&first)?)?;
        let outcome = match switched_on(first) {
            Ok(table) => {
                std::fs::write(&services, to_text(&table)?)?;
                judged(plan_files::load(&services, &Overrides::default()))
            }
            Err(why) => Err(why),
        };
        Ok(Plans { file, services, outcome })
    }

    /// The engine's file becomes the second plan, in one step: a half-written one is never there to be read.
    pub fn switch(&self) -> io::Result<()> {
        std::fs::rename(&self.services, &self.file)
    }
}

fn judged(outcome: Outcome) -> Result<Box<Plan>, String> {
    let why = outcome.report.diagnostics.iter().find(|found| found.severity == Severity::Error);
    let why = why.map(|found| format!("{} {} / {}", found.code, found.problem.zh, found.problem.en));
    outcome.plan.map(Box::new).ok_or_else(|| why.unwrap_or_default())
}

/// The operator's plan as one file that may stand anywhere.
fn in_one_file(config: &Path) -> io::Result<Table> {
    let effective = plan_files::load_noting(config, &Overrides::default()).effective;
    let effective = effective.ok_or_else(|| io::Error::other("the plan is not in force"))?;
    let mut table: Table = effective.said().toml().parse().map_err(io::Error::other)?;
    table.remove("include");
    let home = config.canonicalize()?;
    let home = home.parent().unwrap_or(Path::new("/"));
    let prompts = table.get("prompts").and_then(Value::as_str).unwrap_or("prompts/prompts.toml");
    let prompts = home.join(prompts).to_string_lossy().into_owned();
    table.insert("prompts".to_owned(), Value::String(prompts));
    Ok(table)
}

fn to_text(table: &Table) -> io::Result<String> {
    toml::to_string(table).map_err(io::Error::other)
}

/// The same with what the sample shows, in the flow of the main number.
fn switched_on(mut table: Table) -> Result<Table, String> {
    let main = |number: &&mut Value| number.get("mode").and_then(Value::as_str) == Some("primary");
    let numbers = table.get_mut("number").and_then(Value::as_array_mut);
    let number = numbers.and_then(|numbers| numbers.iter_mut().find(main)).and_then(Value::as_table_mut);
    let number = number.ok_or("本方案没有主号码 / the plan has no primary number")?;
    if number.contains_key("flow") {
        return Err("主号码已有流程 / the primary number has a flow of its own".to_owned());
    }
    number.insert("flow".to_owned(), Value::String(FIRST.to_owned()));
    let main = number.get("number").cloned();
    let out = table.get("trunk").and_then(Value::as_array).and_then(|trunks| {
        trunks.iter().find(|trunk| trunk.get("target").is_some()).and_then(|trunk| trunk.get("name").cloned())
    });
    for (name, block) in sample::shown().iter().filter(|(name, _)| SWITCHED_ON.contains(&name.as_str())) {
        let block: Table = block.parse().map_err(|error| format!("{name}: {error}"))?;
        for (key, value) in block {
            match (table.get_mut(&key), value) {
                (Some(Value::Array(there)), Value::Array(more)) => there.extend(more),
                (Some(_), _) => {} // The operator's own [calling].
                (None, Value::Table(mut calling)) => {
                    // The sample's trunks to the outside are shown only, as well.
                    calling.extend(out.clone().map(|trunk| ("trunk".to_owned(), trunk)));
                    calling.extend(main.clone().map(|line| ("line".to_owned(), line)));
                    table.insert(key, Value::Table(calling));
                }
                (None, value) => {
                    table.insert(key, value);
                }
            }
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(name: &str, config: &Path) -> (Plans, PathBuf) {
        let data = std::env::temp_dir().join(format!("hotline-services-{name}-{}", std::process::id()));
        (Plans::write(config, &data).unwrap(), data)
    }

    #[test]
    fn the_shipped_plan_and_the_same_with_its_self_service_are_both_ready() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        let (plans, data) = plans("shipped", &shipped);
        let first = judged(plan_files::load(&plans.file, &Overrides::default())).unwrap();
        let shipped = judged(plan_files::load(&shipped, &Overrides::default())).unwrap();
        assert_eq!((first.lines.len(), first.seats.len()), (shipped.lines.len(), shipped.seats.len()));
        assert!(first.scripts.is_empty());
        let second = plans.outcome.as_ref().unwrap();
        assert_eq!(second.lines["12345"].script.as_ref().map(|script| script.as_str()), Some(FIRST));
        assert_eq!(second.scripts.len(), 11, "{:?}", second.scripts.keys());
        plans.switch().unwrap();
        let switched = judged(plan_files::load(&plans.file, &Overrides::default())).unwrap();
        assert_eq!(switched.scripts.len(), 11);
        std::fs::remove_dir_all(data).unwrap();
    }

    #[test]
    fn a_main_number_that_has_a_flow_keeps_it() {
        let table: Table =
            "[[number]]\nnumber = \"12345\"\nmode = \"primary\"\nflow = \"own\"".parse().unwrap();
        assert!(switched_on(table).unwrap_err().contains("a flow of its own"));
    }
}
