//! The recording is paused and goes on, once each, and only while there is one.

use hotline::call::Input;
use hotline::call::recording::RecordingState;

use super::caller::{Caller, Dialling};

fn set(caller: &mut Caller, pause: bool) -> Vec<String> {
    caller.tell(Input::PauseRecording { pause, by: "clerk 1001".into() }).to_vec()
}

#[test]
fn a_recording_is_paused_and_goes_on_and_whoever_asks_twice_changes_nothing() {
    let mut caller = Dialling::to("12345").go();
    assert_eq!(set(&mut caller, true), [""; 0], "there is none before the answer");
    assert_eq!(caller.call.recording(), RecordingState::Off);
    caller.recorded();
    assert_eq!(caller.call.recording(), RecordingState::Running);
    assert_eq!(set(&mut caller, false), [""; 0]);
    assert_eq!(set(&mut caller, true), ["pause recording", "told recording paused by clerk 1001"]);
    assert_eq!(caller.call.recording(), RecordingState::Paused);
    assert_eq!(set(&mut caller, true), [""; 0]);
    assert_eq!(set(&mut caller, false), ["resume recording", "told recording resumed by clerk 1001"]);
    assert_eq!(set(&mut caller, false), [""; 0]);
    assert_eq!(set(&mut caller, true).len(), 2, "and paused again");
    let leg = caller.leg(0);
    caller.tell(Input::Ended { leg, vanished: false });
    assert_eq!(caller.call.recording(), RecordingState::Off);
    assert_eq!(set(&mut caller, false), [""; 0], "the call is over");
}
