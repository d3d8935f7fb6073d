//! CVs and letters of CVs in JSON, in every theme, to be looked at:
//! `cargo run -p worker --example documents -- FOLDER CV.json ...`. The fonts are the built-in ones.

use std::path::PathBuf;

use anyhow::Context as _;
use schemas::job::{BUILT_IN_THEMES, DocumentName, JobInput, Letter, Options, Output, ThemeName};
use worker::Press;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let folder = arguments
        .next()
        .context("usage: documents FOLDER CV.json ...")?;
    std::fs::create_dir_all(&folder)?;
    let press = Press::built_in()?;
    let accepted = "2026-11-21T08:00:00Z".parse()?;
    for path in arguments {
        let cv = serde_json::from_slice(&std::fs::read(&path)?)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut input = JobInput {
            options: Options {
                outputs: vec![Output::Cv, Output::CoverLetter],
                letter: Some(Letter {
                    recipient_name: Some("Odile Brandt".to_owned()),
                    organization: Some("Brandt & Sons".to_owned()),
                    address_lines: vec!["Harbour Road 1".to_owned(), "BS99 1AA Bristol".to_owned()],
                    position: Some("Head of Supply".to_owned()),
                    date: None,
                }),
                ..Options::default()
            },
            ..JobInput::of(schemas::cv::normalise(&cv)?.cv)
        };
        let reply = worker::jobs::edit_offline(&input);
        for theme in BUILT_IN_THEMES {
            input.options.theme =
                ThemeName::try_from(theme.to_owned()).map_err(anyhow::Error::msg)?;
            let made = worker::render_job(&press, &input, &reply, accepted)?;
            std::fs::write(folder.join(format!("{name}-{theme}.pdf")), &made.pdf)?;
            let letter = made
                .beside
                .iter()
                .find(|beside| beside.facts.name == DocumentName::CoverLetter);
            if let Some(letter) = letter {
                std::fs::write(
                    folder.join(format!("{name}-{theme}-letter.pdf")),
                    &letter.data,
                )?;
            }
            println!("{name} {theme}: {} pages", made.facts.pages);
        }
    }
    Ok(())
}
