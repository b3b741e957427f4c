//! Refusals as problems: each with its status, its code, and both languages.

use hotline::acd::event::Unchanged;
use hotline::call::Unwilling;
use hotline::switchboard::What;
use hotline::switchboard::fact::Cause;
use hotline::switchboard::request::{Disposed, Refusal, Reply};

use crate::client::{Answer, get, post, raw};
use crate::document::is_valid;
use crate::fixture::{OWNER, Served, call, story, token};

/// It is a problem by the published schema, and says the same as its status line.
pub fn problem(answer: &Answer) -> (u16, String) {
    let code = answer.code();
    let problem = answer.json();
    is_valid("Problem", &problem);
    assert_eq!(problem["status"], answer.status);
    assert_eq!(problem["type"], format!("urn:hotline:problem:{code}"));
    let text = |name: &str| problem[name].as_str().unwrap().to_owned();
    assert_eq!(text("title"), format!("{} / {}", text("zh"), text("en")));
    let is_chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    assert!(is_chinese(&text("zh")) && !is_chinese(&text("en")), "{problem}");
    (answer.status, code)
}

#[test]
fn what_the_switchboard_refuses_has_its_own_status_and_code() {
    let served = Served::open("refusals");
    let path = format!("/v1/calls/{}/merge", call(1));
    let refusals = [
        (Refusal::NotAllowed, 403, "not_allowed"),
        (Refusal::NoSuchCall, 404, "no_such_call"),
        (Refusal::NoSuchSeat, 404, "no_such_seat"),
        (Refusal::NoSuchQueue, 404, "no_such_queue"),
        (Refusal::NotInPlan("lunch".into()), 422, "not_in_plan"),
        (Refusal::Seat(Unchanged::NoSuchSeat), 404, "no_such_seat"),
        (Refusal::Seat(Unchanged::SignedOut), 409, "seat_signed_out"),
        (Refusal::Seat(Unchanged::NoWrapUp), 409, "no_wrap_up"),
        (Refusal::Seat(Unchanged::TooLong), 422, "wrap_up_too_long"),
        (Refusal::Call(Unwilling::NotTalking), 409, "not_talking"),
        (Refusal::Call(Unwilling::OwnCall), 409, "own_call"),
        (Refusal::Call(Unwilling::ThirdThere), 409, "third_there"),
        (Refusal::Call(Unwilling::NoThird), 409, "no_third"),
        (Refusal::Call(Unwilling::Unreachable), 422, "unreachable"),
        (Refusal::Call(Unwilling::AfterHours), 409, "after_hours"),
        (Refusal::Call(Unwilling::PassedOn), 409, "passed_on"),
        (Refusal::Call(Unwilling::NotAccepted), 409, "not_accepted"),
        (Refusal::TooSoon, 409, "too_soon"),
        (Refusal::Call(Unwilling::Over), 409, "call_over"),
        (Refusal::Engaged, 409, "seat_engaged"),
        (Refusal::Full, 503, "full"),
    ];
    for (refusal, status, code) in refusals {
        served.say(Some(Err(refusal.clone())));
        let answer = post(served.at, &path, OWNER, "");
        assert_eq!(problem(&answer), (status, code.to_owned()), "{refusal:?}");
        assert_eq!(answer.header("retry-after").is_some(), status == 503, "{refusal:?}");
    }
}

#[test]
fn a_call_that_was_begun_is_named() {
    let served = Served::open("begun");
    served.say(Some(Ok(Reply::Begun(call(7)))));
    let answer = post(served.at, "/v1/seats/1001/dial", OWNER, r#"{"number":"13800000042"}"#);
    is_valid("Done", &answer.json());
    assert_eq!(answer.json(), serde_json::json!({ "done": true, "call": call(7).to_string() }));
}

#[test]
fn a_house_that_does_not_answer_is_unavailable_after_a_bounded_time() {
    let served = Served::open("silent");
    served.say(None);
    let answer = post(served.at, &format!("/v1/calls/{}/end", call(1)), OWNER, "");
    assert_eq!(problem(&answer), (503, "no_answer".into()));
}

#[test]
fn what_is_not_there_and_who_is_nobody_are_refused_as_problems() {
    let served = Served::open("nothing");
    let unknown = call(404);
    for (path, code) in [
        ("/v1/nothing".to_owned(), "no_such_route"),
        ("/v1/seats/nobody".to_owned(), "no_such_seat"),
        ("/v1/calls/yesterday".to_owned(), "no_such_call"),
        (format!("/v1/calls/{unknown}"), "no_such_call"),
        (format!("/v1/recordings/{unknown}?by=wang&reason=x"), "no_recording"),
        (format!("/v1/traces/{unknown}?by=wang&reason=x"), "no_such_call"),
    ] {
        assert_eq!(problem(&get(served.at, &path, OWNER)), (404, code.into()), "{path}");
    }
    let missing = get(served.at, &format!("/v1/traces/{unknown}?by=wang"), OWNER);
    assert_eq!(problem(&missing), (400, "missing_parameter".into()));
    assert_eq!(missing.json()["field"], "reason");
    let bare = raw(served.at, b"GET /v1/seats HTTP/1.0\r\nHost: h\r\n\r\n");
    assert_eq!(problem(&bare), (401, "no_token".into()));
    assert_eq!(bare.header("www-authenticate"), Some("Bearer realm=\"hotline\""));
    let basic = raw(served.at, b"GET /v1/seats HTTP/1.0\r\nHost: h\r\nAuthorization: Basic eDp5\r\n\r\n");
    assert_eq!(problem(&basic), (401, "no_token".into()));
    assert_eq!(problem(&get(served.at, "/v1/seats", "guess")), (401, "wrong_token".into()));
    let put = format!("PUT /v1/seats HTTP/1.0\r\nHost: h\r\nAuthorization: Bearer {OWNER}\r\n\r\n");
    assert_eq!(problem(&raw(served.at, put.as_bytes())), (405, "no_such_method".into()));
}

#[test]
fn the_recording_of_a_secret_matter_is_for_administrators() {
    let served = Served::open("secret");
    let secret = |secret| What::Disposed(Disposed { secret, by: "1001".into(), ..Disposed::default() });
    let recorded = || What::Recorded { file: "x.wav".into(), duration_ms: 1_000, lost_frames: 0 };
    served.write(story(call(1), vec![recorded(), secret(false), secret(true)], Cause::CallerHungUp));
    served.write(story(call(2), vec![recorded(), secret(true), secret(false)], Cause::CallerHungUp));
    let ask =
        |n, role: &str| get(served.at, &format!("/v1/recordings/{}?by=wang&reason=x", call(n)), &token(role));
    assert_eq!(problem(&ask(1, "supervisor")), (403, "secret_matter".into()));
    // No file is there: who may hear it gets as far as that.
    for (n, role) in [(1, "admin"), (2, "supervisor")] {
        assert_eq!(problem(&ask(n, role)), (404, "no_recording".into()), "{n} {role}");
    }
}
