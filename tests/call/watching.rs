//! Listening to a call, from both sides: who listens, and who is heard.

use hotline::call::{Beside, Command, Ending, Input, Wish, conference_of};
use hotline::id::{CallId, Dice, LegId};
use hotline::media::Order;
use hotline::media::order::{Audience, Group, Rights};
use hotline::routing::people::Role;
use hotline::routing::plan::{Flow, Plan, Step};
use hotline::routing::watching::Watching;
use hotline::sip::sdp::Direction;

use super::caller::{Caller, Dialling, sdp, secs};

const UNHEARD: Rights = Rights { hears: true, heard_by: Audience::Nobody };
const DEAF: Rights = Rights { hears: false, heard_by: Audience::Nobody };

/// Somebody whose call listens, and has been answered.
fn watcher(role: Role) -> Caller {
    let flow = Flow { line: "*9".into(), steps: vec![Step::Answer, Step::Watch { role }], record: false };
    let mut caller = Dialling { flow: Some(flow), ..Dialling::to("12345") }.go();
    let said = ["200", "told answered", "open 0", "loop 0: watch_waiting", "can listen"];
    assert_eq!(caller.recorded(), said);
    assert_eq!(caller.call.state(), "watching");
    caller
}

/// Another call with its clerk.
fn other(seed: u64) -> Beside {
    let call = CallId::draw(1_630_458_000_000, &mut Dice::seeded(seed));
    Beside { call, clerk: LegId { call, index: 1 }, of: Role::Clerk, how: Watching::Listen }
}

/// Rights that were ordered since the beginning.
fn ordered(caller: &Caller) -> Vec<Rights> {
    let joined = |command: &Command| match command {
        Command::Sound(Order::Join { rights, .. }) => Some(*rights),
        _ => None,
    };
    caller.all.iter().filter_map(joined).collect()
}

fn last_join(caller: &Caller) -> &Order {
    let sounds = caller.all.iter().rev().filter_map(|command| match command {
        Command::Sound(order @ Order::Join { .. }) => Some(order),
        _ => None,
    });
    sounds.into_iter().next().expect("it has joined")
}

#[test]
fn who_listens_joins_the_other_calls_conference_unheard_and_goes_from_one_to_the_next() {
    let mut caller = watcher(Role::Supervisor);
    let (first, second) = (other(5), other(6));
    let joined = |at: &Beside| {
        let name = conference_of(at.call).0;
        format!("join 0 to {name} with {UNHEARD:?}")
    };
    let said = caller.tell(Input::Beside { beside: Some(first) });
    assert_eq!(said, ["move 0", &joined(&first), "listens as Listen"]);
    let group = Group::of_call(first.call);
    assert!(caller.all.contains(&Command::Sound(Order::Move { leg: caller.leg(0), group })));
    let said = caller.tell(Input::Beside { beside: Some(second) });
    assert_eq!(said, ["listens no more", "move 0", &joined(&second), "listens as Listen"]);
    let said = caller.tell(Input::Beside { beside: None });
    assert_eq!(said, ["listens no more", "leave 0", "loop 0: watch_waiting"]);
    let said = caller.tell(Input::Beside { beside: Some(second) });
    assert_eq!(said, [&joined(&second)[..], "listens as Listen"], "the same group as before");
}

#[test]
fn no_conference_of_a_call_has_a_rooms_number() {
    let mut dice = Dice::seeded(1);
    let ids: Vec<u64> = (0..1_000).map(|n| conference_of(CallId::draw(n, &mut dice)).0).collect();
    assert!(ids.iter().all(|id| *id > 99_999_999_999));
    let mut other = ids.clone();
    other.sort_unstable();
    other.dedup();
    assert_eq!(other.len(), ids.len());
}

#[test]
fn a_supervisors_keys_listen_whisper_and_barge_and_each_call_begins_unheard() {
    let mut caller = watcher(Role::Supervisor);
    for key in ['1', '2', '3', '4', '*'] {
        assert_eq!(caller.presses(key), [format!("told digit {key}")], "there is nobody");
    }
    let at = other(5);
    caller.tell(Input::Beside { beside: Some(at) });
    for (key, how, heard_by) in [
        ('2', "Whisper", Audience::Only(at.clerk)),
        ('3', "Barge", Audience::Everyone),
        ('1', "Listen", Audience::Nobody),
        ('3', "Barge", Audience::Everyone),
    ] {
        let said = caller.presses(key).to_vec();
        assert_eq!((said.len(), &*said[2]), (3, &*format!("listens as {how}")), "{said:?}");
        let rights = Rights { hears: true, heard_by };
        let wanted = Order::Join { leg: caller.leg(0), conference: conference_of(at.call), rights };
        assert_eq!(*last_join(&caller), wanted);
        assert_eq!(caller.presses(key), [format!("told digit {key}")], "it is so already");
        assert_eq!(caller.presses('7'), ["told digit 7"]);
    }
    caller.tell(Input::Beside { beside: Some(other(6)) });
    assert_eq!(ordered(&caller).last(), Some(&UNHEARD), "nobody barges in by what was pressed before");
}

#[test]
fn what_a_role_may_not_its_keys_do_not() {
    for (role, of, hears) in [
        (Role::Observer, Role::Leader, true),
        (Role::Trainee, Role::Clerk, true),
        (Role::Trainee, Role::Expert, false),
        (Role::Clerk, Role::Clerk, false),
    ] {
        let mut caller = watcher(role);
        caller.tell(Input::Beside { beside: Some(Beside { of, ..other(5) }) });
        for key in ['1', '2', '3', '4'] {
            assert_eq!(caller.presses(key), [format!("told digit {key}")], "{role:?}");
        }
        for how in [Watching::Whisper, Watching::Barge] {
            assert_eq!(caller.tell(Input::WatchAs { how }), [""; 0], "{role:?}");
            caller.tell(Input::Beside { beside: Some(Beside { how, of, ..other(6) }) });
        }
        assert_eq!(ordered(&caller), vec![UNHEARD; usize::from(hears)], "{role:?}");
        assert_eq!(caller.call.state(), "watching");
    }
}

#[test]
fn by_request_a_call_begins_as_whisper() {
    let mut caller = watcher(Role::Supervisor);
    let at = Beside { how: Watching::Whisper, ..other(5) };
    let said = caller.tell(Input::Beside { beside: Some(at) }).to_vec();
    assert_eq!(said.last().map(String::as_str), Some("listens as Whisper"));
    assert_eq!(ordered(&caller), [Rights { hears: true, heard_by: Audience::Only(at.clerk) }]);
    let said = caller.tell(Input::WatchAs { how: Watching::Listen });
    assert_eq!(said.last().map(String::as_str), Some("listens as Listen"));
}

#[test]
fn whoever_holds_is_heard_by_nobody_and_as_before_after_it() {
    let mut caller = watcher(Role::Supervisor);
    caller.reinvites(0, Some(sdp(4_000, Some(Direction::SendOnly))));
    caller.tell(Input::Beside { beside: Some(other(5)) });
    assert_eq!(ordered(&caller), [DEAF]);
    caller.reinvites(0, Some(sdp(4_000, None)));
    caller.presses('3');
    caller.reinvites(0, Some(sdp(4_000, Some(Direction::SendOnly))));
    caller.reinvites(0, Some(sdp(4_000, None)));
    assert_eq!(ordered(&caller), [DEAF, UNHEARD, Rights::FULL, DEAF, Rights::FULL]);
}

#[test]
fn four_ends_the_call_that_listens_so_that_the_seat_is_free() {
    let mut caller = watcher(Role::Supervisor);
    caller.tell(Input::Beside { beside: Some(other(5)) });
    let said = caller.presses('4');
    assert_eq!(said, ["told digit 4", "takes it over", "listens no more", "hang up 0", "close 0"]);
    assert_eq!(caller.sound_closed(), [format!("told closed {:?}", Ending::Completed), "over".into()]);
}

#[test]
fn whoever_listens_and_is_gone_says_so_in_every_way() {
    for vanished in [false, true] {
        let mut caller = watcher(Role::Supervisor);
        caller.tell(Input::Beside { beside: Some(other(5)) });
        let leg = caller.leg(0);
        let said = caller.tell(Input::Ended { leg, vanished }).to_vec();
        assert_eq!(said.first().map(String::as_str), Some("listens no more"));
        assert_eq!(said.last().map(String::as_str), Some("close 0"));
        assert_eq!(caller.tell(Input::Beside { beside: Some(other(6)) }), [""; 0]);
    }
    let mut caller = watcher(Role::Supervisor);
    let leg = caller.leg(0);
    caller.tell(Input::Silent { leg });
    assert_eq!(caller.wait(secs(4)), ["hang up 0", "close 0"], "asked, and no answer");
}

fn in_conference(legs: &[u16]) -> Vec<String> {
    legs.iter().map(|leg| format!("confer {leg}")).collect()
}

#[test]
fn two_who_talk_are_a_conference_while_somebody_listens_and_a_bridge_again_after() {
    let mut caller = Caller::talking("12345");
    let joined = in_conference(&[0, 1]);
    assert_eq!(caller.call.leg_of_clerk(&"1001".into()), Some(caller.leg(1)));
    assert_eq!(caller.call.clerk().map(ToString::to_string).as_deref(), Some("1001"));
    assert_eq!(caller.call.leg_of_clerk(&"1002".into()), None);
    assert_eq!(caller.tell(Input::Watched { watched: true }), joined);
    assert_eq!(caller.tell(Input::Watched { watched: true }), [""; 0]);
    assert_eq!(caller.tell(Input::Watched { watched: false }), ["bridge 0 and 1"]);
    assert_eq!(caller.tell(Input::Watched { watched: false }), [""; 0]);
    assert_eq!(caller.call.state(), "talking");
}

#[test]
fn who_begins_to_listen_before_they_talk_has_them_in_the_conference_from_the_first_word_on() {
    let mut caller = Caller::queued("12345");
    assert_eq!(caller.call.clerk(), None);
    assert_eq!(caller.tell(Input::Watched { watched: true }), [""; 0], "nobody talks yet");
    caller.rings("1001");
    assert_eq!(caller.call.clerk(), None);
    caller.answers(1);
    assert!(caller.call.clerk().is_some());
    caller.heard_out(0);
    let joined = in_conference(&[0, 1]);
    assert_eq!(caller.heard_out(1), joined);
}

#[test]
fn a_hold_while_somebody_listens_comes_back_to_the_conference() {
    let mut caller = Caller::talking("12345");
    caller.tell(Input::Watched { watched: true });
    let joined = in_conference(&[0, 1]);
    let held = caller.reinvites(1, Some(sdp(5_002, Some(Direction::SendOnly)))).to_vec();
    assert_eq!(held[2..], ["told leg 1 holds", "loop 0: hold_music", "leave 1"]);
    assert_eq!(caller.tell(Input::Watched { watched: false }), [""; 0], "the music goes on");
    assert_eq!(caller.tell(Input::Watched { watched: true }), [""; 0]);
    let back = caller.reinvites(1, Some(sdp(5_002, None))).to_vec();
    assert_eq!(back[2], "told leg 1 is back");
    assert_eq!(back[3..], joined);
}

#[test]
fn a_listener_neither_keeps_a_call_alive_nor_is_there_any_trace_of_one_after_it() {
    let mut caller = Caller::talking("12345");
    caller.tell(Input::Watched { watched: true });
    let said = caller.hangs_up(1).to_vec();
    assert_eq!(said[..2], ["hang up 1", "close 1"]);
    assert_eq!(caller.call.clerk(), None);
    assert_eq!(caller.tell(Input::Watched { watched: false }), [""; 0], "the survey goes on");
    let said = caller.hangs_up(0).to_vec();
    assert_eq!(said, ["stop recording", "close 0"]);
    assert_eq!(caller.tell(Input::Watched { watched: true }), [""; 0]);
}

fn told_of_observers(plan: &mut Plan) {
    plan.work.observer_prompt = Some("transfer_wait".into());
}

fn talking_with_notice() -> Caller {
    talking_with(told_of_observers)
}

fn talking_with(decided: fn(&mut Plan)) -> Caller {
    let mut caller = Dialling::to("12345").with(decided).go().waits_its_turn();
    caller.rings("1001");
    caller.answers(1);
    caller.heard_out(0);
    caller.heard_out(1);
    caller
}

const NOTICE: [&str; 3] = ["told announced transfer_wait", "play 0: transfer_wait", "play 1: transfer_wait"];

#[test]
fn an_observer_may_hear_at_once_where_the_plan_wants_no_notice() {
    let mut caller = talking_with(|plan| plan.work.observer_prompt = None);
    assert_eq!(caller.tell(Input::Observed), ["observers may hear"]);
}

#[test]
fn caller_and_clerk_are_told_once_before_the_first_observer_hears_them() {
    let mut caller = talking_with_notice();
    assert_eq!(caller.tell(Input::Observed), NOTICE);
    assert_eq!(caller.tell(Input::Observed), [""; 0]);
    assert_eq!(caller.tell(Input::Watched { watched: true }), [""; 0], "a supervisor waits for its end, too");
    assert_eq!(caller.heard_out(0), ["confer 0"]);
    assert_eq!(caller.heard_out(1), ["observers may hear", "confer 1"]);
    assert_eq!(caller.tell(Input::Observed), ["observers may hear"], "once is enough");
    assert_eq!(caller.wait(secs(60)), [""; 0]);
}

#[test]
fn a_notice_without_other_listeners_ends_in_the_bridge_that_was_before() {
    let mut caller = talking_with_notice();
    caller.tell(Input::Observed);
    caller.heard_out(1);
    assert_eq!(caller.heard_out(0), ["observers may hear", "bridge 0 and 1"]);
    // And where the engine never says that it is through.
    let mut caller = talking_with_notice();
    caller.tell(Input::Observed);
    assert_eq!(caller.wait(secs(30)), ["observers may hear", "bridge 0 and 1"]);
}

#[test]
fn a_notice_waits_for_both_to_be_there_and_is_given_anew_where_it_was_broken_off() {
    let mut caller = talking_with_notice();
    caller.reinvites(1, Some(sdp(5_002, Some(Direction::SendOnly))));
    assert_eq!(caller.tell(Input::Observed), [""; 0]);
    assert_eq!(caller.wait(secs(20)), [""; 0]);
    caller.reinvites(1, Some(sdp(5_002, None)));
    assert_eq!(caller.wait(secs(5)), NOTICE);
    caller.reinvites(1, Some(sdp(5_002, Some(Direction::SendOnly))));
    assert_eq!(caller.wait(secs(40)), [""; 0], "on hold nobody hears it");
    let back = caller.reinvites(1, Some(sdp(5_002, None))).to_vec();
    assert_eq!(back.last().map(String::as_str), Some("bridge 0 and 1"));
    assert_eq!(caller.wait(secs(5)), NOTICE);
    caller.heard_out(0);
    assert_eq!(caller.heard_out(1)[0], "observers may hear");
}

#[test]
fn a_notice_to_a_clerk_who_leaves_is_given_again_with_the_next() {
    let mut caller = talking_with_notice();
    caller.tell(Input::Observed);
    caller.vanishes(1);
    assert_eq!(caller.call.state(), "waiting");
    caller.rings("1002");
    caller.answers(2);
    caller.heard_out(0);
    let said = caller.heard_out(2).to_vec();
    assert_eq!(said[0], "bridge 0 and 2");
    assert_eq!(said[2..], ["play 0: transfer_wait", "play 2: transfer_wait"]);
    caller.heard_out(0);
    assert_eq!(caller.heard_out(2), ["observers may hear", "bridge 0 and 2"]);
}

/// Whoever is asked in after the notice was given hears it, too, before an observer hears a word of theirs;
/// those who know are not told again.
#[test]
fn a_third_party_who_joins_later_is_told_before_an_observer_hears_it() {
    for (to, seat) in [("12366", None), ("12348", Some("1006"))] {
        let mut caller = talking_with(|plan| {
            super::three_way::city(plan);
            told_of_observers(plan);
        });
        caller.tell(Input::Observed);
        caller.heard_out(0);
        caller.heard_out(1);
        caller.tell(Input::Watched { watched: true });
        let said = caller.wishes(super::three_way::consult(to)).unwrap().to_vec();
        assert!(!said.contains(&"observers may not hear".to_owned()), "nobody is there yet: {said:?}");
        if let Some(seat) = seat {
            caller.rings(seat);
        }
        let said = caller.answers(2).to_vec();
        let out = said.iter().position(|said| said == "observers may not hear").expect("they are out");
        let in_it = said.iter().position(|said| said == "confer 2").expect("it is in the conference");
        assert!(out < in_it, "before a word is said: {said:?}");
        assert_eq!(caller.tell(Input::Observed), ["play 2: transfer_wait"], "and nobody else");
        assert_eq!(caller.heard_out(2), ["observers may hear", "confer 2"]);
        let said = caller.wishes(Wish::Merge).unwrap().to_vec();
        assert!(!said.iter().any(|said| said.contains("observers") || said.starts_with("play")), "{said:?}");
        let said = caller.wishes(Wish::Leave).unwrap().to_vec();
        assert!(!said.iter().any(|said| said.contains("observers") || said.starts_with("play")), "{said:?}");
    }
}

/// Where nobody was told anything yet, all are told at once; one who joins while others are being told is
/// told behind them.
#[test]
fn who_joins_while_the_notice_is_given_is_told_behind_it() {
    let mut caller = talking_with(|plan| {
        super::three_way::city(plan);
        told_of_observers(plan);
    });
    caller.wishes(super::three_way::consult("12366")).unwrap();
    caller.answers(2);
    caller.wishes(Wish::Merge).unwrap();
    let all = [
        "told announced transfer_wait",
        "play 0: transfer_wait",
        "play 1: transfer_wait",
        "play 2: transfer_wait",
    ];
    assert_eq!(caller.tell(Input::Observed), all);
    caller.heard_out(0);
    caller.heard_out(1);
    assert_eq!(caller.heard_out(2)[0], "observers may hear");

    let mut caller = talking_with(|plan| {
        super::three_way::city(plan);
        told_of_observers(plan);
    });
    caller.wishes(super::three_way::consult("12366")).unwrap();
    assert_eq!(caller.tell(Input::Observed), [""; 0], "nobody talks");
    let said = caller.answers(2).to_vec();
    let told: Vec<&String> = said.iter().filter(|said| said.starts_with("play")).collect();
    assert_eq!(told, ["play 1: transfer_wait", "play 2: transfer_wait"], "{said:?}");
    caller.wishes(Wish::Merge).unwrap();
    caller.heard_out(1);
    let said = caller.heard_out(2).to_vec();
    assert!(said.contains(&"play 0: transfer_wait".to_owned()), "the caller has joined them: {said:?}");
    assert!(!said.contains(&"observers may hear".to_owned()), "{said:?}");
    assert_eq!(caller.heard_out(0)[0], "observers may hear");
}

/// A clerk who has called somebody back is heard like any other.
#[test]
fn a_clerk_on_the_first_leg_is_one_whom_whispers_are_for() {
    let mut caller = super::outward::click().go();
    caller.recorded();
    caller.answers(0);
    assert_eq!(caller.call.leg_of_clerk(&"1001".into()), None, "nobody is there");
    caller.answers(1);
    assert_eq!(caller.call.leg_of_clerk(&"1001".into()), Some(caller.leg(0)));
    let joined = in_conference(&[0, 1]);
    assert_eq!(caller.tell(Input::Watched { watched: true }), joined);
    caller.wishes(Wish::Hold).unwrap();
    caller.wishes(Wish::Resume).unwrap();
    assert_eq!(caller.call.leg_of_clerk(&"1001".into()), Some(caller.leg(0)), "turned round, too");
    assert_eq!(caller.call.leg_of_clerk(&"1002".into()), None);
}
