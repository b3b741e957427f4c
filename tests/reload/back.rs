//! Back to an earlier plan, by its number, whatever has become of its files since.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::house::{House, NIGHT, own_prompts};

/// A number of the list's first part that the city has brought back.
const RESTORED: (&str, &str) = (
    "row = \"1-11\"\nmode = \"merged\"",
    "row = \"1-11\"\nmode = \"dual\"\n\
     restored = { reason = \"群众来电多\", approver = \"市政府办公室\", date = 2021-09-01 }",
);

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_earlier_plan_comes_back_as_a_new_number_and_a_restart_uses_the_file() {
    let mut house = House::open("back");
    let first = house.plan();
    house.write(&[NIGHT]);
    house.until("the second plan", |house| house.number() == 2);
    let second = house.plan();

    assert_eq!(house.post("/v1/plan/rollback", "{\"number\": 7}").code(), "no_such_plan");
    let trial = house.post("/v1/plan/rollback", "{\"number\": 1, \"dry_run\": true}").json();
    assert_eq!((&trial["outcome"], house.number()), (&json!("would_be_taken"), 2));
    let back = house.post("/v1/plan/rollback", "{\"number\": 1, \"reason\": \"漏了夜班\"}").json();
    assert_eq!(back["outcome"], "taken");
    let third = house.plan();
    assert_eq!((&third["number"], &third["rolled_back_to"]), (&json!(3), &json!(1)));
    assert_eq!((&third["digest"], &third["trigger"]), (&first["digest"], &json!("rollback")));
    assert_eq!(house.queues(), ["main"]);
    // The operator's file is as it was, and the engine says so.
    assert_eq!((&third["file"]["state"], &third["file"]["digest"]), (&json!("differs"), &second["digest"]));
    assert!(std::fs::read_to_string(house.file()).unwrap().contains("name = \"night\""));
    // The log is written by a thread of its own.
    let uses = "the file is not the plan in force: a restart uses the file";
    house.until("the log", |house| house.log().contains(uses));
    let again = house.post("/v1/plan/rollback", "{\"number\": 1}").json();
    assert_eq!((&again["outcome"], house.number()), (&json!("unchanged"), 3));

    // A file that is touched holds what it held: the rollback stands.
    let text = std::fs::read_to_string(house.file()).unwrap();
    house.write_text(&text);
    let seen = "hotline_plan_reloads_total{outcome=\"unchanged\",trigger=\"watch\"}";
    house.until("the touch is seen", |house| house.figure(seen) >= 1.0);
    assert_eq!(house.number(), 3);

    let history = house.get("/v1/plan/history");
    let numbers: Vec<_> = history.as_array().unwrap().iter().map(|kept| kept["number"].clone()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    house.until("the ledger", |house| house.ledger().len() == 3);
    let (actor, reason, of) = house.ledger().pop().unwrap();
    assert_eq!((actor.as_str(), reason.as_str()), ("wang", "漏了夜班"));
    assert_eq!(
        (&of["number"], &of["rolled_back_to"], &of["trigger"]),
        (&json!(3), &json!(1), &json!("rollback"))
    );
    assert_eq!((&of["previous_digest"], &of["digest"]), (&second["digest"], &first["digest"]));

    // The file is used, as a number of its own; and there is still a way back.
    let changes = |house: &House| house.ledger().last().map(|(_, _, of)| of["changes"].clone());
    let brought_night = house.ledger()[1].2["changes"].clone();
    house.engine.kill();
    house.engine.restart();
    let fourth = house.plan();
    assert_eq!((&fourth["number"], &fourth["trigger"]), (&json!(4), &json!("start")));
    assert_eq!((&fourth["digest"], &fourth["file"]["state"]), (&second["digest"], &json!("in_force")));
    assert_eq!(house.queues(), ["main", "night"]);
    let used = "the file is not the plan that was in force: the file is used";
    house.until("the log", |house| house.log().contains(used));
    house.until("the start is entered", |house| house.ledger().len() == 4);
    let (_, _, of) = house.ledger().pop().unwrap();
    assert_eq!((&of["previous_digest"], &of["digest"]), (&first["digest"], &second["digest"]));
    assert_eq!(changes(&house), Some(brought_night), "what the file changes of what was in force");
    assert_eq!(house.post("/v1/plan/rollback", "{\"number\": 3}").json()["outcome"], "taken");
    let fifth = house.plan();
    assert_eq!((&fifth["number"], &fifth["digest"]), (&json!(5), &first["digest"]));
    assert_eq!(house.queues(), ["main"]);
    // The same files after a restart are the same number.
    house.write(&[]);
    house.until("the file is the plan in force", |house| house.plan()["file"]["state"] == "in_force");
    house.engine.kill();
    house.engine.restart();
    assert_eq!(house.plan()["number"], 5);
    // Whoever brought it into force has not started the engine.
    house.until("the start is entered", |house| {
        house.ledger().last().is_some_and(|(_, _, of)| of["trigger"] == "start" && of["number"] == 5)
    });
    let (actor, reason, of) = house.ledger().pop().unwrap();
    assert_eq!((actor.as_str(), reason.as_str()), ("operator", "start"));
    assert!(of["rolled_back_to"].is_null(), "{of}");
    assert_eq!((&of["previous_digest"], &of["changes"]), (&first["digest"], &serde_json::Value::Null));
}

#[test]
fn what_the_engine_was_started_with_wants_no_restart_and_a_restored_number_is_entered_once() {
    const FEWER: (&str, &str) = ("calls_max = 1200\n# 接通前", "calls_max = 1100\n# 接通前");
    let mut house = House::open_with("started", &[("watch = true", "watch = false")]);
    house.write(&[FEWER]);
    assert_eq!(house.post("/v1/plan/reload", "").json()["changes"][0]["wants_restart"], false);
    house.write(&[]);
    let run = Command::new(env!("CARGO_BIN_EXE_hotline"))
        .args(["check", "--against-running", "--config"])
        .arg(house.file())
        .arg("--data")
        .arg(&house.engine.data)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert_eq!(run.status.code(), Some(0), "{said}");
    assert!(said.contains("限额: 同时通话数 1100 → 1200\n"), "{said}");
    let taken = house.post("/v1/plan/reload", "").json();
    assert_eq!((&taken["outcome"], &taken["changes"][0]["wants_restart"]), (&json!("taken"), &json!(false)));

    // A number is brought back once, however often the engine starts with it.
    let restored = |house: &House| {
        let entries = house.get("/v1/ledger");
        let entries = entries.as_array().unwrap().iter();
        entries.filter(|entry| entry["action"]["kind"] == "number_restored").count()
    };
    house.write(&[RESTORED]);
    let taken = house.post("/v1/plan/reload", "");
    assert_eq!(taken.json()["outcome"], "taken", "{taken:?}");
    house.until("the number", |house| restored(house) == 1);
    for starts in [2, 3] {
        house.engine.kill();
        house.engine.restart();
        house.until("the start", |house| {
            house.ledger().iter().filter(|(_, _, of)| of["trigger"] == "start").count() == starts
        });
        // It is written behind the start's own entry; one more change of plan shows that it is not to come.
        let mark = if starts == 2 { vec![RESTORED, NIGHT] } else { vec![RESTORED] };
        let before = house.ledger().len();
        house.write(&mark);
        assert_eq!(house.post("/v1/plan/reload", "").json()["outcome"], "taken");
        house.until("the mark", |house| house.ledger().len() > before);
        assert_eq!(restored(&house), 1);
    }
}

#[test]
fn a_prompt_that_was_replaced_is_heard_again_after_a_rollback_and_one_that_is_spoilt_on_the_shelf_is_refused()
{
    let house = House::open("prompts");
    own_prompts(&house.engine.data);
    let shipped = format!("{:?}", Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/prompts.toml"));
    house.write(&[(shipped.as_str(), "\"prompts/prompts.toml\"")]);
    house.until("the prompts beside it", |house| house.number() == 2);

    // Another recording under the same name.
    let (manifest, sound) =
        (house.engine.data.join("prompts/prompts.toml"), house.engine.data.join("prompts/goodbye.wav"));
    let old = std::fs::read(&sound).unwrap();
    let new = std::fs::read(house.engine.data.join("prompts/greeting.wav")).unwrap();
    let (old_sum, new_sum) = (hex(&old), hex(&new));
    let text = std::fs::read_to_string(&manifest).unwrap();
    assert_eq!(text.matches(&old_sum).count(), 1);
    std::fs::write(&sound, &new).unwrap();
    std::fs::write(&manifest, text.replace(&old_sum, &new_sum)).unwrap();
    house.until("the new recording", |house| house.number() == 3);
    house.until("its entry", |house| house.ledger().len() == 3);
    let (_, _, of) = house.ledger().pop().unwrap();
    let changes = of["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change.as_str().unwrap().starts_with("提示音 goodbye: ")), "{of}");

    let back = house.post("/v1/plan/rollback", "{\"number\": 2}");
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(house.number(), 4);
    assert_eq!(std::fs::read(&sound).unwrap(), new, "the operator's file stays");

    // The shelf's own copy is no longer what it was.
    let kept = house.engine.data.join("plans/files").join(&new_sum);
    assert_eq!(std::fs::read(&kept).unwrap(), new);
    std::fs::write(&kept, &old).unwrap();
    let refused = house.post("/v1/plan/rollback", "{\"number\": 3}");
    assert_eq!((refused.status, refused.code().as_str()), (422, "plan_faulty"));
    assert!(refused.body.contains("damaged"), "{}", refused.body);
    assert_eq!(house.number(), 4);
}

#[test]
fn check_says_what_a_file_changes_of_the_plan_that_runs_and_what_wants_a_restart() {
    let house = House::open_with("check", &[("watch = true", "watch = false")]);
    let check = |words: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["check", "--config"])
            .arg(house.file())
            .args(words)
            .output()
            .unwrap();
        (
            run.status.code(),
            String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr),
        )
    };
    let data = house.engine.data.to_str().unwrap();
    let running = ["--against-running", "--data", data];
    let (code, said) = check(&running);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("没有改动 / nothing has changed"), "{said}");

    std::fs::copy(house.file(), house.engine.data.join("old.toml")).unwrap();
    // What the engine's command line says in place of the file is no change of the file's.
    const PORTS: (&str, &str) = ("rtp_ports = \"20000-29999\"", "rtp_ports = \"20000-28999\"");
    const MORE: (&str, &str) = ("calls_max = 1200\n# 接通前", "calls_max = 1201\n# 接通前");
    house.write(&[PORTS]);
    let (code, said) = check(&running);
    assert_eq!((code, said.contains("E1210")), (Some(0), false), "{said}");
    house.write(&[NIGHT, MORE]);
    let (code, said) = check(&running);
    assert_eq!(code, Some(1), "{said}");
    for words in [
        "新增队列 night（问候 greeting，等候音乐 hold_music，最长等候 5min）",
        "限额: 同时通话数 1200 → 1201（重启后才生效）",
        "E1210",
        "limits.calls_max cannot change in a running engine",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // Against a file, the same difference is no fault.
    let old = house.engine.data.join("old.toml");
    let (code, said) = check(&["--against", old.to_str().unwrap(), "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let changes = said["difference"]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert_eq!((&changes[0]["wants_restart"], &changes[1]["wants_restart"]), (&json!(true), &json!(false)));
    let (code, said) = check(&["--against", "nothing.toml"]);
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = check(&["--against-running", "--data", "nowhere"]);
    assert_eq!((code, said.contains("--data")), (Some(2), true), "{said}");
}
