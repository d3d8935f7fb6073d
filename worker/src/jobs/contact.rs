//! How to reach a person: the lines below the name, in CVs and letters.

use render::blocks::{Block, Run, Text};
use schemas::cv::{self, Cv};

/// What stands on one line at most, in the widths of a Latin letter: a little less than the room that
/// themes leave beside a photo.
const LINE: usize = 60;

/// Address, phone and e-mail, links: a line each, or more where they are long, since a line that breaks
/// within a street or an address on the web is hard to read. Those that hold nothing leave no line.
pub(super) fn lines(cv: &Cv) -> Vec<Block> {
    let address = cv
        .address_lines
        .iter()
        .map(|line| Run::new(line.as_str()).into());
    let mut lines = filled(address);
    lines.extend(filled([phone(&cv.phone).into(), email(&cv.email).into()]));
    lines.extend(filled(cv.links.iter().map(web)));
    lines
}

/// As many items on each line as it holds.
fn filled(items: impl IntoIterator<Item = Text>) -> Vec<Block> {
    let mut lines: Vec<Vec<Text>> = Vec::new();
    let mut taken = 0;
    for item in items {
        let width = width(&item);
        if width == 0 {
            continue;
        }
        // With the separator.
        taken += 3 + width;
        match lines.last_mut() {
            Some(line) if taken <= LINE => line.push(item),
            _ => {
                taken = width;
                lines.push(vec![item]);
            }
        }
    }
    lines.into_iter().map(Block::Inline).collect()
}

/// The width of a text in that of a Latin letter: ideographs take two of them.
fn width(text: &Text) -> usize {
    let chars = text.0.iter().flat_map(|run| run.text.chars());
    chars.map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

/// A number that can be dialled (RFC 3966): the `(0)` that people write after a country's code is
/// not part of it.
fn phone(shown: &str) -> Run {
    let bare = if shown.trim_start().starts_with('+') {
        shown.replacen("(0)", "", 1)
    } else {
        shown.to_owned()
    };
    let number: String = bare
        .char_indices()
        .filter(|&(at, c)| c.is_ascii_digit() || c == '+' && at == 0)
        .map(|(_, c)| c)
        .collect();
    // An extension or a second number would be dialled along.
    let one_number = bare
        .chars()
        .all(|c| !c.is_alphabetic() && !";,/".contains(c));
    let run = Run::new(shown);
    if one_number && (4..=16).contains(&number.len()) {
        run.link(format!("tel:{number}"))
    } else {
        run
    }
}

fn email(shown: &str) -> Run {
    let run = Run::new(shown);
    // In a `mailto:` these would start a subject or a second address (RFC 6068).
    if shown.contains('@') && !shown.contains(['?', '&', ',', '%', ' ']) {
        run.link(format!("mailto:{shown}"))
    } else {
        run
    }
}

/// A link as its owner writes it: whoever reads a print, or the text alone, needs the address.
fn web(link: &cv::Link) -> Text {
    let label = link.label.as_deref().map(str::trim).unwrap_or_default();
    let address = Run::new(&link.url);
    let address = match link.href() {
        Some(href) => address.link(href),
        None => address,
    };
    if label.is_empty() || label == link.url {
        address.into()
    } else {
        Text(vec![Run::new(format!("{label}: ")).muted(), address])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_can_be_dialled_are_links() {
        let check = |shown: &str, link: Option<&str>| {
            let run = phone(shown);
            assert_eq!((run.text.as_str(), run.link.as_deref()), (shown, link));
        };
        check("+49 (0)30 23125 118", Some("tel:+493023125118"));
        check("044 555 01 42", Some("tel:0445550142"));
        check("+44 1632 960 001 ext. 5", None);
        check("01632 960001 / 960002", None);
        check("+", None);
        check("", None);
    }

    #[test]
    fn lines_break_between_items() {
        let check = |items: &[&str], want: &[usize]| {
            let lines = filled(items.iter().map(|item| Text::from(*item)));
            let counts = lines.iter().map(|line| match line {
                Block::Inline(items) => items.len(),
                other => panic!("{other:?}"),
            });
            assert_eq!(counts.collect::<Vec<_>>(), want, "{items:?}");
        };
        let (short, long) = (
            "22 Tannery Lane",
            "Department of Comparative and Applied Linguistics",
        );
        check(&[], &[]);
        check(&["", short, ""], &[1]);
        check(&[short, short, short], &[3]);
        check(&[long, short, short], &[1, 2]);
        check(&[short, long, short], &[1, 1, 1]);
        check(
            &[
                "東京都架空区見本町一丁目二番三号",
                "見本マンション四〇五号室東棟",
            ],
            &[1, 1],
        );
    }

    #[test]
    fn only_plain_addresses_are_links() {
        let check =
            |shown: &str, link: Option<&str>| assert_eq!(email(shown).link.as_deref(), link);
        check("ida@example.com", Some("mailto:ida@example.com"));
        check("ida@example.com?bcc=x@example.com", None);
        check("on request", None);
    }

    #[test]
    fn links_show_their_address_after_their_label() {
        let check = |label: Option<&str>, url: &str, want: &str, leads: bool| {
            let text = web(&cv::Link {
                label: label.map(str::to_owned),
                url: url.to_owned(),
            });
            let shown: String = text.0.iter().map(|run| run.text.as_str()).collect();
            assert_eq!(shown, want);
            assert_eq!(text.0.last().unwrap().link.is_some(), leads, "{url}");
        };
        let url = "https://git.example.com/ida/";
        check(None, url, url, true);
        check(
            Some("Code"),
            url,
            "Code: https://git.example.com/ida/",
            true,
        );
        check(Some(url), url, url, true);
        check(None, "on request", "on request", false);
    }
}
