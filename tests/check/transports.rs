//! Faults of what listeners speak, and of certificates.

use hotline::routing::plan::{Tls, Transport};

use super::base::{Edit, Files, codes};
use super::fixture::Fixture;

const LISTEN: &str = "listen = [\"192.0.2.10:5060\"]";
const LIMITS: &str = "[limits]\n";
const PAIR: &str = "[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n\n[limits]\n";
const MUTUAL: &str = "[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\nclient_ca = \"ca.pem\"\n\n[limits]\n";
const SOURCES: &str = "sources = [\"198.51.100.0/28\"]";

pub const FIXTURES: &[Fixture] = &[
    Fixture {
        code: "E0108",
        what: "a transport that there is not",
        edits: &[Edit::Plan(LISTEN, "listen = [⟦\"sctp:192.0.2.10:5060\"⟧]")],
    },
    Fixture {
        code: "E0104",
        what: "a transport that there is not, in a table",
        edits: &[Edit::Plan(LISTEN, "listen = [{ bind = \"192.0.2.10:5060\", transport = ⟦\"sctp\"⟧ }]")],
    },
    Fixture {
        code: "E0620",
        what: "TCP and TLS on one port",
        edits: &[
            Edit::Plan(LISTEN, "listen = [\"tcp:192.0.2.10:5060\", ⟦\"tls:192.0.2.10:5060\"⟧]"),
            Edit::Plan(LIMITS, PAIR),
        ],
    },
    Fixture {
        code: "E0621",
        what: "client certificates without anybody who signs them",
        edits: &[
            Edit::Plan(
                LISTEN,
                "listen = [⟦{ bind = \"192.0.2.10:5061\", transport = \"tls\", client_certificate = true }⟧]",
            ),
            Edit::Plan(LIMITS, PAIR),
        ],
    },
    Fixture {
        code: "E0621",
        what: "client certificates without TLS",
        edits: &[
            Edit::Plan(LISTEN, "listen = [⟦{ bind = \"192.0.2.10:5060\", client_certificate = true }⟧]"),
            Edit::Plan(LIMITS, MUTUAL),
        ],
    },
    Fixture {
        code: "E0622",
        what: "a certificate without its key",
        edits: &[Edit::Plan(LIMITS, "[tls]\ncertificate = ⟦\"a.pem\"⟧\n\n[limits]\n")],
    },
    Fixture {
        code: "E0105",
        what: "a private key in the file itself",
        edits: &[Edit::Plan(
            LIMITS,
            "[tls]\ncertificate = \"a.pem\"\nkey = ⟦\"-----BEGIN PRIVATE KEY-----\"⟧\n\n[limits]\n",
        )],
    },
    Fixture {
        code: "E0623",
        what: "TLS without a certificate",
        edits: &[Edit::Plan(LISTEN, "listen = [⟦\"tls:192.0.2.10:5061\"⟧]")],
    },
    Fixture {
        code: "E0624",
        what: "a trunk known by a certificate that nobody asks for",
        edits: &[Edit::Plan(SOURCES, "certificate = ⟦\"sbc.carrier.example\"⟧")],
    },
    Fixture {
        code: "E0625",
        what: "two trunks with one certificate",
        edits: &[
            Edit::Plan(LISTEN, "listen = [\"tls:192.0.2.10:5061\"]"),
            Edit::Plan(LIMITS, MUTUAL),
            Edit::Plan(SOURCES, "certificate = \"sbc.carrier.example\""),
            Edit::Plan(
                "target = \"203.0.113.5:5060\"",
                "target = \"203.0.113.5:5060\"\ncertificate = ⟦\"SBC.carrier.example\"⟧",
            ),
        ],
    },
];

#[test]
fn listeners_of_each_transport_and_their_certificates_reach_the_plan() {
    let listen = "listen = [\"192.0.2.10:5060\", \"tcp:192.0.2.10:5060\", \"tls:[2001:db8::1]:5061\", \
                  { bind = \"192.0.2.10:5061\", transport = \"tls\", client_certificate = false }]";
    let files = Files::with(&[
        Edit::Plan(LISTEN, listen),
        Edit::Plan(LIMITS, MUTUAL),
        Edit::Plan(SOURCES, "certificate = \"sbc.carrier.example\""),
    ]);
    let outcome = files.judge();
    let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
    assert_eq!(codes(&outcome.report), [""; 0]);
    let spoken: Vec<_> = plan.network.listen.iter().map(|listener| listener.transport).collect();
    assert_eq!(spoken, [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Tls]);
    assert_eq!(plan.network.listen[3].client_certificate, Some(false));
    let name = |name: &str| Some(name.to_owned());
    let tls = Tls { certificate: name("a.pem"), key: name("a.key"), client_ca: name("ca.pem"), roots: None };
    assert_eq!(plan.network.tls, tls);
    let known: Vec<_> = plan.trunks.values().filter_map(|trunk| trunk.certificate.as_deref()).collect();
    assert_eq!(known, ["sbc.carrier.example"]);
}
