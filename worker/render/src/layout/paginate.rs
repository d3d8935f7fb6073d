//! From one endless column to pages.

use super::flow::{Column, Piece};
use super::{Item, Layout, MAX_PAGES, Metrics};
use crate::error::Error;

/// Cuts a column into pages. Pieces that belong together share one unless no page can hold them.
pub(super) fn paginate(column: Column, metrics: &Metrics) -> Result<Layout, Error> {
    let mut pages = Pages {
        metrics,
        done: vec![Vec::new()],
        y: metrics.top,
    };
    let mut pieces = column.pieces.into_iter().peekable();
    let mut group: Vec<Piece> = Vec::new();
    while let Some(piece) = pieces.next() {
        let joined = piece.keep_with_next && pieces.peek().is_some();
        group.push(piece);
        if !joined {
            pages.place(std::mem::take(&mut group))?;
        }
    }
    for page in &mut pages.done {
        page.sort_by_key(|item| item.id);
    }
    let last_page = pages.y - metrics.top;
    Ok(Layout {
        pages: pages.done,
        last_page,
        nodes: column.nodes,
        outline: column.outline,
        items: column.items,
    })
}

struct Pages<'a> {
    metrics: &'a Metrics,
    done: Vec<Vec<Item>>,
    /// Where the next piece goes on the last page.
    y: f32,
}

impl Pages<'_> {
    fn place(&mut self, group: Vec<Piece>) -> Result<(), Error> {
        let height: f32 = group.iter().map(|piece| piece.before + piece.height).sum();
        let first_gap = group.first().map_or(0.0, |piece| piece.before);
        if !self.fits(if self.at_top() {
            height - first_gap
        } else {
            height
        }) {
            self.break_page()?;
        }
        // Only a group that is higher than a page meets another page break here.
        for piece in group {
            if !self.at_top() {
                if self.fits(piece.before + piece.height.max(piece.reach)) {
                    self.y += piece.before;
                } else {
                    self.break_page()?;
                }
            }
            if let Some(page) = self.done.last_mut() {
                page.extend(piece.items.into_iter().map(|item| Item {
                    y: item.y + self.y,
                    ..item
                }));
            }
            self.y += piece.height;
        }
        Ok(())
    }

    fn at_top(&self) -> bool {
        self.y <= self.metrics.top
    }

    fn fits(&self, height: f32) -> bool {
        // A hundredth of a point is a rounding error.
        self.y + height <= self.metrics.bottom + 0.01
    }

    fn break_page(&mut self) -> Result<(), Error> {
        if self.at_top() {
            return Ok(());
        }
        if self.done.len() >= MAX_PAGES {
            return Err(Error::TooManyPages { limit: MAX_PAGES });
        }
        self.done.push(Vec::new());
        self.y = self.metrics.top;
        Ok(())
    }
}
