//! `presswork themes`: what there is, and how it looks.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use config::SettingsArgs;
use schemas::job::{JobInput, ThemeName};
use storage::Clock as _;
use worker::Press;
use worker::jobs::Themes;

use crate::render::{draw, engine, pictures};

/// Of the samples' pages, in pixels.
const PICTURE_WIDTH: u32 = 800;

/// `presswork themes`.
#[derive(Debug, Args)]
pub(crate) struct ThemesArgs {
    /// A directory for a sample of each theme, as PDF and as pictures of its pages; made at need
    #[arg(long, value_name = "DIR")]
    preview: Option<PathBuf>,
    /// A directory of themes of your own, to list too [default: render.themes_dir]
    #[arg(long, value_name = "DIR")]
    themes: Option<PathBuf>,
    /// A directory of further fonts, for themes that name them [default: render.fonts_dir]
    #[arg(long, value_name = "DIR")]
    fonts: Option<PathBuf>,
}

/// Lists the themes, a line each; with `--preview` a sample of each goes to a file.
pub(crate) fn run(settings: SettingsArgs, args: &ThemesArgs) -> anyhow::Result<()> {
    let mut settings = settings.load(Vec::new())?.config.render;
    if let Some(themes) = &args.themes {
        settings.themes_dir = Some(themes.clone());
    }
    let press = Press {
        engine: engine(args.fonts.as_deref(), &settings)?,
        themes: Themes::with_files(&settings.theme_files()?)?,
        picture_width: 0,
    };
    let all = press.themes.all();
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, theme) in &all {
        println!("{name:width$}  {}", theme.description());
    }
    if let Some(folder) = &args.preview {
        preview(&press, folder)?;
    }
    Ok(())
}

fn preview(press: &Press, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the directory {}", folder.display()))?;
    let sample = serde_json::from_str(schemas::cv::SAMPLE).context("the sample CV is broken")?;
    let sample = schemas::cv::normalise(&sample).context("the sample CV is broken")?;
    let mut input = JobInput::of(sample.cv);
    // The sample has typed bullets and double spaces, for the editor to have something to do.
    let tidied = worker::jobs::edit_offline(&input);
    let now = storage::ambient::System::new().now();
    let all = press.themes.all();
    for (index, (name, _)) in all.iter().enumerate() {
        input.options.theme = ThemeName::try_from(name.clone()).map_err(|fault| {
            anyhow::anyhow!("the theme {name} cannot be named by jobs: {fault}")
        })?;
        let (made, sheets) = worker::render_job_with_sheets(press, &input, &tidied, now)
            .with_context(|| format!("the theme {name} cannot be used"))?;
        let path = folder.join(name).with_added_extension("pdf");
        std::fs::write(&path, &made.pdf)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let drawn = pictures(1..=made.facts.pages, &path);
        draw(&sheets, &drawn, PICTURE_WIDTH)?;
        let files = std::iter::once(&path).chain(drawn.iter().map(|(_, path)| path));
        let files: Vec<_> = files.map(|path| path.display().to_string()).collect();
        println!("{}/{}  {}", index + 1, all.len(), files.join(" "));
    }
    Ok(())
}
