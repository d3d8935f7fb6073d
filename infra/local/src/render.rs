//! `presswork render`: a CV to a PDF, without server and without model.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use ::render::picture::Sheets;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use schemas::cv::CheckOptions;
use schemas::job::{JobInput, JobKind, ThemeName};
use storage::Clock as _;
use worker::Press;
use worker::jobs::{StoredReply, Themes};

use crate::input::Document;
use crate::options::OptionArgs;
use crate::submit::place;

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
    /// A directory of further fonts, for scripts that the built-in ones do not have
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
    /// The PDF to write
    #[arg(long, value_name = "FILE.pdf")]
    out: Option<PathBuf>,
    /// Draw the pages too, as FILE-1.png and so on: beside the PDF, or, without --out, alone and
    /// named for the input
    #[arg(long)]
    png: bool,
}

/// Renders the caller's own text. Lenient: what a job would refuse for its length or for missing
/// fields is a note here, all but the name.
pub(crate) fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let mut normalised = Document::read(&args.input)?.cv()?;
    if let Some(photo) = &args.photo {
        normalised.cv.photo_url = Some(data_uri(photo)?);
    }
    let report = schemas::cv::check(&normalised.cv, &CheckOptions::default());
    let mut warnings = normalised.warnings;
    warnings.extend(report.into_warnings());

    let mut options = args.options.to_options();
    let themes = match &args.theme_file {
        None => Themes::built_in(),
        Some(path) => {
            options.theme =
                ThemeName::try_from(OWN_THEME.to_owned()).map_err(anyhow::Error::msg)?;
            Themes::with_files(&BTreeMap::from([(OWN_THEME.to_owned(), path.clone())]))?
        }
    };
    if themes.get(&options.theme).is_none() {
        let names: Vec<_> = themes.all().into_iter().map(|(name, _)| name).collect();
        let (asked, names) = (options.theme.as_str(), names.join(", "));
        bail!("there is no theme {asked}; there are {names}, or yours with --theme-file");
    }
    let press = Press {
        engine: engine(args.fonts.as_deref())?,
        themes,
        picture_width: 0,
    };
    let input = JobInput {
        kind: JobKind::Cv,
        cv: normalised.cv,
        options,
        earlier: None,
    };
    let mut own_text = StoredReply::own_text("");
    own_text.warnings.clear();
    let created = args
        .created
        .unwrap_or_else(|| storage::ambient::System::new().now());
    let (made, sheets) = worker::render_job_with_sheets(&press, &input, &own_text, created)
        .context("the document cannot be set")?;
    if let Some(out) = &args.made.out {
        std::fs::write(out, &made.pdf)
            .with_context(|| format!("cannot write {}", out.display()))?;
    }
    for warning in warnings.iter().chain(&made.warnings) {
        eprintln!("note: {}{}", place(&warning.path), warning.message);
    }
    let s = if made.facts.pages == 1 { "" } else { "s" };
    let kilobytes = made.pdf.len().div_ceil(1000);
    let out = args.made.out.as_deref();
    let shown = out.map_or(String::new(), |out| format!(": {}", out.display()));
    println!("{} page{s}, {kilobytes} kB{shown}", made.facts.pages);
    if args.made.png {
        let pages = match args.page {
            Some(page) => page..=page,
            None => 1..=made.facts.pages,
        };
        let name = match out {
            Some(out) => out,
            None if args.input.as_os_str() == "-" => Path::new("cv"),
            // Beside the caller, not beside the input: a directory to read from may take no files.
            None => Path::new(args.input.file_name().unwrap_or_default()),
        };
        for path in pictures(&sheets, pages, args.width, name)? {
            println!("{}", path.display());
        }
    }
    Ok(())
}

/// Draws pages, each to `NAME-N.png`, where `name` may have an ending of its own. Gives the
/// files.
pub(crate) fn pictures(
    sheets: &Sheets<'_>,
    pages: RangeInclusive<u32>,
    width: u32,
    name: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let stem = name.with_extension("");
    let drawn = pages.map(|page| {
        let png = sheets
            .picture(page, width)
            .with_context(|| format!("page {page} cannot be drawn"))?;
        let mut path = stem.clone().into_os_string();
        path.push(format!("-{page}.png"));
        let path = PathBuf::from(path);
        std::fs::write(&path, png).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    });
    drawn.collect()
}

/// The renderer, with the fonts of a directory beside its own.
pub(crate) fn engine(fonts: Option<&Path>) -> anyhow::Result<::render::Engine> {
    let Some(folder) = fonts else {
        return Ok(worker::engine(&[])?);
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
