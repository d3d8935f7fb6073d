//! The consent to the processing of personal data that some countries expect on a CV.

use super::fold;

/// Words for personal data, and words for consent: a clause has both.
const DATA: &[&str] = &[
    "danych osobowych",
    "personal data",
    "personenbezogen",
    "datos personales",
    "datos de caracter personal",
    "персональних даних",
    "персональных данных",
    "donnees personnelles",
    "donnees a caractere personnel",
    "dati personali",
    "dados pessoais",
    "persoonsgegevens",
    "osobnich udaju",
    "personuppgifter",
    "rodo",
    "gdpr",
    "dsgvo",
    "rgpd",
    "2016/679",
    "meine daten",
    "meiner daten",
];
const CONSENT: &[&str] = &[
    "wyrazam",
    "zgod",
    "zgadzam",
    "zezwalam",
    "permission",
    "erlaube",
    "gestatte",
    "permito",
    "permets",
    "дозвол",
    "consent",
    "agree",
    "authoris",
    "authoriz",
    "einwillig",
    "einverstanden",
    "stimme",
    "zustimm",
    "autoriz",
    "consient",
    "consent",
    "згод",
    "даю",
    "надаю",
    "согла",
    "autoris",
    "acconsent",
    "concord",
    "consinto",
    "toestemming",
    "souhlas",
    "samtyck",
    "hereby",
];

/// Whether a paragraph is such a clause: whole sentences that name personal data and a consent.
pub(crate) fn is_privacy_clause(text: &str) -> bool {
    if text.chars().count() < 60 {
        return false;
    }
    let folded = fold(text);
    let has = |words: &[&str]| words.iter().any(|word| folded.contains(word));
    has(DATA) && has(CONSENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_told_from_talk_about_data_protection() {
        let check = |text: &str, want: bool| assert_eq!(is_privacy_clause(text), want, "{text}");
        check(
            "Zgadzam się na przetwarzanie przez pracodawcę moich danych osobowych.",
            true,
        );
        check(
            "Wyrażam zgodę na przetwarzanie moich danych osobowych w procesie rekrutacji.",
            true,
        );
        check(
            "I consent to the processing of my personal data for the purposes of recruitment.",
            true,
        );
        check(
            "Ich bin mit der Verarbeitung meiner Daten für die Dauer des Verfahrens einverstanden.",
            true,
        );
        check(
            "Autorizzo il trattamento dei miei dati personali ai sensi del Regolamento UE 2016/679.",
            true,
        );
        check(
            "Даю згоду на обробку моїх персональних даних відповідно до закону України.",
            true,
        );
        check(
            "Introduced GDPR-compliant storage of customer records in three countries and two regions",
            false,
        );
        check("Wyrażam zgodę", false);
    }
}
