//! Secrets that change behind an unchanged plan, that are gone, and that are made.

use std::net::UdpSocket;
use std::path::PathBuf;

use hotline::sip::digest::{Challenge, Credentials, Qop, ha1, response};
use hotline::sip::{Message, Method, Name};
use serde_json::json;

use crate::client::PATIENCE;
use crate::house::House;

/// A seat more, whose secret is a file of this name.
fn seat(id: &str, secret: &str) -> (&'static str, &'static str) {
    let table = format!(
        "[[seat]]\nid = \"{id}\"\nname = \"新座席\"\nskills = [\"general\"]\nqueues = [\"main\"]\n\
         secret = {{ file = \"secrets/{secret}\" }}\n\n[[seat]]\n# 工号"
    );
    ("[[seat]]\n# 工号", table.leak())
}

fn secret(house: &House, name: &str) -> PathBuf {
    house.engine.data.join("secrets").join(name)
}

/// What the engine answers to seat 1001 that registers by this password.
pub fn registers(house: &House, password: &str) -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let (here, at) = (socket.local_addr().unwrap(), house.engine.sip);
    let ask = |cseq: u32, proof: &str| {
        let text = format!(
            "REGISTER sip:{at} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{here}{cseq};rport\r\n\
             From: <sip:1001@{at}>;tag=t\r\nTo: <sip:1001@{at}>\r\nCall-ID: {here}\r\nCSeq: {cseq} REGISTER\r\n\
             Contact: <sip:1001@{here}>\r\nExpires: 600\r\nMax-Forwards: 70\r\n{proof}Content-Length: 0\r\n\r\n"
        );
        socket.send_to(text.as_bytes(), at).unwrap();
        let mut room = [0; 4_096];
        let length = socket.recv(&mut room).unwrap();
        Message::parse(room[..length].to_vec().into()).unwrap()
    };
    let asked = ask(1, "");
    let challenges: Vec<_> = asked.headers(Name::WwwAuthenticate).map(<[u8]>::to_vec).collect();
    // The stronger first; MD5 alone for a telephone that left the last challenge unanswered.
    let found = Challenge::parse(challenges.first().expect("a challenge")).unwrap();
    let algorithm = found.algorithm;
    let (uri, qop) = (format!("sip:{at}"), Qop { nc: 1, cnonce: b"c0ffee"[..].into() });
    let ha1 = ha1(algorithm, b"1001", &found.realm, password.as_bytes());
    let proof = response(algorithm, &ha1, &Method::Register, uri.as_bytes(), &found.nonce, Some(&qop));
    let credentials = Credentials {
        username: b"1001"[..].into(),
        realm: found.realm.clone(),
        nonce: found.nonce.clone(),
        uri: uri.as_bytes().into(),
        response: proof.as_bytes().into(),
        algorithm,
        qop: Some(qop),
        opaque: None,
    };
    let proof = format!("Authorization: {}\r\n", String::from_utf8(credentials.to_value()).unwrap());
    ask(2, &proof).status().expect("an answer")
}

#[test]
fn a_changed_password_is_taken_over_though_the_plan_is_the_same_and_is_in_the_ledger() {
    let house = House::open_with("secret", &[("watch = true", "watch = false")]);
    let file = secret(&house, "seat-1001");
    let old = std::fs::read_to_string(&file).unwrap();
    assert_eq!(registers(&house, old.trim()), 200);
    std::fs::write(&file, "neues-geheimnis\n").unwrap();
    let line = |zh: &str, en: &str| {
        let (zh, en) = (format!("{zh}：{}", file.display()), format!("{en}: {}", file.display()));
        json!([{ "zh": zh, "en": en, "wants_restart": false }])
    };
    let trial = house.post("/v1/plan/reload", "{\"dry_run\": true}").json();
    assert_eq!(trial["changes"], line("将重新读取密钥", "secrets would be read anew"));
    assert_eq!(registers(&house, old.trim()), 200, "a trial changes nothing");

    let said = house.post("/v1/plan/reload", "{\"reason\": \"换口令\"}").json();
    assert_eq!((&said["outcome"], &said["plan"]["number"]), (&json!("unchanged"), &json!(1)));
    assert_eq!(said["changes"], line("重新读取了密钥", "secrets were read anew"));
    assert_eq!(registers(&house, "neues-geheimnis"), 200);
    assert_eq!(registers(&house, old.trim()), 401);
    house.until("the log", |house| house.log().contains("secrets were read anew"));
    assert!(!house.log().contains("neues-geheimnis"));
    house.until("the ledger", |house| house.ledger().len() == 2);
    let (actor, reason, of) = house.ledger().pop().unwrap();
    assert_eq!((actor.as_str(), reason.as_str(), &of["trigger"]), ("wang", "换口令", &json!("api")));
    assert_eq!(of["changes"], json!([format!("重新读取了密钥：{}", file.display())]));
    assert_eq!((&of["number"], &of["digest"]), (&json!(1), &of["previous_digest"]));
    // And nothing is told of a reload that finds all as it was.
    let again = house.post("/v1/plan/reload", "").json();
    assert_eq!((&again["outcome"], &again["changes"]), (&json!("unchanged"), &json!([])));
    assert_eq!(house.ledger().len(), 2);
}

#[test]
fn a_secret_in_use_is_never_made_anew_and_one_that_is_made_is_told() {
    let house = House::open_with("made", &[("watch = true", "watch = false")]);
    let file = secret(&house, "seat-1002");
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let refused = house.post("/v1/plan/reload", "");
    assert_eq!((refused.status, refused.code().as_str()), (409, "plan_not_taken"));
    assert!(refused.body.contains("seat-1002") && refused.body.contains("Put the file back"), "{refused:?}");
    assert!(!file.exists());
    assert_eq!(house.plan()["file"]["state"], "in_force", "a start would make it anew");
    std::fs::write(&file, kept).unwrap();

    let made = secret(&house, "seat-1099");
    house.write(&[seat("1099", "seat-1099")]);
    let trial = house.post("/v1/plan/reload", "{\"dry_run\": true}").json();
    assert_eq!(trial["changes"][0]["zh"], format!("将新建密钥：{}", made.display()));
    assert!(!made.exists());
    let taken = house.post("/v1/plan/reload", "").json();
    assert_eq!(taken["outcome"], "taken");
    assert_eq!(taken["changes"][0]["en"], format!("secrets were made: {}", made.display()));
    assert!(made.exists());
    house.until("the log", |house| house.log().contains("secrets were made"));
}

#[test]
fn an_empty_secret_is_no_plan_to_restart_with_and_the_watch_sees_it_mended() {
    let house = House::open("mended");
    let file = secret(&house, "seat-1003");
    let kept = std::fs::read(&file).unwrap();
    std::fs::write(&file, "").unwrap();
    house.until("it is seen", |house| house.plan()["file"]["state"] == "faulty");
    house.until("the log", |house| house.log().contains("a restart would fail"));
    assert!(!house.log().contains("a restart uses the file"));
    assert_eq!(house.number(), 1);
    std::fs::write(&file, kept).unwrap();
    house.until("it is seen to be mended", |house| house.plan()["file"]["state"] == "in_force");
    // One that changes is taken over by itself, like the plan's own files.
    std::fs::write(&file, "ein-anderes\n").unwrap();
    house.until("it is read anew", |house| house.log().contains("secrets were read anew"));
    assert_eq!(house.number(), 1);
}

#[test]
fn a_key_of_recordings_is_exchanged_by_a_reload_and_never_made_anew_where_it_was() {
    let house = House::open_with("key", &[("watch = true", "watch = false")]);
    let (old, new) = (secret(&house, "recordings"), secret(&house, "recordings-2"));
    let key = std::fs::read_to_string(&old).unwrap();
    assert!(key.trim().len() == 64 && key.trim().bytes().all(|digit| digit.is_ascii_hexdigit()));
    let both = "key = { file = \"secrets/recordings-2\" }\nold_keys = [{ file = \"secrets/recordings\" }]";
    house.write(&[("key = { file = \"secrets/recordings\" }", both)]);
    let taken = house.post("/v1/plan/reload", "").json();
    assert_eq!(taken["outcome"], "taken", "{taken}");
    let told = taken["changes"].to_string();
    for words in [
        &*format!("secrets were made: {}", new.display()),
        "录音: 加密 用 secrets/recordings → 用 secrets/recordings-2",
        "recording: encrypted with secrets/recordings → with secrets/recordings-2",
        "keys of before - → secrets/recordings",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_ne!(std::fs::read_to_string(&new).unwrap(), key);

    // Gone, it is not made anew; and what is no key is refused. The keys in force stay.
    let kept = std::fs::read(&new).unwrap();
    std::fs::remove_file(&new).unwrap();
    let refused = house.post("/v1/plan/reload", "");
    assert_eq!((refused.status, refused.code().as_str()), (409, "plan_not_taken"));
    assert!(refused.body.contains("recordings-2") && refused.body.contains("from its backup"), "{refused:?}");
    assert!(!new.exists());
    std::fs::write(&new, "a-password\n").unwrap();
    let refused = house.post("/v1/plan/reload", "");
    assert!(
        refused.body.contains("64 hexadecimal digits") && !refused.body.contains("a-password"),
        "{refused:?}"
    );
    std::fs::write(&new, kept).unwrap();
    assert_eq!(house.post("/v1/plan/reload", "").json()["outcome"], "unchanged");
}
