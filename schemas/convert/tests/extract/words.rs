//! Nothing that the person wrote is lost: each visible word is in the CV, unplaced, or a heading.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;

use quick_xml::events::Event;
use unicode_normalization::UnicodeNormalization as _;

use crate::{documents, read};

/// The words of headings and labels, which the CV says by its structure; the last are those of the
/// older Italian form.
const LABELS: &str = "curriculum vitae lebenslauf cv tel telefon e mail email \
    nome tipo indirizzo istituto istruzione o formazione datore di lavoro";

fn words(text: &str) -> Vec<String> {
    let plain: String = text
        .nfc()
        .filter(|c| *c != '\u{ad}')
        .flat_map(char::to_lowercase)
        .collect();
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The text of a paragraph at a time, read in another way than the reader does.
fn paragraphs(path: &Path) -> Vec<String> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    let mut all = Vec::new();
    for name in names {
        let file = name.rsplit('/').next().unwrap();
        let wanted = ["document", "header", "footer", "footnotes", "endnotes"]
            .iter()
            .any(|part| file.starts_with(part));
        if !wanted || !name.starts_with("word/") || name.contains("/_rels/") {
            continue;
        }
        let mut xml = String::new();
        archive
            .by_name(&name)
            .unwrap()
            .read_to_string(&mut xml)
            .unwrap();
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut skip = 0;
        let mut placeholder = false;
        let mut in_text = false;
        let mut text = String::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Start(e) => {
                    let name = e.local_name();
                    let hidden = matches!(
                        name.as_ref(),
                        b"del" | b"Fallback" | b"moveFrom" | b"instrText"
                    );
                    if skip > 0 || hidden || (placeholder && name.as_ref() == b"sdtContent") {
                        skip += 1;
                        placeholder = false;
                    }
                    in_text = name.as_ref() == b"t" && skip == 0;
                }
                Event::Empty(e) => match e.local_name().as_ref() {
                    b"showingPlcHdr" => placeholder = true,
                    b"noBreakHyphen" | b"tab" | b"br" if skip == 0 => text.push(' '),
                    _ => {}
                },
                Event::End(e) => {
                    in_text = false;
                    if skip > 0 {
                        skip -= 1;
                    } else if e.local_name().as_ref() == b"p" {
                        all.push(std::mem::take(&mut text));
                    }
                }
                Event::Text(t) if in_text => text.push_str(&t.decode().unwrap()),
                Event::GeneralRef(_) if in_text => text.push(' '),
                Event::Eof => break,
                _ => {}
            }
        }
        all.push(text);
    }
    all
}

#[test]
fn every_visible_word_is_somewhere() {
    let mut files = documents("corpus");
    files.extend(documents("variants"));
    files.extend(documents("layouts"));
    for path in files {
        let extracted = read(&path);
        let mut kept: HashSet<String> = words(LABELS).into_iter().collect();
        kept.extend(words(&serde_json::to_string(&extracted.cv).unwrap()));
        for unplaced in &extracted.unplaced {
            kept.extend(words(&unplaced.text));
        }
        for paragraph in paragraphs(&path) {
            // A heading or a label: short, and its subject is what the field's name says.
            let count = paragraph.split_whitespace().count();
            let spread = paragraph
                .split_whitespace()
                .all(|word| word.chars().count() == 1);
            let is_label =
                count <= 5 || spread || paragraph.contains("1 ") && paragraph.contains("page");
            let lost: Vec<String> = words(&paragraph)
                .into_iter()
                .filter(|word| !kept.contains(word))
                .collect();
            let share = lost.len() as f64 / count.max(1) as f64;
            let before_colon = lost.iter().all(|word| {
                words(paragraph.split(':').next().unwrap()).contains(word)
                    || paragraph.matches(':').count() > 1
            });
            assert!(
                lost.is_empty() || is_label || (before_colon && share < 0.6),
                "{}: {lost:?} of {paragraph:?}",
                path.display()
            );
        }
    }
}
