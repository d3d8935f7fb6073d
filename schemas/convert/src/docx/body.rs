//! The body, headers and footers: paragraphs, tables and text boxes out of WordprocessingML.
//!
//! Tracked changes are accepted, placeholders of content controls and hidden text are passed over,
//! and of the two copies of a text box (ECMA-376 part 3, section 9) only the first is read.

use std::collections::HashMap;

use super::numbering::Numbering;
use super::picture::{self, Picture};
use super::props::{self, Color, ParaProps, RunProps};
use super::styles::{Resolved, Styles};
use super::xml::{Element, Event, Xml};
use crate::document::{Block, Cell, Form, List, Look, Para, Run, Table};
use crate::error::What;
use crate::{Error, Limits};

/// What all parts of a document share.
pub(super) struct Shared<'a> {
    pub(super) styles: &'a Styles,
    pub(super) numbering: &'a Numbering,
    pub(super) limits: &'a Limits,
    pub(super) chars: u64,
    pub(super) paragraphs: u64,
}

/// Reads one part.
pub(super) struct Body<'a, 's, 'x> {
    shared: &'s mut Shared<'a>,
    xml: Xml<'x>,
    /// Hyperlink targets by relationship id.
    links: &'s HashMap<String, String>,
    fields: Vec<Field>,
    paragraph: u32,
    /// Text boxes so far, and the one that is open.
    boxes: (u32, u32),
    /// Pictures in the order of the part.
    pub(super) pictures: Vec<Picture>,
    /// Headers and footers in the order in which sections refer to them: relationship ids.
    pub(super) section_parts: Vec<String>,
}

/// A complex field (ECMA-376 part 1, 17.16.18) that is open.
#[derive(Default)]
struct Field {
    instruction: String,
    shows: bool,
}

/// What a paragraph collects while it is read.
#[derive(Default)]
struct Open {
    runs: Vec<Run>,
    /// Text boxes anchored here.
    boxes: Vec<Block>,
    style: Resolved,
    link: Option<String>,
}

impl<'a, 's, 'x> Body<'a, 's, 'x> {
    pub(super) fn new(
        shared: &'s mut Shared<'a>,
        bytes: &'x [u8],
        links: &'s HashMap<String, String>,
    ) -> Self {
        let xml = Xml::new(bytes, shared.limits);
        Self {
            shared,
            xml,
            links,
            fields: Vec::new(),
            paragraph: 0,
            boxes: (0, 0),
            pictures: Vec::new(),
            section_parts: Vec::new(),
        }
    }

    /// Reads the whole part: `document/body`, `hdr`, `ftr`, `footnotes` or `endnotes`. The flag is false where the root is
    /// something else, so that the file is no Word document.
    pub(super) fn read(&mut self) -> Result<(Vec<Block>, bool), Error> {
        let mut blocks = Vec::new();
        loop {
            match self.xml.next()? {
                Event::Start(root)
                    if matches!(
                        root.name(),
                        b"document" | b"hdr" | b"ftr" | b"footnotes" | b"endnotes"
                    ) =>
                {
                    self.blocks(&mut blocks)?;
                    return Ok((blocks, true));
                }
                Event::Start(_) | Event::Eof => return Ok((blocks, false)),
                _ => {}
            }
        }
    }

    /// Reads blocks up to the end of the open element.
    fn blocks(&mut self, out: &mut Vec<Block>) -> Result<(), Error> {
        loop {
            match self.xml.next()? {
                Event::Start(element) => self.block(&element, out)?,
                Event::End | Event::Eof => return Ok(()),
                Event::Text(_) => {}
            }
        }
    }

    fn block(&mut self, element: &Element<'_>, out: &mut Vec<Block>) -> Result<(), Error> {
        match element.name() {
            b"p" => self.paragraph(out),
            b"tbl" => {
                let table = self.table()?;
                out.push(Block::Table(table));
                Ok(())
            }
            b"body" | b"sdtContent" | b"ins" | b"moveTo" | b"customXml" | b"smartTag" => {
                self.blocks(out)
            }
            // Those of another type are the lines that set notes off (17.11.17).
            b"footnote" | b"endnote" if element.attr("type").is_none_or(|t| t == "normal") => {
                self.blocks(out)
            }
            b"sdt" => self.control(|body| body.blocks(out)),
            b"sectPr" => {
                let parts = props::section(&mut self.xml)?;
                self.section_parts.extend(parts);
                Ok(())
            }
            b"AlternateContent" => self.alternate(|body| {
                let before = out.len();
                body.blocks(out)?;
                Ok(out.len() > before)
            }),
            _ => self.xml.skip(),
        }
    }

    /// A content control (17.5.2), whose placeholder text is not the person's.
    fn control(
        &mut self,
        mut content: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut placeholder = false;
        loop {
            match self.xml.next()? {
                Event::Start(element) if element.is("sdtPr") => loop {
                    match self.xml.next()? {
                        Event::Start(inner) => {
                            placeholder |= inner.is("showingPlcHdr") && inner.is_on();
                            self.xml.skip()?;
                        }
                        Event::End | Event::Eof => break,
                        Event::Text(_) => {}
                    }
                },
                Event::Start(element) if element.is("sdtContent") && !placeholder => {
                    content(self)?;
                }
                Event::Start(_) => self.xml.skip()?,
                Event::End | Event::Eof => return Ok(()),
                Event::Text(_) => {}
            }
        }
    }

    /// The first branch that holds anything.
    fn alternate(
        &mut self,
        mut content: impl FnMut(&mut Self) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut done = false;
        loop {
            match self.xml.next()? {
                Event::Start(element)
                    if !done && matches!(element.name(), b"Choice" | b"Fallback") =>
                {
                    done = content(self)?;
                }
                Event::Start(_) => self.xml.skip()?,
                Event::End | Event::Eof => return Ok(()),
                Event::Text(_) => {}
            }
        }
    }

    fn table(&mut self) -> Result<Table, Error> {
        let mut table = Table::default();
        self.rows(&mut table)?;
        Ok(table)
    }

    fn rows(&mut self, table: &mut Table) -> Result<(), Error> {
        loop {
            match self.xml.next()? {
                Event::Start(element) => match element.name() {
                    b"tr" => {
                        let mut row = Row::default();
                        self.cells(&mut row)?;
                        if !row.deleted {
                            table.rows.push(row.cells);
                        }
                    }
                    b"sdt" => self.control(|body| body.rows(table))?,
                    b"sdtContent" | b"ins" | b"customXml" => self.rows(table)?,
                    _ => self.xml.skip()?,
                },
                Event::End | Event::Eof => return Ok(()),
                Event::Text(_) => {}
            }
        }
    }

    fn cells(&mut self, row: &mut Row) -> Result<(), Error> {
        loop {
            match self.xml.next()? {
                Event::Start(element) => match element.name() {
                    b"tc" => self.cell(row)?,
                    b"trPr" => row.deleted = self.row_is_deleted()?,
                    b"sdt" => self.control(|body| body.cells(row))?,
                    b"sdtContent" | b"ins" | b"customXml" => self.cells(row)?,
                    _ => self.xml.skip()?,
                },
                Event::End | Event::Eof => return Ok(()),
                Event::Text(_) => {}
            }
        }
    }

    fn row_is_deleted(&mut self) -> Result<bool, Error> {
        let mut deleted = false;
        loop {
            match self.xml.next()? {
                Event::Start(element) => {
                    deleted |= element.is("del");
                    self.xml.skip()?;
                }
                Event::End | Event::Eof => return Ok(deleted),
                Event::Text(_) => {}
            }
        }
    }

    fn cell(&mut self, row: &mut Row) -> Result<(), Error> {
        let mut cell = Cell {
            column: row.next_column,
            blocks: Vec::new(),
        };
        let mut span = 1;
        let mut continues = false;
        loop {
            match self.xml.next()? {
                Event::Start(element) if element.is("tcPr") => loop {
                    match self.xml.next()? {
                        Event::Start(inner) => {
                            let value = inner.attr("val");
                            match inner.name() {
                                b"gridSpan" => {
                                    span = value.and_then(|v| v.parse().ok()).unwrap_or(1);
                                }
                                b"vMerge" | b"hMerge" => {
                                    continues = value.as_deref().is_none_or(|v| v == "continue");
                                }
                                _ => {}
                            }
                            self.xml.skip()?;
                        }
                        Event::End | Event::Eof => break,
                        Event::Text(_) => {}
                    }
                },
                Event::Start(element) => self.block(&element, &mut cell.blocks)?,
                Event::End | Event::Eof => break,
                Event::Text(_) => {}
            }
        }
        row.next_column += span.clamp(1, 63);
        // Text in a cell that is merged into the one above is not shown.
        if !continues {
            row.cells.push(cell);
        }
        Ok(())
    }

    fn paragraph(&mut self, out: &mut Vec<Block>) -> Result<(), Error> {
        self.shared.paragraphs += 1;
        if self.shared.paragraphs > self.shared.limits.paragraphs {
            return Err(Error::TooLarge {
                what: What::Paragraphs,
                limit: self.shared.limits.paragraphs,
            });
        }
        self.paragraph += 1;
        let number = self.paragraph;
        let mut open = Open {
            style: self.shared.styles.paragraph(None),
            ..Open::default()
        };
        let mut props = ParaProps::default();
        loop {
            match self.xml.next()? {
                Event::Start(element) if element.is("pPr") => {
                    props = ParaProps::read(&mut self.xml)?;
                    self.section_parts.append(&mut props.section_parts);
                    open.style = self.shared.styles.paragraph(props.style.as_deref());
                }
                Event::Start(element) => self.inline(&element, &mut open)?,
                Event::End | Event::Eof => break,
                Event::Text(_) => {}
            }
        }
        let deleted = props.mark_deleted;
        let props = props.over(&open.style.para);
        let mark = props.numbering.map_or(List::None, |(id, level)| {
            self.shared.numbering.mark(id, level)
        });
        out.append(&mut open.boxes);
        let para = Para {
            runs: open.runs,
            form: Form {
                style: open.style.name,
                outline: props.outline.filter(|level| *level < 9),
                is_title: open.style.is_title,
                list: mark,
                centred: props.centred == Some(true),
                bordered: props.bordered == Some(true),
                shaded: props.shaded == Some(true),
                text_box: self.boxes.1,
            },
            number,
        };
        // A deleted paragraph whose text is gone too leaves nothing, not even a gap.
        if !(deleted && para.is_blank()) {
            out.push(Block::Para(para));
        }
        Ok(())
    }

    fn inline(&mut self, element: &Element<'_>, open: &mut Open) -> Result<(), Error> {
        match element.name() {
            b"r" => self.run(open),
            b"hyperlink" => {
                let target = element
                    .attr("id")
                    .and_then(|id| self.links.get(&id).cloned());
                let outer = std::mem::replace(&mut open.link, target);
                self.inlines(open)?;
                open.link = outer;
                Ok(())
            }
            b"fldSimple" => {
                let instruction = element.attr("instr").unwrap_or_default();
                if shows(&instruction) {
                    let outer = open.link.clone();
                    open.link = hyperlink(&instruction).or(outer.clone());
                    self.inlines(open)?;
                    open.link = outer;
                    Ok(())
                } else {
                    self.xml.skip()
                }
            }
            b"sdt" => self.control(|body| body.inlines(open)),
            b"ins" | b"moveTo" | b"smartTag" | b"customXml" | b"bdo" | b"dir" | b"oMath"
            | b"oMathPara" | b"sdtContent" => self.inlines(open),
            b"AlternateContent" => self.alternate(|body| body.inline_branch(open)),
            _ => self.xml.skip(),
        }
    }

    fn inline_branch(&mut self, open: &mut Open) -> Result<bool, Error> {
        let before = (open.runs.len(), open.boxes.len(), self.pictures.len());
        loop {
            match self.xml.next()? {
                Event::Start(element) => match element.name() {
                    b"drawing" | b"pict" | b"object" => self.drawing(open)?,
                    b"r" | b"hyperlink" | b"sdt" => self.inline(&element, open)?,
                    _ => self.run_content(&element, open, Look::default())?,
                },
                Event::End | Event::Eof => break,
                Event::Text(_) => {}
            }
        }
        Ok(before != (open.runs.len(), open.boxes.len(), self.pictures.len()))
    }

    fn inlines(&mut self, open: &mut Open) -> Result<(), Error> {
        loop {
            match self.xml.next()? {
                Event::Start(element) => self.inline(&element, open)?,
                Event::End | Event::Eof => return Ok(()),
                Event::Text(_) => {}
            }
        }
    }

    fn run(&mut self, open: &mut Open) -> Result<(), Error> {
        let mut props = RunProps::default().over(open.style.run);
        loop {
            match self.xml.next()? {
                Event::Start(element) if element.is("rPr") => {
                    let (own, style, _) = RunProps::read(&mut self.xml)?;
                    let base = style.map(|id| self.shared.styles.character(&id));
                    props = own.over(base.unwrap_or_default()).over(open.style.run);
                }
                Event::Start(element) => {
                    let look = Look {
                        bold: props.bold == Some(true),
                        italic: props.italic == Some(true),
                        caps: props.caps == Some(true),
                        size: props.size.unwrap_or(0),
                        color: match props.color {
                            Some(Color::Rgb(rgb)) => Some(rgb),
                            _ => None,
                        },
                    };
                    if props.hidden == Some(true) && !element.is("fldChar") {
                        self.xml.skip()?;
                    } else {
                        self.run_content(&element, open, look)?;
                    }
                }
                Event::End | Event::Eof => return Ok(()),
                Event::Text(_) => {}
            }
        }
    }

    fn run_content(
        &mut self,
        element: &Element<'_>,
        open: &mut Open,
        look: Look,
    ) -> Result<(), Error> {
        match element.name() {
            b"t" => {
                let text = self.text()?;
                return self.push(open, &text, look);
            }
            b"instrText" => {
                let text = self.text()?;
                if let Some(field) = self.fields.last_mut() {
                    field.instruction.push_str(&text);
                }
                return Ok(());
            }
            b"fldChar" => match element.attr("fldCharType").as_deref() {
                Some("begin") => self.fields.push(Field::default()),
                Some("separate") => {
                    if let Some(field) = self.fields.last_mut() {
                        field.shows = shows(&field.instruction);
                    }
                }
                Some("end") => {
                    self.fields.pop();
                }
                _ => {}
            },
            b"tab" | b"ptab" => self.push(open, "\t", look)?,
            b"br" | b"cr" => self.push(open, "\n", look)?,
            b"noBreakHyphen" => self.push(open, "-", look)?,
            b"sym" => {
                let code = element.attr("char").unwrap_or_default();
                let symbol = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                self.push(open, &symbol.unwrap_or('\u{f0b7}').to_string(), look)?;
            }
            b"drawing" | b"pict" | b"object" => return self.drawing(open),
            b"AlternateContent" => {
                return self.alternate(|body| body.inline_branch(open));
            }
            b"ruby" | b"rubyBase" => return self.inlines(open),
            _ => {}
        }
        self.xml.skip()
    }

    fn push(&mut self, open: &mut Open, text: &str, look: Look) -> Result<(), Error> {
        if self.fields.iter().any(|field| !field.shows) {
            return Ok(());
        }
        self.shared.chars += text.chars().count() as u64;
        if self.shared.chars > self.shared.limits.text_chars {
            return Err(Error::TooLarge {
                what: What::Text,
                limit: self.shared.limits.text_chars,
            });
        }
        let field = self
            .fields
            .iter()
            .rev()
            .find_map(|f| hyperlink(&f.instruction));
        let link = field.or_else(|| open.link.clone());
        match open.runs.last_mut() {
            Some(last) if last.look == look && last.link == link => last.text.push_str(text),
            _ => open.runs.push(Run {
                text: text.to_owned(),
                look,
                link,
            }),
        }
        Ok(())
    }

    /// A drawing or a VML picture: its text boxes and its picture.
    fn drawing(&mut self, open: &mut Open) -> Result<(), Error> {
        let mut picture = Picture::default();
        let mut depth = 1;
        while depth > 0 {
            match self.xml.next()? {
                Event::Start(element) if element.is("txbxContent") => {
                    // Fields do not reach into a box.
                    let fields = std::mem::take(&mut self.fields);
                    let outer = self.boxes.1;
                    self.boxes.0 += 1;
                    self.boxes.1 = self.boxes.0;
                    self.blocks(&mut open.boxes)?;
                    self.boxes.1 = outer;
                    self.fields = fields;
                }
                Event::Start(element) => {
                    picture::note(&mut picture, &element, self.paragraph);
                    depth += 1;
                }
                Event::End => depth -= 1,
                Event::Text(_) => {}
                Event::Eof => break,
            }
        }
        if picture.is_found() {
            self.pictures.push(picture);
        }
        Ok(())
    }

    fn text(&mut self) -> Result<String, Error> {
        let mut all = String::new();
        loop {
            match self.xml.next()? {
                Event::Text(text) => all.push_str(&text),
                Event::Start(_) => self.xml.skip()?,
                Event::End | Event::Eof => return Ok(all),
            }
        }
    }
}

#[derive(Default)]
struct Row {
    cells: Vec<Cell>,
    next_column: usize,
    deleted: bool,
}

/// Whether a field's result is the person's text; page numbers and the like are not.
fn shows(instruction: &str) -> bool {
    let name = instruction.split_whitespace().next().unwrap_or_default();
    ![
        "PAGE",
        "NUMPAGES",
        "SECTIONPAGES",
        "FILENAME",
        "PRINTDATE",
        "SAVEDATE",
        "TOC",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known))
}

/// The target of a `HYPERLINK` field.
fn hyperlink(instruction: &str) -> Option<String> {
    let rest = instruction.trim_start();
    let name = rest
        .get(..9)
        .filter(|name| name.eq_ignore_ascii_case("HYPERLINK"))?;
    let target = rest[name.len()..].trim_start();
    let target = match target.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => target.split_whitespace().next()?,
    };
    // A switch: a place inside of the document.
    (!target.starts_with('\\')).then(|| target.to_owned())
}
