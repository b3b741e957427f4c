//! The SIPp scenarios beside the tool's own: each is taken by SIPp, and answered by the engine.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::engine::Engine;
use crate::scenarios::{BENCH, BENCH_PORTS, CLOCK};
use crate::tool::{Tool, free_address};

fn sipp(file: &str, words: &str) -> Command {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/sipp").join(file);
    let mut command = Command::new("sipp");
    command.arg("-sf").arg(file).args(["-i", "127.0.0.1", "-nostdin", "-timeout", "40s", "-timeout_error"]);
    command.args(words.split_whitespace()).current_dir(std::env::temp_dir()).stdout(Stdio::null());
    command
}

fn media_port() -> u16 {
    free_address().port() & !1
}

#[test]
fn the_callers_of_sipp_are_answered() {
    let engine = Engine::start_with("load-sipp", CLOCK, &["--config", BENCH, "--rtp-ports", BENCH_PORTS]);
    let at: SocketAddr = engine.sip;
    for (file, words) in [("signalling.xml", "-s 9000"), ("sound.xml", "-s 9002 -rtp_echo")] {
        let words = format!("{words} -r 10 -m 5 -d 500 -mp {} {at}", media_port());
        let output = sipp(file, &words).output().expect("SIPp is installed (tools/test does it)");
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_far_side_of_sipp_sends_callers_their_own_sound_back() {
    let far = free_address();
    let target = format!("target={far}");
    let words = ["--config", BENCH, "--rtp-ports", BENCH_PORTS, "--trunk", &target];
    let engine = Engine::start_with("load-sipp-far", CLOCK, &words);
    let words = format!("-p {} -mp {} -rtp_echo -m 3", far.port(), media_port());
    let mut far_side = sipp("answer.xml", &words).spawn().expect("SIPp is installed (tools/test does it)");
    let words = "--scenario bridge --to 9003 --rate 2 --calls 3 --hold 3s --sample 100%";
    let ran = Tool::new("sipp-far", 8, words).toward(engine.sip).run();
    assert_eq!(ran.calls(), [3, 3, 0], "{}", ran.printed);
    assert_eq!(ran.sound()[..3], [3, 0, 0], "{}", ran.printed);
    assert!(far_side.wait().unwrap().success());
}
