//! SIPp calls and does at the wrong moment what callers, proxies and networks do: every repetition,
//! loss and crossing leaves one call and one record.

use std::time::Duration;

use hotline::switchboard::fact::Cause;

use crate::callers::with_a_silent_sub_center;
use crate::engine::Engine;
use crate::records::{calls, closed_calls, tickets};
use crate::sipp::{Log, OFFER, Scenario};
use crate::sub_center::{desk, engine as with_sub_center};

const WHEN: &str = "2021-12-01T09:00:00+08:00";

/// A caller of 12345 by this scenario; the one record says how the call ended.
fn one_call(name: &str, scenario: Scenario, cause: Cause) -> Log {
    let engine = Engine::start(name, WHEN);
    let log = scenario.run(&engine, "12345");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(cause));
    assert_eq!(tickets(&engine).len(), 1, "one call, one ticket");
    log
}

/// A caller of a line that rings on and on, by this scenario: he gives up.
fn one_ringing_call(name: &str, scenario: Scenario) -> Log {
    let (engine, _silent) = with_a_silent_sub_center(name);
    let log = scenario.run(&engine, "12366");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!((record.cause, record.answered_at), (Some(Cause::CallerCancelled), None));
    log
}

fn of(name: &str) -> Scenario {
    Scenario::of(name).within(Duration::from_secs(30))
}

/// SIPp looks at each message by itself, repeated or not.
fn plain(name: &str) -> Scenario {
    of(name).arguments(&["-nr"])
}

/// Each of these is the same, byte for byte.
fn alike(log: &Log, start: &str, cseq: &str, count: usize) {
    let found: Vec<_> =
        log.received(start).into_iter().filter(|got| got.header("CSeq") == Some(cseq)).collect();
    assert_eq!(found.len(), count, "{start} {cseq}: {found:?}");
    assert!(found.iter().all(|again| again.text == found[0].text), "byte for byte: {found:?}");
}

#[test]
fn when_both_hang_up_at_once_each_bye_has_its_answer() {
    let log = one_call("race-bye-glare", of("bye_glare"), Cause::Refused(488));
    assert_eq!(log.received("BYE").len(), 1, "answered, so not repeated");
}

#[test]
fn a_bye_that_overtakes_the_ack_ends_the_call_and_the_200_is_heard_no_more() {
    let log = one_call("race-early-bye", of("bye_before_ack").sdp(OFFER), Cause::CallerHungUp);
    alike(&log, "SIP/2.0 200", "1 INVITE", 1);
}

#[test]
fn a_bye_while_it_rings_ends_the_invite_with_487() {
    let (engine, _silent) = with_a_silent_sub_center("race-ringing-bye");
    of("early_bye").run(&engine, "12366");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!((record.cause, record.answered_at), (Some(Cause::CallerCancelled), None));
}

#[test]
fn a_200_that_is_lost_comes_again_until_its_ack() {
    let log = one_call("race-lost-ok", plain("lost_ok").sdp(OFFER), Cause::CallerHungUp);
    alike(&log, "SIP/2.0 200", "1 INVITE", 3);
}

#[test]
fn a_cancel_that_comes_twice_is_answered_twice_and_ends_one_call() {
    let log = one_ringing_call("race-cancel-twice", plain("repeated_cancel"));
    assert_eq!(log.received("SIP/2.0 487").len(), 1);
}

#[test]
fn a_487_whose_ack_is_lost_comes_again_until_it_is_here() {
    let log = one_ringing_call("race-487", plain("unacknowledged_refusal"));
    alike(&log, "SIP/2.0 487", "1 INVITE", 2);
}

#[test]
fn a_cancel_of_another_branch_ends_nothing() {
    one_ringing_call("race-cancel-astray", plain("cancel_astray"));
}

#[test]
fn a_cancel_of_a_reinvite_that_is_answered_leaves_the_call_as_it_was_changed() {
    let log = one_call("race-cancel-re", of("cancel_of_reinvite").sdp(OFFER), Cause::CallerHungUp);
    let held = log.received("SIP/2.0 200").into_iter().find(|ok| ok.header("CSeq") == Some("2 INVITE"));
    assert!(held.is_some_and(|ok| ok.has("a=recvonly")));
}

#[test]
fn a_reinvite_while_our_200_waits_for_its_ack_gets_491_and_the_call_stands() {
    one_call("race-re-early", of("reinvite_before_ack").sdp(OFFER), Cause::CallerHungUp);
}

#[test]
fn two_changes_without_an_ack_between_them_leave_the_call_whole() {
    let log = one_call("race-re-two", plain("reinvite_again").sdp(OFFER), Cause::CallerHungUp);
    let last = log.received("SIP/2.0 200").into_iter().find(|ok| ok.header("CSeq") == Some("3 INVITE"));
    assert!(last.is_some_and(|ok| ok.has("a=sendrecv")), "the last word holds");
}

#[test]
fn a_reinvite_that_comes_twice_is_one_change() {
    let log = one_call("race-re-twice", plain("reinvite_repeated").sdp(OFFER), Cause::CallerHungUp);
    alike(&log, "SIP/2.0 200", "2 INVITE", 2);
}

#[test]
fn a_reinvite_without_a_description_gets_our_offer() {
    let log = one_call("race-re-bare", of("reinvite_bare").sdp(OFFER), Cause::CallerHungUp);
    let [first, again] = ["1 INVITE", "2 INVITE"].map(|cseq| {
        let oks = log.received("SIP/2.0 200");
        oks.into_iter().find(|ok| ok.header("CSeq") == Some(cseq)).unwrap().line("m=audio ").to_owned()
    });
    let port = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
    assert_eq!(port(&first), port(&again), "the sound stays where it is");
}

#[test]
fn a_reinvite_older_than_the_dialog_gets_500() {
    one_call("race-re-stale", of("reinvite_stale").sdp(OFFER), Cause::CallerHungUp);
}

#[test]
fn a_caller_who_moves_is_called_where_he_went() {
    let name = "race-moved";
    let (at, desk) = desk(name, Scenario::of("sub_hangs_up").with("pause", "1200"));
    let engine = with_sub_center(name, at);
    let log = of("moved").sdp(OFFER).run(&engine, "12366");
    desk.finish();
    let bye = log.last("BYE");
    let port = log.sent("INVITE")[0].header("Contact").unwrap().rsplit(':').next().unwrap().replace('>', "");
    assert!(bye.text.starts_with(&format!("BYE sip:moved@127.0.0.1:{port};line=2 SIP/2.0")), "{}", bye.text);
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::OtherHungUp));
}

#[test]
fn our_requests_pass_the_proxies_that_asked_to_stay_in_the_way() {
    // RFC 3261 §12.2.1.1: with a loose router first the target is the Request-URI; a strict one takes
    // its place, and the target goes to the end of the route.
    for (name, route) in [("race-loose", ";lr"), ("race-strict", "")] {
        let near = format!("<sip:near@[local_ip]:[local_port]{route}>");
        let headers = [
            &*format!("Record-Route: {near}, <sip:far@192.0.2.9;lr>"),
            "Record-Route: <sip:carrier@192.0.2.10;lr>",
        ];
        let scenario = of("routed").headers(&headers);
        let log = one_call(name, scenario, Cause::Refused(488));
        let port =
            log.sent("INVITE")[0].header("Contact").unwrap().rsplit(':').next().unwrap().replace('>', "");
        let near = near.replace("[local_ip]:[local_port]", &format!("127.0.0.1:{port}"));
        let (ok, bye) = (log.answer_to("INVITE"), log.last("BYE"));
        let copied = values(&ok.text, "Record-Route");
        assert_eq!(copied, [&*near, "<sip:far@192.0.2.9;lr>", "<sip:carrier@192.0.2.10;lr>"], "{}", ok.text);
        let target = format!("sip:13800000044@127.0.0.1:{port}");
        let routes = values(&bye.text, "Route");
        if route.is_empty() {
            assert!(bye.text.starts_with(&format!("BYE sip:near@127.0.0.1:{port} ")), "{}", bye.text);
            let rest = ["<sip:far@192.0.2.9;lr>", "<sip:carrier@192.0.2.10;lr>", &format!("<{target}>")];
            assert_eq!(routes, rest, "{}", bye.text);
        } else {
            assert!(bye.text.starts_with(&format!("BYE {target} ")), "{}", bye.text);
            assert_eq!(routes, copied, "{}", bye.text);
        }
    }
}

/// All values of a header, whether in one line or several.
fn values(text: &str, name: &str) -> Vec<String> {
    let head = text.lines().take_while(|line| !line.is_empty());
    let lines = head.filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    lines.flat_map(|value| value.split(',')).map(|value| value.trim().to_owned()).collect()
}

#[test]
fn an_invite_for_a_dialog_that_is_not_there_gets_481() {
    let engine = Engine::start("race-tag", WHEN);
    plain("unexpected_tag").sdp(OFFER).run(&engine, "12345");
    assert_eq!(calls(&engine), []);
}

#[test]
fn a_second_try_within_the_same_call_id_is_a_call_of_its_own() {
    let log = one_call("race-second-try", of("second_try").sdp(OFFER), Cause::CallerHungUp);
    assert_eq!(log.received("SIP/2.0 404").len(), 1);
}

#[test]
fn answers_to_what_we_never_asked_are_dropped() {
    one_call("race-stray", of("stray_answers").sdp(OFFER), Cause::CallerHungUp);
}

#[test]
fn options_that_come_twice_are_answered_alike() {
    let log = one_call("race-options", plain("options_twice").sdp(OFFER), Cause::CallerHungUp);
    alike(&log, "SIP/2.0 200", "2 OPTIONS", 2);
}
