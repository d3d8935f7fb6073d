//! Automatic numbering (ECMA-376 part 1, 17.9): which kind of mark a level puts before a paragraph.

use std::collections::HashMap;

use super::xml::{Element, Event, Xml};
use crate::document::List;
use crate::{Error, Limits};

/// The numbering definitions of a document.
#[derive(Default)]
pub(super) struct Numbering {
    levels: HashMap<(u32, u8), List>,
    abstract_of: HashMap<u32, u32>,
}

impl Numbering {
    pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut xml = Xml::new(bytes, limits);
        let mut all = Self::default();
        let (mut definition, mut level, mut instance) = (0, 0, 0);
        loop {
            match xml.next()? {
                Event::Eof => return Ok(all),
                Event::Start(element) => match element.name() {
                    b"abstractNum" => definition = number(&element, "abstractNumId"),
                    b"lvl" => level = number(&element, "ilvl") as u8,
                    b"num" => instance = number(&element, "numId"),
                    b"abstractNumId" => {
                        all.abstract_of.insert(instance, number(&element, "val"));
                    }
                    b"numFmt" => {
                        let mark = match element.attr("val").as_deref() {
                            Some("none") => List::None,
                            Some("bullet") => List::Bullet,
                            _ => List::Number,
                        };
                        all.levels.entry((definition, level)).or_insert(mark);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// The mark of a level; id 0 has none.
    pub(super) fn mark(&self, id: u32, level: u8) -> List {
        if id == 0 {
            return List::None;
        }
        let definition = self.abstract_of.get(&id).copied().unwrap_or(u32::MAX);
        let mark = self.levels.get(&(definition, level));
        mark.copied().unwrap_or(List::Bullet)
    }
}

fn number(element: &Element<'_>, name: &str) -> u32 {
    let value = element.attr(name).and_then(|v| v.parse().ok());
    value.unwrap_or(0)
}
