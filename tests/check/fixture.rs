//! All fixtures, what must hold for each, and the proof that none is missing.

use std::collections::BTreeSet;
use std::path::Path;

use super::base::{Edit, Files, codes, is_error, severity};
use super::{
    callers, calling, cases, codecs, experts, feeds, files, flows, in_use, includes, kb, kpi, lines,
    meetings, names, network, peers, people, prompts, queueing, retention, rewriting, sealing, security,
    shape, three_way, trace, transports, trunk_terms, trunks,
};

/// One fault and what must be found: `code` and nothing else, at the marked text.
pub struct Fixture {
    pub code: &'static str,
    /// In words, for whoever reads a failure.
    pub what: &'static str,
    pub edits: &'static [Edit],
}

pub fn all() -> impl Iterator<Item = &'static Fixture> {
    let nouns: [&'static [Fixture]; 31] = [
        files::FIXTURES,
        includes::FIXTURES,
        shape::FIXTURES,
        lines::FIXTURES,
        in_use::FIXTURES,
        meetings::FIXTURES,
        names::FIXTURES,
        people::FIXTURES,
        experts::FIXTURES,
        peers::FIXTURES,
        three_way::FIXTURES,
        queueing::FIXTURES,
        callers::FIXTURES,
        calling::FIXTURES,
        kpi::FIXTURES,
        flows::FIXTURES,
        kb::FIXTURES,
        cases::FIXTURES,
        prompts::FIXTURES,
        network::FIXTURES,
        feeds::FIXTURES,
        transports::FIXTURES,
        trunks::FIXTURES,
        trunk_terms::FIXTURES,
        rewriting::FIXTURES,
        retention::FIXTURES,
        trace::FIXTURES,
        security::FIXTURES,
        codecs::FIXTURES,
        sealing::FIXTURES,
        if cfg!(feature = "opus") { &[] } else { codecs::WITHOUT_OPUS },
    ];
    nouns.into_iter().flatten()
}

#[test]
fn the_compact_plan_is_clean() {
    let outcome = Files::with(&[]).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    assert!(outcome.plan.is_some());
}

#[test]
fn every_fault_is_found_alone_at_its_place_in_two_languages_with_a_remedy() {
    let mut faults = Vec::new();
    for fixture in all() {
        if let Err(fault) = judge(fixture) {
            faults.push(format!("{} {}: {fault}", fixture.code, fixture.what));
        }
    }
    assert!(faults.is_empty(), "{} fixtures:\n{}", faults.len(), faults.join("\n"));
}

fn judge(fixture: &Fixture) -> Result<(), String> {
    let files = Files::with(fixture.edits);
    let outcome = files.judge();
    let report = &outcome.report;
    if codes(report) != [fixture.code] {
        return Err(format!("found {:?}\n{}", codes(report), report.render(false)));
    }
    let found = &report.diagnostics[0];
    let place = report.place(&found.spot);
    match (files.marked.as_slice(), &place) {
        ([], None) => {} // The command line.
        ([], Some(place)) if (place.line, place.column, found.spot.span.len()) == (1, 1, 0) => {}
        ([marked], Some(place)) => {
            let at = (place.file.as_str(), place.line, place.column);
            if at != (marked.file, marked.line, marked.column) {
                return Err(format!("stands at {at:?}, not at {marked:?}"));
            }
            if found.spot.span.len() != marked.text.len() {
                let length = found.spot.span.len();
                return Err(format!("underlines {length} bytes, not {:?}", marked.text));
            }
            if !report.render(false).contains(&format!("{}:{}:{}", place.file, place.line, place.column)) {
                return Err("the rendering does not say file:line:column".to_owned());
            }
        }
        other => return Err(format!("marked and found are {other:?}")),
    }
    let said = [Some(&found.problem), found.effect.as_ref(), found.remedy.as_ref()];
    if found.remedy.is_none() {
        return Err("no remedy".to_owned());
    }
    for text in said.into_iter().flatten() {
        let chinese = text.zh.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        let english = text.en.chars().any(|letter| letter.is_ascii_alphabetic());
        if !chinese || !english {
            return Err(format!("not in both languages: {text:?}"));
        }
    }
    if found.severity != severity(fixture.code) {
        return Err(format!("is a {:?}", found.severity));
    }
    let usable = !is_error(fixture.code);
    if outcome.plan.is_some() != usable || (report.exit_code() == 0) != usable {
        return Err(format!("exit code {}, plan {}", report.exit_code(), outcome.plan.is_some()));
    }
    Ok(())
}

/// Codes as the sources of the room say them.
pub fn codes_in_the_sources() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("plan/src/routing")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the room is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source file");
            let quoted = text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(quoted);
            codes.extend(quoted);
        }
    }
    codes
}

/// `"E0101"` and its like on a line.
fn quoted(line: &str) -> impl Iterator<Item = String> {
    line.split('"').skip(1).step_by(2).filter(|word| is_code(word)).map(str::to_owned)
}

fn is_code(word: &str) -> bool {
    word.len() == 5
        && word.starts_with(['E', 'W'])
        && word.bytes().skip(1).all(|letter| letter.is_ascii_digit())
}

#[test]
fn every_code_in_the_sources_has_a_fixture_and_every_fixture_a_code() {
    let written = codes_in_the_sources();
    let others = codecs::WITHOUT_OPUS.iter();
    let mut shown: BTreeSet<String> = all().chain(others).map(|fixture| fixture.code.to_owned()).collect();
    shown.extend(super::faulty::codes());
    shown.extend(cases::AGAINST_RUNNING.map(str::to_owned));
    shown.extend(sealing::BESIDE_DATA.map(str::to_owned));
    let unshown: Vec<_> = written.difference(&shown).collect();
    let unwritten: Vec<_> = shown.difference(&written).collect();
    assert!(written.len() > 50, "the sources were found");
    assert_eq!((unshown, unwritten), (vec![], vec![]));
}

#[test]
fn faults_in_many_places_are_all_reported_at_once_in_the_order_of_the_file() {
    let files = Files::with(&[
        Edit::Listen("[::]:5060"),
        Edit::Plan("area_code = \"0393\"", "area_code = ⟦\"393\"⟧"),
        Edit::Plan("silence_max = \"30s\"", "silence_max = ⟦30⟧"),
        Edit::Plan("months = 3", "months = ⟦0⟧\n⟦mnoths⟧ = 3"),
        Edit::Plan("greeting = \"greeting\"", "greeting = ⟦\"greting\"⟧"),
        Edit::Plan("secret = { env = \"SEAT_1002\" }", "secret = ⟦\"geheim\"⟧"),
        Edit::Plan("number = \"12336\"", "number = ⟦\"119\"⟧"),
        Edit::Plan("kind = \"sqlite\"", "kind = ⟦\"sqlit\"⟧"),
        Edit::Manifest("file = \"survey.wav\"", "fiel = \"survey.wav\""),
    ]);
    let report = files.judge().report;
    let expected =
        ["E0607", "E0111", "E0106", "E0210", "E0101", "E0302", "E0105", "E0202", "E0104", "E0102", "E0101"];
    assert_eq!(codes(&report), expected, "{}", report.render(false));
    let places: Vec<_> =
        report.diagnostics[1..9].iter().filter_map(|found| report.place(&found.spot)).collect();
    let marked: Vec<_> = files.marked.iter().map(|place| (place.line, place.column)).collect();
    assert_eq!(places.iter().map(|place| (place.line, place.column)).collect::<Vec<_>>(), marked);
    assert!(report.place(&report.diagnostics[0].spot).is_none(), "the command line comes first");
    assert_eq!(report.diagnostics[0].spot.key, "--listen");
    assert_eq!(
        report.place(&report.diagnostics[9].spot).map(|place| place.file).as_deref(),
        Some("prompts.toml")
    );
    assert_eq!(report.exit_code(), 1);
}
