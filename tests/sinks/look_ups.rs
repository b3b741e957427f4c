//! Whom flows ask, each adapter with what it really asks: the store, a file, a program behind HTTP.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hotline::call::LookedUp;
use hotline::io::look_up::{Question, Sources};
use hotline::io::secrets::Keyring;
use hotline::io::store::{Desk, Errands, FILE, Opening, Store};
use hotline::routing::plan::SecretRef;
use hotline::routing::script::{LookUpKind, LookUpSource};
use hotline::routing::{Overrides, Plan};
use hotline::switchboard::StoreJob;
use hotline::switchboard::fact::{Fact, What};
use hotline::tickets::event::{CLOSED, EventRef};
use hotline::tickets::progress::Progress;
use hotline::time::{Instant, Timestamp};
use serde_json::{Value, json};

use crate::contract::assert_signed;
use crate::post::{call, story};
use crate::stub::{Answer, Stub, closed_door};

const TIMEOUT: Duration = Duration::from_secs(20);

/// A data directory with a store, and a runtime for the questions.
struct Desks {
    data: PathBuf,
    store: Option<Store>,
    runtime: tokio::runtime::Runtime,
}

impl Desks {
    fn open(name: &str) -> Desks {
        let data = std::env::temp_dir().join(format!("hotline-ask-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).unwrap();
        let mut opening = Opening::open(&data, &["office".to_owned()]).unwrap();
        opening.embed(0).unwrap();
        let store = Some(opening.start(|_| {}).unwrap());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Desks { data, store, runtime }
    }

    fn errands(&self) -> Errands {
        self.store.as_ref().unwrap().errands()
    }

    /// The plan's sources where it has this one, by the name of `source`.
    fn sources(&self, kind: LookUpKind, timeout: Duration) -> Sources {
        let desk = Desk::start(self.data.join(FILE)).unwrap();
        Sources::open(&plan(kind, timeout), &mut Keyring::new(&self.data), &desk, &Sources::default())
            .unwrap()
    }

    fn ask(&self, sources: &Sources, by: &[(&str, &str)]) -> (LookedUp, Option<&'static str>) {
        let by = texts(by);
        let question = Question { call: call(1), asked: 3, line: Some("12345".into()), by };
        let asking = sources.ask(&"source".into(), question).expect("a source of the plan");
        self.runtime.block_on(asking)
    }
}

impl Drop for Desks {
    fn drop(&mut self) {
        self.store = None;
        let _ = fs::remove_dir_all(&self.data);
    }
}

fn plan(kind: LookUpKind, timeout: Duration) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    let outcome = hotline::io::plan_files::load(&path, &Overrides::default());
    let mut plan = outcome.plan.expect("the shipped plan");
    let (misses_max, lock) = (3, Duration::from_secs(60));
    let says = ["state", "opened", "number", "yard", "due", "none"].map(str::to_owned).into();
    let source = LookUpSource { id: "source".into(), kind, says, timeout, misses_max, lock };
    plan.look_ups.insert("source".into(), source);
    plan
}

fn texts(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn found(values: &[(&str, &str)]) -> (LookedUp, Option<&'static str>) {
    (LookedUp::Found(texts(values)), None)
}

const MISSING: (LookedUp, Option<&str>) = (LookedUp::Missing, None);
const FAILED: (LookedUp, Option<&str>) = (LookedUp::Failed, Some("failed"));

/// A call's facts from its opening on; it came on 1 September by the city's clock, and on 31 August by UTC's.
fn ordered(desks: &Desks, code: Option<&str>, token: u64) {
    let opened = What::Opened {
        line: "12345".into(),
        dialled: "12345".into(),
        caller: "13800000042".into(),
        trunk: "carrier".into(),
        ticket: "21090100001".into(),
        plan: "00".into(),
        shifted_clock: false,
        wire_ref: "w".into(),
        room: None,
    };
    let code = code.map(str::to_owned);
    let ordered = What::Ordered { category: "lamp".into(), values: BTreeMap::new(), message: None, code };
    let jobs = [opened, ordered].into_iter().zip(1..).map(|(what, sequence)| {
        let at = "2021-08-31T17:00:00Z".parse().unwrap();
        let fact = Fact { call: call(1), sequence, at, mono: Instant::from_millis(1_000), what };
        StoreJob::Fact { house: sequence.into(), fact, events: Vec::new() }
    });
    desks.store.as_ref().unwrap().submit(token, jobs.collect());
    on_disk(desks);
}

/// What was submitted before is on disk: an errand is answered after it.
fn on_disk(desks: &Desks) {
    let errands = desks.errands();
    let nobodys =
        errands.set_progress("0".into(), Progress::Done, Timestamp::UNIX_EPOCH, "w".into(), "r".into());
    assert_eq!(desks.runtime.block_on(nobodys).unwrap(), None);
}

#[test]
fn a_ticket_is_found_by_its_number_and_code_and_says_how_far_it_is() {
    let desks = Desks::open("tickets");
    let sources = desks.sources(LookUpKind::Tickets, TIMEOUT);
    let ask = |ticket: &str, code: &str| desks.ask(&sources, &[("ticket", ticket), ("code", code)]);
    assert_eq!(ask("21090100001", "4711"), MISSING, "nobody has ordered it yet");
    ordered(&desks, Some("4711"), 1);
    let state = |state: &str| found(&[("state", state), ("opened", "2021-09-01")]);
    assert_eq!(ask("21090100001", "4711"), state("open"));
    for (ticket, code) in
        [("21090100001", "4712"), ("21090100001", ""), ("21090100002", "4711"), ("", "4711")]
    {
        assert_eq!(ask(ticket, code), MISSING, "{ticket} {code}");
    }
    assert_eq!(desks.ask(&sources, &[("ticket", "21090100001")]), FAILED, "a code is wanted");
    let at: Timestamp = "2021-09-02T18:00:00Z".parse().unwrap();
    let errands = desks.errands();
    let moved = errands.set_progress("21090100001".into(), Progress::Done, at, "w".into(), "r".into());
    assert_eq!(desks.runtime.block_on(moved).unwrap(), Some(Progress::Open));
    assert_eq!(ask("21090100001", "4711"), state("done"));
    // The same facts again, as after a failed commit, change nothing.
    ordered(&desks, Some("4711"), 2);
    assert_eq!(ask("21090100001", "4711"), state("done"));
}

#[test]
fn a_ticket_without_a_code_is_found_by_none() {
    let desks = Desks::open("no-code");
    let sources = desks.sources(LookUpKind::Tickets, TIMEOUT);
    ordered(&desks, None, 1);
    for code in ["", "0", "null"] {
        assert_eq!(desks.ask(&sources, &[("ticket", "21090100001"), ("code", code)]), MISSING);
    }
    // Nor is one that an office has moved and nobody has ordered.
    let event = story(7).pop().unwrap();
    assert_eq!(&*event.kind, CLOSED);
    let told = story(7).into_iter().map(|event| {
        let EventRef { call, sequence } = event.event;
        let what = What::DigitPressed { digit: '5' };
        let fact = Fact { call, sequence, at: event.at, mono: Instant::from_millis(1_000), what };
        StoreJob::Fact { house: 10 + u64::from(sequence), fact, events: vec![event] }
    });
    desks.store.as_ref().unwrap().submit(2, told.collect());
    on_disk(&desks);
    let at = Timestamp::from_second(1_630_458_000).unwrap();
    let set = |number: &str| {
        let errands = desks.errands();
        let set = errands.set_progress(number.into(), Progress::Done, at, "w".into(), "r".into());
        desks.runtime.block_on(set).unwrap()
    };
    assert_eq!((set("21090100007"), set("21090100008")), (Some(Progress::Open), None));
    assert_eq!(desks.ask(&sources, &[("ticket", "21090100007"), ("code", "")]), MISSING);
}

#[test]
fn a_file_answers_by_its_first_fitting_line_and_is_read_again_when_it_has_changed() {
    let desks = Desks::open("jsonl");
    let sources = desks.sources(LookUpKind::Jsonl { path: "plates.jsonl".into() }, TIMEOUT);
    let ask = |plate: &str| desks.ask(&sources, &[("plate", plate)]);
    assert_eq!(ask("8341"), FAILED, "there is no file");
    let file = desks.data.join("plates.jsonl");
    let lines = [
        "\u{feff}{\"plate\":\"8341\",\"number\":\"13800000001\",\"yard\":\"east\"}",
        "",
        "this is no object",
        "[\"8341\"]",
        "{\"plate\":8342,\"number\":13800000002,\"old\":null,\"seen\":[1]}",
        "{\"plate\":\"8341\",\"number\":\"13800000003\"}\r",
    ];
    fs::write(&file, lines.join("\n")).unwrap();
    assert_eq!(ask("8341"), found(&[("number", "13800000001"), ("yard", "east")]), "the first");
    assert_eq!(ask("8342"), found(&[("number", "13800000002")]), "numbers are texts");
    assert_eq!(ask("8343"), MISSING);
    let both = [("plate", "8341"), ("number", "13800000003")];
    assert_eq!(desks.ask(&sources, &both), found(&[]), "all that is asked by must be so");
    assert_eq!(
        desks.ask(&sources, &[("plate", "8341"), ("street", "")]),
        MISSING,
        "a field that is not there"
    );
    assert_eq!(desks.ask(&sources, &[]), MISSING, "whoever asks by nothing");

    // As long as before, under another name and then renamed; then shorter, written in place.
    let other = desks.data.join("plates.new");
    fs::write(&other, lines.join("\n").replace("13800000001", "13800000009")).unwrap();
    fs::rename(&other, &file).unwrap();
    assert_eq!(ask("8341"), found(&[("number", "13800000009"), ("yard", "east")]));
    fs::write(&file, "{\"plate\":\"8343\",\"yard\":\"west\"}\n").unwrap();
    assert_eq!((ask("8341"), ask("8343")), (MISSING, found(&[("yard", "west")])));
    // A line may be as wide as it likes: it is found by any of its fields, and says what it is to say.
    let wide: Vec<String> = (0..100).map(|n| format!("\"a{n:03}\":\"x\"")).collect();
    fs::write(&file, format!("{{{},\"plate\":\"8344\",\"yard\":\"north\"}}\n", wide.join(","))).unwrap();
    assert_eq!(ask("8344"), found(&[("yard", "north")]));
    fs::remove_file(&file).unwrap();
    assert_eq!(ask("8344"), FAILED, "what is not there any more says nothing");
    fs::create_dir(&file).unwrap();
    assert_eq!(ask("8343"), FAILED);
}

#[test]
fn a_file_beyond_its_bounds_is_not_looked_into() {
    let desks = Desks::open("long");
    let sources = desks.sources(LookUpKind::Jsonl { path: "long.jsonl".into() }, TIMEOUT);
    let file = desks.data.join("long.jsonl");
    let first = "{\"plate\":\"1\"}\n";
    let ask = || desks.ask(&sources, &[("plate", "1")]);
    fs::write(&file, first.repeat(200_000)).unwrap();
    assert_eq!(ask(), found(&[]));
    fs::write(&file, first.repeat(200_001)).unwrap();
    assert_eq!(ask(), FAILED);
    fs::write(&file, format!("{first}{}", " ".repeat(32 * 1024 * 1024))).unwrap();
    assert_eq!(ask(), FAILED);
}

fn secret() -> SecretRef {
    SecretRef::File("secrets/office".into())
}

#[test]
fn a_question_by_http_is_signed_and_says_who_asks_from_where_by_what() {
    let desks = Desks::open("http");
    let stub = Stub::open();
    let sources = desks.sources(LookUpKind::Http { url: stub.url(), secret: secret() }, TIMEOUT);
    let key = fs::read_to_string(desks.data.join("secrets/office")).unwrap().trim().to_owned();
    stub.answer([Answer::Says(r#"{"found":true,"values":{"number":"13800000001","due":3,"none":null}}"#)]);
    let said = desks.ask(&sources, &[("plate", "豫J8341")]);
    assert_eq!(said, found(&[("number", "13800000001"), ("due", "3")]));
    let seen = stub.seen();
    let [one] = &seen[..] else { panic!("one question: {seen:?}") };
    let asked: Value = serde_json::from_slice(&one.body).unwrap();
    let call = call(1).to_string();
    let wanted = json!({ "source": "source", "call": call, "line": "12345", "by": { "plate": "豫J8341" } });
    assert_eq!((asked, one.method.as_str()), (wanted, "POST"));
    assert_eq!(one.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(one.header("webhook-id"), format!("{call}/look_up/3"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    assert_signed(&key, |name| one.header(name), &one.body, now);
}

#[test]
fn each_answer_by_http_means_what_was_agreed_and_none_is_waited_for_beyond_its_time() {
    let desks = Desks::open("answers");
    let stub = Stub::open();
    let open = |url: String, timeout| desks.sources(LookUpKind::Http { url, secret: secret() }, timeout);
    let sources = open(stub.url(), TIMEOUT);
    let rows = [
        (Answer::Says(r#"{"found":true,"values":{}}"#), found(&[])),
        (Answer::Says(r#"{"found":true}"#), found(&[])),
        (Answer::Says(r#"{"found":false,"values":{"a":"b"}}"#), MISSING),
        (Answer::Status(404), MISSING),
        (Answer::Says(r#"{"values":{"a":"b"}}"#), FAILED),
        (Answer::Says(r#"{"found":"yes"}"#), FAILED),
        (Answer::Says("found"), FAILED),
        (Answer::Says(""), FAILED),
        (Answer::Status(204), FAILED),
        (Answer::Status(400), FAILED),
        (Answer::Status(500), FAILED),
        (Answer::Redirect, FAILED),
        (Answer::Drones(64 * 1024 + 1), FAILED),
        (Answer::Lost, FAILED),
    ];
    for (answer, said) in &rows {
        stub.answer([*answer]);
        assert_eq!(desks.ask(&sources, &[("plate", "1")]), *said, "{answer:?}");
    }
    assert_eq!(stub.seen().len(), rows.len(), "none is asked twice, and no redirect followed");
    stub.answer([Answer::Hang]);
    let hasty = open(stub.url(), Duration::from_millis(300));
    assert_eq!(desks.ask(&hasty, &[("plate", "1")]), (LookedUp::Failed, Some("timeout")));
    let nobody = open(format!("http://{}/", closed_door()), TIMEOUT);
    assert_eq!(desks.ask(&nobody, &[("plate", "1")]), FAILED);
}

#[test]
fn a_source_without_its_secret_is_named_and_one_of_no_plan_is_not_asked() {
    let desks = Desks::open("none");
    let kind = LookUpKind::Http {
        url: "http://127.0.0.1:9/".into(),
        secret: SecretRef::Env("HOTLINE_NOT_SET_IN_ANY_TEST".into()),
    };
    let desk = Desk::start(desks.data.join(FILE)).unwrap();
    let refused =
        Sources::open(&plan(kind, TIMEOUT), &mut Keyring::new(&desks.data), &desk, &Sources::default());
    let why = refused.err().expect("no secret").to_string();
    assert!(why.contains("look_up source") && why.contains("HOTLINE_NOT_SET_IN_ANY_TEST"), "{why}");
    let question = Question { call: call(1), asked: 1, line: None, by: BTreeMap::new() };
    assert!(Sources::default().ask(&"source".into(), question).is_none());
}
