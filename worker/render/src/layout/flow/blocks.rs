//! Sections, entries, paragraphs, lists, rows and pictures.

use super::super::metrics::{Frame, Zone};
use super::super::{NodeId, NodeRole, Numbering, Paint, Shape};
use super::{Flow, Keep, Lines, Origin, Piece};
use crate::blocks::{Align, Marker};
use crate::prepare::{Head, ParagraphId, Part, PhotoId, PreparedItem, PreparedList, PreparedRow};
use crate::text::paragraph::Role;
use crate::theme::{BodyPlace, DatePlace, Decoration, TitleAlign};

/// The part of a column that the labels of rows take at most.
const LABEL_SHARE: f32 = 0.4;
/// The part of a line that a date at its end takes at most.
const DATE_SHARE: f32 = 0.45;
/// Pictures are this fine unless they are wider than the column.
const DOTS_PER_INCH: f32 = 150.0;

impl Flow<'_> {
    /// Sets parts below each other; `level` is that of their headings.
    pub(super) fn parts(&mut self, parts: &[Part], area: Frame, parent: NodeId, level: u16) {
        let mut above: Option<&Part> = None;
        let mut space = 0.0;
        for part in parts {
            if let Part::Space(lines) = part {
                space += lines * self.metrics.gaps.line;
                continue;
            }
            if !self.is_shown(part) {
                continue;
            }
            if let Some(above) = above {
                self.gap = self.gap.max(self.gap_between(above, part));
            }
            self.gap += std::mem::take(&mut space);
            self.part(part, area, parent, level);
            above = Some(part);
        }
    }

    fn part(&mut self, part: &Part, area: Frame, parent: NodeId, level: u16) {
        match part {
            Part::Masthead(header) => self.masthead(header, area, parent, level),
            Part::Section { role, title, body } => {
                self.section(role, *title, body, area, parent, level);
            }
            Part::Entry(head, body) => self.named(head.id.as_ref(), |flow| {
                flow.entry(head, body, area, parent, level);
            }),
            Part::Paragraph(id, align) => {
                let node = self.node(parent, NodeRole::Paragraph);
                let lines = self.lines(*id, area, *align, node);
                self.stack(vec![lines], Keep::Lines);
            }
            Part::Heading(id) => {
                let heading = self.heading(level, *id);
                let node = self.node(parent, heading);
                let lines = self.lines(*id, area, Align::Start, node);
                self.stack(vec![lines], Keep::WithNext);
            }
            Part::List(list) => self.list(list, area, parent),
            Part::Rows(rows) => self.rows(rows, area, parent),
            Part::Table(table) => self.table(table, area, parent),
            Part::Image(photo) => self.image(*photo, area, parent),
            Part::Space(_) => {}
        }
    }

    fn gap_between(&self, above: &Part, below: &Part) -> f32 {
        let gaps = &self.metrics.gaps;
        match (above, below) {
            (Part::Masthead(_), _) => gaps.header,
            (_, Part::Section { .. }) => gaps.section,
            (Part::Entry(..), _) | (_, Part::Entry(..)) => gaps.entry,
            _ => gaps.paragraph,
        }
    }

    fn section(
        &mut self,
        role: &str,
        title: Option<ParagraphId>,
        body: &[Part],
        area: Frame,
        parent: NodeId,
        level: u16,
    ) {
        let outer = self.origin;
        let origins = &mut self.columns.origins;
        if title.is_some() || !role.is_empty() {
            let section = origins.last().map_or(0, |origin| origin.section) + 1;
            origins.push(Origin {
                section,
                role: role.to_owned(),
                id: None,
            });
            self.origin = origins.len() - 1;
        }
        let section = self.node(parent, NodeRole::Section);
        let mut level = level;
        if let Some(title) = title {
            self.section_title(title, area, section, level);
            level += 1;
        }
        self.parts(body, area, section, level);
        self.origin = outer;
    }

    fn section_title(&mut self, title: ParagraphId, area: Frame, section: NodeId, level: u16) {
        let theme = &self.theme.sections;
        let (decoration, weight) = (theme.decoration, theme.weight);
        let size = self.metrics.size(Role::SectionTitle, self.zone);
        let height = self.line_height(Role::SectionTitle);
        let align = match theme.align {
            TitleAlign::Start => Align::Start,
            TitleAlign::Center => Align::Center,
        };
        // The area behind a title stands in front of it in the order of drawing.
        let (inset, behind) = match decoration {
            Decoration::Bar => (weight + size * 0.5, Some((weight, Paint::Accent))),
            Decoration::Fill => (size * 0.4, Some((area.width, Paint::TitleFill))),
            _ => (0.0, None),
        };
        let behind = behind.map(|(width, paint)| {
            (
                self.decoration(
                    area.x,
                    0.0,
                    Shape::Area {
                        width,
                        height,
                        paint,
                    },
                ),
                paint,
            )
        });
        let within = Frame {
            x: area.x + inset,
            width: area.width - 2.0 * inset,
        };
        let heading = self.heading(level, title);
        let node = self.node(section, heading);
        let lines = self.lines(title, within, align, node);
        if let Some(first) = lines.first() {
            let text = self.prepared.paragraphs[title.0].text.clone();
            self.columns.outline.push((text, first.item.id));
        }
        let count = lines.len() as f32;
        let ends = lines
            .last()
            .map(|set| (set.item.x, set.item.x + set.item.width(), set.item.y));
        let first = self.pieces().len();
        self.stack(vec![lines], Keep::WithNext);

        let rule = |width| Shape::Rule { width, weight };
        let mut rules = Vec::new();
        match (decoration, ends) {
            (Decoration::RuleBelow, _) => {
                rules.push(self.decoration(area.x, height, rule(area.width)));
            }
            (Decoration::RuleBeside, Some((start, end, baseline))) => {
                let (y, gap) = (baseline - size * 0.3, size * 0.6);
                if align == Align::Center && start - gap > area.x {
                    rules.push(self.decoration(area.x, y, rule(start - gap - area.x)));
                }
                if end + gap < area.end() {
                    rules.push(self.decoration(end + gap, y, rule(area.end() - end - gap)));
                }
            }
            _ => {}
        }
        let above = (decoration == Decoration::RuleAbove)
            .then(|| self.decoration(area.x, 0.0, rule(area.width)));
        let lead = above
            .as_ref()
            .map_or(0.0, |_| self.metrics.gaps.title * 0.5 + weight);
        let pieces = &mut self.pieces()[first..];
        if let Some(last) = pieces.last_mut() {
            last.items.extend(rules);
        }
        if let Some(piece) = pieces.first_mut() {
            for item in &mut piece.items {
                item.y += lead;
            }
            piece.height += lead;
            piece.items.extend(above);
            if let Some((mut area, paint)) = behind {
                if let Shape::Area { height: own, .. } = &mut area.shape {
                    // A bar is as high as its capitals, an area as high as all lines.
                    if paint == Paint::Accent {
                        let capitals = size * 0.78;
                        area.y = (height - capitals) / 2.0;
                        *own = capitals + height * (count - 1.0);
                    } else {
                        *own = height * count;
                    }
                }
                piece.items.push(area);
            }
        }
        self.gap = self.metrics.gaps.title;
        if decoration == Decoration::RuleAbove {
            self.gap *= 0.5;
        }
    }

    fn entry(&mut self, head: &Head, body: &[Part], area: Frame, parent: NodeId, level: u16) {
        let theme = &self.theme.entries;
        let (left, right) = self.date_columns(area).unwrap_or((area, area));
        let place = match theme.date {
            DatePlace::Column if left.x < right.x => DatePlace::Column,
            DatePlace::End if self.zone != Zone::Side && self.date_fits(head, area) => {
                DatePlace::End
            }
            _ => DatePlace::Below,
        };
        let (right, body_area) = match (place, theme.body) {
            (DatePlace::Column, BodyPlace::Title) => (right, right),
            (DatePlace::Column, BodyPlace::Start) => (right, area),
            (DatePlace::End | DatePlace::Below, _) => (area, area),
        };
        let title_area = match (place, head.date) {
            (DatePlace::End, Some(date)) => Frame {
                width: right.width - self.width(date) - self.metrics.indent(self.zone),
                ..right
            },
            _ => right,
        };
        let fits = |flow: &Self, id| flow.width(id) <= title_area.width;
        let (title, subtitle) = match head.joined {
            Some(joined) if fits(self, joined) => (Some(joined), None),
            _ => (head.title, head.subtitle),
        };
        // Beside the first line of several, the date would be read in the midst of the title.
        let dated_last = place == DatePlace::End && title.is_some_and(|title| !fits(self, title));
        let section = self.node(parent, NodeRole::Section);
        let mut level = level;
        let mut lines = Lines::new();
        // The title comes before the date: readers of the text want to know what, then when.
        if let Some(title) = title {
            let heading = self.heading(level, title);
            level += 1;
            let node = self.node(section, heading);
            lines.extend(self.lines(title, title_area, Align::Start, node));
        }
        let beside = |flow: &mut Self| match head.date {
            Some(date) => {
                let node = flow.node(section, NodeRole::Paragraph);
                match place {
                    DatePlace::Column => flow.lines(date, left, Align::Start, node),
                    DatePlace::End => flow.lines(date, right, Align::End, node),
                    DatePlace::Below => flow.lines(date, right, Align::Start, node),
                }
            }
            None => Lines::new(),
        };
        let mut dates = Lines::new();
        if place != DatePlace::Below && !dated_last {
            dates = beside(self);
        }
        if let Some(subtitle) = subtitle {
            let node = self.node(section, NodeRole::Paragraph);
            let area = if dated_last { title_area } else { right };
            lines.extend(self.lines(subtitle, area, Align::Start, node));
        }
        if dated_last {
            dates = beside(self);
            let last = lines.split_off(lines.len().saturating_sub(1));
            self.stack(vec![std::mem::replace(&mut lines, last)], Keep::WithNext);
        }
        if place == DatePlace::Below {
            let below = beside(self);
            lines.extend(below);
        }
        let keep = if body.iter().any(|part| self.is_shown(part)) {
            Keep::WithNext
        } else {
            Keep::Together
        };
        self.stack(vec![lines, dates], keep);
        self.gap = self.gap.max(self.metrics.gaps.item);
        self.parts(body, body_area, section, level);
    }

    /// Whether the date leaves enough of the title's line.
    fn date_fits(&self, head: &Head, area: Frame) -> bool {
        head.date
            .is_none_or(|date| self.width(date) <= area.width * DATE_SHARE)
    }

    /// The column for dates and the one for what they date, where both have room.
    fn date_columns(&self, area: Frame) -> Option<(Frame, Frame)> {
        let indent = self.metrics.date_column;
        let left = Frame {
            width: indent - self.metrics.indent(self.zone),
            ..area
        };
        let right = Frame {
            x: area.x + indent,
            width: area.width - indent,
        };
        let narrow = self.metrics.narrow;
        let room = self.zone != Zone::Side && left.width >= narrow && right.width >= narrow;
        room.then_some((left, right))
    }

    fn list(&mut self, list: &PreparedList, area: Frame, parent: NodeId) {
        let indent = match list.marker {
            Marker::Bullet => self.metrics.indent(self.zone),
            Marker::Number | Marker::Reference => {
                let labels = list.items.iter().filter_map(|item| item.label);
                let widest = labels.map(|label| self.width(label)).fold(0.0, f32::max);
                widest + self.metrics.indent(self.zone) * 0.5
            }
            Marker::Hanging => self.metrics.indent(self.zone) * 1.5,
            Marker::None => 0.0,
        };
        let indented = Frame {
            x: area.x + indent,
            width: area.width - indent,
        };
        let numbering = match list.marker {
            Marker::Bullet => Numbering::Bullets,
            Marker::Number | Marker::Reference => Numbering::Numbers,
            Marker::Hanging | Marker::None => Numbering::None,
        };
        let node = self.node(parent, NodeRole::List(numbering));
        let kept: Vec<_> = list
            .items
            .iter()
            .filter(|item| self.is_kept(item.cut))
            .collect();
        for (index, item) in kept.iter().enumerate() {
            if index > 0 {
                self.gap = self.metrics.gaps.item;
            }
            self.named(item.id.as_ref(), |flow| {
                flow.list_item(item, list.marker, area, indented, node);
            });
            // The last item would look lost at the head of a page.
            if index + 2 == kept.len()
                && let Some(piece) = self.pieces().last_mut()
            {
                piece.keep_with_next = true;
            }
        }
    }

    fn list_item(
        &mut self,
        item: &PreparedItem,
        marker: Marker,
        area: Frame,
        indented: Frame,
        list: NodeId,
    ) {
        let node = self.node(list, NodeRole::ListItem);
        let mut columns = Vec::with_capacity(2);
        if let Some(label) = item.label {
            let node = self.node(node, NodeRole::Label);
            // Numbers end where each other end.
            let (frame, align) = match marker {
                Marker::Number | Marker::Reference => {
                    let gap = self.metrics.indent(self.zone) * 0.5;
                    let width = indented.x - area.x - gap;
                    (Frame { width, ..area }, Align::End)
                }
                _ => (area, Align::Start),
            };
            columns.push(self.lines(label, frame, align, node));
        }
        let body = self.node(node, NodeRole::Body);
        columns.push(match marker {
            Marker::Hanging => {
                let indent = indented.x - area.x;
                self.hanging(item.text, area, indent, Align::Start, body)
            }
            _ => self.lines(item.text, indented, Align::Start, body),
        });
        self.stack(columns, Keep::Item);
    }

    /// Labels and values side by side, close enough that readers of the text take them for one line.
    fn rows(&mut self, rows: &[PreparedRow], area: Frame, parent: NodeId) {
        let labels = rows
            .iter()
            .filter_map(|row| row.label)
            .map(|label| self.width(label));
        let label_width = labels.fold(0.0, f32::max).min(area.width * LABEL_SHARE);
        let indent = if label_width > 0.0 {
            label_width + self.metrics.indent(self.zone)
        } else {
            0.0
        };
        let left = Frame {
            width: label_width,
            ..area
        };
        let right = Frame {
            x: area.x + indent,
            width: area.width - indent,
        };
        let list = self.node(parent, NodeRole::List(Numbering::None));
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                self.gap = self.metrics.gaps.row;
            }
            let item = self.node(list, NodeRole::ListItem);
            let labels = row.label.map(|label| {
                let node = self.node(item, NodeRole::Label);
                self.lines(label, left, Align::Start, node)
            });
            let values = row.value.map(|value| {
                let node = self.node(item, NodeRole::Body);
                self.lines(value, right, Align::Start, node)
            });
            let columns = labels.into_iter().chain(values).collect();
            self.stack(columns, Keep::Lines);
        }
    }

    fn image(&mut self, photo: PhotoId, area: Frame, parent: NodeId) {
        let (width, height) = self.prepared.photos[photo.0].size;
        let ratio = height as f32 / width as f32;
        let natural = width as f32 * 72.0 / DOTS_PER_INCH;
        let width = natural
            .min(area.width)
            .min(self.metrics.text_height() / ratio);
        let height = width * ratio;
        let node = self.node(parent, NodeRole::Figure(photo));
        let shape = Shape::Photo {
            photo,
            width,
            height,
            radius: 0.0,
        };
        let item = self.item(node, area.x, 0.0, shape);
        self.push(Piece {
            height,
            items: vec![item],
            ..Piece::default()
        });
    }
}
