//! `prompts list`: every prompt with its length, its variants, who approved it and how long it holds.

use serde::Serialize;

use super::{Done, RATE, Shelf, file, heard, id};
use crate::cli::grid::in_columns;
use crate::routing::prompts::PromptTable;

/// `hotline prompts list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 只列缺少的：方案用到而清单没有，或没有声音文件 / Only what is missing: used by the plan but not listed, or without a sound
    #[arg(long)]
    pub missing: bool,
    /// 输出 JSON / Print JSON
    #[arg(long)]
    pub json: bool,
}

/// One prompt.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    class: &'static str,
    seconds: Option<f64>,
    text: String,
    /// Languages and dialects that it has variants in.
    variants: Vec<String>,
    approver: Option<String>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    /// Whether callers can come to hear it; `None` where no plan was looked at.
    used: Option<bool>,
    /// What is missing of it.
    missing: Option<Missing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Missing {
    /// Not in the manifest.
    Entry,
    /// No file that can be played.
    Sound,
    /// A line's language has no variant of it: its callers hear the prompt itself.
    Variant,
}

/// What is missing is told by the exit code too, where it was asked for; a variant that is not there is no fault.
pub fn run(args: &Args, shelf: &Shelf) -> Result<Done, String> {
    let mut rows: Vec<Row> = shelf.table.prompts.iter().map(|prompt| row(prompt, shelf)).collect();
    for id in shelf.used.iter().flatten().filter(|id| shelf.table.get(id).is_none()) {
        rows.push(Row::absent(id.clone(), Missing::Entry));
    }
    if args.missing {
        rows.extend(variants_wanted(shelf));
        rows.retain(|row| row.missing.is_some());
    }
    let faults = rows.iter().filter(|row| matches!(row.missing, Some(Missing::Entry | Missing::Sound)));
    let clean = !args.missing || faults.count() == 0;
    let text =
        if args.json { format!("{:#}\n", serde_json::json!(rows)) } else { table(&rows, args.missing) };
    Ok(Done { text, clean })
}

fn row(prompt: &PromptTable, shelf: &Shelf) -> Row {
    let sound = std::fs::read(shelf.beside(file(prompt))).ok().and_then(|bytes| heard(&bytes).ok());
    let family = shelf.table.family(id(prompt));
    let day = |said: &Option<crate::routing::source::Said<jiff::civil::Date>>| {
        said.as_ref().map(|said| said.value.to_string())
    };
    Row {
        id: id(prompt).to_owned(),
        class: prompt.class.as_ref().map_or("", |said| said.value.word()),
        seconds: sound.as_ref().map(|samples| samples.len() as f64 / f64::from(RATE)),
        text: prompt.text.as_ref().map_or_else(String::new, |said| said.value.clone()),
        variants: family.filter_map(|own| own.variant_of.clone()).map(|(_, own)| own).collect(),
        approver: prompt.approver.as_ref().map(|said| said.value.clone()),
        valid_from: day(&prompt.valid_from),
        valid_until: day(&prompt.valid_until),
        used: shelf.used.as_ref().map(|used| used.contains(id(prompt))),
        missing: sound.is_none().then_some(Missing::Sound),
    }
}

/// Prompts in use that lines with a language would have variants of.
fn variants_wanted(shelf: &Shelf) -> Vec<Row> {
    let used = shelf.used.iter().flatten();
    let spoken = used.filter_map(|id| shelf.table.get(id)).filter(|own| {
        own.variant_of.is_none() && own.class.as_ref().is_none_or(|said| said.value.is_spoken())
    });
    let mut rows = Vec::new();
    for prompt in spoken {
        for language in &shelf.languages {
            let own = format!("{}{}{language}", id(prompt), crate::id::VARIANT_MARK);
            if shelf.table.get(&own).is_none() {
                let text = prompt.text.as_ref().map_or_else(String::new, |said| said.value.clone());
                rows.push(Row { text, ..Row::absent(own, Missing::Variant) });
            }
        }
    }
    rows
}

impl Row {
    fn absent(id: String, missing: Missing) -> Row {
        Row {
            id,
            class: "",
            seconds: None,
            text: String::new(),
            variants: Vec::new(),
            approver: None,
            valid_from: None,
            valid_until: None,
            used: Some(true),
            missing: Some(missing),
        }
    }

    fn validity(&self) -> String {
        match (&self.valid_from, &self.valid_until) {
            (None, None) => String::new(),
            (from, until) => {
                format!("{}…{}", from.as_deref().unwrap_or_default(), until.as_deref().unwrap_or_default())
            }
        }
    }

    fn seconds(&self) -> String {
        match (self.missing, self.seconds) {
            (Some(Missing::Entry), _) => "不在清单 not listed".to_owned(),
            (Some(Missing::Variant), _) => "无变体 no variant".to_owned(),
            (_, Some(seconds)) => format!("{seconds:.2}"),
            (_, None) => "无声音 no sound".to_owned(),
        }
    }
}

/// In columns; Chinese letters are two columns wide.
fn table(rows: &[Row], missing: bool) -> String {
    if rows.is_empty() && missing {
        return "没有缺少的提示音\nno prompt is missing\n".to_owned();
    }
    let heading =
        ["编号 id", "类别 class", "秒 s", "变体 variants", "批准 approver", "有效 valid", "文字 text"];
    let mut cells = vec![heading.map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        [
            row.id.clone(),
            row.class.to_owned(),
            row.seconds(),
            row.variants.join(" "),
            row.approver.clone().unwrap_or_default(),
            row.validity(),
            row.text.clone(),
        ]
    }));
    in_columns(&cells)
}
