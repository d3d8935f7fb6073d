//! Draws the pages, and keeps the marks that tie what is drawn to the structure tree.

use std::collections::BTreeSet;

use krilla::Document;
use krilla::action::{Action, LinkAction};
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::geom::{Point, Rect};
use krilla::page::{Page, PageSettings};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag};
use krilla::text::{GlyphId, KrillaGlyph};

use super::Source;
use super::glyphs::drawn;
use crate::error::Error;
use crate::fonts::FaceId;
use crate::layout::{Background, FooterLine, Item, Shape, Zone};
use crate::text::paragraph::{Line, Paragraph, VisualRun};

/// The height of a clickable area above and below the baseline, as parts of the text size.
const LINK_ABOVE: f32 = 0.85;
const LINK_BELOW: f32 = 0.28;
/// Where a word was parted: readers of the text drop it and join what it parts.
const SOFT_HYPHEN: char = '\u{AD}';

/// For each item, what it left on its page.
pub(super) type Marks = Vec<Vec<Mark>>;

/// A piece of marked content.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) id: Identifier,
    /// The page it is on, from 0.
    pub(super) page: usize,
    /// An index into the paragraph's links.
    pub(super) link: Option<u32>,
    /// Where a picture stands.
    pub(super) area: Option<Rect>,
}

/// A link's area on a page, waiting for the page's content to be complete.
struct LinkArea {
    item: usize,
    /// The mark of the text that it covers.
    mark: usize,
    area: Rect,
    uri: String,
    label: String,
}

pub(super) fn pages(source: &Source<'_>, document: &mut Document) -> Result<Marks, Error> {
    let mut marks = vec![Vec::new(); source.layout.items];
    for (index, content) in source.layout.pages.iter().enumerate() {
        let settings = PageSettings::from_wh(source.metrics.page_width, source.metrics.page_height)
            .ok_or_else(|| Error::Pdf("empty page".to_owned()))?;
        let mut page = document.start_page_with(settings);
        let links = {
            let mut pen = Pen {
                source,
                page: index,
                surface: page.surface(),
                links: Vec::new(),
                declared: BTreeSet::new(),
                zone: Zone::Main,
            };
            for area in &content.backgrounds {
                let Background {
                    x,
                    y,
                    width,
                    height,
                    paint,
                } = *area;
                pen.area(x, y, width, height, paint);
            }
            pen.part_columns();
            for item in &content.items {
                pen.zone = item.zone;
                pen.item(item, &mut marks[item.id.0])?;
            }
            pen.zone = Zone::Main;
            for footer in source.footers.get(index).into_iter().flatten() {
                pen.footer(footer);
            }
            pen.surface.finish();
            pen.links
        };
        annotate(&mut page, index, links, &mut marks);
        page.finish();
    }
    Ok(marks)
}

/// Adds the links of a page, each mark right after that of the text it covers.
fn annotate(page: &mut Page<'_>, index: usize, links: Vec<LinkArea>, marks: &mut Marks) {
    // From the back, so that a mark's place does not shift before it is used.
    let mut added: Vec<_> = links
        .into_iter()
        .map(
            |LinkArea {
                 item,
                 mark,
                 area,
                 uri,
                 label,
             }| {
                let target = Target::Action(Action::Link(LinkAction::new(uri)));
                let annotation =
                    Annotation::new_link(LinkAnnotation::new(area, target), Some(label));
                (item, mark, page.add_tagged_annotation(annotation))
            },
        )
        .collect();
    added.reverse();
    for (item, mark, id) in added {
        let link = marks[item][mark].link;
        marks[item].insert(
            mark + 1,
            Mark {
                id,
                page: index,
                link,
                area: None,
            },
        );
    }
}

pub(super) struct Pen<'a, 's> {
    pub(super) source: &'a Source<'a>,
    pub(super) page: usize,
    pub(super) surface: Surface<'s>,
    links: Vec<LinkArea>,
    /// Glyphs whose meaning has been told.
    pub(super) declared: BTreeSet<(FaceId, u16)>,
    /// Where on the page it draws: that decides on the colours.
    pub(super) zone: Zone,
}

impl Pen<'_, '_> {
    fn item(&mut self, item: &Item, marks: &mut Vec<Mark>) -> Result<(), Error> {
        match &item.shape {
            Shape::Line {
                paragraph,
                line,
                size,
            } => {
                let paragraph = &self.source.prepared.paragraphs[paragraph.0];
                if item.copy {
                    self.artifact(
                        ArtifactType::PaginationOther,
                        paragraph,
                        line,
                        (item.x, item.y),
                        *size,
                    );
                } else {
                    self.line(item, paragraph, line, *size, marks);
                }
            }
            Shape::Rule { width, weight } => self.rule(item.x, item.y, *width, *weight),
            Shape::Area {
                width,
                height,
                paint,
            } => self.area(item.x, item.y, *width, *height, *paint),
            Shape::Photo {
                photo,
                width,
                height,
                radius,
            } => {
                let area = Rect::from_xywh(item.x, item.y, *width, *height);
                let area = area.ok_or_else(|| Error::Pdf("empty picture".to_owned()))?;
                marks.push(self.photo(*photo, area, *radius)?);
            }
        }
        Ok(())
    }

    /// Draws a line in the order of its text, in stretches of one link.
    fn line(
        &mut self,
        item: &Item,
        paragraph: &Paragraph,
        line: &Line,
        size: f32,
        marks: &mut Vec<Mark>,
    ) {
        let of = |run: &VisualRun| {
            let span = paragraph.spans[run.span as usize];
            (span.link, span.language)
        };
        let runs = paragraph.runs(line);
        for stretch in runs.chunk_by(|a, b| of(a) == of(b)) {
            let (target, language) = of(&stretch[0]);
            let language = language.map(|index| paragraph.languages[index as usize].as_str());
            let tag = SpanTag::empty().with_lang(language);
            let id = self.surface.start_tagged(ContentTag::Span(tag));
            for run in stretch {
                self.run(paragraph, line, run, (item.x, item.y), size);
            }
            if stretch.last() == runs.last() {
                self.hyphen(paragraph, line, (item.x, item.y), size);
            }
            self.surface.end_tagged();
            marks.push(Mark {
                id,
                page: self.page,
                link: target,
                area: None,
            });
            if let Some(target) = target {
                self.link(item, paragraph, stretch, target, size, marks.len() - 1);
            }
        }
    }

    /// Notes the area of a link, the white space at its end aside.
    fn link(
        &mut self,
        item: &Item,
        paragraph: &Paragraph,
        runs: &[VisualRun],
        target: u32,
        size: f32,
        mark: usize,
    ) {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            return;
        };
        let start = first.glyphs.start;
        let end = paragraph.trimmed(start, last.glyphs.end);
        let visible = runs.iter().filter(|run| run.glyphs.start < end);
        let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
        for run in visible {
            let hidden = run.glyphs.end.saturating_sub(end);
            let space: f64 = (run.glyphs.end - hidden..run.glyphs.end)
                .map(|glyph| f64::from(paragraph.glyphs[glyph].advance))
                .sum();
            let (from, to) = if run.right_to_left {
                (run.x + space, run.x + run.width)
            } else {
                (run.x, run.x + run.width - space)
            };
            left = left.min(from);
            right = right.max(to);
        }
        let place = |em: f64| item.x + em as f32 * size;
        let (top, bottom) = (item.y - size * LINK_ABOVE, item.y + size * LINK_BELOW);
        if end > start
            && let Some(area) = Rect::from_ltrb(place(left), top, place(right), bottom)
        {
            let uri = paragraph.links[target as usize].clone();
            let label = format!("{} ({uri})", paragraph.slice(&(start..end)));
            self.links.push(LinkArea {
                item: item.id.0,
                mark,
                area,
                uri,
                label,
            });
        }
    }

    fn footer(&mut self, footer: &FooterLine) {
        let place = (footer.x, footer.y);
        self.artifact(
            ArtifactType::Footer,
            &footer.paragraph,
            &footer.line,
            place,
            footer.size,
        );
    }

    /// Draws a line that is no part of the document's content.
    fn artifact(
        &mut self,
        kind: ArtifactType,
        paragraph: &Paragraph,
        line: &Line,
        (x, y): (f32, f32),
        size: f32,
    ) {
        let artifact = Artifact::with_kind(kind);
        self.surface.start_tagged(ContentTag::Artifact(artifact));
        for run in paragraph.runs(line) {
            self.run(paragraph, line, &run, (x, y), size);
        }
        self.surface.end_tagged();
    }

    /// Draws the glyphs of one font and colour, from left to right.
    fn run(
        &mut self,
        paragraph: &Paragraph,
        line: &Line,
        run: &VisualRun,
        (x, y): (f32, f32),
        size: f32,
    ) {
        let span = paragraph.spans[run.span as usize];
        let face = self.source.fonts.face(span.face);
        let drawn = drawn(paragraph, line, run, face.no_ink());
        for (id, text) in &drawn.alone {
            if self.declared.insert((span.face, *id)) {
                self.declare(*id, text, face.pdf());
            }
        }
        self.surface.set_fill(Some(self.fill(span.ink)));
        self.surface.draw_glyphs(
            Point::from_xy(x + run.x as f32 * size, y),
            &drawn.glyphs,
            face.pdf().clone(),
            &drawn.text,
            size,
            false,
        );
    }

    /// Draws the hyphen of a parted word, so that readers of the text know to join its parts.
    fn hyphen(&mut self, paragraph: &Paragraph, line: &Line, (x, y): (f32, f32), size: f32) {
        let last = line.glyphs.end;
        if line.hyphen > 0.0
            && let Some(hyphen) = paragraph.hyphen_before(last)
        {
            let span = paragraph.spans[paragraph.glyphs[last - 1].span as usize];
            let x = x + (line.width - line.hyphen) as f32 * size;
            self.sign(
                SOFT_HYPHEN,
                hyphen.id,
                hyphen.advance,
                span.face,
                (x, y),
                size,
            );
        }
    }

    /// Draws a glyph that stands for a character that the paragraph's text does not have.
    fn sign(
        &mut self,
        reads_as: char,
        id: u16,
        advance: f32,
        face: FaceId,
        (x, y): (f32, f32),
        size: f32,
    ) {
        let text = reads_as.to_string();
        let id = GlyphId::new(u32::from(id));
        let glyph = KrillaGlyph::new(id, advance, 0.0, 0.0, 0.0, 0..text.len(), None);
        let face = self.source.fonts.face(face).pdf().clone();
        self.surface
            .draw_glyphs(Point::from_xy(x, y), &[glyph], face, &text, size, false);
    }

    /// Tells the PDF what a glyph reads as, so that its first use as a part of something does not lend it the
    /// meaning of the whole. Readers that know `ActualText` see what was written anyway.
    fn declare(&mut self, id: u16, text: &str, face: &krilla::text::Font) {
        let id = GlyphId::new(u32::from(id));
        let glyph = KrillaGlyph::new(id, 1.0, 0.0, 0.0, 0.0, 0..text.len(), None);
        // A stream that is never placed: it only leaves its entry in the font's table.
        let mut unplaced = self.surface.stream_builder();
        let mut surface = unplaced.surface();
        surface.draw_glyphs(
            Point::from_xy(0.0, 0.0),
            &[glyph],
            face.clone(),
            text,
            1.0,
            false,
        );
        surface.finish();
        drop(unplaced.finish());
    }
}
