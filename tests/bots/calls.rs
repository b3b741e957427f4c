//! Real calls: telephones, the engine's own binary, a program, a seat; with the sound that each of them hears.

use std::sync::Arc;
use std::time::Duration;

use hotline::io::recorder::{SealKeys, samples};
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Answers, Dial, Phone, PhoneEvent, listen};
use serde_json::json;

use crate::engine::{Engine, plan};
use crate::line::Lines;
use crate::program::{Manner, Program, said};

const PATIENCE: Duration = Duration::from_secs(60);

fn tone(hertz: f32) -> Arc<[i16]> {
    (0..8_000)
        .map(|n| (6_000.0 * (n as f32 / 8_000.0 * hertz * std::f32::consts::TAU).sin()) as i16)
        .collect()
}

/// The loudest tenth of a second of this tone, in dB below full scale.
fn level(sound: &[i16], hertz: f64) -> f64 {
    sound.chunks_exact(800).map(|part| listen::tone_level(part, hertz)).fold(f64::MIN, f64::max)
}

/// The shipped plan with a program for the callers of 12345; behind it these steps.
fn with_bot(program: &Program, steps: &str) -> String {
    let bot = format!(
        "[[bot]]\nname = \"assistant\"\nurl = \"{}\"\nsays = [\"street\"]\nmost = \"35s\"\nmusic = \"hold_music\"\n\
         [[flow]]\nname = \"main\"\n[[flow.step]]\nbot = \"assistant\"\n{steps}",
        program.url()
    );
    let name = "name = \"12345政务服务便民热线\"";
    // What the sample's own tests expect of 12345 hangs on what the program says.
    let expects = "expect = { line = \"12345\", queue = \"main\"";
    let plan = plan(&bot).replace(expects, &format!("answers = {{ assistant = \"failed\" }}\n{expects}"));
    assert_eq!(plan.matches(name).count(), 1);
    plan.replace(name, &format!("{name}\nflow = \"main\""))
}

fn seat(lines: &mut Lines, engine: &Engine) -> hotline::io::packets::PartyKey {
    let password = std::fs::read_to_string(engine.data.join("secrets/seat-1001")).unwrap();
    let seat = lines.plug_in("1001", engine.sip, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password.trim().to_owned());
        config.answers = Answers::After(Duration::from_millis(200));
    });
    lines.order(seat, Phone::register);
    lines.until("registration", PATIENCE, |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    seat
}

#[test]
fn a_caller_talks_with_a_program_and_then_with_a_clerk_who_can_read_what_was_said() {
    let then = vec![
        said("bot", "您好，请讲"),
        said("caller", "建设路的路灯坏了，我是13800000042"),
        json!({ "type": "person" }),
    ];
    let sound = tone(1_000.0);
    let program = Program::start(Manner::Talks { sound, after: 3 * 8_000, then });
    let engine = Engine::start("bot-person", &with_bot(&program, ""));
    let mut lines = Lines::new();
    let seat = seat(&mut lines, &engine);
    let caller = lines.plug_in("13800000042", engine.sip, |_| {});
    let low = tone(440.0);
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the answer", PATIENCE, |lines| lines.saw(caller, |event| *event == PhoneEvent::Answered));
    lines.order(caller, |phone, now| phone.play(low, true, now));
    lines.until("a clerk", PATIENCE, |lines| lines.saw(seat, |event| *event == PhoneEvent::Answered));

    let heard = lines.phone(caller).heard().to_vec();
    assert!(level(&heard, 1_000.0) > -20.0, "the caller heard the program: {}", level(&heard, 1_000.0));
    let seen = program.seen();
    assert!(level(&seen.heard, 440.0) > -20.0, "it heard the caller: {}", level(&seen.heard, 440.0));
    assert!(level(&seen.heard, 1_000.0) < -40.0, "and not itself: {}", level(&seen.heard, 1_000.0));
    let start = &seen.told[0];
    assert_eq!((&start["line"], &start["caller"]), (&json!("12345"), &json!("138******42")));
    lines.until("the program hears so", PATIENCE, |_| program.seen().closed);
    assert_eq!(program.seen().of_type("stop")[0]["reason"], "person");

    lines.order(caller, Phone::hang_up);
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let query = CallQuery { most: 10, ..CallQuery::default() };
    lines.until("the record with its recording", PATIENCE, |_| {
        let records = reader.calls(&query).unwrap();
        records.iter().any(|record| record.cause.is_some() && record.recording.is_some())
    });
    let record = reader.calls(&query).unwrap().remove(0);
    assert_eq!(record.seat.as_ref().map(|seat| seat.as_str()), Some("1001"));
    let keys = SealKeys::beside(&engine.data);
    let (both, _) = samples(&engine.data.join(record.recording.unwrap()), &keys).unwrap();
    let side = |first: usize| -> Vec<i16> { both.iter().skip(first).step_by(2).copied().collect() };
    assert!(level(&side(0), 440.0) > -20.0, "the caller is on the left");
    assert!(level(&side(1), 1_000.0) > -20.0, "and the program on the right");

    lines.until("the ticket", PATIENCE, |_| reader.tickets(1).unwrap()[0].state == "closed");
    let ticket = reader.tickets(1).unwrap().remove(0);
    let talk = &ticket.data["bots"][0];
    assert_eq!((&talk["bot"], &talk["outcome"]), (&json!("assistant"), &json!("person")));
    assert_eq!(talk["transcript"][0]["text"], "您好，请讲");
    assert_eq!(talk["transcript"][1]["who"], "caller");
    let shown = engine.look_up(&["tickets"]).stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("  bot=assistant outcome=person\n    bot: 您好，请讲\n"), "{shown}");
    assert!(shown.contains("建设路的路灯坏了") && !shown.contains("13800000042"), "{shown}");
    let figures = engine.get("/metrics").1;
    let ended = "hotline_bot_talks_total{bot=\"assistant\",end=\"person\"} 1";
    assert!(figures.lines().any(|line| line == ended), "{figures}");
    assert!(figures.lines().any(|line| line == "hotline_bot_talks_under_way 0"), "{figures}");
    let log = std::fs::read_to_string(engine.data.join("engine.log")).unwrap_or_default();
    assert!(!log.contains("建设路"), "what was said is in no log");
}

#[test]
fn what_a_program_finds_out_leads_on_and_is_in_the_ticket() {
    let then = vec![json!({ "type": "done", "outcome": "order", "values": { "street": "建设路" } })];
    let program = Program::start(Manner::Talks { sound: tone(1_000.0), after: 8_000, then });
    let steps = "[[flow.step]]\nbranch = [{ value = \"outcome\", is = [\"order\"], to = \"kept\" }]\n\
                 [[flow]]\nname = \"kept\"\n[[flow.step]]\norder = \"路灯\"\nvalues = [\"street\", \"outcome\"]\n\
                 prompt = \"ticket_number\"\n[[flow.step]]\nhang_up = true";
    let engine = Engine::start("bot-done", &with_bot(&program, steps));
    let mut lines = Lines::new();
    let caller = lines.plug_in("13800000043", engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the end", PATIENCE, |lines| {
        lines.saw(caller, |event| matches!(event, PhoneEvent::Ended { .. }))
    });
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    lines.until("the ticket", PATIENCE, |_| {
        reader.tickets(1).unwrap().first().is_some_and(|ticket| ticket.state == "closed")
    });
    let ticket = reader.tickets(1).unwrap().remove(0);
    assert_eq!(ticket.data["values"], json!({ "street": "建设路", "outcome": "order" }));
    assert_eq!(ticket.data["bots"][0]["outcome"], "done");
}

#[test]
fn zero_is_a_person_in_the_middle_of_its_words() {
    let program = Program::start(Manner::Talks { sound: tone(1_000.0), after: usize::MAX, then: Vec::new() });
    let engine = Engine::start("bot-zero", &with_bot(&program, ""));
    let mut lines = Lines::new();
    let seat = seat(&mut lines, &engine);
    let caller = lines.plug_in("13800000044", engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("its words", PATIENCE, |lines| level(lines.phone(caller).heard(), 1_000.0) > -20.0);
    lines.order(caller, |phone, now| phone.press("0", now));
    lines.until("a clerk", PATIENCE, |lines| lines.saw(seat, |event| *event == PhoneEvent::Answered));
    lines.until("the end of it", PATIENCE, |_| program.seen().closed);
    assert_eq!(program.seen().of_type("stop")[0]["reason"], "key");
    assert!(program.seen().of_type("dtmf").is_empty(), "the key is ours");
}
