//! Clerks dial a room of the shipped plan: each says a tone of its own, and tones tell who hears whom.

use std::collections::BTreeSet;
use std::time::Duration;

use hotline::io::packets::PartyKey;
use hotline::phone::{Dial, Phone, PhoneEvent, listen};

use crate::engine::Engine;
use crate::line::Lines;

const ROOM: &str = "94000001";
const OTHER_ROOM: &str = "94000002";
/// A fifth of a second: bands of 5 Hz.
const WINDOW: usize = 1_600;
/// A tone is there above this, and is not below that, dB.
const THERE: f64 = -30.0;
const GONE: f64 = -50.0;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A clerk's telephone.
struct Clerk {
    line: PartyKey,
    hz: u32,
}

/// Whole periods in a tenth of a second; four of these together are not too loud.
fn tone(hz: u32) -> Vec<i16> {
    let wave = |n: u32| (3_000.0 * (f64::from(n * hz) / 8_000.0 * std::f64::consts::TAU).sin()) as i16;
    (0..800).map(wave).collect()
}

fn sits_down(lines: &mut Lines, engine: &Engine, seat: &str, hz: u32) -> Clerk {
    let password = engine.password(seat);
    let line = lines.plug_in(seat, engine.sip, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
    });
    Clerk { line, hz }
}

fn joins(lines: &mut Lines, clerk: &Clerk, room: &str) {
    let (line, hz) = (clerk.line, clerk.hz);
    let answered = lines.told(line).len();
    lines.order(line, |phone, now| phone.dial(Dial::to(room), now)).expect("an idle telephone");
    lines.until("the answer", PATIENCE, |lines| {
        lines.told(line)[answered..].iter().any(|event| **event == PhoneEvent::Answered)
    });
    lines.order(line, |phone, now| phone.play(tone(hz).into(), true, now));
}

/// Whose tones are in what a clerk has heard last, and whether all others are not there at all.
fn heard(lines: &Lines, clerk: &Clerk, all: &[&Clerk]) -> Option<BTreeSet<u32>> {
    let heard = lines.phone(clerk.line).heard();
    let last = heard.get(heard.len().checked_sub(WINDOW)?..)?;
    let mut tones = BTreeSet::new();
    for other in all {
        match listen::tone_level(last, other.hz.into()) {
            level if level > THERE => drop(tones.insert(other.hz)),
            level if level < GONE => {}
            _ => return None, // Somebody has just come or gone.
        }
    }
    Some(tones)
}

/// Waits until each of `who` hears exactly the others of them that `speak`.
fn until_heard(lines: &mut Lines, what: &str, who: &[&Clerk], speak: &[&Clerk], all: &[&Clerk]) {
    lines.until(what, PATIENCE, |lines| {
        who.iter().all(|clerk| {
            let others = speak.iter().filter(|other| other.hz != clerk.hz).map(|other| other.hz).collect();
            heard(lines, clerk, all) == Some(others)
        })
    });
}

#[test]
fn five_in_a_room_hear_one_another_and_not_themselves_nor_another_room() {
    let engine = Engine::start("meeting", "2021-09-01T09:00:00+08:00");
    let mut lines = Lines::new();
    let seats = [("1001", 500), ("1002", 700), ("1003", 900), ("1004", 1_100), ("1005", 1_300)];
    let clerks = seats.map(|(seat, hz)| sits_down(&mut lines, &engine, seat, hz));
    let elsewhere = sits_down(&mut lines, &engine, "1006", 1_500);
    let neighbour = sits_down(&mut lines, &engine, "1007", 1_700);
    let [a, b, c, d, e] = &clerks;
    let all = [a, b, c, d, e, &elsewhere, &neighbour];

    for (clerk, room) in
        [(a, ROOM), (&elsewhere, OTHER_ROOM), (b, ROOM), (c, ROOM), (&neighbour, OTHER_ROOM), (d, ROOM)]
    {
        joins(&mut lines, clerk, room);
    }
    until_heard(&mut lines, "four in a room", &[a, b, c, d], &[a, b, c, d], &all);
    let two = [&elsewhere, &neighbour];
    until_heard(&mut lines, "two in another room", &two, &two, &all);

    joins(&mut lines, e, ROOM);
    let five = [a, b, c, d, e];
    until_heard(&mut lines, "one who comes late", &five, &five, &all);

    lines.order(c.line, |phone, now| phone.press("*6", now));
    until_heard(&mut lines, "one who is muted", &five, &[a, b, d, e], &all);
    lines.order(c.line, |phone, now| phone.press("*6", now));
    until_heard(&mut lines, "and speaks again", &five, &five, &all);

    lines.order(d.line, Phone::hold);
    until_heard(&mut lines, "one who holds is not heard", &[a, b, c, e], &[a, b, c, e], &all);
    let before = lines.phone(d.line).heard().len();
    lines.run_for(Duration::from_millis(500));
    let meanwhile = &lines.phone(d.line).heard()[before..];
    assert!(
        all.iter().all(|other| listen::tone_level(meanwhile, other.hz.into()) < GONE),
        "one who holds hears something"
    );
    lines.order(d.line, Phone::resume);
    until_heard(&mut lines, "and is back", &five, &five, &all);

    lines.order(b.line, Phone::hang_up);
    let four = [a, c, d, e];
    until_heard(&mut lines, "one who has left", &four, &four, &all);
    until_heard(&mut lines, "the other room all the while", &two, &two, &all);

    joins(&mut lines, b, ROOM);
    until_heard(&mut lines, "and comes again", &five, &five, &all);
}
