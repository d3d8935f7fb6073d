//! The language that a text is written in, by its commonest words.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold;

const COMMON: &[(&str, &str)] = &[
    (
        "en",
        "the of and to in for with on by from as at an is that which my",
    ),
    (
        "de",
        "und der die das von mit fur im den des zur bei auf ein eine ist als sowie zum",
    ),
    (
        "pl",
        "i w z na do oraz dla przez od o ze jest nad pod mojej moich przy się",
    ),
    (
        "es",
        "de la el en y los del las con para por un una al se su como",
    ),
    (
        "fr",
        "de la le et les des du en pour dans avec un une sur au aux par",
    ),
    (
        "it",
        "di e il la del della in per con dei le un una nel alla gli da",
    ),
    (
        "pt",
        "de e da do em para com os na no uma das dos ao pela como um",
    ),
    (
        "nl",
        "de van en het een in met voor op te bij aan als tot door naar",
    ),
    ("cs", "a v na s pro z ve se od do ze k po pri jako byl nad"),
    (
        "sv",
        "och i av att for med som pa en till den det ett om fran vid",
    ),
    ("uk", "та і в на з у до за для від при під що як про із й"),
    ("ru", "и в на с по для от при за к из что как во об не"),
    ("el", "και το της του την για με από στο στη των τα οι ένα"),
];

const LETTERS: &[(&str, &str)] = &[
    ("uk", "іїєґІЇЄҐ"),
    ("cs", "ěřůĚŘŮ"),
    ("pl", "łąęśźżŁĄĘŚŹŻ"),
    ("sv", "åÅ"),
    ("de", "äöüßÄÖÜ"),
    ("es", "ñÑ¿¡"),
    ("pt", "ãõÃÕ"),
];

/// The language (BCP 47) whose common words occur most; `None` where there are too few.
pub(crate) fn guess_language(text: &str) -> Option<&'static str> {
    let folded = fold(text);
    let mut found = [0_usize; COMMON.len()];
    for word in folded.split(|c: char| !c.is_alphabetic()) {
        for tag in WORDS.get(word).into_iter().flatten() {
            found[*tag] += 1;
        }
    }
    let mut best = ("", 0);
    for ((tag, _), found) in COMMON.iter().zip(found) {
        if found > best.1 {
            best = (tag, found);
        }
    }
    // Letters that no other alphabet has speak where the words are too few.
    let own = |letters: &str| text.chars().filter(|c| letters.contains(*c)).count() >= 5;
    match best.1 {
        3.. => Some(best.0),
        _ => LETTERS
            .iter()
            .find(|(_, letters)| own(letters))
            .map(|(tag, _)| *tag),
    }
}

/// The languages, by their place in [`COMMON`], that each word is common in.
static WORDS: LazyLock<HashMap<String, Vec<usize>>> = LazyLock::new(|| {
    let mut words: HashMap<String, Vec<usize>> = HashMap::new();
    for (tag, (_, common)) in COMMON.iter().enumerate() {
        for word in common.split(' ').map(fold) {
            let tags = words.entry(word).or_default();
            if tags.last() != Some(&tag) {
                tags.push(tag);
            }
        }
    }
    words
});
