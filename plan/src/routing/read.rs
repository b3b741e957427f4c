//! Reading a TOML document field by field, so that every fault in it is found in one run.
//!
//! What fields there are is for [`tables`](super::tables) to say, how a value looks for
//! [`values`](super::values).

use toml::de::{DeTable, DeValue};

use super::diagnostic::{Spot, Text};
use super::nearest::nearest;
use super::notes::Found;
use super::shape::{self, Form, Key, nothing};
use super::source::{Problems, SECRET_KEYS, Said};
use super::written::Written;

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

    /// What an editor can be told of it, beyond the kinds of value that `read` takes.
    fn form() -> Form {
        Form::default()
    }

    /// As it would be written; for types that have defaults.
    fn written(&self) -> Option<Written> {
        None
    }
}

/// One table being read: keeps count of the keys that were asked for.
pub struct Reader<'d, 'p> {
    /// Where the table stands.
    pub spot: Spot,
    /// Where faults go.
    pub problems: &'p mut Problems,
    table: &'d DeTable<'d>,
    /// The top of each file that is included, in order: with the first table they are one.
    included: Vec<(Spot, &'d DeTable<'d>)>,
    asked: Vec<&'static str>,
    passes: bool,
}

impl<'d, 'p> Reader<'d, 'p> {
    /// Begins with a table at `spot`.
    pub fn new(table: &'d DeTable<'d>, spot: Spot, problems: &'p mut Problems) -> Self {
        if let Some(describing) = &mut problems.describing {
            describing.table(&spot);
        }
        Reader { spot, problems, table, included: Vec::new(), asked: Vec::new(), passes: false }
    }

    /// A key that may be left out.
    #[inline(never)] // A plan is read seldom, and has hundreds of keys: see `or`.
    pub fn optional<T: Value>(&mut self, name: &'static str) -> Option<Said<T>> {
        if self.problems.describing.is_some() {
            return self.describe(name, Key::default());
        }
        let Some(node) = self.node(name) else {
            self.note(name, || Found::Unsaid);
            return None;
        };
        self.value(name, node)
    }

    /// A key with a default; `None` only where its value is wrong.
    #[inline(never)] // Written out at each key, it made the reading of tables one function of 140 KB.
    pub fn or<T: Value>(&mut self, name: &'static str, default: T) -> Option<Said<T>> {
        if self.problems.describing.is_some() {
            let usual = default.written();
            let said = self.describe(name, Key { unwritten: usual.is_none(), usual, ..Key::default() });
            return said.or_else(|| Some(Said { value: default, spot: self.unsaid(name) }));
        }
        if self.has(name) {
            return self.optional(name);
        }
        self.asked.push(name);
        self.note(name, || Found::Usual(default.written()));
        Some(Said { value: default, spot: self.unsaid(name) })
    }

    /// A key that must be there; `effect` says what callers would notice without it.
    #[inline(never)]
    pub fn required<T: Value>(&mut self, name: &'static str, effect: Text) -> Option<Said<T>> {
        if self.problems.describing.is_some() {
            return self.describe(name, Key { effect: Some(effect), ..Key::default() });
        }
        if !self.has(name) {
            self.asked.push(name);
            self.missing(name, effect);
            return None;
        }
        self.optional(name)
    }

    /// A key that each file has for itself: the values, by the order of the files. Where `effect` is given, the
    /// first file must have it.
    pub fn in_each<T: Value>(&mut self, name: &'static str, effect: Option<Text>) -> Vec<Said<T>> {
        if self.problems.describing.is_some() {
            return self.describe(name, Key { effect, ..Key::default() }).into_iter().collect();
        }
        self.asked.push(name);
        if let Some(effect) = effect.filter(|_| !self.table.contains_key(name)) {
            self.missing(name, effect);
        }
        let nodes = self.nodes(name);
        if nodes.first().is_none_or(|node| node.spot.file != self.spot.file) {
            self.note(name, || Found::Unsaid);
        }
        let mut read = |node: Node<'d>| {
            let value = T::read(&node, self.problems)?;
            if node.spot.file == self.spot.file {
                self.problems
                    .note(&self.spot, name, || Found::Said(Written::of(node.value), node.spot.clone()));
            }
            Some(Said { value, spot: node.spot })
        };
        nodes.into_iter().filter_map(&mut read).collect()
    }

    /// A table that may be left out.
    pub fn section<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Reader<'d, '_>) -> T,
    ) -> Option<T> {
        let (table, spot) = self.table_of(name, Key::default())?;
        Some(read_table(table, spot, self.problems, read))
    }

    /// A table that may be left out, and then holds what its keys hold where nobody says them.
    pub fn usual_section<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Reader<'d, '_>) -> T,
    ) -> Option<T> {
        if self.has(name) || self.problems.describing.is_some() || self.problems.notes.is_none() {
            return self.section(name, read);
        }
        self.asked.push(name);
        self.note(name, || Found::UsualTable);
        let spot = self.unsaid(name);
        // Read for what is noted of it only: whoever builds the plan has the same defaults.
        let mut aside = Problems::noting(self.problems.notes.take());
        read(&mut Reader::new(nothing(), spot, &mut aside));
        self.problems.notes = aside.notes;
        None
    }

    /// A table that must be there.
    pub fn required_section<T>(
        &mut self,
        name: &'static str,
        effect: Text,
        read: impl FnOnce(&mut Reader<'d, '_>) -> T,
    ) -> Option<T> {
        let (table, spot) = self.required_table(name, effect)?;
        Some(read_table(table, spot, self.problems, read))
    }

    /// An array of tables, `[[number]]`; empty where there is none. Those of included files stand behind.
    pub fn sections<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Reader<'d, '_>) -> T,
    ) -> Vec<T> {
        let items = self.tables_of(name).into_iter();
        items.map(|(table, spot)| read_table(table, spot, self.problems, &mut read)).collect()
    }

    fn required_table(&mut self, name: &'static str, effect: Text) -> Option<(&'d DeTable<'d>, Spot)> {
        if self.problems.describing.is_some() {
            return self.table_of(name, Key { effect: Some(effect), ..Key::default() });
        }
        if !self.has(name) {
            self.asked.push(name);
            self.missing(name, effect);
            return None;
        }
        self.table_of(name, Key::default())
    }

    /// The table behind a key, and its place.
    fn table_of(&mut self, name: &'static str, key: Key) -> Option<(&'d DeTable<'d>, Spot)> {
        let spot = self.unsaid(name);
        if let Some(describing) = &mut self.problems.describing {
            describing.key(&self.spot, name, key);
            describing.kind(&spot.key, "object");
            return Some((nothing(), spot));
        }
        let Some(node) = self.node(name) else {
            self.note(name, || Found::NoTable);
            return None;
        };
        let Some(table) = node.value.as_table() else {
            wrong_type(&node, "表（如 [city]）", "a table, like [city]", self.problems);
            return None;
        };
        self.note(name, || Found::Table(node.spot.clone()));
        Some((table, node.spot))
    }

    /// The tables of the array behind a key, each with its place.
    fn tables_of(&mut self, name: &'static str) -> Vec<(&'d DeTable<'d>, Spot)> {
        let key = self.key(name);
        if let Some(describing) = &mut self.problems.describing {
            let spot = Spot { key: format!("{key}[0]"), ..self.spot.clone() };
            describing.key(&self.spot, name, Key::default());
            describing.kind(&key, "array");
            describing.kind(&spot.key, "object");
            return vec![(nothing(), spot)];
        }
        self.asked.push(name);
        let mut items = Vec::new();
        for node in self.nodes(name) {
            let Some(array) = node.value.as_array() else {
                wrong_type(
                    &node,
                    &format!("表的数组（写作 [[{name}]]）"),
                    &format!("an array of tables, written [[{name}]]"),
                    self.problems,
                );
                continue;
            };
            items.extend(array.iter().map(|item| (node.spot.file, item)));
        }
        let spot = |index, file, span| Spot { file, span, key: format!("{key}[{index}]") };
        self.note(name, || {
            let spots = items.iter().enumerate().map(|(index, (file, item))| spot(index, *file, item.span()));
            Found::Tables(spots.collect())
        });
        let mut all = Vec::new();
        for (index, (file, item)) in items.into_iter().enumerate() {
            let node = Node { value: item.get_ref(), spot: spot(index, file, item.span()) };
            match node.value.as_table() {
                Some(table) => all.push((table, node.spot)),
                None => wrong_type(&node, "表", "a table", self.problems),
            }
        }
        all
    }

    /// Notes that `name` is not there.
    pub fn missing(&mut self, name: &str, effect: Text) {
        let spot = self.unsaid(name);
        let (zh, en) = match super::sample::example(&spot.key) {
            Some(example) => (format!("加上，如 {example}"), format!("add it, like {example}")),
            None => (
                format!("加上 {name} = …；随附的 routing.toml 里有写法"),
                format!("add {name} = …; the routing.toml that comes with the engine shows how"),
            ),
        };
        self.problems
            .error("E0102", &spot, format!("缺少 {}", spot.key), format!("{} is missing", spot.key))
            .effect(effect.zh, effect.en)
            .remedy(zh, en);
    }

    /// Whether a key is there, rightly said or wrongly.
    pub fn has(&mut self, name: &str) -> bool {
        if let Some(describing) = &mut self.problems.describing {
            return describing.is_there(&self.spot, name);
        }
        self.tables().any(|(_, table)| table.contains_key(name))
    }

    /// The place of a key of this table that may not be there.
    pub fn spot_of(&self, name: &str) -> Spot {
        let said = self.tables().find_map(|(spot, table)| Some((spot.file, table.get(name)?.span())));
        let (file, span) = said.unwrap_or((self.spot.file, self.spot.span.clone()));
        Spot { file, span, key: self.key(name) }
    }

    /// Its keys with their places, in the order of the file.
    pub fn keys(&self) -> Vec<Said<String>> {
        let named = |(spot, table): (&Spot, &'d DeTable<'d>)| {
            let file = spot.file;
            table.keys().map(move |key| (file, key)).collect::<Vec<_>>()
        };
        let mut keys: Vec<Said<String>> = self
            .tables()
            .flat_map(named)
            .map(|(file, key)| {
                let name: &str = key.get_ref();
                Said { value: name.to_owned(), spot: Spot { file, span: key.span(), key: self.key(name) } }
            })
            .collect();
        keys.sort_by_key(|key| (key.spot.file, key.spot.span.start));
        keys
    }

    /// Says nothing of the keys that nobody asks for: what is wrong with the table has been noted.
    pub fn pass_over(&mut self) {
        self.passes = true;
    }

    /// The place of a key that nobody said: that of the table.
    fn unsaid(&self, name: &str) -> Spot {
        Spot { key: self.key(name), ..self.spot.clone() }
    }

    /// The table, and those that are included with it.
    fn tables(&self) -> impl Iterator<Item = (&Spot, &'d DeTable<'d>)> {
        let included = self.included.iter().map(|(spot, table)| (spot, *table));
        std::iter::once((&self.spot, self.table)).chain(included)
    }

    fn value<T: Value>(&mut self, name: &'static str, node: Node<'d>) -> Option<Said<T>> {
        let value = T::read(&node, self.problems)?;
        self.note(name, || Found::Said(Written::of(node.value), node.spot.clone()));
        Some(Said { value, spot: node.spot })
    }

    /// What a key says, in the one file that says it; notes where another does, too.
    fn node(&mut self, name: &'static str) -> Option<Node<'d>> {
        self.asked.push(name);
        let mut nodes = self.nodes(name).into_iter();
        let first = nodes.next()?;
        for again in nodes {
            twice(&again.spot, &first.spot, self.problems);
        }
        Some(first)
    }

    /// What each file says.
    fn nodes(&self, name: &str) -> Vec<Node<'d>> {
        let key = self.key(name);
        let said = self.tables().filter_map(|(spot, table)| Some((spot.file, table.get(name)?)));
        let node = |(file, value): (Option<usize>, &'d toml::Spanned<DeValue<'d>>)| Node {
            value: value.get_ref(),
            spot: Spot { file, span: value.span(), key: key.clone() },
        };
        said.map(node).collect()
    }

    fn key(&self, name: &str) -> String {
        if self.spot.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.spot.key) }
    }

    fn note(&mut self, name: &'static str, found: impl FnOnce() -> Found) {
        self.problems.note(&self.spot, name, found);
    }

    /// Notes a key and what it can be; reads the word that it is taken to say.
    fn describe<T: Value>(&mut self, name: &'static str, key: Key) -> Option<Said<T>> {
        let spot = self.unsaid(name);
        shape::probe::<T>(&spot, self.problems);
        let word = self.word(name, &spot, key)?;
        let value = T::read(&Node { value: &word, spot: spot.clone() }, self.problems)?;
        Some(Said { value, spot })
    }

    /// Notes a key; the word that it is taken to say.
    fn word(&mut self, name: &'static str, spot: &Spot, key: Key) -> Option<DeValue<'static>> {
        let describing = self.problems.describing.as_mut()?;
        describing.key(&self.spot, name, key);
        let word = describing.word(&self.spot, name, &spot.key)?;
        Some(DeValue::String(word.into()))
    }

    /// Notes every key that nobody asked for.
    fn finish(self) {
        let Reader { spot: own, problems, table, included, asked, passes } = self;
        for (spot, table) in std::iter::once((own, table)).chain(included) {
            unknown(table, &spot, &asked, passes, problems);
        }
    }
}

/// `passes`: of what is no secret nothing is said.
fn unknown(table: &DeTable<'_>, at: &Spot, asked: &[&'static str], passes: bool, problems: &mut Problems) {
    for (key, value) in table {
        let name: &str = key.get_ref();
        if asked.contains(&name) {
            continue;
        }
        let own = if at.key.is_empty() { name.to_owned() } else { format!("{}.{name}", at.key) };
        let at = |span| Spot { file: at.file, span, key: own.clone() };
        if SECRET_KEYS.contains(&name) && value.get_ref().is_str() {
            plain_secret(&at(value.span()), problems);
            continue;
        }
        if passes {
            continue;
        }
        problems
            .error("E0101", &at(key.span()), format!("不认识的键 {name}"), format!("unknown key {name}"))
            .effect(
                "写在这里的意图不会生效，而没有人会察觉",
                "what it was meant to say would not happen, and nobody would notice",
            )
            .remedy(
                format!("改正或删去；这里可用的键: {}", asked.join(", ")),
                format!("correct or remove it; keys here: {}", asked.join(", ")),
            )
            .nearest(nearest(name, asked.iter().copied()));
    }
}

/// Notes that two files say the same.
fn twice(again: &Spot, first: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E0004",
            again,
            format!("{} 在两个文件里都写了", again.key),
            format!("{} is said in two files", again.key),
        )
        .effect(
            "引擎不猜测以哪个为准，整个文件不会启用",
            "the engine does not guess which of them was meant: the whole file is not used",
        )
        .remedy(
            "只留一处；[[…]] 这样的数组才可以分写在几个文件里",
            "keep one of them; only arrays like [[…]] may stand in several files",
        )
        .related(first, "另一处", "the other");
}

/// Reads the top of a file and of those that it includes as one table, and then notes its unknown keys.
pub fn read_tops<'d, T>(
    tops: impl IntoIterator<Item = (Spot, &'d DeTable<'d>)>,
    problems: &mut Problems,
    read: impl FnOnce(&mut Reader<'d, '_>) -> T,
) -> Option<T> {
    let mut tops = tops.into_iter();
    let (spot, table) = tops.next()?;
    let mut reader = Reader { included: tops.collect(), ..Reader::new(table, spot, problems) };
    let value = read(&mut reader);
    reader.finish();
    Some(value)
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
    problems.refuse(zh, en);
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
    problems.refuse("口令引用", "a reference to a secret");
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
