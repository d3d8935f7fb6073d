//! A document whose PDF is gone is set again from the stored reply: nothing is paid a second time.

use schemas::JobId;
use storage::port::Result as StorageResult;

use super::Handling;
use crate::attempt::Event;
use crate::jobs::StoredReply;

impl Handling<'_> {
    /// Sets this job's document from the reply that another job of equal content has. Without such
    /// a reply the content is to be made anew.
    pub(super) async fn render_from(&mut self, holder: JobId) -> StorageResult<Event> {
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
        let beside = rendered.beside.into_iter();
        let beside = beside.map(|beside| (beside.data, beside.facts)).collect();
        let main = (rendered.pdf, rendered.facts);
        let (store, tenant, id) = (
            &self.engine.store,
            &self.message.tenant,
            self.message.job_id,
        );
        let pdf = store.put_result(tenant, id, true, main, beside).await?;
        Ok(self.keep_pdf(pdf))
    }
}
