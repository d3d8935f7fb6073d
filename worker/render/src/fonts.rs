//! The embedded fonts, parsed once, and which of them draws a character.

use std::sync::{Arc, OnceLock};

use harfrust::{Direction, Feature, Font, Script, ShapePlan, ShaperFont, Tag};
use unicode_normalization::char::decompose_canonical;

use crate::error::Error;

/// Drawn for a character that no font has.
pub(crate) const REPLACEMENT: char = '\u{FFFD}';

/// The fonts of one engine. Shared by threads.
pub(crate) struct Fonts {
    faces: Vec<Face>,
}

/// One font file, ready for shaping and for the PDF.
pub(crate) struct Face {
    font: Font,
    pdf: krilla::text::Font,
    units_per_em: f32,
    plans: [OnceLock<ShapePlan>; Alphabet::COUNT * 2],
}

/// An index into [`Fonts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FaceId(u8);

/// The scripts that the embedded fonts shape by different rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    Latin,
    Greek,
    Cyrillic,
}

/// A file's name, for errors, and its bytes.
type Embedded = (&'static str, &'static [u8]);

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../fonts/", $name, ".ttf")).as_slice())),*]
    };
}

/// The four styles first, in the order that [`FaceId::of_style`] counts on, then the fallbacks by preference.
static FILES: [Embedded; 7] = embedded![
    "NotoSans-Regular",
    "NotoSans-Bold",
    "NotoSans-Italic",
    "NotoSans-BoldItalic",
    "NotoSansMath-Regular",
    "NotoSansSymbols2-Regular",
    "NotoSansSymbols-Regular",
];
const STYLES: u8 = 4;

impl Fonts {
    pub(crate) fn embedded() -> Result<Self, Error> {
        let faces = FILES
            .iter()
            .map(|&(name, data)| Face::parse(data).ok_or(Error::Font(name)));
        Ok(Self {
            faces: faces.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn face(&self, id: FaceId) -> &Face {
        &self.faces[usize::from(id.0)]
    }

    /// Views of all fonts for one thread's shaping, in the order of their ids.
    pub(crate) fn shapers(&self) -> Vec<ShaperFont<'_, 'static>> {
        self.faces
            .iter()
            .map(|face| ShaperFont::new(&face.font))
            .collect()
    }
}

impl Face {
    fn parse(data: &'static [u8]) -> Option<Self> {
        let blob: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(data);
        let font = Font::new(blob.clone(), 0)?;
        Some(Self {
            units_per_em: f32::from(font.units_per_em()),
            font,
            pdf: krilla::text::Font::new(blob.into(), 0)?,
            plans: [const { OnceLock::new() }; Alphabet::COUNT * 2],
        })
    }

    pub(crate) fn pdf(&self) -> &krilla::text::Font {
        &self.pdf
    }

    pub(crate) fn units_per_em(&self) -> f32 {
        self.units_per_em
    }

    /// The shaping plan for an alphabet, with or without small capitals.
    pub(crate) fn plan(&self, alphabet: Alphabet, small_caps: bool) -> &ShapePlan {
        self.plans[alphabet as usize * 2 + usize::from(small_caps)].get_or_init(|| {
            let features = [Feature::new(Tag::new(b"smcp"), 1, ..)];
            let features = if small_caps { features.as_slice() } else { &[] };
            ShapePlan::new(
                &self.font,
                Direction::LeftToRight,
                Some(alphabet.script()),
                None,
                features,
            )
        })
    }
}

impl FaceId {
    pub(crate) fn of_style(bold: bool, italic: bool) -> Self {
        Self(u8::from(bold) + 2 * u8::from(italic))
    }

    /// The first font that has the character, the style's own before the fallbacks.
    pub(crate) fn for_char(c: char, style: Self, shapers: &[ShaperFont<'_, '_>]) -> Option<Self> {
        let fallbacks = (STYLES..shapers.len() as u8).map(Self);
        std::iter::once(style)
            .chain(fallbacks)
            .find(|id| has(&shapers[id.index()], c))
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Shaping takes a character apart when the font has only its parts.
fn has(font: &ShaperFont<'_, '_>, c: char) -> bool {
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

impl Alphabet {
    const COUNT: usize = 3;

    /// The alphabet of a letter; `None` for what all alphabets share.
    pub(crate) fn of(c: char) -> Option<Self> {
        match c {
            '\u{0370}'..='\u{03FF}' | '\u{1F00}'..='\u{1FFF}' => Some(Self::Greek),
            '\u{0400}'..='\u{052F}' | '\u{1D2B}' | '\u{1D78}' => Some(Self::Cyrillic),
            _ if c.is_alphabetic() => Some(Self::Latin),
            _ => None,
        }
    }

    pub(crate) fn script(self) -> Script {
        match self {
            Self::Latin => harfrust::Script::LATIN,
            Self::Greek => harfrust::Script::GREEK,
            Self::Cyrillic => harfrust::Script::CYRILLIC,
        }
    }
}
