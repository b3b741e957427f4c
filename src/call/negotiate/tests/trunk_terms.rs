//! What a trunk says of packets and keys, row by row: RFC 8866 §6.4 (`a=ptime`), RFC 3551 §4.5, RFC 4733.

use super::*;
use crate::routing::trunk_terms::Dtmf;

const AUDIO: &str = "m=audio 4000 RTP/AVP 8 101";
const EVENTS: &str = "a=rtpmap:101 telephone-event/8000";

fn of(packet_ms: Option<u16>, dtmf: Dtmf) -> Terms {
    Terms { packet_ms, dtmf, ..Terms::default() }
}

fn offered(terms: &Terms, taste: Taste) -> Sdp {
    super::super::offer(LOCAL, taste, terms, Keys::default(), None)
}

#[test]
fn packets_are_as_long_as_the_trunk_says_where_the_other_side_does_not_row_by_row() {
    // The trunk's, the other leg's, the peer's; what is offered, and what is sent then.
    let rows = [
        (None, 20, None, 20, 20),
        (None, 30, None, 30, 20),
        (Some(30), 20, None, 30, 30),
        (Some(30), 20, Some(20), 30, 20),
        (Some(10), 20, None, 10, 10),
        (Some(60), 20, Some(40), 60, 40),
    ];
    for (own, other, theirs, wanted, sent) in rows {
        let terms = of(own, Dtmf::Auto);
        let offer = offered(&terms, Taste { packet_ms: other, ..Taste::default() });
        assert_eq!(offer.media[0].ptime, Some(wanted), "{own:?} {other}");
        let ptime = theirs.map(|ms| format!("a=ptime:{ms}"));
        let lines: Vec<&str> = [AUDIO, EVENTS].into_iter().chain(ptime.as_deref()).collect();
        let agreed = super::super::accept(&offer, &read(&lines), &terms).unwrap();
        assert_eq!(agreed.packet_ms, sent, "{own:?} {theirs:?}: their answer");
        let taste = Taste { packet_ms: other, ..Taste::default() };
        let (sdp, agreed) =
            super::super::answer(&read(&lines), LOCAL, taste, &terms, Keys::default()).unwrap();
        assert_eq!((agreed.packet_ms, sdp.media[0].ptime), (sent, Some(sent)), "{own:?}: their offer");
    }
    // What is only passed on comes as it goes out.
    let g729 = Terms { codecs: Codecs::of([Codec::G729, Codec::Pcma]), ..of(Some(40), Dtmf::Auto) };
    let taste = Taste { g729: G729::Must { annexb: false }, ..Taste::default() };
    assert_eq!(offered(&g729, taste).media[0].ptime, Some(20));
}

#[test]
fn events_are_agreed_on_unless_keys_come_another_way_alone() {
    for (dtmf, wanted) in
        [(Dtmf::Auto, true), (Dtmf::Rfc4733, true), (Dtmf::Inband, false), (Dtmf::Info, false)]
    {
        let terms = of(None, dtmf);
        let offer = offered(&terms, Taste::default());
        let events = |sdp: &Sdp| sdp.media[0].formats.iter().any(|number| number == "101");
        assert_eq!(events(&offer), wanted, "{dtmf:?}: our offer");
        let lines = [AUDIO, EVENTS];
        let agreed = super::super::accept(&offer, &read(&lines), &terms).unwrap();
        assert_eq!(agreed.dtmf.is_some(), wanted, "{dtmf:?}: their answer");
        let (sdp, agreed) =
            super::super::answer(&read(&lines), LOCAL, Taste::default(), &terms, Keys::default()).unwrap();
        assert_eq!((agreed.dtmf.is_some(), events(&sdp)), (wanted, wanted), "{dtmf:?}: our answer");
    }
}
