//! What the job is made from: fetched once, if there is room to keep it during the call.

use std::sync::Arc;

use bytes::Bytes;
use schemas::job::JobInput;
use schemas::message::JobMessage;
use storage::jobs::JobStore;
use storage::port::{Result as StorageResult, StorageError};

use super::{Handling, internal};

impl Handling<'_> {
    /// The job's input; `None` where it is gone, which ends the job.
    pub(super) async fn input(&mut self) -> StorageResult<Option<Arc<JobInput>>> {
        if self.input.is_none() {
            let JobMessage { tenant, job_id, .. } = self.message;
            let json = match &self.input_json {
                Some((json, _)) => json.clone(),
                None => match self.engine.store.input_json(tenant, *job_id).await {
                    Ok(json) => self.keep_input(json),
                    Err(StorageError::NotFound) => {
                        self.problem = Some(internal("The job's input is gone."));
                        return Ok(None);
                    }
                    Err(e) => return Err(e),
                },
            };
            self.input = Some(Arc::new(JobStore::read_input(&json)?));
        }
        Ok(self.input.clone())
    }

    /// Keeps the input until the document is set, so that it need not be fetched again after the
    /// call, if there is room.
    fn keep_input(&mut self, json: Bytes) -> Bytes {
        let size = u32::try_from(json.len()).unwrap_or(u32::MAX);
        let room = self.engine.inputs.clone().try_acquire_many_owned(size);
        self.input_json = room.ok().map(|room| (json.clone(), room));
        json
    }
}
