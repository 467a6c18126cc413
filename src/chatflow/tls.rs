//! Whom the client trusts, and the HTTP client made from it.
//!
//! The system's certificates come first; where it has none (an image without a CA bundle) the embedded ones of
//! Mozilla stand in. `chatflow.ca_file` is trusted beside either.

use std::fs;
use std::sync::Once;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Proxy};

use super::client::Unusable;
use super::settings::ChatflowSettings;

/// Below the keep-alive of most front ends, so that few requests meet a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(20);

/// Chooses the cryptography of every TLS connection of the process; once, whoever calls it how often.
pub fn install_tls() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error says that the program chose another one before, which serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

/// The HTTP client for these settings, with so many idle connections kept.
pub(super) fn http_client(
    settings: &ChatflowSettings,
    connections: usize,
) -> Result<reqwest::Client, Unusable> {
    install_tls();
    let extra = certificates(settings)?;
    let proxy = proxy(settings)?;
    let builder = || {
        let builder = ClientBuilder::new()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(concat!("chatflow-bridge/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout.0)
            .timeout(settings.timeout.0)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(connections)
            .tcp_nodelay(true)
            .no_proxy();
        match &proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    };

    // Plain http to this machine never meets TLS: reading the system's certificates would be time for nothing.
    if !settings.base_url.is_secure() && proxy.is_none() {
        return builder().tls_certs_only(extra).build().map_err(unusable);
    }
    match (builder().build(), extra.is_empty()) {
        (Ok(client), true) => Ok(client),
        (Ok(_), false) => builder().tls_certs_merge(extra).build().map_err(unusable),
        (Err(_), _) => {
            let roots = embedded().chain(extra);
            builder().tls_certs_only(roots).build().map_err(unusable)
        }
    }
}

fn embedded() -> impl Iterator<Item = Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
}

fn certificates(settings: &ChatflowSettings) -> Result<Vec<Certificate>, Unusable> {
    let Some(path) = &settings.ca_file else { return Ok(Vec::new()) };
    let pem = fs::read(path)
        .map_err(|source| Unusable::CaFile { path: path.clone(), reason: source.to_string() })?;
    let none = "it holds no certificate in PEM form".to_owned();
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Unusable::CaFile { path: path.clone(), reason: none }),
    }
}

fn proxy(settings: &ChatflowSettings) -> Result<Option<Proxy>, Unusable> {
    let Some(url) = &settings.proxy else { return Ok(None) };
    Proxy::all(url.expose()).map(Some).map_err(|_| Unusable::Proxy)
}

fn unusable(error: reqwest::Error) -> Unusable {
    Unusable::Tls(error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_ca_file_without_certificates_and_a_bad_proxy_are_named() {
        let mut empty = tempfile::NamedTempFile::new().unwrap();
        empty.write_all(b"nothing here").unwrap();
        let with_ca = |path: &std::path::Path| ChatflowSettings {
            ca_file: Some(path.to_owned()),
            ..ChatflowSettings::default()
        };
        let proxy = ChatflowSettings {
            proxy: Some(crate::secret::Secret::new("http://u:marker@")),
            ..ChatflowSettings::default()
        };

        let error = |settings: &ChatflowSettings| http_client(settings, 1).unwrap_err().to_string();
        assert!(error(&with_ca(empty.path())).contains("no certificate in PEM form"));
        assert!(error(&with_ca("/nowhere/ca.pem".as_ref())).contains("`/nowhere/ca.pem`"));
        assert!(error(&proxy).starts_with("`chatflow.proxy`"));
        assert!(!error(&proxy).contains("marker"));
    }

    #[test]
    fn the_embedded_certificates_make_a_client() {
        install_tls();

        assert!(embedded().count() > 50);
        assert!(ClientBuilder::new().tls_certs_only(embedded()).build().is_ok());
    }
}
