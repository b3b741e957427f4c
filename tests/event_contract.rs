//! The published event contract, tested from the outside: what the house makes is valid by
//! `contract/hotline-events.schema.json`, what it must not make is not, and signatures are those
//! that a receiver computes by itself.

use std::io::Write;
use std::process::{Command, Stdio};

use hotline::id::{CallId, Dice};
use hotline::tickets::event::{
    CallKind, ClosedBy, Direction, EventBody, Flag, Graded, Immediate, MessageSpan, ObjectKind, OfferPurpose,
    OverflowRule, SaidLine, Speaker, TransferKind, TransferStep, Unanswered, read, source, stored,
};
use hotline::tickets::signature::Secret;
use hotline::tickets::ticket::Numbers;
use jsonschema::Validator;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../contract/hotline-events.schema.json");
const README: &str = include_str!("../contract/README.md");

fn schema() -> Validator {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    jsonschema::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::validator_for(&schema).expect("the schema compiles")
}

fn call() -> CallId {
    CallId::draw(1_630_458_000_000, &mut Dice::seeded(1))
}

fn document(sequence: u32, body: &EventBody) -> Value {
    let at = "2021-09-01T01:00:00.25Z".parse().expect("a timestamp");
    let kept = stored(call(), sequence, at, body, &source("濮阳 1"));
    assert_eq!(&*kept.kind, body.kind());
    let again = read(&kept.json).expect("what is written can be read");
    assert_eq!((&again.body, again.at, again.event), (body, at, kept.event));
    serde_json::from_str(&kept.json).expect("an event is JSON")
}

fn closed(cause: ClosedBy, status: Option<u16>, answered_ms: Option<u64>) -> EventBody {
    EventBody::Closed { cause, status, lasted_ms: 70_000, answered_ms }
}

fn opened() -> EventBody {
    EventBody::Opened {
        ticket: Numbers::default().next(jiff::civil::date(2021, 9, 1)),
        line: "12336".into(),
        line_name: "自然资源违法举报".into(),
        dialled: "tel:12336".into(),
        caller: String::new(),
        trunk: "carrier".into(),
        plan: "00ff".into(),
        shifted_clock: false,
        wire_ref: "\"quoted\" \\ \u{1} 线".into(),
        kind: None,
    }
}

fn meeting() -> EventBody {
    let EventBody::Opened { ticket, dialled, caller, plan, shifted_clock, wire_ref, .. } = opened() else {
        panic!("it is an opening");
    };
    EventBody::Opened {
        ticket,
        line: "94000001".into(),
        line_name: "内部会议".into(),
        dialled,
        caller,
        trunk: "seats".into(),
        plan,
        shifted_clock,
        wire_ref,
        kind: Some(CallKind::Meeting),
    }
}

fn talked(outcome: &str, said: Vec<(Speaker, &str)>) -> EventBody {
    let line = |(who, text): (Speaker, &str)| SaidLine { who, text: text.into(), at_ms: 40 };
    let transcript = said.into_iter().map(line).collect();
    EventBody::BotTalked {
        bot: "assistant".into(),
        outcome: outcome.into(),
        took_ms: 9_000,
        transcript,
        cut: 0,
    }
}

fn transfer(kind: TransferKind, step: TransferStep, status: Option<u16>) -> EventBody {
    EventBody::Transfer {
        kind,
        to: "12366".into(),
        step,
        status,
        leg: Some(2),
        object_kind: Some(ObjectKind::SubCenter),
        object: Some("12366".into()),
        scope: None,
        area: None,
    }
}

/// Each way, each step, each kind of target, and a target that nobody knows.
fn transfers() -> Vec<EventBody> {
    let mut bodies = vec![EventBody::Transfer {
        kind: TransferKind::Blind,
        to: "sip:4711@elsewhere.example".into(),
        step: TransferStep::Declined,
        status: Some(403),
        leg: None,
        object_kind: None,
        object: None,
        scope: None,
        area: None,
    }];
    bodies.extend(
        [TransferKind::Blind, TransferKind::Consult, TransferKind::Attended]
            .map(|kind| transfer(kind, TransferStep::Requested, None)),
    );
    bodies.extend(
        [
            TransferStep::Ringing,
            TransferStep::Consulting,
            TransferStep::Merged,
            TransferStep::Left,
            TransferStep::Returned,
            TransferStep::Accepted,
        ]
        .map(|step| transfer(TransferKind::Consult, step, None)),
    );
    bodies.push(transfer(TransferKind::Consult, TransferStep::Failed, Some(486)));
    for of in [
        ObjectKind::ExpertGroup,
        ObjectKind::Department,
        ObjectKind::Peer,
        ObjectKind::Emergency,
        ObjectKind::Seat,
    ] {
        let mut body = transfer(TransferKind::Blind, TransferStep::Accepted, None);
        if let EventBody::Transfer { object_kind, .. } = &mut body {
            *object_kind = Some(of);
        }
        bodies.push(body);
    }
    bodies
}

fn outward(purpose: &str) -> EventBody {
    EventBody::Outward {
        direction: Direction::Out,
        purpose: purpose.into(),
        seat: Some("1001".into()),
        number: "13800000000".into(),
        of: Some(call()),
    }
}

fn ordered(message: Option<MessageSpan>, code: Option<&str>) -> EventBody {
    let values = [("what", "12.4-58.0"), ("phone", "13800000000")];
    EventBody::Ordered {
        ticket: "21090100001".into(),
        category: "noise".into(),
        values: values.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        message,
        code: code.map(str::to_owned),
    }
}

/// An emergency center, and what clerks must know of it.
fn emergency(scope: Option<&str>, area: Option<&str>) -> EventBody {
    EventBody::Transfer {
        kind: TransferKind::Consult,
        to: "120".into(),
        step: TransferStep::Requested,
        status: None,
        leg: None,
        object_kind: Some(ObjectKind::Emergency),
        object: Some("120".into()),
        scope: scope.map(str::to_owned),
        area: area.map(str::to_owned),
    }
}

fn at_once(to: Option<&str>) -> EventBody {
    let due_at = "2021-09-01T01:10:00Z".parse().expect("a timestamp");
    let mut body = disposed(None);
    if let EventBody::Disposed { immediate, .. } = &mut body {
        *immediate = Some(Immediate { code: "complaint".into(), to: to.map(Into::into), due_at });
    }
    body
}

fn disposed(not_accepted: Option<&str>) -> EventBody {
    EventBody::Disposed {
        field: Some("social".into()),
        matter: Some("complaint".into()),
        not_accepted: not_accepted.map(str::to_owned),
        secret: false,
        unsurveyed: true,
        by: "1001".into(),
        immediate: None,
    }
}

/// One of each kind, and each value of each enumeration.
fn bodies() -> Vec<EventBody> {
    let seat = || "1001".into();
    let mut bodies = vec![
        opened(),
        EventBody::Answered { durable: false },
        EventBody::Queued { queue: "main".into() },
        EventBody::FromCenter { center: "emergency".into(), incident: String::new(), caller: String::new() },
        EventBody::FromCenter {
            center: "emergency".into(),
            incident: "110-0731".into(),
            caller: "110".into(),
        },
        EventBody::FromPeer {
            peer: "7101".into(),
            org: "410922".into(),
            name: "清丰县 12345".into(),
            organization: String::new(),
            handed_on: 1,
        },
        EventBody::FromPeer {
            peer: "7102".into(),
            org: "410922100001".into(),
            name: "村".into(),
            organization: "410922100001 村".into(),
            handed_on: 255,
        },
        EventBody::SeatOffered {
            seat: seat(),
            ticket: "21090100001".into(),
            line: "12336".into(),
            line_name: "自然资源违法举报".into(),
            caller: "13800000000".into(),
            waited_ms: 0,
            history: vec!["2021-08-30 12345 21083000017".into()],
            purpose: None,
        },
        EventBody::SeatAnswered { seat: seat(), waited_ms: 1_500, leg: None },
        EventBody::SeatLeft { seat: seat(), talked_ms: 60_000, vanished: true },
        EventBody::PeerAnswered { trunk: "center".into(), number: "12315".into(), leg: None },
        EventBody::PeerLeft { trunk: "center".into(), number: "12315".into(), talked_ms: 61_000 },
        EventBody::PeerFailed { trunk: "center".into(), number: "12315".into(), status: 0 },
        EventBody::PeerFailed { trunk: "center".into(), number: "12315".into(), status: 486 },
        EventBody::TicketLeft { ticket: "21090100001".into(), reason: "sub_center_unanswered".into() },
        EventBody::TicketLeft { ticket: "21090100001".into(), reason: "self_service".into() },
        talked("done", vec![(Speaker::Bot, "您好"), (Speaker::Caller, "路灯\"坏了\"")]),
        talked("no_answer", Vec::new()),
        EventBody::MessageLeft { name: "what".into(), from_ms: 12_400, to_ms: 58_000 },
        ordered(None, None),
        EventBody::RecordingStored { file: "2021-09-01/a.wav".into(), duration_ms: 69_000, lost_frames: 0 },
        EventBody::RecordingRemoved { class: None },
        EventBody::RecordingRemoved { class: Some("税务".into()) },
        closed(ClosedBy::Refused, Some(404), None),
        EventBody::Held { leg: 1, holds: true },
        EventBody::CallerLeft { cause: ClosedBy::CallerVanished },
        EventBody::Prioritised { priority: -5, why: "lane/elderly".into() },
        EventBody::Recognised { calls: 3, seat: Some(seat()), tickets: vec!["21083000017".into()] },
        EventBody::Recognised { calls: 1, seat: None, tickets: Vec::new() },
        outward("callback"),
        EventBody::CallbackKept { queue: "main".into(), ahead: 4 },
        EventBody::CallbackSettled { outcome: "answered_since".into() },
        disposed(None),
        EventBody::ArticleUsed {
            article: "rs-0002".into(),
            version: "3".into(),
            owner: String::new(),
            settled: true,
            by: "1001".into(),
        },
        EventBody::ArticleFaulty {
            article: "rs-0002".into(),
            version: "3".into(),
            text: "窗口电话已变更".into(),
            by: "1001".into(),
        },
    ];
    bodies.extend(transfers());
    for flag in [Flag::Abusive, Flag::Confidential, Flag::Urgent] {
        bodies.push(EventBody::Flagged { flag, by: "1001".into() });
    }
    bodies.extend("0123456789*#ABCD".chars().map(|digit| EventBody::DigitPressed { digit }));
    bodies.extend((1..=5).map(|grade| EventBody::Surveyed { grade, reason: None, subject: None }));
    for why in [
        OverflowRule::WaitedTooLong,
        OverflowRule::NoSeat,
        OverflowRule::Full,
        OverflowRule::ExpectedWait,
        OverflowRule::Shed,
    ] {
        bodies.push(EventBody::Overflowed { queue: "main".into(), why, waited_ms: 1 });
    }
    for why in [Unanswered::NoAnswer, Unanswered::Rejected, Unanswered::Unreachable, Unanswered::CallerGone] {
        bodies.push(EventBody::OfferEnded { seat: seat(), why });
    }
    for cause in [
        ClosedBy::CallerHungUp,
        ClosedBy::CallerCancelled,
        ClosedBy::Completed,
        ClosedBy::OtherHungUp,
        ClosedBy::CallerVanished,
        ClosedBy::Drained,
        ClosedBy::TooLong,
        ClosedBy::Failed,
        ClosedBy::Crash,
    ] {
        bodies.push(closed(cause, None, Some(69_000)));
    }
    bodies
}

#[test]
fn every_event_that_leaves_the_house_is_valid() {
    let schema = schema();
    for (index, body) in bodies().iter().enumerate() {
        let document = document(index as u32 + 1, body);
        let faults: Vec<String> = schema.iter_errors(&document).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{document}: {faults:?}");
    }
}

/// A call in a meeting room is told like a citizen's, and marked; with another mark it is refused.
#[test]
fn a_meetings_call_is_told_with_its_kind() {
    let schema = schema();
    let mut whole = document(1, &meeting());
    let faults: Vec<String> = schema.iter_errors(&whole).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty() && whole["data"]["kind"] == "meeting", "{whole}: {faults:?}");
    assert_eq!(document(1, &opened())["data"].get("kind"), None, "a citizen's call has none");
    whole["data"]["kind"] = json!("outward");
    assert!(schema.is_valid(&whole), "one that a clerk or the house makes");
    whole["data"]["kind"] = serde_json::to_value(CallKind::Own).expect("a word");
    assert!(schema.is_valid(&whole) && whole["data"]["kind"] == "own", "a clerk's own call: {whole}");
    whole["data"]["kind"] = json!("concert");
    assert!(!schema.is_valid(&whole));
}

/// What an event may say and need not: valid with it, and refused where it is nonsense.
#[test]
fn what_was_added_to_an_event_may_be_there_or_not() {
    let schema = schema();
    let seat = || "1001".into();
    let EventBody::SeatOffered { ticket, line, line_name, caller, waited_ms, history, .. } =
        bodies().into_iter().find(|body| matches!(body, EventBody::SeatOffered { .. })).expect("an offer")
    else {
        panic!("it is an offer");
    };
    let offered = |purpose| EventBody::SeatOffered {
        seat: seat(),
        ticket: ticket.clone(),
        line: line.clone(),
        line_name: line_name.clone(),
        caller: caller.clone(),
        waited_ms,
        history: history.clone(),
        purpose: Some(purpose),
    };
    let peer = EventBody::PeerAnswered { trunk: "center".into(), number: "12366".into(), leg: Some(3) };
    for (body, field, value) in [
        (offered(OfferPurpose::Transfer), "purpose", json!("transfer")),
        (offered(OfferPurpose::Consult), "purpose", json!("consult")),
        (offered(OfferPurpose::Callback), "purpose", json!("callback")),
        (EventBody::SeatAnswered { seat: seat(), waited_ms: 1, leg: Some(2) }, "leg", json!(2)),
        (peer, "leg", json!(3)),
        (EventBody::Surveyed { grade: 5, reason: Some(9), subject: None }, "reason", json!(9)),
        (
            EventBody::Surveyed { grade: 5, reason: None, subject: Some(Graded::Flow) },
            "subject",
            json!("flow"),
        ),
        (
            ordered(Some(MessageSpan { from_ms: 12_400, to_ms: 58_000 }), None),
            "message",
            json!({"from_ms": 12_400, "to_ms": 58_000}),
        ),
        (ordered(None, Some("004711")), "code", json!("004711")),
        (emergency(Some("医疗急救"), None), "scope", json!("医疗急救")),
        (emergency(None, Some("市城区")), "area", json!("市城区")),
        (
            at_once(Some("12366")),
            "immediate",
            json!({"code": "complaint", "to": "12366", "due_at": "2021-09-01T01:10:00Z"}),
        ),
    ] {
        let mut whole = document(7, &body);
        let faults: Vec<String> = schema.iter_errors(&whole).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty() && whole["data"][field] == value, "{whole}: {faults:?}");
        // Words of one's own may be any; what is chosen from a list may not.
        whole["data"][field] = if matches!(field, "scope" | "area") { json!(7) } else { json!("concert") };
        assert!(!schema.is_valid(&whole), "{whole}");
        object(&mut whole, "/data").remove(field);
        assert!(schema.is_valid(&whole), "{whole}");
    }
}

#[test]
fn the_schema_the_readme_and_the_house_name_the_same_types() {
    let mut made: Vec<&str> = bodies().iter().map(EventBody::kind).collect();
    made.sort_unstable();
    made.dedup();
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let mut published: Vec<&str> = schema["oneOf"]
        .as_array()
        .expect("a list of types")
        .iter()
        .filter_map(|kind| kind["properties"]["type"]["const"].as_str())
        .collect();
    published.sort_unstable();
    assert_eq!(made, published);
    for kind in made {
        assert!(README.contains(&format!("`{kind}`")), "README lacks {kind}");
    }
}

#[test]
fn feeds_may_tell_of_whatever_offices_are_told() {
    let types = |schema: &str, place: &str| -> std::collections::BTreeSet<String> {
        let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
        let own = schema.pointer(place).and_then(Value::as_array).expect("a list of types");
        let name =
            |one: &Value| one.pointer("/properties/type/const").unwrap_or(one).as_str().map(str::to_owned);
        own.iter().filter_map(name).collect()
    };
    let mut offices = types(SCHEMA, "/oneOf");
    offices.insert("hotline.feed.totals.v1".into());
    let feeds = types(include_str!("../contract/hotline-feed.schema.json"), "/properties/type/enum");
    assert_eq!(feeds, offices);
}

#[test]
fn the_example_in_the_readme_is_valid() {
    let example = README
        .split("```json")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("README shows an event");
    let example: Value = serde_json::from_str(example).expect("the example is JSON");
    assert!(schema().is_valid(&example));
}

/// Every field of every event: without it, with another type, or beside a stranger, it is refused.
#[test]
fn what_the_contract_does_not_allow_is_refused() {
    let schema = schema();
    let refused = |document: &Value, what: &str| {
        assert!(!schema.is_valid(document), "{what}: {document}");
    };
    for (index, body) in bodies().iter().enumerate() {
        let whole = document(index as u32 + 1, body);
        for place in ["", "/data"] {
            let fields = whole.pointer(place).and_then(Value::as_object);
            for field in fields.expect("an object").keys() {
                let mut without = whole.clone();
                object(&mut without, place).remove(field);
                refused(&without, field);
                let mut other = whole.clone();
                object(&mut other, place).insert(field.clone(), json!({"other": []}));
                refused(&other, field);
            }
            let mut stranger = whole.clone();
            object(&mut stranger, place).insert("stranger".into(), json!(1));
            refused(&stranger, "stranger");
        }
        let mut later = whole.clone();
        later["data"]["schema_version"] = json!(2);
        refused(&later, "schema_version");
        let mut other = whole.clone();
        other["type"] = json!("hotline.call.forgotten.v1");
        refused(&other, "type");
    }
}

fn object<'a>(document: &'a mut Value, place: &str) -> &'a mut serde_json::Map<String, Value> {
    let found = document.pointer_mut(place).and_then(Value::as_object_mut);
    found.expect("an object")
}

#[test]
fn values_out_of_range_are_refused() {
    let schema = schema();
    let cases = [
        (document(7, &EventBody::Surveyed { grade: 6, reason: None, subject: None }), "grade"),
        (document(7, &EventBody::Surveyed { grade: 0, reason: None, subject: None }), "grade"),
        (document(7, &EventBody::Surveyed { grade: 5, reason: Some(0), subject: None }), "reason"),
        (document(7, &EventBody::Surveyed { grade: 5, reason: Some(10), subject: None }), "reason"),
        (document(7, &transfer(TransferKind::Blind, TransferStep::Failed, Some(99))), "status"),
        (document(7, &outward("")), "purpose"),
        (document(7, &disposed(Some(""))), "a code without a name"),
        (document(7, &at_once(Some(""))), "at once to nobody"),
        (document(7, &EventBody::DigitPressed { digit: 'E' }), "digit"),
        (document(2, &opened()), "an opening that is not first"),
        (document(7, &closed(ClosedBy::Refused, None, None)), "refused without a status"),
        (document(7, &closed(ClosedBy::Completed, Some(404), None)), "a status without a refusal"),
        (document(7, &EventBody::TicketLeft { ticket: "A-1".into(), reason: "overflow".into() }), "ticket"),
    ];
    for (document, what) in cases {
        assert!(!schema.is_valid(&document), "{what}: {document}");
    }
}

/// The published example of Standard Webhooks, signed and judged through the public interface.
#[test]
fn the_published_signature_is_ours() {
    let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    let body = br#"{"test": 2432232314}"#;
    let [_, (_, timestamp), (_, signature)] = secret.headers(id, 1_614_265_330, body);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let judged = secret.verify(id, &timestamp, &signature, body, 1_614_265_331);
    assert_eq!(judged, Ok(()));
}

/// The receiver's function in the README, run as it is printed, agrees with the sender.
#[test]
fn a_receiver_that_follows_the_readme_agrees() {
    let function = README
        .split("```python")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("README shows a receiver");
    let text = Secret::text_of(&[0x5a; 32]);
    let body = document(1, &opened()).to_string();
    let id = format!("{}/1", call());
    let script = format!(
        "{function}\nimport sys\nprint(signature({text:?}, {id:?}, 1630458000, sys.stdin.buffer.read()))"
    );
    let mut python = Command::new("python3")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed (tools/test does it)");
    let mut stdin = python.stdin.take().expect("stdin is piped");
    stdin.write_all(body.as_bytes()).expect("python reads");
    drop(stdin);
    let printed = python.wait_with_output().expect("python ends").stdout;
    let secret = Secret::parse(&text).expect("a secret");
    let ours = &secret.headers(&id, 1_630_458_000, body.as_bytes())[2].1;
    assert_eq!(String::from_utf8_lossy(&printed).trim(), ours);
}
