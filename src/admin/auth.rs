//! Who may ask the admin API: who has the token, and comes under a name of this machine.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header;
use arc_swap::ArcSwap;
use subtle::ConstantTimeEq;

use crate::problem::Problem;
use crate::secret::Secret;

/// The token and the names under which the listener may be asked.
pub struct Guard {
    token: ArcSwap<Secret>,
    hosts: Vec<String>,
}

impl Guard {
    /// A guard; `hosts` are accepted beside the names of loopback.
    pub fn new(token: Secret, hosts: Vec<String>) -> Self {
        Self { token: ArcSwap::from_pointee(token), hosts }
    }

    /// Takes another token; the one before opens nothing any more.
    pub fn set_token(&self, token: Secret) {
        self.token.store(Arc::new(token));
    }

    /// The token that opens now.
    pub fn token(&self) -> Arc<Secret> {
        self.token.load_full()
    }

    /// Whether this is a name of this machine or one that the settings name, with or without a port.
    fn is_own_name(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, port)| {
            if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host }
        });
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
            || self.hosts.iter().any(|known| known == name || known == host)
    }

    /// Whether a page of this origin is one of ours.
    pub(super) fn is_own_origin(&self, origin: &str) -> bool {
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        host.is_some_and(|host| self.is_own_name(host))
    }

    /// Refuses a request without the token, or under a foreign name (a page in a browser that had its own name
    /// point to this machine).
    pub(super) fn check(&self, request: &HttpRequest) -> Result<(), Problem> {
        let is_known = self.is_own_name(request.connection_info().host());
        if !is_known {
            return Err(Problem::new(403, "/problems/foreign-host", "not under this name")
                .detail("add the name to `admin.hosts` if it is meant"));
        }
        let given = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        if bool::from(given.as_bytes().ct_eq(self.token.load().expose().as_bytes())) {
            return Ok(());
        }
        Err(Problem::new(401, "/problems/unauthorized", "the admin token is missing or wrong")
            .detail("send `Authorization: Bearer TOKEN`; the token is `admin.token`, or stands in `<store file>.admin-token`"))
    }
}

/// Where the token that was made at the first start is kept.
pub fn token_file(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".admin-token");
    PathBuf::from(name)
}

/// The token in `file`; made and written there, for its owner alone, if there is none yet.
pub fn kept_token(file: &Path) -> std::io::Result<Secret> {
    match std::fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() => return Ok(Secret::new(text.trim())),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let mut random = [0_u8; 24];
    getrandom::fill(&mut random).map_err(std::io::Error::other)?;
    let token = hex::encode(random);
    let mut written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)?;
    writeln!(written, "{token}")?;
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_the_token_under_a_name_of_this_machine_opens() {
        let guard = Guard::new(Secret::new("t0ken"), vec!["bridge.example".to_owned()]);
        for (host, authorization, status) in [
            ("localhost:9091", "Bearer t0ken", None),
            ("[::1]:9091", "Bearer t0ken", None),
            ("bridge.example:9091", "Bearer t0ken", None),
            ("evil.example:9091", "Bearer t0ken", Some(403)),
            ("localhost:9091", "Bearer other", Some(401)),
            ("localhost:9091", "t0ken", Some(401)),
            ("localhost:9091", "", Some(401)),
        ] {
            let request = TestRequest::default()
                .insert_header(("Host", host))
                .insert_header(("Authorization", authorization))
                .to_http_request();

            let answer = guard.check(&request).err().map(|problem| problem.status);

            assert_eq!(answer, status, "{host} {authorization:?}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_told_by_its_origin() {
        let guard = Guard::new(Secret::new("t0ken"), vec!["bridge.example".to_owned()]);
        for (origin, is_own) in [
            ("http://localhost:9091", true),
            ("https://bridge.example", true),
            ("https://evil.example", false),
            ("https://localhost.evil.example", false),
            ("null", false),
        ] {
            assert_eq!(guard.is_own_origin(origin), is_own, "{origin}");
        }
    }

    #[test]
    fn the_token_is_made_once_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = token_file(&folder.path().join("b.db"));

        let made = kept_token(&file).unwrap();

        assert_eq!(made.expose(), kept_token(&file).unwrap().expose());
        assert_eq!(made.expose().len(), 48);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(file.ends_with("b.db.admin-token"));
    }
}
