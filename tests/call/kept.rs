//! A caller who would rather be called back: offered, taken by a key, let go.

use hotline::call::Input;
use hotline::id::PromptId;

use super::caller::{Caller, Dialling, millis, secs};

/// In the queue, which keeps places by the key 1 after a minute.
fn waiting(prompts: &[&str]) -> Caller {
    let with_prompts = |plan: &mut hotline::routing::Plan| {
        for id in WORDS.into_iter().filter(|id| !prompts.contains(id)) {
            plan.prompts.remove(&PromptId::from(id));
        }
    };
    let mut caller = Dialling::to("12345").with(with_prompts).go().waits_its_turn();
    assert!(caller.tell(Input::MayKeepPlace { after: secs(60), key: '1' }).is_empty());
    caller
}

const WORDS: [&str; 2] = ["callback_offer", "callback_kept"];
const OFFERED: [&str; 2] = ["told announced callback_offer", "play 0: callback_offer"];

#[test]
fn a_place_is_offered_kept_and_the_caller_let_go_without_leaving_the_queue() {
    let mut caller = waiting(&WORDS);
    assert_eq!(caller.presses('1'), ["told digit 1"], "nobody said so yet");
    assert_eq!(caller.wait(millis(59_999)), [""; 0]);
    assert_eq!(caller.wait(millis(1)), OFFERED);
    assert_eq!(caller.heard_out(0), ["loop 0: hold_music"]);
    assert_eq!(caller.presses('2'), ["told digit 2"], "another key");
    assert_eq!(caller.presses('1'), ["told digit 1", "keep the place"]);
    let kept = ["told announced callback_kept", "play 0: callback_kept"];
    assert_eq!(caller.tell(Input::PlaceKept { kept: true }), kept);
    assert_eq!(caller.heard_out(0), ["hang up 0", "stop recording", "close 0"], "and no word to the queue");
    assert_eq!(caller.sound_closed(), ["told closed Completed", "over"]);
}

#[test]
fn a_place_that_cannot_be_kept_is_waited_in() {
    let mut caller = waiting(&WORDS);
    caller.wait(secs(60));
    caller.presses('1');
    assert_eq!(caller.tell(Input::PlaceKept { kept: false }), [""; 0]);
    assert_eq!(caller.call.state(), "waiting");
    assert_eq!(caller.hangs_up(0)[0], "leave queue");
}

#[test]
fn while_a_seat_rings_nothing_is_offered_and_no_key_taken() {
    let mut caller = waiting(&WORDS);
    caller.rings("1001");
    assert_eq!(caller.wait(secs(60)), [""; 0]);
    caller.refuses(1, 486);
    assert_eq!(caller.wait(secs(10)), OFFERED, "afterwards");
    caller.rings("1002");
    assert_eq!(caller.presses('1'), ["told digit 1"]);
    assert_eq!(caller.answers(2)[0], "open 2");
    assert_eq!(caller.tell(Input::PlaceKept { kept: true }), [""; 0], "too late");
}

#[test]
fn who_is_let_go_and_hangs_up_first_has_kept_the_place_all_the_same() {
    let mut caller = waiting(&WORDS);
    caller.wait(secs(60));
    caller.presses('1');
    caller.tell(Input::PlaceKept { kept: true });
    assert_eq!(caller.hangs_up(0), ["stop recording", "close 0"]);
}

#[test]
fn what_cannot_be_said_is_not_offered() {
    let mut caller = waiting(&[]);
    assert_eq!(caller.wait(secs(60)), [""; 0]);
    assert_eq!(caller.presses('1'), ["told digit 1"]);
}
