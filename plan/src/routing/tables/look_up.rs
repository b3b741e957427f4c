//! `[[look_up]]` and `[[bot]]` as they are written: whom flows ask, and who talks with callers in their place.

use std::time::Duration;

use super::super::diagnostic::{Spot, Text};
use super::super::plan::SecretRef;
use super::super::read::{Node, Reader, Value};
use super::super::script::{BOT_OUTCOME, TICKETS_SAY};
use super::super::source::{Problems, Said};
use super::super::values::one_of;
use super::reading::{secs, unnamed};
use super::{Field, RoutingTable};

/// `kind` of a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookUpWord {
    /// The embedded store's tickets.
    Tickets,
    /// A file.
    Jsonl,
    /// A signed question.
    Http,
}

/// `[[look_up]]`.
#[derive(Debug)]
pub struct LookUpTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `kind`.
    pub kind: Field<LookUpWord>,
    /// `path` of a jsonl look-up.
    pub path: Field<String>,
    /// `url` of an http look-up.
    pub url: Field<String>,
    /// `secret` of an http look-up.
    pub secret: Field<SecretRef>,
    /// `says`: values of its answers that flows use.
    pub says: Field<Vec<Said<String>>>,
    /// `timeout`.
    pub timeout: Field<Duration>,
    /// `misses_max`.
    pub misses_max: Field<u8>,
    /// `lock`.
    pub lock: Field<Duration>,
}

/// `[[bot]]`.
#[derive(Debug)]
pub struct BotTable {
    /// `name`.
    pub name: Field<String>,
    /// `url`.
    pub url: Field<String>,
    /// `secret`.
    pub secret: Field<SecretRef>,
    /// `connect`.
    pub connect: Field<Duration>,
    /// `most`.
    pub most: Field<Duration>,
    /// `music`.
    pub music: Field<String>,
    /// `says`: values of its `done` that flows use.
    pub says: Field<Vec<Said<String>>>,
    /// `rate`.
    pub rate: Field<u32>,
    /// `show_caller`.
    pub show_caller: Field<bool>,
}

impl Value for LookUpWord {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let words =
            [("tickets", LookUpWord::Tickets), ("jsonl", LookUpWord::Jsonl), ("http", LookUpWord::Http)];
        one_of(node, &words, problems)
    }
}

impl LookUpTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unasked = Text::new("流程查询时无处可问", "flows would have nobody to ask");
        LookUpTable {
            spot: reader.spot.clone(),
            name: reader.required("name", unnamed()),
            kind: reader.required("kind", unasked),
            path: reader.optional("path"),
            url: reader.optional("url"),
            secret: reader.optional("secret"),
            says: reader.optional("says"),
            timeout: reader.or("timeout", secs(3)),
            misses_max: reader.or("misses_max", 5),
            lock: reader.or("lock", secs(30 * 60)),
        }
    }
}

impl BotTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let silent = Text::new("来电人听不到应答", "callers would be answered by nobody");
        BotTable {
            name: reader.required("name", unnamed()),
            url: reader.required("url", silent),
            secret: reader.optional("secret"),
            connect: reader.or("connect", secs(3)),
            most: reader.or("most", secs(40)),
            music: reader.optional("music"),
            says: reader.optional("says"),
            rate: reader.or("rate", 8_000),
            show_caller: reader.or("show_caller", false),
        }
    }
}

impl LookUpTable {
    /// Whether it asks the embedded store's tickets.
    pub fn is_of_tickets(&self) -> bool {
        self.kind.as_ref().is_some_and(|kind| kind.value == LookUpWord::Tickets)
    }
}

/// The values that a look-up or a bot of this name can say; `None`: there is none.
pub fn says<'t>(table: &'t RoutingTable, name: &str) -> Option<Vec<&'t str>> {
    let is_it = |own: &Field<String>| own.as_ref().is_some_and(|said| said.value == name);
    let words = |says: &'t Field<Vec<Said<String>>>| {
        let says = says.iter().flat_map(|says| &says.value);
        says.map(|said| said.value.as_str())
    };
    if let Some(own) = table.look_ups.iter().find(|own| is_it(&own.name)) {
        let of_tickets = TICKETS_SAY.into_iter().filter(|_| own.is_of_tickets());
        return Some(words(&own.says).chain(of_tickets).collect());
    }
    let bot = table.bots.iter().find(|own| is_it(&own.name))?;
    Some(words(&bot.says).chain([BOT_OUTCOME]).collect())
}
