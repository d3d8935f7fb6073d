//! From parts to pieces: one endless column, cut where a page could end.

use super::{Child, Item, ItemId, Metrics, Node, NodeId, NodeRole, Shape};
use crate::prepare::{Head, ParagraphId, Part, PhotoId, Prepared, PreparedRow};
use crate::text::breaks::break_lines;
use crate::text::paragraph::Role;

/// The part of a column that the labels of rows take at most.
const LABEL_SHARE: f32 = 0.4;

/// A part of the column that no page can end within.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// The gap above it, dropped at the top of a page.
    pub(super) before: f32,
    pub(super) height: f32,
    /// How far its items reach below its top, where that is further than its height.
    pub(super) reach: f32,
    /// Whether the next piece must stand on the same page, if a page can hold both.
    pub(super) keep_with_next: bool,
    /// `y` counts from the top of the piece.
    pub(super) items: Vec<Item>,
}

/// A column of pieces, with the structure of what they show.
pub(super) struct Column {
    pub(super) pieces: Vec<Piece>,
    pub(super) nodes: Vec<Node>,
    pub(super) outline: Vec<(String, ItemId)>,
    pub(super) items: usize,
}

/// Sets a document as one column.
pub(super) fn flow(prepared: &Prepared, metrics: &Metrics) -> Column {
    let column = Column {
        pieces: Vec::new(),
        nodes: vec![Node {
            role: NodeRole::Root,
            children: Vec::new(),
        }],
        outline: Vec::new(),
        items: 0,
    };
    let mut flow = Flow {
        prepared,
        metrics,
        column,
        gap: 0.0,
    };
    let area = Area {
        x: metrics.left,
        width: metrics.right - metrics.left,
    };
    flow.parts(&prepared.body, area, NodeId(0), 1);
    flow.column
}

struct Flow<'a> {
    prepared: &'a Prepared,
    metrics: &'a Metrics,
    column: Column,
    /// The gap that the next piece gets.
    gap: f32,
}

/// Where text is set, left to right.
#[derive(Clone, Copy)]
struct Area {
    x: f32,
    width: f32,
}

/// The lines of one paragraph, before anything is known of pages.
type Lines = Vec<Item>;

/// Which neighbours must share a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// At least two lines of a paragraph on either page.
    Lines,
    /// All lines, and the piece that follows.
    WithNext,
}

impl Flow<'_> {
    /// Sets parts below each other; `level` is that of their headings.
    fn parts(&mut self, parts: &[Part], area: Area, parent: NodeId, level: u16) {
        // The title of a masthead is the one heading above all others.
        let mut level = level;
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.gap = self.gap.max(self.gap_between(&parts[index - 1], part));
            }
            match part {
                Part::Masthead { title, body, photo } => {
                    self.masthead(*title, body, *photo, area, parent, level);
                    if title.is_some() && index == 0 {
                        level += 1;
                    }
                }
                Part::Section { title, body } => self.section(*title, body, area, parent, level),
                Part::Entry(head, body) => self.entry(head, body, area, parent, level),
                Part::Paragraph(id) => {
                    let node = self.node(parent, NodeRole::Paragraph);
                    let lines = self.lines(*id, area, node);
                    self.stack(vec![lines], self.height(Role::Text), Keep::Lines);
                }
                Part::List { bullet, items } => self.list(*bullet, items, area, parent),
                Part::Rows(rows) => self.rows(rows, area, parent),
                Part::Image(photo) => self.image(*photo, area, parent),
            }
        }
    }

    fn gap_between(&self, above: &Part, below: &Part) -> f32 {
        let spacing = &self.metrics.spacing;
        match (above, below) {
            (Part::Masthead { .. }, _) | (_, Part::Section { .. }) => spacing.section,
            (Part::Entry(..), _) | (_, Part::Entry(..)) => spacing.entry,
            _ => spacing.paragraph,
        }
    }

    fn masthead(
        &mut self,
        title: Option<ParagraphId>,
        body: &[Part],
        photo: Option<PhotoId>,
        area: Area,
        parent: NodeId,
        level: u16,
    ) {
        let metrics = self.metrics;
        let first = self.column.pieces.len();
        let beside = match photo {
            Some(_) => Area {
                width: area.width - metrics.photo_width - metrics.photo_gap,
                ..area
            },
            None => area,
        };
        if let Some(title) = title {
            let node = self.node(parent, self.heading(level, title));
            let lines = self.lines(title, beside, node);
            self.stack(vec![lines], self.height(Role::Name), Keep::WithNext);
            self.gap = metrics.spacing.title;
        }
        for (index, part) in body.iter().enumerate() {
            if index > 0 {
                self.gap = metrics.spacing.row;
            }
            self.parts(
                std::slice::from_ref(part),
                beside,
                parent,
                level + u16::from(title.is_some()),
            );
        }
        let Some(photo) = photo else {
            return;
        };

        // The tops of the capitals and of the photo are level.
        let role = if title.is_some() {
            Role::Name
        } else {
            Role::Text
        };
        let y = metrics.capital_top(role);
        let node = self.node(parent, NodeRole::Figure(photo));
        let shape = Shape::Photo {
            photo,
            width: metrics.photo_width,
            height: metrics.photo_height,
            radius: metrics.photo_radius,
        };
        let item = self.item(node, area.x + area.width - metrics.photo_width, y, shape);
        let pieces = &mut self.column.pieces;
        if pieces.len() == first {
            pieces.push(Piece {
                before: self.gap,
                ..Piece::default()
            });
            self.gap = 0.0;
        }
        let height: f32 = pieces[first..]
            .iter()
            .map(|piece| piece.before + piece.height)
            .sum();
        let height = height - pieces[first].before;
        pieces[first].items.push(item);
        pieces[first].reach = y + metrics.photo_height;
        // What follows starts below the photo, and the photo stays beside its text.
        let missing = y + metrics.photo_height - height;
        if missing > 0.0 {
            pieces.push(Piece {
                height: missing,
                ..Piece::default()
            });
        }
        let last = pieces.len() - 1;
        for piece in &mut pieces[first..last] {
            piece.keep_with_next = true;
        }
    }

    fn section(
        &mut self,
        title: Option<ParagraphId>,
        body: &[Part],
        area: Area,
        parent: NodeId,
        level: u16,
    ) {
        let section = self.node(parent, NodeRole::Section);
        let mut level = level;
        if let Some(title) = title {
            let heading = self.heading(level, title);
            level += 1;
            let node = self.node(section, heading);
            let lines = self.lines(title, area, node);
            if let Some(first) = lines.first() {
                let text = self.prepared.paragraphs[title.0].text.clone();
                self.column.outline.push((text, first.id));
            }
            let height = self.height(Role::SectionTitle);
            self.stack(vec![lines], height, Keep::WithNext);
            let rule = self.decoration(area.x, height, Shape::Rule { width: area.width });
            if let Some(last) = self.column.pieces.last_mut() {
                last.items.push(rule);
            }
            self.gap = self.metrics.spacing.title;
        }
        self.parts(body, area, section, level);
    }

    fn entry(&mut self, head: &Head, body: &[Part], area: Area, parent: NodeId, level: u16) {
        let (left, right) = self.date_columns(area).unwrap_or((area, area));
        let two_columns = left.x < right.x;
        let section = self.node(parent, NodeRole::Section);
        let mut level = level;
        let mut lines = Vec::new();
        // The title comes before the date: readers of the text want to know what, then when.
        if let Some(title) = head.title {
            let heading = self.heading(level, title);
            level += 1;
            let node = self.node(section, heading);
            lines.extend(self.lines(title, right, node));
        }
        let mut dates = Vec::new();
        if let Some(date) = head.date {
            let node = self.node(section, NodeRole::Paragraph);
            dates = self.lines(date, left, node);
        }
        if !two_columns {
            lines.append(&mut dates);
        }
        if let Some(subtitle) = head.subtitle {
            let node = self.node(section, NodeRole::Paragraph);
            lines.extend(self.lines(subtitle, right, node));
        }
        let keep = if body.is_empty() {
            Keep::Lines
        } else {
            Keep::WithNext
        };
        self.stack(vec![lines, dates], self.height(Role::Text), keep);
        self.gap = self.gap.max(self.metrics.spacing.item);
        self.parts(body, right, section, level);
    }

    /// The column for dates and the one for what they date, where both have room.
    fn date_columns(&self, area: Area) -> Option<(Area, Area)> {
        let indent = self.metrics.date_column;
        let left = Area {
            width: indent - self.metrics.indent,
            ..area
        };
        let right = Area {
            x: area.x + indent,
            width: area.width - indent,
        };
        let narrow = self.metrics.narrow;
        (left.width >= narrow && right.width >= narrow).then_some((left, right))
    }

    fn list(&mut self, bullet: ParagraphId, items: &[ParagraphId], area: Area, parent: NodeId) {
        let indent = self.metrics.indent;
        let indented = Area {
            x: area.x + indent,
            width: area.width - indent,
        };
        let list = self.node(parent, NodeRole::List { bulleted: true });
        for (index, id) in items.iter().enumerate() {
            if index > 0 {
                self.gap = self.metrics.spacing.item;
            }
            let item = self.node(list, NodeRole::ListItem);
            let label = self.node(item, NodeRole::Label);
            let bullet = self.lines(bullet, area, label);
            let body = self.node(item, NodeRole::Body);
            let lines = self.lines(*id, indented, body);
            self.stack(vec![lines, bullet], self.height(Role::Text), Keep::Lines);
        }
    }

    /// Labels and values side by side, close enough that readers of the text take them for one line.
    fn rows(&mut self, rows: &[PreparedRow], area: Area, parent: NodeId) {
        let labels = rows
            .iter()
            .filter_map(|row| row.label)
            .map(|label| self.width(label));
        let label_width = labels.fold(0.0, f32::max).min(area.width * LABEL_SHARE);
        let indent = if label_width > 0.0 {
            label_width + self.metrics.indent
        } else {
            0.0
        };
        let left = Area {
            width: label_width,
            ..area
        };
        let right = Area {
            x: area.x + indent,
            width: area.width - indent,
        };
        let list = self.node(parent, NodeRole::List { bulleted: false });
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                self.gap = self.metrics.spacing.row;
            }
            let item = self.node(list, NodeRole::ListItem);
            let labels = row.label.map(|label| {
                let node = self.node(item, NodeRole::Label);
                self.lines(label, left, node)
            });
            let values = row.value.map(|value| {
                let node = self.node(item, NodeRole::Body);
                self.lines(value, right, node)
            });
            let columns = labels.into_iter().chain(values).collect();
            self.stack(columns, self.height(Role::Text), Keep::Lines);
        }
    }

    /// The width of a paragraph on one line.
    fn width(&self, id: ParagraphId) -> f32 {
        let paragraph = &self.prepared.paragraphs[id.0];
        let em = paragraph.offsets.last().copied().unwrap_or(0.0);
        // A little more, so that the line fits its own width.
        em as f32 * self.metrics.size(paragraph.role) + 0.01
    }

    fn image(&mut self, photo: PhotoId, area: Area, parent: NodeId) {
        let (width, height) = self.prepared.photos[photo.0].size;
        let ratio = height as f32 / width as f32;
        // At 150 dots per inch unless that is wider than the column or higher than the page.
        let natural = width as f32 * 72.0 / 150.0;
        let width = natural
            .min(area.width)
            .min(self.metrics.text_height() / ratio);
        let height = width * ratio;
        let node = self.node(parent, NodeRole::Figure(photo));
        let item = self.item(
            node,
            area.x,
            0.0,
            Shape::Photo {
                photo,
                width,
                height,
                radius: 0.0,
            },
        );
        let before = std::mem::take(&mut self.gap);
        self.column.pieces.push(Piece {
            before,
            height,
            items: vec![item],
            ..Piece::default()
        });
    }

    /// The lines of a paragraph, each on the baseline of a piece of its own.
    fn lines(&mut self, id: ParagraphId, area: Area, node: NodeId) -> Lines {
        let paragraph = &self.prepared.paragraphs[id.0];
        let width = f64::from(area.width / self.metrics.size(paragraph.role));
        let y = self.metrics.baseline(paragraph.role);
        break_lines(paragraph, width)
            .into_iter()
            .map(|line| {
                self.item(
                    node,
                    area.x,
                    y,
                    Shape::Line {
                        paragraph: id,
                        line,
                    },
                )
            })
            .collect()
    }

    /// Sets columns of lines beside each other, line by line.
    fn stack(&mut self, columns: Vec<Lines>, height: f32, keep: Keep) {
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        for row in 0..rows {
            let keep_with_next =
                keep == Keep::WithNext || row + 1 < rows && (row == 0 || row + 2 == rows);
            self.column.pieces.push(Piece {
                before: std::mem::take(&mut self.gap),
                height,
                reach: 0.0,
                keep_with_next,
                items: columns.iter_mut().filter_map(Iterator::next).collect(),
            });
        }
    }

    fn height(&self, role: Role) -> f32 {
        self.metrics.line_height(role)
    }

    fn heading(&self, level: u16, title: ParagraphId) -> NodeRole {
        NodeRole::Heading(level, self.prepared.paragraphs[title.0].text.clone())
    }

    fn node(&mut self, parent: NodeId, role: NodeRole) -> NodeId {
        let id = NodeId(self.column.nodes.len());
        self.column.nodes.push(Node {
            role,
            children: Vec::new(),
        });
        self.column.nodes[parent.0].children.push(Child::Node(id));
        id
    }

    fn item(&mut self, node: NodeId, x: f32, y: f32, shape: Shape) -> Item {
        let item = self.decoration(x, y, shape);
        self.column.nodes[node.0]
            .children
            .push(Child::Item(item.id));
        item
    }

    /// An item that is no part of the content.
    fn decoration(&mut self, x: f32, y: f32, shape: Shape) -> Item {
        let id = ItemId(self.column.items);
        self.column.items += 1;
        Item { id, x, y, shape }
    }
}
