//! A document as the readers see it: blocks of runs with the form that means something.

/// A document, whatever file it came from.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Page headers, each once.
    pub(crate) headers: Vec<Block>,
    /// The body; a text box stands before the paragraph that it is anchored to.
    pub(crate) body: Vec<Block>,
    /// Page footers, each once.
    pub(crate) footers: Vec<Block>,
    /// Footnotes, then endnotes.
    pub(crate) notes: Vec<Block>,
}

/// A paragraph or a table.
#[derive(Debug)]
pub(crate) enum Block {
    Para(Para),
    Table(Table),
}

/// Rows of cells; merged cells stand once.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// The first grid column that it covers.
    pub(crate) column: usize,
    pub(crate) blocks: Vec<Block>,
}

/// A paragraph.
#[derive(Debug, Default)]
pub(crate) struct Para {
    pub(crate) runs: Vec<Run>,
    pub(crate) form: Form,
    /// Counts from 1 within the part.
    pub(crate) number: u32,
}

/// What a paragraph's looks and style say of its role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    /// The style's own name in lower case; empty for the default one.
    pub(crate) style: String,
    /// 0 for the top level of the outline.
    pub(crate) outline: Option<u8>,
    pub(crate) is_title: bool,
    pub(crate) list: List,
    pub(crate) centred: bool,
    pub(crate) bordered: bool,
    pub(crate) shaded: bool,
    /// Which text box it stands in; 0 is none.
    pub(crate) text_box: u32,
}

/// Whether a mark stands before the paragraph that is not in its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum List {
    #[default]
    None,
    Bullet,
    Number,
}

/// A stretch of text of one look. Tabs are `\t`, line breaks `\n`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    pub(crate) text: String,
    pub(crate) look: Look,
    /// Where it links to.
    pub(crate) link: Option<String>,
}

/// How text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    /// Capitals or small capitals by format.
    pub(crate) caps: bool,
    /// In half points; 0 where the document does not say.
    pub(crate) size: u16,
    /// RGB; `None` is automatic.
    pub(crate) color: Option<u32>,
}

impl Para {
    /// Whether anything can be seen.
    pub(crate) fn is_blank(&self) -> bool {
        self.runs.iter().all(|run| run.text.trim().is_empty())
    }
}
