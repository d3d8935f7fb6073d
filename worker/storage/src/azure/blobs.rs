//! The blob port on Azure Blob Storage.

use std::num::NonZero;
use std::ops::Range;

use async_trait::async_trait;
use azure_core::http::RequestContent;
use azure_core::http::headers::Headers;
use azure_storage_blob::models::{
    AppendBlobClientCreateOptions, BlobClientDownloadOptions, BlobClientUploadOptions,
    BlobContainerClientListBlobsOptions, BlobItem, HttpRange,
};
use azure_storage_blob::{BlobClient, BlobContainerClient, BlobServiceClient};
use bytes::Bytes;
use futures::TryStreamExt as _;
use jiff::Timestamp;

use super::cursor;
use super::failure::{Failure, header, parse_date};
use super::signed_url::{Signer, Target};
use super::tries::{Ended, Repeat, Tries};
use crate::limits;
use crate::names::Container;
use crate::port::{
    Blob, BlobInfo, BlobPage, Blobs, Continuation, ETag, Metadata, PutMode, Result, StorageError,
};

type Tried<T> = std::result::Result<T, Failure>;

/// Starts every continuation of a listing.
const MARK: &str = "b1.";
/// The largest put, so that every put and every read of one is a single request: a blob is written
/// whole or not at all, and a reader never sees parts of two. Larger are only blobs made by
/// appends, and their further parts are read on condition that nothing has changed.
const PART: usize = 64 << 20;
/// Where the numbers of JavaScript, and so of Azurite, end; no blob is as large.
const LARGEST_BLOB: u64 = 1 << 53;
/// The media type of a blob made by appends: nobody gave one.
const APPENDED: &str = "application/octet-stream";
const LABEL: &str = "x-ms-meta-";

/// The containers of an account.
#[derive(Debug)]
pub(super) struct Containers {
    pub(super) tries: Tries,
    pub(super) signer: Signer,
    clients: Vec<BlobContainerClient>,
}

impl Containers {
    pub(super) fn new(service: &BlobServiceClient, signer: Signer, tries: Tries) -> Self {
        let names = Container::ALL.into_iter().map(Container::as_str);
        let clients = names.map(|name| service.blob_container_client(name)).collect();
        Self { tries, signer, clients }
    }

    fn container(&self, container: Container) -> &BlobContainerClient {
        let at = Container::ALL.into_iter().position(|other| other == container);
        &self.clients[at.expect("ALL holds all containers")]
    }

    fn blob(&self, container: Container, path: &str) -> BlobClient {
        self.container(container).blob_client(path)
    }

    async fn run<T, Op>(
        &self,
        container: Container,
        repeat: Repeat,
        operation: impl Fn() -> Op,
    ) -> std::result::Result<T, Ended>
    where
        Op: Future<Output = Tried<T>>,
    {
        let client = self.container(container);
        let make = || async {
            match client.create(None).await.map_err(Failure::from) {
                Err(failure) if failure.code() != "ContainerAlreadyExists" => Err(failure),
                _ => Ok(()),
            }
        };
        self.tries.run(repeat, operation, make).await
    }

    async fn read(
        &self,
        container: Container,
        path: &str,
        range: Option<Range<u64>>,
    ) -> Result<Blob> {
        limits::path(path)?;
        let client = self.blob(container, path);
        let operation = || async {
            let options = BlobClientDownloadOptions {
                range: range.clone().map(http_range),
                partition_size: NonZero::new(PART),
                parallel: NonZero::new(1),
                ..Default::default()
            };
            let answer = client.download(Some(options)).await?;
            let info = info(&answer.headers, None)?;
            let data = answer.body.collect().await?;
            Ok(Blob { data, info })
        };
        Ok(self.run(container, Repeat::Always, operation).await?)
    }
}

#[async_trait]
impl Blobs for Containers {
    async fn put(
        &self,
        container: Container,
        path: &str,
        data: Bytes,
        content_type: &str,
        metadata: &Metadata,
        mode: PutMode,
    ) -> Result<ETag> {
        limits::path(path)?;
        limits::put(data.len(), content_type, metadata)?;
        let client = self.blob(container, path);
        let operation = || async {
            let labels = metadata.iter().map(|(name, value)| (name.clone(), value.clone()));
            let options = BlobClientUploadOptions {
                blob_content_type: Some(content_type.to_owned()),
                metadata: Some(labels.collect()),
                partition_size: NonZero::new(PART as u64),
                parallel: NonZero::new(1),
                ..Default::default()
            };
            let options = match mode {
                PutMode::CreateOnly => options.if_not_exists(),
                PutMode::Overwrite => options,
            };
            let answer = client.upload(RequestContent::from(data.clone()), Some(options)).await?;
            let etag = answer.etag.ok_or_else(|| Failure::misread("no ETag"))?;
            Ok(ETag(etag.to_string()))
        };
        let repeat = match mode {
            PutMode::CreateOnly => Repeat::IfUntouched,
            PutMode::Overwrite => Repeat::Always,
        };
        self.run(container, repeat, operation).await.map_err(|ended| {
            match (ended.failure.status(), ended.failure.code()) {
                (409, "BlobAlreadyExists") | (412, _) => {
                    ended.conflict(StorageError::AlreadyExists)
                }
                _ => ended.into(),
            }
        })
    }

    async fn get(&self, container: Container, path: &str) -> Result<Blob> {
        self.read(container, path, None).await
    }

    async fn get_range(
        &self,
        container: Container,
        path: &str,
        range: Range<u64>,
    ) -> Result<Blob> {
        if range.is_empty() {
            return Err(StorageError::Invalid("the range is empty".to_owned()));
        }
        let range = range.start.min(LARGEST_BLOB)..range.end.min(LARGEST_BLOB + 1);
        self.read(container, path, Some(range)).await
    }

    async fn append(&self, container: Container, path: &str, data: Bytes) -> Result<()> {
        limits::path(path)?;
        limits::append(data.len())?;
        let client = self.blob(container, path).append_blob_client();
        let create = || async {
            let options = AppendBlobClientCreateOptions {
                blob_content_type: Some(APPENDED.to_owned()),
                ..Default::default()
            };
            match client.create(Some(options.if_not_exists())).await.map_err(Failure::from) {
                Err(failure) if !matches!(failure.status(), 409 | 412) => Err(failure),
                _ => Ok(()),
            }
        };
        let append = || async {
            let (data, length) = (RequestContent::from(data.clone()), data.len() as u64);
            client.append_block(data, length, None).await?;
            Ok(())
        };
        if data.is_empty() {
            // The service takes no empty block.
            self.run(container, Repeat::Always, create).await?;
            let existing = self.head(container, path).await?;
            let _ = existing;
            return Ok(());
        }
        let mut ended = self.run(container, Repeat::IfUntouched, append).await;
        if matches!(&ended, Err(ended) if ended.failure.code() == "BlobNotFound") {
            self.run(container, Repeat::Always, create).await?;
            ended = self.run(container, Repeat::IfUntouched, append).await;
        }
        ended.map_err(|ended| match ended.failure.code() {
            "InvalidBlobType" => StorageError::Invalid("the blob was made by a put".to_owned()),
            _ => ended.into(),
        })
    }

    async fn head(&self, container: Container, path: &str) -> Result<BlobInfo> {
        limits::path(path)?;
        let client = self.blob(container, path);
        let operation = || async {
            let answer = client.get_properties(None).await?;
            info(answer.headers(), None)
        };
        Ok(self.run(container, Repeat::Always, operation).await?)
    }

    async fn delete(&self, container: Container, path: &str) -> Result<()> {
        limits::path(path)?;
        let client = self.blob(container, path);
        let operation = || async {
            client.delete(None).await?;
            Ok(())
        };
        match self.run(container, Repeat::IfUntouched, operation).await {
            Err(ended) if ended.failure.code() == "BlobNotFound" => Ok(()),
            ended => Ok(ended?),
        }
    }

    async fn list(
        &self,
        container: Container,
        prefix: &str,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<BlobPage> {
        limits::max(max, limits::PAGE)?;
        let marker = from.map(|from| cursor::read(MARK, from, 1)).transpose()?;
        let marker = marker.and_then(|mut words| words.pop());
        let client = self.container(container);
        let operation = || async {
            let options = BlobContainerClientListBlobsOptions {
                prefix: Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()),
                maxresults: i32::try_from(max).ok(),
                marker: marker.clone(),
                ..Default::default()
            };
            let page = client.list_blobs(Some(options))?.into_pages().try_next().await?;
            let page = page.ok_or_else(|| Failure::misread("no page"))?.into_model()?;
            let next = page.next_marker.filter(|marker| !marker.is_empty());
            Ok(BlobPage {
                blobs: page.blob_items.into_iter().map(listed).collect::<Tried<_>>()?,
                next: next.map(|marker| cursor::write(MARK, &[&marker])),
            })
        };
        Ok(self.run(container, Repeat::Always, operation).await?)
    }

    async fn signed_url(
        &self,
        container: Container,
        path: &str,
        file_name: &str,
        expires: Timestamp,
    ) -> Result<Option<String>> {
        limits::path(path)?;
        let client = self.blob(container, path);
        let (url, container) = (client.url(), container.as_str());
        self.signer.sign(&Target { url, container, path, file_name, expires }, &self.tries).await
    }
}
