//! Entries whose every part has a label, as in the older Europass forms: "Dates", "Occupation or
//! position held", "Name and address of employer".

use std::collections::HashMap;
use std::sync::LazyLock;

use super::entries::{Raw, trim};
use super::lines::Line;
use super::roles::{Part, Parts};
use crate::lexicon::fold;

/// Entries with their roles, and the labels that gave them.
pub(super) struct Labelled {
    pub(super) entries: Vec<(Raw, Parts)>,
    pub(super) labels: Vec<String>,
}

/// What a part of an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Dates,
    Title,
    Organisation,
    Place,
    Text,
}

const LABELS: &[(Field, &str)] = &[
    (
        Field::Dates,
        "dates|date|period|dates (from - to)|from - to|from-to|duration|zeitraum|datum|dauer|daten|okres|daty|okres zatrudnienia|data|czas|fechas|fecha|periodo|período|дати|період|період роботи|роки|дата|dates (de - a)|période|durée|date (da - a)|periodo di tempo|periode|období|period (from-to)|datas|data de início e fim|período de trabalho|dates (from – to)|employment dates|employment period|laufzeit|beschäftigungszeitraum|zeit|von - bis|von – bis|od - do|od – do|termin|lata|anno|anni|periodo lavorativo|années|année|jaar|van - tot|doba|rok|roky|termín|trvání|años|año|duración|duração|ano|anos|тривалість|час роботи|years|year|time|when|tijd|dates d'emploi",
    ),
    (
        Field::Title,
        "occupation or position held|position held|position|job title|role|occupation|title of qualification awarded|title of qualification|qualification awarded|qualification|degree|title|course|beruf oder funktion|funktion|position/funktion|stelle|tätigkeit als|bezeichnung der erworbenen qualifikation|abschluss|stanowisko|zajmowane stanowisko|zawód lub stanowisko|zawód|uzyskany tytuł|tytuł|kierunek|tytuł zawodowy|nazwa uzyskanych kwalifikacji|puesto|cargo|profesión o cargo desempeñado|puesto o cargo ocupados|título|titulación|título de la cualificación obtenida|titulación obtenida|посада|спеціальність|кваліфікація|ступінь|професія або посада|fonction|poste|fonction ou poste occupé|poste occupé|diplôme|intitulé du diplôme|intitulé du certificat ou diplôme délivré|posizione|ruolo|mansione|lavoro o posizione ricoperti|tipo di impiego|titolo|titolo della qualifica rilasciata|titolo di studio|qualifica conseguita|functie|pozice|função|função ou cargo ocupado|posto|categoria|designação da qualificação atribuída|grau|grau académico|curso|posizione ricoperta|titolo della qualifica|titolo conseguito|diploma conseguito|qualifica|functietitel|diploma|opleiding|studierichting|pracovní pozice|pracovní zařazení|funkce|obor|studijní obor|dosažené vzdělání|titul|job|post|post held|award|award title|programme|program|subject|field of study|area of study|berufsbezeichnung|tätigkeit|studiengang|studienfach|fachrichtung|ausbildung zum|ausbildung als|ausbildung|zawód wyuczony|kierunek studiów|specjalność|stopień|wykształcenie|puesto de trabajo|puesto ocupado|ocupación|estudios|grado|carrera|formation|intitulé du poste|métier|qualité|роль|напрям|фах|освіта",
    ),
    (
        Field::Organisation,
        "name and address of employer|employer|company|organisation|organization|name of employer|name and type of organisation providing education and training|name and type of organisation|school|university|institution|institute|name of institution|arbeitgeber|firma|unternehmen|name und adresse des arbeitgebers|name und anschrift des arbeitgebers|schule|hochschule|bildungseinrichtung|name und art der bildungs- oder ausbildungseinrichtung|pracodawca|nazwa firmy|nazwa i adres pracodawcy|uczelnia|szkoła|nazwa szkoły|nazwa i typ organizacji prowadzącej kształcenie lub szkolenie|empresa|empleador|nombre y dirección de la empresa|nombre y dirección del empleador|centro|centro de estudios|nombre y tipo de la organización que ha impartido la educación o la formación|роботодавець|компанія|організація|назва роботодавця|заклад освіти|навчальний заклад|назва навчального закладу|employeur|entreprise|nom et adresse de l'employeur|établissement|nom et type de l'établissement d'enseignement ou de formation|datore di lavoro|azienda|nome e indirizzo del datore di lavoro|istituto|nome e tipo d'organizzazione erogatrice dell'istruzione e formazione|nome e tipo di istituto di istruzione o formazione|werkgever|zaměstnavatel|empregador|entidade empregadora|entidade|instituição|instituição de ensino|escola|universidade|estabelecimento|estabelecimento de ensino|nome e endereço do empregador|nome e tipo da organização de ensino ou formação|ente|ente di formazione|istituto di formazione|scuola|università|società|organisatie|instelling|onderwijsinstelling|bedrijf|naam werkgever|universiteit|škola|název školy|instituce|společnost|název zaměstnavatele|organizace|univerzita|place of work|workplace|client|college|awarding body|training provider|einrichtung|träger|kunde|auftraggeber|betrieb|ausbildungsbetrieb|universität|instytucja|zakład pracy|miejsce pracy|uczelnia/szkoła|organización|institución|universidad|centro educativo|centro de trabajo|compañía|entité|société|organisme|école|université|lieu de formation|установа|підприємство|місце роботи|виш|університет",
    ),
    (
        Field::Place,
        "location|place|city|town|country|land|kraj|país|pays|paese|країна|ort|standort|miejsce|miejscowość|miasto|lugar|localidad|ciudad|місто|місце|lieu|ville|luogo|sede|città|plaats|místo|localidade|local|cidade|località|luogo di lavoro|woonplaats|stad|město|místo výkonu práce|lokalizacja|población",
    ),
    (
        Field::Text,
        "main activities and responsibilities|activities|responsibilities|duties|tasks|description|main duties|principal subjects/occupational skills covered|principal subjects|subjects|key responsibilities|achievements|wichtigste tätigkeiten und zuständigkeiten|aufgaben|tätigkeiten|hauptfächer/berufliche fähigkeiten|schwerpunkte|obowiązki|zakres obowiązków|główne działania i obowiązki|główne przedmioty|opis|actividades y responsabilidades principales|principales actividades y responsabilidades|funciones|tareas|principales materias|обов'язки|основні обов'язки|завдання|опис|principales activités et responsabilités|missions|activités|principales matières|attività e responsabilità principali|principali attività e responsabilità|principali mansioni e responsabilità|mansioni|attività|principali materie|taken|principais atividades e responsabilidades|atividades e responsabilidades|principais atividades|atividades|responsabilidades|tarefas|descrição|principais disciplinas|descrizione|compiti|werkzaamheden|taken en verantwoordelijkheden|omschrijving|verantwoordelijkheden|náplň práce|popis|činnost|popis práce|povinnosti|work done|key duties|details|summary of duties|inhalte|beschreibung|aufgabengebiet|tätigkeitsschwerpunkte|zadania|obowiązki i osiągnięcia|osiągnięcia|descripción|logros|réalisations|tâches|mission|описание|функції|досягнення",
    ),
];

static TABLE: LazyLock<HashMap<String, Field>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    for (field, labels) in LABELS {
        for label in labels.split('|') {
            table.entry(fold(label)).or_insert(*field);
        }
    }
    table
});

/// Whether a text is the label of a part of an entry.
pub(super) fn is_label(text: &str) -> bool {
    field(text).is_some()
}

/// The part of an entry that a label names.
pub(super) fn field(label: &str) -> Option<Field> {
    TABLE
        .get(fold(label.trim().trim_end_matches(':')).trim())
        .copied()
}

/// The entries of a section that is made of labelled parts; `None` for any other.
pub(super) fn entries(lines: &[Line]) -> Option<Labelled> {
    let labelled = lines.iter().filter(|line| label(line).is_some()).count();
    let kinds = [Field::Title, Field::Organisation, Field::Dates];
    let present = kinds.iter().filter(|kind| {
        lines
            .iter()
            .any(|line| label(line).is_some_and(|l| l.0 == **kind))
    });
    if labelled < 2 || present.count() < 2 {
        return None;
    }
    let mut all: Vec<(Raw, Parts)> = Vec::new();
    let mut seen: Vec<Field> = Vec::new();
    let mut labels = Vec::new();
    let mut open = Field::Text;
    for (index, line) in lines.iter().enumerate() {
        let (field, value) = match label(line) {
            Some((field, value, text)) => {
                labels.push(text);
                if all.is_empty() || seen.contains(&field) && field != Field::Text {
                    all.push((
                        Raw::default(),
                        Parts {
                            confidence: 0.95,
                            ..Parts::default()
                        },
                    ));
                    seen.clear();
                }
                seen.push(field);
                open = field;
                (field, value)
            }
            None => (open, line.plain()),
        };
        let Some((raw, parts)) = all.last_mut() else {
            // Text before the first label belongs to nothing yet.
            all.push((
                Raw::default(),
                Parts {
                    confidence: 0.6,
                    ..Parts::default()
                },
            ));
            if let Some((raw, _)) = all.last_mut() {
                raw.text.push((value, index));
            }
            continue;
        };
        if value.is_empty() {
            continue;
        }
        let part = || {
            Some(Part {
                text: trim(&value),
                line: index,
            })
        };
        match field {
            Field::Dates if raw.dates.is_none() => raw.dates = Some((value, index)),
            Field::Title if parts.title.is_none() => parts.title = part(),
            Field::Organisation if parts.organisation.is_none() => parts.organisation = part(),
            Field::Place if parts.place.is_none() => parts.place = part(),
            _ => raw.text.push((value, index)),
        }
    }
    Some(Labelled {
        entries: all,
        labels,
    })
}

/// The field that a line's label names, the value after it, and the label as written.
fn label(line: &Line) -> Option<(Field, String, String)> {
    if let Some((label, value)) = line.text.split_once([':', '\t'])
        && let Some(field) = field(label)
    {
        return Some((
            field,
            value
                .trim_start_matches(':')
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            label.to_owned(),
        ));
    }
    let first = line.cell.is_some_and(|c| c.cells > 1 && c.column == 0);
    let alone = first || line.text.ends_with(':');
    let field = field(&line.text).filter(|_| alone && (first || !line.bullet))?;
    Some((field, String::new(), line.text.clone()))
}
