//! A PgBouncer in front of a database of the tests: Debian's, on a free port, gone with the test.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::postgres::{Database, PASSWORD, USER};

const PGBOUNCER: &str = "/usr/sbin/pgbouncer";

/// A pooler that gives each transaction a connection of few.
pub(crate) struct PgBouncer {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    /// One in transaction mode, before the server of this database; none where it is not installed.
    pub(crate) fn start(server_port: u16) -> Option<Self> {
        if !std::path::Path::new(PGBOUNCER).is_file() {
            super::postgres::left_out("PgBouncer", "pgbouncer");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server_port} user={USER} password='{PASSWORD}'\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 100\nunix_socket_dir =\n"
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        // It refuses to run as root, and ends with whoever has started it.
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=KILL");
        if rustix::process::geteuid().is_root() {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        }
        let process = command
            .args(["--", PGBOUNCER, "--quiet"])
            .arg(file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "PgBouncer listens");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Some(Self { process, port, _folder: folder })
    }

    /// Where a bridge finds a database through it.
    pub(crate) fn url(&self, database: &Database<'_>) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{}", self.port, database.name())
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
