//! Certificates of SIP over TLS: read from files, exchanged while the house runs, and what the other
//! side's say (RFC 3261 §26.3.1, RFC 5922).
//!
//! A handshake uses what is in force when it begins. Files are looked at when the operator asks for
//! it and when their time changes; a faulty one changes nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::sync::Notify;

use crate::routing::plan::Tls;

/// Between two looks at the files' times.
pub const LOOK: Duration = Duration::from_secs(60);

/// Where the certificates are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Ours with its chain, and its key.
    own: Option<(PathBuf, PathBuf)>,
    /// Who signs those of whoever comes to us.
    client_ca: Option<PathBuf>,
    /// Who signs those of whomever we go to.
    roots: Option<PathBuf>,
}

/// Why certificates are of no use.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of the kind.
    #[error("证书文件 {path} 无法使用 / certificate file {path} is of no use: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The certificate and the key are not a pair.
    #[error("{certificate} 与 {key} 不配对或不可用 / {certificate} and {key} are no pair: {why}")]
    Pair {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        why: rustls::Error,
    },
    /// A TLS listener has none.
    #[error("tls 监听没有证书 / a tls listener without a certificate")]
    Missing,
}

/// What the files hold, ready for handshakes.
#[derive(Default)]
pub(super) struct Loaded {
    /// For whoever comes, without asking for a certificate.
    open: Option<Arc<ServerConfig>>,
    /// The same, asking for one.
    mutual: Option<Arc<ServerConfig>>,
    /// For whomever we go to.
    client: Option<Arc<ClientConfig>>,
    times: Vec<Option<SystemTime>>,
}

/// The certificates in force.
pub struct Certificates {
    files: Mutex<Files>,
    loaded: Mutex<Arc<Loaded>>,
    asked: Notify,
}

impl Files {
    /// As the plan names them, relative to the data directory unless absolute.
    pub fn of(plan: &Tls, data: &Path) -> Files {
        let path = |name: &Option<String>| name.as_ref().map(|name| data.join(name));
        Files {
            own: path(&plan.certificate).zip(path(&plan.key)),
            client_ca: path(&plan.client_ca),
            roots: path(&plan.roots),
        }
    }

    fn times(&self) -> Vec<Option<SystemTime>> {
        let own = self.own.iter().flat_map(|(certificate, key)| [certificate, key]);
        own.chain(&self.client_ca)
            .chain(&self.roots)
            .map(|path| std::fs::metadata(path).and_then(|about| about.modified()).ok())
            .collect()
    }

    fn load(&self) -> Result<Loaded, TlsError> {
        let times = self.times(); // Before the reading: what changes meanwhile is read again.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (mut open, mut mutual) = (None, None);
        if self.own.is_some() {
            open = Some(Arc::new(self.server(&provider, None)?));
            if let Some(authority) = &self.client_ca {
                mutual = Some(Arc::new(self.server(&provider, Some(authority))?));
            }
        }
        let client = match &self.roots {
            Some(roots) => Some(Arc::new(self.client(&provider, roots)?)),
            None => None,
        };
        Ok(Loaded { open, mutual, client, times })
    }

    fn identity(&self) -> Result<Option<Identity>, TlsError> {
        let Some((certificate, key)) = &self.own else { return Ok(None) };
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| TlsError::File { path: key.clone(), why: error.to_string() })?;
        Ok(Some((certificates(certificate)?, private)))
    }

    fn unpaired(&self, why: rustls::Error) -> TlsError {
        let (certificate, key) = self.own.clone().unwrap_or_default();
        TlsError::Pair { certificate, key, why }
    }

    fn server(
        &self,
        provider: &Arc<CryptoProvider>,
        authority: Option<&Path>,
    ) -> Result<ServerConfig, TlsError> {
        let (chain, key) = self.identity()?.ok_or(TlsError::Missing)?;
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|why| self.unpaired(why))?;
        let builder = match authority {
            Some(path) => {
                let roots = Arc::new(authorities(path)?);
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
                        .build()
                        .map_err(|error| TlsError::File { path: path.into(), why: error.to_string() })?;
                builder.with_client_cert_verifier(verifier)
            }
            None => builder.with_no_client_auth(),
        };
        builder.with_single_cert(chain, key).map_err(|why| self.unpaired(why))
    }

    fn client(&self, provider: &Arc<CryptoProvider>, roots: &Path) -> Result<ClientConfig, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|why| self.unpaired(why))?
            .with_root_certificates(authorities(roots)?);
        match self.identity()? {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|why| self.unpaired(why)),
            None => Ok(builder.with_no_client_auth()),
        }
    }
}

/// A chain and its key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let useless = |why: String| TlsError::File { path: path.into(), why };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| useless(error.to_string()))?;
    let chain: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| useless(error.to_string()))?;
    if chain.is_empty() { Err(useless("没有证书 / holds no certificate".into())) } else { Ok(chain) }
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::File { path: path.into(), why: error.to_string() })?;
    }
    Ok(roots)
}

impl Certificates {
    /// Reads the files; a house does not open with faulty ones.
    pub fn open(files: Files) -> Result<Arc<Self>, TlsError> {
        let loaded = files.load()?;
        Ok(Arc::new(Certificates {
            files: Mutex::new(files),
            loaded: Mutex::new(Arc::new(loaded)),
            asked: Notify::new(),
        }))
    }

    /// Reads them again now, or others from now on.
    pub fn renew(&self, files: Option<Files>) {
        if let Some(files) = files {
            *self.files.lock().unwrap_or_else(PoisonError::into_inner) = files;
        }
        self.asked.notify_one();
    }

    /// Looks at the files when asked, and every `pause` whether they have changed. Never ends.
    pub async fn watch(self: Arc<Self>, pause: Duration) {
        loop {
            let asked = tokio::select! {
                () = self.asked.notified() => true,
                () = tokio::time::sleep(pause) => false,
            };
            let keeper = self.clone();
            // It fails where the runtime ends, and then nothing is wanted any more.
            let _ = tokio::task::spawn_blocking(move || keeper.look(asked)).await;
        }
    }

    /// Takes the files in if they have changed, or were asked for.
    fn look(&self, asked: bool) {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let times = files.times();
        if !asked && times == self.loaded().times {
            return;
        }
        match files.load() {
            Ok(loaded) => {
                tracing::info!("certificates were read: they are for the connections to come");
                *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
            }
            Err(error) => {
                tracing::error!(%error, "the certificates stay as they are");
                // Complained of once, and read again when it is another file.
                let old = self.loaded();
                let kept = Loaded {
                    open: old.open.clone(),
                    mutual: old.mutual.clone(),
                    client: old.client.clone(),
                    times,
                };
                *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(kept);
            }
        }
    }

    fn loaded(&self) -> Arc<Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For whoever comes to a listener. `asks`: what the plan says on client certificates, else they
    /// are asked for where there is an authority for them.
    pub(super) fn server(&self, asks: Option<bool>) -> Option<Arc<ServerConfig>> {
        let loaded = self.loaded();
        match asks {
            Some(true) => loaded.mutual.clone(),
            Some(false) => loaded.open.clone(),
            None => loaded.mutual.clone().or_else(|| loaded.open.clone()),
        }
    }

    /// For whomever we go to.
    pub(super) fn client(&self) -> Option<Arc<ClientConfig>> {
        self.loaded().client.clone()
    }
}

/// The name to ask for in a handshake: the first that the plan has for the address, or else the
/// address itself.
pub(super) fn server_name(names: &[Arc<str>], at: std::net::IpAddr) -> io::Result<ServerName<'static>> {
    match names.first() {
        Some(name) => ServerName::try_from(name.to_string()).map_err(io::Error::other),
        None => Ok(ServerName::IpAddress(at.into())),
    }
}

/// Whether a certificate, already verified, says every one of `names`: trunks that share an address
/// share its connection, and none of them may be spoken to at another's word.
pub(super) fn says_all(chain: Option<&[CertificateDer<'_>]>, names: &[Arc<str>]) -> io::Result<()> {
    let Some(first) = chain.and_then(<[_]>::first) else { return Err(io::ErrorKind::InvalidData.into()) };
    let certificate = ParsedCertificate::try_from(first).map_err(io::Error::other)?;
    for name in names {
        let name = ServerName::try_from(name.to_string()).map_err(io::Error::other)?;
        verify_server_name(&certificate, &name).map_err(io::Error::other)?;
    }
    Ok(())
}

/// The subjectAltName DNS names of a verified certificate.
pub(super) fn names_of(chain: Option<&[CertificateDer<'_>]>) -> Vec<String> {
    let first = chain.and_then(<[_]>::first);
    let Some(certificate) = first.and_then(|first| webpki::EndEntityCert::try_from(first).ok()) else {
        return Vec::new();
    };
    certificate.valid_dns_names().map(str::to_owned).collect()
}
