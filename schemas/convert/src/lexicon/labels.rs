//! Labels of personal details: "Tel.:", "Geburtsdatum", "Obywatelstwo".

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold;

/// What a label says that its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    Name,
    FirstName,
    LastName,
    Address,
    Phone,
    Email,
    Web,
    Birth,
    Nationality,
    /// A detail that the CV has no field for: marital status, place of birth, gender.
    Other,
}

const LABELS: &[(Label, &str)] = &[
    (
        Label::Name,
        "name|full name|first name and surname|name and surname|first name(s) surname(s)|vor- und nachname|vor- und zuname|vollständiger name|imię i nazwisko|nazwisko i imię|nombre y apellidos|nombre completo|nombre|ім'я та прізвище|прізвище та ім'я|піб|прізвище, ім'я|ім'я|nom et prénom|prénom et nom|nom complet|nome e cognome|cognome e nome|nome|nome completo|naam|jméno a příjmení|jméno|namn|фио",
    ),
    (
        Label::FirstName,
        "first name|first names|first name(s)|forename|forenames|given name|given names|vorname|vornamen|imię|imiona|nombres|prénom|prénoms|voornaam|křestní jméno|förnamn",
    ),
    (
        Label::LastName,
        "surname|surname(s)|last name|family name|nachname|familienname|zuname|nazwisko|apellidos|apellido|прізвище|nom|nom de famille|cognome|apelido|sobrenome|achternaam|příjmení|efternamn",
    ),
    (
        Label::Address,
        "address|home address|postal address|location|residence|place of residence|current location|lives in|based in|anschrift|adresse|wohnort|wohnhaft|wohnhaft in|adres|adres zamieszkania|miejsce zamieszkania|zamieszkanie|zam.|dirección|domicilio|ciudad|residencia|lugar de residencia|адреса|місце проживання|місто|адреса проживання|domicile|ville|indirizzo|residenza|domicilio|città|endereço|morada|cidade|woonplaats|adresa|bydliště|adress|bostad|адрес|город|city|ort|residência|trvalé bydliště|woonadres|wohnung|zamieszkały|zamieszkała|проживання",
    ),
    (
        Label::Phone,
        "phone|phone number|telephone|telephone number|tel|tel.|mobile|mobile phone|mob|mob.|mobile number|cell|cell phone|contact number|landline|t|m|p|telefon|telefonnummer|telefon privat|mobil|mobiltelefon|handy|fon|rufnummer|festnetz|telefon komórkowy|numer telefonu|tel. kom.|tel. kom|kom.|tel./fax|nr telefonu|nr tel.|teléfono|móvil|teléfono móvil|tfno|tfno.|tlf|tlf.|teléf.|телефон|тел|тел.|моб|моб.|мобільний|моб. тел.|номер телефону|téléphone|portable|tél|tél.|téléphone portable|telefono|cellulare|cell.|recapito telefonico|telefone|telemóvel|celular|telefoon|telefoonnummer|mobiel|gsm|telefonní číslo|mobilní telefon|telefonnr|whatsapp|phone / whatsapp|komórka|telemovel|tlm.|contacto telefónico|tel. nr.|ruf|signal",
    ),
    (
        Label::Email,
        "email|e-mail|mail|email address|e-mail address|e|e-mail-adresse|email-adresse|adres e-mail|adres email|poczta|correo|correo electrónico|e-mail personal|електронна пошта|ел. пошта|пошта|e-mail адреса|courriel|adresse e-mail|adresse électronique|mél|posta elettronica|indirizzo e-mail|indirizzo email|correio eletrónico|e-mailadres|e-postadress|e-post|эл. почта|почта|mél.|correio electrónico|endereço eletrónico|elektronická pošta",
    ),
    (
        Label::Web,
        "web|website|web site|homepage|portfolio|linkedin|github|gitlab|xing|url|link|links|blog|profile|profiles|online|internet|www|strona|strona internetowa|strona www|página web|sitio web|perfil|сайт|вебсайт|портфоліо|site|site web|site internet|sito|sito web|orcid|stack overflow|behance|dribbble|researchgate|google scholar|skype|twitter|x|instagram|facebook|telegram|webseite|w|website / portfolio|linkedin profile|in",
    ),
    (
        Label::Birth,
        "date of birth|birth date|birthdate|born|born on|dob|d.o.b.|birthday|geburtsdatum|geboren|geboren am|geb.|geb. am|geburtstag|geboren in|geburtsdatum und -ort|geburtsdatum/-ort|data urodzenia|ur.|urodzony|urodzona|data i miejsce urodzenia|data ur.|rok urodzenia|fecha de nacimiento|nacido|nacida|nacido el|nacida el|f. de nacimiento|f. nacimiento|fecha nac.|дата народження|народився|народилася|рік народження|нар.|date de naissance|né le|née le|né(e) le|data di nascita|nato il|nata il|nato/a il|luogo e data di nascita|data de nascimento|nascimento|geboortedatum|geboren op|datum narození|narozen|narozena|födelsedatum|född|дата рождения|geburtsdatum und -ort|geburtsdatum, -ort|geburtsdatum / -ort|data i miejsce ur.|date and place of birth|fecha y lugar de nacimiento|date et lieu de naissance|data e luogo di nascita|дата та місце народження|дата нар.|дата нар|data nascimento|nascido|nascida|nascita|naissance|nacimiento|ur. dnia|geburtstag und -ort",
    ),
    (
        Label::Nationality,
        "nationality|nationalities|citizenship|citizen|citizenships|staatsangehörigkeit|staatsbürgerschaft|nationalität|staatsangehörigkeiten|obywatelstwo|narodowość|nacionalidad|ciudadanía|громадянство|національність|nationalité|citoyenneté|nazionalità|cittadinanza|nacionalidade|nationaliteit|státní občanství|národnost|státní příslušnost|nationalitet|medborgarskap|гражданство|občanství|citizenship status",
    ),
    (
        Label::Other,
        "eltern|vater|mutter|parents|father|mother|rodzice|dni|nif|nie|d.n.i.|n.i.f.|pesel|nip|codice fiscale|passport no|passport number|passport|personalausweis|military service|marital status|gender|sex|place of birth|driving licence|driving license|driver's license|civil status|children|work permit|visa|visa status|availability|available|available from|notice period|age|position|desired position|fax|familienstand|geburtsort|geschlecht|kinder|konfession|führerschein|verfügbarkeit|alter|verfügbar ab|stan cywilny|miejsce urodzenia|płeć|prawo jazdy|dyspozycyjność|wiek|estado civil|lugar de nacimiento|sexo|dni|nie|permiso de conducir|carné de conducir|carnet de conducir|edad|disponibilidad|сімейний стан|місце народження|стать|вік|водійські права|situation familiale|état civil|lieu de naissance|sexe|permis|permis de conduire|âge|disponibilité|stato civile|luogo di nascita|sesso|patente|codice fiscale|età|burgerlijke staat|geboorteplaats|geslacht|rijbewijs|rodinný stav|místo narození|pohlaví|civilstånd|kön|körkort",
    ),
];

static TABLE: LazyLock<HashMap<String, Label>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    for (label, phrases) in LABELS {
        for phrase in phrases.split('|') {
            table.entry(key(phrase)).or_insert(*label);
        }
    }
    table
});

/// What a driving licence is called; the short ones only at the beginning of a text.
const LICENCES: &str = "driving licence|driving license|driver's license|driver's licence|drivers license|fuhrerschein|fahrerlaubnis|prawo jazdy|permis de conduire|carne de conducir|carnet de conducir|permiso de conducir|patente di guida|patente o patenti|patenti|водіиське посвідчення|водіиські права|посвідчення водія|rijbewijs|ridicsky prukaz|carta de conducao|korkort|permis|patente|водительские права";

/// Whether a text speaks of a driving licence.
pub(crate) fn is_licence(text: &str) -> bool {
    let folded = fold(text);
    LICENCES.split('|').any(|phrase| {
        let Some(at) = folded.find(phrase) else {
            return false;
        };
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphabetic());
        (at == 0 || phrase.len() > 8 && ends(folded[..at].chars().next_back()))
            && ends(folded[at + phrase.len()..].chars().next())
    })
}

/// What a text is the label of, if it is one by itself; a colon at its end does not matter.
pub(crate) fn label(text: &str) -> Option<Label> {
    if text.len() > 60 {
        return None;
    }
    let key = key(text);
    if let Some(label) = TABLE.get(&key) {
        return Some(*label);
    }
    // "Tel / WhatsApp", "Telefon, E-Mail": the first counts.
    let first = key.split([',', '/', '(']).next()?.trim();
    (first.len() < key.len())
        .then(|| TABLE.get(first).copied())
        .flatten()
}

/// A label at the start of a text, and what follows it. Without a colon between them only labels
/// of four letters and more count, and abbreviations with a full stop.
pub(crate) fn label_prefix(text: &str) -> Option<(Label, &str)> {
    if let Some((before, after)) = text.split_once([':', '：'])
        && !after.starts_with("//")
        && let Some(found) = label(before)
    {
        return Some((found, after.trim()));
    }
    let mut best = None;
    for (at, _) in text.match_indices(' ').take(5) {
        let (before, after) = (&text[..at], text[at..].trim());
        let sure = before.ends_with('.') || before.chars().count() >= 3;
        if sure && let Some(found) = label(before) {
            best = Some((found, after));
        }
    }
    best
}

fn key(text: &str) -> String {
    let folded = fold(text.trim());
    let plain = folded.trim_matches(|c: char| !c.is_alphanumeric() && c != '(' && c != ')');
    let plain = plain.trim_end_matches('.');
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_before_their_values() {
        let check = |text: &str, want: Option<(Label, &str)>| {
            assert_eq!(label_prefix(text), want, "{text}");
        };
        check("Tel.: +49 30 1", Some((Label::Phone, "+49 30 1")));
        check("tel. +48 555", Some((Label::Phone, "+48 555")));
        check(
            "Date of birth: 1 May 1990",
            Some((Label::Birth, "1 May 1990")),
        );
        check("geb. am 1.5.1990", Some((Label::Birth, "1.5.1990")));
        check(
            "Громадянство: Україна",
            Some((Label::Nationality, "Україна")),
        );
        check("https://a.example", None);
        check("Anna Nowak", None);
    }
}
