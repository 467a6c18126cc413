//! `mock`: the mock Chatflow API alone.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use super::serve::Stop;
use crate::chatflow::mock::{MockChatflow, MockOptions};
use crate::units::Span;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge mock\n  chatflow-bridge mock --api-key secret --known-tags lead,customer\n  curl http://127.0.0.1:9191/_mock/contacts"
)]
pub(super) struct Arguments {
    /// Where to listen; port 0 picks one and prints it
    #[arg(long, default_value = "127.0.0.1:9191", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The one key that is taken [default: any]
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// The tags that exist, separated by commas [default: any]
    #[arg(long, value_delimiter = ',', value_name = "TAGS")]
    known_tags: Option<Vec<String>>,
    /// The attributes that exist, separated by commas [default: any]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    known_attributes: Option<Vec<String>>,
    /// How long every answer takes, such as 20ms
    #[arg(long, default_value = "0", value_name = "TIME")]
    delay: Span,
    /// Have every contact id exist, and remember no requests: for load tests
    #[arg(long)]
    every_id_exists: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let mut stop = Stop::listen()?;
        let mock = MockChatflow::start(MockOptions {
            addr: arguments.listen,
            api_key: arguments.api_key.clone(),
            known_tags: arguments.known_tags.clone(),
            known_attributes: arguments.known_attributes.clone(),
            delay: arguments.delay.0.max(Duration::ZERO),
            record: !arguments.every_id_exists,
            create_unknown: arguments.every_id_exists,
            ..MockOptions::default()
        })?;
        // In one piece: whoever reads the first line alone may close the pipe behind it.
        println!(
            "the mock Chatflow API is at {}\ncontacts: curl http://{}/_mock/contacts",
            mock.base_url(),
            mock.address()
        );
        stop.told().await;
        mock.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}
