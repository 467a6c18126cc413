//! The HTTP around the mock: the API below `/api/v1`, the second door below `/_mock`.

use std::any::Any;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use actix_web::dev::{Extensions, ServerHandle};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER};
use actix_web::rt::net::TcpStream;
use actix_web::web::{Bytes, Data, Json, PayloadConfig, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::StreamExt;
use futures_util::future::ready;
use futures_util::stream;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, Asked, answer, contact_in, pairs};
use super::contact::Seed;
use super::fault::{Faced, Fault, FaultAnswer};
use super::{Book, Shared};

const LARGEST_BODY: usize = 4 << 20;

/// A second handle to a connection, to end it without an answer.
struct Line(socket2::Socket);

/// Starts serving on threads of its own; it listens when this returns.
pub(super) fn start(
    shared: Arc<Shared>,
    addr: SocketAddr,
    workers: usize,
) -> io::Result<(SocketAddr, ServerHandle)> {
    let (started, starting) = mpsc::channel();
    std::thread::Builder::new().name("mock-chatflow".to_owned()).spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = match serve(shared, addr, workers) {
                Ok((addresses, server)) => {
                    let address = addresses.first().copied().unwrap_or(addr);
                    // Nobody waits any more if this fails; then nobody can stop it either.
                    if started.send(Ok((address, server.handle()))).is_err() {
                        return;
                    }
                    server
                }
                Err(error) => return drop(started.send(Err(error))),
            };
            // An error here ends the mock, which its clients see.
            drop(server.await);
        });
    })?;
    starting.recv().map_err(io::Error::other)?
}

fn serve(
    shared: Arc<Shared>,
    addr: SocketAddr,
    workers: usize,
) -> io::Result<(Vec<SocketAddr>, actix_web::dev::Server)> {
    let shared = Data::from(shared);
    let app = move || {
        App::new()
            .app_data(Data::clone(&shared))
            .app_data(PayloadConfig::new(LARGEST_BODY))
            .service(
                web::scope("/_mock")
                    .route("/requests", web::get().to(requests))
                    .route("/contacts", web::get().to(contacts))
                    .route("/contacts", web::post().to(add_contact))
                    .route("/faults", web::post().to(set_faults))
                    .route("/key", web::post().to(set_key)),
            )
            .default_service(web::to(api))
    };
    let server = HttpServer::new(app)
        .workers(workers.max(1))
        .disable_signals()
        .keep_alive(Duration::from_secs(75))
        .shutdown_timeout(1)
        .on_connect(keep_line)
        .bind(addr)?;
    Ok((server.addrs(), server.run()))
}

fn keep_line(io: &dyn Any, data: &mut Extensions) {
    if let Some(tcp) = io.downcast_ref::<TcpStream>()
        && let Ok(socket) = socket2::SockRef::from(tcp).try_clone()
    {
        data.insert(Line(socket));
    }
}

/// A request to the API, with all that answering it takes.
#[derive(Clone)]
struct Call {
    request: HttpRequest,
    body: Bytes,
    mock: Data<Shared>,
    /// In the log of requests.
    place: Option<u64>,
}

impl Call {
    /// As it is answered; nothing for a path that is not the API's.
    fn asked(&self) -> Option<Asked<'_>> {
        let path = self.request.path().strip_prefix("/api/v1")?;
        let (method, query) = (self.request.method().as_str(), self.request.query_string());
        Some(Asked { method, path, query, body: &self.body })
    }

    /// The answer by the reference.
    fn usual(&self) -> Answer {
        let Some(asked) = self.asked() else { return Answer::error(404, "Not found") };
        let shown = self.request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let answer = match shown.and_then(|value| value.strip_prefix("Bearer ")) {
            Some(key) if self.mock.takes_key(key) => answer(&mut self.mock.book(), &asked),
            _ => Answer::error(401, "Unauthorized: missing or invalid API key"),
        };
        if let Some(place) = self.place.filter(|_| answer.status == 200) {
            self.mock.seen.took_effect(place);
        }
        answer
    }

    /// The answer by the reference after so long, on a task of its own: the request takes effect though its sender
    /// may be gone by then.
    async fn land(&self, after: Duration) -> Answer {
        let call = self.clone();
        self.mock.landing.fetch_add(1, Ordering::SeqCst);
        let landing = actix_web::rt::spawn(async move {
            wait(after).await;
            let answer = call.usual();
            call.mock.landing.fetch_sub(1, Ordering::SeqCst);
            answer
        });
        landing.await.unwrap_or_else(|_| Answer::error(500, "told to fail"))
    }
}

async fn api(request: HttpRequest, body: Bytes, mock: Data<Shared>) -> HttpResponse {
    let mut call = Call { request, body, mock, place: None };
    let Some(asked) = call.asked() else { return respond(Answer::error(404, "Not found")) };
    let place = call.mock.seen.arrived(asked.method, asked.path, asked.query, asked.body);
    let fault = call.mock.faults.met(|| faced(&asked, &call.mock));
    call.place = place;
    let response = match fault {
        None => {
            wait(call.mock.delay).await;
            respond(call.usual())
        }
        Some(fault) => go_wrong(fault, &call).await,
    };
    if let Some(place) = call.place {
        let cut = response.extensions().contains::<Cut>();
        call.mock.seen.answered(place, (!cut).then(|| response.status().as_u16()));
    }
    call.mock.served.fetch_add(1, Ordering::Relaxed);
    response
}

/// Marks a response that nobody will get.
struct Cut;

async fn go_wrong(fault: Fault, call: &Call) -> HttpResponse {
    let delay = call.mock.delay + Duration::from_millis(fault.delay_ms);
    let mut before = fault.applied.then(|| call.usual());
    if fault.lands_late {
        before = Some(call.land(delay).await);
    } else {
        wait(delay).await;
    }
    match fault.answer {
        FaultAnswer::Usual => respond(before.unwrap_or_else(|| call.usual())),
        FaultAnswer::Status { status, body, retry_after } => {
            let answer = match body {
                Some(body) => Answer { status, body: body.to_string().into_bytes() },
                None => Answer::error(status, "told to fail"),
            };
            let mut response = respond(answer);
            if let Some(value) = retry_after.and_then(|text| text.parse().ok()) {
                response.headers_mut().insert(RETRY_AFTER, value);
            }
            response
        }
        FaultAnswer::SaysFailure => respond(Answer {
            status: 200,
            body: br#"{"success": false, "error": "told to fail"}"#.to_vec(),
        }),
        FaultAnswer::NotJson => {
            HttpResponse::Ok().content_type("text/html").body("<html><h1>It works!</h1></html>")
        }
        FaultAnswer::Reset => {
            if let Some(Line(socket)) = call.request.conn_data::<Line>() {
                // An error says that it is gone already.
                drop(socket.shutdown(Shutdown::Both));
            }
            let mut response = HttpResponse::Ok().force_close().finish();
            response.extensions_mut().insert(Cut);
            response
        }
        FaultAnswer::CutOff => {
            let begun = stream::once(ready(Ok(Bytes::from_static(br#"{"status": "success", "#))));
            // What has begun is sent only when the next part is waited for.
            let ended = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::other("told to fail"))
            });
            let begun = begun.chain(ended);
            HttpResponse::Ok().content_type("application/json").streaming(begun)
        }
    }
}

/// What a fault looks at. The numbers are those of the query, of the body, and of the contact in the path.
fn faced<'a>(asked: &Asked<'a>, mock: &Shared) -> Faced<'a> {
    let contact = contact_in(asked.path);
    let in_query = pairs(asked.query).unwrap_or_default().into_iter();
    let body: Value = serde_json::from_slice(asked.body).unwrap_or_default();
    let items = body.as_array().map_or(std::slice::from_ref(&body), Vec::as_slice);
    let in_body = items.iter().filter_map(|item| item.get("mobile")?.as_str()).map(str::to_owned);
    let of_contact = |book: &Book| -> Vec<String> {
        let contact = contact.and_then(|id| book.contact(id));
        contact.map(|contact| contact.numbers().collect()).unwrap_or_default()
    };
    let mobiles = in_query
        .filter(|(key, _)| key == "mobile")
        .map(|(_, value)| value)
        .chain(in_body)
        .chain(of_contact(&mock.book()))
        .collect();
    Faced { method: asked.method, path: asked.path, contact, mobiles, body: asked.body }
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        actix_web::rt::time::sleep(delay).await;
    }
}

fn respond(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).content_type("application/json").body(answer.body)
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn requests(query: Query<After>, mock: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(mock.seen.after(query.after))
}

async fn contacts(mock: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(mock.book().contacts().collect::<Vec<_>>())
}

async fn add_contact(seed: Json<Seed>, mock: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(mock.book().seed(seed.into_inner()))
}

async fn set_faults(faults: Json<Vec<Fault>>, mock: Data<Shared>) -> HttpResponse {
    mock.faults.set(faults.into_inner());
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
struct Key {
    key: Option<String>,
}

async fn set_key(key: Json<Key>, mock: Data<Shared>) -> HttpResponse {
    mock.set_key(key.into_inner().key);
    HttpResponse::NoContent().finish()
}
