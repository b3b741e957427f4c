//! A caller in every state that a call can be in, for rules that hold in all of them.

use hotline::call::{Input, Wish};
use hotline::routing::plan::{Flow, Plan, Step};

use super::caller::{Caller, Dialling, sdp};

/// A caller and the words for where the call stands.
pub type Standing = (&'static str, Caller);

fn early(plan: &mut Plan) {
    plan.transition.early_media = true;
}

/// Before the final answer.
pub fn unanswered() -> Vec<Standing> {
    let dialling = Dialling::to("12366").go();
    let mut early_peer = Dialling::to("12366").go();
    let leg = early_peer.leg(1);
    early_peer.tell(Input::Progressed { leg, sdp: Some(sdp(5_000, None)) });
    let mut peer_first = Dialling::to("12366").go();
    peer_first.answers(1);
    let mut failed = Dialling::to("12366").go();
    failed.refuses(1, 486);
    vec![
        ("waiting for the record", Dialling::to("12345").go()),
        ("waiting for the record, late offer", Dialling::to("12345").late_offer().go()),
        ("hearing the prompt early", Dialling::to("12336").with(early).go()),
        ("dialling a sub-center", dialling),
        ("hearing a sub-center early", early_peer),
        ("joined to a sub-center as soon as the record is there", peer_first),
        ("the sub-center busy, the record not there", failed),
    ]
}

/// A clerk has put the caller through to a sub-center that rings.
fn transferred(clerk_left: bool) -> Caller {
    let mut caller = Caller::talking("12345");
    let leg = caller.leg(1);
    let target = "sip:12366@hotline.puyang".into();
    caller.tell(Input::Referred { leg, refer: 1, target, attended: None });
    if clerk_left {
        caller.hangs_up(1);
    }
    caller
}

/// After it.
pub fn answered() -> Vec<Standing> {
    let mut awaiting_ack = Dialling::to("12345").late_offer().go();
    awaiting_ack.recorded();
    let mut greeted = Dialling::to("12345").go();
    greeted.recorded();
    let mut introduced = Caller::ringing("12345");
    introduced.answers(1);
    let mut held = Caller::talking("12345");
    held.reinvites(1, Some(sdp(5_000, Some(hotline::sip::sdp::Direction::SendOnly))));
    let mut surveyed = Caller::talking("12345");
    surveyed.hangs_up(1);
    let mut parting = Caller::talking("12345");
    parting.hangs_up(1);
    parting.presses('5');
    let mut ticket = Caller::queued("12345");
    ticket.tell(Input::Overflowed { waited: std::time::Duration::from_secs(300) });
    let mut peer = Dialling::to("12366").go();
    peer.recorded();
    peer.answers(1);
    let lingering = |step| {
        let flow = Flow { line: "12345".into(), steps: vec![Step::Answer, step], record: true };
        let mut caller = Dialling { flow: Some(flow), ..Dialling::to("12345") }.go();
        caller.recorded();
        caller
    };
    let asked_beside = |to: &str| {
        let mut caller = Caller::talking("12345");
        caller.wishes(Wish::Consult { to: to.into() }).expect("the plan has it");
        caller
    };
    let mut seat_beside = asked_beside("1002");
    seat_beside.rings("1002");
    let mut consulting = asked_beside("12366");
    consulting.answers(2);
    let mut merged = asked_beside("12366");
    merged.answers(2);
    merged.wishes(Wish::Merge).expect("it has picked up");
    let mut left = asked_beside("12366");
    left.hangs_up(1);
    let mut three_rings = Caller::ringing("12345");
    three_rings.rings("1002");
    three_rings.rings("1003");
    let mut reserve = Caller::ringing("12345");
    reserve.rings("1002");
    reserve.answers(1);
    reserve.answers(2);
    let mut lost = Caller::talking("12345");
    lost.vanishes(1);
    vec![
        ("waiting for the ACK", awaiting_ack),
        ("greeted", greeted),
        ("in the queue", Caller::queued("12345")),
        ("a seat rings", Caller::ringing("12345")),
        ("hearing the clerk's number", introduced),
        ("talking", Caller::talking("12345")),
        ("on hold", held),
        ("back in the queue", lost),
        ("asked for a grade", surveyed),
        ("thanked", parting),
        ("hearing the ticket's number", ticket),
        ("talking with a sub-center", peer),
        ("put through", transferred(false)),
        ("put through by a clerk who left", transferred(true)),
        ("a sub-center asked in", asked_beside("12366")),
        ("a seat asked in", asked_beside("1002")),
        ("a seat asked in rings", seat_beside),
        ("a sub-center consulted", consulting),
        ("three talk", merged),
        ("left by a clerk while it rings", left),
        ("three seats ring", three_rings),
        ("a second seat picked up", reserve),
        ("in silence", lingering(Step::Silence)),
        ("hearing a sound for ever", lingering(Step::PlayForever("bench_10s".into()))),
    ]
}
