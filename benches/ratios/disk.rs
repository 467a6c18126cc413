//! What the disk gives: a raw 4 kB write and its fdatasync.

use std::io::Write;
use std::time::{Duration, Instant};

/// Median and 99th percentile of so many writes.
pub(crate) fn sync_times(count: usize) -> (Duration, Duration) {
    let mut file = tempfile::tempfile_in(crate::process::scratch()).unwrap();
    let block = [7_u8; 4096];
    let mut times: Vec<_> = (0..count)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&block).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[count / 2], times[count * 99 / 100])
}
