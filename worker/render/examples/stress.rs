//! scratch
#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::disallowed_methods,
    clippy::unwrap_used
)]
use render::{blocks::*, *};
#[path = "../tests/support/mod.rs"]
mod support;
fn rss() -> String {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS"))
        .map(|l| l.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024)
        .map(|m| format!("{m}MB "))
        .collect()
}
fn main() {
    let e = Engine::new().unwrap();
    println!("engine {}", rss());
    let doc = |b: Vec<Block>| Document {
        title: "T".into(),
        language: "en".into(),
        body: b,
        ..Default::default()
    };
    let cases: Vec<(&str, Document)> = vec![
        (
            "700k words",
            doc(vec![Block::Paragraph(
                "word and more ".repeat(50_000).as_str().into(),
            )]),
        ),
        (
            "1M words",
            doc(vec![Block::Paragraph(
                "word ".repeat(199_000).as_str().into(),
            )]),
        ),
        (
            "1 word 700k",
            doc(vec![Block::Paragraph("x".repeat(700_000).as_str().into())]),
        ),
        (
            "i 1M",
            doc(vec![Block::Paragraph(
                "i".repeat(1_000_000).as_str().into(),
            )]),
        ),
        (
            "PUA mix",
            doc(vec![Block::Paragraph(
                "a\u{E000}".repeat(200_000).as_str().into(),
            )]),
        ),
        (
            "CJK",
            doc(vec![Block::Paragraph(
                "高橋".repeat(160_000).as_str().into(),
            )]),
        ),
        (
            "title 900k",
            doc(vec![Block::Section(Section {
                title: "word ".repeat(180_000).as_str().into(),
                blocks: vec![Block::Paragraph("x".into())],
            })]),
        ),
        (
            "date 700k",
            doc(vec![Block::Entry(Entry {
                date: "word ".repeat(60_000).as_str().into(),
                title: "t".into(),
                ..Default::default()
            })]),
        ),
        (
            "10k bullets",
            doc(vec![Block::List(
                (0..10_000)
                    .map(|i| format!("bullet {i}").as_str().into())
                    .collect(),
            )]),
        ),
        (
            "20k sections",
            doc((0..9_900)
                .map(|i| {
                    Block::Section(Section {
                        title: format!("S{i}").as_str().into(),
                        blocks: vec![Block::Paragraph("x".into())],
                    })
                })
                .collect()),
        ),
        (
            "zalgo",
            doc(vec![Block::Paragraph(
                format!("a{}", "\u{335}".repeat(400_000)).as_str().into(),
            )]),
        ),
        (
            "marks",
            doc(vec![Block::Paragraph(
                "a\u{335}\u{336}\u{337}\u{330}"
                    .repeat(80_000)
                    .as_str()
                    .into(),
            )]),
        ),
        (
            "runs",
            doc(vec![Block::Paragraph(Text(
                (0..300_000)
                    .map(|i| {
                        if i % 2 == 0 {
                            Run::new("ab ").bold()
                        } else {
                            Run::new("c")
                        }
                    })
                    .collect(),
            ))]),
        ),
        (
            "links",
            doc(vec![Block::Paragraph(Text(
                (0..100_000)
                    .map(|i| Run::new("ab ").link(format!("https://e.com/{i}")))
                    .collect(),
            ))]),
        ),
        (
            "emergency 20k",
            doc((0..25)
                .map(|_| Block::Paragraph("i".repeat(19_900).as_str().into()))
                .collect()),
        ),
        (
            "5k words x100",
            doc((0..100)
                .map(|_| Block::Paragraph("word an ".repeat(900).as_str().into()))
                .collect()),
        ),
    ];
    let mut all = cases;
    let big = |w: u32, h: u32| support::portrait::picture(w, h);
    let jpg = |w, h| {
        let mut f = vec![];
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut f, 80)
            .encode_image(&big(w, h))
            .unwrap();
        f
    };
    let png = |w, h| {
        let mut f = std::io::Cursor::new(vec![]);
        big(w, h).write_to(&mut f, image::ImageFormat::Png).unwrap();
        f.into_inner()
    };
    let ph = |d: Vec<u8>| {
        doc(vec![Block::Masthead(Masthead {
            title: "N".into(),
            photo: Some(Image {
                data: d.into(),
                alt: "x".into(),
            }),
            ..Default::default()
        })])
    };
    if std::env::args().nth(1).as_deref() == Some("photo") {
        all = vec![];
        match std::env::args().nth(2).as_deref() {
            Some("jpg") => all.push(("jpg 39MP", ph(jpg(6200, 6300)))),
            Some("png") => all.push(("png 39MP", ph(png(6200, 6300)))),
            Some(f) => all.push(("file", ph(std::fs::read(f).unwrap()))),
            _ => {}
        }
        std::fs::write("/proc/self/clear_refs", "5").ok();
        println!("before {}", rss());
    }
    for (n, d) in &all {
        for p in [Pages::Auto, Pages::Fixed(2)] {
            let t = std::time::Instant::now();
            let r = e.render(
                d,
                &Options {
                    page_target: p,
                    created: Some(Created {
                        year: 2026,
                        month: 1,
                        day: 1,
                        hour: 0,
                        minute: 0,
                        second: 0,
                    }),
                    ..Default::default()
                },
            );
            println!(
                "{n:16} {:8.1} ms  {}  {}",
                t.elapsed().as_secs_f64() * 1e3,
                match r {
                    Ok(r) => format!(
                        "{} pages {} bytes {} warnings",
                        r.pages,
                        r.pdf.len(),
                        r.warnings.len()
                    ),
                    Err(e) => e.to_string(),
                },
                rss()
            );
        }
    }
}
