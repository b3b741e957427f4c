//! A caller who says by key that it is urgent, one who called only just now, and one whom nobody asks.

use hotline::call::Input;
use hotline::routing::plan::Plan;

use super::caller::{Caller, Dialling, secs};

fn with_key(plan: &mut Plan) {
    plan.callers.urgent_key = Some('9');
}

/// What follows the key at once, in the queue.
const TO_QUEUE: [&str; 5] =
    ["told digit 9", "told urgent", "told queued in main", "loop 0: hold_music", "join main"];

#[test]
fn the_urgent_key_leaves_out_whatever_is_still_to_be_said_in_front_of_the_queue() {
    // A merged line: the transition's words, then the greeting.
    let mut caller = Dialling::to("12336").with(with_key).go();
    caller.recorded();
    assert_eq!(caller.call.state(), "prompt");
    assert_eq!(caller.presses('1'), ["told digit 1"], "another key");
    assert_eq!(caller.presses('9'), TO_QUEUE);
    assert_eq!(caller.presses('9'), ["told digit 9"], "said once");
    caller.rings("1001");
    caller.answers(1);
    assert_eq!(caller.presses('9'), ["told digit 9"], "a clerk is there");
}

#[test]
fn without_such_a_key_no_key_means_anything() {
    let mut caller = Dialling::to("12345").with(|plan| plan.callers.urgent_key = None).go();
    caller.recorded();
    assert_eq!(caller.presses('9'), ["told digit 9"]);
    assert_eq!(caller.call.state(), "prompt");
}

#[test]
fn an_early_prompt_is_cut_short_by_the_answer_that_the_caller_is_owed() {
    let early = |plan: &mut Plan| {
        with_key(plan);
        plan.transition.early_media = true;
    };
    let mut caller = Dialling::to("12336").with(early).go();
    assert_eq!(caller.call.state(), "prompt");
    assert_eq!(caller.presses('9'), ["told digit 9", "told urgent"]);
    let said = caller.recorded().to_vec();
    assert!(said.contains(&"told answered".to_owned()), "{said:?}");
    assert_eq!(said.last().map(String::as_str), Some("join main"), "and no greeting: {said:?}");
}

#[test]
fn who_waits_stays_in_place_and_is_told_of() {
    let mut caller = Dialling::to("12345").with(with_key).go().waits_its_turn();
    assert_eq!(caller.presses('9'), ["told digit 9", "told urgent"]);
    assert_eq!(caller.call.state(), "waiting");
}

#[test]
fn who_was_sent_on_with_a_ticket_goes_back_to_the_queue_and_is_sent_on_as_before() {
    let mut caller = Dialling::to("12345").with(with_key).go().waits_its_turn();
    let overflowed = Input::Overflowed { waited: secs(20) };
    caller.tell(overflowed.clone());
    assert_eq!(caller.call.state(), "prompt");
    assert_eq!(caller.presses('9'), TO_QUEUE);
    let said = caller.tell(overflowed);
    assert_eq!(said[0], "told ticket Overflow", "{said:?}");
    assert_eq!(caller.presses('9'), ["told digit 9"], "not for ever");
    caller.heard_out(0);
    assert_eq!(caller.call.state(), "ended");
}

#[test]
fn the_survey_s_keys_are_the_survey_s() {
    let one = |plan: &mut Plan| plan.callers.urgent_key = Some('1');
    let mut caller = Dialling::to("12345").with(one).go().waits_its_turn();
    caller.rings("1001");
    caller.answers(1);
    caller.heard_out(0);
    caller.heard_out(1);
    caller.hangs_up(1);
    assert_eq!(caller.call.state(), "survey");
    assert_eq!(caller.presses('1')[..2], ["told digit 1", "told grade 1"]);
}

#[test]
fn who_called_only_just_now_gets_a_ticket_in_place_of_the_queue_unless_it_is_urgent() {
    for urgent in [false, true] {
        let mut caller = Dialling::to("12345").with(with_key).go();
        caller.recorded();
        assert_eq!(caller.tell(Input::CoolDown), [""; 0], "the greeting is heard out");
        let said = caller.heard_out(0).to_vec();
        assert_eq!(said[0], "told ticket CoolDown", "{said:?}");
        assert!(!said.iter().any(|said| said.contains("queued") || said.contains("join")), "{said:?}");
        if urgent {
            assert_eq!(caller.presses('9'), TO_QUEUE);
            assert_eq!(caller.call.state(), "waiting");
        } else {
            caller.heard_out(0);
            assert_eq!(caller.call.state(), "ended");
        }
    }
    // Said before the queue's turn comes.
    let mut caller = Dialling::to("12345").with(with_key).go();
    caller.recorded();
    caller.tell(Input::CoolDown);
    assert_eq!(caller.presses('9'), TO_QUEUE);
    // Known too late.
    let mut caller = Caller::queued("12345");
    assert_eq!(caller.tell(Input::CoolDown), [""; 0]);
    assert_eq!(caller.call.state(), "waiting");
}

#[test]
fn a_matter_in_which_satisfaction_is_not_chased_ends_without_the_question() {
    for (said, state) in [(&[false][..], "ended"), (&[false, true], "survey")] {
        let mut caller = Caller::talking("12345");
        for wanted in said {
            assert_eq!(caller.tell(Input::Survey { wanted: *wanted }), [""; 0]);
        }
        caller.hangs_up(1);
        assert_eq!(caller.call.state(), state);
    }
}
