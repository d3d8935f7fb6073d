//! Content that another job holds, or has made: waiting for it, and taking it over without a call.

use schemas::JobId;
use schemas::cv::Warning;
use schemas::message::JobMessage;
use storage::jobs::{JobRow, RowState};
use storage::port::{Result as StorageResult, StorageError};

use super::Handling;
use crate::attempt::{Content, Event};
use crate::jobs::{self, StoredReply};

impl Handling<'_> {
    pub(super) async fn read_content(&mut self) -> StorageResult<Event> {
        // Of an earlier look: the holder may be gone since.
        self.copy_from = None;
        self.warnings.clear();
        let Some(input) = self.input().await? else {
            return Ok(Event::Impossible);
        };
        if !self.engine.settings.execution_latch {
            return Ok(Event::Content(Content::Free));
        }
        let (store, tenant) = (&self.engine.store, &self.message.tenant);
        let editor = self.engine.editor.identity();
        let hash = jobs::content_hash(&input, &editor, self.engine.renderer.themes());
        let Some((latch, etag)) = store.content_latch(tenant, &hash).await? else {
            self.content = Some((hash, None));
            return Ok(Event::Content(Content::Free));
        };
        self.content = Some((hash, Some(etag)));
        if self.loaded().row.force || latch.job_id == self.message.job_id {
            return Ok(Event::Content(Content::Free));
        }
        let holder = match store.read(tenant, latch.job_id).await {
            // Nobody can go on with it, so nobody is to wait for it.
            Err(e) if storage::is_damaged(&e) => None,
            read => read?.map(|loaded| loaded.row),
        };
        Ok(Event::Content(match holder {
            // The own text in place of a reply is what that job's owner asked for, and no other's.
            Some(JobRow {
                state: RowState::Succeeded,
                result_path: Some(path),
                id,
                warnings,
                ..
            }) if !warnings
                .iter()
                .any(|warning| warning.code == jobs::UNPOLISHED) =>
            {
                self.copy_from = Some((id, path));
                // What concerns the document, and was not said of this request too.
                let own = &self.loaded().row.warnings;
                let of_the_call = "possible_duplicate_call";
                let is_new = |w: &Warning| w.code != of_the_call && !own.contains(w);
                self.warnings = warnings.into_iter().filter(is_new).collect();
                Content::Made
            }
            Some(row) if !row.state.is_final() => Content::Busy,
            _ => Content::Free,
        }))
    }

    /// Copies another job's PDF to this job's own path, so that this job has its own event and
    /// erasing one spares the other.
    pub(super) async fn copy_pdf(&mut self) -> StorageResult<Event> {
        let Some((holder, path)) = self.copy_from.clone() else {
            return Ok(Event::Impossible);
        };
        let (store, JobMessage { tenant, job_id, .. }) = (&self.engine.store, self.message);
        match store.copy_pdf(&path, tenant, *job_id).await {
            Ok(pdf) => Ok(self.keep_pdf(pdf)),
            Err(StorageError::NotFound) => self.render_from(holder).await,
            Err(e) => Err(e),
        }
    }

    /// Sets this job's document from the reply that another job of equal content has. Without such
    /// a reply the content is to be made anew.
    async fn render_from(&mut self, holder: JobId) -> StorageResult<Event> {
        let (store, tenant) = (&self.engine.store, &self.message.tenant);
        let reply = store.reply(tenant, holder).await?;
        let reply = reply.and_then(|bytes| serde_json::from_slice::<StoredReply>(&bytes).ok());
        let held = store.read(tenant, holder).await?;
        let (Some(reply), Some(held), Some(input)) = (reply, held, self.input().await?) else {
            self.copy_from = None;
            return Ok(Event::Impossible);
        };
        tracing::info!(
            job_id = %self.message.job_id,
            "the PDF of job {holder} is gone; it is set again from the stored reply"
        );
        // The other job's time, so that the bytes are the same.
        let rendered = self.rendered(input, reply, held.row.created_at).await;
        let Ok(rendered) = rendered else {
            self.copy_from = None;
            return Ok(Event::Impossible);
        };
        self.store_rendered(rendered, true).await
    }
}
