//! A dual number whose department keeps its seats (the notice, 三(一)2).

use std::time::Duration;

use hotline::routing::Plan;
use hotline::routing::plan::{LineMode, Step};
use hotline::routing::reach::Reached;
use hotline::time::Timestamp;

use super::super::base::{Edit, Files, codes};
use super::line;

const OF_LAW: &str = "mode = \"dual\"\nqueue = \"main\"\nexpert_seats = true\nskills = [\"law\"]";

/// Nothing tells its callers of the recording before the department picks up.
const UNTOLD: &[&str] = &["W0120"];

fn retained(more: &'static str, warnings: &[&str]) -> Plan {
    let files = Files::with(&[Edit::Plan(OF_LAW, more)]);
    let outcome = files.judge();
    assert_eq!(codes(&outcome.report), warnings, "{}", outcome.report.render(false));
    outcome.plan.expect("a plan")
}

#[test]
fn its_callers_are_put_through_to_the_department_and_come_to_12345_where_nobody_answers() {
    let plan = retained(
        "mode = \"dual\"\nqueue = \"main\"\nseats = \"retained\"\ntrunk = \"tax\"\ndial = \"4416688\"",
        UNTOLD,
    );
    let line = line(&plan, "12348");
    let LineMode::Retained { peer, queue } = &line.mode else { panic!("{:?}", line.mode) };
    assert_eq!(
        (peer.number.as_str(), peer.ring, queue.as_str()),
        ("4416688", Duration::from_secs(25), "main")
    );
    let at: Timestamp = "2026-07-01T09:00:00+08:00".parse().expect("an instant");
    let steps = plan.flow(line, at).steps;
    let dial = Step::Dial { peer: peer.clone(), ticket_on_failure: false, failure_prompt: None };
    let play = |prompt: &str| Step::Play(prompt.into());
    let expected =
        [Step::Ring, dial, Step::Answer, play("transfer_wait"), play("greeting"), Step::Queue("main".into())];
    assert_eq!(steps[..6], expected);
    assert!(matches!(steps[6..], [Step::Survey, Step::Ticket { .. }]), "{:?}", &steps[6..]);
    assert!(plan.flow(line, at).record, "the same standard");
    assert!(
        matches!(plan.reach("12348"), Some(Reached::Peer(reached)) if reached == *peer),
        "clerks ask it in"
    );
    let year = plan.year(line);
    assert!(year.is_whole() && year.hours() == 8_784);
    let readiness = plan.readiness(at);
    let row = readiness.iter().find(|row| row.number == "12348").expect("a row");
    assert_eq!(
        (row.mode.zh.as_str(), row.mode.en.as_str()),
        ("双号并行（保留座席）", "dual, seats retained")
    );
    assert_eq!(row.treatment.en, "to the department's seats, else as 12345");
    assert_eq!(row.proof.as_ref().map(|proof| (proof.reached, proof.hours)), Some((8_784, 8_784)));
}

#[test]
fn outside_of_its_hours_its_callers_go_to_12345_at_once() {
    let plan = retained(
        "mode = \"dual\"\nqueue = \"main\"\nseats = \"retained\"\ntrunk = \"tax\"\nhours = [{ days = \"mon-fri\", from = \"08:00\", to = \"18:00\" }]",
        UNTOLD,
    );
    let line = line(&plan, "12348");
    let dials = |at: &str| {
        let at: Timestamp = at.parse().expect("an instant");
        plan.flow(line, at).steps.iter().any(|step| matches!(step, Step::Dial { .. }))
    };
    assert!(dials("2026-07-01T09:00:00+08:00") && !dials("2026-07-01T18:00:00+08:00"));
    assert!(plan.year(line).is_whole(), "hours never close a line");
}

#[test]
fn seats_that_are_merged_are_as_where_nothing_is_said() {
    let plan = retained("mode = \"dual\"\nseats = \"merged\"\nqueue = \"main\"\nskills = [\"law\"]", &[]);
    assert!(matches!(line(&plan, "12348").mode, LineMode::Dual { .. }));
}

#[test]
fn a_cancelled_number_comes_back_by_decision_only_and_the_plan_says_whose() {
    let files = Files::with(&[
        Edit::Plan(
            "mode = \"merged\"",
            "mode = \"dual\"\nrestored = { reason = \"群众来电多\", approver = \"市政府办公室\", date = 2026-06-01 }",
        ),
        Edit::Plan(
            "[transition]\nstart = 2021-08-01\nmonths = 3\nprompt = \"transition\"\nearly_media = false\nafterwards = \"connect\"\n",
            "",
        ),
    ]);
    let outcome = files.judge();
    assert_eq!(codes(&outcome.report), [""; 0], "{}", outcome.report.render(false));
    let plan = outcome.plan.expect("a plan");
    let restored = line(&plan, "12336").restored.as_ref().expect("a decision");
    assert_eq!(
        (restored.approver.as_str(), restored.date.to_string()),
        ("市政府办公室", "2026-06-01".to_owned())
    );
    assert!(line(&plan, "12345").restored.is_none());
}
