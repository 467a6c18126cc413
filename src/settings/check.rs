//! Checks that span sections.

use super::Settings;

/// What is wrong with settings that are right one by one.
pub(super) fn across(settings: &Settings) -> Vec<String> {
    let mut problems = Vec::new();
    if settings.server.shutdown_grace < settings.server.drain_delay {
        problems.push(
            "`server.shutdown_grace` includes `server.drain_delay` and is shorter: make it longer"
                .to_owned(),
        );
    }
    if settings.intake.max_body_ceiling < settings.intake.max_body {
        problems.push("`server.max_body` is larger than `server.max_body_ceiling`".to_owned());
    }
    if settings.server.tls.cert_file.is_some() != settings.server.tls.key_file.is_some() {
        problems.push(
            "`server.tls.cert_file` and `server.tls.key_file` belong together: give both, or none"
                .to_owned(),
        );
    }
    if settings.telemetry.sample_ratio > 1.0 {
        problems.push("`telemetry.sample_ratio` is a share, from 0 to 1".to_owned());
    }
    if let Err(invalid) = settings.telemetry.traces_url() {
        problems.push(invalid.to_string());
    }
    problems
}
