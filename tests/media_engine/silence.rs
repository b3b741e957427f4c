//! Peers that are heard no more.

use std::time::Duration;

use hotline::media::order::{Fact, LegConfig, Order, PortSlot};
use hotline::phone::Codec as Law;

use crate::stage::{Peer, Stage};

fn told(stage: &mut Stage) -> Vec<&'static str> {
    let leg = stage.leg(0);
    let word = |fact: Fact| match fact {
        Fact::Silent { leg: of } if of == leg => Some("silent"),
        Fact::Heard { leg: of } if of == leg => Some("heard"),
        _ => None,
    };
    stage.facts.drain(..).filter_map(word).collect()
}

#[test]
fn silence_is_told_after_its_bound_again_and_again_and_its_end_too() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::at(0, Law::Pcma);
    let config = LegConfig { silence_max: Duration::from_secs(10), ..caller.config() };
    stage.order(Order::Open { leg: stage.leg(0), config: Box::new(config.clone()) });
    stage.frames(499, &mut []);
    assert_eq!(told(&mut stage), [""; 0]);
    stage.frames(2, &mut []);
    assert_eq!(told(&mut stage), ["silent"], "from the beginning");
    stage.frames(500, &mut []);
    assert_eq!(told(&mut stage), ["silent"], "and after as long again");
    stage.frames(50, &mut [&mut caller]);
    assert_eq!(told(&mut stage), ["heard"], "once");

    // A held telephone sends reports only: it is there.
    for _ in 0..5 {
        stage.frames(400, &mut []);
        caller.report(&mut stage, &[0x80, 201, 0, 1, 0, 0, 16, 0]);
    }
    assert_eq!(told(&mut stage), [""; 0]);
    // A stranger's packets are no sign of life.
    for _ in 0..3 {
        stage.frames(200, &mut []);
        let mut stranger = Peer::at(0, Law::Pcma);
        stranger.address = "198.51.100.9:4000".parse().unwrap();
        stranger.speak(&mut stage);
        stranger.report(&mut stage, &[0x80, 201, 0, 1, 0, 0, 16, 0]);
    }
    assert_eq!(told(&mut stage), ["silent"]);
    // A renegotiation is one.
    stage.order(Order::Change { leg: stage.leg(0), config: Box::new(config) });
    stage.frames(490, &mut []);
    assert_eq!(told(&mut stage), [""; 0]);
}

#[test]
fn without_a_bound_silence_is_never_told() {
    let mut stage = Stage::new(&[]);
    let _caller = Peer::join(&mut stage, 0, Law::Pcma);
    stage.frames(6_000, &mut []);
    assert_eq!(told(&mut stage), [""; 0]);
}

#[test]
fn only_a_leg_that_is_silent_and_that_nobody_hears_is_read_at_leisure() {
    let mut stage = Stage::new(&[&[1_000; 160]]);
    let (mut caller, _clerk) = (Peer::join(&mut stage, 0, Law::Pcma), Peer::join(&mut stage, 1, Law::Pcma));
    let idle = |stage: &Stage| stage.engine.is_idle(PortSlot(0), stage.now().mono);
    assert!(!idle(&stage), "at first it may begin to speak");
    stage.frames(20, &mut []);
    assert!(idle(&stage));
    stage.play(0, &[0], true, 1);
    stage.frames(20, &mut []);
    assert!(idle(&stage), "a prompt needs no ear");
    stage.frames(5, &mut [&mut caller]);
    assert!(!idle(&stage), "it speaks");
    stage.frames(20, &mut []);
    stage.bridge(0, 1);
    assert!(!idle(&stage), "the clerk would hear its first word late");
    stage.close(1);
    assert!(idle(&stage));
    stage.record();
    assert!(!idle(&stage), "and so would the recording");
    assert!(!stage.engine.is_idle(PortSlot(7), stage.now().mono), "nobody is there");
}
