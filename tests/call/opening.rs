//! From the INVITE to the first word: 180, the record, 200, the prompts, the queue.

use hotline::call::Input;
use hotline::routing::plan::{Afterwards, Plan};

use super::caller::{Caller, Dialling, millis, plan, sdp, secs, unusable};

const OPEN: [&str; 4] = ["200", "told answered", "open 0", "record 0"];
const GREETING: [&str; 2] = ["told announced greeting", "play 0: greeting"];
const QUEUE: [&str; 3] = ["told queued in main", "loop 0: hold_music", "join main"];

#[test]
fn a_caller_of_12345_hears_the_greeting_and_then_waits() {
    let mut caller = Dialling::to("12345").go();
    assert_eq!(caller.said, ["180"]);
    assert_eq!(caller.recorded(), [&OPEN[..], &GREETING].concat());
    assert_eq!(caller.heard_out(0), QUEUE);
    assert_eq!(caller.call.state(), "waiting");
}

#[test]
fn a_merged_number_is_prompted_before_it_is_greeted() {
    let mut caller = Dialling::to("12336").go();
    assert_eq!(caller.said, ["180"]);
    let prompt = ["told announced transition", "play 0: transition"];
    assert_eq!(caller.recorded(), [&OPEN[..], &prompt].concat());
    assert_eq!(caller.heard_out(0), GREETING);
    assert_eq!(caller.heard_out(0), QUEUE);
}

#[test]
fn a_call_keeps_the_months_that_it_began_in() {
    let mut caller = Dialling { at: "2021-10-31T23:59:59.999+08:00", ..Dialling::to("12336") }.go();
    caller.wait(millis(200)); // Midnight passes while the record is written.
    assert_eq!(caller.recorded().last().map(String::as_str), Some("play 0: transition"));
}

#[test]
fn early_media_is_heard_before_the_answer_and_costs_nothing() {
    let early = |plan: &mut Plan| plan.transition.early_media = true;
    let mut caller = Dialling::to("12336").with(early).go();
    let heard = ["180", "183 with sound", "open 0", "told announced transition", "play 0: transition"];
    assert_eq!(caller.said, heard);
    assert_eq!(caller.recorded(), [""; 0], "the record is there, but the prompt is not through");
    let answered = ["200", "told answered", "change 0", "record 0"];
    assert_eq!(caller.heard_out(0), [&answered[..], &GREETING].concat());
}

#[test]
fn without_an_offer_early_media_waits_for_the_answer() {
    let early = |plan: &mut Plan| plan.transition.early_media = true;
    let mut caller = Dialling::to("12336").with(early).late_offer().go();
    assert_eq!(caller.said, ["180"]);
    assert_eq!(caller.recorded(), ["200", "told answered"]);
    let leg = caller.leg(0);
    let heard = ["open 0", "record 0", "told announced transition", "play 0: transition"];
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: Some(sdp(4_000, None)) }), heard);
}

#[test]
fn a_retired_number_may_be_refused_with_410() {
    let strict = |plan: &mut Plan| plan.transition.afterwards = Afterwards::Release(Default::default());
    let caller = Dialling { at: "2021-11-01T00:00:00+08:00", ..Dialling::to("12336").with(strict) }.go();
    assert_eq!(caller.said, ["refuse 410", "free port 10", "told closed Refused(410)", "over"]);
}

#[test]
fn nobody_is_answered_before_the_record_is_on_disk_or_its_bound_is_over() {
    let mut caller = Dialling::to("12345").go();
    assert_eq!(caller.wait(millis(249)), [""; 0]);
    let late = ["200", "told answered undurable", "open 0", "record 0"];
    assert_eq!(caller.wait(millis(1)), [&late[..], &GREETING].concat(), "callers come first");
    assert_eq!(caller.recorded(), [""; 0], "too late to matter");

    let mut caller = Dialling::to("12345").go();
    let failed = caller.tell(Input::Recorded { durable: false });
    assert_eq!(failed, [&late[..], &GREETING].concat(), "a store that says no is not waited for");
}

#[test]
fn the_bound_is_the_plans() {
    let patient = |plan: &mut Plan| plan.limits.durable_wait = secs(2);
    let mut caller = Dialling::to("12345").with(patient).go();
    assert_eq!(caller.wait(millis(1_999)), [""; 0]);
    assert_eq!(caller.wait(millis(1))[0], "200");
}

/// RFC 3261 §13.2.1, §13.3.1.4: without an offer in the INVITE, 200 has it and ACK the answer.
#[test]
fn a_late_offer_is_made_in_200_and_answered_in_the_ack() {
    let mut caller = Dialling::to("12345").late_offer().go();
    assert_eq!(caller.said, ["180"]);
    assert_eq!(caller.recorded(), ["200", "told answered"], "no sound before we know where to");
    assert_eq!(caller.wait(secs(1)), [""; 0]);
    let leg = caller.leg(0);
    let opened = [&["open 0", "record 0"][..], &GREETING].concat();
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: Some(sdp(4_000, None)) }), opened);
    assert_eq!(caller.heard_out(0), QUEUE);
}

#[test]
fn a_late_offer_that_is_not_answered_or_cannot_be_ends_the_call() {
    for answer in [None, Some(unusable())] {
        let mut caller = Dialling::to("12345").late_offer().go();
        caller.recorded();
        let leg = caller.leg(0);
        let said = caller.tell(Input::Confirmed { leg, sdp: answer.clone() });
        let ended = ["hang up 0", "free port 10", "told closed Refused(488)", "over"];
        assert_eq!(said, ended, "{answer:?}");
    }
}

#[test]
fn an_offer_without_a_codec_of_ours_makes_no_call() {
    let refused = Dialling { offer: Some(unusable()), ..Dialling::to("12345") }.try_go();
    assert_eq!(refused.err().as_deref(), Some("no codec in common"));
}

#[test]
fn an_ack_of_the_usual_kind_changes_nothing() {
    let mut caller = Dialling::to("12345").go();
    caller.recorded();
    let leg = caller.leg(0);
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: None }), [""; 0]);
}

#[test]
fn who_waits_hears_the_place_and_then_music_again() {
    let mut caller = Caller::queued("12345");
    let said = caller.tell(Input::Position { ahead: 12, expected_wait: Some(secs(61)) });
    let words = "play 0: queue_ahead_before ten digit_2 queue_ahead_after \
                 queue_wait_before liang queue_wait_after queue_hold_on";
    assert_eq!(said, ["told announced queue_ahead_before", words]);
    assert_eq!(caller.heard_out(0), ["loop 0: hold_music"]);
    let said = caller.tell(Input::Position { ahead: 0, expected_wait: None });
    assert_eq!(said, ["told announced queue_next", "play 0: queue_next queue_hold_on"]);
}

#[test]
fn who_overflows_gets_a_ticket_and_its_number() {
    let mut caller = Caller::queued("12345");
    let number = "play 0: no_seat ticket_number digit_2 digit_0 digit_2 digit_yao digit_0 digit_9 digit_0 \
                  digit_yao digit_0 digit_0 digit_yao digit_2";
    let said = caller.tell(Input::Overflowed { waited: secs(300) });
    assert_eq!(said, ["told ticket Overflow", "told announced no_seat", number], "and no survey");
    let ended = ["hang up 0", "stop recording", "close 0"];
    assert_eq!(caller.heard_out(0), ended);
    assert_eq!(caller.sound_closed(), ["told closed Completed", "over"]);
}

#[test]
fn where_nothing_is_recorded_nothing_is() {
    let off = |plan: &mut Plan| plan.recording.enabled = false;
    let mut caller = Dialling::to("12345").with(off).go();
    assert_eq!(caller.recorded(), [&OPEN[..3], &GREETING].concat());
    assert_eq!(caller.hangs_up(0), ["close 0"]);
    assert!(plan().recording.enabled, "the shipped file records");
}
