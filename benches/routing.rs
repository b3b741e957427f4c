//! What it takes to know which line was dialled and what policy there is about the caller, among 100,000 of each: from
//! the text of the headers, in all the forms that carriers write numbers in, to both.
//!
//! Against maps in order, one look for each form of a number, as it was done before, and against asking each entry.
//! What is found is asserted before it is timed.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use hotline::routing::Dialled;
use hotline::routing::callers::CallerPolicy;
use hotline::routing::plan::{Line, Plan, Trunk};
use hotline::time::Timestamp;

#[path = "routing/crowd.rs"]
mod crowd;

use crowd::{MANY, calling, carrier, dialled, plan};

/// Calls that come one after the other, so that none finds what it asks for still at hand.
const CALLS: usize = 16_384;

type Call = (Dialled, String);

/// Of the numbers and callers from `first` on, in no order.
fn calls(first: usize) -> Vec<Call> {
    let mix = |n: usize, by: usize| first + n * by % MANY;
    (0..CALLS).map(|n| (dialled(mix(n, 48_271)), calling(mix(n, 69_621)))).collect()
}

/// As the switchboard asks: the line, the caller as we write it, the policy.
fn look_up<'a>(plan: &'a Plan, trunk: &Trunk, (dialled, from): &'a Call) -> (bool, Option<&'a CallerPolicy>) {
    let found = plan.find_line(trunk, dialled, Timestamp::UNIX_EPOCH);
    let caller = trunk.rewrite.caller_inward.apply(from);
    (found.is_some(), plan.policy_of(&caller))
}

/// Both in maps that are in order, by text.
struct InOrder<'a> {
    plan: &'a Plan,
    lines: BTreeMap<String, &'a Line>,
    policies: BTreeMap<String, &'a CallerPolicy>,
}

impl<'a> InOrder<'a> {
    fn of(plan: &'a Plan) -> Self {
        let lines = plan.lines.values().map(|line| (line.number.to_string(), line)).collect();
        let policies = plan.callers.policies.values();
        InOrder { plan, lines, policies: policies.map(|policy| (policy.caller.clone(), policy)).collect() }
    }

    fn look_up(&self, (dialled, from): &Call) -> (bool, Option<&'a CallerPolicy>) {
        let line = dialled.0.iter().find_map(|(_, value)| {
            let number = self.plan.city.normalise(value)?;
            let emergency = self.plan.emergency.contains_key(&number);
            self.lines.get(number.as_str()).filter(|_| !emergency)
        });
        let forms = self.plan.city.caller_forms(from);
        (line.is_some(), forms.iter().find_map(|form| self.policies.get(form.as_ref()).copied()))
    }

    /// The same by asking each.
    fn ask_each(&self, (dialled, from): &Call) -> (bool, Option<&'a CallerPolicy>) {
        let number = dialled.0.first().and_then(|(_, value)| self.plan.city.normalise(value));
        let line = self.plan.lines.values().find(|line| Some(&line.number) == number.as_ref());
        let forms = self.plan.city.caller_forms(from);
        let policy = self.policies.values().find(|policy| forms.iter().any(|form| *form == policy.caller));
        (line.is_some(), policy.copied())
    }
}

fn routing(c: &mut Criterion) {
    let plan = plan(MANY);
    let in_order = InOrder::of(&plan);
    let (plain, ruled) = (carrier(&plan, 0), carrier(&plan, 500));
    let (hits, misses) = (calls(0), calls(MANY));
    for (calls, there) in [(&hits, true), (&misses, false)] {
        for call in calls {
            let found = look_up(&plan, &plain, call);
            assert_eq!((found.0, found.1.is_some()), (there, there), "{call:?}");
            assert_eq!((look_up(&plan, &ruled, call), in_order.look_up(call)), (found, found), "{call:?}");
        }
        assert_eq!(in_order.ask_each(&calls[7]), look_up(&plan, &plain, &calls[7]));
    }

    let mut group = c.benchmark_group("line and policy among 100,000");
    for (what, calls) in [("there", &hits), ("not there", &misses)] {
        let mut timed = |how: &str, look: &dyn Fn(&Call) -> (bool, Option<*const CallerPolicy>)| {
            group.bench_function(format!("{what}, {how}"), |b| {
                b.iter_custom(|times| one_after_the_other(calls, times, look));
            });
        };
        let seen = |found: (bool, Option<&CallerPolicy>)| (found.0, found.1.map(std::ptr::from_ref));
        timed("by the plan", &|call| seen(look_up(&plan, &plain, call)));
        timed("by the plan and 504 rules of the trunk", &|call| seen(look_up(&plan, &ruled, call)));
        timed("by maps in order", &|call| seen(in_order.look_up(call)));
        timed("by asking each", &|call| seen(in_order.ask_each(call)));
    }
    group.finish();

    let mut group = c.benchmark_group("a policy about one caller more");
    let mut policies = plan.callers.policies.clone();
    let policy = policies.values().next().expect("a policy").clone();
    let mut place = 0;
    group.bench_function("put there", |b| {
        b.iter(|| {
            // Of 8,192 callers: the first time each is new, then what was known is replaced.
            place = (place + 1) % 8_192;
            policies.insert(&plan.city, &hits[place].1, black_box(policy.clone()));
        });
    });
    group.finish();
}

/// How long `times` look-ups take.
fn one_after_the_other<T>(calls: &[Call], times: u64, look: &dyn Fn(&Call) -> T) -> Duration {
    let calls = calls.iter().cycle();
    let begun = Instant::now();
    for call in calls.take(usize::try_from(times).expect("a count")) {
        black_box(look(black_box(call)));
    }
    begun.elapsed()
}

criterion_group!(benches, routing);
criterion_main!(benches);
