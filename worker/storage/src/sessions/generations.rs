//! What was made of a session, or of equal content without one: which job, from which text.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemas::cv::Section;
use schemas::{JobId, Tenant};
use serde::{Deserialize, Serialize};

use super::SessionStore;
use crate::jobs::row::{decode, encode};
use crate::names::session_row as key;
use crate::port::{Result, Write};
use crate::troubles::pass_over_row;

/// One job that was made of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// The job.
    pub job_id: JobId,
    /// When it was submitted.
    pub at: Timestamp,
    /// Hash of all that the job was asked for: equal requests have equal hashes.
    pub request: String,
    /// Hash of what decides the wording besides the CV: language, posting.
    pub wording: String,
    /// The hash of each section of the CV.
    #[serde(with = "text")]
    pub sources: BTreeMap<Section, String>,
}

impl SessionStore {
    /// Keeps in mind that a job was made of `group`: a session's id, or a hash of content.
    pub async fn remember(
        &self,
        tenant: &Tenant,
        group: &str,
        generation: &Generation,
    ) -> Result<()> {
        let at = key::generation(group, generation.job_id);
        self.write(tenant, vec![Write::Upsert(at, encode(generation)?)])
            .await?;
        Ok(())
    }

    /// The newest jobs of a group, at most `max` (1 to 1,000), newest first. Rows that cannot be read
    /// are left out.
    pub async fn generations(
        &self,
        tenant: &Tenant,
        group: &str,
        max: usize,
    ) -> Result<Vec<Generation>> {
        let (from, to) = range(&key::generations(group));
        let mut pages = self.rows(tenant, from.as_str()..to.as_str()).at_most(max);
        let mut found = Vec::new();
        while found.len() < max
            && let Some(page) = pages.next_page().await?
        {
            for entity in page.value {
                match decode(entity.properties) {
                    Ok(generation) => found.push(generation),
                    Err(e) => pass_over_row(tenant, &entity.row, e)?,
                }
            }
        }
        found.truncate(max);
        Ok(found)
    }

    /// Forgets the jobs of a group; the jobs themselves stay.
    pub(super) async fn drop_generations(&self, tenant: &Tenant, group: &str) -> Result<()> {
        let (from, to) = range(&key::generations(group));
        let mut pages = self.rows(tenant, from.as_str()..to.as_str()).at_most(100);
        while let Some(page) = pages.next_page().await? {
            let rows = page.value.into_iter();
            let writes: Vec<_> = rows.map(|entity| Write::Delete(entity.row, None)).collect();
            if !writes.is_empty() {
                self.write(tenant, writes).await?;
            }
        }
        Ok(())
    }
}

/// The keys that begin with a prefix.
pub(super) fn range(prefix: &str) -> (String, String) {
    (prefix.to_owned(), format!("{prefix}\u{7f}"))
}

/// A map as JSON text: tables hold flat columns only.
mod text {
    use std::collections::BTreeMap;

    use schemas::cv::Section;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<Section, String>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        serde_json::to_string(map)
            .map_err(S::Error::custom)?
            .serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Section, String>, D::Error> {
        serde_json::from_str(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}
