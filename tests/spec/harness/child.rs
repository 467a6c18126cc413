//! The program itself, in a process of its own, to be killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::{KEY, PATIENCE};

/// The bridge in a process of its own.
pub(crate) struct Child {
    process: std::process::Child,
    /// Where senders post.
    pub(crate) hooks: String,
    /// Metrics and health.
    pub(crate) metrics: String,
    /// The admin API.
    pub(crate) admin: String,
    log: Arc<Mutex<String>>,
}

/// The program, with nothing of the tests' own environment.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatflow-bridge"));
    command.env_clear();
    command
}

/// `serve` on the store and the mappings of `folder`, to be started.
pub(crate) fn serving(folder: &Path, base_url: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = program();
    command.current_dir(folder);
    to_serve(command, base_url, variables)
}

/// `serve` by a command that runs the program, in the folder in which it runs it.
pub(crate) fn to_serve(
    mut command: Command,
    base_url: &str,
    variables: &[(&str, &str)],
) -> Command {
    command
        .arg("serve")
        .env("BRIDGE_SERVER__HOOKS", "127.0.0.1:0")
        .env("BRIDGE_SERVER__METRICS", "127.0.0.1:0")
        .env("BRIDGE_SERVER__ADMIN", "127.0.0.1:0")
        .env("BRIDGE_SERVER__DRAIN_DELAY", "0")
        .env("BRIDGE_CHATFLOW__BASE_URL", base_url)
        .env("BRIDGE_CHATFLOW__API_KEY", KEY)
        .env("BRIDGE_DELIVERY__RETRY__FIRST_DELAY", "50ms")
        .env("BRIDGE_STORE__MIN_FREE", "0")
        .env("BRIDGE_LOG__FORMAT", "json")
        .envs(variables.iter().copied())
        .stdout(Stdio::null());
    command
}

impl Child {
    /// Starts the bridge on the store and the mappings of `folder`; returns when it listens.
    pub(crate) fn serve(folder: &Path, base_url: &str) -> Self {
        Self::serve_with(folder, base_url, &[])
    }

    /// The same, with more in the environment.
    pub(crate) fn serve_with(folder: &Path, base_url: &str, variables: &[(&str, &str)]) -> Self {
        Self::run(serving(folder, base_url, variables))
    }

    /// Starts the bridge by this command; returns when it listens.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let (tell, told) = mpsc::channel();
        let kept = Arc::new(Mutex::new(String::new()));
        let all = Arc::clone(&kept);
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let mut all = all.lock().unwrap();
                all.push_str(&line);
                all.push('\n');
                drop(all);
                let Ok(line) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
                if line["message"] == "started" {
                    let at = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
                    drop(tell.send((at("hooks"), at("metrics"), at("admin"))));
                }
            }
        });
        let (hooks, metrics, admin) = told
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("the bridge starts:\n{}", kept.lock().unwrap()));
        Self { process, hooks, metrics, admin, log: kept }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGHUP.
    pub(crate) fn hang_up(&self) {
        let pid = self.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// SIGTERM; the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = self.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.ended()
    }

    /// Waits until it ends; the exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                assert!(status.code().is_some(), "{status}:\n{}", self.log());
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "it ends");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
