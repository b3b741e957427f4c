//! 好差评: one digit after the clerk has left.

use hotline::routing::plan::Plan;

use super::caller::{Caller, Dialling, secs};

const ASKED: [&str; 2] = ["told announced survey", "play 0: survey"];
const AGAIN: [&str; 2] = ["told announced survey_wrong", "play 0: survey_wrong survey"];
const THANKED: [&str; 2] = ["told announced survey_thanks", "play 0: survey_thanks"];
const GOODBYE: [&str; 2] = ["told announced goodbye", "play 0: goodbye"];
const HUNG_UP: [&str; 3] = ["hang up 0", "stop recording", "close 0"];

/// The clerk has left, and the question is being put.
fn asked() -> Caller {
    let mut caller = Caller::talking("12345");
    let said = caller.hangs_up(1);
    assert_eq!(said[said.len() - 2..], ASKED);
    caller
}

fn digit_and(digit: char, then: &[&str]) -> Vec<String> {
    [&[format!("told digit {digit}").as_str()][..], then].concat().iter().map(ToString::to_string).collect()
}

#[test]
fn a_grade_is_taken_thanked_for_and_ends_the_call() {
    for (digit, grade) in
        [('1', "grade 1"), ('2', "grade 2"), ('3', "grade 3"), ('4', "grade 4"), ('5', "grade 5")]
    {
        for early in [true, false] {
            let mut caller = asked();
            if !early {
                assert_eq!(caller.heard_out(0), [""; 0]);
                caller.wait(secs(7));
            }
            let grade = format!("told {grade}");
            assert_eq!(caller.presses(digit), digit_and(digit, &[&[grade.as_str()][..], &THANKED].concat()));
            assert_eq!(caller.presses('5'), ["told digit 5"], "graded once");
            assert_eq!(caller.wait(secs(60)), [""; 0], "the words are heard out");
            assert_eq!(caller.heard_out(0), HUNG_UP);
            assert_eq!(caller.sound_closed(), ["told closed Completed", "over"]);
        }
    }
}

#[test]
fn a_wrong_digit_is_asked_again_and_a_second_one_is_let_go() {
    for wrong in ['0', '6', '9', '*', '#', 'A'] {
        let mut caller = asked();
        assert_eq!(caller.presses(wrong), digit_and(wrong, &AGAIN));
        caller.heard_out(0);
        assert_eq!(caller.presses(wrong), digit_and(wrong, &GOODBYE));
        assert_eq!(caller.heard_out(0), HUNG_UP);
    }
    let mut caller = asked();
    caller.presses('0');
    let good = caller.presses('5');
    assert_eq!(good, digit_and('5', &[&["told grade 5"][..], &THANKED].concat()), "the second try counts");
}

#[test]
fn no_digit_is_asked_again_once_and_then_let_go() {
    let mut caller = asked();
    assert_eq!(caller.wait(secs(60)), [""; 0], "the time runs from the end of the question");
    caller.heard_out(0);
    assert_eq!(caller.wait(secs(7)), [""; 0]);
    assert_eq!(caller.wait(secs(1)), ASKED);
    caller.heard_out(0);
    assert_eq!(caller.wait(secs(8)), GOODBYE);
    assert_eq!(caller.heard_out(0), HUNG_UP);
    assert_eq!(caller.sound_closed(), ["told closed Completed", "over"]);
}

#[test]
fn the_plan_says_how_often_and_how_long() {
    let once = |plan: &mut Plan| {
        plan.survey.tries = 1;
        plan.survey.wait = secs(3);
    };
    let mut caller = Dialling::to("12345").with(once).go().waits_its_turn();
    caller.rings("1001");
    caller.answers(1);
    caller.heard_out(0);
    caller.heard_out(1);
    caller.hangs_up(1);
    caller.heard_out(0);
    assert_eq!(caller.wait(secs(3)), GOODBYE);
}

#[test]
fn digits_at_other_times_are_noted_and_change_nothing() {
    for mut caller in [Caller::queued("12345"), Caller::ringing("12345"), Caller::talking("12345")] {
        let state = caller.call.state();
        assert_eq!(caller.presses('5'), ["told digit 5"]);
        assert_eq!(caller.call.state(), state);
    }
}

#[test]
fn who_hangs_up_instead_has_ended_the_call_as_usual() {
    let mut caller = asked();
    assert_eq!(caller.hangs_up(0), ["stop recording", "close 0"]);
    assert_eq!(caller.sound_closed(), ["told closed CallerHungUp", "over"]);
}
