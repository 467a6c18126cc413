//! The three listeners: senders, machines, operators. Each is a server of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use tokio_util::task::TaskTracker;

use super::{Addresses, StartError};
use crate::admin::{self, api, auth::Guard, observe};
use crate::settings::ServerSettings;
use crate::webhook::{Intake, keep_line, route};

/// Seconds that an idle connection of a sender is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Workers of the listener for senders.
const HOOK_WORKERS: usize = 2;

/// The three listeners, running.
pub(super) struct Listeners {
    pub(super) addresses: Addresses,
    hooks: ServerHandle,
    metrics: ServerHandle,
    admin: ServerHandle,
    tasks: TaskTracker,
}

impl Listeners {
    /// Binds all three, or none.
    pub(super) fn start(
        settings: &ServerSettings,
        request_timeout: Duration,
        intake: &Arc<Intake>,
        state: &web::Data<admin::State>,
        guard: &web::Data<Guard>,
    ) -> Result<Self, StartError> {
        let routes = route::configure(Arc::clone(intake));
        let grace = settings.shutdown_grace.0.as_secs();
        let hooks = HttpServer::new(move || App::new().configure(routes.clone()))
            .workers(HOOK_WORKERS)
            .max_connections(settings.max_connections / HOOK_WORKERS)
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(request_timeout)
            .shutdown_timeout(grace)
            .disable_signals()
            .on_connect(keep_line)
            .bind(settings.hooks)
            .map_err(|error| refused("server.hooks", settings.hooks, error))?;

        let shown = web::Data::clone(state);
        let metrics = HttpServer::new(move || App::new().configure(observe::routes(&shown)))
            .workers(1)
            .shutdown_timeout(1)
            .disable_signals()
            .bind(settings.metrics)
            .map_err(|error| refused("server.metrics", settings.metrics, error))?;

        let (shown, guard) = (web::Data::clone(state), web::Data::clone(guard));
        let admin = HttpServer::new(move || App::new().configure(api::routes(&shown, &guard)))
            .workers(1)
            .shutdown_timeout(1)
            .disable_signals()
            .bind(settings.admin)
            .map_err(|error| refused("server.admin", settings.admin, error))?;

        let bound = |addresses: Vec<SocketAddr>, asked: SocketAddr| {
            addresses.first().copied().unwrap_or(asked)
        };
        let addresses = Addresses {
            hooks: bound(hooks.addrs(), settings.hooks),
            metrics: bound(metrics.addrs(), settings.metrics),
            admin: bound(admin.addrs(), settings.admin),
        };
        let (hooks, metrics, admin) = (hooks.run(), metrics.run(), admin.run());
        let handles = (hooks.handle(), metrics.handle(), admin.handle());
        let tasks = TaskTracker::new();
        tasks.spawn(hooks);
        tasks.spawn(metrics);
        tasks.spawn(admin);
        tasks.close();
        Ok(Self { addresses, hooks: handles.0, metrics: handles.1, admin: handles.2, tasks })
    }

    /// Takes no further webhooks; returns when those in hand are answered.
    pub(super) async fn stop_hooks(&self) {
        self.hooks.stop(true).await;
    }

    /// Stops the listeners for machines and operators.
    pub(super) async fn stop_others(&self) {
        self.admin.stop(true).await;
        self.metrics.stop(true).await;
        self.tasks.wait().await;
    }
}

fn refused(setting: &'static str, address: SocketAddr, error: std::io::Error) -> StartError {
    let variable = format!("BRIDGE_{}", setting.to_uppercase().replace('.', "__"));
    StartError::Listen { setting, address, error, variable }
}
