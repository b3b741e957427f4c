//! Connections that we make: on demand, in order, and with certificates that say what they must.

use std::net::SocketAddr;
use std::sync::Arc;

use hotline::io::sip_socket::{Limits, Why};
use hotline::routing::plan::Tls;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, Signed, dir};
use crate::sockets::{Seen, Sockets};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_while_a_connection_is_made_leaves_in_order_and_by_one_connection() {
    for (listen, at) in [("tcp:127.0.0.1:0", "127.0.0.1:0"), ("tcp:[::1]:0", "[::1]:0")] {
        let far = TcpListener::bind(at).await.unwrap();
        let peer = far.local_addr().unwrap();
        let mut sockets = Sockets::bind(&[listen], Limits::default(), &Tls::default());
        let words: Vec<String> = (0..20).map(|number| format!("message {number};")).collect();
        words.iter().for_each(|word| sockets.send(0, peer, word, &[]));
        let (mut stream, _) = far.accept().await.unwrap();
        assert_eq!(sockets.next().await, Seen::Opened(peer, Vec::new()));
        let wanted = words.concat();
        let mut found = vec![0; wanted.len()];
        stream.read_exact(&mut found).await.unwrap();
        assert_eq!(String::from_utf8(found).unwrap(), wanted);
        // What comes back by it is heard, and what is sent later goes by it too.
        stream.write_all(b"OPTIONS sip:h SIP/2.0\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        assert!(matches!(sockets.next().await, Seen::Message(from, _) if from == peer));
        sockets.send(0, peer, "later", &[]);
        let mut found = [0; 5];
        stream.read_exact(&mut found).await.unwrap();
        assert_eq!(&found, b"later");
        drop(stream);
        assert_eq!(sockets.next().await, Seen::Closed(peer));
        // The next message makes a connection anew.
        sockets.send(0, peer, "again", &[]);
        let (mut stream, _) = far.accept().await.unwrap();
        stream.read_exact(&mut found).await.unwrap();
        assert_eq!(&found, b"again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_far_end_that_takes_no_connection_is_told_at_once() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut sockets = Sockets::bind(&["tcp:127.0.0.1:0"], Limits::default(), &Tls::default());
    sockets.send(0, nobody, "hello", &[]);
    assert_eq!(sockets.next().await, Seen::Closed(nobody));
    assert_eq!(sockets.ended(Why::Refused), 1);
}

fn name(path: &std::path::Path) -> Option<String> {
    Some(path.to_str().unwrap().to_owned())
}

/// A TLS server that tells the first bytes that it reads; asks for a certificate of `clients`.
async fn server(own: &Signed, clients: Option<&std::path::Path>) -> (SocketAddr, TcpListener, TlsAcceptor) {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Some(authority) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_file(&own.certificate).unwrap()];
    let config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_file(&own.key).unwrap()).unwrap();
    let far = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (far.local_addr().unwrap(), far, TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_must_be_signed_by_a_root_and_say_the_name_of_the_hop() {
    let dir = dir("outgoing");
    let (carriers, strangers) = (Authority::new("carriers"), Authority::new("strangers"));
    let roots = carriers.write(&dir, "roots.pem");
    let ours = Authority::new("ours");
    let own = ours.sign(&dir, "own", &["hotline.example"]);
    let own_ca = ours.write(&dir, "own-ca.pem");
    let by_name = carriers.sign(&dir, "name", &["carrier.example", "sbc.carrier.example"]);
    let by_address = carriers.sign(&dir, "address", &["127.0.0.1"]);
    let forged = strangers.sign(&dir, "forged", &["carrier.example", "127.0.0.1"]);
    let tls = Tls {
        certificate: name(&own.certificate),
        key: name(&own.key),
        roots: name(&roots),
        client_ca: None,
    };
    let rows: [(&Signed, &[&str], bool); 8] = [
        (&by_name, &["carrier.example"], true),
        (&by_name, &["carrier.example", "sbc.carrier.example"], true),
        (&by_name, &["carrier.example", "other.example"], false), // Trunks that share an address.
        (&by_name, &["other.example"], false),
        (&by_name, &[], false),
        (&by_address, &[], true),
        (&forged, &["carrier.example"], false),
        (&forged, &[], false),
    ];
    for (shown, names, good) in rows {
        let (peer, far, acceptor) = server(shown, Some(&own_ca)).await;
        let mut sockets = Sockets::bind(&["tls:127.0.0.1:0"], Limits::default(), &tls);
        sockets.send(0, peer, "secret", names);
        let heard = tokio::spawn(async move {
            let (socket, _) = far.accept().await.unwrap();
            let mut found = Vec::new();
            if let Ok(mut stream) = acceptor.accept(socket).await {
                let mut room = [0; 6];
                if stream.read_exact(&mut room).await.is_ok() {
                    found.extend(room);
                }
            }
            found
        });
        let seen = sockets.next().await;
        match good {
            true => assert!(matches!(seen, Seen::Opened(at, _) if at == peer), "{names:?}: {seen:?}"),
            false => assert_eq!(seen, Seen::Closed(peer), "{names:?}"),
        }
        let found = heard.await.unwrap();
        assert_eq!(found, if good { &b"secret"[..] } else { b"" }, "{names:?}");
    }
    std::fs::remove_dir_all(dir).unwrap();
}
