//! The blob port on Azure Blob Storage.

use std::fmt;
use std::num::NonZero;
use std::ops::Range;

use async_trait::async_trait;
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
pub(super) struct Containers {
    pub(super) tries: Tries,
    pub(super) signer: Signer,
    /// In the order of [`Container::ALL`].
    pub(super) clients: Vec<BlobContainerClient>,
}

impl fmt::Debug for Containers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("azure::Containers").finish_non_exhaustive()
    }
}

impl Containers {
    /// A client for each container.
    pub(super) fn clients(service: &BlobServiceClient) -> Vec<BlobContainerClient> {
        let names = Container::ALL.into_iter().map(Container::as_str);
        names
            .map(|name| service.blob_container_client(name))
            .collect()
    }

    fn container(&self, container: Container) -> &BlobContainerClient {
        let at = Container::ALL
            .into_iter()
            .position(|other| other == container);
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
            let info = info(&answer.headers)?;
            let data = answer.body.collect().await?;
            Ok(Blob { data, info })
        };
        let blob = self.run(container, Repeat::Always, operation).await;
        let Some(range) = range else { return Ok(blob?) };
        let size = match &blob {
            Ok(blob) => blob.info.size,
            // Azurite answers a range of an empty blob with `Content-Range: bytes 0--1/0`.
            Err(Ended {
                failure: Failure::Misread(_),
                ..
            }) => self.head(container, path).await?.size,
            Err(_) => return Ok(blob?),
        };
        // The client reads an empty blob whole, whatever range was asked for.
        if range.start >= size {
            return Err(StorageError::Invalid(
                "the range begins after the end".to_owned(),
            ));
        }
        Ok(blob?)
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
            let labels = metadata
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()));
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
            let answer = client.upload(data.clone().into(), Some(options)).await?;
            let etag = answer.etag.ok_or_else(|| Failure::misread("no ETag"))?;
            Ok(ETag(etag.to_string()))
        };
        let repeat = match mode {
            PutMode::CreateOnly => Repeat::IfUntouched,
            PutMode::Overwrite => Repeat::Always,
        };
        self.run(container, repeat, operation)
            .await
            .map_err(
                |ended| match (ended.failure.status(), ended.failure.code()) {
                    (409, "BlobAlreadyExists") | (412, _) => {
                        ended.conflict(StorageError::AlreadyExists)
                    }
                    _ => ended.into(),
                },
            )
    }

    async fn get(&self, container: Container, path: &str) -> Result<Blob> {
        self.read(container, path, None).await
    }

    async fn get_range(&self, container: Container, path: &str, range: Range<u64>) -> Result<Blob> {
        if range.is_empty() {
            return Err(StorageError::Invalid("the range is empty".to_owned()));
        }
        let range = range.start.min(LARGEST_BLOB)..range.end.min(LARGEST_BLOB + 1);
        self.read(container, path, Some(range)).await
    }

    async fn append(&self, container: Container, path: &str, data: Bytes) -> Result<()> {
        limits::path(path)?;
        limits::append(data.len())?;
        let client = self.blob(container, path);
        let appending = client.append_blob_client();
        let create = || async {
            let options = AppendBlobClientCreateOptions {
                blob_content_type: Some(APPENDED.to_owned()),
                ..Default::default()
            };
            match appending
                .create(Some(options.if_not_exists()))
                .await
                .map_err(Failure::from)
            {
                Err(failure) if !matches!(failure.status(), 409 | 412) => Err(failure),
                _ => Ok(()),
            }
        };
        if data.is_empty() {
            // The service takes no empty block.
            self.run(container, Repeat::Always, create).await?;
            let properties = || async {
                let answer = client.get_properties(None).await?;
                Ok(header(answer.headers(), "x-ms-blob-type") == Some("AppendBlob"))
            };
            let appends = self.run(container, Repeat::Always, properties).await?;
            return if appends {
                Ok(())
            } else {
                Err(made_by_a_put())
            };
        }
        let append = || async {
            let length = data.len() as u64;
            appending
                .append_block(data.clone().into(), length, None)
                .await?;
            Ok(())
        };
        let mut ended = self.run(container, Repeat::IfUnsent, append).await;
        if matches!(&ended, Err(ended) if ended.failure.code() == "BlobNotFound") {
            self.run(container, Repeat::Always, create).await?;
            ended = self.run(container, Repeat::IfUnsent, append).await;
        }
        ended.map_err(|ended| match ended.failure.code() {
            "InvalidBlobType" => made_by_a_put(),
            "BlockCountExceedsLimit" => {
                StorageError::Invalid("a blob takes at most 50,000 appends".to_owned())
            }
            _ => ended.into(),
        })
    }

    async fn head(&self, container: Container, path: &str) -> Result<BlobInfo> {
        limits::path(path)?;
        let client = self.blob(container, path);
        let operation = || async {
            let answer = client.get_properties(None).await?;
            info(answer.headers())
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
            let page = client
                .list_blobs(Some(options))?
                .into_pages()
                .try_next()
                .await?;
            let page = page
                .ok_or_else(|| Failure::misread("no page"))?
                .into_model()?;
            let next = page.next_marker.filter(|marker| !marker.is_empty());
            Ok(BlobPage {
                blobs: page
                    .blob_items
                    .into_iter()
                    .map(listed)
                    .collect::<Tried<_>>()?,
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
        self.signer
            .sign(
                &Target {
                    url,
                    container,
                    path,
                    file_name,
                    expires,
                },
                &self.tries,
            )
            .await
    }
}

fn made_by_a_put() -> StorageError {
    StorageError::Invalid("the blob was made by a put".to_owned())
}

fn http_range(range: Range<u64>) -> HttpRange {
    if range.end > LARGEST_BLOB {
        (range.start..).into()
    } else {
        range.into()
    }
}

/// What the headers of an answer tell of a blob.
fn info(headers: &Headers) -> Tried<BlobInfo> {
    let text = |name: &'static str| {
        header(headers, name).ok_or_else(|| Failure::misread(format!("no {name}")))
    };
    // Of a part: `bytes 0-9/100`.
    let whole = header(headers, "content-range").and_then(|range| range.rsplit('/').next());
    let size = whole.map_or_else(|| text("content-length"), Ok)?;
    let labels = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(LABEL)?;
        Some((name.to_owned(), value.as_str().to_owned()))
    });
    Ok(BlobInfo {
        size: size.parse().map_err(|_| Failure::misread("no size"))?,
        content_type: text("content-type")?.to_owned(),
        etag: ETag(text("etag")?.to_owned()),
        modified: parse_date(text("last-modified")?)
            .ok_or_else(|| Failure::misread("no last-modified"))?,
        metadata: labels.collect(),
    })
}

fn listed(item: BlobItem) -> Tried<(String, BlobInfo)> {
    let missing = || Failure::misread("a listed blob lacks a property");
    let properties = item.properties.ok_or_else(missing)?;
    let etag = properties.etag.ok_or_else(missing)?.to_string();
    let modified = properties
        .last_modified
        .ok_or_else(missing)?
        .unix_timestamp();
    let info = BlobInfo {
        size: properties.content_length.ok_or_else(missing)?,
        content_type: properties.content_type.ok_or_else(missing)?,
        // Here without the quotes that a header has.
        etag: ETag(format!("\"{}\"", etag.trim_matches('"'))),
        modified: Timestamp::from_second(modified).map_err(|_| missing())?,
        metadata: Metadata::new(),
    };
    Ok((item.name.ok_or_else(missing)?, info))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in pairs {
            headers.insert(*name, *value);
        }
        headers
    }

    #[test]
    fn the_size_is_that_of_the_whole() {
        let common = [
            ("content-type", "a/b"),
            ("etag", "\"0x1\""),
            ("last-modified", "Tue, 03 Feb 2026 04:05:06 GMT"),
            ("x-ms-meta-a", "b"),
        ];
        let check = |more: &[(&'static str, &'static str)], expect: Option<u64>| {
            let info = info(&headers(&[&common[..], more].concat()));
            assert_eq!(info.ok().map(|info| info.size), expect, "{more:?}");
        };
        check(&[("content-length", "7")], Some(7));
        check(
            &[("content-length", "7"), ("content-range", "bytes 3-9/100")],
            Some(100),
        );
        check(
            &[("content-length", "7"), ("content-range", "bytes 3-9/*")],
            None,
        );
        check(&[], None);
    }

    #[test]
    fn ranges() {
        let check = |range: Range<u64>, expect: &str| {
            assert_eq!(http_range(range).to_string(), expect);
        };
        check(0..1, "bytes=0-0");
        check(10..20, "bytes=10-19");
        check(5..LARGEST_BLOB + 1, "bytes=5-");
    }
}
