//! From a prepared document to pages of placed items. Pure: lengths in points from the top left of the page.

pub(crate) mod colors;
mod fit;
mod flow;
mod furniture;
mod metrics;
mod paginate;
#[cfg(test)]
mod tests;

pub(crate) use fit::fit;
pub(crate) use furniture::{FooterLine, footers};
pub(crate) use metrics::{Metrics, Zone};

use crate::options::PageBreak;
use crate::prepare::{ParagraphId, PhotoId};
use crate::text::paragraph::Line;

/// Pages in one document.
pub(crate) const MAX_PAGES: usize = 200;

/// A document laid out.
#[derive(Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) pages: Vec<Page>,
    /// The structure of the document; the first node is its root.
    pub(crate) nodes: Vec<Node>,
    /// Titles of sections, each with the item that shows it.
    pub(crate) outline: Vec<(String, ItemId)>,
    /// How many items there are, copies aside.
    pub(crate) items: usize,
    pub(crate) main: Extent,
    pub(crate) side: Extent,
    pub(crate) breaks: Vec<PageBreak>,
}

/// One page.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Page {
    /// What lies behind everything else.
    pub(crate) backgrounds: Vec<Background>,
    /// In reading order.
    pub(crate) items: Vec<Item>,
}

/// A coloured area behind the content.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Background {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) paint: Paint,
}

/// How much of its pages a column takes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Extent {
    /// How far down each page is filled.
    pub(crate) filled: Vec<f32>,
    /// How many glyphs there are.
    pub(crate) glyphs: usize,
}

/// Something drawn on a page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// Its place in the reading order; a copy has that of what it stands before.
    pub(crate) id: ItemId,
    pub(crate) x: f32,
    /// The baseline of a line, the top of anything else.
    pub(crate) y: f32,
    pub(crate) zone: Zone,
    /// Whether it only repeats what was on an earlier page.
    pub(crate) copy: bool,
    pub(crate) shape: Shape,
}

/// What an item draws.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Line {
        paragraph: ParagraphId,
        line: Line,
        size: f32,
    },
    Rule {
        width: f32,
        weight: f32,
    },
    Area {
        width: f32,
        height: f32,
        paint: Paint,
    },
    Photo {
        photo: PhotoId,
        width: f32,
        height: f32,
        radius: f32,
    },
}

/// A colour by its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Accent,
    TitleFill,
    Band,
    Sidebar,
}

/// A node of the structure tree.
#[derive(Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) role: NodeRole,
    pub(crate) children: Vec<Child>,
}

/// What a node is to a reader that cannot see the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeRole {
    Root,
    Section,
    /// Its level from 1, and its text.
    Heading(u16, String),
    Paragraph,
    List(Numbering),
    ListItem,
    Label,
    Body,
    Table,
    TableHead,
    TableBody,
    TableRow,
    HeaderCell,
    Cell,
    Figure(PhotoId),
}

/// How the items of a list are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbering {
    None,
    Bullets,
    Numbers,
}

/// What a node holds, in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    Node(NodeId),
    Item(ItemId),
}

/// An index into [`Layout::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(pub(crate) usize);

/// An item's place in the reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ItemId(pub(crate) usize);

impl Item {
    /// How wide it is drawn.
    fn width(&self) -> f32 {
        match &self.shape {
            Shape::Line { line, size, .. } => line.width as f32 * size,
            Shape::Rule { width, .. } | Shape::Area { width, .. } | Shape::Photo { width, .. } => {
                *width
            }
        }
    }

    /// Puts it where a mirror would show it.
    fn mirror(&mut self, page_width: f32) {
        self.x = page_width - self.x - self.width();
    }
}
