//! From pages of placed items to the bytes of a PDF: PDF/UA-1, and PDF/A-3a where a time was given.

mod draw;
mod glyphs;
mod pack;
mod paint;
mod tags;

pub(crate) use glyphs::drawn;

use krilla::configure::{Accessibility, Archival, Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::error::KrillaError;
use krilla::geom::Point;
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::{Document, SerializeSettings};

use crate::Stage;
use crate::error::Error;
use crate::fonts::Fonts;
use crate::layout::{FooterLine, Layout, Metrics};
use crate::options::{Attachment, Created, Options};
use crate::prepare::Prepared;
use crate::text::clean_line;
use crate::text::paragraph::Role;

/// Characters of a title in the outline.
const OUTLINE_TITLE: usize = 120;

/// Everything that a PDF is written from.
pub(crate) struct Source<'a> {
    pub(crate) prepared: &'a Prepared,
    pub(crate) layout: &'a Layout,
    pub(crate) footers: &'a [Vec<FooterLine>],
    pub(crate) metrics: &'a Metrics,
    pub(crate) fonts: &'a Fonts,
    pub(crate) options: &'a Options,
}

/// Writes the file.
pub(crate) fn write(source: &Source<'_>, done: &mut dyn FnMut(Stage)) -> Result<Vec<u8>, Error> {
    let created = source.options.created.map(date_time);
    let mut document = Document::new_with(SerializeSettings {
        configuration: configuration(created.is_some())?,
        ..SerializeSettings::default()
    });
    let marks = draw::pages(source, &mut document)?;
    document.set_tag_tree(tags::tree(source, &marks));
    document.set_outline(outline(source));
    document.set_metadata(metadata(source, created));
    for attachment in &source.options.attachments {
        document.embed_file(embedded(attachment, created));
    }
    done(Stage::Drawn);
    let file = document
        .finish()
        .map_err(|error| Error::Pdf(fault(&error)))?;
    Ok(pack::pack(&file).unwrap_or(file))
}

/// PDF/A asks for the time of creation; without one only the other standard is claimed.
fn configuration(archival: bool) -> Result<Configuration, Error> {
    let builder = ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1);
    let builder = if archival {
        builder.with_archival_validator(Archival::A3_A)
    } else {
        builder
    };
    builder
        .finish()
        .map_err(|_| Error::Pdf("PDF/A-3a and PDF/UA-1 exclude each other".to_owned()))
}

fn metadata(source: &Source<'_>, created: Option<DateTime>) -> Metadata {
    let mut metadata = Metadata::new()
        .title(source.prepared.title.clone())
        .language(source.prepared.language.clone());
    if let Some(author) = source
        .prepared
        .author
        .clone()
        .filter(|author| !author.is_empty())
    {
        metadata = metadata.authors(vec![author]);
    }
    if let Some(producer) = &source.options.producer {
        let producer = clean_line(producer, OUTLINE_TITLE);
        metadata = metadata.creator(producer.clone()).producer(producer);
    }
    match created {
        Some(created) => metadata.creation_date(created),
        None => metadata,
    }
}

/// The sections by their titles; the document itself where it has none, because PDF/UA wants an outline.
fn outline(source: &Source<'_>) -> Outline {
    let mut outline = Outline::new();
    let mut push = |title: &str, page, x, y| {
        let target = XyzDestination::new(page, Point::from_xy(x, y));
        outline.push_child(OutlineNode::new(clean_line(title, OUTLINE_TITLE), target));
    };
    for (title, id) in &source.layout.outline {
        // Items stand in reading order within a page, and pages do too.
        let place = source
            .layout
            .pages
            .iter()
            .enumerate()
            .find_map(|(page, found)| {
                let items = &found.items;
                let at = items.binary_search_by_key(id, |item| item.id).ok()?;
                Some((page, &items[at]))
            });
        if let Some((page, item)) = place {
            let size = source.metrics.size(Role::SectionTitle, item.zone);
            push(title, page, item.x, (item.y - size).max(0.0));
        }
    }
    if source.layout.outline.is_empty() {
        push(
            &source.prepared.title,
            0,
            source.metrics.main.x,
            source.metrics.top,
        );
    }
    outline
}

fn embedded(attachment: &Attachment, created: Option<DateTime>) -> EmbeddedFile {
    EmbeddedFile {
        path: attachment.name.clone(),
        mime_type: MimeType::new(&attachment.mime),
        description: Some(clean_line(&attachment.description, 1000)),
        association_kind: AssociationKind::Source,
        data: attachment.data.clone().into(),
        modification_date: created,
        compress: None,
        location: None,
    }
}

fn date_time(created: Created) -> DateTime {
    DateTime::new(created.year)
        .month(created.month)
        .day(created.day)
        .hour(created.hour)
        .minute(created.minute)
        .second(created.second)
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// What the writer found, by the names of the rules alone: its own messages quote the document's text.
fn fault(error: &KrillaError) -> String {
    let KrillaError::Validation(errors) = error else {
        let name = format!("{error:?}");
        return name
            .split(['(', '{', ' '])
            .next()
            .unwrap_or_default()
            .to_owned();
    };
    let mut names: Vec<_> = errors
        .iter()
        .map(|(error, _)| {
            let name = format!("{error:?}");
            name.split(['(', '{', ' '])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    names.sort();
    names.dedup();
    names.join(", ")
}
