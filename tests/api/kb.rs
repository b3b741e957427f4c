//! The knowledge base as clerks see it: by its file and by a program, what is never given out, how often it may be asked,
//! what goes wrong, and what is told of its use and its errors.

use std::sync::Arc;
use std::time::Duration;

use hotline::io::kb::Kb;
use hotline::io::secrets::Keyring;
use hotline::routing::kb::{self, Article, Articles, KbKind};
use hotline::routing::plan::SecretRef;
use hotline::switchboard::fact::{Cause, What};
use hotline::switchboard::request::{ArticleFault, ArticleUse, Refusal, Request};
use serde_json::{Value, json};

use crate::client::{get, post};
use crate::document::is_valid;
use crate::engine::{self, Engine};
use crate::fixture::{OWNER, Served, call, plan, story, token, until};
use crate::stub::{Answer, Stub, closed_door};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// A wait that a test sees the end of.
const SOON: Duration = Duration::from_millis(300);

fn article(id: &str, title: &str, owner: &str, days: (Option<&str>, Option<&str>)) -> Article {
    let day = |text: Option<&str>| text.map(|text| text.parse().unwrap());
    Article {
        id: id.into(),
        version: "3".into(),
        title: title.into(),
        text: "每年一次，可用手机办理。".into(),
        owner: owner.into(),
        lines: Vec::new(),
        valid_from: day(days.0),
        valid_until: day(days.1),
        approver: "张三".into(),
    }
}

/// A house with this base.
fn with(name: &str, kind: KbKind, per_minute: u32, timeout: Duration) -> Served {
    let served = Served::open(name);
    let mut plan = plan();
    plan.kb = Some(kb::Kb { kind, timeout, at_once: 2, per_minute });
    std::fs::write(served.data.join("kb-secret"), SECRET).unwrap();
    let base = Kb::open(&plan, &mut Keyring::new(&served.data)).unwrap();
    served.kb.send_replace(base.map(Arc::new));
    served
}

fn by_file(name: &str, per_minute: u32) -> Served {
    let owner = &plan().lines.get("12333").unwrap().owner.clone();
    let articles = Arc::new(Articles::new(vec![
        article("a", "资格认证", "市医保局", (None, None)),
        article("b", "资格认证", owner, (Some("2021-09-01"), None)),
        article("over", "资格认证", owner, (None, Some("2021-08-31"))),
        article("yet", "资格认证", owner, (Some("2999-01-01"), None)),
    ]));
    with(name, KbKind::Jsonl { path: "kb.jsonl".into(), articles }, per_minute, SOON)
}

fn by_program(name: &str, stub: &Stub) -> Served {
    at(name, &stub.url())
}

fn at(name: &str, url: &str) -> Served {
    let secret = SecretRef::File("kb-secret".into());
    with(name, KbKind::Http { url: url.into(), secret }, 6_000, SOON)
}

/// `资格认证`.
const ASKED: &str = "/v1/kb?q=%E8%B5%84%E6%A0%BC%E8%AE%A4%E8%AF%81";

fn ids(found: &Value) -> Vec<&str> {
    is_valid("FoundView", found);
    found["articles"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn clerks_find_what_holds_today_and_that_of_the_dialled_lines_owner_first() {
    let served = by_file("kb-file", 60);
    let clerk = token("clerk");
    assert_eq!(ids(&get(served.at, ASKED, &clerk).json()), ["a", "b"]);
    assert_eq!(ids(&get(served.at, &format!("{ASKED}&line=12333"), &clerk).json()), ["b", "a"]);
    assert_eq!(ids(&get(served.at, "/v1/kb?q=none", &clerk).json()), [""; 0]);
    let one = get(served.at, "/v1/kb/b", &clerk).json();
    is_valid("ArticleView", &one);
    let told = ["version", "approver", "valid_from", "valid_until"].map(|key| one[key].clone());
    assert_eq!(told, [json!("3"), json!("张三"), json!("2021-09-01"), Value::Null]);
    for gone in ["over", "yet", "none", ".."] {
        assert_eq!(get(served.at, &format!("/v1/kb/{gone}"), &clerk).status, 404, "{gone}");
    }
    assert_eq!(served.figure(r#"hotline_kb_asked_total{outcome="answered"}"#), 3.0);
    for (path, status, code) in [
        ("/v1/kb", 400, "missing_parameter"),
        ("/v1/kb?q=%20", 400, "missing_parameter"),
        ("/v1/kb?q=a&line=1", 422, "bad_value"),
        ("/v1/kb?q=a&quiet=1", 422, "bad_parameter"),
        (&format!("/v1/kb?q={}", "a".repeat(65)), 422, "bad_value"),
    ] {
        let answer = get(served.at, path, OWNER);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }
    served.kb.send_replace(None);
    assert_eq!(get(served.at, ASKED, &clerk).code(), "no_kb");
}

#[test]
fn a_token_that_asks_too_often_is_told_when_to_ask_again_and_others_go_on() {
    let served = by_file("kb-pace", 3);
    for _ in 0..3 {
        assert_eq!(get(served.at, ASKED, &token("clerk")).status, 200);
    }
    let answer = get(served.at, ASKED, &token("clerk"));
    assert_eq!((answer.status, answer.code().as_str()), (429, "kb_paced"));
    let after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=21).contains(&after), "{after}");
    assert_eq!(get(served.at, ASKED, &token("expert")).status, 200);
    assert_eq!(served.figure(r#"hotline_kb_asked_total{outcome="paced"}"#), 1.0);
}

#[test]
fn a_program_is_asked_by_a_signed_post_and_only_what_holds_is_given_out() {
    let stub = Stub::open();
    let served = by_program("kb-http", &stub);
    stub.answer([
        Answer::Says(
            r#"{"articles":[
                {"id":"x","version":7,"title":"t","text":"x","owner":"市医保局","approver":"a","more":1},
                {"id":"y","version":"1","title":"t","text":"y","owner":"o","approver":"a","lines":["12333"]},
                {"id":"over","version":"1","title":"t","text":"y","owner":"o","approver":"a","valid_until":"2021-08-31"},
                {"id":"nobodys","version":"1","title":"t","text":"y","owner":"o"}]}"#,
        ),
        Answer::Says(r#"{"article":{"id":"x","version":7,"title":"t","text":"x","owner":"o","approver":"a"}}"#),
        Answer::Status(404),
        Answer::Says(r#"{"article":{"id":"z","version":7,"title":"t","text":"x","owner":"o","approver":"a"}}"#),
    ]);
    let found = get(served.at, &format!("{ASKED}&line=12333"), OWNER).json();
    assert_eq!(ids(&found), ["y", "x"], "of the line first");
    assert_eq!(get(served.at, "/v1/kb/x", OWNER).json()["version"], "7");
    assert_eq!(get(served.at, "/v1/kb/x", OWNER).code(), "no_such_article");
    assert_eq!(get(served.at, "/v1/kb/x", OWNER).code(), "kb_unreachable", "another one than was asked for");
    let seen = stub.seen();
    let asked: Vec<Value> = seen.iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect();
    let owner = &plan().lines.get("12333").unwrap().owner.clone();
    let expected = json!({ "ask": "find", "query": "资格认证", "line": "12333", "owner": owner,
        "day": asked[0]["day"], "most": 20 });
    assert_eq!(asked[0], expected);
    assert_eq!((&asked[1]["ask"], &asked[1]["id"]), (&json!("get"), &json!("x")));
    let names: Vec<String> = seen.iter().map(|seen| seen.header("webhook-id")).collect();
    assert!(names.iter().all(|name| name.starts_with("kb/")) && names[0] != names[1], "{names:?}");
    assert!(seen.iter().all(|seen| seen.header("webhook-signature").starts_with("v1,")));
}

#[test]
fn a_program_that_does_not_answer_costs_a_clerk_a_moment_and_a_clear_word() {
    let stub = Stub::open();
    let served = by_program("kb-bad", &stub);
    let drone = Answer::Drones(2 * 1024 * 1024);
    for answer in [
        Answer::Status(500),
        Answer::Redirect,
        Answer::Says("nonsense"),
        Answer::Says(r#"{"articles":[{"id":"x"}]}"#),
        drone,
        Answer::Lost,
        Answer::Hang,
    ] {
        stub.answer([answer]);
        let told = get(served.at, ASKED, OWNER);
        assert_eq!((told.status, told.code().as_str()), (503, "kb_unreachable"), "{answer:?}");
    }
    let failed = |why| served.figure(&format!(r#"hotline_kb_asked_total{{outcome="{why}"}}"#));
    assert_eq!((failed("failed"), failed("timeout")), (6.0, 1.0));
    stub.answer([Answer::Says(r#"{"articles":[]}"#)]);
    assert_eq!(ids(&get(served.at, ASKED, OWNER).json()), [""; 0], "it is back");
    let nobody = at("kb-down", &format!("http://{}/", closed_door()));
    assert_eq!(get(nobody.at, ASKED, OWNER).code(), "kb_unreachable");
}

#[test]
fn a_further_question_than_may_be_asked_at_once_is_told_so() {
    let stub = Stub::open();
    stub.judge(|_| Some(Answer::Hang));
    let served = by_program("kb-busy", &stub);
    let at = served.at;
    let waiting: Vec<_> = (0..2).map(|_| std::thread::spawn(move || get(at, ASKED, OWNER).code())).collect();
    stub.until("both wait", Duration::from_secs(10), |seen| seen.len() == 2);
    let told = get(at, ASKED, OWNER);
    let held = waiting.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(held.collect::<Vec<_>>(), ["kb_unreachable"; 2]);
    // On a machine that is slow enough the first have given up by then.
    assert!(["kb_busy", "kb_unreachable"].contains(&told.code().as_str()), "{told:?}");
}

#[test]
fn what_was_told_in_a_call_and_what_is_wrong_arrive_in_the_askers_name_with_the_version() {
    let served = by_file("kb-used", 60);
    let (id, clerk) = (call(1), token("clerk"));
    let of_call = format!("/v1/calls/{id}/kb");
    let owner = plan().lines.get("12333").unwrap().owner.clone();
    let used = post(served.at, &of_call, &clerk, r#"{"article":"b","version":"3","settled":true}"#);
    assert_eq!(used.status, 200, "{used:?}");
    let expected = ArticleUse {
        article: "b".into(),
        version: "3".into(),
        owner,
        settled: true,
        by: "clerk-desk".into(),
    };
    assert_eq!(served.asked()[0].1, Request::UseArticle { call: id, used: expected });
    for (body, status) in [
        (r#"{"article":"over","version":"3"}"#, 404),
        (r#"{"article":"../b","version":"3"}"#, 404),
        (r#"{"article":"b","version":" "}"#, 422),
        (r#"{"article":"b"}"#, 422),
    ] {
        assert_eq!(post(served.at, &of_call, &clerk, body).status, status, "{body}");
    }
    assert_eq!(served.asked().len(), 0);

    // An error is on disk, in the ledger, before it is acknowledged; of one in a call offices are told, too.
    let body = format!(r#"{{"version":"3","text":"窗口电话已变更","call":"{id}"}}"#);
    assert_eq!(post(served.at, "/v1/kb/b/errors", &clerk, &body).status, 200);
    let fault = ArticleFault {
        article: "b".into(),
        version: "3".into(),
        text: "窗口电话已变更".into(),
        by: "clerk-desk".into(),
    };
    assert_eq!(served.asked()[0].1, Request::ReportArticle { call: id, fault });
    let gone = r#"{"version":"2","text":"已废止"}"#;
    assert_eq!(post(served.at, "/v1/kb/gone/errors", &token("expert"), gone).status, 200, "in no call");
    assert_eq!(served.asked().len(), 0);
    let ledger = get(served.at, "/v1/ledger", OWNER).json();
    let told = |entry: &Value| ["actor", "action", "subject", "reason"].map(|key| entry[key].clone());
    let action = |of: Value| json!({ "kind": "article_faulty", "of": of });
    assert_eq!(
        told(&ledger[0]),
        [
            json!("expert-desk"),
            action(json!({ "article": "gone", "version": "2" })),
            json!("gone"),
            json!("已废止")
        ]
    );
    let of = json!({ "article": "b", "call": id.to_string(), "version": "3" });
    assert_eq!(told(&ledger[1])[1..], [action(of), json!("b"), json!("窗口电话已变更")]);
    assert_eq!(served.figure("hotline_kb_errors_reported_total"), 2.0);

    // Of a call that is not theirs nothing is written.
    served.say(Some(Err(Refusal::NotAllowed)));
    assert_eq!(post(served.at, "/v1/kb/b/errors", &clerk, &body).status, 403);
    assert_eq!(get(served.at, "/v1/ledger", OWNER).json().as_array().unwrap().len(), 2);
    for bad in [
        r#"{"version":"3","text":" "}"#.to_owned(),
        format!(r#"{{"version":"3","text":"{}"}}"#, "长".repeat(501)),
    ] {
        assert_eq!(post(served.at, "/v1/kb/b/errors", &clerk, &bad).status, 422);
    }
}

#[test]
fn a_calls_record_and_facts_tell_which_wording_was_told() {
    let served = Served::open("kb-record");
    let used = |article: &str, settled| {
        let version = "20210901".into();
        let by = "1001".into();
        What::ArticleUsed(ArticleUse { article: article.into(), version, owner: "o".into(), settled, by })
    };
    served.write(story(
        call(1),
        vec![used("rs-20210901", false), used("b", false), used("b", true)],
        Cause::Completed,
    ));
    let detail = get(served.at, &format!("/v1/calls/{}", call(1)), &token("observer")).json();
    is_valid("CallDetail", &detail);
    let kept = &detail["record"]["articles"];
    assert_eq!(kept.as_array().unwrap().len(), 2, "the last word on an article counts: {detail}");
    assert_eq!(
        kept[0],
        json!({ "article": "rs-20210901", "version": "20210901", "owner": "o", "settled": false, "by": "1001" })
    );
    assert_eq!(kept[1]["settled"], true);
    let facts = get(served.at, "/v1/facts?limit=10&kind=article_used", &token("observer")).json();
    assert_eq!(facts["facts"].as_array().unwrap().len(), 3);
    assert_eq!(facts["facts"][0]["data"]["article"], "rs-20210901", "no number of a person");
}

#[test]
fn a_file_that_changes_is_read_by_itself_and_a_faulty_one_changes_nothing() {
    let engine = Engine::start(
        "api-kb",
        &engine::plan("[kb]\nkind = \"jsonl\"\npath = \"kb.jsonl\"\nper_minute = 6000"),
    );
    let owner = std::fs::read_to_string(engine.data.join("secrets/api-token")).unwrap().trim().to_owned();
    let ask = |path: &str| get(engine.http, path, &owner);
    assert_eq!(ask("/v1/kb/a").code(), "no_such_article", "it has started without the file");
    let file = engine.data.join("kb.jsonl");
    let line = |version: &str| {
        format!(
            r#"{{"id":"a","version":"{version}","title":"t","text":"x","owner":"市医保局","approver":"a"}}"#
        )
    };
    let version = || ask("/v1/kb/a").json()["version"].clone();
    std::fs::write(&file, line("1")).unwrap();
    until("the first wording is given out", || version() == "1");
    let refused = r#"hotline_plan_reloads_total{outcome="refused",trigger="watch"}"#;
    std::fs::write(&file, format!("{}\nnonsense", line("2"))).unwrap();
    until("the faulty file is refused", || get(engine.http, "/metrics", "").body.contains(refused));
    assert_eq!(version(), "1");
    std::fs::write(&file, line("2")).unwrap();
    until("the next wording is given out", || version() == "2");
}
