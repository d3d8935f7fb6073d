//! From the caller's document to one that is ready to be laid out: bounded, cleaned, shaped, without empty
//! parts. Nothing here depends on the page, so that fitting repeats none of it.

use crate::blocks::{Block, Document, Entry, Footer, Image, Masthead, Row, Section, Text};
use crate::error::{Error, Warning};
use crate::fonts::Fonts;
use crate::photo::{self, Frame, Photo};
use crate::text::clean_line;
use crate::text::paragraph::{Ink, Paragraph, Role};
use crate::text::shape::{Look, Shaper};
use crate::theme::Theme;

/// Bytes of text in one document: more than its pages can hold.
pub(crate) const MAX_TEXT: usize = 1_000_000;
/// Blocks, list items, rows and runs (but for the first of each text) in one document.
pub(crate) const MAX_BLOCKS: usize = 20_000;
/// Blocks within blocks.
pub(crate) const MAX_DEPTH: usize = 8;
/// Characters of a text in outline, metadata or alternative text; PDF/A allows strings of 32,767 bytes.
const MAX_LINE: usize = 500;
/// Different missing characters that are named one by one.
const NAMED_MISSING: usize = 20;

/// A document ready to be laid out.
pub(crate) struct Prepared {
    pub(crate) title: String,
    pub(crate) author: Option<String>,
    pub(crate) language: String,
    pub(crate) body: Vec<Part>,
    pub(crate) footer: Option<Footer>,
    pub(crate) paragraphs: Vec<Paragraph>,
    pub(crate) photos: Vec<Photo>,
    pub(crate) warnings: Vec<Warning>,
}

/// A block that holds something.
pub(crate) enum Part {
    Masthead {
        title: Option<ParagraphId>,
        body: Vec<Part>,
        photo: Option<PhotoId>,
    },
    Section {
        title: Option<ParagraphId>,
        body: Vec<Part>,
    },
    Entry(Head, Vec<Part>),
    Paragraph(ParagraphId),
    List {
        bullet: ParagraphId,
        items: Vec<ParagraphId>,
    },
    Rows(Vec<PreparedRow>),
    Image(PhotoId),
}

/// The head of an entry.
pub(crate) struct Head {
    pub(crate) date: Option<ParagraphId>,
    pub(crate) title: Option<ParagraphId>,
    pub(crate) subtitle: Option<ParagraphId>,
}

/// A row with at least one side.
pub(crate) struct PreparedRow {
    pub(crate) label: Option<ParagraphId>,
    pub(crate) value: Option<ParagraphId>,
}

/// An index into [`Prepared::paragraphs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParagraphId(pub(crate) usize);

/// An index into [`Prepared::photos`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PhotoId(pub(crate) usize);

/// Checks, cleans and shapes a document.
pub(crate) fn prepare(
    document: &Document,
    theme: &Theme,
    fonts: &Fonts,
) -> Result<Prepared, Error> {
    check_size(document)?;
    let title = clean_line(&document.title, MAX_LINE);
    if title.is_empty() {
        return Err(Error::NoTitle);
    }
    if !is_language_tag(&document.language) {
        return Err(Error::Language(clean_line(&document.language, 40)));
    }
    let mut press = Press {
        shaper: Shaper::new(fonts),
        theme,
        paragraphs: Vec::new(),
        photos: Vec::new(),
        warnings: Vec::new(),
        bullet: None,
    };
    let body = press.parts(&document.body);
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
        body,
        footer,
        warnings: press.warnings(),
        paragraphs: press.paragraphs,
        photos: press.photos,
    })
}

struct Press<'a> {
    shaper: Shaper<'a>,
    theme: &'a Theme,
    paragraphs: Vec<Paragraph>,
    photos: Vec<Photo>,
    warnings: Vec<Warning>,
    bullet: Option<ParagraphId>,
}

impl Press<'_> {
    fn parts(&mut self, blocks: &[Block]) -> Vec<Part> {
        blocks.iter().filter_map(|block| self.part(block)).collect()
    }

    fn part(&mut self, block: &Block) -> Option<Part> {
        match block {
            Block::Masthead(masthead) => self.masthead(masthead),
            Block::Section(Section { title, blocks }) => {
                // The title first: paragraphs are numbered in reading order.
                let look = Look {
                    small_caps: true,
                    ..Look::bold(Role::SectionTitle, Ink::Accent)
                };
                let title = self.paragraph(title, look);
                let body = self.parts(blocks);
                (!body.is_empty()).then_some(Part::Section { title, body })
            }
            Block::Entry(entry) => self.entry(entry),
            Block::Paragraph(text) => self.plain(text).map(Part::Paragraph),
            Block::List(items) => {
                let items: Vec<_> = items.iter().filter_map(|item| self.plain(item)).collect();
                (!items.is_empty()).then(|| Part::List {
                    bullet: self.bullet(),
                    items,
                })
            }
            Block::Rows(rows) => {
                let rows: Vec<_> = rows.iter().filter_map(|row| self.row(row)).collect();
                (!rows.is_empty()).then_some(Part::Rows(rows))
            }
            Block::Image(image) => self.photo(image, Frame::Whole).map(Part::Image),
        }
    }

    fn masthead(&mut self, masthead: &Masthead) -> Option<Part> {
        let title = self.paragraph(&masthead.title, Look::bold(Role::Name, Ink::Text));
        let body = self.parts(&masthead.body);
        let frame = self.theme.photo;
        let photo = masthead.photo.as_ref();
        let photo = photo.and_then(|image| self.photo(image, Frame::of(frame.width, frame.height)));
        let empty = title.is_none() && body.is_empty() && photo.is_none();
        (!empty).then_some(Part::Masthead { title, body, photo })
    }

    fn entry(&mut self, entry: &Entry) -> Option<Part> {
        let head = Head {
            title: self.paragraph(&entry.title, Look::bold(Role::Text, Ink::Text)),
            date: self.paragraph(&entry.date, Look::plain(Role::Date, Ink::Muted)),
            subtitle: self.plain(&entry.subtitle),
        };
        let body = self.parts(&entry.body);
        let empty = head.title.is_none()
            && head.date.is_none()
            && head.subtitle.is_none()
            && body.is_empty();
        (!empty).then_some(Part::Entry(head, body))
    }

    fn row(&mut self, row: &Row) -> Option<PreparedRow> {
        let label = self.paragraph(&row.label, Look::plain(Role::Date, Ink::Muted));
        let value = self.plain(&row.value);
        (label.is_some() || value.is_some()).then_some(PreparedRow { label, value })
    }

    fn plain(&mut self, text: &Text) -> Option<ParagraphId> {
        self.paragraph(text, Look::plain(Role::Text, Ink::Text))
    }

    fn paragraph(&mut self, text: &Text, look: Look) -> Option<ParagraphId> {
        let paragraph = self.shaper.shape(text, look)?;
        self.paragraphs.push(paragraph);
        Some(ParagraphId(self.paragraphs.len() - 1))
    }

    /// One bullet serves all lists.
    fn bullet(&mut self) -> ParagraphId {
        if let Some(bullet) = self.bullet {
            return bullet;
        }
        let bullet = self
            .paragraph(&Text::from("•"), Look::plain(Role::Text, Ink::Accent))
            .expect("the embedded fonts have a bullet");
        *self.bullet.insert(bullet)
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

/// Whether a tag has the form of a language tag (BCP 47): letters, digits and hyphens, in parts of 1 to 8.
/// [`Document::language`] must; whether there is such a language is not asked.
pub fn is_language_tag(tag: &str) -> bool {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let language = tag.split('-').next().unwrap_or_default();
    tag.len() <= 35 && language.bytes().all(|b| b.is_ascii_alphabetic()) && tag.split('-').all(part)
}

fn check_size(document: &Document) -> Result<(), Error> {
    let mut size = Size::default();
    size.add_blocks(&document.body, 1)?;
    if size.bytes > MAX_TEXT {
        return Err(Error::TooMuchText {
            bytes: size.bytes,
            limit: MAX_TEXT,
        });
    }
    Ok(())
}

/// The size of a document, counted before any work is done on it.
#[derive(Default)]
struct Size {
    bytes: usize,
    blocks: usize,
}

impl Size {
    fn add_blocks(&mut self, blocks: &[Block], depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep { limit: MAX_DEPTH });
        }
        self.count(blocks.len())?;
        for block in blocks {
            match block {
                Block::Masthead(Masthead { title, body, .. }) => {
                    self.text(title)?;
                    self.add_blocks(body, depth + 1)?;
                }
                Block::Section(Section { title, blocks }) => {
                    self.text(title)?;
                    self.add_blocks(blocks, depth + 1)?;
                }
                Block::Entry(Entry {
                    date,
                    title,
                    subtitle,
                    body,
                }) => {
                    for text in [date, title, subtitle] {
                        self.text(text)?;
                    }
                    self.add_blocks(body, depth + 1)?;
                }
                Block::Paragraph(text) => self.text(text)?,
                Block::List(items) => {
                    self.count(items.len())?;
                    for item in items {
                        self.text(item)?;
                    }
                }
                Block::Rows(rows) => {
                    self.count(rows.len())?;
                    for Row { label, value } in rows {
                        self.text(label)?;
                        self.text(value)?;
                    }
                }
                Block::Image(_) => {}
            }
        }
        Ok(())
    }

    fn count(&mut self, blocks: usize) -> Result<(), Error> {
        self.blocks += blocks;
        if self.blocks > MAX_BLOCKS {
            return Err(Error::TooManyBlocks { limit: MAX_BLOCKS });
        }
        Ok(())
    }

    fn text(&mut self, text: &Text) -> Result<(), Error> {
        self.bytes += text.0.iter().map(|run| run.text.len()).sum::<usize>();
        self.count(text.0.len().saturating_sub(1))
    }
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
