//! Plain text: lines as paragraphs, blank lines as gaps; headings by words alone.

use crate::document::{Block, Document, Form, Para, Run};
use crate::error::What;
use crate::extracted::Extracted;
use crate::interpret;
use crate::{Error, Limits};

/// Reads the CV out of plain text (UTF-8). Rules of dashes or equals signs are passed over, and
/// so are the number signs of Markdown headings.
pub fn read(text: &str, limits: &Limits) -> Result<Extracted, Error> {
    let too_large = |what, limit| Err(Error::TooLarge { what, limit });
    if text.len() as u64 > limits.file_bytes {
        return too_large(What::File, limits.file_bytes);
    }
    if text.chars().count() as u64 > limits.text_chars {
        return too_large(What::Text, limits.text_chars);
    }
    if text.lines().count() as u64 > limits.paragraphs {
        return too_large(What::Paragraphs, limits.paragraphs);
    }
    let body = text
        .lines()
        .zip(1..)
        .map(|(line, number)| Block::Para(para(line, number)));
    interpret::interpret(&Document {
        body: body.collect(),
        ..Document::default()
    })
}

fn para(line: &str, number: u32) -> Para {
    let trimmed = line.trim_end();
    let hashes = trimmed.bytes().take_while(|b| *b == b'#').count();
    let is_heading = (1..=6).contains(&hashes) && trimmed[hashes..].starts_with(' ');
    let text = if is_heading {
        trimmed[hashes..].trim()
    } else {
        trimmed
    };
    let is_rule = !text.chars().any(char::is_alphanumeric);
    let mut para = Para {
        form: Form {
            outline: is_heading.then(|| hashes as u8 - 1),
            ..Form::default()
        },
        number,
        ..Para::default()
    };
    if !is_rule {
        para.runs.push(Run {
            text: columns(text),
            ..Run::default()
        });
    }
    para
}

/// Three spaces and more stand for a tab, but for those at the front.
fn columns(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut spaces = 0;
    for c in text.trim_start().chars() {
        if c == ' ' {
            spaces += 1;
            continue;
        }
        match spaces {
            0 => {}
            1 | 2 => out.push(' '),
            _ => out.push('\t'),
        }
        spaces = 0;
        out.push(c);
    }
    out
}
