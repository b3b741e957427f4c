//! A program that talks with the caller: how it is had, and every way in which that ends.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hotline::call::{BotEnd, BotLine, BotSaid, Command, EndWhy, Input, Voice};
use hotline::media::Order;
use hotline::media::order::{Codec, PortSlot};
use hotline::routing::Plan;
use hotline::routing::script::{
    Act, Bot, Branch, Case, Condition, Reading, Script, Spoken, Target, Transfer,
};

use super::caller::{CALLER_PORT, Caller, Dialling, millis, secs};

/// What follows at once where the flow leads to a person.
const PERSON: [&str; 3] = ["told queued in main", "loop 0: hold_music", "join main"];
const CONNECT: Duration = Duration::from_secs(3);
const MOST: Duration = Duration::from_secs(60);

fn scripts(plan: &mut Plan, acts: Vec<Act>) {
    let done = Script { id: "done".into(), acts: vec![Act::Play("goodbye".into()), Act::HangUp] };
    plan.scripts.insert("done".into(), Arc::new(done));
    plan.scripts.insert("main".into(), Arc::new(Script { id: "main".into(), acts }));
    plan.lines.get_mut("12345").expect("shipped").script = Some("main".into());
    plan.callers.urgent_key = Some('9');
    let bot = Bot {
        id: "assistant".into(),
        url: "ws://127.0.0.1:1/".into(),
        secret: None,
        connect: CONNECT,
        most: MOST,
        music: Some("hold_music".into()),
        says: ["n", "owner"].map(str::to_owned).into(),
        rate: 8_000,
        show_caller: false,
    };
    plan.bots.insert(bot.id.clone(), bot);
}

fn bot() -> Act {
    Act::Bot("assistant".into())
}

/// What the caller hears where the program is asked for.
const WAITS: [&str; 2] = ["loop 0: hold_music", "talk 1 with bot assistant as 1"];

/// A caller who waits for the program, in a flow of these acts.
fn waits(dialling: Dialling, acts: Vec<Act>) -> Caller {
    let mut caller = dialling.with(|plan| scripts(plan, acts)).go();
    let said = caller.recorded().to_vec();
    assert_eq!(said[..5], ["200", "told answered", "open 0", "record 0", "told flow main"]);
    caller.said = said[5..].to_vec();
    caller
}

fn waiting() -> Caller {
    let caller = waits(Dialling::to("12345"), vec![bot()]);
    assert_eq!(caller.said, WAITS);
    assert_eq!(caller.call.state(), "self_service");
    caller
}

fn says(caller: &mut Caller, said: BotSaid) -> Vec<String> {
    caller.tell(Input::Bot { talk: 1, said }).to_vec()
}

fn there() -> BotSaid {
    BotSaid::There { at: SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)) }
}

/// A caller who talks with it, two seconds after it was asked for.
fn talking_in(acts: Vec<Act>) -> Caller {
    let mut caller = waits(Dialling::to("12345"), acts);
    caller.wait(secs(2));
    assert_eq!(says(&mut caller, there()), ["open 1", "bridge 0 and 1"]);
    caller
}

fn talking() -> Caller {
    talking_in(vec![bot()])
}

fn line(who: Voice, text: &str) -> BotSaid {
    BotSaid::Line(BotLine { who, text: text.into(), at_ms: 0 })
}

fn done(outcome: &str, values: &[(&str, &str)]) -> BotSaid {
    let values: BTreeMap<String, String> =
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    BotSaid::Done { outcome: Some(outcome.to_owned()).filter(|word| !word.is_empty()), values }
}

/// The end of a talk that was had, after so many seconds, and what follows.
fn over(end: &str, seconds: u64, then: &[&str]) -> Vec<String> {
    let mut said = vec![
        "close 1".to_owned(),
        format!("leave talk 1: {end}"),
        format!("told bot assistant: {end} after {} ms []", seconds * 1_000),
    ];
    said.extend(then.iter().map(|one| (*one).to_owned()));
    said
}

/// The same of one that never came about: its port goes back.
fn never(end: &str, took_ms: u64, then: &[&str]) -> Vec<String> {
    let mut said = over(end, 0, then);
    said[0] = format!("free port {}", CALLER_PORT + 1);
    said[2] = format!("told bot assistant: {end} after {took_ms} ms []");
    said
}

#[test]
fn caller_and_program_hear_one_another_as_two_legs_of_one_call() {
    let caller = talking();
    let opened = caller.all.iter().find_map(|command| match command {
        Command::Sound(Order::Open { leg, config }) if leg.index == 1 => Some(config.clone()),
        _ => None,
    });
    let config = opened.expect("its sound is open");
    assert_eq!((config.codec, config.slot, config.rtcp_mux), (Codec::L16, PortSlot(CALLER_PORT + 1), true));
    assert_eq!(config.remote, SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)));
    assert!(config.silence_max.is_zero() && config.srtp.is_none());
    assert_eq!(caller.call.state(), "self_service");
}

#[test]
fn what_it_finds_out_is_there_for_what_follows() {
    let case = Case {
        when: vec![Condition::Value { name: "outcome".into(), is: vec!["answered".into()] }],
        to: "done".into(),
    };
    let branch = Act::Branch(Branch { cases: vec![case], otherwise: None });
    let number = Act::Say(vec![Spoken::Value { name: "n".into(), reading: Reading::Digits }]);

    let mut answered = talking_in(vec![bot(), branch.clone()]);
    let said = says(&mut answered, done("answered", &[]));
    let then = ["told flow done", "told announced goodbye", "play 0: goodbye"];
    assert_eq!(said, over("done", 2, &then));

    let mut other = talking_in(vec![bot(), branch, number]);
    let said = says(&mut other, done("unclear", &[("n", "12")]));
    assert_eq!(said, over("done", 2, &["told announced digit_yao", "play 0: digit_yao digit_2"]));
    assert_eq!(other.wait(secs(600)), [""; 0], "no timer is left");

    // What it is not to say takes no value's place.
    let street = Act::Say(vec![Spoken::Value { name: "street".into(), reading: Reading::Digits }]);
    let number = Act::Say(vec![Spoken::Value { name: "n".into(), reading: Reading::Digits }]);
    let mut wide = talking_in(vec![bot(), street, number]);
    let names: Vec<String> = (0..40).map(|n| format!("a{n:02}")).collect();
    let mut values: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    values.extend([("n", "12"), ("street", "34")]);
    let said = says(&mut wide, done("", &values));
    assert_eq!(said, over("done", 2, &["told announced digit_yao", "play 0: digit_yao digit_2"]));

    let mut plain = talking();
    assert_eq!(says(&mut plain, done("", &[])), over("done", 2, &PERSON));
}

#[test]
fn a_number_that_it_says_is_not_called_for_it_is_only_what_the_caller_said() {
    let transfer = Act::Transfer(Transfer { to: Target::Value("owner".into()), failed: None });
    let mut caller = talking_in(vec![bot(), transfer]);
    let then = [&["told not rung by owner: unknown"], &PERSON[..]].concat();
    assert_eq!(says(&mut caller, done("", &[("owner", "13900000001")])), over("done", 2, &then));
}

#[test]
fn whatever_becomes_of_a_talk_the_caller_is_with_a_person_at_once_row_by_row() {
    for end in
        [BotEnd::Silent, BotEnd::Malformed, BotEnd::Oversized, BotEnd::Flooded, BotEnd::Slow, BotEnd::Closed]
    {
        let mut caller = talking();
        assert_eq!(says(&mut caller, BotSaid::Ended(end)), over(end.word(), 2, &PERSON));
        assert_eq!(says(&mut caller, BotSaid::Ended(end)), [""; 0], "once");
        assert_eq!(says(&mut caller, line(Voice::Bot, "late")), [""; 0]);
        caller.rings("1001");
        let seat = caller.last_leg();
        caller.answers(seat);
        caller.heard_out(0);
        assert_eq!(caller.heard_out(seat), [format!("bridge 0 and {seat}")]);
    }
    let mut asked = talking();
    assert_eq!(says(&mut asked, BotSaid::Person), over("person", 2, &PERSON));

    for end in [BotEnd::Unreachable, BotEnd::Refused, BotEnd::NoSound, BotEnd::Busy] {
        let mut caller = waiting();
        caller.wait(millis(100));
        assert_eq!(says(&mut caller, BotSaid::Ended(end)), never(end.word(), 100, &PERSON));
        assert_eq!(says(&mut caller, there()), [""; 0], "too late");
    }
}

#[test]
fn the_key_for_a_person_leads_to_one_at_every_instant_and_so_does_the_urgent_one() {
    for (key, word) in [('0', None), ('9', Some("told urgent"))] {
        let told = format!("told digit {key}");
        let pressed: Vec<&str> = [told.as_str()].into_iter().chain(word).collect();
        let with = |rest: Vec<String>| [pressed.iter().map(ToString::to_string).collect(), rest].concat();
        assert_eq!(waiting().presses(key), with(never("key", 0, &PERSON)));
        let mut caller = talking();
        caller.wait(secs(1));
        assert_eq!(caller.presses(key), with(over("key", 3, &PERSON)));
        assert_eq!(says(&mut caller, done("late", &[])), [""; 0]);
        assert_eq!(caller.wait(secs(600)), [""; 0], "no timer is left");
    }
}

#[test]
fn other_keys_are_the_programs() {
    let mut caller = talking();
    for key in "12345678*#".chars() {
        assert_eq!(caller.presses(key), [format!("told digit {key}"), format!("key {key} in talk 1")]);
    }
}

#[test]
fn it_must_be_there_in_time_and_talks_no_longer_than_it_may() {
    let mut late = waiting();
    assert_eq!(late.wait(CONNECT - millis(1)), [""; 0]);
    assert_eq!(late.wait(millis(1)), never("no_answer", 3_000, &PERSON));
    assert_eq!(says(&mut late, there()), [""; 0], "too late");

    let mut long = talking();
    says(&mut long, line(Voice::Caller, "说来话长"));
    assert_eq!(long.wait(MOST - millis(1)), [""; 0]);
    let said = long.wait(millis(1)).to_vec();
    assert_eq!(said[..2], over("timed_out", 0, &[])[..2]);
    assert_eq!(said[2], "told bot assistant: timed_out after 62000 ms [Caller 说来话长]");
    assert_eq!(said[3..], PERSON);
}

#[test]
fn what_was_said_is_told_once_the_talk_is_over_and_no_more_than_is_kept() {
    let mut caller = talking();
    assert_eq!(says(&mut caller, line(Voice::Bot, "您好")), [""; 0]);
    assert_eq!(says(&mut caller, line(Voice::Caller, "路灯坏了")), [""; 0]);
    let said = says(&mut caller, BotSaid::Person);
    assert_eq!(said[2], "told bot assistant: person after 2000 ms [Bot 您好; Caller 路灯坏了]");

    let mut many = talking();
    (0..1_000).for_each(|_| drop(says(&mut many, line(Voice::Bot, "啊"))));
    let said = says(&mut many, BotSaid::Person).remove(2);
    assert_eq!((said.matches("啊").count(), said.ends_with(", 800 cut")), (200, true));
}

#[test]
fn whoever_hangs_up_or_is_drained_ends_the_talk_and_nothing_of_it_stays() {
    let end = |caller: &mut Caller, input: Input| caller.tell(input).to_vec();
    let left = |leg| Input::Ended { leg, vanished: false };
    for (input, word) in [
        (None, "caller_left"),
        (Some(Input::End { cause: EndWhy::Drained }), "call_ended"),
        (Some(Input::End { cause: EndWhy::Failed }), "call_ended"),
    ] {
        let mut caller = talking();
        let input = input.unwrap_or_else(|| left(caller.leg(0)));
        assert_eq!(end(&mut caller, input)[..3], over(word, 2, &[]));
        caller.sound_closed();
        assert_eq!(caller.said.last().map(String::as_str), Some("over"));
    }
    let mut early = waiting();
    let leg = early.leg(0);
    assert_eq!(end(&mut early, left(leg))[..3], never("caller_left", 0, &[]));
}

#[test]
fn a_port_that_comes_when_the_talk_is_over_goes_back() {
    let mut caller = waiting();
    caller.presses('0');
    let (leg, here) = (caller.leg(1), Ipv4Addr::LOCALHOST.into());
    let port = Input::Port { leg, slot: Some(PortSlot(77)), peer: here, ours: here, keys: None };
    assert_eq!(caller.tell(port), ["free port 77"]);
}

#[test]
fn where_no_sound_can_be_had_there_is_a_person() {
    let mut without = Dialling::to("12345");
    without.ports = false;
    let caller = waits(without, vec![bot()]);
    let said = ["leave talk 1: no_sound", "told bot assistant: no_sound after 0 ms []"];
    assert_eq!(caller.said, [&WAITS[..], &said, &PERSON].concat());

    let mut lost = talking();
    let leg = lost.leg(1);
    assert_eq!(lost.tell(Input::SoundFailed { leg }), over("no_sound", 2, &PERSON));
}

#[test]
fn it_may_be_had_again_and_of_the_talk_before_nothing_is_heard() {
    let mut caller = talking_in(vec![bot(), bot()]);
    let said = says(&mut caller, done("", &[]));
    assert_eq!(said[3..], ["loop 0: hold_music", "talk 2 with bot assistant as 2"]);
    assert_eq!(says(&mut caller, BotSaid::Person), [""; 0], "the first one's");
    let said = caller.tell(Input::Bot { talk: 2, said: there() });
    assert_eq!(said, ["open 2", "bridge 0 and 2"]);
}
