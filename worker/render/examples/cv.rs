//! Renders a canonical CV: `cargo run -p render --example cv -- CV.json OUT.pdf [PAGES|auto] [THEME|FILE.toml]`.

use std::path::Path;

use render::{Attachment, Created, Engine, Options, Pages, Theme};

#[path = "../tests/support/mod.rs"]
mod support;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(input), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("usage: cv CV.json OUT.pdf [PAGES|auto] [THEME|FILE.toml]".into());
    };
    let page_target = match arguments.next().as_deref() {
        Some("auto") | None => Pages::Auto,
        Some(pages) => Pages::Fixed(pages.parse()?),
    };
    let theme = match arguments.next() {
        Some(file)
            if Path::new(&file)
                .extension()
                .is_some_and(|end| end == "toml") =>
        {
            Theme::from_toml(&std::fs::read_to_string(file)?)?
        }
        Some(name) => Theme::named(&name).ok_or("no such theme")?,
        None => Theme::default(),
    };
    let json = std::fs::read(input)?;
    let mut document = support::cv::document(&serde_json::from_slice(&json)?);
    if let Some(render::blocks::Block::Masthead(masthead)) = document.body.first_mut()
        && json.windows(10).any(|bytes| bytes == b"\"portrait\"")
    {
        let data = support::portrait::jpeg(900, 1100).into();
        masthead.photo = Some(render::blocks::Image {
            data,
            alt: "A portrait of nobody".to_owned(),
        });
    }
    let options = Options {
        created: Some(Created {
            year: 2026,
            month: 11,
            day: 20,
            hour: 12,
            minute: 0,
            second: 0,
        }),
        producer: Some("render example".to_owned()),
        attachments: vec![Attachment {
            name: "cv.json".to_owned(),
            mime: "application/json".to_owned(),
            description: "The CV as data".to_owned(),
            data: json,
        }],
        page_target,
        theme,
        ..Options::default()
    };
    let rendered = Engine::new()?.render(&document, &options)?;
    println!(
        "{} pages, {} bytes, {:?}, {:?}",
        rendered.pages,
        rendered.pdf.len(),
        rendered.fit,
        rendered.report
    );
    for warning in &rendered.warnings {
        println!("warning: {warning}");
    }
    std::fs::write(output, rendered.pdf)?;
    Ok(())
}
