//! SIPp and the engine use what both say they can: provisional answers that are acknowledged, UPDATE,
//! session timers, and INFO.

use std::time::Duration;

use hotline::switchboard::fact::{Cause, What};

use crate::callers::with_a_silent_sub_center;
use crate::engine::Engine;
use crate::plan::engine_on_plan;
use crate::records::{closed_calls, facts};
use crate::sipp::{Log, Logged, OFFER, Running, Scenario};
use crate::sub_center::desk;

const WHEN: &str = "2021-12-01T09:00:00+08:00";
/// Long enough for messages that are lost.
const PATIENT: (&str, &str) = ("connect_timeout = \"1s\"", "connect_timeout = \"10s\"");
/// Nobody here sends sound, and nobody is to be asked for it.
const SILENT: (&str, &str) = ("silence_max = \"12s\"", "silence_max = \"60s\"");

fn plain(name: &str) -> Scenario {
    Scenario::of(name).arguments(&["-nr"])
}

/// A caller of 12366 who talks with this sub-center and hangs up; what the sub-center saw.
fn talks(name: &str, scenario: Scenario) -> Log {
    let (at, desk) = desk(name, scenario);
    let engine = engine_on_plan(name, WHEN, &[PATIENT], &["--trunk", &format!("sub-12366={at}")]);
    Scenario::of("let_be").sdp(OFFER).with("pause", "1200").run(&engine, "12366");
    let log = desk.finish();
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
    assert_eq!((record.cause, record.ticket_left), (Some(Cause::CallerHungUp), None));
    log
}

/// The answers to one request.
fn answers<'a>(log: &'a Log, cseq: &str) -> Vec<&'a Logged> {
    let all = log.received("SIP/2.0 ").into_iter();
    all.filter(|answer| answer.header("CSeq") == Some(cseq) && !answer.text.starts_with("SIP/2.0 1"))
        .collect()
}

#[test]
fn a_reliable_183_comes_again_until_its_prack_and_the_200_waits_for_it() {
    let name = "ext-until-prack";
    let (at, desk) = desk(name, Scenario::of("sub_early"));
    let engine = engine_on_plan(name, WHEN, &[PATIENT], &["--trunk", &format!("sub-12366={at}")]);
    let log = plain("early_until_prack").sdp(OFFER).run(&engine, "12366");
    desk.finish();
    let early = log.received("SIP/2.0 183");
    assert_eq!(early.len(), 3);
    assert!(early.iter().all(|again| again.text == early[0].text), "byte for byte: {early:?}");
    assert_eq!(early[0].header("Require"), Some("100rel"));
    // After 0.5 s and twice as long each time (RFC 3262 §3), which no machine makes shorter.
    assert!(early[2].at - early[0].at >= 1.4, "{early:?}");
    let [first, again] = answers(&log, "2 PRACK").try_into().unwrap();
    assert_eq!(first.text, again.text, "a repeated PRACK gets the same bytes");
    let ok = log.answer_to("INVITE");
    assert!(!ok.text.contains("m=audio "), "it was said in the 183: {}", ok.text);
}

#[test]
fn a_prack_whose_200_is_lost_comes_again_and_the_repeated_183_makes_no_other() {
    let log = talks("ext-lost-prack", plain("sub_reliable"));
    let pracks = log.received("PRACK");
    assert_eq!(pracks.len(), 2);
    assert_eq!(pracks[0].text, pracks[1].text, "byte for byte");
    assert_eq!(pracks[0].header("RAck"), Some("4711 1 INVITE"));
    let invite = log.received("INVITE")[0];
    assert!(invite.header("Supported").is_some_and(|tags| tags.contains("100rel")), "{}", invite.text);
}

#[test]
fn each_phone_that_rings_reliably_has_pracks_of_its_own() {
    let log = talks("ext-two-ring", Scenario::of("sub_rings_twice"));
    let pracks = log.received("PRACK").into_iter().map(|prack| {
        let (_, tag) = prack.header("To").unwrap().split_once(";tag=").unwrap();
        (tag.split('-').next().unwrap(), prack.header("RAck").unwrap(), prack.header("CSeq").unwrap())
    });
    let wanted = [
        ("one", "700 1 INVITE", "2 PRACK"),
        ("two", "20 1 INVITE", "2 PRACK"),
        ("one", "701 1 INVITE", "3 PRACK"),
        ("two", "21 1 INVITE", "3 PRACK"),
    ];
    assert_eq!(pracks.collect::<Vec<_>>(), wanted, "RSeq 22 came before its turn");
    let bye = log.received("BYE")[0];
    assert!(bye.text.starts_with("BYE sip:two@"), "{}", bye.text);
    assert_eq!(bye.header("CSeq"), Some("4 BYE"));
}

#[test]
fn an_update_changes_the_sound_before_the_answer_and_after_it() {
    let log = talks("ext-update", plain("sub_updates"));
    let [early, held, again, refused] = log.received("SIP/2.0 ").try_into().unwrap();
    assert!(early.has("a=sendrecv") && early.line("m=audio ").ends_with(" 8 101"), "{}", early.text);
    assert!(held.has("a=recvonly"), "{}", held.text);
    assert_eq!(held.text, again.text, "a repeated UPDATE is one change");
    assert!(refused.text.starts_with("SIP/2.0 488"), "{}", refused.text);
    let bye = log.received("BYE")[0];
    assert!(bye.text.starts_with("BYE sip:moved@"), "UPDATE refreshes the target: {}", bye.text);
}

#[test]
fn an_update_that_crosses_our_offer_gets_491_and_the_call_is_answered() {
    talks("ext-update-glare", Scenario::of("sub_updates_too_soon"));
}

#[test]
fn an_update_with_an_offer_before_the_first_has_its_answer_gets_500_and_when_to_try_again() {
    let (engine, _silent) = with_a_silent_sub_center("ext-update-early");
    let log = Scenario::of("update_before_answer").sdp(OFFER).run(&engine, "12366");
    let wait = log.last("SIP/2.0 500").header("Retry-After").map(str::to_owned);
    assert!(wait.is_some_and(|wait| wait.parse::<u32>().unwrap() <= 10), "RFC 3311 §5.2");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerCancelled));
}

#[test]
fn a_session_timer_below_90_s_is_refused_with_the_least_and_that_is_taken() {
    let engine = Engine::start("ext-brief", WHEN);
    let log = Scenario::of("too_brief").sdp(OFFER).run(&engine, "12345");
    let brief = log.received("SIP/2.0 422");
    assert_eq!(brief.len(), 3, "INVITE, UPDATE, re-INVITE");
    assert!(brief.iter().all(|refusal| refusal.header("Min-SE") == Some("90")), "{brief:?}");
    for (cseq, wanted) in [
        ("2 INVITE", "90;refresher=uac"),
        ("3 UPDATE", "90;refresher=uac"),
        ("6 INVITE", "120;refresher=uas"),
    ] {
        let answer = answers(&log, cseq)[0];
        assert_eq!(answer.header("Session-Expires"), Some(wanted), "{}", answer.text);
        assert_eq!(answer.header("Require"), Some("timer"), "{}", answer.text);
    }
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}

#[test]
fn where_our_session_timer_is_too_short_we_ask_again_with_what_is_wanted() {
    let log = talks("ext-longer", Scenario::of("sub_wants_longer"));
    let [first, again] = log.received("INVITE").try_into().unwrap();
    assert_eq!((first.header("Session-Expires"), first.header("Min-SE")), (Some("1800"), None));
    assert_eq!((again.header("Session-Expires"), again.header("Min-SE")), (Some("3600"), Some("3600")));
    assert_eq!(
        (first.header("Call-ID"), first.header("From")),
        (again.header("Call-ID"), again.header("From"))
    );
    assert_eq!(again.header("CSeq"), Some("2 INVITE"));
    assert_ne!(first.header("Via"), again.header("Via"));
}

/// Three sub-centers of one house, each with a way of its own to keep its calls.
pub fn we_refresh_a_session_by_update_or_by_a_reinvite_that_survives_glare_and_end_one_that_lapses() {
    let name = "ext-refresh";
    let desks = [
        ("12366", desk(name, long("sub_is_refreshed"))),
        ("12313", desk(name, long("sub_crosses_refresh"))),
        ("12367", desk(name, long("sub_forgets_refresh"))),
    ];
    let trunks: Vec<String> = desks.iter().map(|(line, (at, _))| format!("sub-{line}={at}")).collect();
    let more: Vec<&str> = trunks.iter().flat_map(|trunk| ["--trunk", trunk]).collect();
    let engine = engine_on_plan(name, WHEN, &[PATIENT, SILENT], &more);
    let stays = |line: &str| {
        let scenario = long("let_be").sdp(OFFER).with("pause", "17000");
        scenario.start(&engine, line)
    };
    let mut callers: Vec<Running> = ["12366", "12313"].map(stays).into();
    callers.push(long("let_go").sdp(OFFER).with("patience", "25000").start(&engine, "12367"));
    for caller in callers {
        caller.finish();
    }
    let [refreshed, crossed, lapsed] = desks.map(|(_, (_, desk))| desk.finish());
    let after = |log: &Log, what: &str| log.last(what).at - log.received("ACK")[0].at;
    let update = refreshed.last("UPDATE");
    assert_eq!(update.header("Session-Expires"), Some("30;refresher=uac"));
    assert!(!update.text.contains("m=audio "), "nothing new: {}", update.text);
    assert!(after(&refreshed, "UPDATE") >= 14.5, "at half of 30 s, not before");
    let [invite, again] = crossed.received("INVITE").try_into().unwrap();
    assert_eq!(again.header("Session-Expires"), Some("30;refresher=uac"));
    assert_eq!(
        invite.line("o="),
        again.line("o="),
        "the same description, so the same version (RFC 3264 §8)"
    );
    assert!(after(&lapsed, "BYE") >= 19.5, "10 s before the end of 30 s, not sooner");
    let reason = lapsed.last("BYE").header("Reason").unwrap_or_default().to_owned();
    assert!(reason.contains("cause=408"), "{reason}");
    let causes = closed_calls(&engine, 3).into_iter().map(|record| (record.line.to_string(), record.cause));
    let mut causes: Vec<_> = causes.collect();
    causes.sort_by(|a, b| a.0.cmp(&b.0));
    let wanted =
        [("12313", Cause::CallerHungUp), ("12366", Cause::CallerHungUp), ("12367", Cause::OtherHungUp)];
    assert_eq!(causes, wanted.map(|(line, cause)| (line.to_owned(), Some(cause))));
}

fn long(name: &str) -> Scenario {
    Scenario::of(name).within(Duration::from_secs(60))
}

#[test]
fn keys_told_by_info_are_pressed_once_each_and_what_is_no_key_is_refused() {
    let engine = Engine::start("ext-info", WHEN);
    let log = plain("info").sdp(OFFER).run(&engine, "12345");
    let told = answers(&log, "2 INFO");
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].text, told[1].text, "byte for byte");
    let accept = log.last("SIP/2.0 415").header("Accept").map(str::to_owned);
    assert_eq!(accept.as_deref(), Some("application/dtmf-relay, application/dtmf"));
    assert!(log.last("SIP/2.0 469").header("Recv-Info").is_some(), "RFC 6086 §4.2.2");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    let pressed: Vec<char> = facts(&engine, &record)
        .into_iter()
        .filter_map(|fact| if let What::DigitPressed { digit } = fact { Some(digit) } else { None })
        .collect();
    assert_eq!(pressed, ['5', '7']);
}
