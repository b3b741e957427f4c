//! The prompts: complete, unchanged, playable, and short where the caller waits for a person.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::diagnostic::Spot;
use super::super::nearest::nearest;
use super::super::plan::Prompt;
use super::super::prompts::{self, ManifestTable, PromptTable, REQUIRED, SAMPLE_RATE, SoundFault};
use super::super::source::{Fetched, Problems, Said, beside};
use super::super::speech;
use super::super::tables::callers::ActWord;
use super::super::tables::script::{ActTable, FlowTable};
use super::super::tables::{NumberTable, QueueTable, RoutingTable};
use super::super::three_way::{JOIN_TONE, LEAVE_TONE};
use super::{references, three_way, validity};
use crate::id::PromptId;

/// What a caller hears before the queue begins.
const GREETING_MAX: Duration = Duration::from_secs(5);

/// Decodes the prompts that the plan needs, from files by the name they were asked for.
pub fn sounds(
    table: &RoutingTable,
    manifest: &ManifestTable,
    manifest_name: &str,
    files: &BTreeMap<String, Fetched>,
    problems: &mut Problems,
) -> BTreeMap<PromptId, Prompt> {
    references::once(manifest.prompts.iter().map(|prompt| &prompt.id), ("提示音", "prompt"), problems);
    languages_are_spoken(table, manifest, problems);
    validity::ends_after_it_begins(manifest, problems);
    if table.is_live() {
        complete(table, manifest, problems);
        keys_are_told(table, manifest, problems);
    }
    let mut decoded = BTreeMap::new();
    for entry in wanted(table, manifest) {
        if let Some(prompt) = sound(entry, manifest_name, files, problems) {
            decoded.insert(prompt.id.clone(), prompt);
        }
    }
    if let Some(notice) = &table.recording_notice {
        short_enough(NOTICE, notice, None, &decoded, problems);
        for language in languages_of(table.numbers.iter()) {
            short_enough(NOTICE, notice, Some(language), &decoded, problems);
        }
    }
    for queue in &table.queues {
        let surge = queue.rules.surge.as_ref().and_then(|surge| surge.greeting.as_ref());
        for greeting in queue.greeting.iter().chain(surge) {
            short_enough(GREETING, greeting, None, &decoded, problems);
            for language in languages_in(table, queue) {
                short_enough(GREETING, greeting, Some(language), &decoded, problems);
            }
        }
    }
    for line in &table.numbers {
        if let Some(greeting) = &line.greeting {
            short_enough(GREETING, greeting, None, &decoded, problems);
            let own = line.language.iter();
            own.for_each(|own| short_enough(GREETING, greeting, Some(own), &decoded, problems));
        }
    }
    if table.is_live() {
        three_way::tones_are_short(table, &decoded, problems);
    }
    decoded
}

/// The entries that the plan needs: all in a live file, those it names in a bench file.
pub fn wanted<'a>(
    table: &'a RoutingTable,
    manifest: &'a ManifestTable,
) -> impl Iterator<Item = &'a PromptTable> {
    let named: BTreeSet<&str> =
        references::prompt_references(table).map(|said| said.value.as_str()).collect();
    manifest.prompts.iter().filter(move |entry| {
        let id = entry.id.as_ref().map(|said| said.value.as_str());
        table.is_live() || id.is_some_and(|id| named.contains(id))
    })
}

fn complete(table: &RoutingTable, manifest: &ManifestTable, problems: &mut Problems) {
    let spot = table.prompts.as_ref().map_or(&table.spot, |said| &said.spot);
    let needed: BTreeSet<&str> = said_by(table).collect();
    let needed = REQUIRED.into_iter().chain(needed); // Of what two flows read out, once.
    let missing: Vec<&str> = needed.filter(|id| manifest.get(id).is_none()).collect();
    if missing.is_empty() {
        return;
    }
    let missing = missing.join(", ");
    problems
        .error(
            "E0505",
            spot,
            format!("提示音清单缺少引擎必需的: {missing}"),
            format!("the manifest lacks prompts that the engine needs: {missing}"),
        )
        .effect(
            "播报工号、工单号、排队位置或流程里的日期、金额时会缺字，来电人听不明白",
            "clerk numbers, ticket numbers, places in the queue or what flows read out would have holes",
        )
        .remedy(
            "把它们补进清单，再用 hotline prompts speak 生成",
            "add them to the manifest, and make the files by hotline prompts speak",
        );
}

/// What is said by id with this file and would not be with another: some of
/// [`SAID_SOMETIMES`](prompts::SAID_SOMETIMES).
fn said_by(table: &RoutingTable) -> impl Iterator<Item = &'static str> {
    let acts = table.policies.iter().filter_map(|policy| policy.act.as_ref());
    let groups = table.experts.iter().map(|group| &group.hours);
    let departments = table.asked().map(|department| &department.hours);
    let any_hours = groups.chain(departments).any(|hours| hours.spot.is_some());
    let follow_up = table.follow_up.as_ref().and_then(|follow_up| follow_up.enabled.as_ref());
    let callback = table.queues.iter().any(|queue| queue.rules.callback.is_some());
    let reason = table.survey.as_ref().and_then(|survey| survey.reason.as_ref());
    let tones = three_way::tones(table).map(|said| said.value).unwrap_or_default();
    [
        (prompts::CALLBACK_OFFER, callback),
        ("callback_kept", callback),
        (prompts::COOL_DOWN, acts.into_iter().any(|said| said.value == ActWord::CoolDown)),
        ("survey_reason", reason.is_some_and(|said| said.value)),
        ("expert_unanswered", !table.experts.is_empty()),
        ("department_unanswered", table.asked().next().is_some()),
        ("emergency_unanswered", !table.emergencies.is_empty()),
        ("after_hours", any_hours),
        ("follow_up_greeting", follow_up.is_some_and(|said| said.value)),
        (JOIN_TONE, tones.of_joining().is_some()),
        (LEAVE_TONE, tones.of_leaving().is_some()),
    ]
    .into_iter()
    .filter(|(_, said)| *said)
    .map(|(id, _)| id)
    .chain(read_out(table))
}

/// What values are read out with, in flows that say them.
fn read_out(table: &RoutingTable) -> impl Iterator<Item = &'static str> {
    let readings = table.flows.iter().flat_map(FlowTable::acts).flat_map(ActTable::readings);
    readings.flat_map(|reading| speech::fragments(reading).iter().copied())
}

/// A prompt that tells of a key tells of the one that the file has.
fn keys_are_told(table: &RoutingTable, manifest: &ManifestTable, problems: &mut Problems) {
    let callbacks = table.queues.iter().filter_map(|queue| queue.rules.callback.as_ref());
    let callbacks = callbacks.filter_map(|own| own.key.as_ref()).map(|key| (prompts::CALLBACK_OFFER, key));
    let cools = table
        .policies
        .iter()
        .any(|policy| policy.act.as_ref().is_some_and(|said| said.value == ActWord::CoolDown));
    let urgent = table.callers.as_ref().and_then(|own| own.urgent_key.as_ref()).filter(|_| cools);
    for (id, key) in callbacks.chain(urgent.map(|key| (prompts::COOL_DOWN, key))) {
        let key_said = key.value.0;
        let texts = manifest.family(id).filter_map(|prompt| prompt.text.as_ref());
        let Some(text) = texts.into_iter().find(|text| !text.value.contains(key_said)) else { continue };
        problems
            .error(
                "E0507",
                &key.spot,
                format!("提示音 {id} 里没有说到按键 {key_said}"),
                format!("the prompt {id} does not tell of the key {key_said}"),
            )
            .effect("来电人照提示按的键不起作用", "callers who press what they are told would press in vain")
            .remedy(
                format!("改提示音的文字并重新生成，或改按键；现在说的是: {}", text.value),
                format!(
                    "change what the prompt says and make it again, or change the key; it says: {}",
                    text.value
                ),
            );
    }
}

/// The ids that callers can come to hear with this file, whether the manifest has them or not.
pub fn in_use(table: &RoutingTable, manifest: Option<&ManifestTable>) -> BTreeSet<String> {
    let named = references::prompt_references(table).map(|said| said.value.clone());
    let mut ids: BTreeSet<String> = named.collect();
    if table.is_live() {
        ids.extend(REQUIRED.into_iter().chain(said_by(table)).map(str::to_owned));
    }
    let languages: BTreeSet<&str> = table
        .numbers
        .iter()
        .filter_map(|line| line.language.as_ref())
        .map(|said| said.value.as_str())
        .collect();
    let variants = manifest.iter().flat_map(|manifest| &manifest.prompts).filter(|prompt| {
        let own = prompt.variant_of.as_ref();
        own.is_some_and(|(of, own)| ids.contains(of) && languages.contains(own.as_str()))
    });
    let variants: Vec<String> =
        variants.filter_map(|own| own.id.as_ref()).map(|id| id.value.clone()).collect();
    ids.extend(variants);
    ids
}

/// A line's language is one that something is spoken in.
fn languages_are_spoken(table: &RoutingTable, manifest: &ManifestTable, problems: &mut Problems) {
    let spoken: BTreeSet<&str> = manifest.languages().collect();
    for said in table.numbers.iter().filter_map(|line| line.language.as_ref()) {
        if spoken.contains(said.value.as_str()) {
            continue;
        }
        let known = spoken.iter().copied().collect::<Vec<_>>().join(", ");
        let (zh_known, en_known) = match known.as_str() {
            "" => ("现在一种也没有".to_owned(), "there is none yet".to_owned()),
            known => (format!("已有: {known}"), format!("there are: {known}")),
        };
        problems
            .error(
                "E0510",
                &said.spot,
                format!("没有一条提示音有 \"{}\" 的变体", said.value),
                format!("no prompt has a variant in \"{}\"", said.value),
            )
            .effect(
                "拨打这个号码的人听到的仍是普通话，而没有人会察觉",
                "its callers would hear what all others hear, and nobody would notice",
            )
            .remedy(
                format!("用 hotline prompts import --language 加上变体，或删去这一行；{zh_known}"),
                format!("add variants by hotline prompts import --language, or remove the line; {en_known}"),
            )
            .nearest(nearest(&said.value, spoken.iter().copied()));
    }
}

fn sound(
    entry: &PromptTable,
    manifest_name: &str,
    files: &BTreeMap<String, Fetched>,
    problems: &mut Problems,
) -> Option<Prompt> {
    let (id, file, sealed) = (entry.id.as_ref()?, entry.file.as_ref()?, entry.sha256.as_ref()?);
    let bytes = match files.get(&beside(manifest_name, &file.value))? {
        Ok(bytes) => bytes,
        Err(reason) => {
            problems
                .error(
                    "E0502",
                    &file.spot,
                    format!("提示音文件 {} 读不到（{reason}）", file.value),
                    format!("the prompt file {} cannot be read ({reason})", file.value),
                )
                .effect("需要它的地方来电人只能听到静音", "callers would hear silence where it is needed")
                .remedy(
                    "放回该文件，或用 hotline prompts import 或 speak 重新生成",
                    "put the file back, or make it again by hotline prompts import or speak",
                );
            return None;
        }
    };
    match prompts::decode(bytes, &sealed.value) {
        Ok(samples) => Some(Prompt {
            id: PromptId::from(id.value.as_str()),
            text: entry.text.as_ref()?.value.clone(),
            samples,
        }),
        Err(fault) => {
            unplayable(&fault, file, &sealed.spot, problems);
            None
        }
    }
}

fn unplayable(fault: &SoundFault, file: &Said<String>, sealed: &Spot, problems: &mut Problems) {
    match fault {
        SoundFault::Changed(actual) => problems
            .error(
                "E0503",
                sealed,
                format!("提示音文件 {} 与登记的 SHA-256 不符", file.value),
                format!("the prompt file {} is not the one that was sealed", file.value),
            )
            .effect("来电人可能听到未经审核的内容", "callers might hear something that nobody approved")
            .remedy(
                format!("审听后用 hotline prompts seal 重新登记；现在的 SHA-256 是 {actual}"),
                format!("listen to it and seal it by hotline prompts seal; its SHA-256 is {actual}"),
            ),
        SoundFault::Format(found) => problems
            .error(
                "E0504",
                &file.spot,
                format!("提示音文件 {} 的格式不对: {}", file.value, found.zh),
                format!("the prompt file {} has the wrong format: {}", file.value, found.en),
            )
            .effect("来电人会听到变调或杂音", "callers would hear it at the wrong pitch, or noise")
            .remedy(
                "用 hotline prompts import 转换为 8000 Hz、16 位、单声道的 WAV",
                "convert it to WAV of 8000 Hz, 16 bits, one channel by hotline prompts import",
            ),
    };
}

/// The languages of lines whose callers wait in `queue`, each once.
fn languages_in<'a>(table: &'a RoutingTable, queue: &QueueTable) -> Vec<&'a Said<String>> {
    let name = queue.name.as_ref().map(|name| &name.value);
    languages_of(table.numbers.iter().filter(|line| line.queue.as_ref().map(|queue| &queue.value) == name))
}

/// The languages of lines, each once.
fn languages_of<'a>(lines: impl Iterator<Item = &'a NumberTable>) -> Vec<&'a Said<String>> {
    let mut found: Vec<&Said<String>> = Vec::new();
    for language in lines.filter_map(|line| line.language.as_ref()) {
        if !found.iter().any(|known| known.value == language.value) {
            found.push(language);
        }
    }
    found
}

fn length(prompt: &str, decoded: &BTreeMap<PromptId, Prompt>) -> Duration {
    let samples = decoded.get(prompt).map_or(0, |prompt| prompt.samples.len());
    Duration::from_millis(samples as u64 * 1_000 / u64::from(SAMPLE_RATE))
}

/// With one decimal.
pub(super) fn seconds(length: Duration) -> String {
    let millis = length.as_millis();
    format!("{}.{}", millis / 1_000, millis % 1_000 / 100)
}

/// What is said in front of a person, in both languages.
const GREETING: (&str, &str) = ("问候语", "greeting");
/// It may come in front of a greeting, or stand in its place.
const NOTICE: (&str, &str) = ("录音告知", "notice of the recording");

/// The greeting or the notice itself, or its variant in a language where there is one.
fn short_enough(
    (what_zh, what_en): (&str, &str),
    greeting: &Said<String>,
    language: Option<&Said<String>>,
    decoded: &BTreeMap<PromptId, Prompt>,
    problems: &mut Problems,
) {
    let variant =
        language.map(|own| PromptId::from(greeting.value.as_str()).in_language(&own.value.as_str().into()));
    let length = match &variant {
        Some(variant) => length(variant.as_str(), decoded), // Nothing, where there is none.
        None => length(&greeting.value, decoded),
    };
    if length <= GREETING_MAX {
        return;
    }
    let seconds = seconds(length);
    let (zh, en) = match language {
        Some(own) => (format!("\"{}\" 的", own.value), format!(" in \"{}\"", own.value)),
        None => (String::new(), String::new()),
    };
    let noted = problems
        .warning(
            "W0103",
            &greeting.spot,
            format!("{zh}{what_zh}长 {seconds} 秒，超过 5 秒"),
            format!("the {what_en}{en} lasts {seconds} s, more than 5 s"),
        )
        .effect(
            format!("15 秒内接通的时间被{what_zh}占去"),
            "it uses up the 15 s in which a person should answer",
        )
        .remedy(format!("缩短{what_zh}"), format!("make the {what_en} shorter"));
    if let Some(own) = language {
        noted.related(&own.spot, "用这种语言", "in this language");
    }
}
