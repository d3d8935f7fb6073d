//! What a prepared document is made of: blocks that hold something, their texts and pictures by number.

use crate::blocks::{Align, Marker};

/// A block that holds something.
pub(crate) enum Part {
    Masthead(Header),
    Section {
        role: String,
        title: Option<ParagraphId>,
        body: Vec<Part>,
    },
    Entry(Head, Vec<Part>),
    Paragraph(ParagraphId, Align),
    Heading(ParagraphId),
    List(PreparedList),
    Rows(Vec<PreparedRow>),
    Table(PreparedTable),
    Image(PhotoId),
    /// In lines.
    Space(f32),
}

/// The head of a document.
pub(crate) struct Header {
    pub(crate) title: Option<ParagraphId>,
    pub(crate) headline: Option<ParagraphId>,
    pub(crate) body: Vec<Part>,
    pub(crate) photo: Option<PhotoId>,
}

/// The head of an entry.
pub(crate) struct Head {
    pub(crate) id: Option<String>,
    pub(crate) cut: Option<usize>,
    pub(crate) date: Option<ParagraphId>,
    pub(crate) title: Option<ParagraphId>,
    pub(crate) subtitle: Option<ParagraphId>,
    /// Both in one, for themes that have them so where one line holds them.
    pub(crate) joined: Option<ParagraphId>,
}

/// A list with at least one item.
pub(crate) struct PreparedList {
    pub(crate) marker: Marker,
    pub(crate) items: Vec<PreparedItem>,
}

pub(crate) struct PreparedItem {
    pub(crate) id: Option<String>,
    /// Its place among what may be cut.
    pub(crate) cut: Option<usize>,
    pub(crate) label: Option<ParagraphId>,
    pub(crate) text: ParagraphId,
}

/// A row with at least one side.
pub(crate) struct PreparedRow {
    pub(crate) label: Option<ParagraphId>,
    pub(crate) value: Option<ParagraphId>,
}

/// A table with at least one cell.
pub(crate) struct PreparedTable {
    /// Each column's part of the width, and where its text stands.
    pub(crate) columns: Vec<(f32, Align)>,
    pub(crate) header: Option<Vec<Option<ParagraphId>>>,
    pub(crate) rows: Vec<Vec<Option<ParagraphId>>>,
}

/// An index into [`Prepared::paragraphs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParagraphId(pub(crate) usize);

/// An index into [`Prepared::photos`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PhotoId(pub(crate) usize);
