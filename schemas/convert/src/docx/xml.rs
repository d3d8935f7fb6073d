//! XML as a stream, with limits: elements by local name, no DTD, no entity but the predefined ones.

use quick_xml::events::{BytesStart, Event as Raw};
use quick_xml::{Reader, escape};

use crate::error::What;
use crate::{Error, Limits};

const BROKEN: Error = Error::Damaged("its XML is not well formed");

/// A reader of one part.
pub(super) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    depth: u64,
    limit: u64,
}

/// What a reader of parts needs to know.
pub(super) enum Event<'a> {
    /// An element opens; an empty one closes at once by an `End` of its own.
    Start(Element<'a>),
    /// The innermost open element closes.
    End,
    /// Text, unescaped.
    Text(String),
    /// The part is over.
    Eof,
}

/// An element's name and attributes; prefixes do not matter.
pub(super) struct Element<'a>(BytesStart<'a>);

impl<'a> Xml<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        let mut reader = Reader::from_reader(bytes);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            depth: 0,
            limit: limits.depth,
        }
    }

    pub(super) fn next(&mut self) -> Result<Event<'a>, Error> {
        loop {
            return Ok(match self.reader.read_event().map_err(|_| BROKEN)? {
                Raw::Start(start) => {
                    self.depth += 1;
                    if self.depth > self.limit {
                        return Err(Error::TooLarge {
                            what: What::Depth,
                            limit: self.limit,
                        });
                    }
                    Event::Start(Element(start))
                }
                Raw::End(_) => {
                    self.depth -= 1;
                    Event::End
                }
                Raw::Text(text) => Event::Text(text.decode().map_err(|_| BROKEN)?.into_owned()),
                Raw::CData(text) => Event::Text(text.decode().map_err(|_| BROKEN)?.into_owned()),
                Raw::GeneralRef(entity) => match entity.resolve_char_ref() {
                    Ok(Some(c)) => Event::Text(c.to_string()),
                    Ok(None) => {
                        let name = entity.decode().map_err(|_| BROKEN)?;
                        let text = escape::resolve_predefined_entity(&name).ok_or(BROKEN)?;
                        Event::Text(text.to_owned())
                    }
                    Err(_) => return Err(BROKEN),
                },
                Raw::DocType(_) => return Err(Error::Dtd),
                Raw::Eof if self.depth > 0 => return Err(BROKEN),
                Raw::Eof => Event::Eof,
                _ => continue,
            });
        }
    }

    /// Passes over everything up to the end of the element that was just opened.
    pub(super) fn skip(&mut self) -> Result<(), Error> {
        let mut open = 1;
        while open > 0 {
            match self.next()? {
                Event::Start(_) => open += 1,
                Event::End => open -= 1,
                Event::Text(_) => {}
                Event::Eof => return Err(BROKEN),
            }
        }
        Ok(())
    }

    /// Passes over it without looking at it; only for parts where nothing but size is a danger.
    pub(super) fn skip_blindly(&mut self, element: &Element<'_>) -> Result<(), Error> {
        self.depth -= 1;
        let name = element.0.name().as_ref().to_vec();
        self.reader
            .read_to_end(quick_xml::name::QName(&name))
            .map_err(|_| BROKEN)?;
        Ok(())
    }
}

impl Element<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.0.local_name().as_ref() == name.as_bytes()
    }

    pub(super) fn name(&self) -> &[u8] {
        self.0.local_name().into_inner()
    }

    /// An attribute's value, unescaped.
    pub(super) fn attr(&self, name: &str) -> Option<String> {
        let found = self
            .0
            .attributes()
            .with_checks(false)
            .flatten()
            .find(|attr| attr.key.local_name().as_ref() == name.as_bytes())?;
        let raw = std::str::from_utf8(&found.value).ok()?;
        escape::unescape(raw).ok().map(std::borrow::Cow::into_owned)
    }

    /// `val` of a switch (ECMA-376 part 1, 17.17.4): on unless it says otherwise.
    pub(super) fn is_on(&self) -> bool {
        self.attr("val")
            .is_none_or(|v| !matches!(v.as_str(), "0" | "false" | "off" | "none"))
    }
}
