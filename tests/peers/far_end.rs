//! SIPp as a sub-center that answers as sub-centers and the proxies before them do: several times, too
//! late, too much, or nothing that helps.

use hotline::switchboard::fact::Cause;

use crate::plan::engine_on_plan;
use crate::records::closed_calls;
use crate::sipp::{Log, OFFER, Scenario};
use crate::sub_center::{desk, engine, falls_to_12345};

const WHEN: &str = "2021-12-01T09:00:00+08:00";
/// Long enough for messages that are lost.
const PATIENT: (&str, &str) = ("connect_timeout = \"1s\"", "connect_timeout = \"10s\"");

/// A caller of 12366 who talks with this sub-center and hangs up; what the sub-center saw.
fn talks(name: &str, scenario: Scenario) -> Log {
    let (at, desk) = desk(name, scenario);
    let engine = engine_on_plan(name, WHEN, &[PATIENT], &["--trunk", &format!("sub-12366={at}")]);
    Scenario::of("answered").sdp(OFFER).with("pause", "1200").run(&engine, "12366");
    let log = desk.finish();
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
    assert_eq!((record.cause, record.ticket_left), (Some(Cause::CallerHungUp), None));
    log
}

/// SIPp looks at each message by itself, repeated or not.
fn plain(name: &str) -> Scenario {
    Scenario::of(name).arguments(&["-nr"])
}

/// Each of these is the same, byte for byte.
fn alike(log: &Log, method: &str, count: usize) {
    let found = log.received(&format!("{method} "));
    assert_eq!(found.len(), count, "{found:?}");
    assert!(found.iter().all(|again| again.text == found[0].text), "byte for byte: {found:?}");
}

fn tag(to: Option<&str>) -> String {
    to.and_then(|to| to.split_once(";tag=")).map(|(_, tag)| tag.to_owned()).unwrap_or_default()
}

#[test]
fn of_two_phones_that_answer_one_talks_and_the_other_is_released() {
    let log = talks("far-forks", plain("sub_forks"));
    let acked: Vec<String> = log.received("ACK").iter().map(|ack| tag(ack.header("To"))).collect();
    assert!(acked[0].starts_with("one-") && acked[1].starts_with("two-"), "{acked:?}");
    let released: Vec<String> = log.received("BYE").iter().map(|bye| tag(bye.header("To"))).collect();
    assert!(released[0].starts_with("two-") && released[1].starts_with("one-"), "{released:?}");
}

#[test]
fn each_repeated_200_has_its_ack_again() {
    alike(&talks("far-oks", plain("sub_repeats_ok")), "ACK", 3);
}

#[test]
fn each_repeated_refusal_has_its_ack_again_and_the_caller_falls_to_12345() {
    let name = "far-refusals";
    let (at, desk) = desk(name, plain("sub_repeats_refusal").with("status", "480"));
    let engine = engine(name, at);
    falls_to_12345(&engine);
    alike(&desk.finish(), "ACK", 2);
}

#[test]
fn however_a_sub_center_refuses_the_caller_falls_to_12345() {
    std::thread::scope(|all| {
        for status in ["404", "480", "488", "500", "600"] {
            all.spawn(move || {
                let name = format!("far-{status}");
                let (at, desk) = desk(&name, Scenario::of("sub_refuses").with("status", status));
                let engine = engine(&name, at);
                falls_to_12345(&engine);
                desk.finish();
            });
        }
    });
}

#[test]
fn whatever_comes_before_the_200_makes_no_second_call() {
    let log = talks("far-much", Scenario::of("sub_says_much"));
    assert_eq!((log.received("INVITE").len(), log.received("ACK").len()), (1, 1));
}

#[test]
fn an_answer_without_ringing_is_an_answer() {
    talks("far-at-once", Scenario::of("sub_at_once"));
}

#[test]
fn an_invite_that_is_lost_twice_comes_again() {
    let log = talks("far-slow", plain("sub_slow"));
    alike(&log, "INVITE", 3);
}

#[test]
fn a_bye_that_is_lost_twice_comes_again() {
    alike(&talks("far-bye", plain("sub_loses_bye")), "BYE", 3);
}

#[test]
fn a_sub_center_that_hangs_up_takes_the_caller_with_it() {
    let name = "far-hangs-up";
    let (at, desk) = desk(name, Scenario::of("sub_hangs_up").with("pause", "300"));
    let engine = engine(name, at);
    Scenario::of("let_go").sdp(OFFER).with("patience", "5000").run(&engine, "12366");
    desk.finish();
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!((record.cause, record.peer.as_deref()), (Some(Cause::OtherHungUp), Some("sub-12366/12366")));
}

#[test]
fn a_sub_center_may_hold_its_caller_and_take_him_back() {
    let log = talks("far-holds", Scenario::of("sub_holds"));
    let answers: Vec<_> = log.received("SIP/2.0 200");
    let ways: Vec<bool> =
        ["a=inactive", "a=sendrecv"].iter().zip(&answers).map(|(way, answer)| answer.has(way)).collect();
    assert_eq!(ways, [true, true], "{answers:?}");
}

#[test]
fn when_caller_and_sub_center_hang_up_at_once_each_bye_has_its_answer() {
    let log = talks("far-crosses", Scenario::of("sub_crosses_bye"));
    assert_eq!((log.received("BYE").len(), log.received("SIP/2.0 200").len()), (1, 1));
}

#[test]
fn a_200_without_a_description_is_released_and_the_caller_falls_to_12345() {
    let name = "far-nothing";
    let (at, desk) = desk(name, Scenario::of("sub_answers_nothing"));
    let engine = engine(name, at);
    falls_to_12345(&engine);
    let log = desk.finish();
    assert_eq!((log.received("ACK").len(), log.received("BYE").len()), (1, 1));
}

#[test]
fn refusals_of_something_else_do_not_end_our_invite() {
    talks("far-odd", Scenario::of("sub_is_odd"));
}
