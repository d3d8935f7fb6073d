//! The document model: what the pages say, without a word on how they look.
//!
//! Empty parts leave no trace: a section without content shows no title, an empty run no space.

use std::sync::Arc;

/// A whole document, top to bottom in reading order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// For the title bar and the metadata; must hold a visible character.
    pub title: String,
    /// For the metadata.
    pub author: Option<String>,
    /// The language of the text as a BCP 47 tag, such as `en` or `pt-BR`.
    pub language: String,
    /// The content.
    pub body: Vec<Block>,
    /// What is repeated at the foot of each page.
    pub footer: Option<Footer>,
}

/// One part of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Who or what the document is about, at its head.
    Masthead(Masthead),
    /// Content under a title. Sections nest.
    Section(Section),
    /// Something with a date: a job, a degree, a project.
    Entry(Entry),
    /// Running text.
    Paragraph(Text),
    /// A bulleted list.
    List(Vec<Text>),
    /// Labels, each with its value.
    Rows(Vec<Row>),
    /// A picture between paragraphs.
    Image(Image),
}

/// The head of a document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Masthead {
    /// The largest text of the document: a name, a title.
    pub title: Text,
    /// What stands below it: contact rows, a line of text.
    pub body: Vec<Block>,
    /// A photo, cropped to the theme's frame.
    pub photo: Option<Image>,
}

/// Content under a title.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// Shown only if there is content.
    pub title: Text,
    /// The content.
    pub blocks: Vec<Block>,
}

/// Something with a date.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// When, as it is to be shown.
    pub date: Text,
    /// What: a position, a degree.
    pub title: Text,
    /// Where and with whom.
    pub subtitle: Text,
    /// The details.
    pub body: Vec<Block>,
}

/// A label and its value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// Set in the muted colour.
    pub label: Text,
    /// The value.
    pub value: Text,
}

/// A JPEG or PNG picture. One that cannot be used is left out with a warning.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// The file's bytes.
    pub data: Arc<[u8]>,
    /// What it shows, for those who cannot see it.
    pub alt: String,
}

/// What is repeated at the foot of each page of a document of several pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footer {
    /// At the left from the second page on; the first has its own masthead.
    pub running: String,
    /// At the right of every page; `{page}` and `{pages}` stand for the numbers.
    pub page: String,
}

/// A paragraph's worth of styled runs. A line feed in a run breaks the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Run>);

/// Characters of one style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// The characters.
    pub text: String,
    /// How they look.
    pub style: Style,
    /// Where a click on them leads: an absolute URI.
    pub link: Option<String>,
}

/// How a run differs from the text around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// In the bold weight.
    pub bold: bool,
    /// In the italic.
    pub italic: bool,
    /// In the theme's muted colour.
    pub muted: bool,
}

impl From<Run> for Text {
    fn from(run: Run) -> Self {
        Self(vec![run])
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Run::new(text).into()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Run::new(text).into()
    }
}

impl Run {
    /// A plain run.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// The same run in bold.
    #[must_use]
    pub fn bold(mut self) -> Self {
        self.style.bold = true;
        self
    }

    /// The same run in italic.
    #[must_use]
    pub fn italic(mut self) -> Self {
        self.style.italic = true;
        self
    }

    /// The same run in the muted colour.
    #[must_use]
    pub fn muted(mut self) -> Self {
        self.style.muted = true;
        self
    }

    /// The same run, leading to `uri`.
    #[must_use]
    pub fn link(mut self, uri: impl Into<String>) -> Self {
        self.link = Some(uri.into());
        self
    }
}
