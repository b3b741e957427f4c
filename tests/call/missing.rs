//! How the legs sounded, and sound that is missing: told of those who talk, and of nobody else.

use hotline::call::{Callee, Command, Input, Missing, Side, Told};
use hotline::media::order::LegFigures;
use hotline::sip::sdp::Direction;

use super::caller::{Caller, sdp};

fn misses(caller: &mut Caller, index: u16, what: Missing) -> Vec<String> {
    let leg = caller.leg(index);
    caller.tell(Input::Missing { leg, what }).to_vec()
}

#[test]
fn sound_is_missed_while_two_talk_and_not_while_one_waits_rings_or_holds() {
    let mut waiting = Caller::queued("12345");
    assert_eq!(misses(&mut waiting, 0, Missing::Packets), [""; 0], "music");
    let mut ringing = Caller::ringing("12345");
    assert_eq!(misses(&mut ringing, 1, Missing::Sound), [""; 0]);
    let mut caller = Caller::talking("12345");
    assert_eq!(misses(&mut caller, 1, Missing::Packets), ["told missing of 1: Packets"]);
    let side = Side::Callee(Callee::Seat("1001".into()));
    let told = Command::Tell(Told::Missing { leg: 1, side, what: Missing::Packets });
    assert!(caller.all.contains(&told), "with who is not heard");
    assert_eq!(misses(&mut caller, 1, Missing::Nothing), ["told missing of 1: Nothing"]);
    assert_eq!(misses(&mut caller, 0, Missing::Sound), ["told missing of 0: Sound"]);
    assert_eq!(misses(&mut caller, 7, Missing::Sound), [""; 0], "a leg that is not there");
    caller.reinvites(1, Some(sdp(5_000, Some(Direction::SendOnly))));
    assert_eq!(misses(&mut caller, 1, Missing::Packets), [""; 0], "on hold");
}

#[test]
fn the_figures_of_a_seats_leg_are_told_with_the_seat_whoever_hangs_up() {
    for who in [0, 1] {
        let mut caller = Caller::talking("12345");
        let leg = caller.leg(1);
        caller.hangs_up(who);
        let figures = Box::new(LegFigures { received: 7, ..LegFigures::default() });
        let sound = *figures;
        let told = caller.tell(Input::SoundClosed { leg, figures: figures.clone() }).to_vec();
        assert_eq!(told, ["told figures of 1"]);
        let callee = Callee::Seat("1001".into());
        assert!(caller.all.contains(&Command::Tell(Told::LegClosed { leg: 1, callee, sound })));
        assert_eq!(caller.tell(Input::SoundClosed { leg, figures }), [""; 0], "once");
    }
}
