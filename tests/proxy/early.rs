//! What is said before the answer, by way of a proxy: sound of several early dialogs (RFC 3960 §2.1)
//! and provisional responses that want their PRACK (RFC 3262 §4), which goes by the proxy (§5).

use hotline::switchboard::fact::Cause;

use crate::city::City;
use crate::phone::{Phone, fields, sound_of};
use crate::records::closed_calls;

/// What the caller says from his INVITE on; `{}` is the To header's tag.
fn request(line: &str, to: &str, cseq: &str) -> String {
    format!(
        "{line}\nFrom: <sip:13800000044@127.0.0.1>;tag=citizen\nTo: {to}\nCall-ID: by-the-proxy\nCSeq: {cseq}\n\
         Max-Forwards: 70"
    )
}

fn dials(citizen: &Phone, city: &City) {
    let invite = request("INVITE sip:12366@h SIP/2.0", "<sip:12366@h>", "1 INVITE");
    citizen.send(city.engine.sip, "dial", &invite, &citizen.sdp());
}

fn acknowledges(citizen: &Phone, city: &City, ok: &str) {
    let line = format!("ACK sip:{} SIP/2.0", city.engine.sip);
    citizen.send(city.engine.sip, "ack", &request(&line, fields(ok, "To")[0], "1 ACK"), "");
}

fn hangs_up(citizen: &mut Phone, city: &City, ok: &str) {
    let line = format!("BYE sip:{} SIP/2.0", city.engine.sip);
    citizen.send(city.engine.sip, "bye", &request(&line, fields(ok, "To")[0], "2 BYE"), "");
}

/// Two telephones talk all the while, until the citizen hears `wanted` and nothing else.
fn until_heard(citizen: &Phone, talking: &mut [(&mut Phone, u8)], to: std::net::SocketAddr, wanted: u8) {
    for _ in 0..1_000 {
        for (phone, sample) in &mut *talking {
            phone.say(to, *sample);
        }
        if citizen.hear().is_some_and(|heard| heard == [wanted; 160]) {
            return;
        }
    }
    panic!("{wanted:#x} is not to be heard");
}

#[test]
fn of_two_forked_desks_the_newest_is_heard_before_the_answer_and_the_one_that_answers_after_it() {
    let (mut first, mut second, mut citizen) =
        (Phone::new("first"), Phone::new("second"), Phone::new("citizen"));
    let places = [first.at(), second.at()];
    let city = City::before("proxy-early", &places);
    dials(&citizen, &city);
    let (to_first, to_second) = (first.until("INVITE "), second.until("INVITE "));
    let ours = sound_of(&to_first);
    const FIRST: u8 = 0x91;
    const SECOND: u8 = 0xb4;

    first.answer(&to_first, "183 Session Progress", &[], &first.sdp());
    citizen.until("SIP/2.0 183");
    until_heard(&citizen, &mut [(&mut first, FIRST), (&mut second, SECOND)], ours, FIRST);
    second.answer(&to_second, "183 Session Progress", &[], &second.sdp());
    until_heard(&citizen, &mut [(&mut first, FIRST), (&mut second, SECOND)], ours, SECOND);

    first.answer(&to_first, "200 OK", &[], &first.sdp());
    let cancel = second.until("CANCEL ");
    second.answer(&cancel, "200 OK", &[], "");
    second.answer(&to_second, "487 Request Terminated", &[], "");
    first.until("ACK ");
    let ok = citizen.until("SIP/2.0 200");
    acknowledges(&citizen, &city, &ok);
    until_heard(&citizen, &mut [(&mut first, FIRST), (&mut second, SECOND)], ours, FIRST);

    hangs_up(&mut citizen, &city, &ok);
    let bye = first.until("BYE ");
    first.answer(&bye, "200 OK", &[], "");
    assert_eq!(fields(&bye, "Via").len(), 2, "by the proxy: {bye}");
    let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}

#[test]
fn a_desk_behind_the_proxy_that_rings_reliably_gets_its_prack_by_the_proxy() {
    let (mut desk, mut citizen) = (Phone::new("desk"), Phone::new("citizen"));
    let city = City::before("proxy-100rel", &[desk.at()]);
    dials(&citizen, &city);
    let invite = desk.until("INVITE ");
    assert!(fields(&invite, "Supported").iter().any(|tags| tags.contains("100rel")), "{invite}");
    desk.answer(&invite, "183 Session Progress", &["Require: 100rel", "RSeq: 7"], &desk.sdp());
    let prack = desk.until("PRACK ");
    assert_eq!(fields(&prack, "RAck"), [format!("7 {}", fields(&invite, "CSeq")[0])]);
    assert_eq!(fields(&prack, "Via").len(), 2, "by the proxy: {prack}");
    assert!(prack.starts_with(&format!("PRACK sip:desk@{} ", desk.at())), "{prack}");
    desk.answer(&prack, "200 OK", &[], "");
    citizen.until("SIP/2.0 183");
    desk.answer(&invite, "200 OK", &[], "");
    desk.until("ACK ");
    let ok = citizen.until("SIP/2.0 200");
    acknowledges(&citizen, &city, &ok);
    until_heard(&citizen, &mut [(&mut desk, 0x91)], sound_of(&invite), 0x91);
    hangs_up(&mut citizen, &city, &ok);
    let bye = desk.until("BYE ");
    desk.answer(&bye, "200 OK", &[], "");
    let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
    assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
}
