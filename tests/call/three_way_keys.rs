//! A clerk's key codes, in the stream of sound, by INFO, or both; and keys that are for a menu.

use std::sync::Arc;

use hotline::call::Input;
use hotline::routing::plan::Plan;
use hotline::routing::trunk_terms::Dtmf;
use hotline::sip::sdp::{Rtpmap, Sdp};

use super::caller::{Caller, Dialling, millis, sdp, secs};
use super::three_way::{asked, city, consulting, merged, talking};

/// A description with telephone-event.
fn with_events(port: u16) -> Arc<Sdp> {
    let mut sdp = (*sdp(port, None)).clone();
    sdp.media[0].formats.push("101".into());
    let events = Rtpmap { number: 101, name: "telephone-event".into(), clock: 8_000, channels: 1 };
    sdp.media[0].rtpmap.push(events);
    Arc::new(sdp)
}

fn told(caller: &mut Caller, index: u16, keys: &str) -> Vec<String> {
    let leg = caller.leg(index);
    keys.chars().flat_map(|digit| caller.tell(Input::DigitTold { leg, digit }).to_vec()).collect()
}

#[test]
fn codes_work_in_the_stream_by_info_and_both_at_once() {
    let ways: [fn(&mut Caller, &str) -> Vec<String>; 3] = [
        |caller, keys| caller.keys(1, keys).to_vec(),
        |caller, keys| told(caller, 1, keys),
        |caller, keys| {
            let leg = caller.leg(1);
            let mut said = Vec::new();
            for digit in keys.chars() {
                said.extend_from_slice(caller.tell(Input::Digit { leg, digit }));
                said.extend_from_slice(caller.tell(Input::DigitTold { leg, digit }));
            }
            said
        },
    ];
    for press in ways {
        let mut caller = talking();
        let said = press(&mut caller, "*2");
        assert_eq!(said[0], "told Consult transfer to 12366: Requested");
        caller.answers(2);
        let said = press(&mut caller, "*0");
        assert_eq!(said[0], "told Consult transfer to 12366: Merged");
        let said = press(&mut caller, "*#");
        assert_eq!(said.last().unwrap(), "bridge 0 and 1");
        let said = press(&mut caller, "**12313#");
        assert_eq!(said[0], "told Consult transfer to 12313: Requested");
        caller.answers(3);
        let said = press(&mut caller, "##");
        assert_eq!(said.last().unwrap(), "bridge 0 and 3");
    }
}

#[test]
fn a_code_that_is_none_or_cannot_be_is_told_to_the_clerk_alone() {
    for keys in ["*9", "*6", "**#", "**99999#", "*0", "*#", "##", "*A", "**12*"] {
        let mut caller = talking();
        let said = caller.keys(1, keys).to_vec();
        assert_eq!(said, ["play 1: wrong_key"], "{keys}: whom the clerk is parted from hears nothing");
        assert_eq!(caller.keys(1, "*9"), [""; 0], "not over its own words");
        assert_eq!(caller.heard_out(1), ["bridge 0 and 1"], "{keys}");
        // Should the engine never say that it is through.
        caller.keys(1, keys);
        assert_eq!(caller.wait(secs(4)), ["bridge 0 and 1"], "{keys}");
    }
    let mut caller = merged("12366");
    assert_eq!(caller.keys(1, "*9"), ["play 1: wrong_key"], "the others talk on");
    assert_eq!(caller.heard_out(1), ["confer 1"]);
    let mut caller = asked("119", None);
    assert_eq!(caller.keys(1, "##"), ["play 1: wrong_key"], "help has not accepted");
    assert_eq!(caller.heard_out(1), ["loop 1: ringback"]);
}

#[test]
fn the_keys_of_a_code_follow_one_another_within_four_seconds() {
    let mut caller = talking();
    caller.keys(1, "*");
    caller.wait(millis(3_999));
    assert_eq!(caller.keys(1, "2")[0], "told Consult transfer to 12366: Requested");
    let mut caller = talking();
    caller.keys(1, "**123");
    caller.wait(secs(4));
    assert_eq!(caller.keys(1, "66#"), [""; 0], "forgotten");
    assert_eq!(caller.keys(1, "2"), [""; 0]);
    assert_eq!(caller.call.state(), "talking");
}

#[test]
fn what_one_clerk_began_another_does_not_end() {
    let mut caller = merged("1002");
    caller.keys(1, "*");
    caller.hangs_up(1);
    assert_eq!(caller.keys(2, "2"), [""; 0], "seat 1002 has codes of its own from now on");
    assert_eq!(caller.keys(2, "*2")[0], "told Consult transfer to 12366: Requested");
}

#[test]
fn nobody_but_the_clerk_who_talks_has_codes() {
    let mut caller = talking();
    assert_eq!(caller.keys(0, "*2"), ["told digit *", "told digit 2"]);
    let mut caller = merged("1002");
    assert_eq!(caller.keys(2, "##"), [""; 0], "an expert");
    let mut caller = Dialling::to("12366").with(city).go();
    caller.recorded();
    caller.answers(1);
    assert_eq!(caller.keys(1, "*2"), [""; 0], "a sub-center");
    let mut caller = Caller::ringing("12345");
    caller.answers(1);
    assert_eq!(caller.keys(1, "*2"), [""; 0], "not before they talk");
}

/// A caller and a clerk who have telephone-event, and have asked in a third party.
fn third_asked(plan: fn(&mut Plan)) -> Caller {
    let dialling = Dialling { offer: Some(with_events(4_000)), ..Dialling::to("12345").with(plan) };
    let mut caller = dialling.go().waits_its_turn();
    caller.rings("1001");
    let leg = caller.leg(1);
    caller.tell(Input::Answered { leg, sdp: Some(with_events(5_002)) });
    caller.heard_out(0);
    caller.heard_out(1);
    let asked = caller.keys(1, "*2").to_vec();
    assert!(asked.iter().any(|said| said.contains("12366 by sub-12366")), "{asked:?}");
    caller
}

/// A third party that has telephone-event as well.
fn three_with_events() -> Caller {
    let mut caller = third_asked(city);
    let leg = caller.leg(2);
    caller.tell(Input::Answered { leg, sdp: Some(with_events(5_004)) });
    caller
}

#[test]
fn keys_that_are_no_codes_reach_the_menu_of_the_third_party_once_each() {
    let mut caller = three_with_events();
    assert_eq!(caller.keys(1, "5"), [""; 0], "a bridge relays it");
    assert_eq!(told(&mut caller, 1, "5"), [""; 0], "the same press");
    caller.keys(1, "*0");
    assert_eq!(caller.keys(1, "7"), ["digits 7 to 2"]);
    assert_eq!(told(&mut caller, 1, "7"), [""; 0], "the same press");
    assert_eq!(told(&mut caller, 1, "8"), ["digits 8 to 2"], "by INFO alone");
    assert_eq!(caller.keys(0, "3"), ["digits 3 to 2", "told digit 3"], "the caller's too");
    assert_eq!(caller.keys(2, "4"), [""; 0], "not its own");
    assert_eq!(caller.keys(1, "#5"), ["digits #5 to 2"], "it was no code");
    assert_eq!(caller.keys(1, "#"), [""; 0]);
    assert_eq!(caller.wait(secs(4)), ["digits # to 2"], "nor was this");
    assert_eq!(caller.keys(1, "*2"), ["play 1: wrong_key"], "a code is not passed on");
}

#[test]
fn where_there_are_no_events_tones_are_in_the_sound_and_info_is_pressed() {
    let mut caller = consulting("12366");
    assert_eq!(caller.keys(1, "5"), [""; 0], "its tone is heard there");
    assert_eq!(told(&mut caller, 1, "6"), ["digits 6 to 2"]);
    let mut caller = merged("12366");
    assert_eq!(caller.keys(0, "5"), ["told digit 5"], "mixed in with everything");
    assert_eq!(told(&mut caller, 0, "6"), ["digits 6 to 2", "told digit 6"]);
}

/// One behind a trunk that takes keys by INFO.
fn three_with_a_menu_by_info() -> Caller {
    let mut caller = third_asked(|plan| {
        city(plan);
        plan.trunks.get_mut("sub-12366").expect("the plan has it").terms.dtmf = Dtmf::Info;
    });
    caller.answers(2);
    caller
}

#[test]
fn keys_go_by_info_to_a_menu_that_takes_them_so_whoever_presses_and_however() {
    let mut caller = three_with_a_menu_by_info();
    assert_eq!(caller.keys(1, "5"), ["info 5 to 2"], "no bridge relays it");
    assert_eq!(told(&mut caller, 1, "5"), [""; 0], "the same press");
    assert_eq!(told(&mut caller, 1, "6"), ["info 6 to 2"], "by INFO alone");
    caller.keys(1, "*0");
    assert_eq!(caller.keys(1, "7"), ["info 7 to 2"], "three talk");
    assert_eq!(caller.keys(0, "3"), ["info 3 to 2", "told digit 3"], "the caller's too");
    assert_eq!(caller.keys(2, "4"), [""; 0], "tones of its own are none");
}

#[test]
fn keys_that_info_does_not_bring_there_are_tones_from_then_on() {
    let mut caller = three_with_a_menu_by_info();
    caller.keys(1, "5");
    let leg = caller.leg(2);
    let said = caller.tell(Input::KeysRefused { leg, keys: "5".into() }).to_vec();
    assert_eq!(said, ["change 2", "digits 5 to 2"], "this one, and the leg is told to press them");
    caller.keys(1, "*0");
    assert_eq!(caller.keys(1, "7"), ["digits 7 to 2"], "and all others");
}
