//! An engine whose sub-center 12366 is behind a proxy, and a proxy whose engine it is.

use std::net::SocketAddr;

use crate::authority::Authority;
use crate::engine::{Engine, data_dir};
use crate::kamailio::{Kamailio, Script, free_ports};
use crate::plan::engine_on_plan;
use crate::sipp::{Running, Scenario};

/// When no number is in its transition any more.
pub const WHEN: &str = "2021-12-01T09:00:00+08:00";
/// Where the shipped plan says where the sub-center is.
const TARGET: &str = "remove drill.\ntarget = \"127.0.0.1:9\"";

const TLS: (&str, &str) = (
    "[limits]\n",
    "[tls]\ncertificate = \"own.pem\"\nkey = \"own.key\"\nroots = \"ca.pem\"\nclient_ca = \"ca.pem\"\n[limits]\n",
);

/// The edit of the plan that puts it elsewhere.
pub fn target(trunk: &str) -> (&'static str, String) {
    (TARGET, TARGET.replace("target = \"127.0.0.1:9\"", trunk))
}

pub struct City {
    pub engine: Engine,
    pub proxy: Kamailio,
    pub desks: Vec<Running>,
}

impl City {
    pub fn new(name: &str, desks: &[Scenario], set: impl Fn(Script) -> Script) -> City {
        City::with_trunk(name, desks, |proxy| format!("target = \"{proxy}\""), |script, _| set(script))
    }

    /// Behind whose proxy these desks are, which the test runs itself.
    pub fn before(name: &str, desks: &[SocketAddr]) -> City {
        City::with_trunk(
            name,
            &[],
            |proxy| format!("target = \"{proxy}\""),
            |script, _| script.outward(desks),
        )
    }

    /// `trunk` is the target and whatever else the plan has to say of the way to the proxy. The
    /// engine speaks UDP and TCP.
    pub fn with_trunk(
        name: &str,
        desks: &[Scenario],
        trunk: impl Fn(SocketAddr) -> String,
        set: impl Fn(Script, &Engine) -> Script,
    ) -> City {
        City::on_plan(name, desks, &[], "tcp", trunk, set)
    }

    /// Engine and proxy speak TLS with one another, each with a certificate that the other looks at.
    pub fn over_tls(name: &str, desks: &[Scenario]) -> City {
        let dir = data_dir(name);
        std::fs::create_dir_all(&dir).unwrap();
        let authority = Authority::new("the city's");
        authority.sign(&dir, "own", &["127.0.0.1"]);
        let proxys = authority.sign(&dir, "proxy", &["127.0.0.1"]);
        let authority = authority.write(&dir, "ca.pem");
        let [at] = free_ports();
        City::on_plan(
            name,
            desks,
            &[TLS],
            "tls",
            |_| format!("target = \"sip:{at};transport=tls\""),
            |script, engine| script.by("tls", engine.at("tls")).with_tls(at, &proxys, &authority),
        )
    }

    /// The engine speaks UDP and `transport`.
    fn on_plan(
        name: &str,
        desks: &[Scenario],
        edits: &[(&str, &str)],
        transport: &str,
        trunk: impl Fn(SocketAddr) -> String,
        set: impl Fn(Script, &Engine) -> Script,
    ) -> City {
        let dir = data_dir(name);
        std::fs::create_dir_all(&dir).unwrap();
        let ([proxy], places): ([SocketAddr; 1], [SocketAddr; 2]) = (free_ports(), free_ports());
        let desks: Vec<Running> =
            desks.iter().zip(places).map(|(desk, at)| desk.clone().listen(&dir, at)).collect();
        let (from, to) = target(&trunk(proxy));
        let listen = format!("{transport}:127.0.0.1:0");
        let edits = [edits, &[(from, to.as_str())]].concat();
        let engine = engine_on_plan(name, WHEN, &edits, &["--listen", &listen]);
        let script = Script::new(proxy, engine.sip, &places[..desks.len()]);
        let proxy = set(script, &engine).start(&dir);
        City { engine, proxy, desks }
    }
}
