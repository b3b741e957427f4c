//! A far end over a stream, with a reader of its own: the engine is not tested by its own framing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::authority::Signed;

/// Nothing that a test waits for takes longer.
pub const PATIENCE: Duration = Duration::from_secs(40);

trait Both: Read + Write + Send {}
impl<T: Read + Write + Send> Both for T {}

pub struct Client {
    stream: Box<dyn Both>,
    read: Vec<u8>,
    pub here: SocketAddr,
    pub there: SocketAddr,
    via: &'static str,
    calls: u32,
}

pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                       m=audio 19998 RTP/AVP 8\r\na=ptime:20\r\n";

fn socket(at: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect_timeout(&at, PATIENCE).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

impl Client {
    pub fn tcp(at: SocketAddr) -> Client {
        Client::over(socket(at))
    }

    /// A connection that was accepted.
    pub fn over(socket: TcpStream) -> Client {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let (here, there) = (socket.local_addr().unwrap(), socket.peer_addr().unwrap());
        Client { stream: Box::new(socket), read: Vec::new(), here, there, via: "TCP", calls: 0 }
    }

    /// Over TLS; fails where the handshake does, on either side.
    pub fn tls(
        at: SocketAddr,
        name: &str,
        authority: &Path,
        own: Option<&Signed>,
    ) -> Result<Client, std::io::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match own {
            Some(own) => {
                let chain = vec![CertificateDer::from_pem_file(&own.certificate).unwrap()];
                let key = PrivateKeyDer::from_pem_file(&own.key).unwrap();
                config.with_client_auth_cert(chain, key).unwrap()
            }
            None => config.with_no_client_auth(),
        };
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = socket(at);
        let (here, there) = (socket.local_addr().unwrap(), socket.peer_addr().unwrap());
        let mut stream = StreamOwned::new(session, socket);
        // The server's word on our certificate comes behind the handshake: a pong shows that it is good.
        stream.write_all(b"\r\n\r\n")?;
        let mut pong = [0; 2];
        stream.read_exact(&mut pong)?;
        assert_eq!(&pong, b"\r\n");
        Ok(Client { stream: Box::new(stream), read: Vec::new(), here, there, via: "TLS", calls: 0 })
    }

    pub fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).unwrap();
        self.stream.flush().unwrap();
    }

    /// The next message; `None` where the connection is closed.
    pub fn hear(&mut self) -> Option<String> {
        loop {
            if let Some(message) = self.cut() {
                return Some(message);
            }
            let mut room = [0; 4_096];
            match self.stream.read(&mut room) {
                Ok(0) => return None,
                Ok(count) => self.read.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("nothing within {PATIENCE:?}")
                }
                Err(_) => return None,
            }
        }
    }

    fn cut(&mut self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.read).into_owned();
        let head = text.find("\r\n\r\n")? + 4;
        let length: usize = field(&text, "Content-Length").map_or(0, |length| length.parse().unwrap());
        if self.read.len() < head + length {
            return None;
        }
        let message: Vec<u8> = self.read.drain(..head + length).collect();
        Some(String::from_utf8(message).unwrap())
    }

    /// The next message whose first line says `what`; others before it are passed over.
    pub fn until(&mut self, what: &str) -> String {
        loop {
            let message = self.hear().unwrap_or_else(|| panic!("closed before {what}"));
            if message.lines().next().unwrap().contains(what) {
                return message;
            }
        }
    }

    /// A request of ours; `to` with the far end's tag inside a dialog.
    pub fn request(&self, method: &str, to: &str, seq: u32, more: &str, body: &str) -> String {
        let (here, there, call) = (self.here, self.there, self.calls);
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let count = body.len();
        let number = if method == "ACK" || method == "CANCEL" { "INVITE" } else { method };
        let branch = if method == "ACK" { "ack" } else { number };
        format!(
            "{method} sip:12345@{there} SIP/2.0\r\n\
             Via: SIP/2.0/{} {here};branch=z9hG4bK{branch}{seq}x{call}x{}\r\nMax-Forwards: 70\r\n\
             From: <sip:13800000042@{here}>;tag=t{call}\r\nTo: {to}\r\nCall-ID: {call}@{here}\r\n\
             CSeq: {seq} {method}\r\nContact: <sip:caller@{here};transport={}>\r\n{more}{kind}\
             Content-Length: {count}\r\n\r\n{body}",
            self.via,
            here.port(),
            self.via.to_lowercase(),
        )
    }

    /// A call to `number` up to our ACK; the To of its dialog.
    pub fn call(&mut self, number: &str) -> String {
        self.calls += 1;
        let to = format!("<sip:{number}@{}>", self.there);
        let invite = self.request("INVITE", &to, 1, "", SDP);
        self.send(invite.replace("sip:12345@", &format!("sip:{number}@")));
        let ok = self.until("200 OK");
        assert!(ok.contains(&format!("transport={}>", self.via.to_lowercase())), "{ok}");
        let to = field(&ok, "To").unwrap();
        let ack = self.request("ACK", &to, 1, "", "");
        self.send(ack);
        to
    }

    /// 200 to a request of theirs.
    pub fn accept(&mut self, request: &str, body: &str) {
        let ok = reply(request, "200 OK", &format!("sip:1001@{};transport=tcp", self.here), body);
        self.send(ok);
    }
}

/// A header's value.
pub fn field(message: &str, name: &str) -> Option<String> {
    let line =
        message.lines().find(|line| line.split(':').next().is_some_and(|front| front.trim() == name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// An answer to a request of theirs.
pub fn reply(request: &str, status: &str, contact: &str, body: &str) -> String {
    let same = |name| field(request, name).unwrap();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let to = same("To");
    let tag = if to.contains(";tag=") { "" } else { ";tag=far" };
    format!(
        "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <{contact}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        same("Via"),
        same("From"),
        same("Call-ID"),
        same("CSeq"),
        body.len()
    )
}
