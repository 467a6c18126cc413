//! What each client address has left of its budget of requests that are not believed.
//!
//! # Promises
//!
//! - Only what is not believed is charged: a sender whose requests are never notices.
//! - The table is bounded; who finds no place in it shares one budget with all others who find none.
//! - An address of IPv6 is charged with all of its /64: that is what one host can choose from.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::pace::{Bucket, Rate};

/// The addresses that are known at a time.
const MOST: usize = 16_384;

/// The addresses from which something came that was not believed.
pub(super) struct Strangers {
    /// Nothing where there is no budget to keep to.
    rate: Option<Rate>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    known: HashMap<Option<IpAddr>, Bucket>,
    others: Bucket,
}

impl Strangers {
    /// Each may have so many a minute; 0 is no limit.
    pub(super) fn new(per_minute: u32) -> Self {
        let rate = NonZeroU32::new(per_minute).map(Rate::per_minute);
        Self { rate, table: Mutex::default() }
    }

    /// Whether the address has something left; else for how long it has not.
    pub(super) fn may(&self, client: Option<IpAddr>, now: Duration) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        match table.known.get(&host(client)) {
            Some(bucket) => bucket.has_one(rate, now),
            None if table.known.len() < MOST => Ok(()),
            None => table.others.has_one(rate, now),
        }
    }

    /// Charges the address for a request that was not believed.
    pub(super) fn charge(&self, client: Option<IpAddr>, now: Duration) {
        let Some(rate) = self.rate else { return };
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let host = host(client);
        if table.known.len() >= MOST && !table.known.contains_key(&host) {
            table.known.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = if table.known.len() < MOST || table.known.contains_key(&host) {
            &*table.known.entry(host).or_default()
        } else {
            &table.others
        };
        // Where nothing is left there is nothing to take.
        let _left = bucket.take(rate, now).is_ok();
    }
}

/// What is charged together.
fn host(client: Option<IpAddr>) -> Option<IpAddr> {
    match client?.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            Some(IpAddr::V6(Ipv6Addr::from(network)))
        }
        v4 @ IpAddr::V4(_) => Some(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(9);

    fn at(address: &str) -> Option<IpAddr> {
        address.parse().ok()
    }

    #[test]
    fn each_address_has_a_budget_of_its_own_and_each_network_of_ipv6() {
        let strangers = Strangers::new(2);
        for address in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8::ffff:2"] {
            strangers.charge(at(address), NOW);
        }
        strangers.charge(None, NOW);

        for (address, may) in [
            ("192.0.2.1", false),
            ("192.0.2.2", true),
            ("2001:db8::3", false),
            ("2001:db8:0:1::1", true),
        ] {
            assert_eq!(strangers.may(at(address), NOW).is_ok(), may, "{address}");
        }
        assert_eq!(strangers.may(at("192.0.2.1"), NOW), Err(Duration::from_secs(30)));
        assert_eq!(strangers.may(None, NOW), Ok(()));
        assert_eq!(strangers.may(at("192.0.2.1"), NOW + Duration::from_secs(30)), Ok(()));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_those_that_owe_nothing() {
        let strangers = Strangers::new(1);
        let address = |number: u32| Some(IpAddr::from(number.to_be_bytes()));
        let size = || strangers.table.lock().unwrap().known.len();
        let many = u32::try_from(MOST).unwrap();
        for number in 0..many {
            strangers.charge(address(number), NOW);
        }
        assert_eq!(strangers.may(address(many), NOW), Ok(()));
        for number in many..2 * many {
            strangers.charge(address(number), NOW);
        }
        assert_eq!(size(), MOST);
        assert!(strangers.may(address(7 * many), NOW).is_err(), "what is left is shared");

        let later = NOW + Duration::from_mins(2);
        strangers.charge(address(many), later);

        assert_eq!(size(), 1);
        assert_eq!(strangers.may(address(7 * many), later), Ok(()));
    }

    #[test]
    fn without_a_limit_nobody_is_counted() {
        let strangers = Strangers::new(0);
        strangers.charge(None, NOW);
        assert_eq!(strangers.may(None, NOW), Ok(()));
        assert!(strangers.table.lock().unwrap().known.is_empty());
    }
}
