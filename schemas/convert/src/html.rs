//! A CV as one HTML page that loads nothing from elsewhere: for previews in a browser or a chat.

use schemas::cv::Cv;

use crate::view::{Contact, Content, View};

/// Set by the page itself: it has no script, and no file but this one.
const STYLE: &str = "\
:root{color-scheme:light}\
body{margin:0;background:#f3f4f6;color:#1c1f24;font:16px/1.5 system-ui,'Noto Sans',sans-serif}\
main{box-sizing:border-box;max-width:50rem;margin:2rem auto;padding:3rem;background:#fff}\
header{overflow:hidden}\
header img{float:inline-end;width:7rem;height:9rem;object-fit:cover;border-radius:2px;margin-inline-start:1.5rem}\
h1{margin:0 0 .5rem;font-size:1.6rem;line-height:1.2}\
h2{margin:2rem 0 .75rem;padding-bottom:.2rem;border-bottom:1px solid #a9bdd4;color:#1b4f8a;font-size:1.1rem}\
h3{margin:1rem 0 0;font-size:1rem}\
p,ul{margin:.25rem 0}\
ul{padding-inline-start:1.2rem}\
header ul{list-style:none;padding:0}\
.place,.dates,footer{color:#5b6470}\
a{color:#1b4f8a}\
footer{margin-top:2rem;font-size:.85rem}\
@media(max-width:40rem){main{margin:0;padding:1.25rem}}\
@media print{body{background:#fff}main{margin:0;padding:0}}";

/// The CV as a whole HTML document. All text is escaped; links lead only to `http`, `https`,
/// `mailto` and `tel`; the photo, a checked data URI, is part of the page.
pub fn write(cv: &Cv) -> String {
    let view = View::of(cv);
    let mut out = String::with_capacity(8 * 1024);
    let direction = if view.locale.language.is_rtl() {
        "rtl"
    } else {
        "ltr"
    };
    let title = escape(view.title);
    out.extend([
        "<!doctype html>\n<html lang=\"",
        view.locale.tag,
        "\" dir=\"",
        direction,
        "\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
        &title,
        "</title>\n<style>",
        STYLE,
        "</style>\n</head>\n<body>\n<main>\n<header>\n",
    ]);
    if let Some(photo) = cv.photo_url.as_deref().filter(|uri| is_picture(uri)) {
        let alt = view.locale.cv.photo.replace("{name}", view.title);
        out.extend(["<img src=\"", photo, "\" alt=\"", &escape(&alt), "\">\n"]);
    }
    out.extend(["<h1>", &title, "</h1>\n"]);
    if !view.contact.is_empty() {
        out.push_str("<ul>\n");
        for line in &view.contact {
            out.push_str("<li>");
            match line {
                Contact::Text(text) => out.push_str(&escape(text)),
                Contact::Link(text, None) => out.push_str(&escape(text)),
                Contact::Link(text, Some(target)) => {
                    out.extend(["<a href=\"", &escape(target), "\">", &escape(text), "</a>"]);
                }
            }
            out.push_str("</li>\n");
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</header>\n");
    for (title, content) in &view.sections {
        out.extend(["<section>\n<h2>", &escape(title), "</h2>\n"]);
        match content {
            Content::Paragraph(text) => out.extend(["<p>", &escape(text), "</p>\n"]),
            Content::Items(items) => list(&mut out, items),
            Content::Entries(entries) => {
                for entry in entries {
                    out.extend(["<article>\n<h3>", &escape(entry.title), "</h3>\n"]);
                    for (class, text) in [("place", &entry.place), ("dates", &entry.dates)] {
                        if !text.is_empty() {
                            out.extend(["<p class=\"", class, "\">", &escape(text), "</p>\n"]);
                        }
                    }
                    list(&mut out, entry.items);
                    out.push_str("</article>\n");
                }
            }
        }
        out.push_str("</section>\n");
    }
    if let Some(clause) = view.clause {
        out.extend(["<footer>", &escape(clause), "</footer>\n"]);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn list(out: &mut String, items: &[String]) {
    if items.is_empty() {
        return;
    }
    out.push_str("<ul>\n");
    for item in items {
        out.extend(["<li>", &escape(item), "</li>\n"]);
    }
    out.push_str("</ul>\n");
}

/// A data URI of a kind that browsers draw and never run, with nothing in it that ends an attribute.
fn is_picture(uri: &str) -> bool {
    let data = ["data:image/jpeg;base64,", "data:image/png;base64,"]
        .iter()
        .find_map(|kind| uri.strip_prefix(kind));
    data.is_some_and(|data| {
        data.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    })
}

/// Text that stays text, in an element or in a quoted attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schemas::cv;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_is_shown_in_reading_order() {
        let sample = serde_json::from_str(cv::SAMPLE).unwrap();
        let cv = cv::normalise(&sample).unwrap().cv;
        let html = write(&cv);
        let mut from = 0;
        let texts = [&cv.full_name, &cv.phone, &cv.email]
            .into_iter()
            .chain(&cv.profile)
            .chain(
                cv.work_experience
                    .iter()
                    .flat_map(|w| [&w.title, &w.employer].into_iter().chain(&w.bullets)),
            )
            .chain(
                cv.education
                    .iter()
                    .flat_map(|e| [&e.title, &e.institution].into_iter().chain(&e.details)),
            );
        // The name is in the title as well.
        from += html.find("<body>").unwrap();
        for text in texts {
            let at = html[from..].find(&escape(text));
            from += at.unwrap_or_else(|| panic!("missing or out of order: {text}"));
        }
        assert!(html.contains("<img src=\"data:image/jpeg;base64,"));
    }

    #[test]
    fn direction_and_language_follow_the_cv() {
        let cv = Cv {
            language: Some("ar".into()),
            ..Cv::default()
        };
        assert!(write(&cv).contains("<html lang=\"ar\" dir=\"rtl\">"));
        assert!(write(&Cv::default()).contains("<html lang=\"en\" dir=\"ltr\">"));
    }

    #[test]
    fn a_picture_cannot_leave_its_attribute() {
        let cv = Cv {
            photo_url: Some("data:image/png;base64,AA\" onerror=\"x".into()),
            ..Cv::default()
        };
        assert!(!write(&cv).contains("onerror"));
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in "[a-z<>&\"'/ =]{0,40}") {
            let cv = cv::normalise(&json!({
                "full_name": text, "profile": text, "email": text, "phone": text,
                "links": [{"label": text, "url": text}],
                "work_experience": [{"title": text, "employer": text, "date_range": text, "bullets": [text]}],
            }));
            let Ok(cv) = cv else { return Ok(()); };
            let html = write(&cv.cv);
            let tags = |html: &str| html.matches('<').count() - html.matches("</a>").count() * 2;
            let harmless = cv::normalise(&json!({
                "full_name": "x", "profile": "x", "email": "x", "phone": "x", "links": [{"label": "x", "url": "javascript:x"}],
                "work_experience": [{"title": "x", "employer": "x", "date_range": "x", "bullets": ["x"]}],
            })).unwrap();
            prop_assert!(tags(&html) <= tags(&write(&harmless.cv)));
        }
    }
}
