//! By which ways a trunk's keys count: in the sound, by events or as tones, and by INFO.

use hotline::call::Input;
use hotline::routing::plan::Plan;
use hotline::routing::trunk_terms::Dtmf;
use hotline::sip::sdp::Rtpmap;

use super::caller::{Caller, Dialling};

fn caller(dtmf: Dtmf, events: bool) -> Caller {
    let mut dialling = Dialling::to("12345").with(|_: &mut Plan| {});
    dialling.terms.dtmf = dtmf;
    if events {
        let mut with = (*super::caller::sdp(4_000, None)).clone();
        with.media[0].formats.push("101".into());
        let event = Rtpmap { number: 101, name: "telephone-event".into(), clock: 8_000, channels: 1 };
        with.media[0].rtpmap.push(event);
        dialling.offer = Some(std::sync::Arc::new(with));
    }
    dialling.go().waits_its_turn().talks()
}

#[test]
fn keys_count_that_come_by_the_trunks_way_row_by_row() {
    // The trunk's word, whether events were agreed on; whether a press in the sound counts, and one by INFO.
    let rows = [
        (Dtmf::Auto, true, true, true),
        (Dtmf::Auto, false, true, true),
        (Dtmf::Rfc4733, true, true, false),
        (Dtmf::Rfc4733, false, false, false),
        (Dtmf::Inband, true, true, false),
        (Dtmf::Inband, false, true, false),
        (Dtmf::Info, true, false, true),
        (Dtmf::Info, false, false, true),
    ];
    for (dtmf, events, sound, info) in rows {
        let counted = |said: &[String]| said.iter().any(|said| said == "told digit 7");
        let mut in_sound = caller(dtmf, events);
        let leg = in_sound.leg(0);
        let heard = counted(in_sound.tell(Input::Digit { leg, digit: '7' }));
        let mut by_info = caller(dtmf, events);
        let told = counted(by_info.tell(Input::DigitTold { leg: by_info.leg(0), digit: '7' }));
        assert_eq!((heard, told), (sound, info), "{dtmf:?}, events: {events}");
    }
}
