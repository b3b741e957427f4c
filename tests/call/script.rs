//! Flows of the operator's, act by act: what is said, each key, each thing that goes wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hotline::call::{Input, LookedUp};
use hotline::routing::Plan;
use hotline::routing::afterwards::Calling;
use hotline::routing::people::{Band, Hours};
use hotline::routing::plan::{Flow, Peer, Step};
use hotline::routing::script::{
    ACTS_TAKEN_MAX, Act, Branch, Case, Collect, Condition, LookUp, LookUpKind, LookUpSource, Menu, Message,
    Order, Reading, Relay, Script, Spoken, Target, Transfer, VALUE_CHARS_MAX,
};

use super::caller::{Caller, Dialling, millis, secs};

/// What follows at once where the flow leads to a person.
const PERSON: [&str; 3] = ["told queued in main", "loop 0: hold_music", "join main"];
const HUNG_UP: [&str; 3] = ["hang up 0", "stop recording", "close 0"];
/// Words that are in the bank, in place of those that an operator records.
const WORDS: [&str; 3] = ["greeting", "no_seat", "system_fault"];

fn scripts(plan: &mut Plan, scripts: Vec<(&str, Vec<Act>)>) {
    for (id, acts) in scripts {
        plan.scripts.insert(id.into(), Arc::new(Script { id: id.into(), acts }));
    }
    plan.lines.get_mut("12345").expect("shipped").script = Some("main".into());
    plan.callers.urgent_key = Some('9');
    let source = LookUpSource {
        id: "cases".into(),
        kind: LookUpKind::Tickets,
        says: (10..50)
            .map(|n| format!("n{n}"))
            .chain(["n", "state", "long", "owner"].map(str::to_owned))
            .collect(),
        timeout: secs(3),
        misses_max: 3,
        lock: secs(600),
    };
    plan.look_ups.insert(source.id.clone(), source);
    plan.calling = Some(Calling {
        prefix: "9".into(),
        allowed: vec!["13".into()],
        trunk: "carrier".into(),
        line: "12345".into(),
        ring: secs(20),
    });
}

/// A call to 12345, in these flows, of which `main` is the first; answered, with its record on disk.
fn begun(flows: Vec<(&str, Vec<Act>)>) -> Caller {
    begun_by(Dialling::to("12345"), flows)
}

fn begun_by(dialling: Dialling, flows: Vec<(&str, Vec<Act>)>) -> Caller {
    let mut caller = dialling.with(|plan| scripts(plan, flows)).go();
    let said = caller.recorded().to_vec();
    let opened = ["200", "told answered", "open 0", "record 0", "told flow main"];
    assert_eq!(said[..5], opened);
    caller.said = said[5..].to_vec();
    caller
}

fn play(prompt: &str) -> Act {
    Act::Play(prompt.into())
}

fn heard(prompt: &str) -> [String; 2] {
    [format!("told announced {prompt}"), format!("play 0: {prompt}")]
}

fn menu() -> Act {
    Act::Menu(Menu {
        prompt: WORDS[0].into(),
        keys: [('1', "one".into()), ('2', "two".into())].into(),
        wait: secs(5),
        tries: 2,
    })
}

fn collect(least: u8, most: u8) -> Act {
    Act::Collect(Collect {
        into: "number".into(),
        prompt: WORDS[0].into(),
        least,
        most,
        wait: secs(4),
        tries: 2,
    })
}

fn message() -> Act {
    Act::Message(Message {
        into: "what".into(),
        prompt: WORDS[0].into(),
        most: secs(60),
        least: secs(3),
        tries: 2,
    })
}

fn look_up() -> Act {
    Act::LookUp(a_look_up())
}

fn a_look_up() -> LookUp {
    LookUp {
        source: "cases".into(),
        with: [("ticket".to_owned(), "number".to_owned())].into(),
        music: Some("hold_music".into()),
        missing: Some("missing".into()),
        failed: Some("failed".into()),
    }
}

fn order(code_prompt: Option<&str>) -> Act {
    Act::Order(Order {
        category: "noise".into(),
        values: ["what", "number", "never"].map(str::to_owned).to_vec(),
        prompt: WORDS[1].into(),
        code_prompt: code_prompt.map(Into::into),
    })
}

fn digits_of(number: &str) -> Act {
    Act::Say(vec![Spoken::Value { name: number.into(), reading: Reading::Digits }])
}

fn found(values: &[(&str, &str)]) -> LookedUp {
    LookedUp::Found(values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
}

fn says(caller: &mut Caller, asked: u32, said: LookedUp) -> Vec<String> {
    caller.tell(Input::LookedUp { asked, said }).to_vec()
}

fn lines(parts: &[&[&str]]) -> Vec<String> {
    parts.concat().iter().map(ToString::to_string).collect()
}

/// With the fact of a key in front.
fn pressed(digit: char, then: &[&str]) -> Vec<String> {
    lines(&[&[format!("told digit {digit}").as_str()], then])
}

/// Every act that waits for something, and how it is reached: a flow, and what brings it there.
fn waiting() -> Vec<(&'static str, Caller)> {
    let mut waiting = vec![
        ("play", begun(vec![("main", vec![play(WORDS[0])])])),
        ("menu", begun(vec![("main", vec![menu()])])),
        ("collect", begun(vec![("main", vec![collect(2, 8)])])),
        ("invited", begun(vec![("main", vec![message()])])),
        ("order", begun(vec![("main", vec![order(None)])])),
        ("survey", begun(vec![("main", vec![Act::Survey])])),
    ];
    let mut asked = begun(vec![("main", vec![menu()])]);
    asked.heard_out(0);
    waiting.push(("menu, heard out", asked));
    let mut speaks = begun(vec![("main", vec![message()])]);
    speaks.heard_out(0);
    speaks.wait(secs(1));
    waiting.push(("speaking", speaks));
    let mut looks = begun(vec![("main", vec![collect(1, 1), look_up()])]);
    looks.presses('7');
    waiting.push(("look-up", looks));
    let mut grade = begun(vec![("main", vec![Act::Survey])]);
    grade.heard_out(0);
    waiting.push(("survey, heard out", grade));
    waiting
}

// ── The way to a person ──────────────────────────────────────────────────────────────────────────

#[test]
fn the_key_for_a_person_leads_to_one_from_every_act() {
    for (what, mut caller) in waiting() {
        assert_eq!(caller.presses('0'), pressed('0', &PERSON), "{what}");
        caller = caller.talks();
        assert_eq!(caller.call.state(), "talking", "{what}");
    }
}

#[test]
fn so_does_the_urgent_key_but_where_grades_are_given() {
    for (what, mut caller) in waiting() {
        let said = caller.presses('9').to_vec();
        match what.starts_with("survey") {
            true => assert_eq!(said[1], "told announced survey_wrong", "{what}"),
            // It may be the first of what is typed in.
            false if what == "collect" => assert_eq!(said, ["quiet 0"]),
            false => assert_eq!(said, pressed('9', &[&["told urgent"], &PERSON[..]].concat()), "{what}"),
        }
    }
}

#[test]
fn a_value_that_begins_with_the_urgent_key_is_typed_in_and_in_no_fact_by_its_digits() {
    let mut caller = begun(vec![("main", vec![collect(4, 4), digits_of("number")])]);
    let said: Vec<String> = "9153".chars().flat_map(|key| caller.presses(key).to_vec()).collect();
    assert_eq!(said[0], "quiet 0");
    assert_eq!(said[1..], ["told announced digit_9", "play 0: digit_9 digit_yao digit_5 digit_3"]);
}

#[test]
fn behind_the_last_act_is_a_person_and_behind_the_talk_what_every_caller_gets() {
    let mut caller = begun(vec![("main", vec![play(WORDS[0])])]);
    assert_eq!(caller.said, heard(WORDS[0]));
    assert_eq!(caller.heard_out(0), PERSON);
    let mut caller = caller.talks();
    caller.hangs_up(1);
    assert_eq!(caller.call.state(), "survey");

    let mut caller = begun(vec![("main", vec![])]);
    assert_eq!(caller.said, PERSON);
    let said = caller.tell(Input::Overflowed { waited: secs(20) });
    assert_eq!(said[0], "told ticket Overflow");
}

#[test]
fn whatever_is_wrong_leads_to_a_person() {
    let go = |script: &str| Act::Go(script.into());
    let key = |script: &str| {
        Act::Menu(Menu {
            prompt: WORDS[0].into(),
            keys: [('1', script.into())].into(),
            wait: secs(5),
            tries: 1,
        })
    };
    let silent = |act: Act| match act {
        Act::Menu(menu) => Act::Menu(Menu { prompt: "nothing".into(), ..menu }),
        Act::Collect(collect) => Act::Collect(Collect { prompt: "nothing".into(), ..collect }),
        Act::Message(message) => Act::Message(Message { prompt: "nothing".into(), ..message }),
        other => other,
    };
    for (what, acts) in [
        ("a flow that is not there", vec![go("nowhere")]),
        ("a prompt without sound", vec![play("nothing")]),
        ("words without sound", vec![Act::Say(vec![Spoken::Prompt("nothing".into())])]),
        ("a menu without sound", vec![silent(menu())]),
        ("a question without sound", vec![silent(collect(1, 2))]),
        ("an invitation without sound", vec![silent(message())]),
        ("a queue that is not there", vec![Act::Queue("nowhere".into())]),
        (
            "a source that is not there",
            vec![Act::LookUp(LookUp {
                source: "nobody".into(),
                with: BTreeMap::new(),
                music: None,
                missing: None,
                failed: None,
            })],
        ),
        (
            "a branch to nowhere",
            vec![Act::Branch(Branch { cases: vec![], otherwise: Some("nowhere".into()) })],
        ),
        ("a program that nobody has", vec![Act::Bot("bot".into())]),
    ] {
        assert_eq!(begun(vec![("main", acts)]).said, PERSON, "{what}");
    }
    let mut caller = begun(vec![("main", vec![key("nowhere")])]);
    assert_eq!(caller.presses('1'), pressed('1', &[&["quiet 0"], &PERSON[..]].concat()));

    // A line whose flow is not there.
    let mut caller = Dialling::to("12345")
        .with(|plan| plan.lines.get_mut("12345").expect("shipped").script = Some("nowhere".into()))
        .go();
    let said = caller.recorded();
    assert_eq!(said[said.len() - 3..], PERSON);
}

#[test]
fn flows_that_lead_round_in_a_circle_come_to_an_end() {
    let mut caller =
        begun(vec![("main", vec![Act::Go("other".into())]), ("other", vec![Act::Go("main".into())])]);
    let flows = caller.said.iter().filter(|said| said.starts_with("told flow")).count();
    assert_eq!(flows, usize::from(ACTS_TAKEN_MAX));
    assert_eq!(caller.said[flows..], PERSON);
    caller.rings("1001");
    assert_eq!(caller.call.state(), "ringing");
}

// ── Words ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_key_ends_what_is_said_and_what_is_said_ends_by_itself() {
    let flow = || vec![("main", vec![play(WORDS[0]), play(WORDS[1])])];
    for digit in "12345678*#".chars() {
        let mut caller = begun(flow());
        let said = caller.presses(digit).to_vec();
        assert_eq!(said, pressed(digit, &["quiet 0", "told announced no_seat", "play 0: no_seat"]));
    }
    let mut caller = begun(flow());
    assert_eq!(caller.heard_out(0), heard(WORDS[1]));
    assert_eq!(caller.heard_out(0), PERSON);
}

#[test]
fn values_are_said_among_words_and_passed_over_where_they_are_not_there() {
    let choice = |otherwise: Option<&str>| Spoken::Choice {
        name: "state".into(),
        prompts: [("done".to_owned(), "survey_thanks".into())].into(),
        otherwise: otherwise.map(Into::into),
    };
    let said_of = |values: &[(&str, &str)], pieces: Vec<Spoken>| {
        let ask = Act::LookUp(LookUp {
            with: BTreeMap::new(),
            music: None,
            missing: None,
            failed: None,
            ..a_look_up()
        });
        let mut caller = begun(vec![("main", vec![ask, Act::Say(pieces), Act::HangUp])]);
        let said = says(&mut caller, 1, found(values));
        said.last().expect("something").clone()
    };
    let value = |name: &str, reading| Spoken::Value { name: name.into(), reading };
    let prompt = || Spoken::Prompt("goodbye".into());
    for (values, pieces, wanted) in [
        (
            &[("n", "12")][..],
            vec![prompt(), value("n", Reading::Digits)],
            "play 0: goodbye digit_yao digit_2",
        ),
        (&[("n", "12")], vec![value("n", Reading::Count), prompt()], "play 0: ten digit_2 goodbye"),
        (&[("n", " ")], vec![value("n", Reading::Count), prompt()], "play 0: goodbye"),
        (&[], vec![value("n", Reading::Digits), prompt()], "play 0: goodbye"),
        (&[("state", "done")], vec![choice(None)], "play 0: survey_thanks"),
        (&[("state", "open")], vec![choice(Some("goodbye"))], "play 0: goodbye"),
        (&[("state", "open")], vec![choice(None), prompt()], "play 0: goodbye"),
        (&[], vec![choice(Some("survey")), prompt()], "play 0: goodbye"),
        // Nothing to say at all: on.
        (&[], vec![choice(Some("survey")), value("n", Reading::Digits)], "close 0"),
    ] {
        assert_eq!(said_of(values, pieces.clone()), wanted, "{values:?} {pieces:?}");
    }
}

#[test]
fn a_flow_may_hang_up() {
    let mut caller = begun(vec![("main", vec![play(WORDS[0]), Act::HangUp])]);
    assert_eq!(caller.heard_out(0), HUNG_UP);
    assert_eq!(caller.sound_closed(), ["told closed Completed", "over"]);
}

// ── Keys ─────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_value_that_cannot_be_said_as_the_plan_has_it_leads_to_a_person() {
    for (value, reading) in [
        ("-3.20", Reading::Amount),
        ("1,234.50", Reading::Amount),
        ("1000000000000", Reading::Count),
        ("2026/10/01", Reading::Date),
        ("24:00", Reading::Time),
        ("豫J12345", Reading::Digits),
    ] {
        let ask = Act::LookUp(LookUp {
            with: BTreeMap::new(),
            music: None,
            missing: None,
            failed: None,
            ..a_look_up()
        });
        let spoken = vec![Spoken::Prompt("goodbye".into()), Spoken::Value { name: "n".into(), reading }];
        let mut caller = begun(vec![("main", vec![ask, Act::Say(spoken), Act::HangUp])]);
        let said = says(&mut caller, 1, found(&[("n", value)]));
        assert_eq!(said[1..], lines(&[&["told unread n"], &PERSON]), "{reading:?} {value}");
    }
}

#[test]
fn a_key_of_a_menu_leads_where_the_operator_says_before_or_behind_the_question() {
    let flows = || vec![("main", vec![menu()]), ("one", vec![play(WORDS[1])]), ("two", vec![Act::HangUp])];
    for early in [true, false] {
        let mut caller = begun(flows());
        assert_eq!(caller.said, heard(WORDS[0]));
        if !early {
            caller.heard_out(0);
            assert_eq!(caller.wait(millis(4_999)), [""; 0]);
        }
        let then = ["quiet 0", "told flow one", "told announced no_seat", "play 0: no_seat"];
        assert_eq!(caller.presses('1'), pressed('1', &then));
        assert_eq!(caller.wait(secs(60)), [""; 0], "no timer is left");
    }
    let mut caller = begun(flows());
    let said = caller.presses('2').to_vec();
    assert_eq!(said, pressed('2', &[&["quiet 0", "told flow two"], &HUNG_UP[..]].concat()));
}

#[test]
fn a_wrong_key_and_none_put_the_question_again_and_then_a_person_comes() {
    let again = heard(WORDS[0]);
    let again = [again[0].as_str(), again[1].as_str()];
    let mut caller = begun(vec![("main", vec![menu()])]);
    assert_eq!(caller.presses('7'), pressed('7', &again));
    assert_eq!(caller.presses('*'), pressed('*', &PERSON));

    let mut caller = begun(vec![("main", vec![menu()])]);
    caller.heard_out(0);
    assert_eq!(caller.wait(secs(5)), again);
    assert_eq!(caller.wait(secs(60)), [""; 0], "the time runs from the question's end");
    caller.heard_out(0);
    assert_eq!(caller.wait(secs(5)), PERSON);
}

#[test]
fn digits_are_collected_to_their_number_their_end_or_their_time_and_are_in_no_fact_by_themselves() {
    // Least 2, most 4; then they are read back.
    for (keys, wait, wanted) in [
        ("1234", 0, Some("digit_yao digit_2 digit_3 digit_4")),
        ("12#", 0, Some("digit_yao digit_2")),
        ("102#", 0, Some("digit_yao digit_0 digit_2")),
        ("19#", 0, Some("digit_yao digit_9")),
        ("1*2A#", 0, Some("digit_yao digit_2")),
        ("123", 4, Some("digit_yao digit_2 digit_3")),
        ("12", 3, None),
    ] {
        let mut caller = begun(vec![("main", vec![collect(2, 4), digits_of("number")])]);
        let mut said = caller.keys(0, keys).to_vec();
        said.extend_from_slice(caller.wait(secs(wait)));
        let spoken: Vec<&String> = said.iter().filter(|said| said.starts_with("play")).collect();
        match wanted {
            Some(wanted) => assert_eq!(spoken, [&format!("play 0: {wanted}")], "{keys}"),
            None => assert!(spoken.is_empty(), "{keys}: {said:?}"),
        }
        assert_eq!(said[0], "quiet 0", "the first digit interrupts");
        assert!(!said.iter().any(|said| said.starts_with("told digit")), "{said:?}");
    }
}

#[test]
fn too_few_digits_are_asked_for_again_and_then_a_person_comes() {
    let again = heard(WORDS[0]).to_vec();
    let flow = || vec![("main", vec![collect(3, 4)])];
    let mut caller = begun(flow());
    assert_eq!(caller.keys(0, "12#")[1..], again);
    assert_eq!(caller.keys(0, "#"), PERSON, "not even one");

    let mut caller = begun(flow());
    caller.heard_out(0);
    assert_eq!(caller.wait(secs(4)), again, "none at all");
    caller.keys(0, "12");
    assert_eq!(caller.wait(secs(4)), PERSON);
}

#[test]
fn the_end_key_behind_digits_that_were_enough_belongs_to_them() {
    let flow = || vec![("main", vec![collect(2, 2), play(WORDS[1])])];
    let on = ["quiet 0", "told announced no_seat", "play 0: no_seat"];
    let mut caller = begun(flow());
    assert_eq!(caller.keys(0, "12"), on);
    caller.wait(secs(2));
    assert_eq!(caller.presses('#'), [""; 0], "a habit");
    assert_eq!(caller.presses('#'), pressed('#', &[&["quiet 0"], &PERSON[..]].concat()), "and a key");
    for (wait, digit) in [(4, '#'), (1, '5')] {
        let mut caller = begun(flow());
        caller.keys(0, "12");
        caller.wait(secs(wait));
        assert_eq!(caller.presses(digit), pressed(digit, &[&["quiet 0"], &PERSON[..]].concat()));
    }
}

#[test]
fn a_zero_is_a_digit_behind_another_and_a_person_in_front_of_all() {
    let mut caller = begun(vec![("main", vec![collect(2, 8)])]);
    assert_eq!(caller.keys(0, "10"), ["quiet 0"]);
    assert_eq!(caller.call.state(), "self_service");
    let mut caller = begun(vec![("main", vec![collect(2, 8)])]);
    assert_eq!(caller.keys(0, "0"), pressed('0', &PERSON));
}

// ── Messages and orders ──────────────────────────────────────────────────────────────────────────

/// A message that is spoken from 5 s of the recording on.
fn speaks(behind: Vec<Act>) -> Caller {
    let mut caller = begun(vec![("main", [vec![message()], behind].concat())]);
    assert_eq!(caller.said, heard(WORDS[0]));
    caller.wait(secs(5));
    assert_eq!(caller.heard_out(0), [""; 0]);
    caller
}

const LEFT: &str = "told message what 5000-13400 ms";

#[test]
fn a_message_is_a_span_of_the_recording_and_ends_by_its_key_or_by_its_time() {
    let mut caller = speaks(vec![play(WORDS[1])]);
    caller.wait(millis(8_400));
    assert_eq!(caller.presses('5'), ["told digit 5"], "other keys are pressed by a cheek");
    let on = heard(WORDS[1]);
    assert_eq!(caller.presses('#'), pressed('#', &[LEFT, &on[0], &on[1]]));

    let mut caller = speaks(vec![play(WORDS[1])]);
    let said = caller.wait(secs(60)).to_vec();
    assert_eq!(said, lines(&[&["told message what 5000-65000 ms", &on[0], &on[1]]]));
    assert_eq!(caller.presses('#'), [""; 0], "too late, and meant for the message");
}

#[test]
fn a_key_in_the_invitation_begins_the_message() {
    let mut caller = begun(vec![("main", vec![message(), play(WORDS[1])])]);
    caller.wait(secs(1));
    assert_eq!(caller.presses('1'), pressed('1', &["quiet 0"]));
    caller.wait(secs(3));
    assert_eq!(caller.presses('#')[1], "told message what 1000-4000 ms");
}

#[test]
fn a_message_that_is_too_short_is_none_and_is_asked_for_again() {
    let mut caller = speaks(vec![]);
    caller.wait(millis(2_999));
    let again = heard(WORDS[0]);
    assert_eq!(caller.presses('#'), pressed('#', &[&again[0], &again[1]]));
    caller.heard_out(0);
    caller.wait(secs(1));
    assert_eq!(caller.presses('#'), pressed('#', &PERSON));
}

#[test]
fn where_nothing_is_recorded_no_message_can_be_left() {
    let mut caller = Dialling::to("12345")
        .with(|plan| {
            scripts(plan, vec![("main", vec![message()])]);
            plan.recording.enabled = false;
        })
        .go();
    assert_eq!(caller.recorded()[4..], PERSON);

    let mut caller = speaks(vec![]);
    caller.wait(secs(10));
    caller.tell(Input::PauseRecording { pause: true, by: "board".into() });
    assert_eq!(caller.presses('#'), pressed('#', &PERSON), "it holds silence");
}

#[test]
fn an_order_is_a_ticket_whose_number_and_code_are_read_out() {
    let number = "digit_2 digit_0 digit_2 digit_yao digit_0 digit_9 digit_0 digit_yao digit_0 digit_0 digit_yao \
                  digit_2";
    let code = "digit_2 digit_0 digit_4 digit_7 digit_yao digit_yao";
    for with_code in [false, true] {
        let acts = vec![order(with_code.then_some("goodbye")), Act::HangUp];
        let mut caller = speaks(acts);
        caller.wait(millis(8_400));
        let said = caller.presses('#').to_vec();
        let (known, words) = match with_code {
            true => ("Some(\"204711\")", format!("play 0: no_seat {number} goodbye {code}")),
            false => ("None", format!("play 0: no_seat {number}")),
        };
        let ordered =
            format!("told ordered noise {{\"what\": \"5.0-13.4\"}} message 5000-13400 ms code {known}");
        let told = [LEFT, "told ticket SelfService", &ordered, "told announced no_seat", &words];
        assert_eq!(said, pressed('#', &told));
        assert_eq!(caller.heard_out(0), HUNG_UP);
    }
}

#[test]
fn who_orders_twice_has_one_ticket() {
    let mut caller = begun(vec![("main", vec![order(None), order(None), Act::HangUp])]);
    assert_eq!(caller.said[..2], ["told ticket SelfService", "told ordered noise {} no message code None"]);
    assert_eq!(caller.heard_out(0)[0], "told ordered noise {} no message code None");
}

#[test]
fn who_hangs_up_having_spoken_long_enough_has_left_the_message_and_it_is_ordered() {
    type Leaves = fn(&mut Caller) -> Vec<String>;
    let leaves: [(Leaves, &str); 4] = [
        (|caller| caller.hangs_up(0).to_vec(), "CallerHungUp"),
        (|caller| caller.vanishes(0).to_vec(), "CallerVanished"),
        (|caller| caller.tell(Input::End { cause: hotline::call::EndWhy::Drained }).to_vec(), "Drained"),
        (|caller| caller.tell(Input::SoundFailed { leg: caller.leg(0) }).to_vec(), "Failed"),
    ];
    for (leave, cause) in leaves {
        let mut caller = speaks(vec![play(WORDS[1]), order(Some("goodbye")), Act::HangUp]);
        caller.wait(millis(8_400));
        let said = leave(&mut caller);
        let ordered = "told ordered noise {\"what\": \"5.0-13.4\"} message 5000-13400 ms code None";
        assert_eq!(said[..3], [LEFT, "told ticket SelfService", ordered], "{cause}: nobody was told a code");
        assert!(caller.sound_closed()[0].starts_with("told closed"), "{cause}");

        // Too short: nothing was left.
        let mut caller = speaks(vec![order(None)]);
        caller.wait(secs(2));
        let said = leave(&mut caller);
        assert!(!said.iter().any(|said| said.contains("ticket") || said.contains("message")), "{said:?}");
    }
}

#[test]
fn a_message_that_no_order_follows_is_a_ticket_unless_a_person_hears_of_it() {
    // It leads to a menu, where the caller leaves.
    let mut caller = speaks(vec![menu(), order(None)]);
    caller.wait(millis(8_400));
    caller.presses('#');
    let said = caller.hangs_up(0).to_vec();
    assert_eq!(said[0], "told ticket SelfService");
    assert!(!said.iter().any(|said| said.contains("ordered")), "{said:?}");

    // It leads to a queue, where the caller leaves; or finds a clerk; or is sent on with a ticket.
    let waits = || {
        let mut caller = speaks(vec![]);
        caller.wait(millis(8_400));
        assert_eq!(caller.presses('#'), pressed('#', &[&[LEFT], &PERSON[..]].concat()));
        caller
    };
    assert_eq!(waits().hangs_up(0)[0], "told ticket SelfService");
    // Who breaks off for a person has spoken all the same.
    let mut caller = speaks(vec![]);
    caller.wait(millis(8_400));
    assert_eq!(caller.presses('0'), pressed('0', &[&[LEFT], &PERSON[..]].concat()));
    assert_eq!(caller.hangs_up(0)[0], "told ticket SelfService");
    let mut caller = waits().talks();
    assert!(!caller.hangs_up(0).iter().any(|said| said.contains("ticket")));
    let mut caller = waits();
    assert_eq!(caller.tell(Input::Overflowed { waited: secs(9) })[0], "told ticket Overflow");
    assert!(!caller.hangs_up(0).iter().any(|said| said.contains("ticket")));
}

#[test]
fn an_order_behind_questions_is_made_with_what_is_known_when_the_caller_leaves() {
    let mut caller = speaks(vec![collect(2, 8), order(None)]);
    caller.wait(millis(8_400));
    caller.presses('#');
    caller.keys(0, "12");
    let said = caller.hangs_up(0).to_vec();
    assert_eq!(
        said[..2],
        [
            "told ticket SelfService",
            "told ordered noise {\"what\": \"5.0-13.4\"} message 5000-13400 ms code None"
        ]
    );
}

// ── Look-ups ─────────────────────────────────────────────────────────────────────────────────────

/// Waits for an answer.
fn asks() -> Caller {
    let mut caller = begun(vec![
        ("main", vec![collect(1, 1), look_up(), digits_of("state")]),
        ("missing", vec![play(WORDS[1])]),
        ("failed", vec![play(WORDS[2])]),
    ]);
    let said = caller.presses('7').to_vec();
    assert_eq!(said, ["quiet 0", "loop 0: hold_music", "ask cases 1 by {\"ticket\": \"7\"}"]);
    caller
}

#[test]
fn what_an_adapter_says_leads_on() {
    for (said, told, then) in [
        (
            found(&[("state", "12")]),
            "Found",
            lines(&[&["told announced digit_yao", "play 0: digit_yao digit_2"]]),
        ),
        (
            LookedUp::Missing,
            "Missing",
            lines(&[&["told flow missing"], &heard(WORDS[1]).each_ref().map(|it| it.as_str())]),
        ),
        (
            LookedUp::Locked,
            "Locked",
            lines(&[&["told flow failed"], &heard(WORDS[2]).each_ref().map(|it| it.as_str())]),
        ),
        (
            LookedUp::Failed,
            "Failed",
            lines(&[&["told flow failed"], &heard(WORDS[2]).each_ref().map(|it| it.as_str())]),
        ),
    ] {
        let mut caller = asks();
        caller.wait(secs(1));
        assert_eq!(says(&mut caller, 2, found(&[])), [""; 0], "another question's");
        let heard = says(&mut caller, 1, said.clone());
        assert_eq!(heard[0], format!("told asked cases: {told} after 1000 ms"));
        assert_eq!(heard[1..], then);
        assert_eq!(says(&mut caller, 1, said), [""; 0], "and again");
        assert_eq!(caller.wait(secs(10)), [""; 0], "no timer is left");
    }
}

#[test]
fn an_answer_that_never_comes_is_a_failure_and_where_nothing_is_said_of_it_a_person() {
    let mut caller = asks();
    assert_eq!(caller.presses('5'), ["told digit 5"], "there is nothing to interrupt");
    assert_eq!(caller.wait(millis(3_999)), [""; 0]);
    assert_eq!(caller.wait(millis(1))[..2], ["told asked cases: Failed after 4000 ms", "told flow failed"]);
    assert_eq!(says(&mut caller, 1, found(&[])), [""; 0], "too late");

    let plain = Act::LookUp(LookUp {
        source: "cases".into(),
        with: BTreeMap::new(),
        music: None,
        missing: None,
        failed: None,
    });
    for (said, then) in [
        (LookedUp::Failed, lines(&[&PERSON])),
        (LookedUp::Locked, lines(&[&PERSON])),
        (LookedUp::Missing, heard(WORDS[1]).to_vec()),
    ] {
        let mut caller = begun(vec![("main", vec![plain.clone(), play(WORDS[1])])]);
        assert_eq!(caller.said, ["ask cases 1 by {}"]);
        assert_eq!(says(&mut caller, 1, said)[1..], then);
    }
}

#[test]
fn what_is_not_known_cannot_be_asked_by() {
    let flows = vec![("main", vec![look_up()]), ("missing", vec![play(WORDS[1])])];
    let caller = begun(flows);
    assert_eq!(
        caller.said,
        lines(&[&["told flow missing"], &heard(WORDS[1]).each_ref().map(|it| it.as_str())])
    );
}

#[test]
fn values_are_kept_to_their_bounds() {
    let mut caller = begun(vec![(
        "main",
        vec![
            Act::LookUp(LookUp {
                source: "cases".into(),
                with: BTreeMap::new(),
                music: None,
                missing: None,
                failed: None,
            }),
            Act::Order(Order {
                category: "noise".into(),
                values: ["long", "n40", "n41"].map(str::to_owned).to_vec(),
                prompt: WORDS[0].into(),
                code_prompt: None,
            }),
        ],
    )]);
    let mut values: BTreeMap<String, String> = (10..50).map(|n| (format!("n{n}"), n.to_string())).collect();
    values.insert("long".into(), "长".repeat(2 * VALUE_CHARS_MAX));
    let said = says(&mut caller, 1, LookedUp::Found(values)).join("\n");
    assert!(
        said.contains(&"长".repeat(VALUE_CHARS_MAX)) && !said.contains(&"长".repeat(VALUE_CHARS_MAX + 1))
    );
    assert!(said.contains("\"n40\"") && !said.contains("\"n41\""), "the last in order are too many: {said}");
}

#[test]
fn an_answer_fills_and_replaces_nothing_but_what_it_is_to_say() {
    let ordered = |names: [&str; 2]| {
        Act::Order(Order {
            category: "noise".into(),
            values: names.map(str::to_owned).to_vec(),
            prompt: WORDS[0].into(),
            code_prompt: None,
        })
    };
    let mut caller = begun(vec![("main", vec![collect(1, 4), look_up(), ordered(["number", "state"])])]);
    caller.presses('1');
    caller.presses('2');
    caller.presses('#');
    // As many as a call keeps, the first in order, and one that the caller has typed in.
    let mut values: BTreeMap<String, String> = (0..40).map(|n| (format!("a{n:02}"), "x".into())).collect();
    values.insert("number".into(), "OVERRIDDEN".into());
    values.insert("state".into(), "done".into());
    let said = says(&mut caller, 1, LookedUp::Found(values)).join("\n");
    assert!(said.contains(r#""number": "12""#) && said.contains(r#""state": "done""#), "{said}");
}

// ── Branches ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_branch_goes_where_the_first_case_is_so() {
    use jiff::civil::{Time, Weekday};
    // The call is on a Wednesday, 09:00.
    let band = |days: &[Weekday], from: i8, to: i8| {
        let at = |hour: i8| Time::new(hour, 0, 0, 0).expect("an hour");
        Hours::weekly(vec![Band { days: days.to_vec(), from: at(from), to: at(to) }])
    };
    let (open, shut) = (band(&[Weekday::Wednesday], 9, 18), band(&[Weekday::Wednesday], 10, 18));
    let value = |name: &str, is: &[&str]| Condition::Value {
        name: name.into(),
        is: is.iter().map(ToString::to_string).collect(),
    };
    let caller = |begins: &str| Condition::Caller(vec![begins.into()]);
    let line = |line: &str| Condition::Line(vec![line.into()]);
    let rows = [
        (vec![Condition::Inside(open.clone())], true),
        (vec![Condition::Inside(shut.clone())], false),
        (vec![Condition::Outside(open.clone())], false),
        (vec![Condition::Outside(shut)], true),
        (vec![line("12345")], true),
        (vec![line("12336")], false),
        (vec![caller("138")], true),
        (vec![caller("+86138")], true),
        (vec![caller("139")], false),
        (vec![value("number", &["7", "8"])], true),
        (vec![value("number", &[])], true),
        (vec![value("number", &["8"])], false),
        (vec![value("other", &[])], false),
        (vec![Condition::Inside(open.clone()), line("12345")], true),
        (vec![Condition::Inside(open), line("12336")], false),
        (vec![], true),
    ];
    for (when, holds) in rows {
        for otherwise in [None, Some("two".into())] {
            let branch = Branch {
                cases: vec![
                    Case { when: vec![line("no")], to: "two".into() },
                    Case { when: when.clone(), to: "one".into() },
                    Case { when: vec![line("no")], to: "two".into() },
                ],
                otherwise: otherwise.clone(),
            };
            let mut caller = begun(vec![
                ("main", vec![collect(1, 1), Act::Branch(branch), play(WORDS[2])]),
                ("one", vec![play(WORDS[1])]),
                ("two", vec![Act::HangUp]),
            ]);
            let said = caller.presses('7').to_vec();
            let wanted = match (holds, otherwise) {
                (true, _) => "told flow one",
                (false, Some(_)) => "told flow two",
                (false, None) => "told announced system_fault",
            };
            assert_eq!(said[1], wanted, "{when:?}");
        }
    }
}

#[test]
fn a_withheld_number_begins_like_none() {
    let branch = Branch {
        cases: vec![Case { when: vec![Condition::Caller(vec!["1".into()])], to: "one".into() }],
        otherwise: None,
    };
    let dialling = Dialling { from: "", ..Dialling::to("12345") };
    let caller =
        begun_by(dialling, vec![("main", vec![Act::Branch(branch), play(WORDS[2])]), ("one", vec![])]);
    assert_eq!(caller.said, heard(WORDS[2]));
}

// ── Queues, surveys, and who is rung ─────────────────────────────────────────────────────────────

#[test]
fn a_queue_of_the_flows_own_is_waited_in_as_on_a_line_of_that_queues() {
    let other = |plan: &mut Plan| {
        let mut queue = plan.queues["main"].clone();
        queue.id = "law".into();
        queue.overflow_prompt = "goodbye".into();
        plan.queues.insert(queue.id.clone(), queue);
    };
    let flows = || vec![("main", vec![Act::Queue("law".into()), play(WORDS[0])])];
    let mut caller = begun_by(Dialling::to("12345").with(other), flows());
    assert_eq!(caller.said, ["told queued in law", "loop 0: hold_music", "join law"]);
    let said = caller.tell(Input::Overflowed { waited: secs(9) }).to_vec();
    assert_eq!(said[..2], ["told ticket Overflow", "told announced goodbye"]);
    assert_eq!(caller.heard_out(0), HUNG_UP);

    let mut caller = begun_by(Dialling::to("12345").with(other), flows()).talks();
    caller.hangs_up(1);
    assert_eq!(caller.call.state(), "survey");

    // A policy sends the caller past it.
    let mut caller = Dialling::to("12345").with(other).with(|plan| scripts(plan, flows())).go();
    caller.tell(Input::CoolDown);
    let said = caller.recorded().to_vec();
    assert!(said.contains(&"told ticket CoolDown".to_owned()), "{said:?}");
}

#[test]
fn a_survey_in_a_flow_is_an_act_among_others() {
    let flow = || vec![("main", vec![Act::Survey, play(WORDS[1])])];
    let mut caller = begun(flow());
    assert_eq!(caller.said, heard("survey"));
    let thanks = heard("survey_thanks");
    assert_eq!(caller.presses('2'), pressed('2', &["told grade 2 of the flow", &thanks[0], &thanks[1]]));
    assert_eq!(caller.heard_out(0), heard(WORDS[1]));

    // Whoever talks with the caller afterwards is graded by themselves.
    caller.heard_out(0);
    let mut caller = caller.talks();
    caller.hangs_up(1);
    assert_eq!(caller.presses('5'), pressed('5', &["told grade 5", &thanks[0], &thanks[1]]));

    // Nobody says anything: on without a word.
    let mut caller = begun(flow());
    let tries = caller.call.plan().survey.tries;
    for _ in 1..tries {
        caller.heard_out(0);
        caller.wait(secs(8));
        assert_eq!(caller.call.state(), "survey");
    }
    caller.heard_out(0);
    assert_eq!(caller.wait(secs(8)), heard(WORDS[1]));
}

fn peer(hours: Hours) -> Peer {
    Peer { trunk: "sub-12366".into(), number: "12366".into(), ring: secs(25), drill: false, hours }
}

fn transfer(to: Target, failed: Option<&str>) -> Act {
    Act::Transfer(Transfer { to, failed: failed.map(Into::into) })
}

const RINGS: [&str; 4] = [
    "told dialled 12366",
    "loop 0: ringback",
    "want port 1 for 12366 by sub-12366",
    "invite 12366 by sub-12366 as 1",
];

#[test]
fn somebody_of_the_plan_is_rung_and_talks_with_the_caller() {
    let mut caller = begun(vec![("main", vec![transfer(Target::Peer(peer(Hours::default())), None)])]);
    assert_eq!(caller.said, RINGS);
    assert_eq!(caller.presses('5'), ["told digit 5"], "the ringing goes on");
    assert_eq!(caller.answers(1), ["open 1", "told answered by 12366", "bridge 0 and 1"]);
    assert_eq!(caller.presses('0'), ["told digit 0"], "a person is there");
    caller.wait(secs(30));
    let said = caller.hangs_up(1).to_vec();
    assert_eq!(said[2], "told sub-12366/12366 left after 30000 ms");
    assert_eq!(said[said.len() - 3..], HUNG_UP);
}

#[test]
fn where_nobody_answers_the_flow_goes_on() {
    type Fails = fn(&mut Caller) -> Vec<String>;
    let fails: [(Fails, u16); 3] = [
        (|caller| caller.refuses(1, 486).to_vec(), 486),
        (|caller| caller.wait(secs(25)).to_vec(), 0),
        (|caller| caller.hangs_up(1).to_vec(), 480),
    ];
    for (fail, status) in fails {
        for failed in [None, Some("failed")] {
            let mut caller = begun(vec![
                ("main", vec![transfer(Target::Peer(peer(Hours::default())), failed), play(WORDS[1])]),
                ("failed", vec![play(WORDS[2])]),
            ]);
            let said = fail(&mut caller);
            let told = format!("told failed 12366: {status}");
            let on = heard(if failed.is_some() { WORDS[2] } else { WORDS[1] });
            let flow: &[&str] = if failed.is_some() { &["told flow failed"] } else { &[] };
            assert_eq!(said, lines(&[&["hang up 1", "free port 11", &told], flow, &[&on[0], &on[1]]]));
            assert_eq!(caller.answers(1), [""; 0], "too late");
        }
    }
}

#[test]
fn the_keys_for_a_person_end_the_ringing() {
    for digit in ['0', '9'] {
        let mut caller = begun(vec![("main", vec![transfer(Target::Peer(peer(Hours::default())), None)])]);
        let urgent: &[&str] = if digit == '9' { &["told urgent"] } else { &[] };
        let then = [urgent, &["hang up 1", "free port 11", "told failed 12366: 487"], &PERSON].concat();
        assert_eq!(caller.presses(digit), pressed(digit, &then));
        assert_eq!(caller.answers(1), [""; 0], "too late");
        assert_eq!(caller.wait(secs(60)), [""; 0], "no timer is left");
    }
}

#[test]
fn at_an_hour_when_nobody_is_there_nobody_is_rung() {
    let at = |hour: i8| jiff::civil::Time::new(hour, 0, 0, 0).expect("an hour");
    let hours =
        Hours::weekly(vec![Band { days: vec![jiff::civil::Weekday::Sunday], from: at(1), to: at(2) }]);
    let flows = vec![
        ("main", vec![transfer(Target::Peer(peer(hours)), Some("failed"))]),
        ("failed", vec![play(WORDS[2])]),
    ];
    let caller = begun(flows);
    assert_eq!(
        caller.said,
        lines(&[&["told flow failed"], &heard(WORDS[2]).each_ref().map(|it| it.as_str())])
    );
}

#[test]
fn whoever_an_adapter_names_is_rung_by_a_number_that_neither_side_is_shown() {
    let flow = || {
        vec![
            (
                "main",
                vec![
                    Act::LookUp(LookUp {
                        source: "cases".into(),
                        with: BTreeMap::new(),
                        music: None,
                        missing: None,
                        failed: None,
                    }),
                    transfer(Target::Value("owner".into()), Some("failed")),
                ],
            ),
            ("failed", vec![play(WORDS[2])]),
        ]
    };
    let mut caller = begun(flow());
    let asks = ["relay 13900000007, 3 in 1800 s?"];
    let rings = [
        "told dialled 13900000007",
        "loop 0: ringback",
        "want port 1 for 13900000007 by carrier",
        "invite 13900000007 by carrier as 1",
    ];
    assert_eq!(says(&mut caller, 1, found(&[("owner", "+8613900000007")]))[1..], asks);
    assert_eq!(caller.call.state(), "self_service");
    assert_eq!(caller.presses('5'), pressed('5', &[]), "nothing to choose");
    assert_eq!(caller.tell(Input::RelayJudged { may: true }), rings);
    assert_eq!(caller.answers(1)[2], "bridge 0 and 1");
    // They are a stranger, who puts the caller through to nobody, neither a seat nor 110.
    let leg = caller.leg(1);
    let mut refers = |target: &str, attended| {
        let target = format!("sip:{target}@hotline.puyang");
        caller.tell(Input::Referred { leg, refer: 1, target, attended }).to_vec()
    };
    for target in ["1001", "110", "12366", "9013900000001"] {
        let declined = [
            format!("told transfer to sip:{target}@hotline.puyang: Declined(603)"),
            "603 to REFER of 1".into(),
        ];
        assert_eq!(refers(target, None), declined);
    }
    let partner = hotline::call::Partner { leg, callee: hotline::call::Callee::Seat("1001".into()) };
    assert_eq!(refers("1001", Some(Ok(partner)))[1], "603 to REFER of 1");
    assert_eq!(caller.call.state(), "talking");

    for number in ["110", "0393110", "12345", "10086", "15900000007", "1001", "12366", "owner", ""] {
        let mut caller = begun(flow());
        let said = says(&mut caller, 1, found(&[("owner", number)]));
        let why = if number.is_empty() { "unknown".to_owned() } else { format!("not_allowed {number}") };
        assert_eq!(said[1..3], [format!("told not rung by owner: {why}"), "told flow failed".into()]);
    }
    let mut caller = begun(flow());
    assert_eq!(
        says(&mut caller, 1, found(&[("other", "13900000007")]))[1..3],
        ["told not rung by owner: unknown", "told flow failed"],
        "none is named"
    );
}

#[test]
fn who_was_rung_too_often_is_not_rung_and_the_flow_goes_on_as_if_nobody_had_answered() {
    let relay = || {
        let look_up = LookUp {
            source: "cases".into(),
            with: BTreeMap::new(),
            music: None,
            missing: None,
            failed: None,
        };
        let owner = Relay { name: "owner".into(), most: 1, within: secs(60) };
        let acts = vec![Act::LookUp(look_up), transfer(Target::Value(owner), Some("failed"))];
        let mut caller = begun(vec![("main", acts), ("failed", vec![play(WORDS[2])])]);
        let said = says(&mut caller, 1, found(&[("owner", "13900000007")]));
        assert_eq!(said[1..], ["relay 13900000007, 1 in 60 s?"]);
        caller
    };
    let words = heard(WORDS[2]);
    let failed = ["told 13900000007 is rung too often", "told flow failed", &words[0], &words[1]];
    let mut caller = relay();
    assert_eq!(caller.tell(Input::RelayJudged { may: false }), failed);
    assert_eq!(caller.tell(Input::RelayJudged { may: true }), [""; 0], "once");
    assert_eq!(relay().wait(secs(1)), failed, "nobody says so");
    assert_eq!(relay().presses('0'), pressed('0', &PERSON));
    assert_eq!(relay().hangs_up(0), ["stop recording", "close 0"]);
}

#[test]
fn a_number_that_the_caller_typed_in_is_not_dialled() {
    let typed = Act::Collect(Collect {
        into: "owner".into(),
        prompt: WORDS[0].into(),
        least: 11,
        most: 11,
        wait: secs(4),
        tries: 1,
    });
    let flows = vec![("main", vec![typed, transfer(Target::Value("owner".into()), None)])];
    let mut caller = begun(flows);
    assert_eq!(
        caller.keys(0, "13900000007"),
        lines(&[&["quiet 0", "told not rung by owner: unknown"], &PERSON])
    );
}

// ── How calls end, and what may happen meanwhile ─────────────────────────────────────────────────

#[test]
fn who_leaves_in_the_middle_of_any_act_has_left() {
    for (what, mut caller) in waiting() {
        assert_eq!(caller.hangs_up(0), ["stop recording", "close 0"], "{what}");
        assert_eq!(caller.sound_closed(), ["told closed CallerHungUp", "over"], "{what}");
        assert_eq!(caller.call.poll_timeout(), None, "{what}");
    }
    for (what, mut caller) in waiting() {
        caller.tell(Input::Silent { leg: caller.leg(0) });
        assert_eq!(caller.said, ["OPTIONS to 0"], "{what}");
        let said = caller.vanishes(0).to_vec();
        assert_eq!(said[0], "hang up 0", "{what}");
    }
    for (what, mut caller) in waiting() {
        let said = caller.tell(Input::End { cause: hotline::call::EndWhy::Drained }).to_vec();
        assert_eq!(said, HUNG_UP, "{what}");
    }
    let mut caller = begun(vec![("main", vec![transfer(Target::Peer(peer(Hours::default())), None)])]);
    assert_eq!(caller.hangs_up(0), ["hang up 1", "free port 11", "stop recording", "close 0"]);
}

#[test]
fn a_cancel_that_crosses_the_answer_and_a_re_invite_change_nothing() {
    for (what, mut caller) in waiting() {
        let state = caller.call.state();
        assert_eq!(caller.tell(Input::Cancelled), [""; 0], "{what}");
        caller.reinvites(0, Some(super::caller::sdp(4_000, None)));
        assert_eq!(caller.said, ["200 to re-INVITE of 0"], "{what}");
        assert_eq!(caller.call.state(), state, "{what}");
    }
}

#[test]
fn a_late_offer_s_flow_begins_with_the_ack() {
    let flows = vec![("main", vec![play(WORDS[0])])];
    let mut caller = Dialling::to("12345").late_offer().with(|plan| scripts(plan, flows)).go();
    assert_eq!(caller.recorded(), ["200", "told answered"]);
    let leg = caller.leg(0);
    let said = caller.tell(Input::Confirmed { leg, sdp: Some(super::caller::sdp(4_000, None)) }).to_vec();
    let words = heard(WORDS[0]);
    assert_eq!(said, lines(&[&["open 0", "record 0", "told flow main", &words[0], &words[1]]]));
}

/// In this flow, with two hot notices, as the house puts them.
fn noticed(acts: Vec<(&str, Vec<Act>)>) -> Caller {
    let dialling = Dialling::to("12345").with(|plan| scripts(plan, acts));
    let flow = dialling.plan.flow(&dialling.plan.lines["12345"], dialling.at.parse().expect("an instant"));
    let mut steps = flow.steps.clone();
    let script = steps.iter().position(|step| matches!(step, Step::Script(_))).expect("a flow");
    let notices = ["after_hours", "cool_down"].map(|name| Step::HotNotice(name.into()));
    steps.splice(script + 1..script + 1, notices);
    let mut caller = Dialling { flow: Some(Flow { steps, ..flow }), ..dialling }.go();
    let said = caller.recorded().to_vec();
    caller.said = said[5..].to_vec();
    caller
}

#[test]
fn hot_notices_stand_behind_what_a_flow_says_first_or_before_it_asks() {
    let flows = |first: Vec<Act>| vec![("main", first), ("one", vec![play(WORDS[2])]), ("two", vec![])];
    let mut caller = noticed(flows(vec![play(WORDS[1]), play("goodbye"), menu()]));
    for said in [WORDS[1], "after_hours", "cool_down", "goodbye", WORDS[0]] {
        assert_eq!(caller.said, heard(said));
        caller.heard_out(0);
    }
    assert_eq!(
        caller.presses('1')[2..],
        ["told flow one", "told announced system_fault", "play 0: system_fault"]
    );

    let mut caller = noticed(flows(vec![menu()]));
    for said in ["after_hours", "cool_down", WORDS[0]] {
        assert_eq!(caller.said, heard(said));
        caller.heard_out(0);
    }
    // A branch and a go lead to the greeting.
    let branch = Act::Branch(Branch { cases: Vec::new(), otherwise: Some("one".into()) });
    let mut caller = noticed(flows(vec![branch]));
    assert_eq!(caller.said[1..], heard(WORDS[2]));
    for said in ["after_hours", "cool_down"] {
        assert_eq!(caller.heard_out(0), heard(said), "before the flow is over");
    }
    assert_eq!(caller.heard_out(0), PERSON);
    // A flow that cannot begin leaves them in front of the queue's person all the same.
    let mut caller = noticed(flows(vec![Act::Queue("main".into())]));
    assert_eq!(caller.said, heard("after_hours"));
    caller.heard_out(0);
    assert_eq!(caller.heard_out(0), PERSON);
}

#[test]
fn who_types_ahead_in_a_notice_has_typed_what_follows() {
    let flows =
        || vec![("main", vec![play(WORDS[1]), menu()]), ("one", vec![play(WORDS[2])]), ("two", vec![])];
    let in_notice = |flows| {
        let mut caller = noticed(flows);
        assert_eq!(caller.heard_out(0), heard("after_hours"));
        caller
    };
    let asked = heard(WORDS[0]);
    let asked: Vec<&str> = [&["quiet 0"], &asked.each_ref().map(String::as_str)[..]].concat();
    let mut caller = in_notice(flows());
    let chosen = ["quiet 0", "told flow one", "told announced system_fault", "play 0: system_fault"];
    assert_eq!(caller.presses('1'), pressed('1', &[&asked[..], &chosen].concat()));
    // What means nothing there costs no try.
    for key in ['5', '#', '*'] {
        let mut caller = in_notice(flows());
        assert_eq!(caller.presses(key), pressed(key, &asked), "{key}");
        assert_eq!(caller.presses('8'), pressed('8', &asked[1..]), "the first try");
        assert_eq!(caller.presses('8'), pressed('8', &PERSON), "and the second");
    }
    let mut caller = in_notice(flows());
    assert_eq!(caller.presses('0'), pressed('0', &PERSON));
    let mut caller = in_notice(flows());
    assert_eq!(caller.presses('9'), pressed('9', &[&["told urgent"], &PERSON[..]].concat()));

    // The first digit of a value is in no fact.
    let mut caller = in_notice(vec![("main", vec![play(WORDS[1]), collect(2, 2), digits_of("number")])]);
    assert_eq!(caller.presses('1'), [&asked[..], &["quiet 0"]].concat());
    assert_eq!(caller.presses('2'), ["told announced digit_yao", "play 0: digit_yao digit_2"]);
}

#[test]
fn the_urgent_key_in_front_of_the_flow_leaves_the_flow_out() {
    let flows = vec![("main", vec![play(WORDS[0])])];
    let mut caller = Dialling::to("12336")
        .with(|plan| {
            scripts(plan, flows);
            plan.lines.get_mut("12336").expect("shipped").script = Some("main".into());
        })
        .go();
    caller.recorded();
    assert_eq!(caller.call.state(), "prompt", "the transition's words");
    assert_eq!(caller.presses('9'), pressed('9', &[&["told urgent"], &PERSON[..]].concat()));
}

/// Random keys, waits, answers and refusals: whatever happens, the call is over, or a person is next, within the
/// longest call.
#[test]
fn no_row_of_events_leaves_a_caller_stuck() {
    let flows = || {
        vec![
            ("main", vec![menu(), Act::Go("main".into())]),
            (
                "one",
                vec![
                    message(),
                    collect(2, 4),
                    look_up(),
                    order(Some("goodbye")),
                    Act::Survey,
                    Act::Go("main".into()),
                ],
            ),
            ("two", vec![look_up(), transfer(Target::Peer(peer(Hours::default())), Some("one"))]),
            ("missing", vec![play(WORDS[1]), Act::Go("two".into())]),
            ("failed", vec![digits_of("number"), transfer(Target::Peer(peer(Hours::default())), None)]),
        ]
    };
    for seed in 0..200 {
        let mut dice = hotline::id::Dice::seeded(seed);
        let mut caller = begun(flows());
        let (mut asked, mut steps) = (0, 0);
        while caller.call.state() == "self_service" || matches!(caller.call.state(), "dialling" | "survey") {
            steps += 1;
            assert!(steps < 4_000, "seed {seed} goes round for ever in {}", caller.call.state());
            match dice.below(8) {
                0..=2 => {
                    let digit = "12345678*#".chars().nth(dice.below(10) as usize).expect("a key");
                    caller.presses(digit);
                }
                3 => drop(caller.wait(Duration::from_millis(dice.below(9_000)))),
                4 if caller.is_spoken_to() => drop(caller.heard_out(0)),
                5 => {
                    asked += dice.below(2) as u32;
                    let said = match dice.below(3) {
                        0 => found(&[("state", "done")]),
                        1 => LookedUp::Missing,
                        _ => LookedUp::Locked,
                    };
                    says(&mut caller, asked, said);
                }
                6 if caller.call.state() == "dialling" => {
                    let leg = caller.last_leg();
                    caller.refuses(leg, 486);
                }
                _ => {}
            }
        }
        let state = caller.call.state();
        assert!(matches!(state, "waiting" | "parting" | "ended"), "seed {seed}: {state}");
        if state == "waiting" {
            caller.rings("1001");
            assert_eq!(caller.call.state(), "ringing", "seed {seed}");
        }
    }
}
