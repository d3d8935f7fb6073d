//! Whether a page can be made with a theme, and read.

use super::color::Rgb;
use super::spec::{PhotoPlace, Spec};
use crate::error::Error;

/// The contrast of text to what is behind it (WCAG 2, 1.4.3).
const CONTRAST: f32 = 4.5;
/// What must be left for text, in mm.
const ROOM: f32 = 60.0;
/// What must be left beside a photo, in mm.
const BESIDE_PHOTO: f32 = 25.0;

pub(super) fn check(spec: &Spec) -> Result<(), Error> {
    name(spec)?;
    bounds(spec)?;
    room(spec, spec.page.size.millimetres())?;
    contrasts(spec)?;
    texts(spec)
}

fn name(spec: &Spec) -> Result<(), Error> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=40).contains(&spec.name.len()) && spec.name.chars().all(good) {
        return Ok(());
    }
    fault(
        "name",
        "it must have 1 to 40 lower-case letters, digits and hyphens",
    )
}

fn bounds(spec: &Spec) -> Result<(), Error> {
    let (width, height) = spec.page.size.millimetres();
    let (m, s, g, p) = (&spec.page.margins, &spec.sizes, &spec.spacing, &spec.photo);
    within(
        "mm",
        100.0..=1000.0,
        &[("page.size", width), ("page.size", height)],
    )?;
    within(
        "mm",
        0.0..=500.0,
        &[
            ("page.margins.top", m.top),
            ("page.margins.end", m.end),
            ("page.margins.bottom", m.bottom),
            ("page.margins.start", m.start),
            ("entries.date_column", spec.entries.date_column),
            ("photo.radius", p.radius),
            ("photo.gap", p.gap),
            ("sidebar.width", spec.sidebar.width),
            ("sidebar.padding", spec.sidebar.padding),
            ("sidebar.gap", spec.sidebar.gap),
        ],
    )?;
    within(
        "mm",
        5.0..=200.0,
        &[("photo.width", p.width), ("photo.height", p.height)],
    )?;
    within(
        "pt",
        4.0..=72.0,
        &[
            ("sizes.text", s.text),
            ("sizes.name", s.name),
            ("sizes.headline", s.headline),
            ("sizes.section", s.section),
            ("sizes.entry", s.entry),
            ("sizes.date", s.date),
            ("sizes.side", s.side),
            ("sizes.footer", s.footer),
            ("fit.text", spec.fit.text),
        ],
    )?;
    within(
        "pt",
        0.0..=144.0,
        &[
            ("spacing.header", g.header),
            ("spacing.section", g.section),
            ("spacing.title", g.title),
            ("spacing.entry", g.entry),
            ("spacing.paragraph", g.paragraph),
            ("spacing.item", g.item),
            ("spacing.row", g.row),
        ],
    )?;
    within(
        "pt",
        0.1..=6.0,
        &[("sections.weight", spec.sections.weight)],
    )?;
    within("em", 0.5..=4.0, &[("lists.indent", spec.lists.indent)])?;
    within(
        "em",
        0.0..=0.2,
        &[
            ("header.tracking", spec.header.tracking),
            ("sections.tracking", spec.sections.tracking),
        ],
    )?;
    within(
        "times the size of the text",
        1.0..=3.0,
        &[
            ("text.line_height", spec.text.line_height),
            ("fit.line_height", spec.fit.line_height),
        ],
    )?;
    within(
        "times the gap",
        0.0..=1.0,
        &[("fit.spacing", spec.fit.spacing)],
    )
}

/// Whether a sheet of so many mm leaves room for text.
pub(super) fn room(spec: &Spec, (width, height): (f32, f32)) -> Result<(), Error> {
    let (margins, side) = (&spec.page.margins, &spec.sidebar);
    let height = height - margins.top - margins.bottom;
    left_over("page.margins", "of height for text", height, ROOM)?;
    let mut width = width - margins.start - margins.end;
    if spec.has_sidebar() {
        left_over("sidebar.width", "in the sidebar", side.width, 30.0)?;
        // The sidebar's padding takes the place of the margin on its side.
        let own = match side.place {
            super::SidebarPlace::Start => margins.start,
            super::SidebarPlace::End => margins.end,
        };
        width += own - side.width - 2.0 * side.padding - side.gap;
        left_over("sidebar", "of width for the main text", width, ROOM)?;
    }
    left_over("page.margins", "of width for text", width, ROOM)?;
    left_over(
        "entries.date_column",
        "beside the dates",
        width - spec.entries.date_column,
        width / 2.0,
    )?;

    let photo = &spec.photo;
    let column = match spec.header.photo {
        PhotoPlace::Sidebar if spec.has_sidebar() => side.width,
        PhotoPlace::Sidebar => return fault("header.photo", "there is no sidebar to put it in"),
        PhotoPlace::Start | PhotoPlace::End => width - BESIDE_PHOTO - photo.gap,
        PhotoPlace::None => f32::INFINITY,
    };
    if photo.width > column {
        return fault("photo.width", &format!("at most {column:.1} mm have room"));
    }
    if photo.height > height / 2.0 {
        return fault(
            "photo.height",
            "it must be at most half as high as the text",
        );
    }
    if photo.radius > photo.width.min(photo.height) / 2.0 {
        return fault("photo.radius", "it must be at most half the photo");
    }
    Ok(())
}

fn contrasts(spec: &Spec) -> Result<(), Error> {
    let (colors, side) = (&spec.colors, &spec.sidebar);
    let white = (Rgb::WHITE, "white");
    let mut pairs = vec![
        ("colors.text", colors.text, white),
        ("colors.muted", colors.muted, white),
        ("colors.accent", colors.accent, white),
    ];
    if spec.has_sidebar() {
        let behind = (side.background, "the sidebar");
        pairs.extend([
            ("sidebar.text", side.text, behind),
            ("sidebar.muted", side.muted, behind),
            ("sidebar.accent", side.accent, behind),
        ]);
    }
    if let Some(band) = spec.header.band {
        let behind = (band, "the band");
        pairs.extend([
            ("header.band_text", spec.header.band_text, behind),
            ("header.band_muted", spec.header.band_muted, behind),
        ]);
    }
    if spec.sections.decoration == super::Decoration::Fill {
        let behind = (spec.sections.fill, "the fill of titles");
        pairs.push(match spec.sections.color {
            super::TitleColor::Text => ("colors.text", colors.text, behind),
            super::TitleColor::Accent => ("colors.accent", colors.accent, behind),
        });
    }
    for (key, color, (behind, what)) in pairs {
        let contrast = color.contrast(behind);
        if contrast < CONTRAST {
            return Err(Error::Theme {
                key: key.to_owned(),
                fault: format!(
                    "its contrast to {what} is {:.1} to 1; it must be at least {CONTRAST} to 1",
                    (contrast * 10.0).floor() / 10.0
                ),
            });
        }
    }
    Ok(())
}

fn texts(spec: &Spec) -> Result<(), Error> {
    if spec.lists.separator.chars().count() > 3 || spec.lists.separator.contains(char::is_control) {
        return fault("lists.separator", "it must have at most 3 characters");
    }
    if spec.lists.bullet.is_control() || spec.lists.bullet.is_whitespace() {
        return fault("lists.bullet", "it must be a visible character");
    }
    let titles = spec.titles.values().flat_map(|titles| titles.values());
    if titles.clone().count() > 1000 || titles.clone().any(|title| title.len() > 200) {
        return fault("titles", "there may be 1000 titles of 200 bytes each");
    }
    Ok(())
}

fn within(
    unit: &str,
    range: std::ops::RangeInclusive<f32>,
    values: &[(&str, f32)],
) -> Result<(), Error> {
    for (key, value) in values {
        // A NaN is within no range.
        if !range.contains(value) {
            let (low, high) = (range.start(), range.end());
            return fault(key, &format!("{value} is not from {low} to {high} {unit}"));
        }
    }
    Ok(())
}

fn left_over(key: &str, what: &str, length: f32, least: f32) -> Result<(), Error> {
    if length >= least {
        return Ok(());
    }
    fault(
        key,
        &format!("{length:.1} mm are left {what}; it must be at least {least:.1} mm"),
    )
}

fn fault(key: &str, fault: &str) -> Result<(), Error> {
    Err(Error::Theme {
        key: key.to_owned(),
        fault: fault.to_owned(),
    })
}
