//! The person: name, contact details and what else stands before the first section.

use super::dates;
use super::details;
use super::draft::{Draft, MOST};
use super::headings::Section;
use super::lines::{Line, Part};
use super::name;
use crate::lexicon::{self, Label};

/// A piece of a line of contact details.
struct Atom {
    label: Option<Label>,
    /// The label as it is written.
    says: String,
    text: String,
}

/// Whether a section holds contact details: the head of the document, headers, footers.
pub(super) fn is_contact(section: &Section) -> bool {
    section.kind == Some(lexicon::Kind::Contact)
        || (section.kind.is_none() && section.heading.is_none() && section.part != Part::Note)
}

/// Reads the name, then all other details. Gives back nothing: text without a place goes to the
/// profile if it is one, else to `unplaced`.
pub(super) fn read(sections: &[Section], draft: &mut Draft) {
    let name = name::find(sections, draft);
    let mut pending: Option<Label> = None;
    let mut says = String::new();
    let mut profile: Vec<(String, Line)> = Vec::new();
    for section in sections {
        let contact = section.kind.is_some();
        let lines: Vec<&Line> = section.lines.iter().collect();
        for (i, line) in lines.iter().enumerate() {
            let in_row = line.cell.is_some_and(|c| c.cells > 1);
            if in_row
                && line.cell.is_some_and(|c| c.column == 0)
                && let Some(label) = lexicon::label(&line.text)
            {
                pending = Some(label);
                says.clone_from(&line.text);
                draft.label(&line.text);
                continue;
            }
            if !in_row
                && !line.text.contains('\t')
                && line.text.trim_end().ends_with(':')
                && let Some(label) = lexicon::label(&line.text)
            {
                pending = Some(label);
                says.clone_from(&line.text);
                draft.label(&line.text);
                continue;
            }
            if in_row && line.cell.is_some_and(|c| c.column == 0) {
                pending = None;
            }
            if lexicon::is_document_title(&line.text) {
                draft.label(&line.text);
                continue;
            }
            if is_prose(line) {
                pending = None;
                profile.push((line.plain(), (*line).clone()));
                continue;
            }
            let mut atoms = atoms(line);
            if atoms.len() > MOST {
                draft.unplaced(&line.plain(), line);
                continue;
            }
            let carried = pending;
            if let Some(first) = atoms.first_mut()
                && first.label.is_none()
                && pending.is_some()
            {
                first.label = pending;
                first.says.clone_from(&says);
            }
            if !in_row {
                pending = None;
            }
            for atom in atoms {
                draft.label(&atom.says);
                place(
                    atom,
                    line,
                    carried,
                    (&name, contact),
                    lines.get(i + 1).copied(),
                    draft,
                );
            }
            for (target, shown) in &line.links {
                add_target(target, shown, line, draft);
            }
        }
        pending = None;
    }
    for (text, line) in profile {
        if line.part == Part::Footer || draft.has_headed_profile() {
            draft.unplaced(&text, &line);
        } else {
            draft.profile(&text, &line, 0.7);
        }
    }
}

fn is_prose(line: &Line) -> bool {
    let text = &line.text;
    let words = text.split(' ').count();
    words >= 9
        && !text.contains(['|', '@', '\t', '•'])
        && details::phone(text, false).is_none()
        && !details::has_street(text)
        && (text.contains(". ") || text.ends_with(['.', '!']) || words >= 14)
}

/// Cuts a line where tabs, bars, dots and dashes separate details.
fn atoms(line: &Line) -> Vec<Atom> {
    let text = &line.text;
    let mut pieces: Vec<String> = text
        .split([
            '\t', '|', '•', '·', '●', '■', '▪', '◆', '♦', '★', '∙', '⋅', ';', '¦', '~',
        ])
        .flat_map(cut_slashes)
        .collect();
    pieces = pieces
        .into_iter()
        .flat_map(|piece| cut_dashes(&piece))
        .collect();
    pieces = pieces
        .into_iter()
        .flat_map(|piece| cut_before_labels(&piece))
        .flat_map(|piece| cut_labels(&piece))
        .collect();
    let mut out: Vec<Atom> = Vec::new();
    let mut waiting = None;
    for piece in pieces {
        let piece = piece.trim_matches(|c: char| c.is_whitespace() || ",–—".contains(c));
        let piece =
            piece.trim_start_matches(|c: char| !(c.is_alphanumeric() || "+(„\"*@".contains(c)));
        if !piece.chars().any(char::is_alphanumeric) {
            continue;
        }
        // "Telefon<tab>+49 ...": the label has a piece of its own.
        if let Some(label) = lexicon::label(piece)
            && (text.contains('\t') || piece.ends_with(':'))
        {
            waiting = Some((label, piece.to_owned()));
            continue;
        }
        let (label, says, value) = match lexicon::label_prefix(piece) {
            Some((label, value)) if !value.is_empty() && fits(label, value) => (
                Some(label),
                piece[..piece.len() - value.len()].to_owned(),
                value,
            ),
            _ => {
                let (label, says) = waiting.take().unzip();
                (label, says.unwrap_or_default(), piece)
            }
        };
        waiting = None;
        out.push(Atom {
            label,
            says,
            text: value.to_owned(),
        });
    }
    out
}

/// Whether a value can be what its label says; "Mobil Oil" is no telephone.
fn fits(label: Label, value: &str) -> bool {
    match label {
        Label::Phone => value.chars().any(|c| c.is_ascii_digit()),
        Label::Email => value.contains('@'),
        Label::Birth => value.chars().any(|c| c.is_ascii_digit()),
        Label::Web => {
            details::link(value).is_some() || value.starts_with('@') || !value.contains(' ')
        }
        _ => true,
    }
}

/// At slashes, but for the one after a dialling code: "04651 / 555 0172".
fn cut_slashes(piece: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for part in piece.split(" / ") {
        let code = out.last().is_some_and(|last| {
            let word = last.rsplit([' ', ':']).next().unwrap_or_default();
            let digits = word.chars().filter(char::is_ascii_digit).count();
            (2..=6).contains(&digits)
                && word
                    .chars()
                    .all(|c| c.is_ascii_digit() || "+()".contains(c))
                && word.starts_with(['0', '+', '('])
        });
        match out.last_mut() {
            Some(last) if code && part.starts_with(|c: char| c.is_ascii_digit()) => {
                last.push_str(" / ");
                last.push_str(part);
            }
            _ => out.push(part.to_owned()),
        }
    }
    out
}

fn cut_dashes(piece: &str) -> Vec<String> {
    let holds = |part: &str| {
        details::email(part).is_some()
            || details::phone(part, false).is_some()
            || details::link(part).is_some()
            || lexicon::is_licence(part)
    };
    for dash in [" – ", " — ", " - "] {
        if piece.contains(dash) && piece.split(dash).any(holds) {
            return piece.split(dash).map(str::to_owned).collect();
        }
    }
    vec![piece.to_owned()]
}

/// "4 Mill Row Tel.: 555 0123 E-mail: a@b.example": labels with a colon that follow a value.
fn cut_before_labels(piece: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut start = 0;
    for (colon, _) in piece.match_indices(": ").take(MOST) {
        // The longest label of up to three words counts.
        let mut at = None;
        for (space, _) in piece[start..colon].rmatch_indices(' ').take(3) {
            let label = &piece[start + space + 1..=colon];
            if lexicon::label(label).is_some() {
                at = Some(start + space + 1);
            }
        }
        let whole = lexicon::label(&piece[start..=colon]).is_some();
        if let Some(at) = at.filter(|_| !whole) {
            out.push(piece[start..at].to_owned());
            start = at;
        }
    }
    out.push(piece[start..].to_owned());
    out
}

/// "Date of birth: 1 May 1990, Nationality: Irish"
fn cut_labels(piece: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for part in piece.split(", ") {
        let labelled = lexicon::label_prefix(part).is_some_and(|(label, value)| {
            !value.is_empty()
                && fits(label, value)
                && (part.contains(':')
                    || matches!(label, Label::Phone | Label::Birth | Label::Nationality))
        });
        let bare = details::email(part).is_some_and(|r| r.len() == part.trim().len())
            || details::phone(part, false).is_some_and(|r| r.len() == part.trim().len())
            || details::link(part).is_some_and(|r| r.len() == part.trim().len());
        match out.last_mut() {
            Some(last) if !labelled && !bare && !is_complete(last) => {
                last.push_str(", ");
                last.push_str(part);
            }
            _ => out.push(part.to_owned()),
        }
    }
    out
}

/// A detail that no further piece belongs to.
fn is_complete(text: &str) -> bool {
    let found = details::email(text)
        .or_else(|| details::phone(text, false))
        .or_else(|| details::link(text));
    found.is_some_and(|at| !text[at.end..].contains(char::is_alphabetic))
}

fn place(
    atom: Atom,
    line: &Line,
    carried: Option<Label>,
    known: (&str, bool),
    next: Option<&Line>,
    draft: &mut Draft,
) {
    let (name, contact) = known;
    let mut text = atom.text;
    let whole = super::entries::trim(&text);
    let sure = if atom.label.is_some() { 0.95 } else { 0.85 };
    let labelled = atom.label.or(carried);
    if let Some(found) = details::email(&text) {
        draft.email(&text[found.clone()], line, 0.97);
        text.replace_range(found, "");
    }
    while let Some(found) = details::link(&text) {
        draft.link(&text[found.clone()], line, 0.9);
        text.replace_range(found, "");
    }
    // Days and the numbers of documents have figures too.
    let figures = matches!(atom.label, Some(Label::Birth | Label::Other));
    if !figures && let Some(found) = details::phone(&text, atom.label == Some(Label::Phone)) {
        draft.phone(
            &text[found.clone()],
            line,
            if atom.label == Some(Label::Phone) {
                0.97
            } else {
                0.9
            },
        );
        text.replace_range(found, "");
    }
    let text = super::entries::trim(&text);
    if !text.chars().any(char::is_alphanumeric) || same_name(&text, name) {
        return;
    }
    if lexicon::label_prefix(&text).is_some_and(|(_, value)| value.is_empty()) {
        draft.label(&text);
        return;
    }
    if lexicon::label(&text).is_some()
        && text.chars().count() < 24
        && atom.label.is_none()
        && !details::has_street(&text)
    {
        draft.label(&text);
        return;
    }
    // What stands behind a labelled detail is something else: "Email a@b.example Perth, Scotland".
    let labelled = labelled.filter(|label| {
        !matches!(label, Label::Email | Label::Phone | Label::Web) || text == whole
    });
    match labelled {
        Some(Label::Birth) => {
            let found = dates::find(&text).into_iter().next();
            let (value, rest) = match &found {
                Some(date) => (
                    text[date.at.clone()].to_owned(),
                    format!("{} {}", &text[..date.at.start], &text[date.at.end..]),
                ),
                None => (text.clone(), String::new()),
            };
            draft.birth_date(&value, line, sure);
            draft.unplaced(&super::entries::trim(&rest), line);
        }
        Some(Label::Nationality) => draft.nationality(&text, line, sure),
        Some(Label::Address) => {
            for part in details::address_lines(&text) {
                draft.address(&part, line, sure);
            }
        }
        Some(Label::Web) if !text.contains(' ') => draft.link(&text, line, 0.7),
        Some(Label::Name | Label::FirstName | Label::LastName) => {}
        Some(_) if lexicon::is_licence(&atom.says) => {
            let whole = format!("{} {text}", atom.says.trim());
            draft.certification(&whole, line, 0.8);
        }
        Some(_) => draft.unplaced(&text, line),
        None if lexicon::is_licence(&text) && text.chars().count() <= 60 => {
            draft.certification(&text, line, 0.8);
        }
        None => {
            let is_address = details::has_street(&text) && text.chars().count() < 110
                || details::postcode(&text).is_some() && lexicon::job_score(&text) < 1.0;
            let known_place = lexicon::is_known_place(&text);
            let town = super::places::place_score(&text) > if contact { 0.0 } else { 1.0 }
                && lexicon::job_score(&text) < if known_place { 1.0 } else { 0.3 };
            // An institute's name above its street.
            let above = next.is_some_and(|next| {
                details::has_street(&next.text) || details::postcode(&next.text).is_some()
            }) && lexicon::organisation_score(&text).max(lexicon::school_score(&text))
                >= 1.0
                && lexicon::job_score(&text) < 1.0;
            // A number before the line with the postal code, a town after the street.
            let alone = super::entries::trim(&line.text) == text;
            let beside = alone
                && text.chars().count() <= 40
                && lexicon::job_score(&text) < 1.0
                && (text.contains(|c: char| c.is_ascii_digit())
                    && next.is_some_and(|next| {
                        details::postcode(&next.text).is_some()
                            && !details::has_street(&next.text)
                            && details::email(&next.text).is_none()
                    })
                    || text.starts_with("м. "));
            let above = above || beside;
            let day = dates::whole(&text).filter(|date| date.has_day);
            if is_address || above || (town && line.part != Part::Footer) {
                // Who uses a line for each part has cut it already.
                let parts = if draft.cv.address_lines.is_empty() {
                    details::address_lines(&text)
                } else {
                    vec![text.clone()]
                };
                for part in parts {
                    draft.address(&part, line, if is_address { 0.85 } else { 0.6 });
                }
            } else if day.is_some() && line.part != Part::Footer && draft.cv.birth_date.is_none() {
                draft.birth_date(&text, line, 0.5);
            } else {
                draft.unplaced(&text, line);
            }
        }
    }
}

/// A link that is not shown as an address: "LinkedIn", with the address behind it.
fn add_target(target: &str, shown: &str, line: &Line, draft: &mut Draft) {
    if let Some(address) = target.strip_prefix("mailto:") {
        let address = address.split('?').next().unwrap_or_default();
        if draft.cv.email.is_empty() && details::email(address).is_some() {
            draft.email(address, line, 0.9);
        }
        return;
    }
    let is_web = target.starts_with("http://") || target.starts_with("https://");
    if is_web && !shown.contains('@') && details::link(shown).is_none() {
        draft.link(target, line, 0.9);
    }
}

fn same_name(text: &str, name: &str) -> bool {
    !name.is_empty() && lexicon::fold(text) == lexicon::fold(name)
}
