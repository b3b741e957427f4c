//! `prompts.toml` as it is written: each prompt, and its variants in other languages and dialects.

use jiff::civil::Date;
use toml::de::DeTable;

use super::super::diagnostic::{Report, Spot, Text};
use super::super::read::{Node, Reader, Value, read_table, wrong_type};
use super::super::shape::Form;
use super::super::source::{Fetched, Problems, Said, Source};
use super::super::tables::SCHEMA;
use super::super::values::one_of;
use crate::id::{LanguageId, PromptId};

/// The manifest as it is written.
#[derive(Debug)]
pub struct ManifestTable {
    /// `[[prompt]]`, each followed by its variants.
    pub prompts: Vec<PromptTable>,
}

/// `[[prompt]]`, or a `[[prompt.variant]]` of one: then a prompt of its own, called `greeting@en`.
#[derive(Debug)]
pub struct PromptTable {
    /// The table.
    pub spot: Spot,
    /// `id`; of a variant, that of its prompt with its language or dialect, at the place of these.
    pub id: Option<Said<String>>,
    /// Of a variant: the id of its prompt, and the language or dialect.
    pub variant_of: Option<(String, String)>,
    /// Whether a variant says `dialect`, not `language`.
    pub is_dialect: bool,
    /// `class`; of a variant, that of its prompt.
    pub class: Option<Said<Class>>,
    /// `text`.
    pub text: Option<Said<String>>,
    /// `pinyin`: what drafts are spoken from.
    pub pinyin: Option<Said<String>>,
    /// `file`, relative to the manifest.
    pub file: Option<Said<String>>,
    /// `sha256`, 64 lower-case hexadecimal digits.
    pub sha256: Option<Said<Hash>>,
    /// `approver`: who listened to this sound and let it be played.
    pub approver: Option<Said<String>>,
    /// `valid_from`: its first day, by the city's clock.
    pub valid_from: Option<Said<Date>>,
    /// `valid_until`: its last day.
    pub valid_until: Option<Said<Date>>,
}

/// `class`: what kind of sound it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Heard first on 12345.
    Greeting,
    /// Heard before it on a merged line.
    Transition,
    /// A whole sentence.
    Notice,
    /// A piece that numbers are put between.
    Announcement,
    /// The same, while waiting.
    Queue,
    /// A question and what is said to its answers.
    Survey,
    /// A number or a piece of one.
    Fragment,
    /// A signal.
    Tone,
    /// Music.
    Music,
    /// For measuring.
    Bench,
}

impl Class {
    /// All of them, as the manifest writes them.
    pub const ALL: [(&'static str, Class); 10] = [
        ("greeting", Class::Greeting),
        ("transition", Class::Transition),
        ("notice", Class::Notice),
        ("announcement", Class::Announcement),
        ("queue", Class::Queue),
        ("survey", Class::Survey),
        ("fragment", Class::Fragment),
        ("tone", Class::Tone),
        ("music", Class::Music),
        ("bench", Class::Bench),
    ];

    /// As the manifest writes it.
    pub fn word(self) -> &'static str {
        Class::ALL.iter().find(|(_, class)| *class == self).map_or("", |(word, _)| word)
    }

    /// Whether somebody speaks: then the ends may be cut, and the level is that of speech.
    pub fn is_spoken(self) -> bool {
        !matches!(self, Class::Tone | Class::Music | Class::Bench)
    }
}

impl Value for Class {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        one_of(node, &Class::ALL, problems)
    }
}

/// A hash as the manifest writes it; empty where it has not been sealed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash(pub String);

impl Value for Hash {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        match node.value.as_str() {
            Some(text) => Some(Hash(text.to_ascii_lowercase())),
            None => {
                wrong_type(node, "十六进制字符串", "a string of hexadecimal digits", problems);
                None
            }
        }
    }

    fn form() -> Form {
        Form::pattern("^([0-9A-Fa-f]{64})?$")
    }
}

/// Reads a manifest by itself, with what is wrong with its shape. The error, that it is no TOML, is for the
/// user, in both languages.
pub fn read(name: &str, fetched: Fetched) -> Result<(ManifestTable, Report), String> {
    let bytes = fetched.map_err(|why| format!("读不到 {name}（{why}）\ncannot read {name} ({why})"))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| format!("{name} 不是 UTF-8: {error}\n{name} is not UTF-8: {error}"))?;
    let (document, faults) = DeTable::parse_recoverable(&text);
    if let Some(fault) = faults.first() {
        return Err(format!("{name} 不合 TOML 语法: {fault}\n{name} is not TOML: {fault}"));
    }
    let mut problems = Problems::default();
    let spot = Spot { file: Some(0), span: 0..0, key: String::new() };
    let table = read_table(document.get_ref(), spot, &mut problems, ManifestTable::read);
    let source = Source::new(name.to_owned(), text.clone());
    Ok((table, problems.into_report(vec![source])))
}

impl ManifestTable {
    /// Reads the top of the manifest.
    pub fn read(reader: &mut Reader<'_, '_>) -> Self {
        let _: Option<Said<u32>> = reader.or("schema", SCHEMA);
        let prompts = reader.sections("prompt", |reader| {
            let base = PromptTable::read(reader);
            let variants = reader.sections("variant", |reader| PromptTable::read_variant(reader, &base));
            std::iter::once(base).chain(variants).collect::<Vec<_>>()
        });
        ManifestTable { prompts: prompts.into_iter().flatten().collect() }
    }

    /// The entry called `id`.
    pub fn get(&self, id: &str) -> Option<&PromptTable> {
        self.prompts.iter().find(|prompt| prompt.is(id))
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.prompts.iter().filter_map(|prompt| prompt.id.as_ref()).map(|said| said.value.as_str())
    }

    /// The prompt called `id` and its variants.
    pub fn family<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a PromptTable> {
        let of = move |prompt: &&PromptTable| prompt.variant_of.as_ref().is_some_and(|(base, _)| base == id);
        self.prompts.iter().filter(move |prompt| prompt.is(id) || of(prompt))
    }

    /// The languages and dialects that there are variants in.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.prompts.iter().filter_map(|prompt| prompt.variant_of.as_ref()).map(|(_, own)| own.as_str())
    }
}

fn mute() -> Text {
    Text::new("需要它的地方来电人只能听到静音", "callers would hear silence where it is needed")
}

impl PromptTable {
    /// Whether there is a day on which it holds: `valid_until` is not before `valid_from`.
    pub fn holds_some_day(&self) -> bool {
        match (&self.valid_from, &self.valid_until) {
            (Some(from), Some(until)) => from.value <= until.value,
            _ => true,
        }
    }

    /// Whether it is called so.
    pub fn is(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|said| said.value == id)
    }

    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let table = PromptTable {
            spot: reader.spot.clone(),
            id: reader.required("id", mute()),
            variant_of: None,
            is_dialect: false,
            class: reader.optional("class"),
            text: reader.required("text", mute()),
            pinyin: reader.optional("pinyin"),
            file: reader.required("file", mute()),
            sha256: reader.required("sha256", mute()),
            approver: reader.optional("approver"),
            valid_from: reader.optional("valid_from"),
            valid_until: reader.optional("valid_until"),
        };
        let _: Option<Said<String>> = reader.optional("english"); // For people.
        if let Some(id) = table.id.as_ref().filter(|id| !is_id(&id.value)) {
            reader
                .problems
                .error(
                    "E0508",
                    &id.spot,
                    format!("提示音编号 \"{}\" 只能用 a-z、0-9、_，以字母开头", id.value),
                    format!("the prompt id \"{}\" may have a-z, 0-9 and _ only, a letter first", id.value),
                )
                .effect(
                    "它可能与某个变体重名，也难以引用",
                    "it could be taken for a variant, and is hard to refer to",
                )
                .remedy("换一个编号，如 greeting_2", "give it another id, like greeting_2");
        }
        table
    }

    /// `[[prompt.variant]]`.
    fn read_variant(reader: &mut Reader<'_, '_>, base: &PromptTable) -> Self {
        let language: Option<Said<String>> = reader.optional("language");
        let dialect: Option<Said<String>> = reader.optional("dialect");
        let is_dialect = dialect.is_some();
        let tongue = match (&language, &dialect) {
            (Some(said), None) | (None, Some(said)) => Some(said),
            (None, None) if reader.has("language") || reader.has("dialect") => None, // Said wrongly: noted.
            _ => {
                one_tongue(&reader.spot, reader.problems);
                None
            }
        };
        let of = |tongue: &Said<String>| Some((base.id.as_ref()?.value.clone(), tongue.value.clone()));
        let variant_of = tongue.and_then(of);
        let id = tongue.zip(variant_of.as_ref()).map(|(said, (of, own))| Said {
            value: PromptId::from(of.as_str()).in_language(&LanguageId::from(own.as_str())).to_string(),
            spot: said.spot.clone(),
        });
        let table = PromptTable {
            spot: reader.spot.clone(),
            id,
            variant_of,
            is_dialect,
            class: base.class.clone(),
            text: reader.required("text", mute()),
            pinyin: reader.optional("pinyin"),
            file: reader.required("file", mute()),
            sha256: reader.required("sha256", mute()),
            approver: reader.optional("approver"),
            valid_from: reader.optional("valid_from"),
            valid_until: reader.optional("valid_until"),
        };
        let _: Option<Said<String>> = reader.optional("english");
        table
    }
}

fn one_tongue(spot: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E0509",
            spot,
            "变体要写 language 或 dialect 其中之一",
            "a variant says either language or dialect",
        )
        .effect("没有来电会听到它", "no caller would ever hear it")
        .remedy(
            "写 language = \"en\" 或 dialect = \"豫北\"，只写一个",
            "write language = \"en\" or dialect = \"豫北\", one of them only",
        );
}

/// Letters, digits and `_`, a letter first: what flows and file names can say.
pub fn is_id(id: &str) -> bool {
    id.starts_with(|letter: char| letter.is_ascii_lowercase())
        && id.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}
