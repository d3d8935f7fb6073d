//! The size of a document, counted before any work is done on it, and the ids that it gives its parts.

use std::collections::BTreeSet;

use crate::blocks::{Block, Document, Entry, Masthead, Row, Section, Text};
use crate::error::Error;

/// Bytes of text in one document: more than its pages can hold.
pub(crate) const MAX_TEXT: usize = 1_000_000;
/// Blocks, list items, rows, cells and runs (but for the first of each text) in one document.
pub(crate) const MAX_BLOCKS: usize = 20_000;
/// Blocks within blocks.
pub(crate) const MAX_DEPTH: usize = 8;
/// Columns of a table.
pub(super) const MAX_COLUMNS: usize = 12;

/// Refuses what is too large, and gives the ids of entries and list items.
pub(super) fn check(document: &Document) -> Result<BTreeSet<&str>, Error> {
    let mut size = Size::default();
    size.add_blocks(&document.body, 1)?;
    if size.bytes > MAX_TEXT {
        return Err(Error::TooMuchText {
            bytes: size.bytes,
            limit: MAX_TEXT,
        });
    }
    Ok(size.ids)
}

#[derive(Default)]
struct Size<'a> {
    bytes: usize,
    blocks: usize,
    ids: BTreeSet<&'a str>,
}

impl<'a> Size<'a> {
    fn add_blocks(&mut self, blocks: &'a [Block], depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep { limit: MAX_DEPTH });
        }
        self.count(blocks.len())?;
        for block in blocks {
            self.add_block(block, depth)?;
        }
        Ok(())
    }

    fn add_block(&mut self, block: &'a Block, depth: usize) -> Result<(), Error> {
        match block {
            Block::Masthead(Masthead {
                title,
                headline,
                body,
                ..
            }) => {
                self.text(title)?;
                self.text(headline)?;
                self.add_blocks(body, depth + 1)
            }
            Block::Section(Section { title, blocks, .. }) => {
                self.text(title)?;
                self.add_blocks(blocks, depth + 1)
            }
            Block::Entry(Entry {
                id,
                date,
                title,
                subtitle,
                body,
            }) => {
                self.ids.extend(id.as_deref());
                for text in [date, title, subtitle] {
                    self.text(text)?;
                }
                self.add_blocks(body, depth + 1)
            }
            Block::Paragraph(text) | Block::Aligned(_, text) | Block::Heading(text) => {
                self.text(text)
            }
            Block::List(list) => {
                self.count(list.items.len())?;
                for item in &list.items {
                    self.ids.extend(item.id.as_deref());
                    self.text(&item.text)?;
                }
                Ok(())
            }
            Block::Inline(items) => {
                self.count(items.len())?;
                items.iter().try_for_each(|item| self.text(item))
            }
            Block::Rows(rows) => {
                self.count(rows.len())?;
                for Row { label, value } in rows {
                    self.text(label)?;
                    self.text(value)?;
                }
                Ok(())
            }
            Block::Table(table) => {
                if table.columns.len() > MAX_COLUMNS {
                    return Err(Error::TooManyColumns { limit: MAX_COLUMNS });
                }
                self.count(table.rows.len())?;
                for cell in table.header.iter().chain(table.rows.iter().flatten()) {
                    self.count(1)?;
                    self.text(cell)?;
                }
                Ok(())
            }
            Block::Image(_) | Block::Space(_) => Ok(()),
        }
    }

    fn count(&mut self, blocks: usize) -> Result<(), Error> {
        self.blocks += blocks;
        if self.blocks > MAX_BLOCKS {
            return Err(Error::TooManyBlocks { limit: MAX_BLOCKS });
        }
        Ok(())
    }

    fn text(&mut self, text: &Text) -> Result<(), Error> {
        self.bytes += text.0.iter().map(|run| run.text.len()).sum::<usize>();
        self.count(text.0.len().saturating_sub(1))
    }
}
