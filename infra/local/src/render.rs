//! `presswork render`: a CV to a PDF, without server and without model.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use ::render::picture::Sheets;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use config::SettingsArgs;
use schemas::cv::CheckOptions;
use schemas::job::{JobInput, ThemeName};
use storage::Clock as _;
use worker::Press;
use worker::jobs::{StoredReply, Themes};

use crate::input::Document;
use crate::options::OptionArgs;
use crate::submit::place;
use crate::{out, target};

/// What a theme from a file is called.
const OWN_THEME: &str = "own";

/// `presswork render`.
#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// The CV: JSON, .docx, text, or a PDF made by Presswork; `-` reads standard input
    input: PathBuf,
    #[command(flatten)]
    made: MadeArgs,
    /// The one page to draw
    #[arg(long, value_name = "N", requires = "png", value_parser = clap::value_parser!(u32).range(1..))]
    page: Option<u32>,
    /// How wide to draw, in pixels
    #[arg(long, value_name = "PX", requires = "png", default_value_t = 800)]
    width: u32,
    #[command(flatten)]
    options: OptionArgs,
    /// A theme of your own, as a TOML file, in place of --theme
    #[arg(long, value_name = "FILE.toml", conflicts_with = "theme")]
    theme_file: Option<PathBuf>,
    /// A directory of further fonts, for scripts that the built-in ones do not have [default:
    /// render.fonts_dir]
    #[arg(long, value_name = "DIR")]
    fonts: Option<PathBuf>,
    /// A JPEG or PNG file to take as the photo, in place of the CV's own
    #[arg(long, value_name = "FILE")]
    photo: Option<PathBuf>,
    /// The time to stamp into the PDF (RFC 3339), for the same bytes at every run [default: now]
    #[arg(long, value_name = "TIME")]
    created: Option<jiff::Timestamp>,
}

/// What is made: at least one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct MadeArgs {
    /// The PDF to write; `-` writes to standard output
    #[arg(long, value_name = "FILE.pdf")]
    out: Option<PathBuf>,
    /// Draw the pages too, as FILE-1.png and so on: beside the PDF, or, without --out, alone and
    /// named for the input
    #[arg(long)]
    png: bool,
}

impl RenderArgs {
    /// What is read, and must not be written.
    fn inputs(&self) -> Vec<&Path> {
        let all = [
            Some(&self.input),
            self.theme_file.as_ref(),
            self.photo.as_ref(),
        ];
        all.into_iter().flatten().map(PathBuf::as_path).collect()
    }

    /// The pages to draw, with their files: named for the PDF, else for the input.
    fn pictures(&self, pages: u32) -> Vec<(u32, PathBuf)> {
        if !self.made.png {
            return Vec::new();
        }
        let pages = match self.page {
            Some(page) => page..=page,
            None => 1..=pages,
        };
        let out = self.made.out.as_deref();
        let name = match out.filter(|out| !target::is_dash(out)) {
            Some(out) => out,
            None if target::is_dash(&self.input) => Path::new("cv"),
            // Beside the caller, not beside the input: a directory to read from may take no files.
            None => Path::new(self.input.file_name().unwrap_or_default()),
        };
        pictures(pages, name)
    }

    /// The renderer, with fonts and themes of these arguments, else of the settings.
    fn press(&self, settings: &config::Render) -> anyhow::Result<Press> {
        let files = match &self.theme_file {
            None => settings.theme_files()?,
            Some(path) => BTreeMap::from([(OWN_THEME.to_owned(), path.clone())]),
        };
        Ok(Press {
            engine: engine(self.fonts.as_deref(), settings)?,
            themes: Themes::with_files(&files)?,
            picture_width: 0,
        })
    }
}

/// Renders the caller's own text. Lenient: what a job would refuse for its length or for missing
/// fields is a note here, all but the name.
pub(crate) fn run(settings: SettingsArgs, args: &RenderArgs) -> anyhow::Result<()> {
    let settings = settings.load(Vec::new())?.config.render;
    let target = args.made.out.as_deref();
    target::check(target.as_slice(), &args.inputs())?;
    let mut normalised = Document::read(&args.input)?.cv()?;
    if let Some(photo) = &args.photo {
        normalised.cv.photo_url = Some(data_uri(photo)?);
    }
    let report = schemas::cv::check(&normalised.cv, &CheckOptions::default());
    let mut warnings = normalised.warnings;
    warnings.extend(report.into_warnings());

    let mut options = args.options.to_options();
    if args.theme_file.is_some() {
        options.theme = ThemeName::try_from(OWN_THEME.to_owned()).map_err(anyhow::Error::msg)?;
    }
    let press = args.press(&settings)?;
    if press.themes.get(&options.theme).is_none() {
        let names: Vec<_> = press
            .themes
            .all()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let (asked, names) = (options.theme.as_str(), names.join(", "));
        bail!("there is no theme {asked}; there are {names}, or yours with --theme-file");
    }
    let input = JobInput {
        options,
        ..JobInput::of(normalised.cv)
    };
    let mut own_text = StoredReply::own_text("");
    own_text.warnings.clear();
    let created = args
        .created
        .unwrap_or_else(|| storage::ambient::System::new().now());
    let (made, sheets) = worker::render_job_with_sheets(&press, &input, &own_text, created)
        .context("the document cannot be set")?;
    let pictures = args.pictures(made.facts.pages);
    let files: Vec<_> = pictures.iter().map(|(_, path)| path.as_path()).collect();
    target::check(&files, &args.inputs())?;
    if let Some(target) = target {
        target::write(target, &made.pdf)?;
    }
    for warning in warnings.iter().chain(&made.warnings) {
        eprintln!("note: {}{}", place(&warning.path), warning.message);
    }
    let s = if made.facts.pages == 1 { "" } else { "s" };
    let kilobytes = made.pdf.len().div_ceil(1000);
    let takes_document = target.is_some_and(target::is_dash);
    let file = target.filter(|_| !takes_document);
    let shown = file.map_or(String::new(), |file| format!(": {}", file.display()));
    let summary = format!("{} page{s}, {kilobytes} kB{shown}", made.facts.pages);
    out::tell(takes_document, &summary);
    draw(&sheets, &pictures, args.width)?;
    for file in files {
        out::tell(takes_document, &file.display().to_string());
    }
    Ok(())
}

/// Files for pictures of pages: `NAME-N.png`, where `name` may have an ending of its own.
pub(crate) fn pictures(pages: RangeInclusive<u32>, name: &Path) -> Vec<(u32, PathBuf)> {
    let stem = name.with_extension("");
    let named = pages.map(|page| {
        let mut path = stem.clone().into_os_string();
        path.push(format!("-{page}.png"));
        (page, path.into())
    });
    named.collect()
}

/// Draws pages, each to its file.
pub(crate) fn draw(
    sheets: &Sheets<'_>,
    pictures: &[(u32, PathBuf)],
    width: u32,
) -> anyhow::Result<()> {
    for (page, path) in pictures {
        let png = sheets
            .picture(*page, width)
            .with_context(|| format!("page {page} cannot be drawn"))?;
        std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The renderer, with the fonts of a directory beside its own, or with those of the settings.
pub(crate) fn engine(
    fonts: Option<&Path>,
    settings: &config::Render,
) -> anyhow::Result<::render::Engine> {
    let Some(folder) = fonts else {
        return Ok(worker::engine(&settings.font_files()?)?);
    };
    let shown = folder.display();
    let files = config::files_of(folder, &config::FONT_ENDINGS)
        .with_context(|| format!("cannot list the fonts of {shown}"))?;
    if files.is_empty() {
        let endings = config::FONT_ENDINGS.join(", .");
        bail!("{shown} holds no fonts: no file there ends in .{endings}");
    }
    Ok(worker::engine(&files)?)
}

/// A picture's file as the data URI that a CV holds.
fn data_uri(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let kind = match bytes.as_slice() {
        [0xff, 0xd8, ..] => "jpeg",
        [0x89, b'P', b'N', b'G', ..] => "png",
        _ => bail!("{shown} is neither a JPEG nor a PNG picture"),
    };
    Ok(format!("data:image/{kind};base64,{}", BASE64.encode(bytes)))
}
