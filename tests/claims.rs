//! What README.md claims of SIP and of sound, held to the sources: every test that it names is there and tests
//! something, and both languages name the same.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the claims, by their cells.
fn rows(readme: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(root().join(readme)).unwrap();
    let sections = text.split("\n## ").filter(|section| section.contains("`tests/claims.rs`"));
    let rows = sections.flat_map(|table| table.lines().filter(|line| line.starts_with('|')).skip(2));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// Names in backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// How many tests a file or folder holds.
fn tests_in(path: &Path) -> usize {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return entries.map(|entry| tests_in(&entry)).sum();
    }
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    let text = if is_rust { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() };
    ["#[test]", "#[tokio::test"].iter().map(|mark| text.matches(mark).count()).sum()
}

/// `tests/x/y.rs`, `tests/x`, or a module of the library with its folder.
fn tests_named(name: &str) -> usize {
    if name.starts_with("tests/") {
        let path = root().join(name);
        return if path.exists() { tests_in(&path) } else { tests_in(&path.with_extension("rs")) };
    }
    let inside = name.replace("::", "/");
    let module = match name.starts_with("routing::") {
        true => root().join("plan/src").join(inside),
        false => root().join("src").join(inside),
    };
    let beside = module.with_file_name(format!("{}_test.rs", module.file_name().unwrap().display()));
    let folder = if module.is_dir() { tests_in(&module) } else { 0 };
    folder + tests_in(&module.with_extension("rs")) + tests_in(&beside)
}

#[test]
fn every_test_that_a_claim_names_is_there() {
    let rows = rows("README.md");
    assert!(rows.len() >= 40, "{} claims", rows.len());
    for row in &rows {
        let [_, claim, _, tests] = &row[..] else { panic!("four cells: {row:?}") };
        let names = quoted(tests);
        assert!(!names.is_empty(), "{claim} names no test");
        for name in names {
            assert!(tests_named(name) > 0, "{name}, which shows \"{claim}\", holds no test");
        }
    }
}

#[test]
fn both_languages_claim_the_same_by_the_same_tests() {
    let key = |rows: Vec<Vec<String>>| -> Vec<(String, String)> {
        rows.into_iter().map(|row| (row[0].clone(), row[3].clone())).collect()
    };
    assert_eq!(key(rows("README.md")), key(rows("README.zh.md")));
}
