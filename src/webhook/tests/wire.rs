//! Senders that hang up, break off, or do not end.

use super::*;

#[actix_web::test]
async fn who_hangs_up_after_the_last_byte_is_taken_in_all_the_same() {
    let house = House::new();
    let head = Head { method: "POST".to_owned(), ..Head::default() };
    let mut body = stream::iter([Ok::<_, ()>(Bytes::from_static(b"{}"))]);
    {
        let receiving = house.intake.receive("open", head.clone(), &mut body);
        tokio::pin!(receiving);
        assert!(futures_util::poll!(receiving.as_mut()).is_pending());
    }
    house.tasks.close();
    house.tasks.wait().await;
    assert!(house.page_has(r#"intake_requests_total{outcome="ignored",source="open"} 1"#));

    let mut stuck = stream::pending::<Result<Bytes, ()>>();
    {
        let receiving = house.intake.receive("open", head, &mut stuck);
        tokio::pin!(receiving);
        assert!(futures_util::poll!(receiving.as_mut()).is_pending());
    }
    assert!(house.page_has(r#"intake_rejections_total{reason="bad_body",source="open"} 1"#));
    assert!(house.page_has("intake_in_flight_requests 0"));
}

/// A clock that is broken once it is told to be.
struct BrokenClock(AtomicBool);

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        assert!(!self.0.load(Ordering::Relaxed), "the clock is broken");
        now()
    }

    fn on_jump(&self, _moved: Box<dyn Fn() + Send + Sync>) {}

    fn jumps(&self) -> Option<Arc<tokio::sync::Notify>> {
        None
    }
}

#[actix_web::test]
async fn a_panic_is_answered_500_and_counted() {
    let clock = Arc::new(BrokenClock(AtomicBool::new(true)));
    let house = House::with(IntakeSettings::default(), Arc::clone(&clock) as _);

    assert_eq!(house.call(json_post("/hooks/open", "{}")).await.status(), 500);
    clock.0.store(false, Ordering::Relaxed);
    assert_eq!(house.call(json_post("/hooks/open", "{}")).await.status(), 200);

    assert!(house.page_has("panics_total 1"));
    assert!(house.page_has(r#"intake_requests_total{outcome="error",source="open"} 1"#));
}

/// Sends raw bytes to a server of its own, then the same piece until the connection ends; gives what came back.
async fn talk(house: &House, head: &str, piece: &str) -> String {
    let intake = Arc::clone(&house.intake);
    let app = move || App::new().configure(route::configure(Arc::clone(&intake)));
    let server = HttpServer::new(app).workers(1).disable_signals().on_connect(keep_line);
    let server = server.bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);

    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    writing.write_all(head.as_bytes()).await.unwrap();
    let (head_and_piece, mut answer) = (piece.to_owned(), Vec::new());
    let sending = async {
        while !head_and_piece.is_empty()
            && writing.write_all(head_and_piece.as_bytes()).await.is_ok()
        {
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    };
    let receiving = async {
        // A reset behind the answer is an end too.
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = reading.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..count]);
        }
    };
    tokio::select! {
        () = receiving => {}
        () = sending => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("the connection did not end"),
    }
    handle.stop(false).await;
    running.await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

#[actix_web::test]
async fn a_body_of_chunks_that_does_not_end_is_refused_and_cut() {
    let settings = IntakeSettings { max_body: ByteSize(10_000), ..IntakeSettings::default() };
    let house = House::with(settings, ManualClock::at(now()));
    let head = "POST /hooks/open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));

    let answer = talk(&house, head, &chunk).await;

    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.contains("limit of 10000"), "{answer}");
    assert!(house.page_has(r#"intake_rejections_total{reason="body_too_large",source="open"} 1"#));
}

#[actix_web::test]
async fn a_body_that_does_not_come_in_time_is_refused_and_cut() {
    let request_timeout = Span(Duration::from_millis(50));
    let settings = IntakeSettings { request_timeout, ..IntakeSettings::default() };
    let house = House::with(settings, ManualClock::at(now()));
    let head = "POST /hooks/open HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{";

    let answer = talk(&house, head, "").await;

    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[actix_web::test]
async fn a_connection_serves_on_after_every_answer_that_left_nothing_unread() {
    let house = House::new();
    let request = |head: &str, body: &str| {
        format!("{head} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let requests = [
        request("POST /hooks/open", "{}"),
        request("GET /hooks/open", ""),
        request("POST /hooks/github", "{}"),
        request("POST /hooks/open", "{"),
        request("POST /hooks/nobody", "{}"),
    ];

    let answer = talk(&house, &requests.concat(), "").await;

    let statuses: Vec<_> =
        answer.split("HTTP/1.1 ").skip(1).map(|answer| answer.split(' ').next().unwrap()).collect();
    assert_eq!(statuses, ["200", "405", "401", "400", "404"], "{answer}");
}
