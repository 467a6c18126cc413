//! TLS for senders: a certificate and a key from files that are read again when they change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::settings::TlsSettings;
use crate::telemetry::metrics::Metrics;
use crate::webhook::verify::not_after;

/// How often the files are looked at: a Kubernetes secret changes within a minute anyway.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why a certificate and its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// One of the files.
    #[error("`{}` cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The first file.
    #[error("`{}` holds no certificate: expected PEM, `-----BEGIN CERTIFICATE-----`", .0.display())]
    NoCertificate(PathBuf),
    /// The second file.
    #[error("`{}` holds no private key: expected PEM, `-----BEGIN PRIVATE KEY-----`", .0.display())]
    NoKey(PathBuf),
    /// Both, together.
    #[error("`server.tls.cert_file` and `.key_file` do not fit together: {0}")]
    Unfit(#[from] rustls::Error),
}

/// The certificate in force.
pub(super) struct Tls {
    files: Files,
    config: ArcSwap<ServerConfig>,
    metrics: Arc<Metrics>,
}

/// Where the certificate and its key are.
#[derive(Debug, Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What stood in them.
struct Read {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// Reads the files of the settings; nothing where none are named.
    pub(super) fn new(
        settings: &TlsSettings,
        metrics: &Arc<Metrics>,
    ) -> Result<Option<Arc<Self>>, Unusable> {
        let (Some(certificate), Some(key)) = (&settings.cert_file, &settings.key_file) else {
            return Ok(None);
        };
        let files = Files { certificate: certificate.clone(), key: key.clone() };
        let read = files.read()?;
        let tls = Self {
            config: ArcSwap::from_pointee(files.config(&read)?),
            files,
            metrics: Arc::clone(metrics),
        };
        tls.tell(&read);
        Ok(Some(Arc::new(tls)))
    }

    /// What agrees on TLS with the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }

    /// Tells that these are in force, and until when they hold.
    fn tell(&self, read: &Read) {
        self.metrics.tls_reload_successful.with_label_values::<&str>(&[]).set(1);
        let first = CertificateDer::pem_slice_iter(&read.certificate).next();
        let until = first.and_then(Result::ok).and_then(|certificate| not_after(&certificate));
        if let Some(until) = until {
            let expiry = &self.metrics.tls_certificate_expiry_timestamp_seconds;
            expiry.with_label_values::<&str>(&[]).set(until.as_second());
        }
    }
}

/// Follows the files of a certificate, if there is one: what is fit counts for the next connections, what is not
/// leaves the old one in force.
pub(super) async fn follow(tls: Option<Arc<Tls>>, stop: CancellationToken) {
    let Some(tls) = tls else { return };
    let mut known = tls.files.read().map(|read| read.hash()).ok();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let read = tls.files.read();
        let found = read.as_ref().map(Read::hash).ok();
        if found == known {
            continue;
        }
        known = found;
        let config = read.and_then(|read| Ok((tls.files.config(&read)?, read)));
        match config {
            Ok((config, read)) => {
                tls.config.store(Arc::new(config));
                tls.tell(&read);
                tracing::info!("the TLS files changed, the new certificate is in force");
            }
            Err(error) => {
                tls.metrics.tls_reload_successful.with_label_values::<&str>(&[]).set(0);
                tracing::error!(%error, "the TLS files changed and cannot be used, the old certificate stays in force");
            }
        }
    }
}

impl Read {
    fn hash(&self) -> [u8; 32] {
        let parts = [&self.certificate, &self.key].map(Sha256::digest);
        Sha256::digest(parts.concat()).into()
    }
}

impl Files {
    fn read(&self) -> Result<Read, Unusable> {
        let read = |path: &Path| {
            std::fs::read(path)
                .map_err(|error| Unusable::Unreadable { path: path.to_owned(), error })
        };
        Ok(Read { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }

    fn config(&self, read: &Read) -> Result<ServerConfig, Unusable> {
        let no_certificate = || Unusable::NoCertificate(self.certificate.clone());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read.certificate).collect();
        let chain = chain.map_err(|_| no_certificate())?;
        if chain.is_empty() {
            return Err(no_certificate());
        }
        let key = PrivateKeyDer::from_pem_slice(&read.key)
            .map_err(|_| Unusable::NoKey(self.key.clone()))?;
        let mut config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
