//! What knowing a call costs in memory, among many numbers and policies: an allocator that counts.

#[path = "counting/mod.rs"]
mod counting;
#[allow(dead_code)] // Few are enough here.
#[path = "../benches/routing/crowd.rs"]
mod crowd;

use counting::counted;
use crowd::{calling, carrier, dialled, plan};
use hotline::routing::Dialled;
use hotline::time::Timestamp;

const SOME: usize = 500;

#[test]
fn a_line_and_a_policy_are_found_without_asking_for_memory_in_every_form_and_by_every_rule() {
    let plan = plan(SOME);
    for rules in [0, 40] {
        let trunk = carrier(&plan, rules);
        for n in 0..2 * SOME {
            let (dialled, from) = (dialled(n), calling(n));
            let (found, cost) = counted(|| {
                let caller = trunk.rewrite.caller_inward.apply(&from);
                let line = plan.find_line(&trunk, &dialled, Timestamp::UNIX_EPOCH).is_some();
                (line, plan.policy_of(&caller).is_some())
            });
            assert_eq!((found, cost), ((n < SOME, n < SOME), 0), "{dialled:?} from {from}, {rules} rules");
        }
    }
}

#[test]
fn a_trunks_own_forms_are_put_into_ours_without_asking_for_memory() {
    let plan = plan(SOME);
    let trunk = carrier(&plan, 40);
    for (came, expected) in [
        ("sip:7739@h", Some(crowd::number(39))),
        ("sip:7740@h", None),
        ("sip:994000013@h", Some(crowd::number(1))),
        ("tel:86-393-4000026", Some(crowd::number(2))),
        ("sip:00863934000039@h", Some(crowd::number(3))),
        ("sip:99@h", None),
        ("sip:anonymous@h", None),
        (&format!("sip:{}@h", "9".repeat(80)), None),
    ] {
        let dialled = Dialled::request_uri(came);
        let (found, cost) = counted(|| plan.find_line(&trunk, &dialled, Timestamp::UNIX_EPOCH));
        assert_eq!(found.map(|found| found.line.number.to_string()), expected, "{came}");
        assert_eq!(cost, 0, "{came}");
    }
}
