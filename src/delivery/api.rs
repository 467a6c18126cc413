//! What delivery asks of the API: [`Api`], which `chatflow::Client` keeps and tests stand in for.

use async_trait::async_trait;

use crate::chatflow::Failure;
use crate::contact::{ContactId, ContactUpdate, Mobile};

/// A contact as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Its mobile number.
    pub mobile: Option<String>,
}

/// A contact to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContact {
    /// Its mobile number.
    pub mobile: Mobile,
    /// Its name.
    pub name: Option<String>,
    /// Whether it has agreed to be written to; always said.
    pub optin: bool,
    /// The attribute by which it is looked up.
    pub attribute: Option<(String, String)>,
}

/// The calls that delivery makes.
#[async_trait]
pub trait Api: Send + Sync + 'static {
    /// Changes a contact.
    async fn update(&self, id: &ContactId, update: &ContactUpdate) -> Result<Contact, Failure>;

    /// The contacts that have exactly this mobile number.
    async fn find_by_mobile(&self, mobile: &Mobile) -> Result<Vec<Contact>, Failure>;

    /// The contacts whose attribute `name` has exactly this value.
    async fn find_by_attribute(&self, name: &str, value: &str) -> Result<Vec<Contact>, Failure>;

    /// Creates a contact; what comes back is empty where one with this mobile number exists.
    async fn create(&self, contact: &NewContact) -> Result<Vec<Contact>, Failure>;

    /// Something harmless that only a good key is answered.
    async fn probe(&self) -> Result<(), Failure>;
}
