//! Which scenes a plan gives, and what its clerks press.

use super::*;
use crate::io::plan_files;
use crate::routing::Overrides;

fn shipped() -> Plan {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    plan_files::load(&file, &Overrides::default()).plan.unwrap()
}

#[test]
fn the_shipped_plan_has_all_three_and_their_keys_are_found_by_whom_they_ask() {
    let mut plan = shipped();
    let (morning, night) = ("2021-09-01T09:00:00+08:00", "2021-09-01T03:00:00+08:00");
    let of = |plan: &Plan, at: &str| {
        let (scenes, left_out) = scenes(plan, at.parse().unwrap());
        let asked = |scene: &Scene| format!("{} {} {}", scene.line, scene.object.id, scene.steps[1].keys);
        (scenes.iter().map(asked).collect::<Vec<_>>(), left_out.len())
    };
    let all = ["12345 12366 *1", "12348 12348 *4", "12345 12313 *2"].map(str::to_owned);
    assert_eq!(of(&plan, morning), (all.to_vec(), 0));
    let without = vec![all[0].clone(), all[2].clone()];
    assert_eq!(of(&plan, night), (without, 1), "experts sleep");
    plan.three_way.keys.remove(&'1');
    plan.experts.clear();
    let (scenes, left_out) = of(&plan, morning);
    assert_eq!(left_out, 1);
    assert_eq!(scenes, ["12345 12313 *2", "12345 12367 *3"], "keys before numbers");
    plan.three_way.keys.clear();
    assert_eq!(of(&plan, morning).0, ["12345 12313 **12313#", "12345 12366 **12366#"]);
    let others = plan.lines.values().filter(|line| !matches!(line.mode, LineMode::SubCenter { .. }));
    plan.lines = others.map(|line| (line.number.clone(), line.clone())).collect();
    assert_eq!(of(&plan, morning), (Vec::new(), 3));
}

#[test]
fn a_bad_grade_is_followed_by_its_reason_where_the_plan_asks_for_one() {
    let mut plan = shipped();
    for (reason, wanted) in [(false, None), (true, Some(3))] {
        plan.survey.reason = reason;
        let (scenes, _) = scenes(&plan, "2021-09-01T09:00:00+08:00".parse().unwrap());
        let graded: Vec<_> = scenes.iter().map(|scene| (scene.grade, scene.reason)).collect();
        assert_eq!(graded, [(Some(2), None), (Some(4), wanted), (Some(1), None)]);
    }
    plan.survey.enabled = false;
    let (scenes, _) = scenes(&plan, "2021-09-01T09:00:00+08:00".parse().unwrap());
    assert!(scenes.iter().all(|scene| scene.grade.is_none()));
    assert!(scenes.iter().all(|scene| scene.steps.last().unwrap().until == Until::Over));
}
