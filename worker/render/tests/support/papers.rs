//! Documents that are no CVs: a letter and a report, with every kind of block.

use render::Document;
use render::blocks::{
    Align, Block, Column, Footer, Image, Item, List, Marker, Masthead, Row, Run, Section, Table,
    Text,
};

/// A cover letter of a page.
pub fn letter() -> Document {
    let contact = [
        Run::new("4 Quay Lane, Ardmouth"),
        Run::new("ida.morrow@example.com").link("mailto:ida.morrow@example.com"),
        Run::new("+44 1632 960 001").link("tel:+441632960001"),
    ];
    let body = vec![
        Block::Masthead(Masthead {
            title: "Ida Morrow".into(),
            headline: "Harbour engineer".into(),
            body: vec![Block::Inline(contact.map(Text::from).into())],
            ..Masthead::default()
        }),
        Block::Space(1.0),
        Block::Paragraph("Ms Tamsin Okoro\nPort of Ardmouth\n1 Custom House Square\nArdmouth".into()),
        Block::Aligned(Align::End, "Ardmouth, 31 January 2026".into()),
        Block::Space(1.0),
        Block::Heading("Application as head of works, reference AR-117".into()),
        Block::Space(0.5),
        Block::Paragraph("Dear Ms Okoro,".into()),
        Block::Paragraph(
            "For eleven years I have kept quays, locks and cranes in service at three ports. Your \
             notice asks for somebody who plans around tides rather than against them; that is how \
             I rebuilt the north lock at Brae without closing it for a single spring tide."
                .into(),
        ),
        Block::Paragraph(
            "At Brae I lead a crew of twenty-two and answer for a yearly budget of 3.1 million. Two \
             things there may matter to you: the register of works that every shift now reads, and \
             the apprentices, of whom nine of ten stayed."
                .into(),
        ),
        Block::Paragraph(
            "I would be glad to tell you more on any day but Thursday. My notice is two months."
                .into(),
        ),
        Block::Space(0.5),
        Block::Paragraph("Yours sincerely,".into()),
        Block::Space(2.0),
        Block::Paragraph("Ida Morrow".into()),
    ];
    Document {
        title: "Application of Ida Morrow".into(),
        author: Some("Ida Morrow".into()),
        language: "en".into(),
        body,
        footer: None,
    }
}

/// A report with a table over two pages, references, a picture, and words of another language.
pub fn report(picture: Vec<u8>) -> Document {
    let row = |quay: usize| {
        let depth = format!("{}.{}", 7 + quay % 5, quay % 10);
        vec![
            format!("Quay {quay}").into(),
            if quay.is_multiple_of(7) {
                Text::from("closed for works on the fenders since the storms of the spring")
            } else {
                "open".into()
            },
            depth.into(),
        ]
    };
    let columns = [(1.0, Align::Start), (3.0, Align::Start), (1.0, Align::End)];
    let table = Table {
        columns: columns.map(|(share, align)| Column { share, align }).into(),
        header: ["Quay", "State", "Depth, m"].map(Text::from).into(),
        rows: (1..=40).map(row).collect(),
    };
    let references = [
        "A. Brandt, Quays and tides, Harbour Papers 12 (2021), 4–19.",
        "I. Morrow, A register of works for small ports and the people who keep it, 2024.",
    ];
    let steps = ["Survey the fenders.", "Order timber.", "Work at neap tide."];
    let section = |role: &str, title: &str, blocks| {
        Block::Section(Section {
            role: role.into(),
            title: title.into(),
            blocks,
        })
    };
    let summary = Text(vec![
        Run::new("Thirty-five of forty quays are open. The others follow by the rule "),
        Run::new("festina lente").italic().lang("la"),
        Run::new(": slowly, and before the autumn "),
        Run::new("[1]").link("https://example.com/papers/12"),
        Run::new("."),
    ]);
    let body = vec![
        Block::Masthead(Masthead {
            title: "State of the quays".into(),
            headline: "Spring 2026".into(),
            body: vec![Block::Rows(vec![
                Row {
                    label: "For".into(),
                    value: "Port of Ardmouth".into(),
                },
                Row {
                    label: "By".into(),
                    value: "Ida Morrow".into(),
                },
            ])],
            ..Masthead::default()
        }),
        section(
            "summary",
            "Summary",
            vec![
                Block::Paragraph(summary),
                Block::Image(Image {
                    data: picture.into(),
                    alt: "A drawing of the harbour".into(),
                }),
            ],
        ),
        section("quays", "Quays", vec![Block::Table(table)]),
        section(
            "works",
            "Works",
            vec![
                Block::Heading("Order of works".into()),
                Block::List(List {
                    marker: Marker::Number,
                    items: steps.map(|step| Item::from(Text::from(step))).into(),
                }),
            ],
        ),
        section(
            "references",
            "References",
            vec![Block::List(List {
                marker: Marker::Reference,
                items: references.map(|text| Item::from(Text::from(text))).into(),
            })],
        ),
    ];
    Document {
        title: "State of the quays".into(),
        author: Some("Ida Morrow".into()),
        language: "en".into(),
        body,
        footer: Some(Footer {
            running: "State of the quays".into(),
            page: "Page {page} of {pages}".into(),
        }),
    }
}
