//! Calls through the proxy, both ways.

use hotline::switchboard::fact::Cause;

use crate::city::City;
use crate::records::closed_calls;
use crate::sipp::{OFFER, Scenario};

#[test]
fn a_caller_behind_a_record_routing_proxy_is_answered_and_hangs_up_by_it() {
    let city = City::new("proxy-in", &[], |script| script);
    let log = Scenario::of("proxied").sdp(OFFER).start_at(&city.engine.data, city.proxy.at, "12345").finish();
    let ok = log.answer_to("INVITE");
    assert!(ok.header("Record-Route").is_some_and(|route| route.contains(&city.proxy.at.to_string())));
    let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}

#[test]
fn our_bye_goes_by_the_proxy_that_stays_in_the_dialog_and_past_the_one_that_left() {
    for (name, stays) in [("proxy-stays", true), ("proxy-leaves", false)] {
        let city = City::new(name, &[Scenario::of("sub_answers")], |script| {
            if stays { script } else { script.without_record_route() }
        });
        Scenario::of("answered").sdp(OFFER).with("pause", "600").run(&city.engine, "12366");
        let [desk] = city.desks.try_into().ok().unwrap();
        let log = desk.finish();
        let (ack, bye) = (&log.received("ACK")[0], &log.received("BYE")[0]);
        for request in [ack, bye] {
            let vias = request.text.matches("Via: SIP/2.0/UDP").count();
            assert_eq!(vias, if stays { 2 } else { 1 }, "{}", request.text);
            assert!(request.header("Route").is_none(), "{}", request.text);
        }
        let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
        assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
    }
}

#[test]
fn two_desks_that_both_answer_a_forked_call_get_an_ack_each_and_one_of_them_a_bye() {
    let late = Scenario::of("sub_answers_all_the_same");
    let city = City::new("proxy-forks", &[Scenario::of("sub_answers"), late], |script| script);
    let caller = Scenario::of("answered").sdp(OFFER).with("pause", "1500").start(&city.engine, "12366");
    let [first, second] = city.desks.try_into().ok().unwrap();
    let (first, second) = (first.finish(), second.finish());
    caller.finish();
    let (kept, released) = (&first.received("BYE")[0], &second.received("BYE")[0]);
    assert!(released.at + 0.5 < kept.at, "{} and {}", released.at, kept.at);
    assert_ne!(first.received("ACK")[0].header("To"), second.received("ACK")[0].header("To"));
    let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}
