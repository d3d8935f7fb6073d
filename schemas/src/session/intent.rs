//! What a chat message asks for: an edit, the PDF, or neither. Fixed words, no model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// What a message asks for. Both can be set; then the edit comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Intent {
    /// It holds a word of change.
    pub edit: bool,
    /// It asks for the document.
    pub generate: bool,
}

/// Words of change, by language. Forms are listed, because a common beginning would also find
/// `editor` and `fixture`.
const EDIT: &[&str] = &[
    // en
    "change",
    "changes",
    "changed",
    "changing",
    "edit",
    "edits",
    "edited",
    "editing",
    "update",
    "updates",
    "updated",
    "updating",
    "modify",
    "modifies",
    "modified",
    "modifying",
    "modification",
    "modifications",
    "fix",
    "fixes",
    "fixed",
    "fixing",
    "revise",
    "revises",
    "revised",
    "revising",
    "revision",
    "adjust",
    "adjusts",
    "adjusted",
    "adjusting",
    "add",
    "remove",
    "delete",
    "replace",
    "rename",
    "rewrite",
    "shorten",
    "undo",
    "correction",
    "corrections",
    // pl
    "zmień",
    "zmien",
    "zmienić",
    "zmieniam",
    "zmieniaj",
    "popraw",
    "poprawić",
    "poprawmy",
    "cofnij",
    "cofnąć",
    "dodaj",
    "dodać",
    "dopisz",
    "usuń",
    "usun",
    "usunąć",
    "jednak",
    "inaczej",
    "edytuj",
    "edytować",
    "zaktualizuj",
    "zaktualizować",
    "skróć",
    "zamień",
    "przeredaguj",
    // de
    "ändere",
    "ändern",
    "änderung",
    "änderungen",
    "ändre",
    "aendere",
    "aendern",
    "geändert",
    "bearbeite",
    "bearbeiten",
    "korrigiere",
    "korrigieren",
    "korrektur",
    "aktualisiere",
    "aktualisieren",
    "anpassen",
    "passe",
    "ergänze",
    "ergänzen",
    "hinzufügen",
    "füge",
    "entferne",
    "entfernen",
    "lösche",
    "löschen",
    "ersetze",
    "ersetzen",
    "überarbeite",
    "überarbeiten",
    "verbessere",
    "verbessern",
    "kürze",
    "kürzen",
    "umformulieren",
];

const EDIT_PHRASES: &[&str] = &["nie tak"];

/// Phrases that say that nothing is to be changed; taken out before words of change are looked for.
const NO_EDIT: &[&str] = &[
    "no changes",
    "no change",
    "no edits",
    "no further changes",
    "no more changes",
    "no further edits",
    "no more edits",
    "no modifications",
    "no updates",
    "no corrections",
    "without changes",
    "without any changes",
    "without edits",
    "nothing to change",
    "nothing to fix",
    "don't change anything",
    "do not change anything",
    "bez zmian",
    "bez poprawek",
    "nic nie zmieniaj",
    "keine änderungen",
    "keine änderung",
    "ohne änderungen",
    "keine korrekturen",
    "nichts ändern",
];

/// Words that ask for the document.
const GENERATE: &[&str] = &[
    // en
    "generate",
    "generating",
    "generated",
    "proceed",
    "final",
    "finalize",
    "finalise",
    "pdf",
    "export",
    "download",
    // pl
    "generuj",
    "generować",
    "wygeneruj",
    "wygenerować",
    "kontynuuj",
    // de
    "generiere",
    "generieren",
    "erzeuge",
    "erzeugen",
    "fortfahren",
    "exportiere",
    "exportieren",
];

const GENERATE_PHRASES: &[&str] = &["go ahead"];

/// A verb of making with a word for the document after it asks for the document.
const MAKE: &[&str] = &[
    "create",
    "make",
    "build",
    "produce",
    "prepare",
    "print",
    "render",
    "stwórz",
    "stworz",
    "utwórz",
    "utworz",
    "zrób",
    "zrob",
    "przygotuj",
    "erstelle",
    "erstellen",
    "mach",
    "mache",
    "drucke",
];

const DOCUMENT: &[&str] = &[
    "cv",
    "cvs",
    "resume",
    "résumé",
    "document",
    "życiorys",
    "dokument",
    "lebenslauf",
];

/// Phrases that put it off; then the document is not asked for.
const NOT_YET: &[&str] = &[
    "don't generate",
    "do not generate",
    "dont generate",
    "not generate",
    "don't create",
    "do not create",
    "don't make",
    "do not make",
    "don't proceed",
    "do not proceed",
    "not yet",
    "nie generuj",
    "nie twórz",
    "jeszcze nie",
    "noch nicht",
    "nicht generieren",
    "nicht erstellen",
];

/// Reads a message. English, Polish and German words count at once.
pub fn intent(message: &str) -> Intent {
    let mut text = String::from(" ");
    // What a person types holds apostrophes of both kinds.
    for c in message.nfc().flat_map(char::to_lowercase).take(20_000) {
        match c {
            '\u{2019}' | '\'' => text.push('\''),
            c if c.is_alphanumeric() => text.push(c),
            _ if text.ends_with(' ') => {}
            _ => text.push(' '),
        }
    }
    text.push(' ');
    let has = |text: &str, phrases: &[&str]| {
        phrases
            .iter()
            .any(|phrase| text.contains(&format!(" {phrase} ")))
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let any = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let made = words.iter().position(|word| MAKE.contains(word));
    let makes = made.is_some_and(|at| words[at..].iter().any(|word| DOCUMENT.contains(word)));
    let generate = any(GENERATE) || has(&text, GENERATE_PHRASES) || makes;
    let put_off = has(&text, NOT_YET);

    let mut rest = text.clone();
    for phrase in NO_EDIT {
        rest = rest.replace(&format!(" {phrase} "), " ");
    }
    let edit = rest.split_whitespace().any(|word| EDIT.contains(&word)) || has(&rest, EDIT_PHRASES);
    Intent {
        edit,
        generate: generate && !put_off,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_ask_for_edits_for_the_document_or_for_neither() {
        let check = |message: &str, edit: bool, generate: bool| {
            assert_eq!(intent(message), Intent { edit, generate }, "{message}");
        };
        check("Please change my title", true, false);
        check("Update the profile, then generate the PDF.", true, true);
        check("zmień tytuł", true, false);
        check("Nie tak, inaczej!", true, false);
        check("to nie tak", true, false);
        check("Usuń ostatni punkt", true, false);
        check("Bitte ändere den Titel", true, false);
        check("Lösche die Interessen", true, false);
        check("generate pdf", false, true);
        check("Go ahead.", false, true);
        check("proceed", false, true);
        check("FINAL", false, true);
        check("pdf?", false, true);
        check("create a CV", false, true);
        check("make me a really good résumé", false, true);
        check("make it shorter", false, false);
        check("generuj PDF", false, true);
        check("Erstelle den Lebenslauf", false, true);
        check("No changes, generate it", false, true);
        check("ohne Änderungen: PDF bitte", false, true);
        check("bez zmian, generuj", false, true);
        check("don’t generate yet", false, false);
        check("Jeszcze nie generuj", false, false);
        check("I was an editor of fixtures", false, false);
        check("Hello, what can you do?", false, false);
        check("", false, false);
    }
}
