//! The flags that say which updates.

use crate::admin::desk::asked::Filter;
use crate::contact::Who;
use crate::event::SourceName;
use crate::units::Span;

#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Flags {
    #[arg(
        long,
        help = "In one of these states: waiting, in_flight, held, delivered, skipped, dead, discarded",
        value_name = "STATE,…", value_parser = states
    )]
    state: Option<String>,
    /// Of this source
    #[arg(long, value_name = "NAME", value_parser = source)]
    source: Option<SourceName>,
    /// Planned by this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Held, skipped or dead for this reason, such as `refused`
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Whose last attempt the API answered with this status
    #[arg(long, value_name = "STATUS")]
    status: Option<u16>,
    /// Received within this time, such as `2h`
    #[arg(long, value_name = "TIME")]
    since: Option<Span>,
    /// Of this contact, as the rule names it: `id:…`, `mobile:…` or `attribute:NAME=VALUE`
    #[arg(long, value_name = "CONTACT", value_parser = contact)]
    contact: Option<String>,
}

fn states(text: &str) -> Result<String, String> {
    let filter = Filter { state: Some(text.to_owned()), ..Filter::default() };
    filter.wanted().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn source(text: &str) -> Result<SourceName, String> {
    SourceName::try_from(text).map_err(|error| error.to_string())
}

fn contact(text: &str) -> Result<String, String> {
    let who = text.parse::<Who>();
    who.map(|_| text.to_owned()).map_err(|error| error.to_string())
}

impl Flags {
    pub(super) fn filter(&self) -> Filter {
        Filter {
            state: self.state.clone(),
            source: self.source.clone(),
            rule: self.rule.clone(),
            reason: self.reason.clone(),
            status: self.status,
            since: self.since,
            contact: self.contact.clone(),
            ..Filter::default()
        }
    }
}
