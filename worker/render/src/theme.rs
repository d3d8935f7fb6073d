//! How documents look, as data.
//!
//! Lengths on the page are in millimetres, sizes and gaps of text in points (1/72 inch).

use crate::error::Error;

/// A look. [`Theme::zurich`] is the default; change a field and the rest follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// What callers know it by.
    pub name: String,
    /// The sheet.
    pub page: PageSize,
    /// The empty frame of each page.
    pub margins: Margins,
    /// The width of the column for dates and labels, gap included, in mm.
    pub date_column: f32,
    /// The frame of the masthead's photo.
    pub photo: PhotoFrame,
    /// Sizes of text.
    pub sizes: Sizes,
    /// Line height as a multiple of the text size.
    pub leading: f32,
    /// Vertical gaps.
    pub spacing: Spacing,
    /// Colours.
    pub colors: Colors,
    /// How far a document may shrink to meet a page target.
    pub fit: FitBounds,
}

/// A sheet of paper, in mm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageSize {
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

/// The empty frame of a page, in mm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margins {
    /// Above the text.
    pub top: f32,
    /// Right of the text.
    pub right: f32,
    /// Below the text; the footer stands in it.
    pub bottom: f32,
    /// Left of the text.
    pub left: f32,
}

/// Where the photo goes: the top right, as large as this, in mm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhotoFrame {
    /// The frame's width.
    pub width: f32,
    /// The frame's height.
    pub height: f32,
    /// The radius of all four corners.
    pub radius: f32,
    /// Between the photo and the text at its left.
    pub gap: f32,
}

/// Sizes of text, in pt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// Running text.
    pub text: f32,
    /// The masthead's title.
    pub name: f32,
    /// Titles of sections.
    pub section: f32,
    /// Dates and labels.
    pub date: f32,
    /// The footer.
    pub footer: f32,
}

/// Vertical gaps, in pt. Multiples of a quarter line keep lines of facing columns level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spacing {
    /// Above a section's title.
    pub section: f32,
    /// Between a section's rule and its content.
    pub title: f32,
    /// Between entries.
    pub entry: f32,
    /// Between paragraphs, and between other blocks.
    pub paragraph: f32,
    /// Above each item of a list.
    pub item: f32,
    /// Between rows.
    pub row: f32,
}

/// Colours, on white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colors {
    /// Running text.
    pub text: Rgb,
    /// Titles of sections and links.
    pub accent: Rgb,
    /// Dates, labels, the footer.
    pub muted: Rgb,
    /// Hairlines.
    pub rule: Rgb,
}

/// A colour of the sRGB space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// How far a document may shrink to meet a page target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitBounds {
    /// The smallest factor on all vertical gaps.
    pub spacing: f32,
    /// The smallest line height.
    pub leading: f32,
    /// The smallest size of running text, in pt; the other sizes shrink along.
    pub text: f32,
}

impl Theme {
    /// The default: A4, a date column, blue titles in small capitals, the photo at the top right.
    pub fn zurich() -> Self {
        Self {
            name: "zurich".to_owned(),
            page: PageSize {
                width: 210.0,
                height: 297.0,
            },
            margins: Margins {
                top: 20.0,
                right: 22.4,
                bottom: 20.0,
                left: 25.0,
            },
            date_column: 42.5,
            photo: PhotoFrame {
                width: 28.5,
                height: 38.0,
                radius: 1.0,
                gap: 6.0,
            },
            sizes: Sizes {
                text: 11.0,
                name: 16.0,
                section: 13.0,
                date: 10.0,
                footer: 8.5,
            },
            leading: 1.364,
            spacing: Spacing {
                section: 14.0,
                title: 6.5,
                entry: 8.0,
                paragraph: 5.0,
                item: 2.0,
                row: 1.5,
            },
            colors: Colors {
                text: Rgb(0x1c, 0x1f, 0x24),
                accent: Rgb(0x1b, 0x4f, 0x8a),
                muted: Rgb(0x5b, 0x64, 0x70),
                rule: Rgb(0xa9, 0xbd, 0xd4),
            },
            fit: FitBounds {
                spacing: 0.5,
                leading: 1.25,
                text: 9.5,
            },
        }
    }

    /// Checks that a page can be made: every value finite and within reason, and room left for text.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        const LENGTH: &str = "a length from 0 to 2000 mm";
        const SIZE: &str = "a size from 4 to 144 pt";
        const GAP: &str = "a gap from 0 to 144 pt";
        let within = |field, value: f32, low: f32, high: f32, expected| {
            // A NaN is within no range.
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(Error::Theme { field, expected })
            }
        };
        let (m, s, g) = (&self.margins, &self.sizes, &self.spacing);
        for (field, value) in [
            ("page.width", self.page.width),
            ("page.height", self.page.height),
            ("margins.top", m.top),
            ("margins.right", m.right),
            ("margins.bottom", m.bottom),
            ("margins.left", m.left),
            ("date_column", self.date_column),
            ("photo.width", self.photo.width),
            ("photo.height", self.photo.height),
            ("photo.radius", self.photo.radius),
            ("photo.gap", self.photo.gap),
        ] {
            within(field, value, 0.0, 2000.0, LENGTH)?;
        }
        for (field, value) in [
            ("sizes.text", s.text),
            ("sizes.name", s.name),
            ("sizes.section", s.section),
            ("sizes.date", s.date),
            ("sizes.footer", s.footer),
            ("fit.text", self.fit.text),
        ] {
            within(field, value, 4.0, 144.0, SIZE)?;
        }
        for (field, value) in [
            ("spacing.section", g.section),
            ("spacing.title", g.title),
            ("spacing.entry", g.entry),
            ("spacing.paragraph", g.paragraph),
            ("spacing.item", g.item),
            ("spacing.row", g.row),
        ] {
            within(field, value, 0.0, 144.0, GAP)?;
        }
        within("leading", self.leading, 1.0, 4.0, "a factor from 1 to 4")?;
        within(
            "fit.leading",
            self.fit.leading,
            1.0,
            4.0,
            "a factor from 1 to 4",
        )?;
        within(
            "fit.spacing",
            self.fit.spacing,
            0.0,
            1.0,
            "a factor from 0 to 1",
        )?;

        let width = self.page.width - m.left - m.right;
        let height = self.page.height - m.top - m.bottom;
        within(
            "margins",
            height,
            60.0,
            2000.0,
            "so small that 60 mm of height are left",
        )?;
        within(
            "margins",
            width,
            60.0,
            2000.0,
            "so small that 60 mm of width are left",
        )?;
        within(
            "date_column",
            width - self.date_column,
            30.0,
            2000.0,
            "30 mm narrower than the text",
        )?;
        let beside = width - self.date_column - self.photo.width - self.photo.gap;
        within(
            "photo.width",
            beside,
            15.0,
            2000.0,
            "so small that 15 mm of text fit beside it",
        )?;
        within(
            "photo.width",
            self.photo.width,
            5.0,
            2000.0,
            "at least 5 mm",
        )?;
        within(
            "photo.height",
            self.photo.height,
            5.0,
            height / 2.0,
            "at least 5 mm and at most half as high as the text",
        )?;
        let corner = self.photo.width.min(self.photo.height) / 2.0;
        within(
            "photo.radius",
            self.photo.radius,
            0.0,
            corner,
            "at most half the photo",
        )
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::zurich()
    }
}
