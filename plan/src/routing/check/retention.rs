//! How long recordings are kept: said where there are any, and of calls that there can be.

use super::super::diagnostic::Spot;
use super::super::nearest::nearest;
use super::super::plan::tells_of_recording;
use super::super::prompts::ManifestTable;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::references::{self, Seen};

/// A live house that records says for how long.
pub fn said(table: &RoutingTable, problems: &mut Problems) {
    let Some(on) = table.recording.as_ref().filter(|said| said.value && table.is_live()) else { return };
    if table.recording_keep_is_said {
        return; // If wrongly, that has an error of its own.
    }
    problems
        .error(
            "E1401",
            &on.spot,
            "录音保存多久须由贵市决定，没有默认值",
            "how long recordings are kept is for the city to decide and has no default",
        )
        .effect(
            "录音或者永远不删，或者没有人说得清为什么删了",
            "recordings would never be removed, or nobody could say why they were",
        )
        .remedy(
            "在 [recording] 下写 keep，如三年 keep = \"1095d\"",
            "say it under [recording], like keep = \"1095d\" for three years",
        );
}

/// Classes that calls can fall into, each of its own name.
pub fn classes(table: &RoutingTable, problems: &mut Problems) {
    let mut names = Seen::default();
    let lines = references::names(table.numbers.iter().map(|line| &line.number));
    let codes = codes(table);
    for class in &table.recording_classes {
        if let Some(name) = &class.name
            && let Some(earlier) = names.before(name)
        {
            references::named_twice(name, earlier, ("录音类别", "recording classes"), problems);
        }
        let (Some(of_lines), Some(of_codes)) = (&class.lines, &class.codes) else { continue };
        if of_lines.value.is_empty() && of_codes.value.is_empty() {
            everything(&class.spot, problems);
        }
        for said in of_lines.value.iter().filter(|said| !lines.contains(&said.value.as_str())) {
            no_line(said, &lines, problems);
        }
        for said in of_codes.value.iter().filter(|said| !codes.contains(&said.value.as_str())) {
            no_code(said, &codes, problems);
        }
    }
}

/// Codes that make a recording secret are codes that a call can have.
pub fn secret(table: &RoutingTable, problems: &mut Problems) {
    let codes = codes(table);
    let said = table.recording_secret.iter().flat_map(|said| &said.value);
    for said in said.filter(|said| !codes.contains(&said.value.as_str())) {
        no_code(said, &codes, problems);
    }
}

/// The notice tells of the recording. (A lane that leaves out the greeting where there is no notice has a warning of its
/// own.)
pub fn told(table: &RoutingTable, manifest: Option<&ManifestTable>, problems: &mut Problems) {
    if let Some(notice) = &table.recording_notice {
        if table.recording.as_ref().is_some_and(|said| !said.value) {
            return super::misplaced(&notice.spot, "enabled = false", problems);
        }
        let said =
            manifest.and_then(|manifest| manifest.get(&notice.value)).and_then(|own| own.text.as_ref());
        if let Some(text) = said.filter(|text| !tells_of_recording(&text.value)) {
            tells_nothing(notice, text, problems);
        }
    }
}

fn tells_nothing(notice: &Said<String>, text: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E1406",
            &notice.spot,
            format!("提示音 {} 没有说到通话录音", notice.value),
            format!("the prompt {} does not tell that the call is recorded", notice.value),
        )
        .effect(
            "来电人听了它，仍不知道自己被录音",
            "callers who hear it would still not know that they are recorded",
        )
        .remedy(
            format!("改提示音的文字，写明“通话”和“录音”，再重新生成；现在说的是: {}", text.value),
            format!("change its words, so that they have 通话 and 录音 or \"recorded\", and make it again; it says: {}", text.value),
        );
}

/// What a call can be said to be about: a field, a type, a reason for which it is not accepted.
fn codes(table: &RoutingTable) -> Vec<&str> {
    let Some(own) = &table.disposition else { return Vec::new() };
    let tables = [&own.fields, &own.types, &own.not_accepted];
    let entries = tables.into_iter().flatten().flat_map(|said| &said.value.0);
    entries.map(|(code, _)| code.value.as_str()).collect()
}

fn everything(spot: &Spot, problems: &mut Problems) {
    problems
        .error("E1404", spot, "这个录音类别没有说是哪些通话", "this class does not say which calls are of it")
        .effect(
            "每一次通话都会归入它，[recording] 的 keep 就不起作用了",
            "every call would be of it, and keep of [recording] would be of no effect",
        )
        .remedy(
            "写 lines 或 codes，或删去这一类、改 [recording] 的 keep",
            "give lines or codes, or remove the class and change keep of [recording]",
        );
}

fn no_line(said: &Said<String>, lines: &[&str], problems: &mut Problems) {
    problems
        .error(
            "E1403",
            &said.spot,
            format!("没有号码 {}，录音归不进这一类", said.value),
            format!("there is no number {}: no recording can be of this class by it", said.value),
        )
        .effect(
            "以为留着的录音会按别的期限删除",
            "recordings that were thought to be kept would be removed by another term",
        )
        .remedy("改为 [[number]] 里有的号码", "use a number that a [[number]] has")
        .nearest(nearest(&said.value, lines.iter().copied()));
}

fn no_code(said: &Said<String>, codes: &[&str], problems: &mut Problems) {
    problems
        .error(
            "E1405",
            &said.spot,
            format!("[disposition] 里没有代码 \"{}\"", said.value),
            format!("[disposition] has no code \"{}\"", said.value),
        )
        .effect(
            "没有一次通话会因它而留得更久，或因它而涉密",
            "no call would be kept for longer, or be secret, by it",
        )
        .remedy(
            "改为 fields、types 或 not_accepted 里的代码，或先在那里定义它",
            "use a code of fields, types or not_accepted, or define it there first",
        )
        .nearest(nearest(&said.value, codes.iter().copied()));
}
