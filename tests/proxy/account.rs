//! The proxy wants to know who we are: 407 for calls (RFC 3261 §22.3), 401 for the registration that
//! calls to us come by (§10.2), with either digest algorithm (RFC 8760).

use std::net::SocketAddr;

use hotline::switchboard::fact::Cause;

use crate::city::{City, WHEN, target};
use crate::engine::data_dir;
use crate::kamailio::{ACCOUNT, Script, free_ports};
use crate::plan::engine_on_plan;
use crate::records::closed_calls;
use crate::sipp::{OFFER, Scenario};

/// The proxy is there before the engine, which would try again only after half a minute.
fn city(algorithm: &'static str) -> City {
    let name = format!("proxy-{}", algorithm.to_lowercase());
    let dir = data_dir(&name);
    std::fs::create_dir_all(dir.join("secrets")).unwrap();
    let [user, password, realm] = ACCOUNT;
    std::fs::write(dir.join("secrets/proxy"), password).unwrap();
    let [proxy, desk]: [SocketAddr; 2] = free_ports();
    let trunk = format!(
        "target = \"{proxy}\"\nregister = \"10min\"\n\
         account = {{ user = \"{user}\", password = {{ file = \"secrets/proxy\" }}, realm = \"{realm}\" }}\n"
    );
    let (from, to) = target(&trunk);
    let proxy = Script::registrar(proxy, &[desk], algorithm).start(&dir);
    let desks = vec![Scenario::of("sub_answers").listen(&dir, desk)];
    City { engine: engine_on_plan(&name, WHEN, &[(from, &to)], &[]), proxy, desks }
}

#[test]
fn a_proxy_that_asks_is_registered_at_and_calls_go_both_ways_with_either_digest() {
    for algorithm in ["MD5", "SHA-256"] {
        let city = city(algorithm);
        city.proxy.until_it_says(&format!("registered {}", ACCOUNT[0]));
        Scenario::of("answered").sdp(OFFER).with("pause", "300").run(&city.engine, "12366");
        let [desk] = city.desks.try_into().ok().unwrap();
        let log = desk.finish();
        assert!(log.last("INVITE").header("Proxy-Authorization").is_none(), "that was for the proxy alone");
        assert_eq!(city.proxy.count("begun INVITE 12366"), 2, "without proof and with it");

        let server = city.proxy.at;
        let log = Scenario::of("proxied").sdp(OFFER).start_at(&city.engine.data, server, "12345").finish();
        assert!(log.answer_to("INVITE").text.starts_with("SIP/2.0 200 "));
        let [inward, outward] = closed_calls(&city.engine, 2).try_into().unwrap();
        assert_eq!(outward.peer.as_deref(), Some("sub-12366/12366"));
        assert_eq!((inward.line.as_str(), inward.cause), ("12345", Some(Cause::CallerHungUp)));
    }
}
