//! What the API saw, held against what was promised.

use std::collections::{BTreeMap, HashMap};

use chatflow_bridge::chatflow::mock::SeenRequest;

use super::event::Way;
use super::load::Load;

/// The requests of one life of the process.
pub(super) type Seen = Vec<SeenRequest>;

/// An attribute in the body of a PUT, as a number.
pub(super) fn counter(put: &SeenRequest, name: &str) -> Option<usize> {
    let attributes = put.body["attributes"].as_array()?;
    let attribute = attributes.iter().find(|attribute| attribute["name"] == name)?;
    attribute["value"].as_str()?.parse().ok()
}

/// The PUTs that took effect, by contact, in the order in which they did; each with the life in which it came.
pub(super) type Effects<'a> = BTreeMap<&'a str, Vec<(usize, &'a SeenRequest)>>;

/// Those of these lives.
pub(super) fn effects(lives: &[Seen]) -> Effects<'_> {
    let mut effects = Effects::new();
    for (life, seen) in lives.iter().enumerate() {
        let took_effect = |put: &&SeenRequest| put.method == "PUT" && put.took_effect_at.is_some();
        let mut puts: Vec<_> = seen.iter().filter(took_effect).collect();
        puts.sort_by_key(|put| put.took_effect_at);
        for put in puts {
            effects.entry(put.path.as_str()).or_default().push((life, put));
        }
    }
    effects
}

/// Of each contact no counter ever goes back.
pub(super) fn order(effects: &Effects<'_>, wrong: &mut Vec<String>) {
    for (path, puts) in effects {
        for way in Way::ALL {
            let steps: Vec<_> = puts
                .iter()
                .filter_map(|(life, put)| Some((life, counter(put, way.counter())?)))
                .collect();
            for two in steps.windows(2).filter(|two| two[1].1 < two[0].1) {
                let name = way.counter();
                wrong.push(format!("{path}: {name} went back (life, step): {two:?}"));
            }
        }
    }
}

/// Nor does the order among the ways in which one contact is named: where its events have given it the new key, or
/// from the moment each way had led to it.
pub(super) fn order_among_ways(load: &Load, effects: &Effects<'_>, wrong: &mut Vec<String>) {
    for contact in load.contacts.iter().filter(|contact| contact.is_mixed || contact.is_rekeyed) {
        let Some(id) = &contact.id else { continue };
        let path = format!("/contacts/{}", id.as_str());
        let Some(puts) = effects.get(path.as_str()) else { continue };
        let first =
            |way: &Way| puts.iter().position(|(_, put)| counter(put, way.counter()).is_some());
        let known: Option<Vec<_>> = Way::ALL.iter().map(first).collect();
        let known = known.and_then(|first| first.into_iter().max());
        let Some(known) = (if contact.is_rekeyed { Some(0) } else { known }) else { continue };
        let steps: Vec<_> = puts[known..]
            .iter()
            .filter_map(|(life, put)| Some((life, counter(put, "last")?)))
            .collect();
        for two in steps.windows(2).filter(|two| two[1].1 < two[0].1) {
            wrong.push(format!("{path}: among its names it went back (life, step): {two:?}"));
        }
    }
}

/// Never two requests in flight for one contact, in one life of the process: none is sent before the one before it was
/// answered, nor before that has landed, which may be late. What a life that was killed had left behind is nobody's
/// fault.
pub(super) fn one_at_a_time(lives: &[Seen], wrong: &mut Vec<String>) {
    for life in lives {
        let mut open: HashMap<&str, u64> = HashMap::new();
        for put in life.iter().filter(|seen| seen.method == "PUT") {
            if open.get(put.path.as_str()).is_some_and(|answered| *answered > put.at) {
                wrong.push(format!("{}: two requests in flight at once", put.path));
            }
            let landed = put.took_effect_at.filter(|landed| *landed > put.at);
            open.insert(&put.path, put.answered_at.max(landed).unwrap_or(0));
        }
    }
}

/// How many of the effects were those of a body that the contact had just before.
pub(super) fn repeats(effects: &Effects<'_>) -> usize {
    let of_one = |puts: &Vec<(usize, &SeenRequest)>| {
        puts.windows(2).filter(|two| two[0].1.body == two[1].1.body).count()
    };
    effects.values().map(of_one).sum()
}

/// The suite is worth what its checks see.
mod tests {
    use serde_json::json;

    use super::*;

    fn put(at: u64, answered_at: Option<u64>, step: usize) -> SeenRequest {
        SeenRequest {
            at,
            answered_at,
            method: "PUT".to_owned(),
            path: "/contacts/1".to_owned(),
            query: String::new(),
            body: json!({"attributes": [{"name": "by_id", "value": step.to_string()}]}),
            status: Some(200),
            took_effect_at: Some(at),
        }
    }

    fn wrong(lives: &[Seen]) -> Vec<String> {
        let mut wrong = Vec::new();
        order(&effects(lives), &mut wrong);
        one_at_a_time(lives, &mut wrong);
        wrong
    }

    #[test]
    fn a_repeat_is_no_violation_and_a_step_back_is() {
        let steps = |steps: &[usize]| -> Seen {
            let puts = (1..).zip(steps).map(|(n, step)| put(2 * n, Some(2 * n + 1), *step));
            puts.collect()
        };
        assert_eq!(wrong(&[steps(&[1, 2, 2]), steps(&[2, 3])]), Vec::<String>::new());
        assert_eq!(wrong(&[steps(&[1, 3, 2])]).len(), 1);
        assert_eq!(wrong(&[steps(&[1, 2]), steps(&[1])]).len(), 1);
    }

    #[test]
    fn two_at_once_are_a_violation_in_one_life_only() {
        assert_eq!(wrong(&[vec![put(1, Some(3), 1), put(2, Some(4), 1)]]).len(), 1);
        assert_eq!(wrong(&[vec![put(1, Some(3), 1)], vec![put(2, Some(4), 1)]]).len(), 0);
    }

    #[test]
    fn what_lands_late_is_a_violation_only_where_something_came_in_between() {
        let late = SeenRequest { answered_at: None, took_effect_at: Some(4), ..put(1, None, 1) };
        assert_eq!(wrong(&[vec![late.clone(), put(5, Some(6), 2)]]), Vec::<String>::new());
        // It is sent too early, and the contact steps back.
        assert_eq!(wrong(&[vec![late, put(2, Some(3), 2)]]).len(), 2);
    }

    #[test]
    fn what_took_no_effect_may_say_anything() {
        let refused = SeenRequest { took_effect_at: None, ..put(3, Some(4), 1) };
        assert_eq!(wrong(&[vec![put(1, Some(2), 5), refused]]).len(), 0);
    }
}
