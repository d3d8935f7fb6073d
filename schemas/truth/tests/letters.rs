//! Cover letters and tailoring.

use schemas::cv::Cv;
use truth::{Languages, check_letter, tailoring};

const POSTING: &str = "Senior Backend Engineer (Rust / Payments) - Hexworth Clearing Ltd, Leeds\n\
    What we look for\n\
    - Seven or more years in backend engineering, Python or Rust\n\
    - Kafka, PostgreSQL and Kubernetes in production\n\
    - German (B2) and Spanish (B1)\n\
    We offer GBP 82,000 and a Peloton.";

fn cv(name: &str) -> Cv {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/data/sources/{name}.json"));
    let file = std::fs::read(path).expect("a file of the test data");
    let value = serde_json::from_slice(&file).expect("JSON");
    schemas::cv::normalise(&value).expect("a CV").cv
}

#[test]
fn a_letter_claims_what_the_cv_says() {
    let table = [
        (
            "en",
            "I am applying for the position of Senior Backend Engineer at Hexworth Clearing.",
            true,
        ),
        (
            "en",
            "At Tallowby Payments I maintain a settlement service with 1,200 transactions per minute.",
            true,
        ),
        ("en", "I have worked with Python and Go for 9 years.", true),
        ("en", "Your work with Kafka and Rust interests me.", true),
        ("en", "I have worked with Kafka for many years.", false),
        (
            "en",
            "I led a team of 12 developers at Tallowby Payments.",
            false,
        ),
        ("en", "I have 15 years of experience.", false),
        ("en", "I worked for Hexworth Clearing.", false),
        ("en", "I hold a PhD in Computer Science.", false),
        (
            "de",
            "Bei Tallowby Payments betreue ich einen Dienst mit 1.200 Transaktionen pro Minute.",
            true,
        ),
        (
            "de",
            "Ich bewerbe mich auf Ihre Stelle als Senior Backend Engineer bei Hexworth Clearing.",
            true,
        ),
        ("de", "Ich habe ein Team von 8 Entwicklern geleitet.", false),
        (
            "de",
            "Ich verfüge über Erfahrung mit Kubernetes und Terraform.",
            false,
        ),
        (
            "pl",
            "W Tallowby Payments utrzymuję usługę obsługującą 1 200 transakcji na minutę.",
            true,
        ),
        ("pl", "Kierowałam zespołem programistów.", false),
        ("en", "My CV is enclosed.", true),
        ("en", "Please find my CV attached as a PDF.", true),
        (
            "en",
            "I would welcome the opportunity to discuss the position with you.",
            true,
        ),
        (
            "en",
            "I am available from 1 March and look forward to hearing from you.",
            true,
        ),
        ("en", "Thank you for your time.", true),
        ("de", "Meinen Lebenslauf finden Sie in der Anlage.", true),
        (
            "de",
            "Über die Einladung zu einem Vorstellungsgespräch freue ich mich.",
            true,
        ),
        (
            "de",
            "Ich habe ein Budget von 2 Mio. Euro verantwortet.",
            false,
        ),
        ("de", "Ich bin zertifizierter Scrum Master.", false),
        ("pl", "W załączeniu przesyłam CV.", true),
        (
            "pl",
            "Z przyjemnością spotkam się z Państwem na rozmowie.",
            true,
        ),
        ("pl", "Posiadam certyfikat PMP.", false),
        ("fr", "Vous trouverez mon CV ci-joint.", true),
        ("es", "Adjunto mi CV.", true),
        ("en", "At Tallowby Payments I cut costs by 45%.", false),
        ("en", "I speak fluent Spanish.", false),
    ];
    let cv = cv("cv-01");
    for (to, text, honest) in table {
        let report = check_letter(
            &cv,
            &[text.to_owned()],
            Languages { from: "en", to },
            Some(POSTING),
        );
        assert_eq!(
            report.unsupported.is_empty(),
            honest,
            "{text}: {:?}",
            report.unsupported
        );
    }
}

#[test]
fn a_postings_terms_are_found_in_the_cv_or_missing() {
    let told = tailoring(&cv("cv-01"), POSTING, "en");
    let supported: Vec<_> = told
        .supported
        .iter()
        .map(|term| term.term.as_str())
        .collect();
    for term in ["Python", "PostgreSQL", "Kubernetes", "German"] {
        assert!(supported.contains(&term), "{term}: {told:?}");
    }
    for term in ["Rust", "Kafka", "Spanish"] {
        assert!(
            told.missing.iter().any(|missing| missing == term),
            "{term}: {told:?}"
        );
    }
    let python = told
        .supported
        .iter()
        .find(|term| term.term == "Python")
        .unwrap();
    assert!(
        python.paths.contains(&"it_ai_skills[0]".to_owned()),
        "{python:?}"
    );
    assert!(
        python
            .paths
            .contains(&"work_experience[1].bullets[0]".to_owned()),
        "{python:?}"
    );
    assert!(
        !told.missing.iter().any(|term| term.contains("Peloton")),
        "{told:?}"
    );
}
