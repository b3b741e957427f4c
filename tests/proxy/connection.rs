//! The proxy speaks TCP or TLS with the engine and UDP with everyone else: two Record-Route values, one for
//! each side (RFC 5658), and the whole dialog over one connection.

use hotline::switchboard::fact::Cause;

use crate::city::City;
use crate::records::closed_calls;
use crate::sipp::{OFFER, Scenario};

fn city(name: &str, transport: &str, desks: &[Scenario]) -> City {
    let name = format!("proxy-{transport}-{name}");
    if transport == "tls" {
        return City::over_tls(&name, desks);
    }
    City::with_trunk(
        &name,
        desks,
        |proxy| format!("target = \"sip:{proxy};transport=tcp\""),
        |script, engine| script.by("tcp", engine.at("tcp")),
    )
}

#[test]
fn a_call_out_over_a_connection_is_ended_by_the_proxy_that_record_routed() {
    for transport in ["tcp", "tls"] {
        let city = city("out", transport, &[Scenario::of("sub_answers")]);
        Scenario::of("answered").sdp(OFFER).with("pause", "300").run(&city.engine, "12366");
        let [desk] = city.desks.try_into().ok().unwrap();
        let log = desk.finish();
        let here = city.engine.at(transport);
        for method in ["INVITE", "ACK", "BYE"] {
            let request = log.last(method);
            let vias: Vec<_> = request.text.lines().filter(|line| line.starts_with("Via: ")).collect();
            let [proxy, ours] = vias[..] else { panic!("two hops: {}", request.text) };
            assert!(proxy.starts_with(&format!("Via: SIP/2.0/UDP {}", city.proxy.at)), "{proxy}");
            let name = transport.to_uppercase();
            assert!(ours.starts_with(&format!("Via: SIP/2.0/{name} {here}")), "{ours}");
        }
        let invite = log.last("INVITE");
        let routes: Vec<_> = invite.text.lines().filter(|line| line.starts_with("Record-Route: ")).collect();
        let [_, ours] = routes[..] else { panic!("a route for each side: {routes:?}") };
        assert!(ours.contains(&format!("transport={transport}")), "{ours}");
        let contact = invite.header("Contact").unwrap_or_default();
        assert!(contact.contains(&here.to_string()), "{contact}");
        assert!(contact.contains(&format!("transport={transport}")), "{contact}");
        let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
        assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
        assert_eq!(record.cause, Some(Cause::CallerHungUp));
    }
}

#[test]
fn a_caller_whose_proxy_comes_over_a_connection_is_answered_and_hangs_up_by_it() {
    for transport in ["tcp", "tls"] {
        let city = city("in", transport, &[]);
        let caller = Scenario::of("proxied").sdp(OFFER);
        let log = caller.start_at(&city.engine.data, city.proxy.at, "12345").finish();
        let ok = log.answer_to("INVITE");
        let routes: Vec<_> = ok.text.lines().filter(|line| line.starts_with("Record-Route: ")).collect();
        let transport = format!("transport={transport}");
        assert!(routes.iter().any(|line| line.contains(&transport)), "{routes:?}");
        assert!(ok.header("Contact").is_some_and(|contact| contact.contains(&transport)), "{}", ok.text);
        let [record] = closed_calls(&city.engine, 1).try_into().unwrap();
        assert_eq!(record.cause, Some(Cause::CallerHungUp));
    }
}
