//! A province in one file: 500 numbers, 200 queues and 2,000 seats.

use std::fmt::Write;

use hotline::routing::proof::hours::LeapYears;

use super::base::{Edit, Files, codes};

const NUMBERS: usize = 500;
const QUEUES: usize = 200;
const SEATS: usize = 2_000;
/// When sub-centers open.
const OPENING: [&str; 5] = ["07:30", "08:00", "08:15", "08:30", "09:00"];

/// The compact plan's tables that are no number, queue or seat, and so many of those.
pub fn province() -> String {
    let base = super::base::PLAN;
    let own =
        |table: &str| ["[[queue]]", "[[seat]]", "[[number]]"].iter().any(|begins| table.starts_with(begins));
    let mut text: String = super::faulty::tables(base).iter().filter(|table| !own(table)).cloned().collect();
    text.insert_str(0, "schema = 1\n");
    for queue in 0..QUEUES {
        let _ = write!(
            text,
            "\n[[queue]]\nname = \"q{queue}\"\ngreeting = \"greeting\"\nmusic = \"hold_music\"\noverflow_prompt = \"no_seat\"\n\
             wrap_up = \"10s\"\nstaffing = {{ calls_per_hour = 20, talk = \"2min\" }}\n"
        );
    }
    for seat in 0..SEATS {
        let (id, queue) = (10_001 + seat, seat % QUEUES);
        let _ = write!(
            text,
            "\n[[seat]]\nid = \"{id}\"\nname = \"座席\"\nskills = [\"general\", \"s{queue}\"]\nqueues = [\"q{queue}\"]\n\
             secret = {{ file = \"secrets/{id}\" }}\n"
        );
    }
    for number in 0..NUMBERS {
        let (shown, queue) = (20_001 + number, number % QUEUES);
        let mode = match number {
            0 => "primary",
            _ if number % 5 == 0 => "sub_center",
            _ if number % 2 == 0 => "merged",
            _ => "dual",
        };
        let _ = write!(
            text,
            "\n[[number]]\nnumber = \"{shown}\"\nname = \"热线\"\nowner = \"市局\"\nmode = \"{mode}\"\nqueue = \"q{queue}\"\n"
        );
        if mode == "sub_center" {
            let from = OPENING[number / 5 % OPENING.len()];
            let _ = writeln!(
                text,
                "trunk = \"tax\"\nhours = [{{ days = \"mon-fri\", from = \"{from}\", to = \"18:00\" }}, {{ days = \"sat\", from = \"09:00\", to = \"12:00\" }}]"
            );
        }
    }
    text
}

#[test]
fn a_province_is_checked_and_proved_like_a_city() {
    let files = Files::of("routing.toml", province(), "prompts/prompts.toml", &[] as &[Edit]);
    let outcome = files.judge();
    let found = codes(&outcome.report);
    // Each sub-center that is not always there is told of once.
    assert_eq!(found.len(), NUMBERS / 5 - 1, "{found:?}");
    assert!(found.iter().all(|code| *code == "W0111"), "{found:?}");
    let plan = outcome.plan.expect("a plan");
    assert_eq!((plan.lines.len(), plan.queues.len(), plan.seats.len()), (NUMBERS, QUEUES, SEATS));
    let at = "2026-07-01T09:00:00+08:00".parse().expect("an instant");
    let readiness = plan.readiness(at);
    assert!(readiness.iter().all(|row| row.proof.as_ref().is_some_and(|proof| proof.reached == 8_784)));
    assert!(plan.staffing().iter().all(|need| need.is_met() && need.there == 10));
}

#[test]
fn of_a_provinces_lines_the_year_of_each_set_of_hours_is_worked_out_once_and_is_what_it_was() {
    let files = Files::of("routing.toml", province(), "prompts/prompts.toml", &[] as &[Edit]);
    let plan = files.judge().plan.expect("a plan");
    let mut years = LeapYears::default();
    for (place, line) in plan.lines.values().enumerate() {
        let found = (plan.year_of(line, &mut years), plan.worst_of(line, &mut years));
        if place % 60 == 0 {
            assert_eq!(found, (plan.year(line), plan.worst(line)), "{}", line.number);
        }
    }
    assert_eq!(years.worked_out(), 1 + OPENING.len(), "those without hours, and one for each shift");
}
