//! Kamailio as the carrier's proxy: a process of its own with a script of the test's making.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::sipp::free_port;

/// How long it may take to start.
const START_MAX: Duration = Duration::from_secs(20);

/// A running proxy, ended when the test is.
pub struct Kamailio {
    process: Child,
    pub at: SocketAddr,
}

/// What it does with a request that begins a dialog.
pub struct Script {
    at: SocketAddr,
    record_route: bool,
    inward: SocketAddr,
    /// Requests that came from `inward` go to all of these at once.
    outward: Vec<SocketAddr>,
    refusal: Option<u16>,
}

impl Script {
    /// Requests go to the engine at `inward`; what the engine sends goes to all of `outward` at once.
    pub fn new(at: SocketAddr, inward: SocketAddr, outward: &[SocketAddr]) -> Script {
        Script { at, record_route: true, inward, outward: outward.to_vec(), refusal: None }
    }

    /// It leaves the dialog after the INVITE.
    pub fn without_record_route(mut self) -> Script {
        self.record_route = false;
        self
    }

    fn text(&self) -> String {
        let at = self.at;
        let record_route = if self.record_route { "record_route();" } else { "" };
        let refusal = self.refusal.map_or_else(String::new, |status| {
            format!("sl_send_reply(\"{status}\", \"As The Test Wants\"); exit;")
        });
        let mut branches = String::new();
        if !self.outward.is_empty() {
            branches += " else {\n";
        }
        for (index, to) in self.outward.iter().enumerate() {
            // The first is the request's own destination, the others are branches beside it.
            branches += &match index {
                0 => format!("$ru = \"sip:\" + $rU + \"@{to}\";\n"),
                _ => format!("append_branch(\"sip:$rU@{to}\");\n"),
            };
        }
        if !self.outward.is_empty() {
            branches += "}\n";
        }
        format!(
            r#"#!KAMAILIO
children=2
log_stderror=yes
debug=1
auto_aliases=no
listen=udp:{at}
listen=tcp:{at}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules:/usr/lib/aarch64-linux-gnu/kamailio/modules"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "corex.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if ($rm == "CANCEL") {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if ($rm == "ACK") {{ if (t_check_trans()) t_relay(); exit; }}
        sl_send_reply("404", "Not Here");
        exit;
    }}
    t_check_trans();
    {refusal}
    {record_route}
    if ($sp != {engine_port}) {{
        $du = "sip:{engine}";
    }}{branches}
    t_relay();
}}
"#,
            engine = self.inward,
            engine_port = self.inward.port(),
        )
    }

    /// Starts it, with its files in `dir`, and waits until it listens.
    pub fn start(&self, dir: &Path) -> Kamailio {
        let dir: PathBuf = dir.join(format!("kamailio-{}", self.at.port()));
        std::fs::create_dir_all(&dir).unwrap();
        let script = dir.join("kamailio.cfg");
        std::fs::write(&script, self.text()).unwrap();
        let mut process = Command::new("kamailio")
            .args(["-DD", "-E", "-e", "-m", "32", "-M", "4", "-f"])
            .arg(&script)
            .arg("-Y")
            .arg(&dir)
            .arg("-w")
            .arg(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("Kamailio does not start ({error}): tools/test installs it"));
        let (sender, said) = channel();
        let words = BufReader::new(process.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in words.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        wait_until_it_listens(self.at, || {
            if let Some(status) = process.try_wait().unwrap() {
                panic!(
                    "Kamailio ended with {status}: {:?}\n{}",
                    said.iter().collect::<Vec<_>>(),
                    self.text()
                );
            }
        });
        Kamailio { process, at: self.at }
    }
}

/// The kernel's table says when it listens: trying to bind the port would be in its way.
fn wait_until_it_listens(at: SocketAddr, mut look: impl FnMut()) {
    let entry = format!(":{:04X} ", at.port());
    let ends = std::time::Instant::now() + START_MAX;
    let nap = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    nap.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    while !std::fs::read_to_string("/proc/net/udp").unwrap().contains(&entry) {
        look();
        assert!(std::time::Instant::now() < ends, "Kamailio does not listen at {at}");
        let _ = nap.recv(&mut [0]);
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // SIGTERM: it ends its own children.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// Two addresses of loopback for a proxy and for whoever is behind it.
pub fn free_ports<const N: usize>() -> [SocketAddr; N] {
    std::array::from_fn(|_| free_port())
}
