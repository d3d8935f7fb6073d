//! A CV as Markdown (CommonMark 0.31): for editors, tickets and language models.

use schemas::cv::Cv;

use crate::view::{Contact, Content, View};

/// The CV as Markdown. The photo is left out; text that would read as markup is escaped.
pub fn write(cv: &Cv) -> String {
    let view = View::of(cv);
    let mut out = format!("# {}\n", escape(view.title));
    if !view.contact.is_empty() {
        out.push('\n');
    }
    for line in &view.contact {
        let line = match line {
            Contact::Text(text) => escape(text),
            Contact::Link(text, None) => escape(text),
            Contact::Link(text, Some(target)) => {
                format!("[{}](<{}>)", escape(text), target.replace(['<', '>'], ""))
            }
        };
        out.extend(["- ", &line, "\n"]);
    }
    for (title, content) in &view.sections {
        out.extend(["\n## ", title, "\n"]);
        match content {
            Content::Paragraph(text) => out.extend(["\n", &escape(text), "\n"]),
            Content::Items(items) => list(&mut out, items),
            Content::Entries(entries) => {
                for entry in entries {
                    out.extend(["\n### ", &escape(entry.title), "\n"]);
                    let facts = [escape(&entry.place), escape(&entry.dates)];
                    let facts: Vec<_> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
                    if !facts.is_empty() {
                        out.extend(["\n", &facts.join(" · "), "\n"]);
                    }
                    list(&mut out, entry.items);
                }
            }
        }
    }
    if let Some(clause) = view.clause {
        out.extend(["\n---\n\n", &escape(clause), "\n"]);
    }
    out
}

fn list(out: &mut String, items: &[String]) {
    if !items.is_empty() {
        out.push('\n');
    }
    for item in items {
        out.extend(["- ", &escape(item), "\n"]);
    }
}

/// Text that stays text: CommonMark takes a backslash before any ASCII punctuation. Those
/// characters are escaped that mean something within a line, or at its start.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    // An ordered list would begin where a line begins with figures and a dot or bracket.
    let figures = text.bytes().take_while(u8::is_ascii_digit).count();
    for (at, c) in text.char_indices() {
        let marks = matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '|'
        );
        let starts = at == 0 && matches!(c, '#' | '+' | '-' | '=');
        let orders = at == figures && at > 0 && matches!(c, '.' | ')');
        if marks || starts || orders {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use schemas::cv;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cv_reads_well() {
        let cv = json!({
            "full_name": "Ida Morrow", "email": "ida@example.com", "phone": "+44 1", "language": "de",
            "profile": "Setzt *alles* in C# und <b>.",
            "work_experience": [{"date_range": "2020-01 – Present", "employer": "Press", "location": "Leeds",
                "title": "1. Setzerin", "bullets": ["# 40 Bücher", "- mehr"]}],
            "education": [], "languages": [{"language": "Deutsch", "level": "C1"}],
            "links": [{"label": "Code", "url": "git.example.com"}, "javascript:alert(1)"],
        });
        let markdown = write(&cv::normalise(&cv).unwrap().cv);
        let expected = "# Ida Morrow\n\n- +44 1\n- [ida@example.com](<mailto:ida@example.com>)\n\
            - [Code](<https://git.example.com>)\n- javascript:alert(1)\n\n## Profil\n\n\
            Setzt \\*alles\\* in C# und \\<b\\>.\n\n## Berufserfahrung\n\n### 1\\. Setzerin\n\n\
            Press, Leeds · 2020-01 – heute\n\n- \\# 40 Bücher\n- \\- mehr\n\n## Sprachen\n\n- Deutsch (C1)\n";
        let expected = expected.replace("- +44", "- \\+44");
        assert_eq!(markdown, expected);
    }

    #[test]
    fn an_empty_cv_is_a_title() {
        assert_eq!(write(&Cv::default()), "# CV\n");
    }
}
