//! A PostgreSQL that the tests start themselves: Debian's, without privileges, on a free port, gone with the tests.
//!
//! [`Server::shared`] is one for all tests of a process, each with a [`Database`] of its own; a test that stops or
//! crashes it takes its own ([`Server::start`]). Where PostgreSQL is not installed there is none, and the test says
//! that it was left out; with `BRIDGE_TESTS_NEED_TOOLS` it fails instead.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

/// The name of the user who may do everything.
pub(crate) const USER: &str = "bridge";
/// The password: to be found nowhere in what a bridge says.
pub(crate) const PASSWORD: &str = "s3cret/of@the:tests";
/// The same inside a URL.
const ENCODED: &str = "s3cret%2Fof%40the%3Atests";

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// A running server. Its processes end with it, and with the process of the tests, however that ends.
pub(crate) struct Server {
    port: u16,
    guardian: Mutex<Guardian>,
    databases: AtomicU32,
}

/// The script that watches over the server.
struct Guardian {
    process: Child,
    /// Closing it ends the server.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// An empty database, dropped with this.
pub(crate) struct Database<'a> {
    server: &'a Server,
    name: String,
}

impl Server {
    /// The server that all tests of this process share; none where PostgreSQL is not installed.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        let shared = SHARED.get_or_init(Self::start).as_ref();
        if shared.is_none() {
            left_out("PostgreSQL", "postgresql");
        }
        shared
    }

    /// A server of the test's own; none where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(bin) = installed() else {
            left_out("PostgreSQL", "postgresql");
            return None;
        };
        // Somebody else may take the port between our look and the server's start.
        let started = (0..5).find_map(|_| {
            let port = free_port();
            Some((port, Guardian::start(&bin, port)?))
        });
        let (port, guardian) = started.expect("PostgreSQL starts");
        Some(Self { port, guardian: Mutex::new(guardian), databases: AtomicU32::new(0) })
    }

    /// A new, empty database.
    pub(crate) fn database(&self) -> Database<'_> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.execute("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        Database { server: self, name }
    }

    /// The port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server as an administrator would; connections are cut.
    pub(crate) fn stop(&self) {
        self.command("stop");
    }

    /// Kills the server and all that it has started.
    pub(crate) fn crash(&self) {
        self.command("crash");
    }

    /// Starts it again on the same port with what it had; returns when it answers.
    pub(crate) fn start_again(&self) {
        self.command("start");
    }

    /// From now on it answers nothing and closes nothing.
    pub(crate) fn freeze(&self) {
        self.command("freeze");
    }

    /// It goes on where it was frozen.
    pub(crate) fn thaw(&self) {
        self.command("thaw");
    }

    fn command(&self, word: &str) {
        let mut guardian = self.guardian.lock().unwrap();
        let commands = guardian.commands.as_mut().unwrap();
        writeln!(commands, "{word}").unwrap();
        assert_eq!(guardian.answer().as_deref(), Some("done"), "PostgreSQL does not `{word}`");
    }

    /// Runs SQL beside the bridge; gives the rows, their values separated by `|`.
    fn execute(&self, database: &str, sql: &str) -> String {
        // No other process: between its start and its first own instruction it would hold the locks of this one.
        let config = format!(
            "host=127.0.0.1 port={} user={USER} password='{PASSWORD}' dbname={database}",
            self.port
        );
        let asked = std::thread::scope(|scope| scope.spawn(|| ask(&config, sql)).join());
        asked.unwrap().unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

impl Database<'_> {
    /// Where a bridge finds it, the password included.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}:{ENCODED}@{}", self.place())
    }

    /// The same without the password.
    pub(crate) fn url_without_password(&self) -> String {
        format!("postgres://{USER}@{}", self.place())
    }

    fn place(&self) -> String {
        format!("127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL beside the bridge; gives the rows, their values separated by `|`.
    pub(crate) fn execute(&self, sql: &str) -> String {
        self.server.execute(&self.name, sql)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // The server may have been stopped by the test, or the test may have failed: all goes with the server.
        if !std::thread::panicking() && self.server.guardian.lock().is_ok() {
            let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            self.server.execute("postgres", &drop_it);
        }
    }
}

impl Guardian {
    fn start(bin: &Path, port: u16) -> Option<Self> {
        let mut process = Command::new("sh")
            .arg(format!("{HERE}/support/postgres.sh"))
            .arg(bin)
            .arg(port.to_string())
            .arg(PASSWORD)
            .arg(format!("{HERE}/fixtures/tls/server.pem"))
            .arg(format!("{HERE}/fixtures/tls/server.key"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A Ctrl-C is for the tests; it sees them end.
            .process_group(0)
            .spawn()
            .unwrap();
        let commands = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut guardian = Self { process, commands, answers };
        (guardian.answer()? == "ready").then_some(guardian)
    }

    fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end().to_owned())
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.commands.take());
        drop(self.process.wait());
    }
}

/// The rows of SQL, their values separated by `|`.
fn ask(config: &str, sql: &str) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let said = |error: tokio_postgres::Error| {
        error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
    };
    let asked = async {
        let (client, connection) = tokio_postgres::connect(config, tokio_postgres::NoTls).await?;
        let driven = async {
            drop(connection.await);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            rows = client.simple_query(sql) => rows,
            () = driven => unreachable!("it waits for ever"),
        }
    };
    let rows = runtime.block_on(asked).map_err(said)?;
    let rows = rows.iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => {
            let values = (0..row.len()).map(|place| row.get(place).unwrap_or_default());
            Some(values.collect::<Vec<_>>().join("|"))
        }
        _ => None,
    });
    Ok(rows.collect::<Vec<_>>().join("\n"))
}

/// The folder of PostgreSQL's programs, those of the newest release that is installed.
fn installed() -> Option<PathBuf> {
    let releases = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = releases.map(|entry| entry.path()).max_by_key(|path| number(path))?;
    let bin = newest.join("bin");
    bin.join("initdb").is_file().then_some(bin)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[expect(clippy::print_stdout, reason = "a test that leaves something out says so")]
pub(crate) fn left_out(what: &str, package: &str) {
    let needed = std::env::var_os("BRIDGE_TESTS_NEED_TOOLS").is_some();
    assert!(!needed, "{what} is not installed");
    println!("left out: {what} is not installed (Debian: `apt install {package}`)");
}
