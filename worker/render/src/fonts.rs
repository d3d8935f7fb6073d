//! The fonts of an engine: the embedded ones and those that a caller adds, by family.

mod choice;
mod embedded;
mod file;

use std::sync::Arc;

use harfrust::{Font, ShaperFont, Tag};
use unicode_normalization::char::decompose_canonical;

pub use file::FontFault;

pub(crate) use choice::Region;

use crate::error::Error;
use crate::idle::Idle;
use crate::picture::Masks;
use crate::text::cache::ShapeCache;

/// Drawn for a character that no font has.
pub(crate) const REPLACEMENT: char = '\u{FFFD}';

/// The fonts of one engine. Shared by threads.
pub(crate) struct Fonts {
    faces: Vec<Face>,
    /// The embedded families first, the default before all others.
    families: Vec<Family>,
    /// How many of the families are embedded.
    embedded: usize,
    /// Words as they were shaped.
    pub(crate) shapes: Idle<ShapeCache>,
    /// Glyphs as they were drawn in pictures.
    pub(crate) masks: Idle<Masks>,
}

/// Faces of one design.
pub(crate) struct Family {
    name: String,
    /// Regular, bold, italic, bold italic; the nearest face where a family lacks one.
    styles: [FaceId; 4],
    region: Option<Region>,
}

/// One font of a file, at one weight, ready for shaping and for the PDF.
pub(crate) struct Face {
    font: Font,
    pdf: krilla::text::Font,
    units_per_em: f32,
    no_ink: Option<NoInk>,
}

/// A glyph that shows nothing, to stand for what only readers of the text are to see: fonts draw marks of
/// direction as pictures of themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NoInk {
    pub(crate) id: u16,
    /// Its own width in em: 0, or that of the space, which reads as a space elsewhere.
    pub(crate) width: f32,
}

/// An index into the faces of [`Fonts`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FaceId(u16);

/// A family of fonts; the default is the embedded sans serif.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct FamilyId(u16);

/// The bytes of a font file.
type Blob = Arc<dyn AsRef<[u8]> + Send + Sync>;

impl Fonts {
    /// The embedded fonts alone.
    pub(crate) fn embedded() -> Result<Self, Error> {
        let mut fonts = Self {
            faces: Vec::new(),
            families: Vec::new(),
            embedded: 0,
            shapes: Idle::default(),
            masks: Idle::default(),
        };
        embedded::load(&mut fonts)?;
        fonts.embedded = fonts.families.len();
        Ok(fonts)
    }

    /// The embedded fonts and those of some files, by the names that errors call them.
    pub(crate) fn with_files(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<Self, Error> {
        let mut fonts = Self::embedded()?;
        file::load(&mut fonts, files)?;
        Ok(fonts)
    }

    pub(crate) fn face(&self, id: FaceId) -> &Face {
        &self.faces[id.index()]
    }

    /// How many faces there are.
    pub(crate) fn faces(&self) -> usize {
        self.faces.len()
    }

    /// The family of a name, whatever the case of its letters.
    pub(crate) fn family(&self, name: &str) -> Option<FamilyId> {
        let same = |family: &Family| family.name.eq_ignore_ascii_case(name.trim());
        let index = self.families.iter().position(same)?;
        Some(FamilyId(index as u16))
    }

    /// The names of all families, the default first.
    pub(crate) fn family_names(&self) -> impl Iterator<Item = &str> {
        self.families.iter().map(|family| family.name.as_str())
    }

    fn add_face(&mut self, face: Face) -> FaceId {
        self.faces.push(face);
        FaceId((self.faces.len() - 1) as u16)
    }

    fn add_family(&mut self, name: String, styles: [FaceId; 4]) {
        let region = Region::of_family(&name);
        self.families.push(Family {
            name,
            styles,
            region,
        });
    }
}

impl Face {
    /// One font of a file, a variable one at the given weight.
    fn parse(blob: &Blob, index: u32, weight: Option<f32>) -> Option<Self> {
        let mut font = Font::new(blob.clone(), index)?;
        let pdf = match weight {
            Some(weight) => {
                font = font
                    .instance_builder()
                    .variations([(Tag::new(b"wght"), weight)])
                    .build();
                let coordinates = [(krilla::text::Tag::new(b"wght"), weight)];
                krilla::text::Font::new_variable(blob.clone().into(), index, &coordinates)?
            }
            None => krilla::text::Font::new(blob.clone().into(), index)?,
        };
        let units_per_em = f32::from(font.units_per_em());
        let no_ink = no_ink(&font);
        (units_per_em > 0.0).then_some(Self {
            font,
            pdf,
            units_per_em,
            no_ink,
        })
    }

    pub(crate) fn font(&self) -> &Font {
        &self.font
    }

    pub(crate) fn pdf(&self) -> &krilla::text::Font {
        &self.pdf
    }

    pub(crate) fn no_ink(&self) -> Option<NoInk> {
        self.no_ink
    }

    pub(crate) fn units_per_em(&self) -> f32 {
        self.units_per_em
    }
}

impl FaceId {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Many fonts draw an isolate or a zero width space as nothing; all have a space.
fn no_ink(font: &Font) -> Option<NoInk> {
    let view = ShaperFont::new(font);
    let glyph = |c: char| view.nominal_glyph(c.into());
    let blank = ['\u{2066}', '\u{200B}']
        .into_iter()
        .filter_map(glyph)
        .find(|&id| {
            let ink = view.glyph_extents(id).is_some_and(|ink| ink.width != 0);
            !ink && view.glyph_h_advance(id) == 0
        });
    let id = blank.or_else(|| glyph(' '))?;
    Some(NoInk {
        id: id.to_u32() as u16,
        width: view.glyph_h_advance(id) as f32 / f32::from(font.units_per_em()),
    })
}

/// Whether a font draws a character. Shaping takes one apart when the font has only its parts.
pub(crate) fn has(font: &ShaperFont<'_, '_>, c: char) -> bool {
    if font.nominal_glyph(c.into()).is_some() {
        return true;
    }
    let (mut parts, mut complete) = (0, true);
    decompose_canonical(c, |part| {
        parts += 1;
        complete &= part != c && font.nominal_glyph(part.into()).is_some();
    });
    parts > 1 && complete
}
