//! The way to a program: name, connection, TLS where it is `wss://`, and the opening handshake (RFC 6455 §4.1).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::talk::TEXT_MAX;
use crate::call::BotEnd;
use crate::io::secrets;
use crate::routing::script::{Bot, is_near};

/// Sound that the kernel holds for a program that reads slowly: it is to be noticed in seconds.
const SEND_BUFFER: u32 = 16 * 1024;
/// Frames that are read at once.
const READ_BUFFER: usize = 4 * 1024;
/// Frames that are written at once, and what waits until they are.
const WRITE_MAX: usize = 2 * TEXT_MAX;

/// Bytes to and from a program.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A talk's connection.
pub(super) type Connection = WebSocketStream<Box<dyn Stream>>;

/// Why there is none: what the call is told, and the words for the log.
pub(super) struct NotThere {
    pub(super) end: BotEnd,
    pub(super) why: String,
}

fn out_of_reach(why: impl ToString) -> NotThere {
    NotThere { end: BotEnd::Unreachable, why: why.to_string() }
}

/// What connections have in common.
#[derive(Default)]
pub(super) struct Connector {
    /// Read once: the system's authorities.
    tls: Mutex<Option<Arc<ClientConfig>>>,
}

impl Connector {
    /// Takes as long as it takes: who waits for it gives up.
    pub(super) async fn connect(&self, bot: &Bot, data: &Path) -> Result<Connection, NotThere> {
        let request = request(bot, data).await?;
        let uri = request.uri().clone();
        let closed = uri.scheme_str() == Some("wss");
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if closed { 443 } else { 80 });
        let stream = open(&host, port, closed).await?;
        let stream: Box<dyn Stream> = match closed {
            false => Box::new(stream),
            true => {
                let name = ServerName::try_from(host).map_err(out_of_reach)?;
                let connector = TlsConnector::from(self.tls()?);
                Box::new(connector.connect(name, stream).await.map_err(out_of_reach)?)
            }
        };
        let (connection, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config()))
            .await
            .map_err(|error| NotThere { end: BotEnd::Refused, why: words_of(&error) })?;
        Ok(connection)
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, NotThere> {
        let mut known = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*known {
            return Ok(config.clone());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(out_of_reach)?
            .with_no_client_auth();
        Ok(known.insert(Arc::new(config)).clone())
    }
}

/// The handshake's request, with the secret as a bearer token (RFC 6750 §2.1). Its file is read aside.
async fn request(bot: &Bot, data: &Path) -> Result<Request, NotThere> {
    let mut request =
        bot.url.as_str().into_client_request().map_err(|error| out_of_reach(words_of(&error)))?;
    if let Some(secret) = bot.secret.clone() {
        let data = data.to_owned();
        let read = tokio::task::spawn_blocking(move || secrets::given(&secret, &data)).await;
        let token = read.map_err(out_of_reach)?.map_err(out_of_reach)?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| out_of_reach("the secret is no token"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// The first of the name's addresses that answers. What is in the clear goes to none that is not near.
async fn open(host: &str, port: u16, closed: bool) -> Result<TcpStream, NotThere> {
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => lookup_host((host, port)).await.map_err(out_of_reach)?.collect(),
    };
    let mut last = out_of_reach("no address, or in the clear to a public one");
    for at in found.into_iter().filter(|at| closed || is_near(at.ip())) {
        match dial(at).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = out_of_reach(error),
        }
    }
    Err(last)
}

async fn dial(at: SocketAddr) -> io::Result<TcpStream> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_send_buffer_size(SEND_BUFFER)?;
    let stream = socket.connect(at).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_MAX)
        .max_message_size(Some(TEXT_MAX))
        .max_frame_size(Some(TEXT_MAX))
}

/// What became of a handshake or a connection, without anything that was said in it.
pub(super) fn words_of(error: &Error) -> String {
    match error {
        Error::Http(answer) => format!("answered with {}", answer.status()),
        Error::Io(error) => error.to_string(),
        Error::Protocol(why) => why.to_string(),
        Error::Capacity(why) => why.to_string(),
        Error::Url(why) => why.to_string(),
        Error::ConnectionClosed | Error::AlreadyClosed => "closed".to_owned(),
        Error::Tls(_) => "TLS".to_owned(),
        Error::WriteBufferFull(_) => "it takes nothing".to_owned(),
        Error::Utf8(_) => "text that is no UTF-8".to_owned(),
        Error::AttackAttempt => "an answer that does not end".to_owned(),
        Error::HttpFormat(_) => "an answer that is no HTTP".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{RootCertStore, ServerConfig};
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// A program behind TLS, whose certificate names `localhost`; and a connector that trusts it.
    async fn behind_tls() -> (u16, Connector) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a pair");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("a certificate");
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(server));
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    if let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await {
                        let _ = socket.close(None).await;
                    }
                });
            }
        });
        (port, Connector { tls: Mutex::new(Some(Arc::new(client))) })
    }

    fn bot(url: String) -> Bot {
        Bot {
            id: "assistant".into(),
            url,
            secret: None,
            connect: Duration::from_secs(3),
            most: Duration::from_secs(40),
            music: None,
            says: Default::default(),
            rate: 8_000,
            show_caller: false,
        }
    }

    #[tokio::test]
    async fn over_tls_whoever_answers_must_be_who_the_url_names_and_be_vouched_for() {
        let (port, knows) = behind_tls().await;
        let end = async |connector: &Connector, host: &str| {
            let bot = bot(format!("wss://{host}:{port}/calls"));
            connector.connect(&bot, Path::new(".")).await.err().map(|absent| absent.end)
        };
        assert_eq!(end(&knows, "localhost").await, None);
        assert_eq!(end(&knows, "127.0.0.1").await, Some(BotEnd::Unreachable), "another name");
        assert_eq!(end(&Connector::default(), "localhost").await, Some(BotEnd::Unreachable), "a stranger");
        let clear = bot(format!("ws://127.0.0.1:{port}/"));
        let absent = knows.connect(&clear, Path::new(".")).await.err().map(|absent| absent.end);
        assert_eq!(absent, Some(BotEnd::Refused), "no WebSocket in the clear there");
    }

    #[test]
    fn what_is_in_the_clear_stays_near() {
        for (ip, near) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.16.0.1", true),
            ("192.168.1.1", true),
            ("169.254.1.1", true),
            ("::1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("::ffff:10.0.0.1", true),
            ("203.0.113.9", false),
            ("100.64.0.1", false),
            ("172.32.0.1", false),
            ("2001:db8::1", false),
            ("::ffff:203.0.113.9", false),
        ] {
            assert_eq!(is_near(ip.parse().expect("an address")), near, "{ip}");
        }
    }
}
