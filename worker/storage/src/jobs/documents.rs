//! The blobs of a job: its input, the raw reply, its PDF and what stands beside that.

use bytes::Bytes;
use futures::future::try_join_all;
use schemas::job::{DocumentName, JobDocument, JobInput, JobResult, Links};
use schemas::{JobId, Tenant};
use serde::{Deserialize, Serialize};

use super::JobStore;
use super::row::unreadable;
use crate::names::{
    Container, document_path, input_path, pdf_path, reply_path, unpolished_pdf_path,
};
use crate::port::{Blob, BlobInfo, Metadata, PutMode, Result, StorageError};

/// What is kept with a PDF, so that whoever finds it need not read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PdfFacts {
    /// Number of pages.
    pub pages: u32,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// The name to save it under: printable ASCII.
    pub file_name: String,
    /// What it is: a CV, or a cover letter that stands alone.
    pub name: DocumentName,
    /// What stands beside it, stored before it.
    pub beside: Vec<DocumentFacts>,
}

/// What is known of a document beside a PDF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentFacts {
    /// What it is.
    pub name: DocumentName,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// The name to save it under: printable ASCII.
    pub file_name: String,
    /// Number of pages of a PDF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
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

impl StoredPdf {
    /// What its owner reads of it and of what stands beside it.
    pub(super) fn result(&self, id: JobId) -> JobResult {
        let facts = &self.facts;
        let main = JobDocument {
            name: facts.name,
            link: Links::of(id).result,
            media_type: facts.name.media_type().to_owned(),
            file_name: facts.file_name.clone(),
            size_bytes: self.size_bytes,
            sha256: facts.sha256.clone(),
            pages: Some(facts.pages),
        };
        let beside = facts.beside.iter().map(|facts| JobDocument {
            name: facts.name,
            link: Links::document(id, facts.name),
            media_type: facts.name.media_type().to_owned(),
            file_name: facts.file_name.clone(),
            size_bytes: facts.size_bytes,
            sha256: facts.sha256.clone(),
            pages: facts.pages,
        });
        JobResult {
            pages: facts.pages,
            size_bytes: self.size_bytes,
            sha256: facts.sha256.clone(),
            file_name: facts.file_name.clone(),
            documents: std::iter::once(main).chain(beside).collect(),
        }
    }
}

impl JobStore {
    /// What a job is made from, or [`StorageError::NotFound`].
    pub async fn input(&self, tenant: &Tenant, id: JobId) -> Result<JobInput> {
        Self::read_input(&self.input_json(tenant, id).await?)
    }

    /// The same as it is stored.
    pub async fn input_json(&self, tenant: &Tenant, id: JobId) -> Result<Bytes> {
        let (blobs, path) = (&self.storage.blobs, input_path(tenant, id));
        Ok(blobs.get(Container::JobInputs, &path).await?.data)
    }

    /// What [`JobStore::input_json`] gave.
    pub fn read_input(json: &[u8]) -> Result<JobInput> {
        serde_json::from_slice(json).map_err(|e| unreadable(&e))
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

    /// Stores a document that is to stand beside a job's PDF, unless one is there: then that one
    /// counts, whoever made it. Gives the facts of the one that counts. Every one of them is stored
    /// before the PDF, whose facts list them: whoever finds the PDF finds them all.
    async fn put_document(
        &self,
        tenant: &Tenant,
        id: JobId,
        polished: bool,
        data: Bytes,
        facts: DocumentFacts,
    ) -> Result<DocumentFacts> {
        let path = document_path(&main_path(tenant, id, polished), facts.name);
        let json = serde_json::to_string(&facts).map_err(StorageError::unavailable)?;
        let labels = Metadata::from([(FACTS.to_owned(), json)]);
        let (container, mode) = (Container::JobDocuments, PutMode::CreateOnly);
        let (blobs, kind) = (&self.storage.blobs, facts.name.media_type());
        match blobs.put(container, &path, data, kind, &labels, mode).await {
            Ok(_) => Ok(facts),
            Err(StorageError::AlreadyExists) => {
                let info = blobs.head(container, &path).await?;
                let json = info.metadata.get(FACTS);
                json.and_then(|json| serde_json::from_str(json).ok())
                    .ok_or_else(|| StorageError::unavailable("a stored document lacks its labels"))
            }
            Err(e) => Err(e),
        }
    }

    /// A document beside the PDF at `pdf`, or [`StorageError::NotFound`].
    pub async fn document(&self, pdf: &str, name: DocumentName) -> Result<Blob> {
        let path = document_path(pdf, name);
        self.storage.blobs.get(Container::JobDocuments, &path).await
    }

    /// Stores what stands beside a job's PDF, then the PDF.
    pub async fn put_result(
        &self,
        tenant: &Tenant,
        id: JobId,
        polished: bool,
        (pdf, facts): (Bytes, PdfFacts),
        beside: Vec<(Bytes, DocumentFacts)>,
    ) -> Result<StoredPdf> {
        let puts = beside.into_iter();
        let puts = puts.map(|(data, facts)| self.put_document(tenant, id, polished, data, facts));
        let facts = PdfFacts {
            beside: try_join_all(puts).await?,
            ..facts
        };
        self.put_pdf(tenant, id, polished, pdf, facts).await
    }

    /// Copies another job's PDF, and what stands beside it, to this job's own paths.
    /// [`StorageError::NotFound`] where a part of it is gone.
    pub async fn copy_pdf(&self, from: &str, tenant: &Tenant, id: JobId) -> Result<StoredPdf> {
        let (blob, mut facts) = self.pdf(from).await?;
        let gets = std::mem::take(&mut facts.beside).into_iter();
        let gets = gets.map(|facts| async move {
            let document = self.document(from, facts.name).await?;
            Ok::<_, StorageError>((document.data, facts))
        });
        let beside = try_join_all(gets).await?;
        self.put_result(tenant, id, true, (blob.data, facts), beside)
            .await
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
        let path = main_path(tenant, id, polished);
        let size_bytes = pdf.len() as u64;
        let beside = serde_json::to_string(&facts.beside).map_err(StorageError::unavailable)?;
        let labels = Metadata::from([
            ("pages".to_owned(), facts.pages.to_string()),
            ("sha256".to_owned(), facts.sha256.clone()),
            ("file_name".to_owned(), facts.file_name.clone()),
            ("name".to_owned(), facts.name.as_str().to_owned()),
            (BESIDE.to_owned(), beside),
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

/// Label of a document: its facts as JSON.
const FACTS: &str = "facts";
/// Label of a PDF: the facts of what stands beside it, as JSON.
const BESIDE: &str = "beside";

fn main_path(tenant: &Tenant, id: JobId, polished: bool) -> String {
    if polished {
        pdf_path(tenant, id)
    } else {
        unpolished_pdf_path(tenant, id)
    }
}

fn facts_of(info: &BlobInfo) -> Result<PdfFacts> {
    let label = |name: &str| info.metadata.get(name).map(String::as_str);
    let facts = || {
        Some(PdfFacts {
            pages: label("pages")?.parse().ok()?,
            sha256: label("sha256")?.to_owned(),
            file_name: label("file_name")?.to_owned(),
            // Labels that came later: a PDF without them is a CV that stands alone.
            name: label("name").map_or(Some(DocumentName::Cv), DocumentName::from_name)?,
            beside: serde_json::from_str(label(BESIDE).unwrap_or("[]")).ok()?,
        })
    };
    facts().ok_or_else(|| StorageError::unavailable("a stored PDF lacks its labels"))
}
