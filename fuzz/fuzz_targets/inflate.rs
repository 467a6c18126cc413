//! What takes a `Content-Encoding` off; the first byte says which.
#![no_main]

use chatflow_bridge::decode::{Coding, Error, inflate};
use libfuzzer_sys::fuzz_target;

const ROOM: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let [which, packed @ ..] = data else { return };
    let coding = [Coding::Gzip, Coding::Deflate, Coding::Brotli][usize::from(*which) % 3];
    let mut kept = 0;
    let unpacked = inflate(coding, packed, |more| {
        if kept + more > ROOM {
            return Err(Error::UnsupportedContentType);
        }
        kept += more;
        Ok(())
    });
    assert!(unpacked.is_ok_and(|unpacked| unpacked.len() <= ROOM) || kept <= ROOM);
});
