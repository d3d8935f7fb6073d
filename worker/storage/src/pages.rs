//! Walks over all pages of a query or of a listing.
//!
//! One page is in memory at a time, and it is asked for when the one before it was used. A walk that
//! is dropped leaves nothing behind, and [`Rows::next_page`] that is dropped unfinished asks for the
//! same page when it is called again.
//!
//! Rows and blobs may be written and deleted while they are walked over. Those that are there from
//! beginning to end are met exactly once.

use std::ops::Range;

use crate::names::{Container, TableName};
use crate::port::{BlobInfo, Blobs, Continuation, Entity, Read, Result, StorageError, Table};

/// Entities or blobs of a page, unless the caller says otherwise: the most that the ports give.
const MOST: usize = 1_000;

/// The entities of a range of row keys, page by page.
#[derive(Debug)]
pub struct Rows<'a> {
    table: &'a dyn Table,
    name: TableName,
    partition: &'a str,
    keys: Range<&'a str>,
    max: usize,
    place: Place,
}

impl<'a> Rows<'a> {
    /// A walk over `rows.start <= row < rows.end` by ascending row key, at most 1,000 a page.
    pub fn of(
        table: &'a dyn Table,
        name: TableName,
        partition: &'a str,
        rows: Range<&'a str>,
    ) -> Self {
        Self {
            table,
            name,
            partition,
            keys: rows,
            max: MOST,
            place: Place::Start,
        }
    }

    /// At most `max` (1 to 1,000) entities a page.
    #[must_use]
    pub fn at_most(self, max: usize) -> Self {
        Self { max, ..self }
    }

    /// The next page, perhaps an empty one, with the table's time of the read; `None` at the end.
    /// After an error the same page can be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Read<Vec<Entity>>>> {
        let from = match &self.place {
            Place::Start => None,
            Place::At(from) => Some(from),
            Place::End => return Ok(None),
        };
        let keys = self.keys.clone();
        let query = self
            .table
            .query(self.name, self.partition, keys, self.max, from);
        let Read { value: page, date } = query.await?;
        self.place.go_on(page.next)?;
        let value = page.entities;
        Ok(Some(Read { value, date }))
    }

    /// Whether the last page was the end.
    pub fn is_over(&self) -> bool {
        matches!(self.place, Place::End)
    }

    /// The first entity that is left, wherever it is.
    pub async fn first(mut self) -> Result<Option<Entity>> {
        while let Some(page) = self.next_page().await? {
            if let Some(entity) = page.value.into_iter().next() {
                return Ok(Some(entity));
            }
        }
        Ok(None)
    }
}

/// The blobs whose paths have a prefix, page by page, at most 1,000 a page.
#[derive(Debug)]
pub struct Listing<'a> {
    blobs: &'a dyn Blobs,
    container: Container,
    prefix: &'a str,
    place: Place,
}

impl<'a> Listing<'a> {
    /// A walk over the blobs of a container by ascending path. An empty prefix takes all.
    pub fn of(blobs: &'a dyn Blobs, container: Container, prefix: &'a str) -> Self {
        Self {
            blobs,
            container,
            prefix,
            place: Place::Start,
        }
    }

    /// The next page, as [`Rows::next_page`].
    pub async fn next_page(&mut self) -> Result<Option<Vec<(String, BlobInfo)>>> {
        let from = match &self.place {
            Place::Start => None,
            Place::At(from) => Some(from),
            Place::End => return Ok(None),
        };
        let list = self.blobs.list(self.container, self.prefix, MOST, from);
        let page = list.await?;
        self.place.go_on(page.next)?;
        Ok(Some(page.blobs))
    }
}

/// How far a walk is.
#[derive(Debug)]
enum Place {
    Start,
    At(Continuation),
    End,
}

impl Place {
    fn go_on(&mut self, next: Option<Continuation>) -> Result<()> {
        *self = match (&*self, next) {
            (_, None) => Self::End,
            // A service that leads in a circle would hold its caller for ever.
            (Self::At(here), Some(next)) if *here == next => {
                return Err(StorageError::unavailable("a page leads to itself"));
            }
            (_, Some(next)) => Self::At(next),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
