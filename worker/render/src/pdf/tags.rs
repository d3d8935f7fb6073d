//! The structure tree: what each piece of content is, in reading order (ISO 32000-1, 14.7 and 14.8).

use std::num::NonZeroU16;

use krilla::tagging::{
    BBox, ListNumbering, Placement, TableHeaderScope, Tag, TagGroup, TagKind, TagTree,
};

use super::Source;
use super::draw::{Mark, Marks};
use crate::layout::{Child, NodeId, NodeRole, Numbering};
use crate::text::clean_line;

/// Characters of a heading's title.
const HEADING_TITLE: usize = 200;

pub(super) fn tree(source: &Source<'_>, marks: &Marks) -> TagTree {
    let mut tree = TagTree::new().with_lang(Some(source.prepared.language.clone()));
    let root = &source.layout.nodes[0];
    for child in &root.children {
        if let Child::Node(node) = child
            && let Some(group) = group(source, marks, *node)
        {
            tree.push(group);
        }
    }
    tree
}

/// A node with all below it, or nothing if it holds nothing: readers announce even what is empty.
fn group(source: &Source<'_>, marks: &Marks, id: NodeId) -> Option<TagGroup> {
    let node = &source.layout.nodes[id.0];
    let own = |id: usize| marks[id].iter();
    let area = node.children.iter().find_map(|child| match child {
        Child::Item(item) => own(item.0).find_map(|mark| Some((mark.page, mark.area?))),
        Child::Node(_) => None,
    });
    let bounds = area.map(|(page, area)| BBox::new(page, area));
    let mut group = TagGroup::new(tag(source, &node.role, bounds));
    let mut link: Option<(u32, TagGroup)> = None;
    for child in &node.children {
        match child {
            Child::Node(child) => {
                group
                    .children
                    .extend(link.take().map(|(_, link)| link.into()));
                group
                    .children
                    .extend(self::group(source, marks, *child).map(Into::into));
            }
            Child::Item(item) => {
                for mark in own(item.0) {
                    push(&mut group, &mut link, *mark);
                }
            }
        }
    }
    group.children.extend(link.map(|(_, link)| link.into()));
    // A row without its empty cells would put the others in the wrong columns.
    let kept = matches!(node.role, NodeRole::HeaderCell | NodeRole::Cell);
    (kept || !group.children.is_empty()).then_some(group)
}

/// Adds a mark; marks of one link that follow each other share its element, over line and page breaks.
fn push(group: &mut TagGroup, open: &mut Option<(u32, TagGroup)>, mark: Mark) {
    if let (Some(index), Some((current, link))) = (mark.link, open.as_mut())
        && *current == index
    {
        link.push(mark.id);
        return;
    }
    group
        .children
        .extend(open.take().map(|(_, link)| link.into()));
    match mark.link {
        Some(index) => {
            let link = TagGroup::with_children(Tag::Link, vec![mark.id.into()]);
            *open = Some((index, link));
        }
        None => group.push(mark.id),
    }
}

fn tag(source: &Source<'_>, role: &NodeRole, bounds: Option<BBox>) -> TagKind {
    match role {
        NodeRole::Root | NodeRole::Section => Tag::Section.into(),
        NodeRole::Heading(level, title) => {
            let level = NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN);
            Tag::Hn(level, Some(clean_line(title, HEADING_TITLE))).into()
        }
        NodeRole::Paragraph => Tag::P.into(),
        NodeRole::List(numbering) => Tag::L(match numbering {
            Numbering::Bullets => ListNumbering::Disc,
            Numbering::Numbers => ListNumbering::Decimal,
            Numbering::None => ListNumbering::None,
        })
        .into(),
        NodeRole::Table => Tag::Table.into(),
        NodeRole::TableHead => Tag::THead.into(),
        NodeRole::TableBody => Tag::TBody.into(),
        NodeRole::TableRow => Tag::TR.into(),
        NodeRole::HeaderCell => Tag::TH(TableHeaderScope::Column).into(),
        NodeRole::Cell => Tag::TD.into(),
        NodeRole::ListItem => Tag::LI.into(),
        NodeRole::Label => Tag::Lbl.into(),
        NodeRole::Body => Tag::LBody.into(),
        NodeRole::Figure(photo) => {
            let alt = source.prepared.photos[photo.0].alt.clone();
            // PDF/UA wants a text for every figure; the caller's title says at least whose it is.
            let alt = if alt.is_empty() {
                source.prepared.title.clone()
            } else {
                alt
            };
            Tag::Figure(Some(alt))
                .with_bbox(bounds)
                .with_placement(Some(Placement::Block))
                .into()
        }
    }
}
