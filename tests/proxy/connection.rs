//! The proxy speaks TCP with the engine and UDP with everyone else: two Record-Route values, one for
//! each side (RFC 5658), and the whole dialog over one connection.

use hotline::switchboard::fact::Cause;

use crate::city::City;
use crate::records::closed_calls;
use crate::sipp::{OFFER, Scenario};

fn city(name: &str, desks: &[Scenario]) -> City {
    City::with_trunk(
        name,
        desks,
        |proxy| format!("target = \"sip:{proxy};transport=tcp\""),
        |script, engine| script.by_tcp(engine.at("tcp")),
    )
}

#[test]
fn a_call_out_over_tcp_is_ended_by_the_proxy_that_record_routed() {
    let city = city("proxy-tcp-out", &[Scenario::of("sub_answers")]);
    Scenario::of("answered").sdp(OFFER).with("pause", "300").run(&city.engine, "12366");
    let [desk] = city.desks.try_into().ok().unwrap();
    let log = desk.finish();
    let tcp = city.engine.at("tcp");
    for method in ["INVITE", "ACK", "BYE"] {
        let request = log.last(method);
        let vias: Vec<_> = request.text.lines().filter(|line| line.starts_with("Via: ")).collect();
        let [proxy, ours] = vias[..] else { panic!("two hops: {}", request.text) };
        assert!(proxy.starts_with(&format!("Via: SIP/2.0/UDP {}", city.proxy.at)), "{proxy}");
        assert!(ours.starts_with(&format!("Via: SIP/2.0/TCP {tcp}")), "{ours}");
    }
    let invite = log.last("INVITE");
    let routes = invite.text.lines().filter(|line| line.starts_with("Record-Route: "));
    assert_eq!(routes.filter(|line| line.contains("r2=on")).count(), 2, "{}", invite.text);
    assert!(invite.header("Contact").is_some_and(|contact| contact.contains("transport=tcp")));
    let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
    assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}

#[test]
fn a_caller_whose_proxy_comes_over_tcp_is_answered_and_hangs_up_by_it() {
    let city = city("proxy-tcp-in", &[]);
    let log = Scenario::of("proxied").sdp(OFFER).start_at(&city.engine.data, city.proxy.at, "12345").finish();
    let ok = log.answer_to("INVITE");
    let routes: Vec<_> = ok.text.lines().filter(|line| line.starts_with("Record-Route: ")).collect();
    assert!(routes.iter().any(|line| line.contains("transport=tcp")), "{routes:?}");
    assert!(ok.header("Contact").is_some_and(|contact| contact.contains("transport=tcp")), "{}", ok.text);
    let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
}
