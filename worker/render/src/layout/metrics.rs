//! A theme in points, at some degree of shrinking.

use crate::options::{Fit, Paper};
use crate::text::paragraph::Role;
use crate::theme::{SidebarPlace, Spec};

pub(crate) const POINTS_PER_MM: f32 = 72.0 / 25.4;
/// From the middle of a line down to its baseline, as a part of the text size: half the height of capitals.
const HALF_CAPITAL: f32 = 0.357;
/// The height of capitals as a part of the text size.
const CAPITAL: f32 = 0.714;
/// The line height of titles as a multiple of their size: they are short.
const TITLE_LINE: f32 = 1.2;
/// Between a header's text and the edge of the band behind it, in mm.
const BAND_PADDING: f32 = 7.0;

/// All lengths that layout works with, in pt. Everything is laid out from left to right; pages of scripts that
/// run from right to left are mirrored when they are complete.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Metrics {
    pub(crate) page_width: f32,
    pub(crate) page_height: f32,
    pub(crate) top: f32,
    pub(crate) bottom: f32,
    pub(crate) main: Frame,
    /// The header's, where it goes over both columns.
    pub(crate) across: Frame,
    pub(crate) side: Option<Frame>,
    /// The edges of the sidebar's background.
    pub(crate) side_edges: (f32, f32),
    pub(crate) date_column: f32,
    pub(crate) photo_width: f32,
    pub(crate) photo_height: f32,
    pub(crate) photo_radius: f32,
    pub(crate) photo_gap: f32,
    pub(crate) band_padding: f32,
    /// A column that is narrower than this takes no second one beside it.
    pub(crate) narrow: f32,
    pub(crate) gaps: Gaps,
    sizes: Sizes,
    /// Line height as a multiple of the text size.
    line_height: f32,
    /// How far lists are indented, in em.
    indent: f32,
}

/// A column's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) x: f32,
    pub(crate) width: f32,
}

/// The parts of a page that have colours and sizes of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    Main,
    Side,
    Band,
}

/// Vertical gaps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gaps {
    pub(crate) header: f32,
    pub(crate) section: f32,
    pub(crate) title: f32,
    pub(crate) entry: f32,
    pub(crate) paragraph: f32,
    pub(crate) item: f32,
    pub(crate) row: f32,
    /// Of one line, for gaps that are counted in lines.
    pub(crate) line: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Sizes {
    text: f32,
    name: f32,
    headline: f32,
    section: f32,
    entry: f32,
    date: f32,
    footer: f32,
    /// The factor on all sizes in the sidebar.
    side: f32,
}

/// How far a theme is shrunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shrink {
    /// The factor on gaps.
    pub(crate) spacing: f32,
    /// The line height as a multiple of the text size.
    pub(crate) leading: f32,
    /// The text size in pt.
    pub(crate) text: f32,
}

impl Shrink {
    pub(crate) fn none(theme: &Spec) -> Self {
        Self {
            spacing: 1.0,
            leading: theme.text.line_height,
            text: theme.sizes.text,
        }
    }

    pub(crate) fn report(self) -> Fit {
        Fit {
            spacing: self.spacing,
            text: self.text,
        }
    }
}

impl Metrics {
    pub(crate) fn new(theme: &Spec, paper: Option<Paper>, shrink: Shrink) -> Self {
        let mm = |length: f32| length * POINTS_PER_MM;
        let scale = shrink.text / theme.sizes.text;
        let scaled = |size: f32| size * scale;
        let gap = |gap: f32| gap * shrink.spacing;
        let (sizes, spacing) = (theme.sizes, theme.spacing);
        let size_of = |paper: Paper| paper.millimetres();
        let (width, height) = paper.map_or_else(|| theme.page.size.millimetres(), size_of);
        let margins = theme.page.margins;
        let between = |start: f32, end: f32| Frame {
            x: mm(start),
            width: mm(end - start),
        };
        let (mut start, mut end) = (margins.start, width - margins.end);
        let across = between(start, end);
        let (mut side, mut side_edges) = (None, (0.0, 0.0));
        if theme.has_sidebar() {
            let bar = &theme.sidebar;
            let whole = bar.width + 2.0 * bar.padding;
            let edge = match bar.place {
                SidebarPlace::Start => {
                    start = whole + bar.gap;
                    0.0
                }
                SidebarPlace::End => {
                    end = width - whole - bar.gap;
                    width - whole
                }
            };
            side = Some(between(edge + bar.padding, edge + bar.padding + bar.width));
            side_edges = (mm(edge), mm(edge + whole));
        }
        Self {
            page_width: mm(width),
            page_height: mm(height),
            top: mm(margins.top),
            bottom: mm(height - margins.bottom),
            main: between(start, end),
            across,
            side,
            side_edges,
            date_column: mm(theme.entries.date_column),
            photo_width: mm(theme.photo.width),
            photo_height: mm(theme.photo.height),
            photo_radius: mm(theme.photo.radius),
            photo_gap: mm(theme.photo.gap),
            band_padding: mm(BAND_PADDING),
            narrow: mm(15.0),
            gaps: Gaps {
                header: gap(spacing.header),
                section: gap(spacing.section),
                title: gap(spacing.title),
                entry: gap(spacing.entry),
                paragraph: gap(spacing.paragraph),
                item: gap(spacing.item),
                row: gap(spacing.row),
                line: gap(shrink.text * shrink.leading),
            },
            sizes: Sizes {
                text: shrink.text,
                name: scaled(sizes.name),
                headline: scaled(sizes.headline),
                section: scaled(sizes.section),
                entry: scaled(sizes.entry),
                date: scaled(sizes.date),
                footer: scaled(sizes.footer),
                side: sizes.side / sizes.text,
            },
            line_height: shrink.leading,
            indent: theme.lists.indent,
        }
    }

    pub(crate) fn size(&self, role: Role, zone: Zone) -> f32 {
        let sizes = &self.sizes;
        let size = match role {
            Role::Name => sizes.name,
            Role::Headline => sizes.headline,
            Role::SectionTitle => sizes.section,
            Role::EntryTitle => sizes.entry,
            Role::Text => sizes.text,
            Role::Date => sizes.date,
            Role::Footer => sizes.footer,
        };
        match (zone, role) {
            (Zone::Side, Role::Name) | (Zone::Main | Zone::Band, _) => size,
            (Zone::Side, _) => size * sizes.side,
        }
    }

    /// The height of a line. Dates and titles of entries share the lines of the text beside them.
    pub(crate) fn line_height(&self, role: Role, zone: Zone) -> f32 {
        let text = self.size(Role::Text, zone) * self.line_height;
        match role {
            Role::Text | Role::Date => text,
            Role::Name | Role::Headline | Role::SectionTitle | Role::EntryTitle | Role::Footer => {
                (self.size(role, zone) * TITLE_LINE).max(text)
            }
        }
    }

    /// From the top of a line down to its baseline.
    pub(crate) fn baseline(&self, role: Role, zone: Zone) -> f32 {
        self.line_height(role, zone) / 2.0 + self.size(role, zone) * HALF_CAPITAL
    }

    /// From the top of a line down to the top of its capitals.
    pub(crate) fn capital_top(&self, role: Role, zone: Zone) -> f32 {
        self.baseline(role, zone) - self.size(role, zone) * CAPITAL
    }

    pub(crate) fn indent(&self, zone: Zone) -> f32 {
        self.size(Role::Text, zone) * self.indent
    }

    pub(crate) fn text_height(&self) -> f32 {
        self.bottom - self.top
    }
}

impl Frame {
    pub(crate) fn end(self) -> f32 {
        self.x + self.width
    }
}
