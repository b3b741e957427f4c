//! A plan as a list of things with settings that people know by name.

use std::fmt::{Debug, Display};
use std::time::Duration;

use super::super::diagnostic::Text;
use super::super::plan::Plan;
use super::super::written;
use super::fixed::Fixed;
use super::kind::Kind;
use super::{calendars, kb, parts, sections};

/// One thing: a section of the file, a number, a queue.
#[derive(Debug)]
pub(super) struct Item {
    /// Of which kind.
    pub kind: Kind,
    /// Which; empty for a section, of which there is one.
    pub name: String,
    /// The same, where the name hides a part of it.
    pub key: String,
    /// What is told of it.
    pub fields: Vec<Field>,
    /// Settings that are not told one by one, for comparison only: may hold what is for nobody's eyes.
    pub rest: String,
    /// All of it holds from start to end.
    pub fixed: Option<Fixed>,
}

/// One setting.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name.
    pub name: Text,
    /// Its value.
    pub value: Text,
    /// Whether it holds from start to end.
    pub fixed: Option<Fixed>,
}

impl Item {
    /// A section.
    pub fn section(kind: Kind) -> Self {
        Item::named(kind, "")
    }

    /// One of several.
    pub fn named(kind: Kind, name: impl Display) -> Self {
        Item {
            kind,
            name: name.to_string(),
            key: name.to_string(),
            fields: Vec::new(),
            rest: String::new(),
            fixed: None,
        }
    }

    /// With a setting whose value reads the same in both languages.
    pub fn with(self, zh: &str, en: &str, value: impl Display) -> Self {
        let value = value.to_string();
        self.with_text(zh, en, Text::new(value.clone(), value))
    }

    /// With a setting.
    pub fn with_text(mut self, zh: &str, en: &str, value: Text) -> Self {
        self.fields.push(Field { name: Text::new(zh, en), value, fixed: None });
        self
    }

    /// With one that is or is not.
    pub fn with_switch(self, zh: &str, en: &str, on: bool) -> Self {
        self.with_text(zh, en, if on { Text::new("是", "yes") } else { Text::new("否", "no") })
    }

    /// With a time.
    pub fn with_span(self, zh: &str, en: &str, span: Duration) -> Self {
        self.with(zh, en, written::duration(span))
    }

    /// With settings that are not told one by one: that one of them has changed is.
    pub fn rest(mut self, settings: &impl Debug) -> Self {
        self.rest.push_str(&format!("{settings:?}"));
        self
    }

    /// The setting that was put on last holds from start to end.
    pub fn fixed(mut self, fixed: Fixed) -> Self {
        if let Some(last) = self.fields.last_mut() {
            last.fixed = Some(fixed);
        }
        self
    }

    /// Its name for people.
    pub fn title(&self) -> Text {
        let (zh, en) = self.kind.words();
        match self.name.is_empty() {
            true => Text::new(zh, en),
            false => Text::new(format!("{zh} {}", self.name), format!("{en} {}", self.name)),
        }
    }

    pub fn field(&self, name: &Text) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == *name)
    }

    pub fn wants_restart(&self, changed: &[Fixed]) -> bool {
        self.fixed.is_some_and(|one| changed.contains(&one))
    }
}

/// All things of a plan.
///
/// A part that is added to [`Plan`] must be named here, and described in one of `parts` or `sections`: a
/// change that no line tells of would pass for none. So are the parts' own settings: each is taken out by name,
/// and told or put into [`Item::rest`].
pub(super) fn describe(plan: &Plan) -> Vec<Item> {
    let Plan {
        digest: _,
        purpose: _,
        city: _,
        network: _,
        lines: _,
        aliases: _,
        meetings: _,
        transition: _,
        trunks: _,
        bring_calls: _,
        groups: _,
        seats: _,
        queues: _,
        emergency: _,
        centers: _,
        departments: _,
        department_names: _,
        peers: _,
        experts: _,
        three_way: _,
        work: _,
        tokens: _,
        callers: _,
        disposition: _,
        kpi: _,
        missed: _,
        follow_up: _,
        calling: _,
        scripts: _,
        look_ups: _,
        bots: _,
        kb: _,
        prompts: _,
        recording: _,
        survey: _,
        seat_greeting: _,
        sinks: _,
        feeds: _,
        limits: _,
        trace: _,
        security: _,
        admin: _,
        merge_list: _,
        retired: _,
        watch: _,
        human_first: _,
        calendars: _,
    } = plan;
    let parts = [
        sections::sections,
        sections::rules,
        parts::ways,
        parts::people,
        parts::numbers,
        parts::others,
        kb::kb,
        calendars::calendars,
    ];
    parts.into_iter().flat_map(|part| part(plan)).collect()
}

/// Things in a row, as they display.
pub(super) fn row<T: Display>(things: impl IntoIterator<Item = T>) -> String {
    let things: Vec<String> = things.into_iter().map(|thing| thing.to_string()).collect();
    if things.is_empty() { "-".to_owned() } else { things.join(", ") }
}
