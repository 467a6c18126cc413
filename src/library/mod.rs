//! The library: the mappings that are shipped, inside the program.
//!
//! `build.rs` lists all that stands in `mappings/`. [`head`] reads the comment at the beginning of a mapping, which
//! says where its sender has the address and the secret.

pub mod head;

/// A shipped mapping.
#[derive(Debug)]
pub struct Shipped {
    /// The name of its source, and of its file.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

/// An event that tests of shipped mappings read.
#[derive(Debug)]
pub struct Fixture {
    /// Its name beside the mapping: `fixtures/…`.
    pub name: &'static str,
    /// The body, byte for byte.
    pub body: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// All of them, in the order of their names.
pub const fn all() -> &'static [Shipped] {
    MAPPINGS
}

/// The one of this name.
pub fn get(name: &str) -> Option<&'static Shipped> {
    MAPPINGS.iter().find(|shipped| shipped.name == name)
}

impl Shipped {
    /// The events that its tests read.
    pub fn fixtures(&self) -> impl Iterator<Item = &'static Fixture> + use<'_> {
        FIXTURES.iter().filter(|fixture| self.names(fixture))
    }

    fn names(&self, fixture: &Fixture) -> bool {
        let ends =
            |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || ".-_".contains(c));
        let mut places = self.text.match_indices(fixture.name);
        places.any(|(at, name)| self.text.get(at + name.len()..).is_some_and(ends))
    }
}

#[cfg(test)]
mod tests;
