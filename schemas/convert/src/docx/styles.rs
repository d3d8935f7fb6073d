//! Styles (ECMA-376 part 1, 17.7): names, and what a style and those it is based on say.

use std::collections::HashMap;

use super::props::{ParaProps, RunProps};
use super::xml::{Element, Event, Xml};
use crate::{Error, Limits};

/// The longest chain of styles based on one another that is followed.
const CHAIN: usize = 16;

/// The styles of a document.
#[derive(Default)]
pub(super) struct Styles {
    by_id: HashMap<String, Style>,
    default_paragraph: Option<String>,
    defaults: RunProps,
}

#[derive(Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    para: ParaProps,
    run: RunProps,
}

/// A style with all that it inherits.
#[derive(Clone, Default)]
pub(super) struct Resolved {
    /// Its own name in lower case; empty for the document's default style.
    pub(super) name: String,
    /// It is, or is based on, a style of this name: built-in names are the same in all languages.
    pub(super) is_title: bool,
    pub(super) para: ParaProps,
    pub(super) run: RunProps,
}

impl Styles {
    pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut xml = Xml::new(bytes, limits);
        let mut styles = Self::default();
        loop {
            match xml.next()? {
                Event::Eof => return Ok(styles),
                Event::Start(element) => match element.name() {
                    b"style" => styles.style(&mut xml, &element)?,
                    b"latentStyles" => xml.skip_blindly(&element)?,
                    b"rPrDefault" => styles.defaults = default_run(&mut xml)?,
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// The paragraph style of this id, or the default one.
    pub(super) fn paragraph(&self, id: Option<&str>) -> Resolved {
        let id = id.or(self.default_paragraph.as_deref());
        let mut resolved = id.map(|id| self.resolve(id)).unwrap_or_default();
        resolved.run = resolved.run.over(self.defaults);
        if id == self.default_paragraph.as_deref() {
            resolved.name.clear();
        }
        resolved
    }

    /// What a character style says.
    pub(super) fn character(&self, id: &str) -> RunProps {
        self.resolve(id).run
    }

    fn resolve(&self, id: &str) -> Resolved {
        let mut resolved = Resolved::default();
        let mut next = self.by_id.get(id);
        for step in 0..CHAIN {
            let Some(style) = next else { break };
            if step == 0 {
                resolved.name.clone_from(&style.name);
            }
            resolved.is_title |= style.name == "title";
            // Heading styles of some programs leave their outline level out.
            if resolved.para.outline.is_none() {
                resolved.para.outline = style.para.outline.or_else(|| heading_level(&style.name));
            }
            resolved.para = resolved.para.over(&style.para);
            resolved.run = resolved.run.over(style.run);
            next = style.based_on.as_deref().and_then(|id| self.by_id.get(id));
        }
        resolved
    }

    fn style(&mut self, xml: &mut Xml<'_>, element: &Element<'_>) -> Result<(), Error> {
        let kind = element.attr("type").unwrap_or_default();
        if kind == "table" || kind == "numbering" {
            return xml.skip_blindly(element);
        }
        let id = element.attr("styleId").unwrap_or_default();
        let is_default = element
            .attr("default")
            .is_some_and(|v| v == "1" || v == "true");
        let mut style = Style::default();
        loop {
            match xml.next()? {
                Event::Start(inner) => match inner.name() {
                    b"pPr" => style.para = ParaProps::read(xml)?,
                    b"rPr" => style.run = RunProps::read(xml)?.0,
                    name => {
                        match name {
                            b"name" => {
                                style.name = inner.attr("val").unwrap_or_default().to_lowercase();
                            }
                            b"basedOn" => style.based_on = inner.attr("val"),
                            _ => {}
                        }
                        xml.skip()?;
                    }
                },
                Event::End | Event::Eof => break,
                Event::Text(_) => {}
            }
        }
        if is_default && kind == "paragraph" {
            self.default_paragraph = Some(id.clone());
        }
        self.by_id.insert(id, style);
        Ok(())
    }
}

fn heading_level(name: &str) -> Option<u8> {
    let level: u8 = name.strip_prefix("heading ")?.parse().ok()?;
    level.checked_sub(1)
}

fn default_run(xml: &mut Xml<'_>) -> Result<RunProps, Error> {
    let mut props = RunProps::default();
    loop {
        match xml.next()? {
            Event::Start(element) if element.is("rPr") => props = RunProps::read(xml)?.0,
            Event::Start(_) => xml.skip()?,
            Event::End | Event::Eof => return Ok(props),
            Event::Text(_) => {}
        }
    }
}
