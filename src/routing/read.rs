//! Reading a TOML document field by field, so that every fault in it is found in one run.
//!
//! What fields there are is for [`tables`](super::tables) to say, how a value looks for
//! [`values`](super::values).

use toml::de::{DeTable, DeValue};

use super::diagnostic::{Spot, Text};
use super::nearest::nearest;
use super::source::{Problems, Said};

/// A value in the document.
pub struct Node<'d> {
    /// The value.
    pub value: &'d DeValue<'d>,
    /// Its place.
    pub spot: Spot,
}

/// Something that a value of the document can mean.
pub trait Value: Sized {
    /// Reads it; notes what is wrong and returns `None` where it cannot.
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self>;
}

/// One table being read: keeps count of the keys that were asked for.
pub struct Reader<'d, 'p> {
    /// Where the table stands.
    pub spot: Spot,
    /// Where faults go.
    pub problems: &'p mut Problems,
    table: &'d DeTable<'d>,
    asked: Vec<&'static str>,
    passes: bool,
}

/// Keys that hold a secret in plain text wherever they turn up.
const SECRET_KEYS: [&str; 5] = ["password", "passwd", "pwd", "secret", "token"];

impl<'d, 'p> Reader<'d, 'p> {
    /// Begins with a table at `spot`.
    pub fn new(table: &'d DeTable<'d>, spot: Spot, problems: &'p mut Problems) -> Self {
        Reader { spot, problems, table, asked: Vec::new(), passes: false }
    }

    /// A key that may be left out.
    pub fn optional<T: Value>(&mut self, name: &'static str) -> Option<Said<T>> {
        let node = self.node(name)?;
        let value = T::read(&node, self.problems)?;
        Some(Said { value, spot: node.spot })
    }

    /// A key with a default; `None` only where its value is wrong.
    pub fn or<T: Value>(&mut self, name: &'static str, default: T) -> Option<Said<T>> {
        if self.table.contains_key(name) {
            return self.optional(name);
        }
        self.asked.push(name);
        let spot = Spot { key: self.key(name), ..self.spot.clone() };
        Some(Said { value: default, spot })
    }

    /// A key that must be there; `effect` says what callers would notice without it.
    pub fn required<T: Value>(&mut self, name: &'static str, effect: Text) -> Option<Said<T>> {
        if !self.table.contains_key(name) {
            self.asked.push(name);
            self.missing(name, effect);
            return None;
        }
        self.optional(name)
    }

    /// A table that may be left out.
    pub fn section<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Reader<'d, '_>) -> T,
    ) -> Option<T> {
        let node = self.node(name)?;
        let Some(table) = node.value.as_table() else {
            wrong_type(&node, "表（如 [city]）", "a table, like [city]", self.problems);
            return None;
        };
        Some(read_table(table, node.spot, self.problems, read))
    }

    /// A table that must be there.
    pub fn required_section<T>(
        &mut self,
        name: &'static str,
        effect: Text,
        read: impl FnOnce(&mut Reader<'d, '_>) -> T,
    ) -> Option<T> {
        if !self.table.contains_key(name) {
            self.asked.push(name);
            self.missing(name, effect);
            return None;
        }
        self.section(name, read)
    }

    /// An array of tables, `[[number]]`; empty where there is none.
    pub fn sections<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Reader<'d, '_>) -> T,
    ) -> Vec<T> {
        let Some(node) = self.node(name) else {
            return Vec::new();
        };
        let Some(array) = node.value.as_array() else {
            wrong_type(
                &node,
                &format!("表的数组（写作 [[{name}]]）"),
                &format!("an array of tables, written [[{name}]]"),
                self.problems,
            );
            return Vec::new();
        };
        let mut all = Vec::new();
        for (index, item) in array.iter().enumerate() {
            let node = Node {
                value: item.get_ref(),
                spot: Spot {
                    file: self.spot.file,
                    span: item.span(),
                    key: format!("{}[{index}]", node.spot.key),
                },
            };
            match node.value.as_table() {
                Some(table) => all.push(read_table(table, node.spot, self.problems, &mut read)),
                None => wrong_type(&node, "表", "a table", self.problems),
            }
        }
        all
    }

    /// Notes that `name` is not there.
    pub fn missing(&mut self, name: &str, effect: Text) {
        let spot = Spot { key: self.key(name), ..self.spot.clone() };
        self.problems
            .error("E0102", &spot, format!("缺少 {}", spot.key), format!("{} is missing", spot.key))
            .effect(effect.zh, effect.en)
            .remedy(
                format!("加上 {name} = …；随附的 routing.toml 里有写法"),
                format!("add {name} = …; the routing.toml that comes with the engine shows how"),
            );
    }

    /// Whether a key is there, rightly said or wrongly.
    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The place of a key of this table that may not be there.
    pub fn spot_of(&self, name: &str) -> Spot {
        Spot {
            file: self.spot.file,
            span: self.table.get(name).map_or(self.spot.span.clone(), |value| value.span()),
            key: self.key(name),
        }
    }

    /// Its keys with their places, in the order of the file.
    pub fn keys(&self) -> Vec<Said<String>> {
        let mut keys: Vec<Said<String>> = self
            .table
            .keys()
            .map(|key| {
                let name: &str = key.get_ref();
                let spot = Spot { file: self.spot.file, span: key.span(), key: self.key(name) };
                Said { value: name.to_owned(), spot }
            })
            .collect();
        keys.sort_by_key(|key| key.spot.span.start);
        keys
    }

    /// Says nothing of the keys that nobody asks for: what is wrong with the table has been noted.
    pub fn pass_over(&mut self) {
        self.passes = true;
    }

    fn node(&mut self, name: &'static str) -> Option<Node<'d>> {
        self.asked.push(name);
        let value = self.table.get(name)?;
        let spot = Spot { file: self.spot.file, span: value.span(), key: self.key(name) };
        Some(Node { value: value.get_ref(), spot })
    }

    fn key(&self, name: &str) -> String {
        if self.spot.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.spot.key) }
    }

    /// Notes every key that nobody asked for.
    fn finish(self) {
        for (key, value) in self.table {
            let name: &str = key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let at = |span| Spot { file: self.spot.file, span, key: self.key(name) };
            if SECRET_KEYS.contains(&name) && value.get_ref().is_str() {
                plain_secret(&at(value.span()), self.problems);
                continue;
            }
            if self.passes {
                continue;
            }
            self.problems
                .error("E0101", &at(key.span()), format!("不认识的键 {name}"), format!("unknown key {name}"))
                .effect(
                    "写在这里的意图不会生效，而没有人会察觉",
                    "what it was meant to say would not happen, and nobody would notice",
                )
                .remedy(
                    format!("改正或删去；这里可用的键: {}", self.asked.join(", ")),
                    format!("correct or remove it; keys here: {}", self.asked.join(", ")),
                )
                .nearest(nearest(name, self.asked.iter().copied()));
        }
    }
}

/// Reads a whole table and then notes its unknown keys.
pub fn read_table<'d, T>(
    table: &'d DeTable<'d>,
    spot: Spot,
    problems: &mut Problems,
    read: impl FnOnce(&mut Reader<'d, '_>) -> T,
) -> T {
    let mut reader = Reader::new(table, spot, problems);
    let value = read(&mut reader);
    reader.finish();
    value
}

/// Notes a value of the wrong kind.
pub fn wrong_type(node: &Node<'_>, zh: &str, en: &str, problems: &mut Problems) {
    let found = node.value.type_str();
    problems
        .error(
            "E0103",
            &node.spot,
            format!("{} 应为{zh}，这里却是 {found}", node.spot.key),
            format!("{} wants {en}, not {found}", node.spot.key),
        )
        .effect(
            "整个文件不会启用，正在运行的方案保持不变",
            "the whole file is not used; a running engine keeps the plan it has",
        )
        .remedy(format!("写成{zh}"), format!("write {en}"));
}

/// Notes a secret in plain text and blots it out.
pub fn plain_secret(spot: &Spot, problems: &mut Problems) {
    problems.blot_out(spot);
    problems
        .error(
            "E0105",
            spot,
            format!("{} 是明文口令", spot.key),
            format!("{} is a secret in plain text", spot.key),
        )
        .effect(
            "凡能看到本文件的人都能冒用它：冒充座席接听市民来电，或盗打中继",
            "whoever can read this file could use it: answer citizens' calls in a seat's name, or call at the city's cost",
        )
        .remedy(
            "改为引用：{ file = \"secrets/…\" } 或 { env = \"…\" }，并更换该口令",
            "refer to it: { file = \"secrets/…\" } or { env = \"…\" }, and change the secret",
        );
}
