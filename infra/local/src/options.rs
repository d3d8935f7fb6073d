//! How a document is made: arguments that `render` and `submit` share.

use clap::Args;
use schemas::job::{Language, Options, PageSize, Pages, ThemeName};

/// How a document is made.
#[derive(Clone, Debug, Args)]
pub(crate) struct OptionArgs {
    /// The language of the document: en, de, pl, fr, es, it, pt, nl, cs, uk, el, sv, ar, he, ja or
    /// zh [default: the CV's own, else en]
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    language: Option<Language>,
    /// The most pages: 1, 2, 3, 4, or auto for as many as it needs
    #[arg(long, value_name = "N|auto", value_parser = pages, default_value = "2")]
    pages: Pages,
    /// The look: see `presswork themes` [default: zurich]
    #[arg(long, value_name = "NAME", value_parser = theme)]
    theme: Option<ThemeName>,
    /// The paper: a4 or letter [default: the theme's own]
    #[arg(long, value_name = "SIZE", value_parser = page_size)]
    page_size: Option<PageSize>,
    /// If nothing else makes it fit, leave out bullets of the oldest jobs
    #[arg(long)]
    allow_cuts: bool,
}

impl OptionArgs {
    /// As the API takes them.
    pub(crate) fn to_options(&self) -> Options {
        Options {
            language: self.language,
            pages: self.pages,
            theme: self.theme.clone().unwrap_or_default(),
            page_size: self.page_size,
            allow_cuts: self.allow_cuts,
            ..Options::default()
        }
    }
}

/// A language by its tag, such as `de` or `de-CH`.
pub(crate) fn language(text: &str) -> Result<Language, String> {
    Language::from_tag(text).ok_or_else(|| {
        let tags = Language::ALL.map(Language::tag).join(", ");
        format!("expected one of {tags}")
    })
}

fn theme(text: &str) -> Result<ThemeName, String> {
    ThemeName::try_from(text.to_owned()).map_err(str::to_owned)
}

fn page_size(text: &str) -> Result<PageSize, String> {
    match text.to_ascii_lowercase().as_str() {
        "a4" => Ok(PageSize::A4),
        "letter" => Ok(PageSize::Letter),
        _ => Err("expected a4 or letter".to_owned()),
    }
}

fn pages(text: &str) -> Result<Pages, String> {
    match (text, text.parse::<u8>()) {
        ("auto", _) => Ok(Pages::Auto),
        (_, Ok(n @ 1..=4)) => Ok(Pages::AtMost(n)),
        _ => Err("expected 1, 2, 3, 4 or auto".to_owned()),
    }
}
