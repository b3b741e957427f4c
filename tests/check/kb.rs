//! The knowledge base: its file is a part of the plan, an engine that opens takes what is whole of it, and a reload tells
//! each article that changes.

use hotline::routing::diagnostic::Severity;
use hotline::routing::difference::Difference;
use hotline::routing::kb::KbKind;
use hotline::routing::plan::Plan;

use super::base::{Edit, Files, add, codes};
use super::fixture::Fixture;

const ON: Edit = add!("[kb]\nkind = \"jsonl\"\npath = \"kb.jsonl\"");

/// An article of the compact plan's owners, with this between its version and its title.
macro_rules! article {
    ($id:literal, $more:literal) => {
        concat!(
            "{\"id\":\"", $id, "\",\"version\":3,", $more,
            "\"title\":\"法律援助\",\"text\":\"带身份证件。\",\"owner\":\"市司法局\",\"approver\":\"张三\"}\n"
        )
    };
}

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E1621",
        what: "a line that broke off",
        edits: &[ON, Edit::File("kb.jsonl", concat!(article!("a", ""), "⟦{\"id\":\"b\"⟧"))],
    },
    Fixture {
        code: "W1623",
        what: "a base without articles",
        edits: &[ON, Edit::File("kb.jsonl", "⟦⟧\n \n")],
    },
    Fixture {
        code: "E1626",
        what: "a base at no address",
        edits: &[add!("[kb]\nkind = \"http\"\nurl = ⟦\"kb.example\"⟧\nsecret = { env = \"KB\" }")],
    },
    Fixture {
        code: "E0105",
        what: "an account in a base's address",
        edits: &[add!(
            "[kb]\nkind = \"http\"\nurl = ⟦\"https://a:geheim@kb.example/\"⟧\nsecret = { env = \"KB\" }"
        )],
    },
    Fixture {
        code: "E1601",
        what: "a token in a base's query",
        edits: &[add!(
            "[kb]\nkind = \"http\"\nurl = ⟦\"https://kb.example/ask?token=5up3r\"⟧\nsecret = { env = \"KB\" }"
        )],
    },
    Fixture {
        code: "E0116",
        what: "an address of a base in a file",
        edits: &[
            add!("[kb]\nkind = \"jsonl\"\npath = \"kb.jsonl\"\nurl = ⟦\"https://kb.example/\"⟧"),
            Edit::File("kb.jsonl", article!("a", "")),
        ],
    },
    Fixture {
        code: "E0107",
        what: "a clerk who waits without end",
        edits: &[
            add!("[kb]\nkind = \"jsonl\"\npath = \"kb.jsonl\"\ntimeout = ⟦\"11s\"⟧"),
            Edit::File("kb.jsonl", article!("a", "")),
        ],
    },
    Fixture {
        code: "E0107",
        what: "a base that nobody may ask",
        edits: &[
            add!("[kb]\nkind = \"jsonl\"\npath = \"kb.jsonl\"\nper_minute = ⟦0⟧"),
            Edit::File("kb.jsonl", article!("a", "")),
        ],
    },
    Fixture {
        code: "E0124",
        what: "a base that knows us by another's secret",
        edits: &[add!(
            "[kb]\nkind = \"http\"\nurl = \"https://kb.example/\"\nsecret = ⟦{ env = \"SEAT_1002\" }⟧"
        )],
    },
];

fn ids(plan: &Plan) -> Vec<&str> {
    let Some(KbKind::Jsonl { articles, .. }) = plan.kb.as_ref().map(|kb| &kb.kind) else { panic!("a file") };
    articles.list().iter().map(|article| article.id.as_str()).collect()
}

#[test]
fn an_engine_that_opens_takes_the_articles_that_are_whole_and_warns_of_the_others() {
    let some = Files::with(&[
        ON,
        Edit::File("kb.jsonl", concat!(article!("a", ""), "nonsense\n", article!("b", ""))),
    ]);
    assert!(some.judge().plan.is_none(), "a reload keeps what there was");
    let opened = some.open();
    assert_eq!(codes(&opened.report), ["E1621"]);
    assert_eq!(
        (opened.report.diagnostics[0].severity, opened.report.softened().count()),
        (Severity::Warning, 1)
    );
    assert_eq!(ids(&opened.plan.expect("callers are answered")), ["a", "b"]);
    let none = Files::with(&[ON, Edit::Gone("kb.jsonl")]).open();
    assert_eq!(codes(&none.report), ["E1620"]);
    assert!(ids(&none.plan.expect("callers are answered")).is_empty());
}

#[test]
fn a_change_of_an_article_is_another_plan_and_told_in_words() {
    let plan = |text| {
        let outcome = Files::with(&[ON, Edit::File("kb.jsonl", text)]).judge();
        assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
        outcome.plan.expect("a plan")
    };
    let old = plan(concat!(article!("a", ""), article!("b", "")));
    let new = plan(concat!(article!("b", "\"valid_from\":\"2026-07-01\","), article!("c", "")));
    assert_ne!(old.digest, new.digest);
    let told = Difference::between(&old, &new);
    assert!(told.changes.iter().all(|change| !change.wants_restart), "in force at once");
    let words: Vec<&str> = told.changes.iter().map(|change| change.text.en.as_str()).collect();
    assert_eq!(
        words,
        [
            "gone: article a",
            "article b: from - → 2026-07-01",
            "new: article c (version 3, title 法律援助, owner 市司法局)",
        ]
    );
    assert!(
        told.changes[1].text.zh.contains("知识条目 b: 起 无")
            || told.changes[1].text.zh.contains("知识条目 b: 起 -")
    );
}

#[test]
fn the_file_stands_beside_the_file_that_names_it() {
    let edits = [
        Edit::Plan("schema = 1\n", "schema = 1\ninclude = [\"parts/kb.toml\"]\n"),
        Edit::File("parts/kb.toml", "[kb]\nkind = \"jsonl\"\npath = \"kb.jsonl\"\n"),
        Edit::File("parts/kb.jsonl", article!("a", "")),
    ];
    let outcome = Files::with(&edits).judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    assert_eq!(ids(&outcome.plan.expect("a plan")), ["a"]);
}

#[test]
fn a_change_of_a_base_s_address_is_told_without_the_address() {
    let plan = |edit| {
        let outcome = Files::with(&[edit]).judge();
        assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
        outcome.plan.expect("a plan")
    };
    let old = plan(add!(
        "[kb]\nkind = \"http\"\nurl = \"https://kb.example/ask?c=5up3r\"\nsecret = { env = \"KB\" }"
    ));
    let new = plan(add!(
        "[kb]\nkind = \"http\"\nurl = \"https://kb.example/ask?c=5ecr3t\"\nsecret = { env = \"KB\" }"
    ));
    let told = |old: &Plan, new: &Plan| {
        let changes = Difference::between(old, new).changes;
        changes
            .into_iter()
            .map(|change| format!("{} / {}", change.text.zh, change.text.en))
            .collect::<Vec<_>>()
    };
    let words = told(&old, &new);
    assert_eq!(words, ["知识库: 其他设置有改动 / knowledge base: another setting has changed"]);
    let none = plan(Edit::Plan("prompts = \"prompts.toml\"", "prompts = \"prompts.toml\" # none"));
    let added = told(&none, &new);
    assert!(!added.is_empty() && added.iter().all(|line| !line.contains("kb.example")), "{added:?}");
}
