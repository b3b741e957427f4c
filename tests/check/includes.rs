//! A plan in several files: put together in order, and what can be wrong with that.

use hotline::io::plan_files;
use hotline::routing::Overrides;

use super::base::{Edit, Files, codes};
use super::fixture::Fixture;

/// The plan's first line, with files to include in front.
macro_rules! include_files {
    ($list:literal) => {
        Edit::Plan("purpose = \"live\"", concat!("include = ", $list, "\npurpose = \"live\""))
    };
}

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0004",
        what: "a table in two files",
        edits: &[include_files!("[\"city.toml\"]"), Edit::File("city.toml", "⟦[city]⟧\nname = \"x\"\n")],
    },
    Fixture {
        code: "E0004",
        what: "a key of the top in two files",
        edits: &[include_files!("[\"more.toml\"]"), Edit::File("more.toml", "purpose = ⟦\"bench\"⟧\n")],
    },
    Fixture {
        code: "E0005",
        what: "an included file is not there",
        edits: &[include_files!("[⟦\"seats.toml\"⟧]")],
    },
    Fixture {
        code: "E0005",
        what: "a file that an included one includes is not there, beside that one",
        edits: &[
            include_files!("[\"lines/all.toml\"]"),
            Edit::File("lines/all.toml", "include = [⟦\"seats.toml\"⟧]\n"),
            Edit::File("seats.toml", ""),
        ],
    },
    Fixture {
        code: "E0006",
        what: "the routing file includes itself",
        edits: &[include_files!("[⟦\"./routing.toml\"⟧]")],
    },
    Fixture {
        code: "E0006",
        what: "two files include each other",
        edits: &[
            include_files!("[\"lines/a.toml\"]"),
            Edit::File("lines/a.toml", "include = [\"b.toml\"]\n"),
            Edit::File("lines/b.toml", "include = [⟦\"../lines/a.toml\"⟧]\n"),
        ],
    },
    Fixture {
        code: "E0007",
        what: "a file is included twice",
        edits: &[include_files!("[\"a.toml\", ⟦\"./a.toml\"⟧]"), Edit::File("a.toml", "")],
    },
    Fixture {
        code: "E0007",
        what: "a pattern fits a file that is included already",
        edits: &[
            include_files!("[\"lines/a.toml\", ⟦\"lines/*.toml\"⟧]"),
            Edit::File("lines/a.toml", ""),
            Edit::File("lines/b.toml", ""),
        ],
    },
    Fixture {
        code: "E0008",
        what: "no file fits a pattern",
        edits: &[include_files!("[⟦\"lines/*.toml\"⟧]"), Edit::File("lines/a.tml", "")],
    },
    Fixture {
        code: "E0009",
        what: "an included file is of another version",
        edits: &[include_files!("[\"a.toml\"]"), Edit::File("a.toml", "schema = ⟦2⟧\n")],
    },
    Fixture {
        code: "E0010",
        what: "files include others too deep",
        edits: &[
            include_files!("[\"1.toml\"]"),
            Edit::File("1.toml", "include = [\"2.toml\"]"),
            Edit::File("2.toml", "include = [\"3.toml\"]"),
            Edit::File("3.toml", "include = [\"4.toml\"]"),
            Edit::File("4.toml", "include = [⟦\"5.toml\"⟧]"),
            Edit::File("5.toml", ""),
        ],
    },
    Fixture {
        code: "E0011",
        what: "a star for directories",
        edits: &[include_files!("[⟦\"**/a.toml\"⟧]"), Edit::File("a.toml", "")],
    },
    Fixture {
        code: "E0011",
        what: "a directory is no file",
        edits: &[include_files!("[⟦\"lines/\"⟧]"), Edit::File("lines/a.toml", "")],
    },
    Fixture {
        code: "E0103",
        what: "a file that is included stands by itself, not in a list",
        edits: &[include_files!("⟦\"a.toml\"⟧"), Edit::File("a.toml", "")],
    },
    Fixture {
        code: "E0101",
        what: "an unknown table of an included file",
        edits: &[include_files!("[\"a.toml\"]"), Edit::File("a.toml", "[⟦citty⟧]\nname = \"x\"\n")],
    },
    Fixture {
        code: "E0003",
        what: "an included file is no TOML",
        edits: &[include_files!("[\"a.toml\"]"), Edit::File("a.toml", "[[seat]]\nid = ⟦x⟧\n")],
    },
    Fixture {
        code: "E0002",
        what: "an included file is in GBK",
        edits: &[include_files!("[\"a.toml\"]"), Edit::Bytes("a.toml", b"# \xc5\xa7\xd1\xf4\n")],
    },
];

const NUMBER: &str =
    "\n[[number]]\nname = \"x\"\nowner = \"y\"\nmode = \"dual\"\nqueue = \"main\"\nnumber = ";

/// The plan's numbers by name, in the order in which the files say them.
fn seats(files: &Files) -> Vec<String> {
    let outcome = files.judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let text = files.judge_noting().effective.expect("a plan").json();
    let values = text["values"].as_array().expect("a list").clone();
    let ids = values.iter().filter(|row| row["key"].as_str().is_some_and(|key| key.ends_with("].number")));
    let ids = ids.filter(|row| row["key"].as_str().is_some_and(|key| key.starts_with("number[")));
    ids.filter_map(|row| row["value"].as_str().map(str::to_owned)).collect()
}

#[test]
fn arrays_of_several_files_are_put_together_in_the_order_of_the_includes() {
    let line = |number: &str| String::leak(format!("{NUMBER}\"{number}\"\n")) as &'static str;
    let nested = String::leak(format!("include = [\"deep/e.toml\"]\n{}", line("12301"))) as &'static str;
    let files = Files::with(&[
        include_files!("[\"z.toml\", \"lines/*.toml\", \"a.toml\"]"),
        Edit::File("z.toml", line("12300")),
        Edit::File("lines/b.toml", line("12303")),
        Edit::File("lines/a.toml", nested),
        Edit::File("lines/deep/e.toml", line("12302")),
        Edit::File("lines/.hidden.toml", "this is no TOML"),
        Edit::File("lines/notes.txt", "nor is this"),
        Edit::File("a.toml", line("12304")),
    ]);
    let own = ["12345", "12336", "12348", "12366"];
    assert_eq!(seats(&files), [&own[..], &["12300", "12301", "12302", "12303", "12304"]].concat());
}

#[test]
fn a_table_may_stand_in_any_file_and_the_plan_is_the_same() {
    let whole = Files::with(&[]);
    let text = whole.text("routing.toml").expect("the plan");
    let at = text.find("[limits]").expect("a table");
    let (head, rest) = text.split_at(at);
    let head = head.replace("schema = 1\n", "schema = 1\ninclude = [\"rest.toml\"]\n");
    let parts = Files::with(&[
        Edit::Bytes("routing.toml", String::leak(head).as_bytes()),
        Edit::File("rest.toml", String::leak(rest.to_owned())),
    ]);
    let (one, two) = (whole.judge(), parts.judge());
    assert_eq!(codes(&two.report), [""; 0], "{}", two.report.render(false));
    let (one, mut two) = (one.plan.expect("a plan"), two.plan.expect("a plan"));
    assert_ne!(one.digest, two.digest);
    two.digest.clone_from(&one.digest);
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
}

#[test]
fn the_digest_is_of_all_files() {
    let with = |text| {
        let files = Files::with(&[include_files!("[\"a.toml\"]"), Edit::File("a.toml", text)]);
        files.judge().plan.expect("a plan").digest
    };
    assert_eq!(with("# 1\n"), with("# 1\n"));
    assert_ne!(with("# 1\n"), with("# 2\n"));
}

#[test]
fn prompts_are_looked_for_beside_the_file_that_names_them() {
    let files = Files::with(&[
        Edit::Plan("prompts = \"prompts.toml\"\n", "include = [\"sounds/here.toml\"]\n"),
        Edit::File("sounds/here.toml", "prompts = \"../prompts.toml\"\n"),
    ]);
    let outcome = files.judge();
    // The manifest's own name is what it is called in the file: "sounds/../prompts.toml" is not in memory.
    let report = outcome.report;
    assert_eq!(codes(&report), ["E0501"], "{}", report.render(false));
    assert!(
        report.diagnostics[0].problem.en.contains("sounds/../prompts.toml"),
        "{:?}",
        report.diagnostics[0]
    );
}

#[test]
fn faults_of_several_files_come_by_file_and_line_and_point_across() {
    let line = String::leak(format!("{NUMBER}⟦\"12348\"⟧\n")) as &'static str;
    let files = Files::with(&[
        include_files!("[\"b.toml\", \"a.toml\"]"),
        Edit::Plan("tries = 2", "tries = ⟦\"2\"⟧"),
        Edit::File("b.toml", line),
        Edit::File(
            "a.toml",
            "[[seat]]\nid = \"1003\"\nname = \"x\"\nqueues = [⟦\"mian\"⟧]\nsecret = ⟦\"geheim\"⟧\n",
        ),
    ]);
    let report = files.judge().report;
    assert_eq!(codes(&report), ["E0103", "E0201", "E0301", "E0105"], "{}", report.render(false));
    let places: Vec<_> = report.diagnostics.iter().filter_map(|found| report.place(&found.spot)).collect();
    let marked = files.marked.iter().map(|place| (place.file, place.line, place.column));
    let found = places.iter().map(|place| (place.file.as_str(), place.line, place.column));
    assert!(found.eq(marked), "{places:?} {:?}", files.marked);
    let text = report.render(false);
    assert!(!text.contains("geheim") && text.contains("********"), "{text}");
    // The number that was there before stands in another file: both are shown.
    let (before, behind) = (text.find("b.toml:7:10"), text.find("::: routing.toml:104:10"));
    assert!(before < behind && before.is_some(), "{text}");
    assert!(report.to_json().to_string().contains("\"related\":{\"column\""), "{}", report.to_json());
}

#[test]
fn no_secret_is_shown_of_a_file_that_cannot_be_read() {
    let files = Files::with(&[
        include_files!("[\"a.toml\", \"b.toml\"]"),
        Edit::File("a.toml", "[[seat]]\nid = 1 password = \"geheim\n"),
        Edit::File("b.toml", "[[trunk]]\naccount = { user = \"u\", password = 'geheim', }}\n"),
    ]);
    let report = files.judge().report;
    assert!(codes(&report).iter().all(|code| *code == "E0003"), "{}", report.render(false));
    let in_files: std::collections::BTreeSet<_> =
        report.diagnostics.iter().filter_map(|found| Some(report.place(&found.spot)?.file)).collect();
    assert_eq!(in_files.into_iter().collect::<Vec<_>>(), ["a.toml", "b.toml"]);
    assert!(!report.render(false).contains("geheim"), "{}", report.render(false));
    assert!(!report.to_json().to_string().contains("geheim"), "{}", report.to_json());
    assert_eq!(report.exit_code(), 2);
}

#[test]
fn directories_are_listed_on_disk_and_only_their_files_count() {
    let folder = std::env::temp_dir().join(format!("hotline-includes-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("lines/more.toml")).expect("folders");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    write("routing.toml", "schema = 1\ninclude = [\"lines/*.toml\", \"gone/*.toml\"]\n");
    write("lines/b.toml", "purpose = 2\n");
    let outcome = plan_files::load(&folder.join("routing.toml"), &Overrides::default());
    let report = outcome.report;
    assert_eq!(codes(&report), ["E0008"], "{}", report.render(false));
    assert!(report.diagnostics[0].problem.en.contains("no such directory"), "{}", report.render(false));
    let pipe = folder.join("pipe.toml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()));
    write("routing.toml", "schema = 1\ninclude = [\"pipe.toml\"]\n");
    let report = plan_files::load(&folder.join("routing.toml"), &Overrides::default()).report;
    assert!(report.render(false).contains("not a regular file"), "{}", report.render(false));
    write("routing.toml", "schema = 1\ninclude = [\"lines/*.toml\"]\n");
    let outcome = plan_files::load(&folder.join("routing.toml"), &Overrides::default());
    let found = codes(&outcome.report);
    std::fs::remove_dir_all(&folder).expect("the folder");
    assert!(found.contains(&"E0103"), "the file was read: {found:?}");
    assert!(!found.iter().any(|code| code.starts_with("E00")), "{found:?}");
}
