//! A seat picks up in the very moment in which the queue has taken the offer back.
//!
//! In the city the two cannot be made to meet: the queue is told of an answer in the step that
//! brings it. Here the call is told by hand what it would be told then.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use hotline::call::{Call, Command, Input, Setup};
use hotline::id::{CallId, Dice, LegId, SeatId};
use hotline::media::order::{Order, PortSlot};
use hotline::sip::Clearing;
use hotline::sip::sdp::Sdp;
use hotline::time::{Instant, Now, Timestamp};

use crate::house;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn sdp() -> Arc<Sdp> {
    let text = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
    Arc::new(Sdp::parse(text).expect("a description"))
}

struct Told {
    call: Call,
    now: Now,
}

impl Told {
    /// Tells the call something; gives what it wants done.
    fn tell(&mut self, input: Input) -> Vec<Command> {
        self.call.handle_input(input, self.now);
        std::iter::from_fn(|| self.call.poll_output()).collect()
    }

    fn hears_out(&mut self) {
        for mark in 1..5 {
            let leg = LegId::caller(CallId::draw(1, &mut Dice::seeded(1)));
            self.tell(Input::Played { leg, mark });
        }
    }
}

#[test]
fn a_seat_that_picks_up_a_lapsed_offer_is_hung_up_and_the_caller_waits_for_the_next() {
    let plan = Arc::new(house::plan(&|_| {}));
    let now = Now { mono: Instant::from_millis(1), wall: Timestamp::UNIX_EPOCH };
    let id = CallId::draw(1, &mut Dice::seeded(1));
    let setup = Setup {
        id,
        flow: plan.flow(&plan.lines["12345"], now.wall),
        ticket: "21090100001".into(),
        pickup: String::new(),
        from: String::new(),
        sounds: Arc::new(house::sounds().into_iter().collect()),
        offer: Some(sdp()),
        reliable: false,
        slot: PortSlot(1),
        peer: HERE,
        sound_ip: HERE,
        session: 1,
        terms: hotline::call::negotiate::Terms::default(),
        keys: None,
        plan,
    };
    let mut told = Told { call: Call::new(setup, now).expect("a codec"), now };
    told.tell(Input::Recorded { durable: true });
    told.hears_out();
    assert_eq!(told.call.state(), "waiting");
    let (seat, next) = (SeatId::from("1001"), SeatId::from("1002"));
    told.tell(Input::RingSeat { seat: seat.clone(), waited: Duration::ZERO });
    let leg = LegId { call: id, index: 1 };
    told.tell(Input::Port { leg, slot: Some(PortSlot(2)), peer: HERE, ours: HERE, keys: None });
    let wants = told.tell(Input::Answered { leg, sdp: Some(sdp()) });
    assert!(wants.contains(&Command::SeatAnswered { seat: seat.clone() }));

    let wants = told.tell(Input::WithdrawSeat { seat });
    assert!(wants.contains(&Command::HangUp { leg, why: Clearing::Elsewhere }), "{wants:?}");
    assert!(wants.contains(&Command::Sound(Order::Close { leg })), "{wants:?}");
    assert!(
        !wants.iter().any(|want| matches!(want, Command::JoinQueue { .. })),
        "the place was never given up"
    );
    assert_eq!(told.call.state(), "waiting");
    let wants = told.tell(Input::RingSeat { seat: next, waited: Duration::ZERO });
    assert!(matches!(wants[..], [Command::WantPort { .. }]), "{wants:?}");
}
