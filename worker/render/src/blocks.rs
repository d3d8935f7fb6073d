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
    /// A paragraph that is not set as running text is: a letter's date at the end of its line, say.
    Aligned(Align, Text),
    /// A heading within a section or a letter: no section of its own, no decoration.
    Heading(Text),
    /// Items below each other.
    List(List),
    /// Short items one after the other, separated as the theme has it: skills, languages, a line of contacts.
    Inline(Vec<Text>),
    /// Labels, each with its value.
    Rows(Vec<Row>),
    /// Cells in columns.
    Table(Table),
    /// A picture between paragraphs.
    Image(Image),
    /// An additional gap of so many lines of text, from 0 to 20; it shrinks with the other gaps, and nothing
    /// is left of it at the top of a page.
    Space(f32),
}

/// The head of a document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Masthead {
    /// The largest text of the document: a name, a title.
    pub title: Text,
    /// One line below it: a profession, a subtitle.
    pub headline: Text,
    /// What stands below both: contact details, best as [`Block::Inline`], which a theme sets on lines of its
    /// own where the column is narrow.
    pub body: Vec<Block>,
    /// A photo, cropped to the theme's frame.
    pub photo: Option<Image>,
}

/// Content under a title.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// A stable word of the caller, such as `work_experience`, by which themes know it: for its place on the
    /// page, its order among the others, and its title. May be empty.
    pub role: String,
    /// Shown only if there is content.
    pub title: Text,
    /// The content.
    pub blocks: Vec<Block>,
}

/// Something with a date.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// A name of the caller's for it, to find it in a report, or to let it be cut
    /// ([`Options::cut_order`](crate::Options::cut_order)).
    pub id: Option<String>,
    /// When, as it is to be shown.
    pub date: Text,
    /// What: a position, a degree.
    pub title: Text,
    /// Where and with whom.
    pub subtitle: Text,
    /// The details.
    pub body: Vec<Block>,
}

/// Items below each other, each after its marker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// What stands before each item.
    pub marker: Marker,
    /// The items.
    pub items: Vec<Item>,
}

/// What stands before the items of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Marker {
    /// The theme's bullet.
    #[default]
    Bullet,
    /// `1.` and so on.
    Number,
    /// `[1]` and so on, as references are numbered.
    Reference,
    /// Nothing: lines after the first are indented, as in a list of publications.
    Hanging,
    /// Nothing.
    None,
}

/// An item of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// A name of the caller's for it, to find it in a report, or to let it be cut
    /// ([`Options::cut_order`](crate::Options::cut_order)).
    pub id: Option<String>,
    /// What it says.
    pub text: Text,
}

/// Cells in columns. The header is repeated on each page that the table takes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The columns; cells beyond them are set in the last one.
    pub columns: Vec<Column>,
    /// What is in the columns; may be empty.
    pub header: Vec<Text>,
    /// The rows. A row may have fewer cells than there are columns.
    pub rows: Vec<Vec<Text>>,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Its part of the table's width, in proportion to the other columns' shares; from 0.01 to 100.
    pub share: f32,
    /// Where its text stands.
    pub align: Align,
}

/// Where text stands in its column: by the direction of the document's script.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Align {
    /// Left in English, right in Arabic.
    #[default]
    Start,
    /// In the middle.
    Center,
    /// Right in English, left in Arabic.
    End,
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
    /// Their language as a BCP 47 tag, where it is not the document's.
    pub lang: Option<String>,
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

impl Default for Column {
    fn default() -> Self {
        Self {
            share: 1.0,
            align: Align::Start,
        }
    }
}

impl From<Text> for Item {
    fn from(text: Text) -> Self {
        Self { id: None, text }
    }
}

/// A bulleted list.
impl FromIterator<Text> for List {
    fn from_iter<I: IntoIterator<Item = Text>>(items: I) -> Self {
        Self {
            marker: Marker::Bullet,
            items: items.into_iter().map(Item::from).collect(),
        }
    }
}

/// A bulleted list.
impl From<Vec<Text>> for List {
    fn from(items: Vec<Text>) -> Self {
        items.into_iter().collect()
    }
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

    /// The same run, in another language than the document's.
    #[must_use]
    pub fn lang(mut self, tag: impl Into<String>) -> Self {
        self.lang = Some(tag.into());
        self
    }
}
