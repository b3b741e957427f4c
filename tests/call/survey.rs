//! 好差评: one digit after the clerk has left.

use hotline::routing::plan::{Plan, Prompt};

use super::caller::{Caller, Dialling, secs};

const ASKED: [&str; 2] = ["told announced survey", "play 0: survey"];
const AGAIN: [&str; 2] = ["told announced survey_wrong", "play 0: survey_wrong survey"];
const THANKED: [&str; 2] = ["told announced survey_thanks", "play 0: survey_thanks"];
const GOODBYE: [&str; 2] = ["told announced goodbye", "play 0: goodbye"];
const HUNG_UP: [&str; 3] = ["hang up 0", "stop recording", "close 0"];

const WHY: [&str; 2] = ["told announced survey_reason", "play 0: survey_reason"];

/// The clerk has left, and the question is being put.
fn asked() -> Caller {
    asked_by(|_| {})
}

/// The same, under a plan that was changed.
fn asked_by(change: impl FnOnce(&mut Plan)) -> Caller {
    let mut caller = Dialling::to("12345").with(change).go().waits_its_turn();
    caller.rings("1001");
    caller.answers(1);
    caller.heard_out(0);
    caller.heard_out(1);
    let said = caller.hangs_up(1);
    assert_eq!(said[said.len() - 2..], ASKED);
    caller
}

/// A plan that asks for reasons, with the words to do so.
fn wants_reasons(plan: &mut Plan) {
    plan.survey.reason = true;
    let id = hotline::id::PromptId::from("survey_reason");
    let samples = std::sync::Arc::from([0_i16; 160]);
    plan.prompts.insert(id.clone(), Prompt { id, text: "请问您不满意的原因".into(), samples });
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

#[test]
fn who_is_dissatisfied_is_asked_why_once_and_thanked_whatever_comes() {
    for (grade, words) in [('4', "told grade 4"), ('5', "told grade 5")] {
        let given = |reason: char| format!("told survey reason {reason} for grade {grade}");
        let mut caller = asked_by(wants_reasons);
        assert_eq!(caller.presses(grade), digit_and(grade, &[&[words][..], &WHY].concat()));
        assert_eq!(caller.wait(secs(60)), [""; 0], "the time runs from the end of the question");
        assert_eq!(caller.presses('9'), digit_and('9', &[&[given('9').as_str()][..], &THANKED].concat()));
        assert_eq!(caller.presses('1'), ["told digit 1"], "one reason is enough");
        assert_eq!(caller.heard_out(0), HUNG_UP);
        assert_eq!(caller.sound_closed(), ["told closed Completed", "over"]);

        // A key that is no reason is not asked again.
        for wrong in ['0', '*', '#', 'D'] {
            let mut caller = asked_by(wants_reasons);
            caller.presses(grade);
            caller.heard_out(0);
            assert_eq!(caller.presses(wrong), digit_and(wrong, &THANKED));
        }

        // And neither is silence.
        let mut caller = asked_by(wants_reasons);
        caller.presses(grade);
        caller.heard_out(0);
        assert_eq!(caller.wait(secs(7)), [""; 0]);
        assert_eq!(caller.wait(secs(1)), THANKED);
        assert_eq!(caller.heard_out(0), HUNG_UP);
    }
}

#[test]
fn nobody_is_asked_why_who_is_satisfied_or_where_the_plan_or_the_bank_has_no_such_question() {
    let without = |words: bool| {
        move |plan: &mut Plan| {
            wants_reasons(plan);
            if words {
                plan.prompts.remove("survey_reason");
            } else {
                plan.survey.reason = false;
            }
        }
    };
    for (mut caller, digit) in [
        (asked_by(wants_reasons), '3'),
        (asked_by(wants_reasons), '1'),
        (asked_by(without(false)), '5'),
        (asked_by(without(true)), '5'),
    ] {
        let grade = format!("told grade {digit}");
        assert_eq!(caller.presses(digit), digit_and(digit, &[&[grade.as_str()][..], &THANKED].concat()));
    }
}

#[test]
fn who_hangs_up_when_asked_why_has_given_the_grade() {
    let mut caller = asked_by(wants_reasons);
    caller.presses('4');
    assert_eq!(caller.hangs_up(0), ["stop recording", "close 0"]);
    assert_eq!(caller.sound_closed(), ["told closed CallerHungUp", "over"]);
}
