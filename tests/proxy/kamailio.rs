//! Kamailio as the carrier's proxy: a process of its own with a script of the test's making.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::authority::Signed;
use crate::sipp::free_port;

/// How often it is started before its words are ours.
const STARTS_MAX: usize = 3;
/// How long it may take to start.
const START_MAX: Duration = Duration::from_secs(20);

/// A running proxy, ended when the test is.
pub struct Kamailio {
    process: Child,
    pub at: SocketAddr,
    said: Receiver<String>,
}

/// What it does with a request that begins a dialog: a call to 12345 goes to the engine, one to any
/// other number to the desks.
pub struct Script {
    at: SocketAddr,
    record_route: bool,
    inward: String,
    /// What is not for the engine goes to all of these at once.
    outward: Vec<SocketAddr>,
    session_id: bool,
    tls: String,
    refusal: Option<(u16, &'static str)>,
    algorithm: Option<&'static str>,
}

/// Whom it believes: user, password and realm.
pub const ACCOUNT: [&str; 3] = ["puyang-hotline", "zhao shang; 12345", "carrier.example"];

impl Script {
    /// Calls to 12345 go to the engine at `inward`, all others to all of `outward` at once.
    pub fn new(at: SocketAddr, inward: SocketAddr, outward: &[SocketAddr]) -> Script {
        let inward = format!("$du = \"sip:{inward}\";");
        let outward = outward.to_vec();
        Script {
            at,
            record_route: true,
            inward,
            outward,
            session_id: true,
            tls: String::new(),
            refusal: None,
            algorithm: None,
        }
    }

    /// It leaves the dialog after the INVITE.
    pub fn without_record_route(mut self) -> Script {
        self.record_route = false;
        self
    }

    /// What is not for the engine goes to all of these at once.
    pub fn outward(mut self, desks: &[SocketAddr]) -> Script {
        self.outward = desks.to_vec();
        self
    }

    /// It hands on no Session-ID.
    pub fn without_session_id(mut self) -> Script {
        self.session_id = false;
        self
    }

    /// It takes no calls: this status, with a header line.
    pub fn refusing(mut self, status: u16, line: &'static str) -> Script {
        self.refusal = Some((status, line));
        self
    }

    /// It calls the engine by this transport.
    pub fn by(mut self, transport: &str, inward: SocketAddr) -> Script {
        self.inward = format!("$du = \"sip:{inward};transport={transport}\";");
        self
    }

    /// It takes connections over TLS at `at`, and knows others by certificates of `authority`, whichever
    /// side connects. By itself Kamailio speaks TLS 1.0 and no other, which the engine does not (RFC 8996).
    pub fn with_tls(mut self, at: SocketAddr, own: &Signed, authority: &Path) -> Script {
        let (certificate, key, authority) =
            (own.certificate.display(), own.key.display(), authority.display());
        self.tls = format!(
            "enable_tls=yes\nlisten=tls:{at}\nloadmodule \"tls.so\"\n\
             modparam(\"tls\", \"tls_method\", \"TLSv1.2+\")\n\
             modparam(\"tls\", \"certificate\", \"{certificate}\")\n\
             modparam(\"tls\", \"private_key\", \"{key}\")\n\
             modparam(\"tls\", \"ca_list\", \"{authority}\")\n\
             modparam(\"tls\", \"verify_certificate\", 1)\n\
             modparam(\"tls\", \"require_certificate\", 1)\n"
        );
        self
    }

    /// One that wants to know who calls out (407) and who registers (401), by this digest algorithm;
    /// calls to 12345 go to whoever registered.
    pub fn registrar(at: SocketAddr, outward: &[SocketAddr], algorithm: &'static str) -> Script {
        let [user, ..] = ACCOUNT;
        let inward = format!(
            "$rU = \"{user}\"; if (!lookup(\"location\")) {{ send_reply(\"404\", \"Away\"); exit; }}"
        );
        Script { inward, algorithm: Some(algorithm), ..Script::new(at, at, outward) }
    }

    fn text(&self) -> String {
        let at = self.at;
        let record_route = if self.record_route { "record_route();" } else { "" };
        let refusal = self.refusal.map_or_else(String::new, |(status, line)| {
            format!(
                "append_to_reply(\"{line}\\r\\n\"); send_reply(\"{status}\", \"As The Test Wants\"); exit;"
            )
        });
        let hides = if self.session_id { "" } else { "remove_hf(\"Session-ID\");" };
        let [_, password, realm] = ACCOUNT;
        let prove = |kind: &str| {
            format!(
                "if (!pv_{kind}_authenticate(\"{realm}\", \"{password}\", \"0\")) \
                 {{ {kind}_challenge(\"{realm}\", \"1\"); exit; }} consume_credentials();"
            )
        };
        let asks = if self.algorithm.is_some() { prove("proxy") } else { String::new() };
        let registers = if self.algorithm.is_some() {
            prove("www") + "save(\"location\"); xlog(\"L_NOTICE\", \"registered $fU\\n\"); exit;"
        } else {
            "sl_send_reply(\"405\", \"No Registrar\"); exit;".to_owned()
        };
        let algorithm = self.algorithm.unwrap_or("MD5");
        // The first is the request's own destination, the others are branches beside it.
        let branches = self.outward.iter().enumerate().map(|(index, to)| match index {
            0 => format!("$ru = \"sip:\" + $rU + \"@{to}\";\n"),
            _ => format!("append_branch(\"sip:$rU@{to}\");\n"),
        });
        format!(
            r#"#!KAMAILIO
children=2
tcp_children=1
log_stderror=yes
debug=1
auto_aliases=no
listen=udp:{at}
listen=tcp:{at}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules:/usr/lib/aarch64-linux-gnu/kamailio/modules"
loadmodule "sl.so"
loadmodule "tm.so"
{tls}loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "corex.so"
loadmodule "xlog.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("auth", "algorithm", "{algorithm}")
modparam("usrloc", "db_mode", 0)
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if ($rm == "CANCEL") {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if ($rm == "ACK") {{ if (t_check_trans()) t_relay(); exit; }}
        sl_send_reply("404", "Not Here");
        exit;
    }}
    if ($rm == "ACK") {{ t_check_trans(); exit; }}
    if ($rm == "REGISTER") {{ {registers} }}
    t_check_trans();
    xlog("L_NOTICE", "begun $rm $rU\n");
    {refusal}
    {hides}
    {record_route}
    if ($rU == "12345") {{
        {inward}
    }} else {{
        {asks}
        {branches}
        xlog("L_NOTICE", "outward $rU\n");
    }}
    t_relay();
}}
reply_route {{
    xlog("L_NOTICE", "answered $rs to $rm\n");
}}
"#,
            tls = self.tls,
            inward = self.inward,
            branches = branches.collect::<String>(),
        )
    }

    /// Starts it, with its files in `dir`, and waits until it listens. A port that was free when it was
    /// chosen may be somebody's for a moment: then it is tried again.
    pub fn start(&self, dir: &Path) -> Kamailio {
        let tries = (1..STARTS_MAX).find_map(|_| self.try_to_start(dir).ok());
        tries.unwrap_or_else(|| self.try_to_start(dir).unwrap_or_else(|why| panic!("{why}")))
    }

    fn try_to_start(&self, dir: &Path) -> Result<Kamailio, String> {
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
            // Its children are ended with it.
            .process_group(0)
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
        wait_until_it_listens(self.at, || match process.try_wait().unwrap() {
            Some(status) => {
                let said: Vec<String> = said.iter().collect();
                Err(format!("Kamailio ended with {status}: {said:?}\n{}", self.text()))
            }
            None => Ok(()),
        })?;
        Ok(Kamailio { process, at: self.at, said })
    }
}

impl Kamailio {
    /// Waits until its log has these words.
    pub fn until_it_says(&self, words: &str) {
        let ends = Instant::now() + START_MAX;
        loop {
            match self.said.recv_timeout(ends.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(words) => return,
                Ok(_) => {}
                Err(error) => panic!("Kamailio never said {words:?}: {error}"),
            }
        }
    }

    /// How many of the lines that it has logged since have these words.
    pub fn count(&self, words: &str) -> usize {
        self.said.try_iter().filter(|line| line.contains(words)).count()
    }
}

/// The kernel's table says when it listens: trying to bind the port would be in its way.
fn wait_until_it_listens(at: SocketAddr, mut look: impl FnMut() -> Result<(), String>) -> Result<(), String> {
    let entry = format!(":{:04X} ", at.port());
    let ends = Instant::now() + START_MAX;
    let nap = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    nap.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    while !std::fs::read_to_string("/proc/net/udp").unwrap().contains(&entry) {
        look()?;
        assert!(Instant::now() < ends, "Kamailio does not listen at {at}");
        let _ = nap.recv(&mut [0]);
    }
    Ok(())
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // It has nothing to put in order, and its orderly end may take it a minute.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("Kamailio: {:#?}", self.said.try_iter().collect::<Vec<_>>());
        }
    }
}

/// Addresses of loopback for proxies and whoever is behind them.
pub fn free_ports<const N: usize>() -> [SocketAddr; N] {
    std::array::from_fn(|_| free_port())
}
