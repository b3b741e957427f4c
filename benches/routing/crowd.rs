//! A plan with many numbers and a policy about each of as many callers, and calls to it as carriers send them.

use std::path::Path;

use hotline::io::plan_files;
use hotline::routing::callers::{CallerAct, CallerPolicy};
use hotline::routing::plan::{DialledFrom, Line, Plan, Trunk};
use hotline::routing::rewrite::{Act, Pattern, Rule, Rules};
use hotline::routing::{Dialled, Overrides};

pub const MANY: usize = 100_000;

/// The `n`th number, in its shortest form.
pub fn number(n: usize) -> String {
    (4_000_000 + 13 * n).to_string()
}

/// The `n`th caller, as the plan writes it.
pub fn caller(n: usize) -> String {
    (13_800_000_000 + 17 * n).to_string()
}

/// The shipped plan with so many numbers and policies instead of its own.
pub fn plan(many: usize) -> Plan {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    let mut plan = plan_files::load(&file, &Overrides::default()).plan.expect("the shipped plan is whole");
    let dual = plan.lines["12348"].clone();
    let line = |n| Line { number: number(n).as_str().into(), ..dual.clone() };
    plan.lines = (0..many).map(line).map(|line| (line.number.clone(), line)).collect();
    for n in 0..many {
        let policy = CallerPolicy {
            caller: caller(n),
            act: CallerAct::Behind(10),
            reason: "重复来电".into(),
            approver: "值班主任".into(),
            until: "2099-12-31T16:00:00Z".parse().expect("an instant"),
        };
        plan.callers.policies.insert(&plan.city, &policy.caller.clone(), policy);
    }
    plan
}

/// The carrier's trunk; with a rule for each of `rules` numbers of its own, and some on beginnings.
pub fn carrier(plan: &Plan, rules: usize) -> Trunk {
    let mut trunk = plan.trunks["carrier"].clone();
    let rule =
        |when: String, act| Rule { when: Pattern::parse(&when).expect("a pattern"), length: None, act };
    if rules > 0 {
        let own = (0..rules).map(|n| rule(format!("77{n}"), Act::Become(number(n))));
        let shape = |strip, add: &str| Act::Shape { strip, add: add.into() };
        let begun = [("99*", shape(2, "")), ("0086*", shape(4, "+86")), ("8639*", shape(0, "+"))];
        let begun = begun.map(|(when, act)| rule(when.into(), act));
        trunk.rewrite.called_inward = Rules::new(own.chain(begun).collect());
        trunk.rewrite.caller_inward = Rules::new(vec![rule("9*".into(), shape(1, ""))]);
    }
    trunk
}

/// What an INVITE to the `n`th number says was dialled, in one of the forms that carriers send.
pub fn dialled(n: usize) -> Dialled {
    let number = number(n);
    let uri = match n % 6 {
        0 => format!("sip:{number}@198.51.100.20:5060"),
        1 => format!("sip:0393{number}@198.51.100.20;user=phone"),
        2 => format!("sip:+86393{number}@198.51.100.20;user=phone"),
        3 => format!("sip:0086393{number}@198.51.100.20"),
        4 => format!("tel:+86-393-{number}"),
        _ => format!("tel:{number};phone-context=+86393"),
    };
    Dialled(vec![(DialledFrom::RequestUri, uri.clone()), (DialledFrom::To, uri)])
}

/// The `n`th caller, in one of the forms that carriers send.
pub fn calling(n: usize) -> String {
    let caller = caller(n);
    match n % 4 {
        0 => caller,
        1 => format!("+86{caller}"),
        2 => format!("0{caller}"),
        _ => format!("0086{caller}"),
    }
}
