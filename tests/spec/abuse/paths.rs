//! Paths and hosts that are meant to lead elsewhere.

use super::*;

#[actix_web::test]
async fn no_spelling_of_a_path_leads_anywhere_but_to_a_source() {
    let bridge = bridge_with_patience("2s").start().await;
    for path in [
        "/",
        "//",
        "/hooks",
        "/hooks/",
        "/hooks//crm",
        "//hooks/crm",
        "/hooks/crm/",
        "/hooks/crm//",
        "/hooks/crm/token",
        "/hooks/crm/../crm",
        "/hooks/./crm",
        "/hooks/%2e%2e/hooks/crm",
        "/hooks/..%2fhooks%2fcrm",
        "/hooks%2Fcrm",
        "/hooks/crm%2F",
        "/hooks/crm%00",
        "/hooks/crm;a=b",
        "/hooks;/crm",
        "/hooks/CRM",
        "/hooks/crm%20",
        "/hooks/unknown",
        "/hooks/%",
        "/hooks/%zz",
        "/hooks/%f0%9f",
        "/metrics",
        "/healthz",
        "/readyz",
        "/api/status",
        "/hooks/../metrics",
        "/hooks/../api/status",
        "/hooks/%2e%2e/api/status",
        "/..;/api/status",
        "*",
        "/api/events",
        "http://127.0.0.1:9091/api/status",
        "http://localhost/metrics",
        "http://a/hooks/../api/status",
    ] {
        for method in ["POST", "GET"] {
            let mut wire = Wire::to(&bridge).await;
            wire.say(request(&format!("{method} {path}"), "{}")).await;
            wire.fall_silent().await;
            let heard = wire.hear_to_the_end().await;
            assert!(matches!(statuses(&heard)[..], ["404" | "400"]), "{method} {path}: {heard}");
            assert!(!heard.contains("chatflow_bridge_"), "{heard}");
        }
    }
    honest_senders_are_answered(&bridge).await;
    bridge.end().await;
}

#[actix_web::test]
async fn neither_a_host_nor_a_token_opens_the_other_listeners_from_here() {
    let bridge = bridge_with_patience("2s").start().await;
    let addresses = bridge.addresses();
    for (path, host) in [
        ("/api/status", addresses.admin.to_string()),
        ("/api/status", "localhost".to_owned()),
        ("/metrics", addresses.metrics.to_string()),
        ("/healthz", addresses.metrics.to_string()),
    ] {
        for target in [path.to_owned(), format!("http://{host}{path}")] {
            let token = bridge.admin_token();
            let mut wire = Wire::to(&bridge).await;
            wire.say(format!(
                "GET {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: {host}\r\nX-Original-URL: {path}\r\nX-Rewrite-URL: {path}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
            ))
            .await;
            let heard = wire.hear_to_the_end().await;
            assert_eq!(statuses(&heard), ["404"], "{target} {host}: {heard}");
        }
    }
    bridge.end().await;
}
