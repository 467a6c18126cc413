//! HTTP taken apart and put together around [`Intake`].

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CONTENT_LENGTH, HeaderValue, RETRY_AFTER, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{FutureExt, Stream};

use super::address;
use super::answer::Answer;
use super::handshake::Reply;
use super::head::{Head, Headers};
use super::intake::Intake;
use super::line::{Line, Read};
use super::refusal::Refusal;
use super::settings::PublicUrl;
use crate::decode::percent_decoded;
use crate::problem::{CONTENT_TYPE, Problem};
use crate::store::Error;

/// The routes of the public listener: `/hooks/{source}`, `/hooks/{source}/{token}`, and 404 for all else.
pub fn configure(intake: Arc<Intake>) -> impl FnOnce(&mut web::ServiceConfig) + Clone {
    move |config| {
        // A `web::resource` with one route for every method: what a method means is the intake's to say.
        config
            .app_data(web::Data::from(intake))
            .service(web::resource("/hooks/{source}").route(web::route().to(receive)))
            .service(web::resource("/hooks/{source}/{token}").route(web::route().to(receive)))
            .default_service(web::route().to(receive));
    }
}

/// Answers once the event is stored, never before.
async fn receive(
    request: HttpRequest,
    payload: web::Payload,
    intake: web::Data<Intake>,
) -> HttpResponse {
    let mut body = Watched { payload, ended: has_no_body(&request) };
    let source = request.match_info().get("source").unwrap_or_default().to_owned();
    let intake = intake.into_inner();
    let received = intake.receive(&source, head_of(&request, &intake), &mut body);
    let answer = AssertUnwindSafe(received).catch_unwind().await.unwrap_or_else(|_| {
        intake.metrics().panics_total.with_label_values::<&str>(&[]).inc();
        Err(Refusal::Broken)
    });
    let mut response = respond(&answer, &intake);
    if !body.ended || intake.leaves() {
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    if let Some(line) = request.conn_data::<Arc<Line>>() {
        line.answered(if body.ended { Read::Whole } else { Read::Partly });
    }
    response
}

fn head_of(request: &HttpRequest, intake: &Intake) -> Head {
    let settings = intake.settings();
    let mut headers = Headers::default();
    for (name, value) in request.headers() {
        headers.add(name.as_str(), &text_of(value));
    }
    Head {
        method: request.method().as_str().to_owned(),
        path: request.uri().path().to_owned(),
        query: request.query_string().to_owned(),
        token: request.match_info().get("token").map(percent_decoded),
        client: request
            .peer_addr()
            .and_then(|peer| address::client(peer.ip(), &headers, &settings.trusted_proxies)),
        headers,
        origin: settings.public_url.as_ref().map(PublicUrl::origin),
    }
}

/// The text of a header: UTF-8 where it is, else byte by byte as HTTP once meant it.
fn text_of(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
    }
}

fn has_no_body(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let length = headers.get(CONTENT_LENGTH);
    !headers.contains_key(TRANSFER_ENCODING)
        && length.is_none_or(|length| length.as_bytes().iter().all(|digit| *digit == b'0'))
}

/// A body that remembers whether it was read to its end.
struct Watched {
    payload: web::Payload,
    ended: bool,
}

impl Stream for Watched {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.payload).poll_next(cx);
        self.ended |= matches!(next, Poll::Ready(None));
        next
    }
}

fn respond(answer: &Result<Answer, Refusal>, intake: &Intake) -> HttpResponse {
    let refusal = match answer {
        Ok(Answer::Own { respond, usual }) => {
            let status = StatusCode::from_u16(respond.status).unwrap_or(StatusCode::OK);
            let mut response = HttpResponse::build(status);
            return match &respond.body {
                Some((content_type, body)) => {
                    response.content_type(content_type.as_str()).body(body.clone())
                }
                None if respond.status == 204 || respond.status == 205 => response.finish(),
                None => response.json(usual),
            };
        }
        Ok(Answer::Handshake(reply)) => return reply_of(reply),
        Ok(answer) => return HttpResponse::Ok().json(answer),
        Err(Refusal::Silent(_)) => return HttpResponse::Unauthorized().finish(),
        Err(refusal) => refusal,
    };
    let mut problem = Problem::from(refusal);
    if let Refusal::NotStored(Error::Full(_)) = refusal {
        problem = problem.retry_after(intake.come_again());
    }
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if let Some(seconds) = problem.retry_after {
        response.insert_header((RETRY_AFTER, seconds));
    }
    if let Refusal::Method { allow } = refusal {
        response.insert_header((ALLOW, *allow));
    }
    response.content_type(CONTENT_TYPE).json(problem)
}

fn reply_of(reply: &Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    // Nothing that is given back may be taken for a page.
    response.insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if let Some((name, value)) = &reply.header {
        response.insert_header((*name, value.as_str()));
    }
    match reply.content_type {
        Some(content_type) => response.content_type(content_type).body(reply.body.clone()),
        None => response.finish(),
    }
}
