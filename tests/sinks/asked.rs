//! Flows that ask, through the engine's own binary: callers press keys, hear what a file, a signed program and
//! the house's own tickets say, and whoever guesses is shut out.

use std::path::Path;
use std::time::Duration;

use hotline::id::CallId;
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Dial, PhoneEvent, Side, listen};
use hotline::switchboard::fact::{Answer as Said, What};
use serde_json::Value;

use crate::contract::assert_signed;
use crate::engine::{Engine, plan};
use crate::line::Lines;
use crate::stub::{Answer, Stub};

const PATIENCE: Duration = Duration::from_secs(60);

/// The shipped plan without its tests, which hold for it as it is, with these flows at these lines.
fn asking(lines: &[(&str, &str)], more: &str) -> String {
    let whole = plan(more);
    let parts = whole.split("\n\n").filter(|part| !part.starts_with("[[test]]"));
    let mut plan = parts.collect::<Vec<_>>().join("\n\n");
    for (number, flow) in lines {
        let line = format!("[[number]]\nnumber = \"{number}\"\n");
        assert!(plan.contains(&line), "{number} is a line of the shipped plan");
        plan = plan.replace(&line, &format!("{line}flow = \"{flow}\"\n"));
    }
    plan
}

/// A plate is asked for, looked up, and what is known of it is said; then the call is over.
fn plates(name: &str) -> String {
    format!(
        "[[flow]]\nname = \"{name}\"\n\
         [[flow.step]]\ncollect = \"car_plate\"\ninto = \"plate\"\nleast = 4\nmost = 6\n\
         [[flow.step]]\nlook_up = \"{name}\"\nwith = {{ plate = \"plate\" }}\nmissing = \"none\"\nfailed = \"failed\"\n\
         [[flow.step]]\nsay = [{{ value = \"state\", prompts = {{ done = \"state_done\" }}, otherwise = \"state_open\" }}]\n\
         [[flow.step]]\nhang_up = true\n"
    )
}

/// What follows where nothing is known, and where nobody answers.
const ENDS: &str = "[[flow]]\nname = \"none\"\n[[flow.step]]\nplay = \"progress_missing\"\n[[flow.step]]\nhang_up = true\n\
                    [[flow]]\nname = \"failed\"\n[[flow.step]]\nplay = \"progress_failed\"\n[[flow.step]]\nhang_up = true\n";

fn prompt(id: &str) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(format!("{id}.wav"));
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

/// A call that was over by itself.
struct Over {
    call: CallId,
    ticket: String,
    heard: Vec<i16>,
}

impl Over {
    fn assert_heard(&self, id: &str) {
        let found = listen::find_in_pieces(&prompt(id), &self.heard, 0);
        assert!(
            found.is_some_and(|found| found.score > 0.8),
            "{id} in {} samples: {found:?}",
            self.heard.len()
        );
    }

    /// What came of its questions, as the store has it.
    fn said(&self, engine: &Engine) -> Vec<Said> {
        let answer = |what: What| match what {
            What::LookedUp { answer, .. } => Some(answer),
            _ => None,
        };
        self.facts(engine).into_iter().filter_map(answer).collect()
    }

    fn facts(&self, engine: &Engine) -> Vec<What> {
        let reader = Reader::open(&engine.data.join(FILE)).unwrap();
        reader.facts(self.call).unwrap().into_iter().map(|fact| fact.what).collect()
    }
}

/// Dials, presses each of `keys` when the question before it is being put, and hears the call to its end.
fn call(engine: &Engine, from: &str, number: &str, keys: &[(&str, &str)]) -> Over {
    let mut lines = Lines::new();
    let caller = lines.plug_in(from, engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to(number), now)).unwrap();
    lines.until("the answer", PATIENCE, |lines| lines.saw(caller, |event| *event == PhoneEvent::Answered));
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let query = CallQuery { caller: Some(from.to_owned()), most: 1, ..CallQuery::default() };
    let record = || reader.calls(&query).unwrap().into_iter().next();
    for (question, keys) in keys {
        let begun = lines.phone(caller).heard().len();
        lines.until("the question", PATIENCE, |lines| {
            let heard = lines.phone(caller).heard();
            // Its first second is enough to know it by.
            let first = &prompt(question)[..8_000];
            heard.len() >= begun + 9_600
                && listen::find_in_pieces(first, heard, begun).is_some_and(|found| found.score > 0.8)
        });
        lines.order(caller, |phone, now| phone.press(keys, now));
    }
    lines.until("the house's end of the call, in the record", PATIENCE, |lines| {
        lines.saw(caller, |event| matches!(event, PhoneEvent::Ended { by: Side::Them, .. }))
            && record().is_some_and(|record| record.cause.is_some())
    });
    let record = record().expect("a record");
    Over { call: record.call, ticket: record.ticket, heard: lines.phone(caller).heard().to_vec() }
}

#[test]
fn a_caller_hears_what_a_file_and_a_signed_program_know_of_the_keys_that_were_pressed() {
    let stub = Stub::open();
    let sources = format!(
        "[[look_up]]\nname = \"file\"\nkind = \"jsonl\"\npath = \"plates.jsonl\"\nsays = [\"state\"]\n\
         [[look_up]]\nname = \"program\"\nkind = \"http\"\nurl = \"{}\"\nsecret = {{ file = \"secrets/plates\" }}\nsays = [\"state\"]\n",
        stub.url()
    );
    let lines = [("12333", "file"), ("12319", "program")];
    let plan = asking(&lines, &[sources.as_str(), &plates("file"), &plates("program"), ENDS].concat());
    let engine = Engine::start("asked", &plan);
    std::fs::write(engine.data.join("plates.jsonl"), "{\"plate\":\"8341\",\"state\":\"done\"}\n").unwrap();
    stub.judge(|body| {
        let asked: Value = serde_json::from_slice(body).ok()?;
        match asked["by"]["plate"].as_str() {
            Some("8341") => Some(Answer::Says(r#"{"found":true,"values":{"state":"done"}}"#)),
            Some("8342") => Some(Answer::Says(r#"{"found":false}"#)),
            _ => Some(Answer::Status(500)),
        }
    });
    for (number, plate, heard, said) in [
        ("12333", "8341", "state_done", Said::Found),
        ("12333", "8342", "progress_missing", Said::Missing),
        ("12319", "8341", "state_done", Said::Found),
        ("12319", "8342", "progress_missing", Said::Missing),
        ("12319", "8343", "progress_failed", Said::Failed),
    ] {
        let over = call(&engine, "13800000061", number, &[("car_plate", &format!("{plate}#"))]);
        assert_eq!(over.said(&engine), [said], "{number} {plate}");
        over.assert_heard(heard);
        let digits =
            over.facts(&engine).iter().filter(|what| matches!(what, What::DigitPressed { .. })).count();
        assert_eq!(digits, 0, "what is typed in is the value's, and in no record by itself");
    }
    let seen = stub.seen();
    let secret = std::fs::read_to_string(engine.data.join("secrets/plates")).unwrap().trim().to_owned();
    assert_eq!(seen.len(), 3, "each question once");
    for one in &seen {
        let now = jiff::Timestamp::now().as_second();
        assert_signed(&secret, |name| one.header(name), &one.body, now);
        let asked: Value = serde_json::from_slice(&one.body).unwrap();
        assert_eq!((asked["source"].as_str(), asked["line"].as_str()), (Some("program"), Some("12319")));
    }
}

/// Whom the test has call orders at once, and whoever else comes to a person; asks for number and code, and says how far the ticket is.
const TICKETS: &str = "[[look_up]]\nname = \"tickets\"\nkind = \"tickets\"\nmisses_max = 2\nlock = \"30min\"\n\
    [[flow]]\nname = \"order\"\n\
    [[flow.step]]\nbranch = [{ caller = [\"138\"], to = \"ordered\" }]\n\
    [[flow]]\nname = \"ordered\"\n\
    [[flow.step]]\norder = \"投诉举报\"\nprompt = \"ticket_number\"\ncode_prompt = \"order_code\"\n\
    [[flow.step]]\nplay = \"order_kept\"\n[[flow.step]]\nhang_up = true\n\
    [[flow]]\nname = \"progress\"\n\
    [[flow.step]]\ncollect = \"progress_ticket\"\ninto = \"ticket\"\nleast = 11\nmost = 12\n\
    [[flow.step]]\ncollect = \"progress_code\"\ninto = \"code\"\nleast = 4\nmost = 8\n\
    [[flow.step]]\nlook_up = \"tickets\"\nwith = { ticket = \"ticket\", code = \"code\" }\nmissing = \"none\"\nfailed = \"failed\"\n\
    [[flow.step]]\nsay = [\"progress_opened\", { value = \"state\", prompts = { done = \"state_done\" }, otherwise = \"state_open\" }]\n\
    [[flow.step]]\nhang_up = true\n";

fn asks(engine: &Engine, from: &str, ticket: &str, code: &str) -> Over {
    let keys = [("progress_ticket", format!("{ticket}#")), ("progress_code", format!("{code}#"))];
    let keys = keys.each_ref().map(|(question, keys)| (*question, keys.as_str()));
    call(engine, from, "12333", &keys)
}

/// The office says by the API how far it is.
fn done(engine: &Engine, ticket: &str) {
    let body = r#"{"state":"done","reason":"路灯已修复"}"#;
    let (answer, _) = engine.ask(&format!("/v1/tickets/{ticket}/state"), Some(body));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The code that the office elsewhere has got.
fn told_code(engine: &Engine) -> String {
    let path = engine.data.join("events.jsonl");
    let code = |event: &serde_json::Value| event["data"]["code"].as_str().map(str::to_owned);
    let told = || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).find_map(|event| code(&event))
    };
    Lines::new().until("the pick-up code at the office", PATIENCE, |_| told().is_some());
    told().expect("it is there")
}

#[test]
fn a_ticket_is_asked_for_by_number_and_code_and_who_guesses_is_shut_out_while_others_are_not() {
    let office = "[[ticket_sink]]\nname = \"file\"\nkind = \"jsonl\"\npath = \"events.jsonl\"\n";
    let plan = asking(&[("12319", "order"), ("12333", "progress")], &[TICKETS, ENDS, office].concat());
    let engine = Engine::start("guessed", &plan);
    let ordered = call(&engine, "13800000062", "12319", &[]);
    for id in ["ticket_number", "order_code", "order_kept"] {
        ordered.assert_heard(id);
    }
    // An office elsewhere is told it, and in the house it is written down nowhere.
    let code = told_code(&engine);
    let facts = format!("{:?}", ordered.facts(&engine));
    assert!(facts.contains("Ordered") && !facts.contains(&code), "{facts}");
    let ticket = ordered.ticket.as_str();
    let other = |code: &str| if code == "4711" { "4712" } else { "4711" };

    let found = |state: &str| {
        let asked = asks(&engine, "13800000062", ticket, &code);
        assert_eq!(asked.said(&engine), [Said::Found], "nobody else pays for who guesses");
        asked.assert_heard("progress_opened");
        asked.assert_heard(state);
    };
    std::thread::scope(|threads| {
        threads.spawn(|| found("state_open"));
        for _ in 0..2 {
            let guessed = asks(&engine, "13800000063", ticket, other(&code));
            assert_eq!(guessed.said(&engine), [Said::Missing]);
            guessed.assert_heard("progress_missing");
        }
    });
    done(&engine, ticket);
    std::thread::scope(|threads| {
        threads.spawn(|| found("state_done"));
        // The right code comes too late, by the same number in another form as well.
        for from in ["13800000063", "+8613800000063"] {
            let (engine, code) = (&engine, &code);
            threads.spawn(move || {
                let locked = asks(engine, from, ticket, code);
                assert_eq!(locked.said(engine), [Said::Locked], "{from}");
                locked.assert_heard("progress_failed");
            });
        }
    });
}
