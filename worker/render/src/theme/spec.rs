//! The keys of a theme, as they stand in its file. `themes/zurich.toml` says what each of them means.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::color::Rgb;

/// A whole theme, every key given.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) page: Page,
    pub(crate) fonts: FontNames,
    pub(crate) sizes: Sizes,
    pub(crate) text: TextSetting,
    pub(crate) colors: Colors,
    pub(crate) header: Header,
    pub(crate) photo: PhotoFrame,
    pub(crate) sections: Sections,
    pub(crate) entries: Entries,
    pub(crate) lists: Lists,
    pub(crate) sidebar: Sidebar,
    pub(crate) spacing: Spacing,
    pub(crate) fit: FitBounds,
    pub(crate) footer: FooterSetting,
    pub(crate) titles: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    pub(crate) size: PageSize,
    pub(crate) margins: Margins,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "\"a4\", \"letter\", or a width and a height in mm such as [200, 280]"
)]
pub(crate) enum PageSize {
    Named(NamedSize),
    Millimetres([f32; 2]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NamedSize {
    A4,
    Letter,
}

/// In mm.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Margins {
    pub(crate) top: f32,
    pub(crate) end: f32,
    pub(crate) bottom: f32,
    pub(crate) start: f32,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FontNames {
    pub(crate) text: String,
    pub(crate) titles: String,
    pub(crate) name: String,
}

/// In pt.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sizes {
    pub(crate) text: f32,
    pub(crate) name: f32,
    pub(crate) headline: f32,
    pub(crate) section: f32,
    pub(crate) entry: f32,
    pub(crate) date: f32,
    pub(crate) side: f32,
    pub(crate) footer: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextSetting {
    pub(crate) line_height: f32,
    pub(crate) justify: bool,
    pub(crate) hyphenate: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Colors {
    pub(crate) text: Rgb,
    pub(crate) muted: Rgb,
    pub(crate) accent: Rgb,
    pub(crate) rule: Rgb,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) align: TitleAlign,
    pub(crate) caps: Caps,
    pub(crate) bold: bool,
    pub(crate) tracking: f32,
    pub(crate) color: TitleColor,
    pub(crate) photo: PhotoPlace,
    pub(crate) contact: ContactPlace,
    #[serde(deserialize_with = "super::color::optional")]
    pub(crate) band: Option<Rgb>,
    pub(crate) band_text: Rgb,
    pub(crate) band_muted: Rgb,
    pub(crate) rule: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TitleAlign {
    Start,
    Center,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Caps {
    None,
    Small,
    Upper,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TitleColor {
    Text,
    Accent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PhotoPlace {
    Start,
    End,
    Sidebar,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ContactPlace {
    Below,
    Sidebar,
}

/// In mm.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhotoFrame {
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) radius: f32,
    pub(crate) gap: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sections {
    pub(crate) caps: Caps,
    pub(crate) bold: bool,
    pub(crate) tracking: f32,
    pub(crate) align: TitleAlign,
    pub(crate) color: TitleColor,
    pub(crate) decoration: Decoration,
    pub(crate) weight: f32,
    pub(crate) fill: Rgb,
    pub(crate) order: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Decoration {
    None,
    RuleBelow,
    RuleAbove,
    RuleBeside,
    Bar,
    Fill,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entries {
    pub(crate) date: DatePlace,
    pub(crate) date_column: f32,
    pub(crate) joined: bool,
    pub(crate) subtitle: SubtitleStyle,
    pub(crate) body: BodyPlace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DatePlace {
    Column,
    End,
    Below,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SubtitleStyle {
    Plain,
    Italic,
    Muted,
    Bold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BodyPlace {
    Title,
    Start,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lists {
    pub(crate) bullet: char,
    pub(crate) indent: f32,
    pub(crate) separator: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sidebar {
    pub(crate) width: f32,
    pub(crate) place: SidebarPlace,
    pub(crate) padding: f32,
    pub(crate) gap: f32,
    pub(crate) background: Rgb,
    pub(crate) text: Rgb,
    pub(crate) muted: Rgb,
    pub(crate) accent: Rgb,
    pub(crate) rule: Rgb,
    pub(crate) sections: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SidebarPlace {
    Start,
    End,
}

/// In pt.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spacing {
    pub(crate) header: f32,
    pub(crate) section: f32,
    pub(crate) title: f32,
    pub(crate) entry: f32,
    pub(crate) paragraph: f32,
    pub(crate) item: f32,
    pub(crate) row: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FitBounds {
    pub(crate) spacing: f32,
    pub(crate) line_height: f32,
    pub(crate) text: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FooterSetting {
    pub(crate) name: bool,
    pub(crate) numbers: bool,
    pub(crate) align: FooterAlign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FooterAlign {
    Apart,
    Center,
}

impl PageSize {
    /// Width and height in mm.
    pub(crate) fn millimetres(self) -> (f32, f32) {
        match self {
            Self::Named(NamedSize::A4) => (210.0, 297.0),
            Self::Named(NamedSize::Letter) => (215.9, 279.4),
            Self::Millimetres([width, height]) => (width, height),
        }
    }
}

impl Spec {
    /// Whether pages have a second column.
    pub(crate) fn has_sidebar(&self) -> bool {
        self.sidebar.width > 0.0
    }
}
