//! A theme in points, at some degree of shrinking.

use crate::options::Fit;
use crate::text::paragraph::Role;
use crate::theme::{Sizes, Spacing, Theme};

const POINTS_PER_MM: f32 = 72.0 / 25.4;
/// From the middle of a line down to its baseline, as a part of the text size: half the height of capitals.
const HALF_CAPITAL: f32 = 0.357;
/// The height of capitals as a part of the text size.
const CAPITAL: f32 = 0.714;

/// All lengths that layout works with, in pt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Metrics {
    pub(crate) page_width: f32,
    pub(crate) page_height: f32,
    pub(crate) top: f32,
    pub(crate) bottom: f32,
    pub(crate) left: f32,
    pub(crate) right: f32,
    pub(crate) date_column: f32,
    pub(crate) photo_width: f32,
    pub(crate) photo_height: f32,
    pub(crate) photo_radius: f32,
    pub(crate) photo_gap: f32,
    /// A column that is narrower than this takes no second one beside it.
    pub(crate) narrow: f32,
    pub(crate) sizes: Sizes,
    /// The height of a line of running text.
    pub(crate) leading: f32,
    pub(crate) spacing: Spacing,
    /// How far lists are indented.
    pub(crate) indent: f32,
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
    pub(crate) fn none(theme: &Theme) -> Self {
        Self {
            spacing: 1.0,
            leading: theme.leading,
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
    pub(crate) fn new(theme: &Theme, shrink: Shrink) -> Self {
        let mm = |length: f32| length * POINTS_PER_MM;
        let scale = shrink.text / theme.sizes.text;
        let size = |size: f32| size * scale;
        let gap = |gap: f32| gap * shrink.spacing;
        let (sizes, spacing) = (theme.sizes, theme.spacing);
        Self {
            page_width: mm(theme.page.width),
            page_height: mm(theme.page.height),
            top: mm(theme.margins.top),
            bottom: mm(theme.page.height - theme.margins.bottom),
            left: mm(theme.margins.left),
            right: mm(theme.page.width - theme.margins.right),
            date_column: mm(theme.date_column),
            photo_width: mm(theme.photo.width),
            photo_height: mm(theme.photo.height),
            photo_radius: mm(theme.photo.radius),
            photo_gap: mm(theme.photo.gap),
            narrow: mm(15.0),
            sizes: Sizes {
                text: shrink.text,
                name: size(sizes.name),
                section: size(sizes.section),
                date: size(sizes.date),
                footer: size(sizes.footer),
            },
            leading: shrink.text * shrink.leading,
            spacing: Spacing {
                section: gap(spacing.section),
                title: gap(spacing.title),
                entry: gap(spacing.entry),
                paragraph: gap(spacing.paragraph),
                item: gap(spacing.item),
                row: gap(spacing.row),
            },
            indent: shrink.text,
        }
    }

    pub(crate) fn size(&self, role: Role) -> f32 {
        match role {
            Role::Name => self.sizes.name,
            Role::SectionTitle => self.sizes.section,
            Role::Text => self.sizes.text,
            Role::Date => self.sizes.date,
            Role::Footer => self.sizes.footer,
        }
    }

    /// The height of a line. Dates share the lines of the text beside them.
    pub(crate) fn line_height(&self, role: Role) -> f32 {
        match role {
            Role::Text | Role::Date => self.leading,
            Role::Name | Role::SectionTitle | Role::Footer => {
                (self.size(role) * self.leading / self.sizes.text).max(self.leading)
            }
        }
    }

    /// From the top of a line down to its baseline.
    pub(crate) fn baseline(&self, role: Role) -> f32 {
        let size = match role {
            // One baseline for both columns.
            Role::Date => self.sizes.text,
            _ => self.size(role),
        };
        self.line_height(role) / 2.0 + size * HALF_CAPITAL
    }

    /// From the top of a line down to the top of its capitals.
    pub(crate) fn capital_top(&self, role: Role) -> f32 {
        self.baseline(role) - self.size(role) * CAPITAL
    }

    pub(crate) fn text_height(&self) -> f32 {
        self.bottom - self.top
    }
}
