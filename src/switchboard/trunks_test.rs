//! Trunks on their way from the plan to signalling, and what was found behind their names.

use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::routing::Overrides;
use crate::routing::plan::{Account, Member, SecretRef, TrunkGroup};
use crate::routing::rewrite::{Act, Pattern, Rule, Rules};
use crate::sip::event::Target;
use crate::switchboard::{Input, Setup, Switchboard};
use crate::time::{Instant, Now, Timestamp};

const TRUNK: &str = "sub-12366";

fn shipped() -> Plan {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    crate::io::plan_files::load(&file, &Overrides::default()).plan.expect("the shipped plan is whole")
}

/// The shipped plan with the trunk of 12366 at these targets.
fn plan(targets: &[TrunkTarget]) -> Plan {
    let mut plan = shipped();
    plan.trunks.get_mut(TRUNK).expect("a trunk").targets = targets.to_vec();
    plan
}

fn host(name: &str) -> TrunkTarget {
    TrunkTarget { secure: false, host: name.into(), port: None, transport: None }
}

fn at(text: &str) -> TrunkTarget {
    text.parse::<std::net::SocketAddr>().expect("an address").into()
}

fn hop(text: &str) -> Hop {
    Hop {
        transport: Transport::Udp,
        addr: text.parse().expect("an address"),
        name: Some("a.example".into()),
        rank: Default::default(),
    }
}

fn listeners() -> Vec<ListenerConfig> {
    let bind: std::net::SocketAddr = "127.0.0.1:5060".parse().expect("an address");
    vec![ListenerConfig { transport: Transport::Udp, bind, advertise: bind.ip() }]
}

fn now() -> Now {
    Now { mono: Instant::from_millis(1_000), wall: Timestamp::UNIX_EPOCH }
}

fn board(plan: Plan) -> Switchboard {
    let setup = Setup {
        plan: plan.into(),
        accounts: Vec::new(),
        trunk_passwords: TrunkPasswords::new(),
        sounds: Vec::new(),
        listeners: listeners(),
        dice: crate::id::Dice::seeded(1),
        node: "node-1".into(),
        shifted_clock: false,
        last_ticket: None,
        last_house: 0,
    };
    Switchboard::new(setup, now())
}

/// Where a call to 12366 would go.
fn way(board: &Switchboard) -> Option<String> {
    let target = Target::Trunk(routes(board.plan(), &TRUNK.into(), "12366", ""));
    board.sip().way_to(&target).map(|way| way.peer.to_string())
}

fn change(board: &mut Switchboard, plan: Plan) {
    let trunk_passwords = TrunkPasswords::new();
    let plan = Arc::new(plan);
    board.handle_input(
        Input::PlanChanged { plan, accounts: Vec::new(), trunk_passwords, sounds: Vec::new() },
        now(),
    );
}

#[test]
fn hops_that_were_found_outlive_a_new_plan_as_long_as_the_target_is_the_same() {
    let mut board = board(plan(&[host("a.example")]));
    assert_eq!(way(&board), None, "not looked up yet");
    let found = |at: &str| Input::TrunkHops { trunk: TRUNK.into(), hops: vec![hop(at)] };
    board.handle_input(found("127.0.0.1:5070"), now());
    assert_eq!(way(&board).as_deref(), Some("127.0.0.1:5070"));

    let mut other = plan(&[host("a.example")]);
    other.trunks.get_mut(TRUNK).expect("a trunk").calls_max = 7;
    change(&mut board, other);
    assert_eq!(way(&board).as_deref(), Some("127.0.0.1:5070"), "another figure, the same target");

    board.handle_input(found("127.0.0.1:5071"), now());
    assert_eq!(way(&board).as_deref(), Some("127.0.0.1:5071"), "the name has moved");

    change(&mut board, plan(&[host("b.example")]));
    assert_eq!(way(&board), None, "another name, not looked up yet");
    board.handle_input(Input::TrunkHops { trunk: "nobody".into(), hops: vec![hop("127.0.0.1:5070")] }, now());
    change(&mut board, plan(&[at("127.0.0.1:5072")]));
    assert_eq!(way(&board).as_deref(), Some("127.0.0.1:5072"), "an address needs no looking up");
}

#[test]
fn a_trunk_reaches_signalling_with_all_that_the_plan_says_of_it() {
    let mut plan = plan(&[host("a.example"), at("127.0.0.1:5080"), at("[::1]:5080")]);
    let trunk = plan.trunks.get_mut(TRUNK).expect("a trunk");
    trunk.account = Some(Account {
        user: "+8639312345".into(),
        password: SecretRef::Env("P".into()),
        realm: Some("a.example".into()),
    });
    trunk.register = Some(std::time::Duration::from_secs(600));
    trunk.calls_per_second = 20;
    trunk.emergency_center = true;
    let passwords: TrunkPasswords = [(TRUNK.into(), SecretString::from("geheim"))].into();
    let configs = configs(&plan, &listeners(), &passwords, &KnownHops::default());
    let config = configs.iter().find(|config| config.trunk.as_str() == TRUNK).expect("the trunk");
    let addrs: Vec<String> = config.hops.iter().map(|hop| hop.addr.to_string()).collect();
    assert_eq!(addrs, ["127.0.0.1:5080"], "what needs no looking up and a listener can reach");
    assert_eq!(config.domain, "a.example");
    let account = config.account.as_ref().expect("an account");
    assert_eq!((&*account.user, account.realm.as_deref()), ("+8639312345", Some("a.example")));
    assert_eq!(account.password.expose_secret(), "geheim");
    assert!(!format!("{config:?}").contains("geheim"), "never shown");
    assert_eq!(config.register, Some(std::time::Duration::from_secs(600)));
    assert_eq!((config.calls_max, config.calls_per_second), (30, 20));
    assert_eq!((config.probe, config.drill), (None, true));
    let drills: Vec<&str> =
        configs.iter().filter(|config| config.drill).map(|config| config.trunk.as_str()).collect();
    assert_eq!(drills, ["emergency", "sub-12313", "sub-12366", "sub-12367"], "and not the carrier");
    let centers: Vec<&str> =
        configs.iter().filter(|config| config.emergency).map(|config| config.trunk.as_str()).collect();
    assert_eq!(centers, [TRUNK], "its calls are the last to be refused, and no others");
}

#[test]
fn what_the_plan_says_of_extensions_at_a_trunk_reaches_signalling_row_by_row() {
    let secs = std::time::Duration::from_secs;
    let mut plan = shipped();
    for (reliable, provisional) in [
        (Reliability::Supported, Provisional::Supported),
        (Reliability::Required, Provisional::Required),
        (Reliability::Off, Provisional::Unreliable),
    ] {
        for (session_timer, timer) in [(SessionTimer::Supported, true), (SessionTimer::Off, false)] {
            for (session_expires, session_expires_s) in
                [(None, 0), (Some(secs(600)), 600), (Some(secs(u64::MAX)), u32::MAX)]
            {
                let own = &mut plan.trunks.get_mut(TRUNK).expect("a trunk").terms;
                (own.reliable, own.session_timer, own.session_expires) =
                    (reliable, session_timer, session_expires);
                let said = *own;
                let wanted = TrunkTerms { provisional, timer, session_expires_s };
                for config in configs(&plan, &listeners(), &TrunkPasswords::new(), &KnownHops::default()) {
                    let own = config.trunk.as_str() == TRUNK;
                    assert_eq!(config.terms, if own { wanted } else { TrunkTerms::default() }, "{said:?}");
                }
            }
        }
    }
}

#[test]
fn the_session_timer_of_the_plan_reaches_signalling() {
    let mut plan = shipped();
    let config = |plan: &Plan| crate::switchboard::outward::sip_config(plan, &[], Vec::new(), Vec::new());
    assert_eq!(config(&plan).session_expires_s, 1_800);
    plan.network.session_expires = std::time::Duration::from_secs(600);
    assert_eq!(config(&plan).session_expires_s, 600);
}

#[test]
fn a_group_becomes_routes_with_the_numbers_as_each_trunk_wants_them() {
    let mut plan = shipped();
    let rule = |when: &str, add: &str| Rule {
        when: Pattern::parse(when).expect("a pattern"),
        length: None,
        act: Act::Shape { strip: 0, add: add.into() },
    };
    let trunk = plan.trunks.get_mut("sub-12313").expect("a trunk");
    trunk.rewrite.called = Rules::new(vec![rule("123*", "0393")]);
    trunk.rewrite.caller = Rules::new(vec![rule("1*", "+86")]);
    let member = |trunk: &str, priority| Member { trunk: trunk.into(), priority, weight: 5 };
    let members = vec![member("sub-12366", 2), member("sub-12313", 1)];
    plan.groups.insert("both".into(), TrunkGroup { id: "both".into(), members });
    let route = |trunk: &str, user: &str, from_user: &str, priority| Route {
        trunk: trunk.into(),
        user: user.into(),
        from_user: from_user.into(),
        priority,
        weight: 5,
    };
    assert_eq!(
        routes(&plan, &"both".into(), "12366", "13800000000"),
        [route("sub-12313", "039312366", "+8613800000000", 1), route("sub-12366", "12366", "13800000000", 2),]
    );
    assert!(routes(&plan, &"nobody".into(), "12366", "").is_empty());
}
