//! TLS for senders, without anything in front of the bridge.

use std::path::Path;

use super::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

/// Puts one of the certificates and its key where the bridge looks for them.
fn put(folder: &Path, name: &str) {
    for (ending, own) in [("pem", "tls.pem"), ("key", "tls.key")] {
        std::fs::copy(format!("{FIXTURES}/{name}.{ending}"), folder.join(own)).unwrap();
    }
}

/// A client that trusts this authority alone.
fn trusting(authority: &str) -> reqwest::Client {
    chatflow_bridge::chatflow::install_tls();
    let pem = std::fs::read(format!("{FIXTURES}/{authority}.pem")).unwrap();
    let authority = reqwest::Certificate::from_pem(&pem).unwrap();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .pool_max_idle_per_host(0)
        .tls_certs_only([authority])
        .build()
        .unwrap()
}

async fn post(bridge: &Bridge, client: &reqwest::Client) -> Result<u16, reqwest::Error> {
    let url = bridge.hook("crm").replace("http://", "https://");
    let sent =
        client.post(url).header("content-type", "application/json").body("{}").send().await?;
    Ok(sent.status().as_u16())
}

async fn bridge(folder: &Path) -> Bridge {
    bridge_with_patience("10s")
        .with_setting("server.tls.cert_file", &folder.join("tls.pem").display().to_string())
        .with_setting("server.tls.key_file", &folder.join("tls.key").display().to_string())
        .start()
        .await
}

#[actix_web::test]
async fn a_new_certificate_is_taken_while_it_runs_and_a_broken_one_leaves_the_old() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "server");
    let bridge = bridge(folder.path()).await;
    let (old, new) = (trusting("ca"), trusting("other-ca"));
    assert_eq!(post(&bridge, &old).await.unwrap(), 200);
    assert!(post(&bridge, &new).await.is_err());
    assert!(bridge.metric("tls_certificate_expiry_timestamp_seconds").await > 4e9);

    std::fs::write(folder.path().join("tls.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    bridge.until_metric("tls_reload_successful", 0.0).await;
    assert_eq!(post(&bridge, &old).await.unwrap(), 200);

    put(folder.path(), "other-server");
    bridge.until_metric("tls_reload_successful", 1.0).await;
    assert_eq!(post(&bridge, &new).await.unwrap(), 200);
    assert!(post(&bridge, &old).await.is_err());
    bridge.end().await;
}

#[actix_web::test]
async fn who_does_not_agree_on_tls_is_hung_up_on_and_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "server");
    let bridge = bridge(folder.path()).await;
    let client = trusting("ca");
    let mut silent = Vec::new();
    for said in ["\x16\x03\x01", "\x16", "GET / HTTP/1.1\r\n\r\n"] {
        for _ in 0..300 {
            let mut wire = Wire::to(&bridge).await;
            wire.say(said).await;
            silent.push(wire);
        }
    }

    for _ in 0..5 {
        let begun = Instant::now();
        assert_eq!(post(&bridge, &client).await.unwrap(), 200);
        assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    }

    for mut wire in silent {
        let mut heard = Vec::new();
        let end = wire.0.read_to_end(&mut heard);
        let ended = tokio::time::timeout(PATIENCE, end).await;
        assert!(ended.is_ok(), "it is ended");
        assert!(!heard.starts_with(b"HTTP"));
    }
    let ended = bridge.metric("intake_connections_ended_total{reason=\"tls_handshake\"}").await;
    assert!(ended >= 900.0, "{ended}");
    bridge.end().await;
}

#[actix_web::test]
async fn a_start_with_files_that_do_not_fit_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let start = || async {
        let started = bridge_with_patience("10s")
            .with_setting(
                "server.tls.cert_file",
                &folder.path().join("tls.pem").display().to_string(),
            )
            .with_setting(
                "server.tls.key_file",
                &folder.path().join("tls.key").display().to_string(),
            )
            .try_start()
            .await;
        started.err().expect("it does not start").to_string()
    };
    assert!(start().await.contains("tls.pem` cannot be read"));
    put(folder.path(), "server");
    std::fs::write(folder.path().join("tls.pem"), "").unwrap();
    assert!(start().await.contains("tls.pem` holds no certificate"));
    put(folder.path(), "server");
    std::fs::copy(format!("{FIXTURES}/other-server.key"), folder.path().join("tls.key")).unwrap();
    assert!(start().await.contains("do not fit together"));
    std::fs::write(folder.path().join("tls.key"), "nothing").unwrap();
    assert!(start().await.contains("tls.key` holds no private key"));
}
