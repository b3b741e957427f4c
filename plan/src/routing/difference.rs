//! What a new plan changes, in words: one line a change, both languages.
//!
//! Each plan is described as a list of things with named settings ([`describe`]), and the two lists are
//! compared. Settings that are not described are compared as one: where they differ, a line of its own says
//! that another setting has changed.

mod calendars;
mod describe;
mod feeds;
mod fixed;
mod flows;
mod kb;
mod kind;
mod kpi;
mod parts;
mod returned;
mod sections;
mod three_way;
mod trunk_terms;

use std::collections::BTreeMap;

use serde::Serialize;

use super::diagnostic::Text;
use super::plan::Plan;
use describe::{Field, Item};
use kind::Kind;

pub(super) use fixed::fixtures;
pub use fixed::{Fixed, Fixtures, wants_restart};
pub(super) use returned::number_spots;
pub use returned::{CANCELLED_MAX, NumberSpots, cancelled, returned};

/// Most lines that are told; of the rest, how many they are.
pub const CHANGES_MAX: usize = 200;
/// Settings of a new thing that are told with it.
const TOLD_OF_NEW: usize = 3;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// In words.
    #[serde(flatten)]
    pub text: Text,
    /// Whether it is in force only after a restart.
    pub wants_restart: bool,
}

/// All of them, in the order of the file's parts, then by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// At most [`CHANGES_MAX`].
    pub changes: Vec<Change>,
    /// How many there are beyond these.
    pub more: usize,
}

impl Difference {
    /// What `new` changes of `old`, with which an engine would have been started.
    pub fn between(old: &Plan, new: &Plan) -> Difference {
        Difference::under(old, new, old)
    }

    /// What `new` changes of `old`, in an engine that was started with `started`.
    pub fn under(old: &Plan, new: &Plan, started: &Plan) -> Difference {
        let fixed = wants_restart(started, new);
        let (old_items, new_items) = (keyed(old), keyed(new));
        let mut keys: Vec<_> = old_items.keys().chain(new_items.keys()).collect();
        keys.sort();
        keys.dedup();
        let mut difference = Difference::default();
        for key in keys {
            match (old_items.get(key), new_items.get(key)) {
                (Some(old), Some(new)) => difference.compare(old, new, &fixed),
                (Some(old), None) => difference.push(removed(old), old.wants_restart(&fixed)),
                (None, Some(new)) => difference.push(added(new), new.wants_restart(&fixed)),
                (None, None) => {}
            }
        }
        if difference.changes.is_empty() && old.digest != new.digest {
            let text = Text::new(
                "文件有改动（如注释、测试），对来电的处理不变",
                "the files differ (comments, tests), and what the plan does is the same",
            );
            difference.push(text, false);
        }
        difference
    }

    /// Tells of something beside the plan's files, before all else.
    pub fn note(&mut self, text: Text) {
        self.changes.insert(0, Change { text, wants_restart: false });
        if self.changes.len() > CHANGES_MAX {
            self.changes.pop();
            self.more += 1;
        }
    }

    /// Whether the two plans are the same files.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// For people, a line a change, Chinese first.
    pub fn words(&self) -> String {
        let mut text = String::new();
        for change in &self.changes {
            text.push_str(&format!("  {}\n    {}\n", change.text.zh, change.text.en));
        }
        if self.more > 0 {
            text.push_str(&format!("  另有 {} 处改动 / and {} more\n", self.more, self.more));
        }
        text
    }

    fn compare(&mut self, old: &Item, new: &Item, fixed: &[Fixed]) {
        let settings = old.fields.iter().map(|field| field.name.clone());
        let mut settings: Vec<Text> = settings.collect();
        for field in &new.fields {
            if !settings.contains(&field.name) {
                settings.push(field.name.clone());
            }
        }
        for name in settings {
            let (was, is) = (old.field(&name), new.field(&name));
            if was.map(|field| &field.value) != is.map(|field| &field.value) {
                let restart =
                    is.or(was).and_then(|field| field.fixed).is_some_and(|one| fixed.contains(&one));
                self.push(changed(new, &name, was, is), restart);
            }
        }
        if old.rest != new.rest {
            let who = new.title();
            self.push(
                Text::new(
                    format!("{}: 其他设置有改动", who.zh),
                    format!("{}: another setting has changed", who.en),
                ),
                new.wants_restart(fixed),
            );
        }
    }

    fn push(&mut self, text: Text, wants_restart: bool) {
        if self.changes.len() >= CHANGES_MAX {
            self.more += 1;
            return;
        }
        let text = match wants_restart {
            true => Text::new(
                format!("{}（重启后才生效）", text.zh),
                format!("{} (in force after a restart only)", text.en),
            ),
            false => text,
        };
        self.changes.push(Change { text, wants_restart });
    }
}

fn keyed(plan: &Plan) -> BTreeMap<(Kind, String), Item> {
    describe::describe(plan).into_iter().map(|item| ((item.kind, item.key.clone()), item)).collect()
}

fn changed(item: &Item, name: &Text, was: Option<&Field>, is: Option<&Field>) -> Text {
    let who = item.title();
    let nothing = Text::new("无", "none");
    let (was, is) = (was.map_or(&nothing, |field| &field.value), is.map_or(&nothing, |field| &field.value));
    Text::new(
        format!("{}: {} {} → {}", who.zh, name.zh, was.zh, is.zh),
        format!("{}: {} {} → {}", who.en, name.en, was.en, is.en),
    )
}

fn added(item: &Item) -> Text {
    let who = item.title();
    let told = item.fields.iter().take(TOLD_OF_NEW);
    let (zh, en): (Vec<String>, Vec<String>) = told
        .map(|field| {
            let Field { name, value, .. } = field;
            (format!("{} {}", name.zh, value.zh), format!("{} {}", name.en, value.en))
        })
        .unzip();
    if zh.is_empty() {
        return Text::new(format!("新增{}", who.zh), format!("new: {}", who.en));
    }
    Text::new(format!("新增{}（{}）", who.zh, zh.join("，")), format!("new: {} ({})", who.en, en.join(", ")))
}

fn removed(item: &Item) -> Text {
    let who = item.title();
    let (zh, en) = item.kind.after_removal();
    Text::new(format!("删去{}{zh}", who.zh), format!("gone: {}{en}", who.en))
}

#[cfg(test)]
mod tests;
