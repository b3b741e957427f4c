//! SIPp as a sub-center that puts its caller through (REFER), and as a caller whose dialog another one
//! replaces.

use hotline::switchboard::fact::{Cause, What};
use hotline::telemetry::CallRecord;

use crate::engine::Engine;
use crate::plan::engine_on_plan;
use crate::records::{closed_calls, facts};
use crate::sipp::{Log, OFFER, Scenario};
use crate::sub_center::desk;

const WHEN: &str = "2021-12-01T09:00:00+08:00";
/// Long enough for a busy machine.
const PATIENT: (&str, &str) = ("connect_timeout = \"1s\"", "connect_timeout = \"10s\"");

/// What came of a transfer from 12366 to 12313, as the two of them and the house saw it.
struct Transferred {
    from: Log,
    to: Log,
    steps: Vec<(String, Option<u16>)>,
    peer: Option<String>,
}

/// A caller of 12366, which asks that 12313 take him; `to` is what 12313 does.
fn transfer(name: &str, from: &str, to: Scenario) -> Transferred {
    let (tobacco, to) = desk(name, to);
    // Every name of ours will do: what counts is that the host is this house.
    let (tax, from) = desk(name, Scenario::of(from).with("refer_to", "sip:12313@hotline.puyang"));
    let trunks = [format!("sub-12366={tax}"), format!("sub-12313={tobacco}")];
    let more = ["--trunk", &trunks[0], "--trunk", &trunks[1]];
    let engine = engine_on_plan(name, WHEN, &[PATIENT], &more);
    Scenario::of("let_be").sdp(OFFER).with("pause", "2500").run(&engine, "12366");
    let (from, to) = (from.finish(), to.finish());
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
    Transferred { steps: steps_of(&engine, &record), from, to, peer: record.peer }
}

/// How far transfers of a call have come.
fn steps_of(engine: &Engine, record: &CallRecord) -> Vec<(String, Option<u16>)> {
    let steps = facts(engine, record).into_iter().filter_map(|fact| match fact {
        What::Transfer { to, step, status, .. } => {
            assert!(to.contains("12313"), "{to}");
            Some((step.word().to_owned(), status))
        }
        _ => None,
    });
    steps.collect()
}

fn steps(names: &[&str]) -> Vec<(String, Option<u16>)> {
    names.iter().map(|name| ((*name).to_owned(), None)).collect()
}

/// The status that each NOTIFY tells, and the state of the subscription.
fn told(log: &Log) -> Vec<(String, String)> {
    let notifies = log.received("NOTIFY").into_iter();
    notifies
        .map(|notify| {
            assert_eq!(notify.header("Content-Type"), Some("message/sipfrag;version=2.0"));
            let status = notify.line("SIP/2.0 ").split(' ').nth(1).unwrap().to_owned();
            let state = notify.header("Subscription-State").unwrap();
            (status, state.split(';').next().unwrap().to_owned())
        })
        .collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(status, state)| ((*status).to_owned(), (*state).to_owned())).collect()
}

#[test]
fn a_sub_center_that_puts_its_caller_through_is_told_how_it_goes_and_then_let_go() {
    let seen = transfer("refer-blind", "sub_refers", Scenario::of("sub_answers"));
    assert_eq!(told(&seen.from), pairs(&[("100", "active"), ("180", "active"), ("200", "terminated")]));
    assert_eq!(seen.steps, steps(&["requested", "ringing", "accepted"]));
    assert_eq!(seen.peer.as_deref(), Some("sub-12313/12313"));
    let invite = seen.to.received("INVITE")[0];
    assert_eq!(invite.header("Referred-By"), Some("<sip:clerk@127.0.0.1>"), "RFC 3892 §2.1");
    assert!(invite.header("From").is_some_and(|from| from.contains("<sip:13800000044@")), "{}", invite.text);
}

#[test]
fn whoever_wants_no_word_of_its_transfer_gets_none() {
    let seen = transfer("refer-quiet", "sub_refers_quietly", Scenario::of("sub_answers"));
    assert_eq!(seen.from.last("SIP/2.0 202").header("Refer-Sub"), Some("false"));
    assert_eq!((told(&seen.from), seen.steps), (vec![], steps(&["requested", "ringing", "accepted"])));
}

#[test]
fn a_transfer_goes_on_when_whoever_asked_hangs_up_and_it_is_told_of_the_end() {
    let seen =
        transfer("refer-leaves", "sub_refers_and_leaves", Scenario::of("sub_slowly").with("pause", "1200"));
    assert_eq!(told(&seen.from), pairs(&[("100", "active"), ("180", "active"), ("200", "terminated")]));
    assert_eq!(seen.peer.as_deref(), Some("sub-12313/12313"));
}

#[test]
fn a_busy_target_is_told_of_and_the_talk_goes_on() {
    let seen = transfer("refer-busy", "sub_refers_busy", Scenario::of("sub_refuses").with("status", "486"));
    assert_eq!(told(&seen.from), pairs(&[("100", "active"), ("486", "terminated")]));
    assert_eq!(seen.steps, [("requested".to_owned(), None), ("failed".to_owned(), Some(486))]);
}

#[test]
fn nobody_is_put_through_to_a_stranger_and_the_talk_goes_on() {
    let name = "refer-astray";
    let (at, desk) =
        desk(name, Scenario::of("sub_refers_astray").arguments(&["-nr"]).with("engine", "hotline.puyang"));
    let engine = engine_on_plan(name, WHEN, &[PATIENT], &["--trunk", &format!("sub-12366={at}")]);
    Scenario::of("let_be").sdp(OFFER).with("pause", "1500").run(&engine, "12366");
    let log = desk.finish();
    let first = log.received("SIP/2.0 403");
    assert_eq!(first[0].text, first[1].text, "a repeated REFER gets the same bytes");
    assert!(log.received("NOTIFY").is_empty());
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!((record.cause, record.peer.as_deref()), (Some(Cause::CallerHungUp), Some("sub-12366/12366")));
    let dialled =
        facts(&engine, &record).iter().filter(|fact| matches!(fact, What::PeerDialled { .. })).count();
    assert_eq!(dialled, 1, "12366 alone");
}

#[test]
fn a_caller_puts_nobody_through() {
    let name = "refer-caller";
    let (at, desk) = desk(name, Scenario::of("sub_answers"));
    let engine = engine_on_plan(name, WHEN, &[PATIENT], &["--trunk", &format!("sub-12366={at}")]);
    Scenario::of("refer_by_caller")
        .sdp(OFFER)
        .with("refer_to", "12313")
        .with("pause", "300")
        .run(&engine, "12366");
    desk.finish();
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
    assert_eq!(steps_of(&engine, &record), [("declined".to_owned(), Some(603))]);
}

#[test]
fn another_dialog_takes_the_place_of_one_under_way_and_of_none_that_is_not() {
    let engine = Engine::start("replaces", WHEN);
    let log = Scenario::of("replaces").sdp(OFFER).run(&engine, "12345");
    let bye = log.received("BYE");
    assert_eq!(bye.len(), 1, "{bye:?}");
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp), "by the BYE of the dialog that took over");
    let replaced = facts(&engine, &record).contains(&What::LegReplaced { leg: 0 });
    assert!(replaced, "one call, one record");
}
