//! The head of a document: name, headline, contact details, photo.

use super::super::metrics::{Frame, Zone};
use super::super::{NodeId, NodeRole, Shape};
use super::{Flow, Keep, Lines, Piece};
use crate::blocks::Align;
use crate::prepare::{Header, ParagraphId, Part, PhotoId};
use crate::text::paragraph::Role;
use crate::theme::{ContactPlace, PhotoPlace, TitleAlign};

impl Flow<'_> {
    /// Sets the header of the page: across it, or partly in the sidebar. Gives the levels of headings in it.
    pub(super) fn head(&mut self, header: &Header, parent: NodeId) -> u16 {
        let theme = &self.theme.header;
        let band = theme.band.is_some();
        let levels = u16::from(header.title.is_some());
        let side = self.metrics.side;
        let photo_beside = match (theme.photo, side) {
            (PhotoPlace::Sidebar, Some(_)) => None,
            _ => header.photo,
        };
        let contact_beside = theme.contact == ContactPlace::Below || side.is_none();
        let area = if band {
            self.zone = Zone::Band;
            self.metrics.across
        } else {
            self.metrics.main
        };
        let body = if contact_beside {
            header.body.as_slice()
        } else {
            &[]
        };
        self.beside_photo(header, body, photo_beside, area, parent, 1);

        if let Some(frame) = side {
            if photo_beside.is_none()
                && let Some(photo) = header.photo
            {
                self.in_side(|flow| flow.side_photo(photo, frame, parent));
            }
            if !contact_beside {
                self.in_side(|flow| {
                    flow.contact(&header.body, frame, Align::Start, parent, 1 + levels);
                    flow.gap = flow.metrics.gaps.section;
                });
            }
        }
        if band {
            let height = self.metrics.band_padding;
            self.push(Piece {
                height,
                ..Piece::default()
            });
        }
        let gap = self.metrics.gaps.header;
        if theme.rule {
            let rule = Shape::Rule {
                width: area.width,
                weight: self.theme.sections.weight,
            };
            let rule = self.decoration(area.x, 0.0, rule);
            self.gap = gap * 0.6;
            self.push(Piece {
                items: vec![rule],
                ..Piece::default()
            });
        }
        let pieces = &mut self.columns.main;
        for piece in pieces.iter_mut() {
            piece.keep_with_next = true;
        }
        if let Some(last) = pieces.last_mut() {
            last.ends_header = true;
        }
        self.zone = Zone::Main;
        self.gap = if pieces.is_empty() { 0.0 } else { gap };
        levels
    }

    /// A masthead anywhere else.
    pub(super) fn masthead(&mut self, header: &Header, area: Frame, parent: NodeId, level: u16) {
        self.beside_photo(header, &header.body, header.photo, area, parent, level);
    }

    fn beside_photo(
        &mut self,
        header: &Header,
        body: &[Part],
        photo: Option<PhotoId>,
        area: Frame,
        parent: NodeId,
        level: u16,
    ) {
        let metrics = self.metrics;
        let at_start = self.theme.header.photo == PhotoPlace::Start;
        let first = self.pieces().len();
        let taken = metrics.photo_width + metrics.photo_gap;
        let photo = photo.filter(|_| area.width - taken >= metrics.narrow);
        let beside = match photo {
            Some(_) if at_start => Frame {
                x: area.x + taken,
                width: area.width - taken,
            },
            Some(_) => Frame {
                width: area.width - taken,
                ..area
            },
            None => area,
        };
        let align = match self.theme.header.align {
            TitleAlign::Start => Align::Start,
            TitleAlign::Center => Align::Center,
        };
        self.name(header, beside, align, parent, level);
        let level = level + u16::from(header.title.is_some());
        self.contact(body, beside, align, parent, level);
        if let Some(photo) = photo {
            // The tops of the capitals and of the photo are level.
            let role = if header.title.is_some() {
                Role::Name
            } else {
                Role::Text
            };
            let y = metrics.capital_top(role, self.zone);
            let x = if at_start {
                area.x
            } else {
                area.end() - metrics.photo_width
            };
            self.photo_beside(photo, (x, y), first, parent);
        }
    }

    fn name(&mut self, header: &Header, area: Frame, align: Align, parent: NodeId, level: u16) {
        if let Some(title) = header.title {
            let node = self.node(parent, self.heading(level, title));
            let lines = self.lines(title, area, align, node);
            self.stack(vec![lines], Keep::WithNext);
            self.gap = self.metrics.gaps.row;
        }
        if let Some(headline) = header.headline {
            let lines = self.one(headline, area, align, parent);
            self.stack(vec![lines], Keep::WithNext);
        }
        self.gap = self.metrics.gaps.title;
    }

    fn one(&mut self, id: ParagraphId, area: Frame, align: Align, parent: NodeId) -> Lines {
        let node = self.node(parent, NodeRole::Paragraph);
        self.lines(id, area, align, node)
    }

    fn contact(&mut self, body: &[Part], area: Frame, align: Align, parent: NodeId, level: u16) {
        for (index, part) in body.iter().enumerate() {
            if index > 0 {
                self.gap = self.gap.max(self.metrics.gaps.row);
            }
            match part {
                Part::Paragraph(id, Align::Start) => {
                    let lines = self.one(*id, area, align, parent);
                    self.stack(vec![lines], Keep::Lines);
                }
                part => self.parts(std::slice::from_ref(part), area, parent, level),
            }
        }
    }

    fn photo_beside(&mut self, photo: PhotoId, (x, y): (f32, f32), first: usize, parent: NodeId) {
        let height = self.metrics.photo_height;
        let item = self.photo(photo, x, y, parent);
        if self.pieces().len() == first {
            self.push(Piece::default());
        }
        let origin = self.origin;
        let pieces = self.pieces();
        let set: f32 = pieces[first..]
            .iter()
            .map(|piece| piece.before + piece.height)
            .sum();
        let set = set - pieces[first].before;
        pieces[first].items.push(item);
        pieces[first].reach = y + height;
        // What follows starts below the photo, and the photo stays beside its text.
        let missing = y + height - set;
        if missing > 0.0 {
            pieces.push(Piece {
                height: missing,
                origin,
                ..Piece::default()
            });
        }
        let last = pieces.len() - 1;
        for piece in &mut pieces[first..last] {
            piece.keep_with_next = true;
        }
    }

    fn side_photo(&mut self, photo: PhotoId, area: Frame, parent: NodeId) {
        let x = area.x + (area.width - self.metrics.photo_width) / 2.0;
        let item = self.photo(photo, x, 0.0, parent);
        let height = self.metrics.photo_height;
        self.push(Piece {
            height,
            items: vec![item],
            ..Piece::default()
        });
        self.gap = self.metrics.photo_gap;
    }

    fn photo(&mut self, photo: PhotoId, x: f32, y: f32, parent: NodeId) -> super::super::Item {
        let node = self.node(parent, NodeRole::Figure(photo));
        let shape = Shape::Photo {
            photo,
            width: self.metrics.photo_width,
            height: self.metrics.photo_height,
            radius: self.metrics.photo_radius,
        };
        self.item(node, x, y, shape)
    }
}
