//! A new plan by each of the ways, a faulty one by none.

use serde_json::json;

use crate::house::{House, NIGHT};

#[test]
fn a_changed_file_is_taken_over_by_itself_and_a_faulty_one_changes_nothing() {
    let house = House::open("watch");
    let first = house.plan();
    assert_eq!((&first["number"], &first["trigger"]), (&json!(1), &json!("start")));
    assert_eq!(first["file"]["state"], "in_force");
    house.write(&[NIGHT]);
    house.until("the file is seen", |house| house.number() == 2);
    assert_eq!(house.queues(), ["main", "night"]);
    let second = house.plan();
    assert_eq!((&second["trigger"], &second["by"]), (&json!("watch"), &json!("operator")));
    assert_ne!(second["digest"], first["digest"]);

    // Faulty, and a test of it that fails: both are errors.
    for (nth, (edits, code)) in [
        (("wait_max = \"5min\"", "wait_max = 5"), "E0106"),
        (("expect = { experts = false, queue = \"main\" }", "expect = { experts = true }"), "E1201"),
    ]
    .into_iter()
    .enumerate()
    {
        house.write(&[NIGHT, edits]);
        let refused = "hotline_plan_reloads_total{outcome=\"refused\",trigger=\"watch\"}";
        house.until("it is refused", |house| house.figure(refused) == nth as f64 + 1.0);
        // The log is written by a thread of its own.
        house.until("it is told in the log", |house| house.log().contains(code));
        let plan = house.plan();
        assert_eq!((&plan["number"], &plan["digest"]), (&json!(2), &second["digest"]));
        assert_eq!(plan["file"]["state"], "faulty");
        assert_eq!(house.queues(), ["main", "night"]);
    }

    // As editors do it: a new file in the old one's place.
    let beside = house.engine.data.join("routing.toml~");
    let good = house.engine.data.join("good.toml");
    house.write(&[]);
    std::fs::rename(house.file(), &good).unwrap();
    std::fs::copy(&good, &beside).unwrap();
    std::fs::rename(&beside, house.file()).unwrap();
    house.until("the new file is seen", |house| house.number() == 3);
    assert_eq!(house.queues(), ["main"]);
    assert_eq!(house.plan()["digest"], first["digest"]);
    assert_eq!(house.figure("hotline_plan_number"), 3.0);
    assert_eq!(house.figure("hotline_plan_reloads_total{outcome=\"taken\",trigger=\"watch\"}"), 2.0);
}

#[test]
fn what_a_trial_has_read_is_taken_over_by_itself_all_the_same() {
    let house = House::open("trial");
    house.write(&[NIGHT]);
    let trial = house.post("/v1/plan/reload", "{\"dry_run\": true}").json();
    assert_eq!(trial["outcome"], "would_be_taken");
    house.until("the file is taken", |house| house.number() == 2);
    assert_eq!(house.plan()["trigger"], "watch");
}

#[test]
fn a_file_that_a_pattern_asks_for_is_seen_when_it_changes_when_one_comes_and_when_it_goes() {
    let house = House::open("pattern");
    let more = house.engine.data.join("more");
    let queue = |name: &str| {
        format!(
            "[[queue]]\nname = \"{name}\"\ngreeting = \"greeting\"\nmusic = \"hold_music\"\noverflow_prompt = \"no_seat\"\n"
        )
    };
    std::fs::create_dir(&more).unwrap();
    std::fs::write(more.join("a.toml"), queue("night")).unwrap();
    house.write(&[("\nschema = 1\n", "\nschema = 1\ninclude = [\"more/*.toml\"]\n")]);
    house.until("the included file is read", |house| house.queues() == ["main", "night"]);
    std::fs::write(more.join("a.toml"), queue("evening")).unwrap();
    house.until("it is seen to change", |house| house.queues() == ["evening", "main"]);
    std::fs::write(more.join("b.toml"), queue("noon")).unwrap();
    house.until("another one is seen to come", |house| house.queues() == ["evening", "main", "noon"]);
    std::fs::remove_file(more.join("a.toml")).unwrap();
    house.until("and one to go", |house| house.queues() == ["main", "noon"]);
}

#[test]
fn without_a_watch_a_file_waits_for_the_signal() {
    let house = House::open_with("signal", &[("watch = true", "watch = false")]);
    assert_eq!(house.plan()["watch"], false);
    house.write(&[NIGHT]);
    // Nothing else would ask for it: what the signal brings is by the signal.
    house.engine.process.reload().unwrap();
    house.until("the signal is heard", |house| house.number() == 2);
    assert_eq!(house.plan()["trigger"], "signal");
    assert_eq!(house.queues(), ["main", "night"]);
    house.engine.process.reload().unwrap();
    let same = "hotline_plan_reloads_total{outcome=\"unchanged\",trigger=\"signal\"}";
    house.until("and heard again", |house| house.figure(same) == 1.0);
    assert_eq!(
        (house.number(), house.figure("hotline_plan_reloads_total{outcome=\"taken\",trigger=\"watch\"}")),
        (2, 0.0)
    );
}

#[test]
fn the_api_says_what_would_change_takes_it_over_and_names_what_is_wrong() {
    let house = House::open_with("api", &[("watch = true", "watch = false")]);
    let unchanged = house.post("/v1/plan/reload", "").json();
    assert_eq!((&unchanged["outcome"], &unchanged["plan"]["number"]), (&json!("unchanged"), &json!(1)));
    assert!(unchanged["tests"].as_u64() > Some(10), "{unchanged}");

    house.write(&[("ring = \"20s\"\n# 挂机后", "ring = \"21s\"\n# 挂机后")]);
    let trial = house.post("/v1/plan/reload", "{\"dry_run\": true}").json();
    let change = json!([{ "zh": "队列 main: 振铃 20s → 21s", "en": "queue main: rings 20s → 21s", "wants_restart": false }]);
    assert_eq!((&trial["outcome"], &trial["changes"]), (&json!("would_be_taken"), &change));
    assert_eq!((house.number(), house.plan()["file"]["state"].as_str()), (1, Some("differs")));
    let taken = house.post("/v1/plan/reload", "{\"reason\": \"振铃长一点\"}").json();
    assert_eq!((&taken["outcome"], &taken["changes"]), (&json!("taken"), &change));
    let plan = house.plan();
    assert_eq!(
        (&plan["number"], &plan["by"], &plan["reason"]),
        (&json!(2), &json!("wang"), &json!("振铃长一点"))
    );
    assert_eq!(plan, taken["plan"]);

    // What a running engine cannot take over.
    house.write(&[("calls_max = 1200\n# 接通前", "calls_max = 1201\n# 接通前")]);
    let refused = house.post("/v1/plan/reload", "");
    assert_eq!((refused.status, refused.code().as_str()), (422, "plan_faulty"));
    let named = &refused.json()["diagnostics"];
    let found: Vec<_> =
        named.as_array().unwrap().iter().filter(|found| found["severity"] == "error").collect();
    assert_eq!(found.len(), 1, "{named}");
    assert_eq!((&found[0]["code"], &found[0]["key"]), (&json!("E1210"), &json!("limits.calls_max")));
    assert_eq!(found[0]["text"], "calls_max = 1201");
    assert_eq!((house.number(), &house.plan()["digest"]), (2, &plan["digest"]));
    for (body, status) in [("{\"dry\": true}", 422), ("{\"reason\": 1}", 422), ("[]", 422)] {
        assert_eq!(house.post("/v1/plan/reload", body).status, status, "{body}");
    }
    let long = format!("{{\"reason\": \"{}\"}}", "长".repeat(501));
    assert_eq!(house.post("/v1/plan/reload", &long).code(), "bad_value");

    // Two changes of plan and the start are in the ledger, with who and why; refusals are not.
    house.until("the ledger", |house| house.ledger().len() == 2);
    let ledger = house.ledger();
    let (actor, reason, of) = &ledger[0];
    assert_eq!((actor.as_str(), reason.as_str(), &of["number"]), ("operator", "start", &json!(1)));
    let (actor, reason, of) = &ledger[1];
    assert_eq!((actor.as_str(), reason.as_str()), ("wang", "振铃长一点"));
    assert_eq!((&of["number"], &of["trigger"]), (&json!(2), &json!("api")));
    assert_eq!((&of["changes"], &of["digest"]), (&json!(["队列 main: 振铃 20s → 21s"]), &plan["digest"]));
}

#[test]
fn an_engine_that_runs_into_december_says_that_the_next_years_holidays_are_not_known() {
    let house = House::open_at("december", "2026-11-30T23:59:40+08:00");
    assert!(!house.log().contains("W1304"), "not yet");
    house.until("it is told", |house| house.log().contains("W1304"));
    assert_eq!(house.number(), 1);
    assert_eq!(house.figure("hotline_alarms_total{kind=\"plan_dated\"}"), 1.0);
}

#[test]
fn a_number_that_an_earlier_plan_cancelled_is_not_back_by_edits_that_forget_it() {
    let mut house = House::open_with("cancelled", &[("watch = true", "watch = false")]);
    const UNLISTED: (&str, &str) = ("merge_list =", "# merge_list =");
    const LINE: &str =
        "[[number]]\nnumber = \"12325\"\nname = \"粮食和物资储备监管热线\"\nowner = \"市粮食和储备局\"\n";
    let (merged, dual) =
        ("row = \"1-11\"\nmode = \"merged\"\nqueue = \"main\"\n", "mode = \"dual\"\nqueue = \"main\"\n");
    let was = format!("{LINE}{merged}");
    // First the number goes, then it comes back as if it were new; between them the engine is started anew.
    house.write(&[UNLISTED, (&was, "")]);
    let gone = house.post("/v1/plan/reload", "");
    assert_eq!(gone.json()["outcome"], "taken", "{gone:?}");
    house.engine.kill();
    house.engine.restart();
    house.write(&[UNLISTED, (&was, &format!("{LINE}{dual}"))]);
    let refused = house.post("/v1/plan/reload", "");
    assert_eq!((refused.status, refused.code().as_str()), (422, "plan_faulty"), "{refused:?}");
    let named = refused.json()["diagnostics"].clone();
    let found = named.as_array().unwrap().iter().find(|found| found["code"] == "E1809").unwrap();
    assert_eq!(found["text"], "number = \"12325\"");
    // Somebody answers for it: it is back, and the engine holds nothing against it any more.
    let decided = "restored = { reason = \"群众来电多\", approver = \"市政府办公室\", date = 2021-09-01 }\n";
    let restored = format!("[retired]\nnumbers = [\"12325\"]\n\n{LINE}{dual}{decided}");
    house.write(&[UNLISTED, (&was, &restored)]);
    let taken = house.post("/v1/plan/reload", "");
    assert_eq!(taken.json()["outcome"], "taken", "{taken:?}");
    // Back to the first plan by its number, whose reason is in the ledger: nothing keeps it from that.
    let back = house.post("/v1/plan/rollback", "{\"number\": 1, \"reason\": \"误改\"}");
    assert_eq!(back.json()["outcome"], "taken", "{back:?}");
}

#[test]
fn a_formula_and_who_reads_the_figures_are_those_of_the_plan_in_force() {
    let house = House::open_with("formula", &[("watch = true", "watch = false")]);
    let within = |version: &str| {
        let labels = format!("{{line=\"*\",formula=\"{version}\",clock=\"queue\"}}");
        house.figure(&format!("hotline_kpi_answer_within_seconds{labels}"))
    };
    assert_eq!(within("GB/T 33358-2016"), 15.0);
    let kpi = "[kpi]\nversion = \"x\"\nanswer_within = \"20s\"\n\n[reload]\n";
    // Where HTTP is served was said at the start (--http): what the file says of it is no matter.
    let moved = "[admin]\nhttp = \"127.0.0.1:1\"\n\n";
    house.write(&[("[reload]\n", &format!("{moved}{kpi}"))]);
    let taken = house.post("/v1/plan/reload", "");
    assert_eq!(taken.json()["outcome"], "taken", "{taken:?}");
    assert_eq!((within("x"), within("GB/T 33358-2016")), (20.0, 0.0));

    let kept = "[admin]\nmetrics = \"token\"\n\n[reload]\n";
    house.write(&[("[reload]\n", kept)]);
    assert_eq!(house.post("/v1/plan/reload", "").json()["outcome"], "taken");
    assert!(house.engine.get("/metrics").0.starts_with("HTTP/1.1 401 "), "for nobody without a token");
    house.write(&[]);
    assert_eq!(house.post("/v1/plan/reload", "").json()["outcome"], "taken");
    assert_eq!(within("GB/T 33358-2016"), 15.0);
}
