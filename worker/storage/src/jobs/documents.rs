//! The blobs of a job: its input, the raw reply, its PDF.

use bytes::Bytes;
use schemas::job::JobInput;
use schemas::{JobId, Tenant};

use super::JobStore;
use crate::names::{Container, input_path, pdf_path, reply_path, unpolished_pdf_path};
use crate::port::{Blob, BlobInfo, Metadata, PutMode, Result, StorageError};

/// What is kept with a PDF, so that whoever finds it need not read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PdfFacts {
    /// Number of pages.
    pub pages: u32,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// The name to save it under: printable ASCII.
    pub file_name: String,
}

/// A PDF that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPdf {
    /// Where, in container `cv-pdfs`.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
    /// What is known of it.
    pub facts: PdfFacts,
    /// It was there before: by an earlier try of this job, perhaps of another renderer.
    pub adopted: bool,
}

impl JobStore {
    /// What a job is made from, or [`StorageError::NotFound`].
    pub async fn input(&self, tenant: &Tenant, id: JobId) -> Result<JobInput> {
        let blob = self
            .storage
            .blobs
            .get(Container::JobInputs, &input_path(tenant, id))
            .await?;
        serde_json::from_slice(&blob.data)
            .map_err(|e| StorageError::unavailable(format!("a stored input cannot be read: {e}")))
    }

    /// The stored reply to a job's call.
    pub async fn reply(&self, tenant: &Tenant, id: JobId) -> Result<Option<Bytes>> {
        match self
            .storage
            .blobs
            .get(Container::ModelReplies, &reply_path(tenant, id))
            .await
        {
            Ok(blob) => Ok(Some(blob.data)),
            Err(StorageError::NotFound) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Stores the reply, unless one is there: then that one counts. Gives the one that counts.
    pub async fn put_reply(&self, tenant: &Tenant, id: JobId, reply: Bytes) -> Result<Bytes> {
        let path = reply_path(tenant, id);
        let (container, kind) = (Container::ModelReplies, "application/json");
        let (labels, mode) = (Metadata::new(), PutMode::CreateOnly);
        let blobs = &self.storage.blobs;
        match blobs
            .put(container, &path, reply.clone(), kind, &labels, mode)
            .await
        {
            Ok(_) => Ok(reply),
            Err(StorageError::AlreadyExists) => Ok(blobs.get(container, &path).await?.data),
            Err(e) => Err(e),
        }
    }

    /// Stores a job's PDF, unless one is there: then that one is adopted, whoever made it.
    pub async fn put_pdf(
        &self,
        tenant: &Tenant,
        id: JobId,
        polished: bool,
        pdf: Bytes,
        facts: PdfFacts,
    ) -> Result<StoredPdf> {
        let path = if polished {
            pdf_path(tenant, id)
        } else {
            unpolished_pdf_path(tenant, id)
        };
        let size_bytes = pdf.len() as u64;
        let labels = Metadata::from([
            ("pages".to_owned(), facts.pages.to_string()),
            ("sha256".to_owned(), facts.sha256.clone()),
            ("file_name".to_owned(), facts.file_name.clone()),
        ]);
        let (container, kind, mode) = (Container::CvPdfs, "application/pdf", PutMode::CreateOnly);
        match self
            .storage
            .blobs
            .put(container, &path, pdf, kind, &labels, mode)
            .await
        {
            Ok(_) => Ok(StoredPdf {
                path,
                size_bytes,
                facts,
                adopted: false,
            }),
            Err(StorageError::AlreadyExists) => {
                let info = self.storage.blobs.head(container, &path).await?;
                let (size_bytes, facts) = (info.size, facts_of(&info)?);
                Ok(StoredPdf {
                    path,
                    size_bytes,
                    facts,
                    adopted: true,
                })
            }
            Err(e) => Err(e),
        }
    }

    /// A stored PDF with what is known of it.
    pub async fn pdf(&self, path: &str) -> Result<(Blob, PdfFacts)> {
        let blob = self.storage.blobs.get(Container::CvPdfs, path).await?;
        let facts = facts_of(&blob.info)?;
        Ok((blob, facts))
    }
}

fn facts_of(info: &BlobInfo) -> Result<PdfFacts> {
    let label = |name: &str| info.metadata.get(name).cloned();
    let facts = || {
        Some(PdfFacts {
            pages: label("pages")?.parse().ok()?,
            sha256: label("sha256")?,
            file_name: label("file_name")?,
        })
    };
    facts().ok_or_else(|| StorageError::unavailable("a stored PDF lacks its labels"))
}
