//! Hot notices: what is refused, who is written down, and that callers hear them, after a restart as well.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Dial, Phone, listen};
use hotline::switchboard::fact::What;
use serde_json::{Value, json};

use crate::client::{PATIENCE, delete, get, post};
use crate::document::is_valid;
use crate::engine::{Engine, plan};
use crate::fixture::{Served, call, fact, opened, token};
use crate::line::Lines;

/// A tone that no prompt has.
const HZ: f64 = 1_437.0;

/// A WAV file in base64.
fn wav(rate: u32, channels: u16, seconds: f64) -> String {
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for n in 0..(f64::from(rate) * seconds) as usize {
        let sample = (8_000.0 * (n as f64 / f64::from(rate) * HZ * std::f64::consts::TAU).sin()) as i16;
        (0..channels).for_each(|_| writer.write_sample(sample).unwrap());
    }
    writer.finalize().unwrap();
    STANDARD.encode(bytes.into_inner())
}

/// By the system's clock.
fn after(hours: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)).to_string()
}

fn body(with: Value) -> String {
    let mut body =
        json!({ "prompt": "greeting", "end": after(1), "approver": "office", "reason": "typhoon" });
    for (field, value) in with.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(field)),
            value => body[field] = value.clone(),
        }
    }
    body.to_string()
}

#[test]
fn what_cannot_be_said_is_refused_by_its_name() {
    let served = Served::open("notice-refusals");
    let supervisor = token("supervisor");
    let long = "长".repeat(201);
    let cases = [
        (json!({ "prompt": null }), "bad_value", "prompt"),
        (json!({ "wav": wav(8_000, 1, 1.0) }), "bad_value", "prompt"),
        (json!({ "prompt": "nothing_like_it" }), "not_in_plan", "prompt"),
        (json!({ "prompt": null, "wav": "!" }), "bad_value", "wav"),
        (json!({ "prompt": null, "wav": STANDARD.encode("RIFF and no more") }), "bad_value", "wav"),
        (json!({ "prompt": null, "wav": wav(44_100, 1, 0.5) }), "bad_value", "wav"),
        (json!({ "prompt": null, "wav": wav(8_000, 2, 0.5) }), "bad_value", "wav"),
        (json!({ "prompt": null, "wav": wav(8_000, 1, 0.0) }), "bad_value", "wav"),
        (json!({ "prompt": null, "wav": wav(8_000, 1, 15.1) }), "bad_value", "wav"),
        (json!({ "lines": ["12345", "99999"] }), "not_in_plan", "lines"),
        (json!({ "lines": vec!["12345"; 65] }), "bad_value", "lines"),
        (json!({ "end": "tomorrow" }), "bad_value", "end"),
        (json!({ "end": "2021-09-01T10:00:00+08:00" }), "bad_value", "end"),
        (json!({ "start": after(2) }), "bad_value", "end"),
        (json!({ "end": after(24 * 93) }), "bad_value", "end"),
        (json!({ "start": "soon" }), "bad_value", "start"),
        (json!({ "approver": " " }), "bad_value", "approver"),
        (json!({ "reason": long }), "bad_value", "reason"),
        (json!({ "reason": null }), "missing_field", "reason"),
        (json!({ "reason": "x\n7 2021-09-01" }), "bad_value", "reason"),
        (json!({ "approver": "\u{1b}[2J" }), "bad_value", "approver"),
        (json!({ "text": "a\u{202e}b" }), "bad_value", "text"),
        (json!({ "priority": 1 }), "unknown_field", "priority"),
    ];
    for (with, code, field) in cases {
        let answer = post(served.at, "/v1/notices", &supervisor, &body(with.clone()));
        assert_eq!((answer.status, answer.code().as_str()), (422, code), "{with}");
        assert_eq!(answer.json()["field"], field, "{with}");
    }
    let huge = format!("{{\"wav\":\"{}\"}}", "A".repeat(800 * 1024));
    assert_eq!(post(served.at, "/v1/notices", &supervisor, &huge).status, 413);
    assert_eq!(get(served.at, "/v1/notices", &supervisor).json(), json!([]));
    assert_eq!(get(served.at, "/v1/ledger", &token("admin")).json(), json!([]), "nothing has happened");
}

#[test]
fn what_is_inserted_and_ended_is_listed_and_in_the_ledger() {
    let served = Served::open("notices");
    let supervisor = token("supervisor");
    let insert = |with: Value| post(served.at, "/v1/notices", &supervisor, &body(with));
    let first = insert(json!({ "lines": ["12345"], "text": "停水通知" }));
    assert_eq!(first.status, 200, "{first:?}");
    is_valid("NoticeView", &first.json());
    let sound = json!({ "prompt": null, "wav": wav(16_000, 1, 14.9), "start": after(2), "end": after(3) });
    let second = insert(sound);
    assert_eq!(second.status, 200, "{second:?}");
    let field = |answer: &Value, name: &str| answer[name].clone();
    let listed = get(served.at, "/v1/notices", &supervisor).json();
    assert_eq!(listed, json!([first.json(), second.json()]), "by their start");
    assert_eq!((field(&listed[0], "in_force"), field(&listed[1], "in_force")), (true.into(), false.into()));
    assert_eq!(
        (field(&listed[0], "by"), field(&listed[1], "prompt")),
        ("supervisor-desk".into(), Value::Null)
    );

    // At one time there are three at most on a line.
    assert_eq!([insert(json!({})).status, insert(json!({})).status], [200, 200]);
    let fourth = insert(json!({ "lines": ["12345"] }));
    assert_eq!((fourth.status, fourth.code().as_str()), (409, "too_many_at_once"));
    assert_eq!(insert(json!({ "lines": ["12336"] })).status, 200, "two are heard there");

    let number = field(&first.json(), "notice");
    let path = format!("/v1/notices/{number}");
    assert_eq!(delete(served.at, &path, &supervisor).code(), "missing_parameter");
    let ended = delete(served.at, &format!("{path}?reason=over"), &supervisor);
    assert_eq!((ended.status, ended.json()), (200, json!({ "done": true })));
    assert_eq!(delete(served.at, &format!("{path}?reason=over"), &supervisor).code(), "no_such_notice");
    assert_eq!(delete(served.at, "/v1/notices/x?reason=over", &supervisor).code(), "no_such_notice");
    assert_eq!(insert(json!({ "lines": ["12345"] })).status, 200, "there is a place again");
    let left = get(served.at, "/v1/notices", &supervisor).json();
    assert!(left.as_array().unwrap().iter().all(|one| one["notice"] != number), "{left}");

    let entries = get(served.at, "/v1/ledger", &token("admin")).json();
    let entries = entries.as_array().unwrap();
    let last =
        |kind: &str| entries.iter().filter(|entry| entry["action"]["kind"] == kind).collect::<Vec<_>>();
    let added = last("notice_added");
    assert_eq!(added.len(), 6);
    let of_first = added.iter().find(|entry| entry["action"]["of"]["notice"] == number).unwrap();
    assert_eq!((&of_first["actor"], &of_first["reason"]), (&json!("supervisor-desk"), &json!("typhoon")));
    assert_eq!(of_first["subject"], format!("notice/{number}"));
    assert_eq!(of_first["action"]["of"]["sha256"].as_str().unwrap().len(), 64);
    let ended = last("notice_ended");
    assert_eq!(ended.len(), 1);
    assert_eq!((&ended[0]["reason"], &ended[0]["action"]["of"]["notice"]), (&json!("over"), &number));
}

#[test]
fn an_office_says_how_far_it_is_and_who_said_so_is_in_the_ledger() {
    let served = Served::open("progress");
    let path = "/v1/tickets/21090100001/state";
    let (supervisor, admin) = (token("supervisor"), token("admin"));
    let done = r#"{"state":"done","reason":"repaired"}"#;
    assert_eq!(post(served.at, path, &supervisor, done).code(), "no_such_ticket");
    assert_eq!(post(served.at, "/v1/tickets/1%2F2/state", &supervisor, done).code(), "no_such_ticket");
    let ordered = What::Ordered {
        category: "lamp".into(),
        values: Default::default(),
        message: None,
        code: Some("4711".into()),
    };
    served.write(vec![fact(call(1), 1, opened()), fact(call(1), 2, ordered)]);
    let reader = Reader::open(&served.data.join(FILE)).unwrap();
    let state = || reader.case("21090100001").unwrap().map(|case| case.state.word());
    assert_eq!(state(), Some("open"));
    for (token, body, from, to) in
        [(&supervisor, r#"{"state":"in_hand"}"#, "open", "in_hand"), (&admin, done, "in_hand", "done")]
    {
        let moved = post(served.at, path, token, body);
        is_valid("Moved", &moved.json());
        assert_eq!(moved.json(), json!({ "ticket": "21090100001", "from": from, "to": to }));
        assert_eq!(state(), Some(to));
    }
    assert_eq!(post(served.at, path, &supervisor, r#"{"state":"lost"}"#).code(), "bad_value");
    let entries = get(served.at, "/v1/ledger", &admin).json();
    let last = &entries[0];
    assert_eq!(last["action"], json!({ "kind": "ticket_moved", "of": { "from": "in_hand", "to": "done" } }));
    assert_eq!(
        (&last["actor"], &last["subject"], &last["reason"]),
        (&json!("admin-desk"), &json!("21090100001"), &json!("repaired"))
    );
    assert_eq!(entries.as_array().unwrap().len(), 2);
    assert!(reader.case_by_code("21090100001", "4711").unwrap().is_some());
    for wrong in ["", "471", "47111", "4712"] {
        assert_eq!(reader.case_by_code("21090100001", wrong).unwrap(), None, "{wrong}");
    }
    assert_eq!(reader.case_by_code("21090100002", "4711").unwrap(), None);
}

/// Calls 12345 and hangs up when the caller waits; whether the tone was heard.
fn hears_tone(engine: &Engine, number: &str, calls: usize) -> bool {
    let mut lines = Lines::new();
    let caller = lines.plug_in(number, engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let query = CallQuery { most: 10, ..CallQuery::default() };
    lines.until("the caller in the queue", PATIENCE, |_| {
        reader.calls(&query).unwrap().iter().filter(|record| record.queue.is_some()).count() == calls
    });
    let heard = |lines: &Lines| {
        let sound = lines.phone(caller).heard();
        sound.chunks_exact(800).filter(|stretch| listen::tone_level(stretch, HZ) > -20.0).count() >= 5
    };
    let heard = heard(&lines);
    lines.order(caller, Phone::hang_up);
    lines.until("the end of the call", PATIENCE, |_| {
        reader.calls(&query).unwrap().iter().filter(|record| record.cause.is_some()).count() == calls
    });
    heard
}

#[test]
fn a_caller_hears_an_uploaded_sound_from_then_on_and_after_the_engine_was_killed_until_it_is_ended() {
    let mut engine = Engine::start("api-notice", &plan(""));
    let owner = std::fs::read_to_string(engine.data.join("secrets/api-token")).unwrap().trim().to_owned();
    // The engine's clock stands at 2021-12-01, and begins anew there when it is restarted: the notice has begun
    // before. Without an offset it is the city's.
    let (start, end) = ("2021-12-01T08:00:00", "2021-12-01T20:00:00");
    let said = json!({ "prompt": null, "wav": wav(8_000, 1, 1.0), "start": start, "end": end });
    let added = post(engine.http, "/v1/notices?by=wang", &owner, &body(said));
    assert_eq!(added.status, 200, "{added:?}");
    assert_eq!((&added.json()["end"], &added.json()["by"]), (&json!("2021-12-01T12:00:00Z"), &json!("wang")));
    assert!(hears_tone(&engine, "13800000071", 1));
    engine.kill();
    engine.restart();
    assert!(hears_tone(&engine, "13800000072", 2), "it is there again");
    let figures = get(engine.http, "/metrics", "").body;
    assert!(figures.contains("hotline_notices_told_total 1\n"), "{figures}");
    let path = format!("/v1/notices/{}?by=wang&reason=over", added.json()["notice"]);
    assert_eq!(delete(engine.http, &path, &owner).status, 200);
    assert!(!hears_tone(&engine, "13800000073", 3));
    let rows = engine.look_up(&["notices"]);
    let rows = String::from_utf8(rows.stdout).unwrap();
    assert!(rows.starts_with("1 2021-12-01T") && rows.contains("ended_by=wang"), "{rows}");
}
