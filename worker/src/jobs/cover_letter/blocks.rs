//! A cover letter as blocks: sender, recipient, date, subject, text, sign-off, enclosure.

use render::blocks::{Align, Block, Masthead, Run, Text};
use schemas::cv::Cv;
use schemas::locale::Locale;

use super::LetterParts;
use super::plain::fill;
use crate::jobs::contact;

/// The letter of a person. `tag` is its language.
pub(in crate::jobs) fn document(
    cv: &Cv,
    parts: &LetterParts,
    locale: &Locale,
    tag: &str,
) -> render::Document {
    let (words, letter) = (&locale.letter, &parts.letter);
    let name = cv.full_name.trim();
    let text = |text: &Option<String>| {
        text.as_deref()
            .map(str::trim)
            .unwrap_or_default()
            .to_owned()
    };
    let (recipient, organization, position) = (
        text(&letter.recipient_name),
        text(&letter.organization),
        text(&letter.position),
    );
    let address = [organization, recipient.clone()]
        .into_iter()
        .chain(
            letter
                .address_lines
                .iter()
                .map(|line| line.trim().to_owned()),
        )
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>();
    let subject = match position.as_str() {
        "" => words.subject_plain.to_owned(),
        position => fill(words.subject, &[("position", position)]),
    };
    let greeting = match recipient.as_str() {
        "" => words.greeting.to_owned(),
        name => fill(words.greeting_named, &[("name", name)]),
    };
    let mut body = vec![Block::Masthead(Masthead {
        title: name.into(),
        body: contact::lines(cv),
        ..Masthead::default()
    })];
    if !address.is_empty() {
        body.extend([
            Block::Space(1.0),
            Block::Paragraph(address.join("\n").into()),
        ]);
    }
    body.extend([
        Block::Space(1.0),
        Block::Aligned(Align::End, parts.date.as_str().into()),
        Block::Space(1.0),
        Block::Paragraph(Text::from(Run::new(subject.as_str()).bold())),
        Block::Space(0.5),
        Block::Paragraph(greeting.into()),
    ]);
    for paragraph in &parts.paragraphs {
        body.extend([
            Block::Space(0.4),
            Block::Paragraph(paragraph.as_str().into()),
        ]);
    }
    body.extend([
        Block::Space(0.5),
        Block::Paragraph(words.sign_off.into()),
        // Room for a signature by hand.
        Block::Space(2.0),
        Block::Paragraph(name.into()),
        Block::Space(0.5),
        Block::Paragraph(Run::new(words.enclosure).muted().into()),
    ]);
    let title = match name {
        "" => subject,
        name => format!("{name} – {}", words.document),
    };
    render::Document {
        title,
        author: Some(name.to_owned()).filter(|name| !name.is_empty()),
        language: tag.to_owned(),
        body,
        footer: None,
    }
}
