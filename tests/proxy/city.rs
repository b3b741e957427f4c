//! An engine whose sub-center 12366 is behind a proxy, and a proxy whose engine it is.

use std::net::SocketAddr;

use crate::engine::{Engine, data_dir};
use crate::kamailio::{Kamailio, Script, free_ports};
use crate::plan::engine_on_plan;
use crate::sipp::{Running, Scenario};

/// When no number is in its transition any more.
pub const WHEN: &str = "2021-12-01T09:00:00+08:00";
/// Where the shipped plan says where the sub-center is.
const TARGET: &str = "remove drill.\ntarget = \"127.0.0.1:9\"";

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
        let dir = data_dir(name);
        std::fs::create_dir_all(&dir).unwrap();
        let ([proxy], places): ([SocketAddr; 1], [SocketAddr; 2]) = (free_ports(), free_ports());
        let desks: Vec<Running> =
            desks.iter().zip(places).map(|(desk, at)| desk.clone().listen(&dir, at)).collect();
        let (from, to) = target(&trunk(proxy));
        let more = ["--listen", "tcp:127.0.0.1:0"];
        let engine = engine_on_plan(name, WHEN, &[(from, &to)], &more);
        let script = Script::new(proxy, engine.sip, &places[..desks.len()]);
        let proxy = set(script, &engine).start(&dir);
        City { engine, proxy, desks }
    }
}
