use std::sync::Mutex;

use async_trait::async_trait;
use futures::FutureExt as _;
use jiff::Timestamp;

use super::*;
use crate::port::{ETag, EntityPage, Properties, Write};

/// A table that answers with these pages, each with the word that leads on; an empty list of rows
/// is an answer too. What it is asked for is noted.
#[derive(Debug)]
struct Script {
    pages: Vec<(&'static [&'static str], Option<&'static str>)>,
    asked: Mutex<Vec<(usize, Option<String>)>>,
    /// Failures of the questions in turn, after which each is answered.
    failing: Mutex<usize>,
    hangs: Mutex<bool>,
}

impl Script {
    fn of(pages: &[(&'static [&'static str], Option<&'static str>)]) -> Self {
        Self {
            pages: pages.to_vec(),
            asked: Mutex::default(),
            failing: Mutex::default(),
            hangs: Mutex::default(),
        }
    }

    fn walk(&self) -> Rows<'_> {
        Rows::of(self, TableName::Jobs, "acme", "a".."z")
    }

    async fn rows(&self) -> Result<Vec<String>> {
        let (mut walk, mut rows) = (self.walk(), Vec::new());
        while let Some(page) = walk.next_page().await? {
            rows.extend(page.value.into_iter().map(|entity| entity.row));
        }
        Ok(rows)
    }
}

#[async_trait]
impl Table for Script {
    async fn get(&self, _: TableName, _: &str, _: &str) -> Result<Read<Option<Entity>>> {
        unreachable!("a walk queries")
    }

    async fn query(
        &self,
        _: TableName,
        _: &str,
        _: Range<&str>,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<Read<EntityPage>> {
        let from = from.map(|from| from.0.clone());
        self.asked.lock().unwrap().push((max, from.clone()));
        if std::mem::take(&mut *self.hangs.lock().unwrap()) {
            std::future::pending::<()>().await;
        }
        {
            let mut failing = self.failing.lock().unwrap();
            if let Some(less) = failing.checked_sub(1) {
                *failing = less;
                return Err(StorageError::unavailable("a failure of the test"));
            }
        }
        let leads_here = |(_, next): &&(_, Option<&str>)| *next == from.as_deref();
        let at = match from {
            None => 0,
            Some(_) => {
                1 + self
                    .pages
                    .iter()
                    .take_while(|page| !leads_here(page))
                    .count()
            }
        };
        let (rows, next) = self.pages[at.min(self.pages.len() - 1)];
        let entities = rows.iter().map(|row| Entity {
            row: (*row).to_owned(),
            etag: ETag(String::new()),
            properties: Properties::new(),
        });
        Ok(Read {
            value: EntityPage {
                entities: entities.collect(),
                next: next.map(|next| Continuation(next.to_owned())),
            },
            date: Timestamp::UNIX_EPOCH,
        })
    }

    async fn write(&self, _: TableName, _: &str, _: Vec<Write>) -> Result<Vec<Option<ETag>>> {
        unreachable!("a walk queries")
    }
}

#[tokio::test]
async fn every_page_is_walked_over_empty_ones_too() {
    let check = async |pages: &[_], rows: &[&str], asked: &[Option<&str>]| {
        let script = Script::of(pages);
        assert_eq!(script.rows().await.unwrap(), rows);
        let questions = script.asked.into_inner().unwrap();
        let from: Vec<_> = questions.iter().map(|(_, from)| from.as_deref()).collect();
        assert_eq!(from, asked);
    };
    check(&[(&[], None)], &[], &[None]).await;
    check(&[(&["a", "b"], None)], &["a", "b"], &[None]).await;
    let three: [(&[&str], _); 3] = [(&["a"], Some("1")), (&[], Some("2")), (&["b"], None)];
    check(&three, &["a", "b"], &[None, Some("1"), Some("2")]).await;
}

#[tokio::test]
async fn a_page_that_failed_or_was_dropped_is_asked_for_again() {
    let script = Script::of(&[(&["a"], Some("1")), (&["b"], None)]);
    let mut walk = script.walk().at_most(7);
    let row = async |walk: &mut Rows<'_>| {
        let page = walk.next_page().await.unwrap();
        page.map(|page| page.value[0].row.clone())
    };
    assert_eq!(row(&mut walk).await.as_deref(), Some("a"));
    *script.failing.lock().unwrap() = 1;
    assert!(walk.next_page().await.is_err());
    *script.hangs.lock().unwrap() = true;
    assert!(walk.next_page().now_or_never().is_none());
    assert_eq!(row(&mut walk).await.as_deref(), Some("b"));
    assert_eq!(row(&mut walk).await, None);
    assert_eq!(row(&mut walk).await, None);
    let one = || Some("1".to_owned());
    let asked = [(7, None), (7, one()), (7, one()), (7, one())];
    assert_eq!(*script.asked.lock().unwrap(), asked);
}

#[tokio::test]
async fn the_first_row_may_be_behind_empty_pages() {
    let check = async |pages: &[_], first: Option<&str>| {
        let script = Script::of(pages);
        let entity = script.walk().at_most(1).first().await.unwrap();
        assert_eq!(entity.map(|entity| entity.row).as_deref(), first);
    };
    check(&[(&[], Some("1")), (&["b"], None)], Some("b")).await;
    check(&[(&[], Some("1")), (&[], None)], None).await;
}

#[tokio::test]
async fn a_circle_ends() {
    let script = Script::of(&[(&["a"], Some("1")), (&["a"], Some("1"))]);
    let ended = script.rows().await;
    assert!(matches!(ended, Err(StorageError::Unavailable(_))));
}
