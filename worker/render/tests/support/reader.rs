//! Reads a PDF back with a library that had no part in writing it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lopdf::content::Content;
use lopdf::{Dictionary, Document, Encoding, Object, ObjectId};

pub struct Reader(Document);

/// A structure element: its type, its `Alt` text, and what is below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    pub role: String,
    pub alt: Option<String>,
    pub children: Vec<Element>,
    /// Marked content, on the page or as an annotation.
    pub content: usize,
    /// The text of its own marked content, that of its children aside.
    pub text: String,
    /// Its `Lang`, of the element or of its content.
    pub language: Option<String>,
}

/// What is shown in one marked content.
#[derive(Debug, Default)]
pub struct Marked {
    pub text: String,
    /// Whether any of it is neither marked nor an artifact.
    pub loose: bool,
}

#[derive(PartialEq)]
enum Mark {
    Artifact,
    Number(i64),
    Other,
}

/// The innermost number of the open marks.
fn number(open: &[(Mark, Option<String>)]) -> Option<i64> {
    open.iter().rev().find_map(|(mark, _)| match mark {
        Mark::Number(number) => Some(*number),
        Mark::Artifact | Mark::Other => None,
    })
}

impl Reader {
    pub fn new(pdf: &[u8]) -> Self {
        Self(Document::load_mem(pdf).unwrap())
    }

    pub fn pages(&self) -> usize {
        self.0.get_pages().len()
    }

    /// Width and height of the first page, in whole points.
    pub fn page_size(&self) -> (i64, i64) {
        let page = self.0.page_iter().next().unwrap();
        let page = self.0.get_dictionary(page).unwrap();
        let corners: Vec<f32> = self
            .follow(page.get(b"MediaBox").unwrap())
            .as_array()
            .unwrap()
            .iter()
            .map(|number| number.as_float().unwrap())
            .collect();
        (corners[2].round() as i64, corners[3].round() as i64)
    }

    /// The text of all pages in the order of the content, with single spaces.
    pub fn text(&self) -> String {
        let pages: Vec<u32> = self.0.get_pages().keys().copied().collect();
        let text = self.0.extract_text(&pages).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// All that is marked as content, by its marks: what stands for what is shown, where they say so.
    pub fn content(&self) -> String {
        let marked = self.marked();
        let content = marked.iter().filter(|((_, number), _)| number.is_some());
        content.map(|(_, marked)| marked.text.as_str()).collect()
    }

    /// The names of the fonts.
    pub fn fonts(&self) -> Vec<String> {
        let names = self.0.objects.values().filter_map(|object| {
            let name = object.as_dict().ok()?.get(b"BaseFont").ok()?;
            Some(String::from_utf8_lossy(name.as_name().ok()?).into_owned())
        });
        names.collect()
    }

    pub fn catalog(&self) -> &Dictionary {
        self.0.catalog().unwrap()
    }

    pub fn info(&self, key: &str) -> Option<String> {
        let info = self.dictionary(self.0.trailer.get(b"Info").ok()?);
        Some(string(info.get(key.as_bytes()).ok()?))
    }

    pub fn xmp(&self) -> String {
        let metadata = self.follow(self.catalog().get(b"Metadata").unwrap());
        String::from_utf8(metadata.as_stream().unwrap().content.clone()).unwrap()
    }

    /// The structure tree's top elements.
    pub fn structure(&self) -> Vec<Element> {
        let root = self.dictionary(self.catalog().get(b"StructTreeRoot").unwrap());
        let texts = self.marked();
        self.below(root, None, &texts).0
    }

    /// The text of each page's marked content by its number; `None` for what is an artifact or not marked.
    pub fn marked(&self) -> BTreeMap<(ObjectId, Option<i64>), Marked> {
        let mut all = BTreeMap::new();
        for page in self.0.page_iter() {
            self.marked_on(page, &mut all);
        }
        all
    }

    fn marked_on(&self, page: ObjectId, all: &mut BTreeMap<(ObjectId, Option<i64>), Marked>) {
        let fonts = self.0.get_page_fonts(page).unwrap();
        let encodings: BTreeMap<&[u8], Encoding<'_>> = fonts
            .iter()
            .map(|(name, font)| (name.as_slice(), font.get_font_encoding(&self.0).unwrap()))
            .collect();
        let content = Content::decode(&self.0.get_page_content(page)).unwrap();
        // Of all open marks: the number, and the text that stands for what is shown.
        let mut open: Vec<(Mark, Option<String>)> = Vec::new();
        let mut encoding = None;
        for operation in &content.operations {
            match operation.operator.as_str() {
                "BMC" | "BDC" => open.push(self.mark(&operation.operands)),
                "EMC" => {
                    let (_, actual) = open.pop().unwrap();
                    if let Some(actual) = actual {
                        let place = all.entry((page, number(&open))).or_default();
                        place.text.push_str(&actual);
                    }
                }
                "Tf" => {
                    let name = operation.operands[0].as_name().unwrap();
                    encoding = encodings.get(name);
                }
                "Tj" | "TJ" => {
                    let shown = Self::shown(&operation.operands, encoding.unwrap());
                    let artifact = open.iter().any(|(mark, _)| *mark == Mark::Artifact);
                    let place = all.entry((page, number(&open))).or_default();
                    place.loose |= !artifact && number(&open).is_none();
                    if open.iter().all(|(_, actual)| actual.is_none()) {
                        place.text.push_str(&shown);
                    }
                }
                _ => {}
            }
        }
        assert!(open.is_empty(), "marks are left open");
    }

    fn mark(&self, operands: &[Object]) -> (Mark, Option<String>) {
        let artifact = operands[0].as_name().unwrap() == b"Artifact";
        let properties = operands
            .get(1)
            .and_then(|object| self.follow(object).as_dict().ok());
        let number = properties.and_then(|found| found.get(b"MCID").ok()?.as_i64().ok());
        let actual = properties.and_then(|found| Some(string(found.get(b"ActualText").ok()?)));
        let mark = match (artifact, number) {
            (true, _) => Mark::Artifact,
            (false, Some(number)) => Mark::Number(number),
            (false, None) => Mark::Other,
        };
        (mark, actual)
    }

    fn shown(operands: &[Object], encoding: &Encoding<'_>) -> String {
        let decode = |bytes: &[u8]| Document::decode_text(encoding, bytes).unwrap();
        match &operands[0] {
            Object::Array(pieces) => {
                let pieces = pieces.iter().filter_map(|piece| piece.as_str().ok());
                pieces.map(decode).collect()
            }
            one => decode(one.as_str().unwrap()),
        }
    }

    /// The titles of the outline, in order.
    pub fn outline(&self) -> Vec<String> {
        let outlines = self.dictionary(self.catalog().get(b"Outlines").unwrap());
        let mut titles = Vec::new();
        let mut next = outlines
            .get(b"First")
            .ok()
            .map(|item| self.dictionary(item));
        while let Some(item) = next {
            titles.push(string(item.get(b"Title").unwrap()));
            next = item.get(b"Next").ok().map(|item| self.dictionary(item));
        }
        titles
    }

    /// Names and contents of the attachments.
    pub fn attachments(&self) -> Vec<(String, Vec<u8>)> {
        let Ok(associated) = self.catalog().get(b"AF") else {
            return Vec::new();
        };
        let files = self.follow(associated).as_array().unwrap();
        files
            .iter()
            .map(|file| {
                let spec = self.dictionary(file);
                let stream = self.dictionary(spec.get(b"EF").unwrap()).get(b"F").unwrap();
                let stream = self.follow(stream).as_stream().unwrap();
                let data = stream
                    .decompressed_content()
                    .unwrap_or_else(|_| stream.content.clone());
                (string(spec.get(b"UF").unwrap()), data)
            })
            .collect()
    }

    /// Where the links lead, page by page.
    pub fn links(&self) -> Vec<String> {
        let annotations = self
            .0
            .page_iter()
            .flat_map(|page| self.0.get_page_annotations(page).unwrap());
        annotations
            .map(|annotation| {
                let action = self.dictionary(annotation.get(b"A").unwrap());
                string(action.get(b"URI").unwrap())
            })
            .collect()
    }

    fn below(
        &self,
        node: &Dictionary,
        page: Option<ObjectId>,
        texts: &BTreeMap<(ObjectId, Option<i64>), Marked>,
    ) -> (Vec<Element>, usize, String) {
        let (mut elements, mut content, mut text) = (Vec::new(), 0, String::new());
        let page = node
            .get(b"Pg")
            .ok()
            .and_then(|page| page.as_reference().ok())
            .or(page);
        let Ok(kids) = node.get(b"K") else {
            return (elements, content, text);
        };
        let kids = match self.follow(kids) {
            Object::Array(kids) => kids.iter().collect(),
            one => vec![one],
        };
        let mut read = |page: Option<ObjectId>, number: &Object| {
            let key = (page.unwrap(), number.as_i64().ok());
            text.push_str(texts.get(&key).map_or("", |marked| marked.text.as_str()));
        };
        for kid in kids {
            match self.follow(kid) {
                Object::Dictionary(kid) if kid.has(b"S") => {
                    let (children, content, text) = self.below(kid, page, texts);
                    let role = kid.get(b"S").unwrap().as_name().unwrap().to_vec();
                    elements.push(Element {
                        role: String::from_utf8(role).unwrap(),
                        alt: kid.get(b"Alt").ok().map(string),
                        language: kid.get(b"Lang").ok().map(string),
                        children,
                        content,
                        text,
                    });
                }
                Object::Dictionary(kid) => {
                    content += 1;
                    let own = kid
                        .get(b"Pg")
                        .ok()
                        .and_then(|page| page.as_reference().ok());
                    if let Ok(number) = kid.get(b"MCID") {
                        read(own.or(page), number);
                    }
                }
                number => {
                    content += 1;
                    read(page, number);
                }
            }
        }
        (elements, content, text)
    }

    fn follow<'a>(&'a self, object: &'a Object) -> &'a Object {
        match object {
            Object::Reference(id) => self.get(*id),
            other => other,
        }
    }

    fn get(&self, id: ObjectId) -> &Object {
        self.0.get_object(id).unwrap()
    }

    fn dictionary<'a>(&'a self, object: &'a Object) -> &'a Dictionary {
        self.follow(object).as_dict().unwrap()
    }
}

impl Element {
    /// The tree below, a line for each element, indented by its depth.
    pub fn print(&self, depth: usize, out: &mut String) {
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = [
            Some(self.role.clone()),
            self.language
                .as_ref()
                .map(|language| format!("lang={language}")),
            self.alt.as_ref().map(|alt| format!("alt={alt:?}")),
            (!text.is_empty()).then(|| format!("| {text}")),
        ];
        let line: Vec<_> = parts.into_iter().flatten().collect();
        writeln!(out, "{}{}", "  ".repeat(depth), line.join(" ")).unwrap();
        for child in &self.children {
            child.print(depth + 1, out);
        }
    }

    /// This element and all below it, in reading order.
    pub fn all(&self) -> Vec<&Self> {
        std::iter::once(self)
            .chain(self.children.iter().flat_map(Self::all))
            .collect()
    }
}

fn string(object: &Object) -> String {
    lopdf::decode_text_string(object).unwrap()
}
