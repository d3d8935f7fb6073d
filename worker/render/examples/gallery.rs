//! Every theme with a CV, a CV in Arabic, a letter and a report, to be looked at:
//! `cargo run -p render --example gallery -- FOLDER`.

use std::path::PathBuf;

use render::blocks::{Block, Image};
use render::{Created, Document, Engine, Options, Theme};

#[path = "../tests/support/mod.rs"]
mod support;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: gallery FOLDER")?);
    std::fs::create_dir_all(&folder)?;
    let engine = Engine::new()?;
    let documents = [
        ("cv", cv(include_str!("../tests/data/sample_cv.json"))?),
        ("ar", cv(include_str!("../tests/data/sample_cv_ar.json"))?),
        ("letter", support::papers::letter()),
        (
            "report",
            support::papers::report(support::portrait::jpeg(640, 400)),
        ),
    ];
    for theme in Theme::all() {
        for (name, document) in &documents {
            let options = Options {
                theme: theme.clone(),
                created: Some(Created {
                    year: 2026,
                    month: 1,
                    day: 31,
                    hour: 12,
                    minute: 0,
                    second: 0,
                }),
                ..Options::default()
            };
            let rendered = engine.render(document, &options)?;
            println!(
                "{} {name}: {} pages, {} bytes, {:.0} mm free, {:?} {:?}",
                theme.name(),
                rendered.pages,
                rendered.pdf.len(),
                rendered.report.free_mm,
                rendered.report.steps,
                rendered.warnings,
            );
            std::fs::write(
                folder.join(format!("{}-{name}.pdf", theme.name())),
                rendered.pdf,
            )?;
        }
    }
    Ok(())
}

fn cv(json: &str) -> Result<Document, serde_json::Error> {
    let mut document = support::cv::document(&serde_json::from_str(json)?);
    if let Some(Block::Masthead(masthead)) = document.body.first_mut() {
        masthead.photo = Some(Image {
            data: support::portrait::jpeg(900, 1100).into(),
            alt: "A portrait of nobody".to_owned(),
        });
    }
    Ok(document)
}
