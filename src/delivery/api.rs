//! What delivery asks of the API: [`Api`], which the client keeps and tests stand in for.

use async_trait::async_trait;

use crate::chatflow::{Client, Contact, Failure, NewContact};
use crate::contact::{ContactId, ContactUpdate, Mobile};

/// The calls that delivery makes.
#[async_trait]
pub trait Api: Send + Sync + 'static {
    /// Changes a contact, and gives it as it is afterwards.
    async fn update(&self, id: &ContactId, update: &ContactUpdate) -> Result<Contact, Failure>;

    /// The contacts that have exactly this mobile number, each once.
    async fn find_by_mobile(&self, mobile: &Mobile) -> Result<Vec<Contact>, Failure>;

    /// The contacts whose attribute `name` has exactly this value, each once.
    async fn find_by_attribute(&self, name: &str, value: &str) -> Result<Vec<Contact>, Failure>;

    /// Creates a contact; gives none where one with this mobile number exists.
    async fn create(&self, contact: &NewContact) -> Result<Vec<Contact>, Failure>;

    /// Something harmless that only a good key is answered.
    async fn probe(&self) -> Result<(), Failure>;
}

#[async_trait]
impl Api for Client {
    async fn update(&self, id: &ContactId, update: &ContactUpdate) -> Result<Contact, Failure> {
        Self::update(self, id, update).await
    }

    async fn find_by_mobile(&self, mobile: &Mobile) -> Result<Vec<Contact>, Failure> {
        Self::find_by_mobile(self, mobile).await
    }

    async fn find_by_attribute(&self, name: &str, value: &str) -> Result<Vec<Contact>, Failure> {
        Self::find_by_attribute(self, name, value).await
    }

    async fn create(&self, contact: &NewContact) -> Result<Vec<Contact>, Failure> {
        Self::create(self, contact).await
    }

    async fn probe(&self) -> Result<(), Failure> {
        Self::probe(self).await
    }
}
