//! `presswork themes`: what there is, and how it looks.

use std::path::Path;

use anyhow::Context as _;
use schemas::job::{JobInput, JobKind, Options, Pages, ThemeName};
use storage::Clock as _;
use worker::Press;
use worker::jobs::{StoredReply, Themes};

use crate::cli::ThemesArgs;
use crate::render::engine;

/// Lists the themes, a line each; with `--preview` a sample of each goes to a file.
pub(crate) fn run(args: &ThemesArgs) -> anyhow::Result<()> {
    let own = config::Render {
        themes_dir: args.themes.clone(),
        fonts_dir: None,
    };
    let press = Press {
        engine: engine(args.fonts.as_deref())?,
        themes: Themes::with_files(&own.theme_files()?)?,
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
    let mut input = JobInput {
        kind: JobKind::Cv,
        cv: sample.cv,
        options: Options {
            pages: Pages::Auto,
            ..Options::default()
        },
        earlier: None,
    };
    let mut own_text = StoredReply::own_text("");
    own_text.warnings.clear();
    let now = storage::ambient::System::new().now();
    for (name, _) in press.themes.all() {
        input.options.theme = ThemeName::try_from(name.clone()).map_err(|fault| {
            anyhow::anyhow!("the theme {name} cannot be named by jobs: {fault}")
        })?;
        let made = worker::render_job(press, &input, &own_text, now)
            .with_context(|| format!("the theme {name} cannot be used"))?;
        let path = folder.join(format!("{name}.pdf"));
        std::fs::write(&path, &made.pdf)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}
