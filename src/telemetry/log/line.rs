//! A line as it is written: not too many of one kind, and with the trace that it belongs to.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use super::limit::Limits;
use crate::telemetry::trace;

/// Writes lines as `form` does, those that may be written.
pub(super) struct Lines<F> {
    pub(super) form: F,
    pub(super) format: LogFormat,
    pub(super) limits: Arc<Limits>,
}

impl<S, N, F> FormatEvent<S, N> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if !self.limits.lets_pass(event, Instant::now()) {
            return Ok(());
        }
        let (LogFormat::Json, Some(id)) = (self.format, trace::id()) else {
            return self.form.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.form.format_event(context, Writer::new(&mut line), event)?;
        // An object has at least its time in it.
        match line.strip_suffix("}\n") {
            Some(open) => writeln!(writer, "{open},\"trace_id\":\"{id}\"}}"),
            None => writer.write_str(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use serde_json::Value;
    use tracing::subscriber::with_default;
    use tracing_subscriber::fmt::format::JsonFields;

    use super::*;
    use crate::clock::SystemClock;
    use crate::telemetry::metrics::Metrics;
    use crate::telemetry::trace::Tracer;

    /// What was written, to be read.
    #[derive(Clone, Default)]
    struct Shelf(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shelf {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shelf {
        fn take(&self) -> Vec<Value> {
            let text = std::mem::take(&mut *self.0.lock().unwrap());
            let text = String::from_utf8(text).unwrap();
            text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
        }
    }

    fn logging(shelf: &Shelf, limits: &Arc<Limits>) -> impl Subscriber + Send + Sync + use<> {
        let form = tracing_subscriber::fmt::format().json().flatten_event(true);
        let lines = Lines { form, format: LogFormat::Json, limits: Arc::clone(limits) };
        let shelf = shelf.clone();
        tracing_subscriber::fmt()
            .json()
            .event_format(lines)
            .fmt_fields(JsonFields::new())
            .with_writer(move || shelf.clone())
            .finish()
    }

    #[test]
    fn a_flood_from_one_place_is_written_in_part_and_the_rest_is_counted() {
        let (shelf, limits) = (Shelf::default(), Arc::<Limits>::default());
        with_default(logging(&shelf, &limits), || {
            for n in 0..1000 {
                tracing::warn!(n, "the disk is slow");
                tracing::info!(n, "one for each event");
            }
            tracing::warn!("something else");
            let lines = shelf.take();
            let count = |message: &str| lines.iter().filter(|l| l["message"] == message).count();
            assert_eq!(count("the disk is slow"), 20);
            assert_eq!(count("one for each event"), 1000, "what is one an event is not limited");
            assert_eq!(count("something else"), 1);

            limits.tell(Some(Instant::now()));
            assert_eq!(shelf.take(), Vec::<Value>::new(), "the interval goes on");
            limits.tell(None);

            let [told] = &shelf.take()[..] else { panic!("one line tells of all") };
            assert_eq!(told["suppressed"], 980);
            assert_eq!(
                (&told["like"], &told["level"]),
                (&"the disk is slow".into(), &"WARN".into())
            );
            limits.tell(None);
            assert_eq!(shelf.take(), Vec::<Value>::new(), "it is told once");
        });
    }

    #[tokio::test]
    async fn a_line_has_the_trace_it_belongs_to() {
        let (shelf, limits) = (Shelf::default(), Arc::<Limits>::default());
        let _logging = tracing::subscriber::set_default(logging(&shelf, &limits));
        let metrics = Arc::new(Metrics::new().unwrap());
        let (tracer, _spans) = Tracer::to(Arc::new(SystemClock), metrics, 1.0);
        let trace = tracer.answering("POST", Instant::now(), None);
        assert!(trace.is_some());

        tracing::info!("before");
        let id = trace::within(trace, async {
            tracing::info!(status = 200, "within");
            trace::id()
        })
        .await;

        let lines = shelf.take();
        assert_eq!(lines[0].get("trace_id"), None);
        assert_eq!(lines[1]["trace_id"], id.unwrap().to_string());
        assert_eq!(lines[1]["status"], 200);
    }
}
