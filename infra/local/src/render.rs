//! `presswork render`: a CV in JSON to a PDF, without server and without model.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use ::render::picture::Sheets;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemas::cv::{CheckOptions, CvError};
use schemas::job::{JobInput, JobKind, ThemeName};
use serde_json::Value;
use storage::Clock as _;
use worker::Press;
use worker::jobs::{StoredReply, Themes};

use crate::cli::RenderArgs;
use crate::submit::place;

/// The most that is read of an input.
const MAX_INPUT: u64 = 64 * 1024 * 1024;

/// What a theme from a file is called.
const OWN_THEME: &str = "own";

/// Renders the caller's own text. Lenient: what a job would refuse for its length or for missing
/// fields is a warning here.
pub(crate) fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let mut json = read_json(&args.input)?;
    if let (Some(photo), Some(cv)) = (&args.photo, json.as_object_mut()) {
        cv.insert("photo_url".to_owned(), data_uri(photo)?.into());
    }
    let normalised = schemas::cv::normalise(&json).map_err(|e| explain(&e))?;
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
    if let Some(out) = &args.out {
        std::fs::write(out, &made.pdf)
            .with_context(|| format!("cannot write {}", out.display()))?;
    }
    for warning in warnings.iter().chain(&made.warnings) {
        eprintln!("note: {}{}", place(&warning.path), warning.message);
    }
    let s = if made.facts.pages == 1 { "" } else { "s" };
    let kilobytes = made.pdf.len().div_ceil(1000);
    let out = args.out.as_deref();
    let shown = out.map_or(String::new(), |out| format!(": {}", out.display()));
    println!("{} page{s}, {kilobytes} kB{shown}", made.facts.pages);
    if args.png {
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

/// Reads a JSON file, or standard input for `-`.
pub(crate) fn read_json(path: &Path) -> anyhow::Result<Value> {
    let shown = path.display();
    let mut text = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(MAX_INPUT + 1)
            .read_to_end(&mut text)
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot open {shown}"))?;
        file.take(MAX_INPUT + 1).read_to_end(&mut text)
    };
    read.with_context(|| format!("cannot read {shown}"))?;
    if text.len() as u64 > MAX_INPUT {
        bail!("{shown} is larger than {} MiB", MAX_INPUT >> 20);
    }
    serde_json::from_slice(&text).with_context(|| format!("{shown} is not JSON"))
}

pub(crate) fn explain(error: &CvError) -> anyhow::Error {
    let faults = error.problems();
    let faults = faults
        .iter()
        .map(|fault| format!("\n  {}: {}", fault.path, fault.message));
    anyhow::anyhow!("{error}{}", faults.collect::<String>())
}
