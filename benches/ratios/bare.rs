//! The baseline of intake: an actix handler that reads the body and answers, and stores nothing.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use actix_web::{App, HttpResponse, HttpServer, web};

use crate::process::Ended;

/// The word by which the benchmark calls itself as the baseline.
pub(crate) const WORD: &str = "serve-bare";

/// Starts the baseline in a process of its own.
pub(crate) fn start() -> (Ended, SocketAddr) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .arg(WORD)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Ended(process), line.trim().parse().unwrap())
}

/// The baseline itself.
pub(crate) fn serve() {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| {
            App::new().service(web::resource("/hooks/{source}").route(web::post().to(answer)))
        })
        .workers(2)
        .bind("127.0.0.1:0")
        .unwrap();
        println!("{}", server.addrs()[0]);
        server.run().await.unwrap();
    });
}

async fn answer(_source: web::Path<String>, _body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(r#"{"event_id":"0000000000000","status":"accepted","updates":1,"held":0}"#)
}
