//! Bodies of requests: what is not understood is refused by its name, and what is too large or slow is not waited for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hotline::io::http::{BODY_MAX, Bounds};
use serde_json::Value;

use crate::client::{PATIENCE, post, raw};
use crate::fixture::{OWNER, Served};

const STATE: &str = "/v1/seats/1001/state";

fn refused(served: &Served, path: &str, body: &str) -> (u16, String, Value) {
    let answer = post(served.at, path, OWNER, body);
    (answer.status, answer.code(), answer.json()["field"].clone())
}

#[test]
fn what_is_not_understood_is_refused_by_its_name_in_both_languages() {
    let served = Served::open("strict");
    let cases = [
        (STATE, r#"{"state":"ready","until":"noon"}"#, 422, "unknown_field", "until"),
        (STATE, r#"{"reason":"lunch"}"#, 422, "missing_field", "state"),
        (STATE, r#"{"state":"away"}"#, 422, "bad_value", "reason"),
        (STATE, r#"{"state":"ready","reason":"lunch"}"#, 422, "bad_value", "reason"),
        (STATE, r#"{"state":"ready","seconds":5}"#, 422, "bad_value", "seconds"),
        (STATE, r#"{"state":"wrap_up"}"#, 422, "bad_value", "seconds"),
        (STATE, r#"{"state":"wrap_up","seconds":0}"#, 422, "bad_value", "seconds"),
        (STATE, r#"{"state":"rest","seconds":28801}"#, 422, "bad_value", "seconds"),
        ("/v1/seats/1001/dial", r#"{"number":"13800000042","prefix":"9"}"#, 422, "unknown_field", "prefix"),
        ("/v1/seats/1001/dial", r#"{"number":"12 34"}"#, 422, "bad_value", "number"),
        ("/v1/queues/main/surge", r#"{"off":true}"#, 422, "unknown_field", "off"),
        ("/v1/calls/0/merge", r#"{"now":true}"#, 422, "unknown_field", "now"),
        ("/v1/calls/0/consult", r#"{"to":""}"#, 422, "bad_value", "to"),
        ("/v1/calls/0/watch", r#"{"how":"listen"}"#, 422, "bad_value", "seat"),
        ("/v1/calls/0/flag", r#"{"flag":"urgent","by":"x"}"#, 422, "unknown_field", "by"),
        ("/v1/calls/0/disposition", r#"{"sort":"x"}"#, 422, "unknown_field", "sort"),
        ("/v1/missed/0/call-back", r#"{}"#, 422, "bad_value", "seat"),
    ];
    for (path, body, status, code, field) in cases {
        assert_eq!(refused(&served, path, body), (status, code.into(), field.into()), "{path} {body}");
    }
    let answer = post(served.at, STATE, OWNER, r#"{"state":"ready","until":"noon"}"#).json();
    assert_eq!((&answer["zh"], &answer["en"]), (&"没有字段 until".into(), &"there is no field until".into()));
    for (body, status, code) in [
        ("{", 400, "malformed"),
        ("state=ready", 400, "malformed"),
        (r#"{"state":"gone"}"#, 422, "bad_value"),
        (r#"{"state":"wrap_up","seconds":-1}"#, 422, "bad_value"),
        ("[]", 422, "bad_value"),
    ] {
        let (found, said, _) = refused(&served, STATE, body);
        assert_eq!((found, said.as_str()), (status, code), "{body}");
    }
    let text = format!(
        "POST {STATE} HTTP/1.0\r\nHost: h\r\nAuthorization: Bearer {OWNER}\r\nContent-Type: text/plain\r\n\
         Content-Length: 17\r\n\r\n{{\"state\":\"ready\"}}"
    );
    assert_eq!(raw(served.at, text.as_bytes()).code(), "not_json");
    for path in
        ["/v1/facts?limit=0", "/v1/facts?limit=1001", "/v1/facts?limit=x", "/v1/facts?since=1&limit=1"]
    {
        let answer = crate::client::get(served.at, path, OWNER);
        assert_eq!(answer.status, 422, "{path}: {answer:?}");
    }
    assert_eq!(served.asked(), [], "nothing of it came to the house");
}

#[test]
fn a_body_that_is_too_large_is_refused_and_one_that_just_fits_is_read() {
    let served = Served::open("large");
    let padded = |length: usize| format!("{}{}", r#"{"state":"ready"}"#, " ".repeat(length - 17));
    assert_eq!(post(served.at, STATE, OWNER, &padded(BODY_MAX)).status, 200);
    let head = |length: usize| {
        format!(
            "POST {STATE} HTTP/1.0\r\nHost: h\r\nAuthorization: Bearer {OWNER}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let answer = raw(served.at, head(BODY_MAX + 1).as_bytes());
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"), "by its length alone");
    let chunked = format!(
        "POST {STATE} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {OWNER}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        BODY_MAX + 1,
        padded(BODY_MAX + 1),
    );
    let answer = raw(served.at, chunked.as_bytes());
    assert!(answer.status == 413 && answer.body.contains("too_large"), "by what came: {answer:?}");
}

#[test]
fn a_head_that_does_not_come_and_a_body_that_does_not_are_not_waited_for() {
    let short = Duration::from_millis(200);
    let bounds = Bounds { header_wait: short, request_wait: short, ..Bounds::default() };
    let served = Served::open_with("slow", bounds);
    let open = |words: &str| {
        let mut stream = TcpStream::connect(served.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(words.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(!open("GET /healthz HTTP/1.1\r\nHost: h\r\n").contains("200"), "closed without its end");
    let head = format!(
        "POST {STATE} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {OWNER}\r\n\
         Content-Type: application/json\r\nContent-Length: 17\r\n\r\n{{"
    );
    let answer = open(&head);
    assert!(answer.contains(" 408 ") && answer.contains("too_slow"), "{answer}");
}
