//! Secrets are read again when they change.

use super::{add_contacts, event, hash, until, writing};
use crate::harness::Bridge;

#[tokio::test]
async fn a_changed_secret_file_is_in_force_without_a_restart() {
    let secrets = tempfile::tempdir().unwrap();
    let (secret, token) = (secrets.path().join("hook"), secrets.path().join("token"));
    std::fs::write(&secret, "first-secret\n").unwrap();
    std::fs::write(&token, "first-token\n").unwrap();
    let verify =
        format!("verify: {{ token: {{ in: path, secret: \"file:{}\" }} }}", secret.display());
    let bridge = Bridge::with_mapping("crm", &writing("one").replacen("verify: none", &verify, 1))
        .with_setting("admin.token_file", token.to_str().unwrap())
        .start()
        .await;
    add_contacts(&bridge.chatflow);
    let before = hash(&bridge).await;
    let status = async |path: &str| bridge.post(path, &event()).await.status;
    assert_eq!((status("crm/first-secret").await, status("crm/second-secret").await), (200, 401));

    std::fs::write(&secret, "second-secret\n").unwrap();
    until("the second secret", async || status("crm/second-secret").await == 200).await;
    assert_eq!(status("crm/first-secret").await, 401);

    std::fs::remove_file(&secret).unwrap();
    until("closed without a secret", async || status("crm/second-secret").await == 503).await;
    assert!(bridge.metric("source_up{source=\"crm\"}").await < 0.5);
    std::fs::write(&secret, "third-secret\n").unwrap();
    bridge.live().reload().await;
    assert_eq!(status("crm/third-secret").await, 200, "at once when told to");

    assert_eq!(hash(&bridge).await, before);
    std::fs::write(&token, "second-token\n").unwrap();
    let admin = format!("http://{}/api/status", bridge.addresses().admin);
    let asked = async |token: &str| {
        let request = bridge.http().get(&admin).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    until("the second token", async || asked("second-token").await == 200).await;
    assert_eq!(asked("first-token").await, 401);
    bridge.drain().await;
    bridge.end().await;
}
