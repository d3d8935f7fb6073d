//! From the caller's document to one that is ready to be laid out: bounded, cleaned, shaped, without empty
//! parts, its sections where the theme has them. Nothing here depends on the page, so that fitting repeats
//! none of it.

mod limits;
mod parts;
mod style;

use std::collections::BTreeMap;

pub(crate) use parts::{
    Head, Header, ParagraphId, Part, PhotoId, PreparedItem, PreparedList, PreparedRow,
    PreparedTable,
};

use crate::blocks::{
    Align, Block, Document, Entry, Footer, Image, List, Marker, Masthead, Row, Section, Table, Text,
};
use crate::error::{Error, Warning};
use crate::fonts::{FamilyId, Fonts};
use crate::options::Options;
use crate::photo::{self, Frame, Photo};
use crate::text::paragraph::{Ink, Paragraph, Role};
use crate::text::shape::{Look, Shaper};
use crate::text::{Direction, clean_line};
use crate::theme::{Caps, ContactPlace, PhotoPlace, Spec, TitleColor};

/// Characters of a text in outline, metadata or alternative text; PDF/A allows strings of 32,767 bytes.
const MAX_LINE: usize = 500;
/// Different missing characters that are named one by one.
const NAMED_MISSING: usize = 20;
/// The largest gap that a document may ask for, in lines.
const MAX_SPACE: f32 = 20.0;

/// A document ready to be laid out.
pub(crate) struct Prepared {
    pub(crate) title: String,
    pub(crate) author: Option<String>,
    pub(crate) language: String,
    /// Whether the document runs from right to left.
    pub(crate) rtl: bool,
    /// In reading order: what stands in the sidebar comes last.
    pub(crate) main: Vec<Part>,
    pub(crate) side: Vec<Part>,
    pub(crate) footer: Option<Footer>,
    /// The family of the footer's text.
    pub(crate) family: FamilyId,
    pub(crate) paragraphs: Vec<Paragraph>,
    pub(crate) photos: Vec<Photo>,
    /// The ids of what may be cut, in order; those that the document does not have are gone.
    pub(crate) cuts: Vec<String>,
    pub(crate) warnings: Vec<Warning>,
}

/// Checks, cleans and shapes a document.
pub(crate) fn prepare(
    document: &Document,
    options: &Options,
    fonts: &Fonts,
) -> Result<Prepared, Error> {
    let ids = limits::check(document)?;
    let title = clean_line(&document.title, MAX_LINE);
    if title.is_empty() {
        return Err(Error::NoTitle);
    }
    if !is_language_tag(&document.language) {
        return Err(Error::Language(clean_line(&document.language, 40)));
    }
    let mut cuts: Vec<String> = Vec::new();
    let mut ranks = BTreeMap::new();
    for id in &options.cut_order {
        if ids.contains(id.as_str()) && !ranks.contains_key(id.as_str()) {
            ranks.insert(id.as_str(), cuts.len());
            cuts.push(id.clone());
        }
    }
    let theme = options.theme.spec();
    let (main, side) = arranged(&document.body, theme);
    let mut press = Press {
        shaper: Shaper::new(fonts, &document.language),
        families: Families::of(theme, fonts)?,
        theme,
        language: &document.language,
        ranks,
        stacked: false,
        paragraphs: Vec::new(),
        photos: Vec::new(),
        warnings: Vec::new(),
        bullet: None,
    };
    let main = press.parts(main);
    press.stacked = true;
    let side = press.parts(side);
    let footer = document.footer.as_ref().map(|footer| Footer {
        running: clean_line(&footer.running, 100),
        page: clean_line(&footer.page, 100),
    });
    Ok(Prepared {
        title,
        author: document
            .author
            .as_ref()
            .map(|author| clean_line(author, MAX_LINE)),
        language: document.language.clone(),
        rtl: Direction::of_language(&document.language) == Direction::RightToLeft,
        main,
        side,
        footer,
        family: press.families.text,
        cuts,
        warnings: press.warnings(),
        paragraphs: press.paragraphs,
        photos: press.photos,
    })
}

/// The blocks of the main column and of the sidebar, in the theme's order.
fn arranged<'a>(body: &'a [Block], theme: &Spec) -> (Vec<&'a Block>, Vec<&'a Block>) {
    let place = |block: &Block, names: &[String]| match block {
        Block::Section(section) if !section.role.is_empty() => {
            names.iter().position(|name| *name == section.role)
        }
        _ => None,
    };
    let beside = if theme.has_sidebar() {
        theme.sidebar.sections.as_slice()
    } else {
        &[]
    };
    let (mut side, mut main): (Vec<_>, Vec<_>) = body
        .iter()
        .partition(|block| place(block, beside).is_some());
    side.sort_by_key(|block| place(block, beside));

    // The named ones trade places among themselves.
    let rank = |block: &Block| place(block, &theme.sections.order);
    let slots: Vec<_> = (0..main.len())
        .filter(|at| rank(main[*at]).is_some())
        .collect();
    let mut named: Vec<_> = slots.iter().map(|at| main[*at]).collect();
    named.sort_by_key(|block| rank(block));
    for (slot, block) in slots.into_iter().zip(named) {
        main[slot] = block;
    }
    (main, side)
}

/// The families that a theme names.
#[derive(Clone, Copy)]
struct Families {
    text: FamilyId,
    titles: FamilyId,
    name: FamilyId,
}

impl Families {
    fn of(theme: &Spec, fonts: &Fonts) -> Result<Self, Error> {
        let family = |key: &str, name: &str| {
            let own = match name {
                "sans" => "Noto Sans",
                "serif" => "Noto Serif",
                other => other,
            };
            fonts.family(own).ok_or_else(|| {
                let known: Vec<_> = fonts.family_names().collect();
                Error::Theme {
                    key: key.to_owned(),
                    fault: format!(
                        "there is no font family `{}`; there are {}",
                        clean_line(name, 40),
                        known.join(", ")
                    ),
                }
            })
        };
        let names = &theme.fonts;
        Ok(Self {
            text: family("fonts.text", &names.text)?,
            titles: family("fonts.titles", &names.titles)?,
            name: family("fonts.name", &names.name)?,
        })
    }
}

struct Press<'a> {
    shaper: Shaper<'a>,
    families: Families,
    theme: &'a Spec,
    language: &'a str,
    /// By id, the places of what may be cut.
    ranks: BTreeMap<&'a str, usize>,
    /// Whether inline lists are set one item below the other: the column is narrow.
    stacked: bool,
    paragraphs: Vec<Paragraph>,
    photos: Vec<Photo>,
    warnings: Vec<Warning>,
    bullet: Option<ParagraphId>,
}

impl Press<'_> {
    fn parts<'b>(&mut self, blocks: impl IntoIterator<Item = &'b Block>) -> Vec<Part> {
        let blocks = blocks.into_iter();
        blocks.filter_map(|block| self.part(block)).collect()
    }

    fn part(&mut self, block: &Block) -> Option<Part> {
        match block {
            Block::Masthead(masthead) => self.masthead(masthead),
            Block::Section(section) => self.section(section),
            Block::Entry(entry) => self.entry(entry),
            Block::Paragraph(text) => self.plain(text).map(|id| Part::Paragraph(id, Align::Start)),
            Block::Aligned(align, text) => self.plain(text).map(|id| Part::Paragraph(id, *align)),
            Block::Heading(text) => {
                let look = Look::bold(Role::EntryTitle, Ink::Text);
                self.paragraph(text, look).map(Part::Heading)
            }
            Block::List(list) => self.list(list),
            Block::Inline(items) => self.inline(items),
            Block::Rows(rows) => {
                let rows: Vec<_> = rows.iter().filter_map(|row| self.row(row)).collect();
                (!rows.is_empty()).then_some(Part::Rows(rows))
            }
            Block::Table(table) => self.table(table),
            Block::Image(image) => self.photo(image, Frame::Whole).map(Part::Image),
            // A NaN is no gap.
            Block::Space(lines) if *lines > 0.0 => Some(Part::Space(lines.min(MAX_SPACE))),
            Block::Space(_) => None,
        }
    }

    fn masthead(&mut self, masthead: &Masthead) -> Option<Part> {
        let theme = &self.theme.header;
        let look = Look {
            bold: theme.bold,
            ..title_look(Role::Name, theme.caps, theme.color)
        };
        let title = self.title(&masthead.title, look, theme.caps, theme.tracking);
        let ink = match theme.color {
            TitleColor::Text if theme.band.is_none() => Ink::Accent,
            TitleColor::Text | TitleColor::Accent => Ink::Muted,
        };
        let headline = self.paragraph(&masthead.headline, Look::plain(Role::Headline, ink));
        let frame = &self.theme.photo;
        let frame = Frame::of(frame.width, frame.height);
        let photo = match theme.photo {
            PhotoPlace::None => None,
            _ => masthead.photo.as_ref(),
        };
        let photo = photo.and_then(|image| self.photo(image, frame));
        let stacked = std::mem::replace(
            &mut self.stacked,
            self.theme.has_sidebar() && theme.contact == ContactPlace::Sidebar,
        );
        let body = self.parts(&masthead.body);
        self.stacked = stacked;
        let empty = title.is_none() && headline.is_none() && body.is_empty() && photo.is_none();
        (!empty).then_some(Part::Masthead(Header {
            title,
            headline,
            body,
            photo,
        }))
    }

    fn section(&mut self, section: &Section) -> Option<Part> {
        let theme = &self.theme.sections;
        // The title first: paragraphs are numbered in reading order.
        let look = Look {
            bold: theme.bold,
            ..title_look(Role::SectionTitle, theme.caps, theme.color)
        };
        let title = match self.own_title(section) {
            Some(own) => Text::from(own),
            None => section.title.clone(),
        };
        let title = self.title(&title, look, theme.caps, theme.tracking);
        let body = self.parts(&section.blocks);
        let filled = body.iter().any(|part| !matches!(part, Part::Space(_)));
        filled.then(|| Part::Section {
            role: section.role.clone(),
            title,
            body,
        })
    }

    /// The theme's title for a section, in the document's language.
    fn own_title(&self, section: &Section) -> Option<&str> {
        let titles = &self.theme.titles;
        let titles = titles
            .get(self.language)
            .or_else(|| titles.get(style::primary(self.language)))?;
        titles.get(&section.role).map(String::as_str)
    }

    fn entry(&mut self, entry: &Entry) -> Option<Part> {
        let theme = &self.theme.entries;
        let subtitle = style::subtitle(&entry.subtitle, theme.subtitle);
        let joined = theme.joined.then(|| {
            let title = style::styled(&entry.title, |run| run.bold = true);
            style::join([&title, &subtitle], "·")
        });
        let head = Head {
            id: entry.id.clone(),
            cut: self.rank(entry.id.as_deref()),
            title: self.paragraph(&entry.title, Look::bold(Role::EntryTitle, Ink::Text)),
            date: self.paragraph(&entry.date, Look::plain(Role::Date, Ink::Muted)),
            subtitle: self.plain(&subtitle),
            joined: joined.and_then(|joined| {
                self.paragraph(&joined, Look::plain(Role::EntryTitle, Ink::Text))
            }),
        };
        let body = self.parts(&entry.body);
        let empty = head.title.is_none()
            && head.date.is_none()
            && head.subtitle.is_none()
            && body.is_empty();
        (!empty).then_some(Part::Entry(head, body))
    }

    fn list(&mut self, list: &List) -> Option<Part> {
        let mut items = Vec::with_capacity(list.items.len());
        for item in &list.items {
            let number = items.len() + 1;
            let label = match list.marker {
                Marker::Number => Some(format!("{number}.")),
                Marker::Reference => Some(format!("[{number}]")),
                Marker::Bullet | Marker::Hanging | Marker::None => None,
            };
            let Some(text) = self.plain(&item.text) else {
                continue;
            };
            let label = match label {
                Some(label) => {
                    let look = Look::plain(Role::Text, Ink::Muted);
                    self.paragraph(&label.into(), look)
                }
                None if list.marker == Marker::Bullet => self.bullet(),
                None => None,
            };
            items.push(PreparedItem {
                id: item.id.clone(),
                cut: self.rank(item.id.as_deref()),
                label,
                text,
            });
        }
        (!items.is_empty()).then_some(Part::List(PreparedList {
            marker: list.marker,
            items,
        }))
    }

    fn inline(&mut self, items: &[Text]) -> Option<Part> {
        if !self.stacked {
            let line = style::join(items, &self.theme.lists.separator);
            let id = self.plain(&line)?;
            return Some(Part::Paragraph(id, Align::Start));
        }
        let items: Vec<_> = items.iter().filter_map(|item| self.plain(item)).collect();
        let items: Vec<_> = items
            .into_iter()
            .map(|text| PreparedItem {
                id: None,
                cut: None,
                label: None,
                text,
            })
            .collect();
        (!items.is_empty()).then_some(Part::List(PreparedList {
            marker: Marker::None,
            items,
        }))
    }

    fn row(&mut self, row: &Row) -> Option<PreparedRow> {
        let label = self.paragraph(&row.label, Look::plain(Role::Date, Ink::Muted));
        let value = self.plain(&row.value);
        (label.is_some() || value.is_some()).then_some(PreparedRow { label, value })
    }

    fn table(&mut self, table: &Table) -> Option<Part> {
        let given = table.rows.iter().chain([&table.header]).map(Vec::len);
        let count = table.columns.len().max(1);
        let columns: Vec<_> = if table.columns.is_empty() {
            // Nobody said how many: as many as the longest row has, up to what is readable.
            let count = given.max().unwrap_or(1).clamp(1, limits::MAX_COLUMNS);
            vec![(1.0, Align::Start); count]
        } else {
            let columns = table.columns.iter().take(count);
            let share = |share: f32| {
                if share.is_finite() {
                    share.clamp(0.01, 100.0)
                } else {
                    1.0
                }
            };
            columns
                .map(|column| (share(column.share), column.align))
                .collect()
        };
        let last = columns.len() - 1;
        let cells = |press: &mut Self, row: &[Text], look: Look| -> Vec<Option<ParagraphId>> {
            let mut cells: Vec<_> = row
                .iter()
                .take(last)
                .map(|cell| press.paragraph(cell, look))
                .collect();
            if row.len() > last {
                let rest = row[last..].iter().flat_map(|cell| cell.0.iter().cloned());
                cells.push(press.paragraph(&Text(rest.collect()), look));
            }
            cells
        };
        let header = cells(self, &table.header, Look::bold(Role::Text, Ink::Text));
        let plain = Look::plain(Role::Text, Ink::Text);
        let mut rows: Vec<_> = table
            .rows
            .iter()
            .map(|row| cells(self, row, plain))
            .collect();
        rows.retain(|row| row.iter().any(Option::is_some));
        let header = header.iter().any(Option::is_some).then_some(header);
        (!rows.is_empty()).then_some(Part::Table(PreparedTable {
            columns,
            header,
            rows,
        }))
    }

    fn plain(&mut self, text: &Text) -> Option<ParagraphId> {
        self.paragraph(text, Look::plain(Role::Text, Ink::Text))
    }

    fn title(&mut self, text: &Text, look: Look, caps: Caps, tracking: f32) -> Option<ParagraphId> {
        let id = match caps {
            Caps::Upper => self.paragraph(&style::upper(text, self.language), look),
            Caps::None | Caps::Small => self.paragraph(text, look),
        }?;
        style::track(&mut self.paragraphs[id.0], tracking);
        Some(id)
    }

    fn paragraph(&mut self, text: &Text, look: Look) -> Option<ParagraphId> {
        let family = match look.role {
            Role::Name => self.families.name,
            Role::Headline | Role::SectionTitle | Role::EntryTitle => self.families.titles,
            Role::Text | Role::Date | Role::Footer => self.families.text,
        };
        let look = Look {
            family,
            hyphenate: self.theme.text.hyphenate && look.role == Role::Text,
            ..look
        };
        let paragraph = self.shaper.shape(text, look)?;
        self.paragraphs.push(paragraph);
        Some(ParagraphId(self.paragraphs.len() - 1))
    }

    fn rank(&self, id: Option<&str>) -> Option<usize> {
        self.ranks.get(id?).copied()
    }

    /// One bullet serves all lists.
    fn bullet(&mut self) -> Option<ParagraphId> {
        if self.bullet.is_none() {
            let bullet = self.theme.lists.bullet.to_string();
            let look = Look::plain(Role::Text, Ink::Accent);
            self.bullet = self.paragraph(&bullet.into(), look);
        }
        self.bullet
    }

    fn photo(&mut self, image: &Image, frame: Frame) -> Option<PhotoId> {
        match photo::develop(&image.data, frame) {
            Ok((jpeg, size)) => {
                let alt = clean_line(&image.alt, MAX_LINE);
                self.photos.push(Photo { jpeg, size, alt });
                Some(PhotoId(self.photos.len() - 1))
            }
            Err(reason) => {
                self.warnings.push(Warning::PhotoDropped { reason });
                None
            }
        }
    }

    fn warnings(&mut self) -> Vec<Warning> {
        let mut warnings = std::mem::take(&mut self.warnings);
        let missing = self.shaper.missing();
        warnings.extend(
            missing
                .iter()
                .take(NAMED_MISSING)
                .map(|&char| Warning::MissingGlyph { char }),
        );
        if missing.len() > NAMED_MISSING {
            warnings.push(Warning::MoreMissingGlyphs {
                count: missing.len() - NAMED_MISSING,
            });
        }
        if self.shaper.removed() > 0 {
            warnings.push(Warning::CharactersRemoved {
                count: self.shaper.removed(),
            });
        }
        warnings.extend((0..self.shaper.links_dropped()).map(|_| Warning::LinkDropped));
        warnings
    }
}

fn title_look(role: Role, caps: Caps, color: TitleColor) -> Look {
    let ink = match color {
        TitleColor::Text => Ink::Text,
        TitleColor::Accent => Ink::Accent,
    };
    Look {
        small_caps: caps == Caps::Small,
        ..Look::plain(role, ink)
    }
}

/// Whether a tag has the form of a language tag (BCP 47): letters, digits and hyphens, in parts of 1 to 8.
/// [`Document::language`] must; whether there is such a language is not asked.
pub fn is_language_tag(tag: &str) -> bool {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let language = tag.split('-').next().unwrap_or_default();
    tag.len() <= 35 && language.bytes().all(|b| b.is_ascii_alphabetic()) && tag.split('-').all(part)
}

#[cfg(test)]
mod tests {
    use super::is_language_tag;

    #[test]
    fn language_tags() {
        for tag in ["en", "pt-BR", "zh-Hant-TW", "sr-Latn", "de-1996"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for tag in [
            "",
            "e n",
            "en_GB",
            "-en",
            "en-",
            "12",
            "klingonish",
            "en\u{0}",
        ] {
            assert!(!is_language_tag(tag), "{tag}");
        }
    }
}
