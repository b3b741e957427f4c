//! Each scenario against the engine, with the sound of all legs judged.

use crate::engine::Engine;
use crate::tool::{Tool, free_address};

pub const CLOCK: &str = "2021-12-01T09:00:00+08:00";
pub const BENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/bench.toml");
/// Room for as many calls as that plan allows.
pub const BENCH_PORTS: &str = "20000-49999";
const PROMPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/bench_10s.wav");

#[test]
fn signalling_alone_is_answered_timed_and_ended() {
    let engine =
        Engine::start_with("load-signalling", CLOCK, &["--config", BENCH, "--rtp-ports", BENCH_PORTS]);
    let words = "--scenario signalling --to 9000 --rate 10 --duration 2s --hold 500ms --fail-over failed=0,answered=20";
    let ran = Tool::new("signalling", 0, words).toward(engine.sip).run();
    assert_eq!(ran.code, Some(0), "{}", ran.printed);
    assert_eq!(ran.calls(), [20, 20, 0], "{}", ran.printed);
    for latency in ["setup", "post_dial", "bye"] {
        assert_eq!(ran.count(&format!("/latency_ms/{latency}/count")), 20, "{latency}");
    }
    assert_eq!((ran.count("/calls/cut_off"), ran.count("/rtp/legs")), (0, 0));
}

#[test]
fn a_prompt_is_recognised_and_another_is_not_taken_for_it() {
    let engine = Engine::start_with("load-prompt", CLOCK, &["--config", BENCH, "--rtp-ports", BENCH_PORTS]);
    let words = "--scenario prompt --to 9002 --rate 2 --calls 2 --duration 2s --hold 3s --sample 100%";
    let right = Tool::new("prompt", 1, words).toward(engine.sip).with("--prompt", PROMPT).run();
    assert_eq!(right.code, Some(0), "{}", right.printed);
    assert_eq!(right.calls(), [2, 2, 0]);
    assert_eq!(right.sound(), [2, 0, 0, 0], "{}", right.printed);
    assert!(right.count("/rtp/received") > 2 * 100, "{}", right.printed);
    assert_eq!((right.count("/rtp/one_way"), right.count("/rtp/no_rtp")), (0, 0));

    let other = PROMPT.replace("bench_10s", "greeting");
    let words = format!("{words} --fail-over wrong=0");
    let wrong = Tool::new("other-prompt", 2, &words).toward(engine.sip).with("--prompt", &other).run();
    assert_eq!(wrong.sound(), [0, 2, 0, 0], "{}", wrong.printed);
    assert_eq!(wrong.code, Some(1), "a wrong sound is beyond the bound");
}

#[test]
fn callers_and_the_trunks_far_side_hear_each_other_through_the_engine() {
    let far = free_address();
    let target = format!("target={far}");
    let engine = Engine::start_with(
        "load-bridge",
        CLOCK,
        &["--config", BENCH, "--rtp-ports", BENCH_PORTS, "--trunk", &target],
    );
    for (scenario, number, place) in [("bridge", "9003", 3), ("recorded", "9004", 4)] {
        let words =
            format!("--scenario {scenario} --to {number} --rate 4 --duration 2s --hold 3s --sample 100%");
        let ran = Tool::new(scenario, place, &words)
            .toward(engine.sip)
            .with("--answer-on", &far.to_string())
            .with("--fail-over", "failed=0,wrong=0,none=0,one_way=0,no_rtp=0,unpaired=0")
            .run();
        assert_eq!(ran.code, Some(0), "{}", ran.printed);
        assert_eq!(ran.calls(), [8, 8, 0], "{}", ran.printed);
        assert_eq!(ran.count("/calls/far_answered"), 8);
        assert_eq!(ran.sound()[..3], [16, 0, 0], "both ends of eight calls: {}", ran.printed);
        assert!(ran.number("/rtp/mos/mean") > 3.5, "{}", ran.printed);
    }
}

#[test]
fn seats_register_answer_and_hear_their_callers() {
    let engine = Engine::start("load-seats", CLOCK);
    // The greeting takes 5 s, the clerk's number 3 s; the rest of the time is the talk.
    let words = "--scenario bridge --to 12345 --rate 2 --calls 2 --hold 13s --seats 1001-1003 --sample 100%";
    let data = engine.data.to_str().unwrap().to_owned();
    let ran = Tool::new("seats", 5, words).toward(engine.sip).with("--data", &data).run();
    assert_eq!(ran.code, Some(0), "{}", ran.printed);
    assert_eq!(ran.calls(), [2, 2, 0], "{}", ran.printed);
    assert_eq!(ran.sound(), [4, 0, 0, 0], "{}", ran.printed);
}

#[test]
fn the_tool_against_itself_needs_no_server() {
    let words =
        "--loop --scenario bridge --codec pcmu --steps 2x1s,6x1s --hold 2s --sample 100% --arrivals random";
    let ran = Tool::new("loop", 6, words).run();
    assert_eq!(ran.code, Some(0), "{}", ran.printed);
    let [attempted, answered, failed] = ran.calls();
    assert!(attempted >= 3 && answered == attempted && failed == 0, "{}", ran.printed);
    assert_eq!(ran.sound()[..3], [2 * attempted, 0, 0], "{}", ran.printed);
    assert_eq!(ran.count("/calls/far_answered"), attempted);
}
