//! The program in a process of its own, and what it weighs.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::table::Table;

/// The program as it was built for this benchmark.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_chatflow-bridge");

/// A process that ends when this is dropped.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A bridge in a process of its own.
pub(crate) struct Bridge {
    process: Ended,
    pub(crate) hooks: SocketAddr,
    pub(crate) metrics: SocketAddr,
}

/// Where stores and files of the benchmark go: a real disk.
pub(crate) fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

impl Bridge {
    /// Starts one on a folder that holds `mappings/`.
    pub(crate) fn start(folder: &Path, base_url: &str, concurrency: usize) -> Self {
        Self::start_in(folder, base_url, concurrency, &[])
    }

    /// The same, with more in its environment.
    pub(crate) fn start_in(
        folder: &Path,
        base_url: &str,
        concurrency: usize,
        more: &[(&str, &str)],
    ) -> Self {
        let mut process = Command::new(PROGRAM)
            .arg("serve")
            .current_dir(folder)
            .envs([
                ("BRIDGE_SERVER__HOOKS", "127.0.0.1:0"),
                ("BRIDGE_SERVER__METRICS", "127.0.0.1:0"),
                ("BRIDGE_SERVER__ADMIN", "127.0.0.1:0"),
                ("BRIDGE_SERVER__DRAIN_DELAY", "0"),
                ("BRIDGE_CHATFLOW__BASE_URL", base_url),
                ("BRIDGE_CHATFLOW__API_KEY", "bench-key"),
                ("BRIDGE_DELIVERY__CONCURRENCY", &concurrency.to_string()),
                ("BRIDGE_LOG__FORMAT", "json"),
            ])
            .envs(more.iter().copied())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let process = Ended(process);
        loop {
            let mut text = String::new();
            assert!(log.read_line(&mut text).unwrap() > 0, "the bridge did not start");
            let Ok(line) = serde_json::from_str::<serde_json::Value>(&text) else {
                eprint!("{text}");
                continue;
            };
            if line["message"] == "started" {
                let at = |key: &str| line[key].as_str().unwrap().parse().unwrap();
                let (hooks, metrics) = (at("hooks"), at("metrics"));
                // The log has to be read on, or the bridge would wait for its reader.
                std::thread::spawn(move || {
                    let mut line = String::new();
                    while log.read_line(&mut line).is_ok_and(|read| read > 0) {
                        line.clear();
                    }
                });
                return Self { process, hooks, metrics };
            }
        }
    }

    /// The value of one series of its metrics page.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let page = get(self.metrics, "/metrics");
        let series = format!("chatflow_bridge_{series} ");
        page.lines()
            .find_map(|line| line.strip_prefix(&series))
            .map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// Resident memory in MiB.
    pub(crate) fn resident(&self) -> f64 {
        resident(self.id())
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.process.0.id()
    }
}

/// Resident memory of a process in MiB.
pub(crate) fn resident(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let kib: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse().ok())
        .unwrap();
    kib / 1024.0
}

/// The mock API in a process of its own, every id existing; its base URL.
pub(crate) fn mock(delay: &str) -> (Ended, String) {
    mock_with(&["--every-id-exists", "--delay", delay])
}

/// A mock that refuses the key, so that delivery pauses and nothing but intake is measured.
pub(crate) fn refusing() -> (Ended, String) {
    mock_with(&["--api-key", "another-key"])
}

fn mock_with(arguments: &[&str]) -> (Ended, String) {
    let mut process = Command::new(PROGRAM)
        .args(["mock", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // Lent, not taken: the pipe stays open for as long as the mock runs.
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let url = line.rsplit(' ').next().unwrap().trim().to_owned();
    (Ended(process), url)
}

/// A folder with one mapping that names contacts by id: what the sender of the load posts.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in(scratch()).unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(
        folder.path().join("mappings/crm.yaml"),
        "verify: none\nevent: { id: $.id }\nrules:\n  - name: lead\n    when: { $.kind: lead }\n    contact: { id: $.contact }\n    update:\n      name: $.person.name\n      attributes: { city: $.person.city, plan: $.plan }\ntests: [{ name: none, body: {}, expect: ignored }]\n",
    )
    .unwrap();
    folder
}

/// A GET over a plain socket; the body.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    use std::io::{Read, Write};
    let mut line = std::net::TcpStream::connect(address).unwrap();
    write!(line, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    answer
}

/// The size of the program.
pub(crate) fn measure_binary(table: &mut Table) {
    #[expect(clippy::cast_precision_loss, reason = "a size in MiB")]
    let mib = std::fs::metadata(PROGRAM).unwrap().len() as f64 / f64::from(1 << 20);
    table.row("binary, stripped (here: dynamic)", &format!("{mib:.1} MiB"), "≤ 20 MiB static", "");
}
