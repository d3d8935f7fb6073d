//! From a prepared document to pages of placed items. Pure: lengths in points from the top left of the page.

mod fit;
mod flow;
mod furniture;
mod metrics;
mod paginate;
#[cfg(test)]
mod tests;

pub(crate) use fit::fit;
pub(crate) use furniture::{FooterLine, footers};
pub(crate) use metrics::Metrics;

use crate::prepare::{ParagraphId, PhotoId};
use crate::text::paragraph::Line;

/// Pages in one document.
pub(crate) const MAX_PAGES: usize = 200;

/// A document laid out.
#[derive(Debug, PartialEq)]
pub(crate) struct Layout {
    /// Each page's items in reading order.
    pub(crate) pages: Vec<Vec<Item>>,
    /// How far down the last page is filled.
    pub(crate) last_page: f32,
    /// The structure of the document; the first node is its root.
    pub(crate) nodes: Vec<Node>,
    /// Titles of sections, each with the item that shows it.
    pub(crate) outline: Vec<(String, ItemId)>,
    /// How many items there are.
    pub(crate) items: usize,
}

/// Something drawn on a page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// Its place in the reading order.
    pub(crate) id: ItemId,
    pub(crate) x: f32,
    /// The baseline of a line, the top of anything else.
    pub(crate) y: f32,
    pub(crate) shape: Shape,
}

/// What an item draws.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Line {
        paragraph: ParagraphId,
        line: Line,
    },
    Rule {
        width: f32,
    },
    Photo {
        photo: PhotoId,
        width: f32,
        height: f32,
        radius: f32,
    },
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
    List {
        bulleted: bool,
    },
    ListItem,
    Label,
    Body,
    Figure(PhotoId),
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
