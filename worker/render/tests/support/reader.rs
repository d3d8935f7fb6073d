//! Reads a PDF back with a library that had no part in writing it.

use lopdf::{Dictionary, Document, Object, ObjectId};

pub struct Reader(Document);

/// A structure element: its type, its `Alt` text, and what is below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    pub role: String,
    pub alt: Option<String>,
    pub children: Vec<Element>,
    /// Marked content, on the page or as an annotation.
    pub content: usize,
}

impl Reader {
    pub fn new(pdf: &[u8]) -> Self {
        Self(Document::load_mem(pdf).unwrap())
    }

    pub fn pages(&self) -> usize {
        self.0.get_pages().len()
    }

    /// The text of all pages in the order of the content, with single spaces.
    pub fn text(&self) -> String {
        let pages: Vec<u32> = self.0.get_pages().keys().copied().collect();
        let text = self.0.extract_text(&pages).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
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
        let (children, _) = self.below(root);
        children
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

    fn below(&self, node: &Dictionary) -> (Vec<Element>, usize) {
        let (mut elements, mut content) = (Vec::new(), 0);
        let Ok(kids) = node.get(b"K") else {
            return (elements, content);
        };
        let kids = match self.follow(kids) {
            Object::Array(kids) => kids.iter().collect(),
            one => vec![one],
        };
        for kid in kids {
            match self.follow(kid) {
                Object::Dictionary(kid) if kid.has(b"S") => {
                    let (children, content) = self.below(kid);
                    let role =
                        String::from_utf8(kid.get(b"S").unwrap().as_name().unwrap().to_vec())
                            .unwrap();
                    let alt = kid.get(b"Alt").ok().map(string);
                    elements.push(Element {
                        role,
                        alt,
                        children,
                        content,
                    });
                }
                _ => content += 1,
            }
        }
        (elements, content)
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
