//! Properties of runs and paragraphs, as far as they say something about a text's role.

use super::xml::{Event, Xml};
use crate::Error;

/// Properties of a run (ECMA-376 part 1, 17.3.2); `None` is "not said here".
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RunProps {
    pub(super) bold: Option<bool>,
    pub(super) italic: Option<bool>,
    pub(super) caps: Option<bool>,
    pub(super) hidden: Option<bool>,
    pub(super) size: Option<u16>,
    pub(super) color: Option<Color>,
}

/// A colour that is said.
#[derive(Clone, Copy, Debug)]
pub(super) enum Color {
    Automatic,
    Rgb(u32),
}

/// Properties of a paragraph (ECMA-376 part 1, 17.3.1).
#[derive(Clone, Debug, Default)]
pub(super) struct ParaProps {
    pub(super) style: Option<String>,
    pub(super) outline: Option<u8>,
    /// The numbering's id and level; id 0 takes a style's numbering away.
    pub(super) numbering: Option<(u32, u8)>,
    pub(super) centred: Option<bool>,
    pub(super) bordered: Option<bool>,
    pub(super) shaded: Option<bool>,
    /// Headers and footers that a section at this paragraph refers to: relationship ids.
    pub(super) section_parts: Vec<String>,
    /// The paragraph's own mark is deleted by a tracked change: the next one joins it.
    pub(super) mark_deleted: bool,
}

impl RunProps {
    /// What is said here goes before what `base` says.
    pub(super) fn over(self, base: Self) -> Self {
        Self {
            bold: self.bold.or(base.bold),
            italic: self.italic.or(base.italic),
            caps: self.caps.or(base.caps),
            hidden: self.hidden.or(base.hidden),
            size: self.size.or(base.size),
            color: self.color.or(base.color),
        }
    }

    /// Reads up to the end of the open `rPr`; also gives the character style's id and whether the
    /// mark is deleted.
    pub(super) fn read(xml: &mut Xml<'_>) -> Result<(Self, Option<String>, bool), Error> {
        let mut props = Self::default();
        let (mut style, mut deleted) = (None, false);
        loop {
            match xml.next()? {
                Event::Start(element) => {
                    match element.name() {
                        b"b" => props.bold = Some(element.is_on()),
                        b"i" => props.italic = Some(element.is_on()),
                        b"caps" | b"smallCaps" => {
                            props.caps = Some(element.is_on() || props.caps == Some(true));
                        }
                        b"vanish" | b"webHidden" => props.hidden = Some(element.is_on()),
                        b"sz" => props.size = element.attr("val").and_then(|v| v.parse().ok()),
                        b"color" => {
                            let value = element.attr("val").unwrap_or_default();
                            props.color = Some(
                                u32::from_str_radix(&value, 16)
                                    .map_or(Color::Automatic, Color::Rgb),
                            );
                        }
                        b"rStyle" => style = element.attr("val"),
                        b"del" | b"moveFrom" => deleted = true,
                        _ => {}
                    }
                    xml.skip()?;
                }
                Event::End | Event::Eof => return Ok((props, style, deleted)),
                Event::Text(_) => {}
            }
        }
    }
}

impl ParaProps {
    /// What is said here goes before what `base` says.
    pub(super) fn over(self, base: &Self) -> Self {
        Self {
            style: self.style,
            outline: self.outline.or(base.outline),
            numbering: self.numbering.or(base.numbering),
            centred: self.centred.or(base.centred),
            bordered: self.bordered.or(base.bordered),
            shaded: self.shaded.or(base.shaded),
            section_parts: self.section_parts,
            mark_deleted: self.mark_deleted,
        }
    }

    /// Reads up to the end of the open `pPr`.
    pub(super) fn read(xml: &mut Xml<'_>) -> Result<Self, Error> {
        let mut props = Self::default();
        loop {
            match xml.next()? {
                Event::Start(element) => match element.name() {
                    b"numPr" => props.numbering = Some(numbering(xml)?),
                    b"rPr" => props.mark_deleted = RunProps::read(xml)?.2,
                    b"pBdr" => props.bordered = Some(borders(xml)?),
                    b"sectPr" => props.section_parts = section(xml)?,
                    name => {
                        let value = || element.attr("val").unwrap_or_default();
                        match name {
                            b"pStyle" => props.style = element.attr("val"),
                            b"outlineLvl" => props.outline = value().parse().ok(),
                            b"jc" => props.centred = Some(value() == "center"),
                            b"shd" => {
                                let fill = element.attr("fill").unwrap_or_default();
                                let plain = matches!(fill.as_str(), "" | "auto" | "FFFFFF");
                                props.shaded = Some(!plain);
                            }
                            _ => {}
                        }
                        xml.skip()?;
                    }
                },
                Event::End | Event::Eof => return Ok(props),
                Event::Text(_) => {}
            }
        }
    }
}

/// The header and footer references of the open `sectPr`.
pub(super) fn section(xml: &mut Xml<'_>) -> Result<Vec<String>, Error> {
    let mut parts = Vec::new();
    loop {
        match xml.next()? {
            Event::Start(element) => {
                if matches!(element.name(), b"headerReference" | b"footerReference") {
                    parts.extend(element.attr("id"));
                }
                xml.skip()?;
            }
            Event::End | Event::Eof => return Ok(parts),
            Event::Text(_) => {}
        }
    }
}

fn numbering(xml: &mut Xml<'_>) -> Result<(u32, u8), Error> {
    let (mut id, mut level) = (0, 0);
    loop {
        match xml.next()? {
            Event::Start(element) => {
                let value = element.attr("val").unwrap_or_default();
                match element.name() {
                    b"numId" => id = value.parse().unwrap_or(0),
                    b"ilvl" => level = value.parse().unwrap_or(0),
                    _ => {}
                }
                xml.skip()?;
            }
            Event::End | Event::Eof => return Ok((id, level)),
            Event::Text(_) => {}
        }
    }
}

/// Whether any side has a line.
fn borders(xml: &mut Xml<'_>) -> Result<bool, Error> {
    let mut any = false;
    loop {
        match xml.next()? {
            Event::Start(element) => {
                any |= !matches!(element.attr("val").as_deref(), None | Some("nil" | "none"));
                xml.skip()?;
            }
            Event::End | Event::Eof => return Ok(any),
            Event::Text(_) => {}
        }
    }
}
