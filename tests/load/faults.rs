//! Servers that go wrong, and how the figures say so.

use std::process::Command;

use crate::tool::{Tool, free_address};
use crate::uas::{Uas, telephone};

fn tone(hertz: f64) -> Vec<i16> {
    let turn = std::f64::consts::TAU * hertz / 8_000.0;
    (0..8_000).map(|n| (8_000.0 * (turn * f64::from(n)).sin()) as i16).collect()
}

const ONE_CALL: &str = "--scenario bridge --to 9003 --rate 1 --calls 1 --hold 3s --sample 100%";

#[test]
fn another_callers_tone_is_wrong_and_silence_is_none() {
    // Without a far side of our own the caller's tone should come back; this is the next caller's.
    let crossed = Tool::new("crossed", 10, ONE_CALL).toward(telephone(Some(tone(320.0)))).run();
    assert_eq!(crossed.calls(), [1, 1, 0], "{}", crossed.printed);
    assert_eq!(crossed.sound(), [0, 1, 0, 0], "{}", crossed.printed);
    assert_eq!((crossed.count("/rtp/one_way"), crossed.count("/rtp/no_rtp")), (0, 0));

    let right = Tool::new("echo", 11, ONE_CALL).toward(telephone(Some(tone(300.0)))).run();
    assert_eq!(right.sound(), [1, 0, 0, 0], "{}", right.printed);

    let silent = Tool::new("silent", 12, ONE_CALL).toward(telephone(Some(vec![0; 160]))).run();
    assert_eq!(silent.sound(), [0, 0, 1, 0], "{}", silent.printed);

    let mute = Tool::new("mute", 13, ONE_CALL).with("--fail-over", "one_way=0").toward(telephone(None)).run();
    assert_eq!(mute.sound(), [0, 0, 1, 0], "{}", mute.printed);
    assert_eq!((mute.count("/rtp/one_way"), mute.count("/rtp/no_rtp")), (1, 1), "{}", mute.printed);
    assert_eq!(mute.code, Some(1), "one way is beyond the bound");
}

#[test]
fn a_dead_server_fails_every_call_and_the_run() {
    let words = "--to 9000 --rate 5 --duration 1s --patience 1s";
    let ran = Tool::new("dead", 14, words).toward(free_address()).run();
    assert_eq!(ran.code, Some(1), "{}", ran.printed);
    assert_eq!(ran.calls(), [5, 0, 5], "{}", ran.printed);
    assert_eq!(ran.count("/calls/failures/not answered in time"), 5);
    assert!(ran.printed.contains("无一接通 / no call was answered"), "{}", ran.printed);
    assert!(ran.html.contains("未通过 / not passed"));
}

#[test]
fn a_server_that_stalls_is_late_for_every_call_that_was_due_meanwhile() {
    let mut server = Uas::new();
    let words = "--to 9000 --rate 50 --calls 60 --duration 2s --hold 200ms";
    let tool = Tool::new("stalled", 15, words).toward(server.address());
    let child = tool.start();
    let mut held = Vec::new();
    let (mut calls, mut ended) = (0, 0);
    while ended < 60 {
        let request = server.next().expect("the tool calls on");
        match request.method.as_str() {
            "INVITE" => {
                calls += 1;
                // From the 11th on nobody is answered, until the 50th has come.
                if (11..=50).contains(&calls) {
                    held.push(request);
                } else {
                    server.accept(&request);
                }
                if calls == 50 {
                    held.drain(..).for_each(|request| server.accept(&request));
                }
            }
            "BYE" => {
                ended += 1;
                server.accept(&request);
            }
            _ => {}
        }
    }
    let ran = tool.wait(child);
    assert_eq!(ran.calls(), [60, 60, 0], "{}", ran.printed);
    // The 11th waited for 39 calls' time, 780 ms, the 12th for 760 …: calls were due, and begun, all the
    // while. Had the tool waited for the server, one call alone would be late.
    assert!(ran.number("/latency_ms/setup/max") >= 770.0, "{}", ran.printed);
    assert!(ran.number("/latency_ms/setup/p50") >= 170.0, "{}", ran.printed);
    assert!(ran.number("/latency_ms/setup/p90") >= 650.0, "{}", ran.printed);
}

#[test]
fn a_signal_ends_calls_in_order_and_the_report_is_still_written() {
    let mut server = Uas::new();
    let words = "--to 9000 --rate 5 --duration 10min --hold 10min";
    let tool = Tool::new("signal", 16, words).toward(server.address());
    let child = tool.start();
    let (mut standing, mut ended, mut told) = (0, 0, false);
    while !told || ended < standing {
        let request = server.next().expect("calls, then their ends");
        match request.method.as_str() {
            "INVITE" => server.accept(&request),
            "ACK" => standing += 1,
            "BYE" => {
                ended += 1;
                server.accept(&request);
            }
            other => panic!("{other}"),
        }
        if standing == 4 && !told {
            told = true;
            let number = child.id().to_string();
            assert!(Command::new("kill").args(["-INT", &number]).status().unwrap().success());
        }
    }
    let ran = tool.wait(child);
    assert_eq!(ran.code, Some(0), "{}", ran.printed);
    assert_eq!(ran.report.pointer("/window/stopped_early"), Some(&true.into()));
    assert_eq!((ran.count("/latency_ms/bye/count"), ran.count("/calls/answered")), (standing, standing));
}

#[test]
fn what_is_beyond_the_most_calls_is_not_begun_and_counted() {
    let words = "--loop --rate 10 --duration 1s --hold 5s --calls-max 3";
    let ran = Tool::new("most", 17, words).run();
    assert_eq!(ran.calls(), [3, 3, 0], "{}", ran.printed);
    assert_eq!((ran.count("/calls/not_started"), ran.count("/calls/peak")), (7, 3));
}

#[test]
fn wrong_use_is_told_before_anything_is_sent() {
    for (words, hint) in [
        ("--to 9000", "--target"),
        ("--target 127.0.0.1:9", "--to"),
        ("--loop --fail-over setup=1ms", "setup_p99"),
        ("--loop --rate 0", "0.001"),
        ("--loop --steps 5x1s --rate 3", "--rate"),
        ("--loop --from x", "--from"),
        ("--loop --duration 2s --warm-up 2s", "--warm-up"),
        ("--target 127.0.0.1:9 --to 1 --seats 1001-1002", "--data"),
        (
            "--target 127.0.0.1:9 --to 1 --scenario threeway --seats 1 --seat-password-file Cargo.toml",
            "--answer-on",
        ),
        (
            "--target 127.0.0.1:9 --to 1 --seats 1 --seat-password-file Cargo.toml --answer-on 127.0.0.1:9",
            "--answer-on",
        ),
        ("--loop --pin 9999", "9999"),
        ("--loop --to 1 --scenario queue", "--seats"),
        ("--target 127.0.0.1:9 --to 1 --scenario queue --mix queue=1", "mixed-day"),
        ("--target 127.0.0.1:9 --to 1 --scenario mixed-day --mix queue=", "threeway=10"),
        (
            "--target 127.0.0.1:9 --to 1 --scenario mixed-day --steps 1x1s --seats 1 --seat-password-file Cargo.toml \
             --answer-on 127.0.0.1:9",
            "--ramp",
        ),
    ] {
        let ran = Tool::new("wrong", 18, words).run();
        assert_eq!(ran.code, Some(2), "{words}: {}", ran.printed);
        assert!(ran.printed.contains(hint), "{words}: {}", ran.printed);
    }
}
