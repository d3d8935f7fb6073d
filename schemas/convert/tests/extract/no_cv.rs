//! Documents that are no CV: an error that says so, and never an invented person.

use convert::{Error, Limits, text};

fn refused(document: &str) {
    let result = text::read(document, &Limits::default());
    assert_eq!(result.map(|e| e.cv), Err(Error::NoCv), "{document}");
}

#[test]
fn an_empty_document() {
    refused("");
    refused("\n\n \t\n");
    refused("Curriculum Vitae");
}

#[test]
fn a_letter() {
    refused(
        "Marta Lindqvist\n12 Harbour Road\nCork T12 XX99\nmarta@example.com\n+353 21 555 0101\n\n4 March 2024\n\n\
         Dear Mr Doyle,\n\nthank you for your letter of 12 January 2024. I have worked in our archive since 2015 and \
         know the building well, so I can confirm that the roof was repaired between 2018 and 2020.\n\n\
         Yours sincerely,\nMarta Lindqvist\nHead Archivist",
    );
    refused(
        "Anwaltskanzlei Brehm & Partner\nSehr geehrte Frau Wolters,\n\nvielen Dank für Ihr Schreiben vom 3. Mai 2023. \
         Wir vertreten die Interessen unserer Mandantin seit 2019.\n\nMit freundlichen Grüßen\nDr. Peter Brehm\nRechtsanwalt",
    );
}

#[test]
fn a_recipe() {
    refused(
        "Grandmother's Plum Cake\n\nIngredients\n• 500 g plums\n• 250 g flour\n• 3 eggs\n\nMethod\n1. Heat the oven to \
         180 degrees.\n2. Stone the plums.\n3. Bake for 45 minutes.\n\nTools\nBowl, whisk, baking tin\n\nNotes\nFirst baked in 1975.",
    );
}

#[test]
fn a_contract() {
    refused(
        "EMPLOYMENT CONTRACT\n\nbetween Farrow Mills Ltd, 8 Mill Lane, Leeds LS99 1AA\nand Joanna Pike, born 3 May 1990\n\n\
         1. Term\nThe contract runs from 01/2024 to 12/2025.\n\n2. Duties\nThe employee works as a Weaver.\n\n\
         3. Training\nThe employer pays for training.\n\n4. Data protection\nBoth sides keep the law.\n\nLeeds, 2 January 2024",
    );
}

#[test]
fn a_job_advertisement() {
    refused(
        "Warehouse Manager (m/f/d)\nNordhafen Logistik GmbH, Bremen\n\nResponsibilities\n• Lead 30 people\n\nSkills\n\
         • SAP\n• Excel\n\nEducation\nDegree in logistics\n\nLanguages\nGerman, English\n\nContact\njobs@example.de\n+49 421 555 010",
    );
}

#[test]
fn plain_text_of_a_cv_is_read() {
    let cv = "Tomasz Wrzosek\nul. Polna 3, 00-999 Warszawa | tel. +48 555 111 222 | t.wrzosek@example.pl\n\n\
              DOŚWIADCZENIE ZAWODOWE\n\n2019 – obecnie   Młyn Zdrój S.A., Warszawa\nKierownik produkcji\n- nadzór nad zmianą\n- raporty\n\n\
              2015 – 2019   Piekarnia Kłos, Łódź\nTechnolog żywności\n- kontrola jakości\n\n\
              WYKSZTAŁCENIE\n2010 – 2015   Politechnika Łódzka\nmagister inżynier, technologia żywności\n\n\
              JĘZYKI\nangielski – B2\n\nUMIEJĘTNOŚCI\nHACCP, Excel\n";
    let cv = text::read(cv, &Limits::default()).unwrap().cv;
    assert_eq!(cv.full_name, "Tomasz Wrzosek");
    assert_eq!(cv.email, "t.wrzosek@example.pl");
    assert_eq!(cv.phone, "+48 555 111 222");
    assert_eq!(cv.address_lines, ["ul. Polna 3", "00-999 Warszawa"]);
    let work: Vec<_> = cv
        .work_experience
        .iter()
        .map(|w| {
            (
                w.date_range.as_str(),
                w.employer.as_str(),
                w.title.as_str(),
                w.bullets.len(),
            )
        })
        .collect();
    assert_eq!(
        work,
        [
            (
                "2019 – obecnie",
                "Młyn Zdrój S.A.",
                "Kierownik produkcji",
                2
            ),
            ("2015 – 2019", "Piekarnia Kłos", "Technolog żywności", 1)
        ]
    );
    assert_eq!(cv.education[0].institution, "Politechnika Łódzka");
    assert_eq!(cv.it_ai_skills, ["HACCP", "Excel"]);
    assert_eq!(cv.languages[0].level.as_deref(), Some("B2"));
}
