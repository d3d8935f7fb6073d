//! From parts to pieces: endless columns, cut where a page could end.

mod blocks;
mod header;
mod table;

use super::metrics::{Frame, Metrics, Zone};
use super::{Child, Item, ItemId, Node, NodeId, NodeRole, Shape};
use crate::blocks::Align;
use crate::prepare::{ParagraphId, Part, Prepared};
use crate::text::breaks::{Measure, break_lines};
use crate::text::paragraph::{Line, Role};
use crate::theme::Spec;

/// A part of a column that no page can end within.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece {
    /// The gap above it, dropped at the top of a page.
    pub(super) before: f32,
    pub(super) height: f32,
    /// How far its items reach below its top, where that is further than its height.
    pub(super) reach: f32,
    /// Whether the next piece must stand on the same page, if a page can hold both.
    pub(super) keep_with_next: bool,
    /// Whether the header ends with it.
    pub(super) ends_header: bool,
    /// An index into [`Columns::repeats`]: what is shown again above it at the top of a page.
    pub(super) repeat: Option<usize>,
    /// An index into [`Columns::origins`].
    pub(super) origin: usize,
    /// `y` counts from the top of the piece.
    pub(super) items: Vec<Item>,
}

/// Columns of pieces, with the structure of what they show.
pub(super) struct Columns {
    pub(super) main: Vec<Piece>,
    pub(super) side: Vec<Piece>,
    pub(super) nodes: Vec<Node>,
    pub(super) outline: Vec<(String, ItemId)>,
    pub(super) items: usize,
    pub(super) origins: Vec<Origin>,
    pub(super) repeats: Vec<Vec<Piece>>,
}

/// Where in the document a piece comes from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// Counts the sections that have a title of their own, from 1; 0 is before them.
    pub(super) section: usize,
    pub(super) role: String,
    pub(super) id: Option<String>,
}

/// Lines once broken: shrinking gaps alone breaks none anew.
#[derive(Debug, Default)]
pub(super) struct Broken(Vec<Option<(Measure, Vec<Line>)>>);

/// Sets a document, without the first of what may be cut.
pub(super) fn flow(
    prepared: &Prepared,
    theme: &Spec,
    metrics: &Metrics,
    cuts: usize,
    broken: &mut Broken,
) -> Columns {
    broken.0.resize(prepared.paragraphs.len(), None);
    let mut flow = Flow {
        prepared,
        theme,
        metrics,
        cuts,
        broken,
        columns: Columns {
            main: Vec::new(),
            side: Vec::new(),
            nodes: vec![Node {
                role: NodeRole::Root,
                children: Vec::new(),
            }],
            outline: Vec::new(),
            items: 0,
            origins: vec![Origin::default()],
            repeats: Vec::new(),
        },
        zone: Zone::Main,
        gap: 0.0,
        side_gap: 0.0,
        origin: 0,
        repeat: None,
    };
    let root = NodeId(0);
    let (head, rest) = match prepared.main.split_first() {
        Some((Part::Masthead(header), rest)) => (Some(header), rest),
        _ => (None, prepared.main.as_slice()),
    };
    let level = match head {
        Some(header) => 1 + flow.head(header, root),
        None => 1,
    };
    flow.parts(rest, metrics.main, root, level);
    if let Some(frame) = metrics.side {
        flow.in_side(|flow| flow.parts(&prepared.side, frame, root, level));
    }
    flow.columns
}

struct Flow<'a> {
    prepared: &'a Prepared,
    theme: &'a Spec,
    metrics: &'a Metrics,
    cuts: usize,
    broken: &'a mut Broken,
    columns: Columns,
    zone: Zone,
    /// The gap that the next piece gets.
    gap: f32,
    /// The same in the column that is not being set.
    side_gap: f32,
    origin: usize,
    repeat: Option<usize>,
}

/// A line that waits for its row.
struct Set {
    item: Item,
    /// Of its own line.
    height: f32,
}

/// The lines of one paragraph, before anything is known of pages.
type Lines = Vec<Set>;

/// The most lines of an item of a list that are never parted.
const WHOLE_ITEM: usize = 6;

/// Which neighbours must share a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// At least two lines of a paragraph on either page.
    Lines,
    /// The same, but all lines where they are few: an item that is read at a glance.
    Item,
    /// All lines.
    Together,
    /// All lines, and the piece that follows.
    WithNext,
}

impl Flow<'_> {
    /// Does something in the sidebar.
    fn in_side(&mut self, set: impl FnOnce(&mut Self)) {
        let zone = std::mem::replace(&mut self.zone, Zone::Side);
        std::mem::swap(&mut self.gap, &mut self.side_gap);
        set(self);
        std::mem::swap(&mut self.gap, &mut self.side_gap);
        self.zone = zone;
    }

    /// Does something in the name of an entry or item, for reports.
    fn named(&mut self, id: Option<&String>, set: impl FnOnce(&mut Self)) {
        let outer = self.origin;
        if let Some(id) = id {
            let origin = Origin {
                id: Some(id.clone()),
                ..self.columns.origins[outer].clone()
            };
            self.columns.origins.push(origin);
            self.origin = self.columns.origins.len() - 1;
        }
        set(self);
        self.origin = outer;
    }

    /// Whether something with this place among what may be cut is still there.
    fn is_kept(&self, cut: Option<usize>) -> bool {
        cut.is_none_or(|rank| rank >= self.cuts)
    }

    /// Whether anything is left of a part after the cuts.
    fn is_shown(&self, part: &Part) -> bool {
        match part {
            Part::List(list) => list.items.iter().any(|item| self.is_kept(item.cut)),
            Part::Entry(head, _) => self.is_kept(head.cut),
            Part::Section { body, .. } => body
                .iter()
                .any(|part| !matches!(part, Part::Space(_)) && self.is_shown(part)),
            _ => true,
        }
    }

    fn pieces(&mut self) -> &mut Vec<Piece> {
        match self.zone {
            Zone::Side => &mut self.columns.side,
            Zone::Main | Zone::Band => &mut self.columns.main,
        }
    }

    fn push(&mut self, piece: Piece) {
        let piece = Piece {
            before: std::mem::take(&mut self.gap),
            origin: self.origin,
            repeat: self.repeat,
            ..piece
        };
        self.pieces().push(piece);
    }

    /// Sets columns of lines beside each other, row by row on common baselines.
    fn stack(&mut self, columns: Vec<Lines>, keep: Keep) {
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        for row in 0..rows {
            let last = row + 1 == rows;
            let keep_with_next = match keep {
                Keep::Item if rows <= WHOLE_ITEM => !last,
                Keep::Lines | Keep::Item => !last && (row == 0 || row + 2 == rows),
                Keep::Together => !last,
                Keep::WithNext => true,
            };
            let sets: Vec<_> = columns.iter_mut().filter_map(Iterator::next).collect();
            let max = |of: fn(&Set) -> f32| sets.iter().map(of).fold(0.0, f32::max);
            let (height, baseline) = (max(|set| set.height), max(|set| set.item.y));
            let items = sets.into_iter().map(|set| Item {
                y: baseline,
                ..set.item
            });
            self.push(Piece {
                height,
                keep_with_next,
                items: items.collect(),
                ..Piece::default()
            });
        }
    }

    /// The lines of a paragraph, each on the baseline of a piece of its own.
    fn lines(&mut self, id: ParagraphId, area: Frame, align: Align, node: NodeId) -> Lines {
        self.hanging(id, area, 0.0, align, node)
    }

    /// The same, with the lines after the first indented.
    fn hanging(
        &mut self,
        id: ParagraphId,
        area: Frame,
        indent: f32,
        align: Align,
        node: NodeId,
    ) -> Lines {
        let role = self.prepared.paragraphs[id.0].role;
        let size = self.metrics.size(role, self.zone);
        let y = self.metrics.baseline(role, self.zone);
        let height = self.metrics.line_height(role, self.zone);
        let measure = Measure {
            width: f64::from((area.width - indent) / size),
            first: f64::from(area.width / size),
            justify: self.theme.text.justify && role == Role::Text && align == Align::Start,
        };
        let broken = self.broken(id, measure);
        let lines = broken.into_iter().enumerate().map(|(index, line)| {
            let free = area.width - line.width as f32 * size;
            let indent = match align {
                Align::Start if index > 0 => indent,
                Align::Start => 0.0,
                Align::Center => free / 2.0,
                Align::End => free,
            };
            let shape = Shape::Line {
                paragraph: id,
                line,
                size,
            };
            // What is wider than its column starts with it all the same.
            let item = self.item(node, area.x + indent.max(0.0), y, shape);
            Set { item, height }
        });
        lines.collect()
    }

    fn broken(&mut self, id: ParagraphId, measure: Measure) -> Vec<Line> {
        let known = &mut self.broken.0[id.0];
        match known {
            Some((own, lines)) if *own == measure => lines.clone(),
            _ => {
                let lines = break_lines(&self.prepared.paragraphs[id.0], measure);
                *known = Some((measure, lines.clone()));
                lines
            }
        }
    }

    /// The width of a paragraph on one line.
    fn width(&self, id: ParagraphId) -> f32 {
        let paragraph = &self.prepared.paragraphs[id.0];
        let em = paragraph.offsets.last().copied().unwrap_or(0.0);
        // A little more, so that the line fits its own width.
        em as f32 * self.metrics.size(paragraph.role, self.zone) + 0.01
    }

    fn line_height(&self, role: Role) -> f32 {
        self.metrics.line_height(role, self.zone)
    }

    fn heading(&self, level: u16, title: ParagraphId) -> NodeRole {
        NodeRole::Heading(level, self.prepared.paragraphs[title.0].text.clone())
    }

    fn node(&mut self, parent: NodeId, role: NodeRole) -> NodeId {
        let nodes = &mut self.columns.nodes;
        let id = NodeId(nodes.len());
        nodes.push(Node {
            role,
            children: Vec::new(),
        });
        nodes[parent.0].children.push(Child::Node(id));
        id
    }

    fn item(&mut self, node: NodeId, x: f32, y: f32, shape: Shape) -> Item {
        let item = self.decoration(x, y, shape);
        let children = &mut self.columns.nodes[node.0].children;
        children.push(Child::Item(item.id));
        item
    }

    /// An item that is no part of the content.
    fn decoration(&mut self, x: f32, y: f32, shape: Shape) -> Item {
        let id = ItemId(self.columns.items);
        self.columns.items += 1;
        Item {
            id,
            x,
            y,
            zone: self.zone,
            copy: false,
            shape,
        }
    }
}
