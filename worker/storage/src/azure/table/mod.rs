//! The table port on Azure Table Storage: a thin client on the pipeline of `azure_core`, since the
//! service has no official crate.

mod answer;
mod entity;
mod request;

use std::ops::Range;

use async_trait::async_trait;
use azure_core::http::{Context, Pipeline, RawResponse, Request, Url};
use serde::Deserialize;
use serde_json::Value;

use super::cursor;
use super::failure::{Answer, Failure, header, parse_date};
use super::tries::{Ended, Repeat, Tries};
use crate::limits;
use crate::names::TableName;
use crate::port::{
    Continuation, ETag, Entity, EntityPage, Read, Result, StorageError, Table, Write,
};

type Tried<T> = std::result::Result<T, Failure>;

/// Starts every continuation of a query.
const MARK: &str = "t1.";
/// Bytes of a version; the service's own are below 100.
const LONGEST_ETAG: usize = 256;
/// How often a transaction is put together anew because a row that it was to delete has vanished.
const ROUNDS: usize = 4;

/// The tables of an account.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) pipeline: Pipeline,
    pub(super) endpoint: Url,
    pub(super) tries: Tries,
}

#[async_trait]
impl Table for Tables {
    async fn get(
        &self,
        table: TableName,
        partition: &str,
        row: &str,
    ) -> Result<Read<Option<Entity>>> {
        limits::key(partition)?;
        limits::key(row)?;
        let request = request::get(&self.endpoint, table.as_str(), partition, row);
        let operation = || async {
            let answer = match self.send(&request).await {
                Err(Failure::Answer(Answer {
                    status: 404,
                    code,
                    date: Some(date),
                    ..
                })) if code == "ResourceNotFound" => {
                    return Ok(Read { value: None, date });
                }
                answer => answer?,
            };
            let value = json(&answer)?;
            let entity = entity::decode(value, header(answer.headers(), "etag"))?;
            Ok(Read {
                value: Some(entity),
                date: date(&answer)?,
            })
        };
        Ok(self.run(table, Repeat::Always, operation).await?)
    }

    async fn query(
        &self,
        table: TableName,
        partition: &str,
        rows: Range<&str>,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<Read<EntityPage>> {
        limits::key(partition)?;
        limits::max(max, limits::PAGE)?;
        let from = from.map(|from| cursor::read(MARK, from, 2)).transpose()?;
        let from = from.and_then(|words| {
            let mut words = words.into_iter();
            Some((words.next()?, words.next()))
        });
        let table_name = table.as_str();
        let request = request::query(
            &self.endpoint,
            table_name,
            partition,
            &rows,
            max,
            from.as_ref(),
        );
        let operation = || async {
            let answer = self.send(&request).await?;
            let Page { value } = json(&answer)?;
            let entities = value.into_iter().map(|value| entity::decode(value, None));
            let page = EntityPage {
                entities: entities.collect::<Tried<_>>()?,
                next: next(&answer),
            };
            Ok(Read {
                value: page,
                date: date(&answer)?,
            })
        };
        Ok(self.run(table, Repeat::Always, operation).await?)
    }

    async fn write(
        &self,
        table: TableName,
        partition: &str,
        mut writes: Vec<Write>,
    ) -> Result<Vec<Option<ETag>>> {
        limits::writes(partition, &mut writes)?;
        if writes
            .iter()
            .any(|write| version(write).is_some_and(|etag| !is_legal(etag)))
        {
            return Err(StorageError::Precondition);
        }
        let mut etags = vec![None; writes.len()];
        let mut left: Vec<usize> = (0..writes.len()).collect();
        for _ in 0..ROUNDS {
            let chosen: Vec<&Write> = left.iter().map(|n| &writes[*n]).collect();
            match self.write_all(table, partition, &chosen).await {
                Ok(new) => {
                    for (n, etag) in left.into_iter().zip(new) {
                        etags[n] = etag.filter(|_| !matches!(writes[n], Write::Delete(..)));
                    }
                    return Ok(etags);
                }
                Err(ended) if ended.failure.code() == "ResourceNotFound" => {
                    left = self
                        .still_there(table, partition, &writes, left, ended)
                        .await?;
                    if left.is_empty() {
                        return Ok(etags);
                    }
                }
                Err(ended) => return Err(conflict(ended)),
            }
        }
        Err(StorageError::unavailable(
            "rows of a transaction kept coming and going",
        ))
    }
}

impl Tables {
    async fn run<T, Op>(
        &self,
        table: TableName,
        repeat: Repeat,
        operation: impl Fn() -> Op,
    ) -> std::result::Result<T, Ended>
    where
        Op: Future<Output = Tried<T>>,
    {
        let create = request::create(&self.endpoint, table.as_str());
        let make = || async {
            match self.send(&create).await {
                Err(failure) if failure.code() != "TableAlreadyExists" => Err(failure),
                _ => Ok(()),
            }
        };
        self.tries.run(repeat, operation, make).await
    }

    async fn send(&self, request: &Request) -> Tried<RawResponse> {
        Ok(self
            .pipeline
            .send(&Context::new(), &mut request.clone(), None)
            .await?)
    }

    /// These writes and no others; a single one needs no transaction, which costs the service more.
    async fn write_all(
        &self,
        table: TableName,
        partition: &str,
        writes: &[&Write],
    ) -> std::result::Result<Vec<Option<ETag>>, Ended> {
        let (endpoint, name) = (&self.endpoint, table.as_str());
        if let [write] = writes {
            let request = request::write(endpoint, name, partition, write);
            let operation = || async {
                let answer = self.send(&request).await?;
                let etag = header(answer.headers(), "etag");
                Ok(vec![etag.map(|etag| ETag(etag.to_owned()))])
            };
            return self.run(table, Repeat::IfUntouched, operation).await;
        }
        let request = request::transaction(endpoint, name, partition, writes.iter().copied());
        let operation = || async {
            let answer = self.send(&request).await?;
            answer::parts(answer.body(), writes.len())
        };
        self.run(table, Repeat::IfUntouched, operation).await
    }

    /// What is left of a transaction that the service refused because a row is missing. A delete
    /// without a version has nothing to do then and is left out; with a version it is a conflict,
    /// as an update is.
    ///
    /// A row that comes into being between this look and the next try stays.
    async fn still_there(
        &self,
        table: TableName,
        partition: &str,
        writes: &[Write],
        left: Vec<usize>,
        ended: Ended,
    ) -> Result<Vec<usize>> {
        if let [n] = left[..] {
            return match version(&writes[n]) {
                Some(_) => Err(ended.conflict(StorageError::Precondition)),
                None => Ok(Vec::new()),
            };
        }
        let mut there = Vec::with_capacity(left.len());
        for n in left {
            let missing = match &writes[n] {
                Write::Insert(..) | Write::Upsert(..) => false,
                Write::Update(row, ..) | Write::Delete(row, _) => {
                    self.get(table, partition, row).await?.value.is_none()
                }
            };
            match version(&writes[n]) {
                Some(_) if missing => return Err(ended.conflict(StorageError::Precondition)),
                None if missing => {}
                _ => there.push(n),
            }
        }
        Ok(there)
    }
}

/// The version that a write asks for.
fn version(write: &Write) -> Option<&ETag> {
    match write {
        Write::Update(_, _, etag) => Some(etag),
        Write::Delete(_, etag) => etag.as_ref(),
        Write::Insert(..) | Write::Upsert(..) => None,
    }
}

/// Whether this may be a version at all: no wildcard, and nothing that would end a header.
fn is_legal(ETag(etag): &ETag) -> bool {
    let visible = etag.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    visible && (1..=LONGEST_ETAG).contains(&etag.len()) && etag.contains('"')
}

fn conflict(ended: Ended) -> StorageError {
    match (ended.failure.status(), ended.failure.code()) {
        (409, "EntityAlreadyExists") => ended.conflict(StorageError::AlreadyExists),
        (412, _) => ended.conflict(StorageError::Precondition),
        _ => ended.into(),
    }
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Value>,
}

fn json<T: for<'de> Deserialize<'de>>(answer: &RawResponse) -> Tried<T> {
    // Its text may repeat values.
    serde_json::from_slice(answer.body()).map_err(|error| {
        Failure::misread(format!(
            "JSON, line {} column {}",
            error.line(),
            error.column()
        ))
    })
}

fn date(answer: &RawResponse) -> Tried<jiff::Timestamp> {
    let date = header(answer.headers(), "date").and_then(parse_date);
    date.ok_or_else(|| Failure::misread("no Date"))
}

fn next(answer: &RawResponse) -> Option<Continuation> {
    let partition = header(answer.headers(), "x-ms-continuation-nextpartitionkey")?;
    let row = header(answer.headers(), "x-ms-continuation-nextrowkey");
    let words: Vec<_> = [Some(partition), row].into_iter().flatten().collect();
    Some(cursor::write(MARK, &words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_are_sent_as_versions() {
        let check = |text: &str, expect: bool| {
            assert_eq!(is_legal(&ETag(text.to_owned())), expect, "{text:?}");
        };
        check("W/\"datetime'2026-02-03T04%3A05%3A06.1234567Z'\"", true);
        check("*", false);
        check("", false);
        check("W/\"1\"\r\nx: y", false);
        check(&format!("\"{}\"", "x".repeat(LONGEST_ETAG)), false);
    }
}
