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
