//! Prints what is read out of a document: `cargo run -p convert --example extract_json -- FILE`.

use std::io::Write as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: extract_json FILE")?;
    let bytes = std::fs::read(&path)?;
    let limits = convert::Limits::default();
    let extracted = if bytes.starts_with(b"PK") {
        convert::docx::read(&bytes, &limits)?
    } else {
        convert::text::read(std::str::from_utf8(&bytes)?, &limits)?
    };
    let mut all = serde_json::to_value(&extracted)?;
    all["cv"] = serde_json::to_value(extracted.with_photo())?;
    std::io::stdout().write_all(serde_json::to_string_pretty(&all)?.as_bytes())?;
    Ok(())
}
