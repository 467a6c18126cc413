//! `healthcheck`: whether a running bridge is ready.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What to ask
    #[arg(long, default_value = "http://127.0.0.1:9090/readyz", value_name = "URL")]
    url: String,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    crate::chatflow::install_tls();
    super::runtime()?.block_on(async {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(3))
            .no_proxy()
            .build()
            .context("no HTTP client can be made")?;
        let answer = client
            .get(&arguments.url)
            .send()
            .await
            .with_context(|| format!("`{}` does not answer", arguments.url))?;
        let (status, body) = (answer.status(), answer.text().await.unwrap_or_default());
        println!("{body}");
        Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    })
}
