//! The connection under a request, to end one whose body does not end.
//!
//! After an answer that leaves a body unread, actix goes on reading and throwing away for as long as a sender
//! of chunks goes on sending.

use std::any::Any;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use tracing::debug;

/// How long an answer has to go out before its connection is cut.
const FAREWELL: Duration = Duration::from_millis(500);

/// A second handle to the connection.
#[derive(Clone)]
struct Line(Arc<socket2::Socket>);

/// Keeps a handle to each connection; for `HttpServer::on_connect`, which has to come before `bind`.
pub fn keep_line(io: &dyn Any, data: &mut Extensions) {
    if let Some(tcp) = io.downcast_ref::<TcpStream>()
        && let Ok(socket) = socket2::SockRef::from(tcp).try_clone()
    {
        data.insert(Line(Arc::new(socket)));
    }
}

/// Cuts the connection of a request once its answer has had time to go out.
pub(super) fn cut_soon(request: &HttpRequest) {
    if let Some(line) = request.conn_data::<Line>().cloned() {
        actix_web::rt::spawn(async move {
            tokio::time::sleep(FAREWELL).await;
            if let Err(error) = line.0.shutdown(Shutdown::Both) {
                debug!(%error, "the connection was closed already");
            }
        });
    }
}
