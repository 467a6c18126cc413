//! The load: who is written to, which events are sent in which lines; all of it made of the seed.

use chatflow_bridge::contact::ContactId;

use super::chance::Chance;
use super::event::{Event, Way};

/// Events that a line gives at most in one life of the process.
pub(super) const A_LIFE: usize = 6;
/// How many events race to create one contact.
const RACERS: usize = 8;
/// How many numbers and references a contact has by turns that is given others.
const KEYS: usize = 6;

const AREAS: [&str; KEYS] = ["202", "212", "303", "404", "512", "617"];

const POOL: &[&str] = &["hot", "cold", "vip", "lead", "trial"];
const CITIES: &[&str] = &["Pune", "Delhi", "Goa", ""];
const PLANS: &[&str] = &["free", "gold", "team"];

/// When a contact is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// From the beginning.
    There,
    /// Once an event has created it.
    Created,
    /// Somebody else makes it, half way through.
    Late,
}

/// Somebody who is written to.
pub(super) struct Contact {
    pub(super) id: Option<ContactId>,
    pub(super) mobile: String,
    pub(super) reference: String,
    pub(super) begins: Begins,
    /// Whether the events of its one line name it in all ways by turns.
    pub(super) is_mixed: bool,
    /// Whether its events give it other keys, and name it by those from then on.
    pub(super) is_rekeyed: bool,
    /// Its number in the end.
    pub(super) last_mobile: String,
}

impl Contact {
    /// Whether it has its `ref` when somebody makes it.
    pub(super) fn has_reference(&self) -> bool {
        self.begins != Begins::Created
    }
}

/// Events that one sender gives one after the other, each until it is answered 2xx.
pub(super) struct Line {
    pub(super) contact: usize,
    /// The first life of the process in which it sends.
    pub(super) from: usize,
    pub(super) events: Vec<Event>,
}

/// What a dead update means for those behind it, and so who may have dead updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterDead {
    /// They go on.
    Continue,
    /// They wait; what withdraws consent passes, so that there is no order for who has both.
    Block,
}

/// Everything that is sent in a run.
pub(super) struct Load {
    pub(super) contacts: Vec<Contact>,
    pub(super) lines: Vec<Line>,
}

/// A kind of contacts: how many, when they are there, the ways in which they are named.
type Kind = (usize, Begins, &'static [Way]);

const KINDS: &[Kind] = &[
    (4, Begins::There, &[Way::Id]),
    (5, Begins::There, &[Way::Mobile]),
    (4, Begins::There, &[Way::Reference]),
    (5, Begins::Created, &[Way::Mobile]),
    (3, Begins::Created, &[Way::Reference]),
    (7, Begins::There, Way::ALL),
    (2, Begins::Late, &[Way::Mobile]),
];

/// Contacts whose events give them other keys.
const REKEYED: usize = 5;

impl Load {
    /// The load of so many lives.
    pub(super) fn new(seed: u64, lives: usize, after_dead: AfterDead) -> Self {
        let mut chance = Chance::new(seed);
        let mut load = Self { contacts: Vec::new(), lines: Vec::new() };
        for (many, begins, ways) in KINDS {
            for _ in 0..*many {
                let contact = load.contact(*begins, ways);
                let from = usize::try_from(chance.below(2)).unwrap();
                load.line(&mut chance, contact, from, lives, ways);
            }
        }
        for _ in 0..REKEYED {
            let contact = load.contact(Begins::There, &[Way::Mobile]);
            load.line(&mut chance, contact, 0, lives, &[Way::Mobile]);
            load.rekey(&mut chance, contact);
        }
        for life in (0..lives).step_by(3) {
            let contact = load.contact(Begins::Created, &[Way::Mobile]);
            for racer in 0..RACERS {
                let id = format!("race-{contact}-{racer}");
                let mut event = Event::new(id, Way::Mobile, 0);
                event.creates = true;
                event.add = vec![format!("racer-{racer}")];
                load.lines.push(Line { contact, from: life, events: vec![event] });
            }
        }
        if after_dead == AfterDead::Block {
            load.keep_apart_what_dies_and_what_withdraws();
        }
        load
    }

    /// Every event of every line.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.lines.iter().flat_map(|line| &line.events)
    }

    /// How many of them the API refuses.
    pub(super) fn refused(&self) -> usize {
        self.events().filter(|event| event.dies()).count()
    }

    /// Every other line has updates that die, the others have updates that withdraw consent.
    fn keep_apart_what_dies_and_what_withdraws(&mut self) {
        for (number, line) in self.lines.iter_mut().enumerate() {
            for event in &mut line.events {
                if number % 2 == 0 {
                    (event.is_refused, event.is_disliked) = (false, false);
                } else {
                    (event.optin, event.blocked) = (None, None);
                }
            }
        }
    }

    /// Has events of the contact's line give it another number or another `ref` now and then; from there on they name
    /// it by that.
    fn rekey(&mut self, chance: &mut Chance, contact: usize) {
        let Some(line) = self.lines.last_mut() else { return };
        let to = &mut self.contacts[contact];
        to.is_rekeyed = true;
        let (mut mobiles, mut references) = (0, 0);
        let (mut way, mut key) = (Way::Mobile, to.mobile.clone());
        for event in &mut line.events {
            (event.way, event.key) = (way, Some(key.clone()));
            if !chance.one_in(7) {
                continue;
            }
            (event.is_refused, event.is_disliked) = (false, false);
            if chance.one_in(2) {
                mobiles += 1;
                way = Way::Mobile;
                key = format!("1{}555{contact:04}", AREAS[mobiles % KEYS]);
                to.last_mobile.clone_from(&key);
                event.mobile = Some(key.clone());
            } else {
                references += 1;
                way = Way::Reference;
                key = format!("ref-{contact}-{}", references % KEYS);
                event.reference = Some(key.clone());
            }
        }
    }

    fn contact(&mut self, begins: Begins, ways: &[Way]) -> usize {
        let index = self.contacts.len();
        let id = format!("65f0beef{index:016x}");
        self.contacts.push(Contact {
            id: (begins == Begins::There).then(|| ContactId::try_from(id).unwrap()),
            mobile: format!("1202555{index:04}"),
            last_mobile: format!("1202555{index:04}"),
            // One is contained in another: a search that contains the text finds both.
            reference: format!("ref-{index}"),
            begins,
            is_mixed: ways.len() > 1,
            is_rekeyed: false,
        });
        index
    }

    fn line(
        &mut self,
        chance: &mut Chance,
        contact: usize,
        from: usize,
        lives: usize,
        ways: &[Way],
    ) {
        let to = &self.contacts[contact];
        let events = (1..=A_LIFE * (lives - from)).map(|step| {
            let way = *chance.pick(ways);
            let mut event = Event::new(format!("{contact}-{step}"), way, step);
            event.creates = to.begins == Begins::Created;
            // By its `ref` it is created with a number; that events give it again changes nothing.
            event.mobile =
                (event.creates && way == Way::Reference && step <= 3).then(|| to.mobile.clone());
            speak(&mut event, chance, to.is_mixed);
            // What creates a contact is not refused: its own number is all that it needs.
            event.is_refused = step > 3 && chance.one_in(40);
            event.is_disliked = step > 3 && chance.one_in(60);
            event.again =
                (step > 1 && chance.one_in(8)).then(|| step - 1 - chance.between(1, step.min(5)));
            event.twice = chance.one_in(16);
            event
        });
        let events = events.collect();
        self.lines.push(Line { contact, from, events });
    }
}

/// Gives the event something to say. Where a contact is named in several ways, each way has fields of its own: no order
/// is promised among the ways until they are known to lead to one contact.
fn speak(event: &mut Event, chance: &mut Chance, is_mixed: bool) {
    let may = |way: Way| !is_mixed || event.way == way;
    let (by_id, by_mobile, by_reference) = (may(Way::Id), may(Way::Mobile), may(Way::Reference));
    // A tag of its own tells for ever that the event had its effect.
    event.add.push(format!("e{}", event.step));
    if by_id {
        event.name = chance.one_in(3).then(|| format!("Name {}", event.step));
        event.city = chance.one_in(2).then(|| (*chance.pick(CITIES)).to_owned());
    }
    if by_mobile {
        event.optin = chance.one_in(6).then(|| chance.one_in(2));
        event.blocked = chance.one_in(9).then(|| chance.one_in(2));
        event.plan = chance.one_in(2).then(|| (*chance.pick(PLANS)).to_owned());
    }
    if by_reference {
        for tag in POOL {
            match chance.below(8) {
                0 | 1 => event.add.push((*tag).to_owned()),
                2 => event.remove.push((*tag).to_owned()),
                _ => {}
            }
        }
    }
    if !is_mixed && chance.one_in(25) {
        event.remove.clear();
        event.replace = Some(std::mem::take(&mut event.add));
    }
}
