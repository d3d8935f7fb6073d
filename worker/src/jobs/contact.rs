//! How to reach a person: the lines below the name, in CVs and letters.

use render::blocks::{Block, Run, Text};
use schemas::cv::{self, Cv};

/// Address, phone and e-mail, links: one line each, without those that hold nothing.
pub(super) fn lines(cv: &Cv) -> Vec<Block> {
    let address = cv
        .address_lines
        .iter()
        .map(|line| Run::new(line.as_str()).into());
    vec![
        inline(address),
        inline([phone(&cv.phone).into(), email(&cv.email).into()]),
        inline(cv.links.iter().map(web)),
    ]
}

fn inline(items: impl IntoIterator<Item = Text>) -> Block {
    let says = |text: &Text| text.0.iter().any(|run| !run.text.is_empty());
    Block::Inline(items.into_iter().filter(says).collect())
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
