//! The mappings a bridge begins with: a set, the files of the settings' folder, or what the store kept of them.

use std::path::Path;
use std::sync::Arc;

use tracing::error;

use super::StartError;
use crate::mapping::Set;
use crate::settings::reload::{Fit, Live, Offered, Surroundings};

/// The mappings to begin with.
pub enum Mappings {
    /// A set that stands for itself.
    Set(Arc<Set>),
    /// The settings' folder, as it was found. It is followed from then on.
    Folder(Offered),
}

impl Mappings {
    /// Ends the start where nothing can go in the place of a broken folder: there is no file `store` yet, and none
    /// shall be made for that.
    pub(super) fn first(self, store: Option<&Path>) -> Result<Self, StartError> {
        match self {
            Self::Folder(Offered { checked: Err(unfit), .. })
                if store.is_some_and(|store| !store.exists()) =>
            {
                Err(StartError::Mappings { unfit, kept: None })
            }
            first => Ok(first),
        }
    }

    /// Puts the set, the folder or what was kept of it in force.
    pub(super) async fn begin(
        self,
        around: Surroundings,
        folder: &Path,
    ) -> Result<Arc<Live>, StartError> {
        let offered = match self {
            Self::Set(set) => {
                return Live::begin(around, None, set).await.map_err(StartError::Verify);
            }
            Self::Folder(offered) => offered,
        };
        let folder = Some(folder.to_owned());
        let unfit = match offered.checked {
            Ok(fit) => {
                let live = Live::begin(around, folder, fit.set).await;
                let live = live.map_err(StartError::Verify)?;
                live.keep(fit.files).await;
                return Ok(live);
            }
            Err(unfit) => unfit,
        };
        let kept = around.store.kept_mappings().await?;
        if kept.is_empty() {
            return Err(StartError::Mappings { unfit, kept: None });
        }
        match Fit::check(kept) {
            Err(kept) => Err(StartError::Mappings { unfit, kept: Some(kept) }),
            Ok(fit) => {
                let live = Live::begin(around, folder, fit.set).await;
                let live = live.map_err(StartError::Verify)?;
                error!(
                    "the mappings folder cannot be used, the set that the store kept is in force"
                );
                live.refuse(offered.fingerprint, &unfit).await;
                Ok(live)
            }
        }
    }
}
