//! Names of languages, in many languages.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::fold;

static STEMS: LazyLock<HashSet<String>> =
    LazyLock::new(|| NAMES.split_whitespace().map(fold).collect());
static LEVEL_STEMS: LazyLock<HashSet<String>> =
    LazyLock::new(|| LEVELS.split_whitespace().map(fold).collect());

/// Stems of five letters and more stand for all that begins with them; shorter ones are whole words.
const NAMES: &str = "english englisch angielsk ingles anglais inglese engels anglick anglictin engelsk англійськ английск \
german germana deutsch niemieck aleman allemand tedesco duits nemeck nemcin tyska німецьк немецк alemao \
polish polnisch polsk polski polaco polonais polacco pools polstin polska польськ польск \
spanish spanisch hiszpansk espanol castellano espagnol spagnolo spaans spanel spanska іспанськ испанск espanhol \
french franzosisch francusk frances francais francese frans francouz franska французьк французск \
italian italienisch wlosk italiano italien italiaans italsk italska італійськ итальянск \
ukrainian ukrainisch ukrainsk ucraniano ukrainien ucraino oekrains ukrajin українськ украинск \
russian russisch rosyjsk ruso russe russo rusky rustin ryska російськ русск \
portuguese portugiesisch portugalsk portugues portugais portoghese portugees portugal португальськ \
dutch niederlandisch niderlandzk holender neerlandes holandes neerlandais olandese nederlands nizozem nederlandska нідерландськ голландськ flemish \
czech tschechisch czesk checo tcheque ceco tsjechisch cesky cestina tjeckiska чеськ чешск \
slovak slowakisch slowack eslovaco slovaque slovacco slovensk slovencin словацьк \
swedish schwedisch szwedzk sueco suedois svedese zweeds svedsk svenska шведськ \
norwegian norwegisch norwesk noruego norvegien norvegese noors norstin norska norsk норвезьк \
danish danisch dunsk danes danois danese deens danstin danska данськ \
finnish finnisch finsk fines finlandes finnois finlandese fins finstin finska фінськ \
hungarian ungarisch wegiersk hungaro hongrois ungherese hongaars madars ungerska угорськ magyar \
romanian rumanisch rumunsk rumano roumain rumeno roemeens румунськ romana \
bulgarian bulgarisch bulgarsk bulgaro bulgare болгарськ \
croatian kroatisch chorwack croata croate croato хорватськ serbian serbisch serbsk serbio serbe serbo сербськ slovenian slowenisch slowensk bosnian bosnisch \
greek griechisch grecki greckie greco griego grec grieks recky rectin grekiska грецьк \
turkish turkisch tureck turco turc turks turectin turkiska турецьк \
arabic arabisch arabsk arabe arabo arabska арабськ hebrew hebraisch hebrajsk hebreo hebreu ebraico іврит \
chinese chinesisch chinsk chino chinois cinese chinees cinsk cinstin kinesiska китайськ mandarin mandarynsk cantonese \
japanese japanisch japonsk japones japonais giapponese japans japanska японськ korean koreanisch koreansk coreano coreen корейськ \
hindi urdu bengali punjabi tamil telugu persian persisch persa farsi vietnamese vietnamesisch wietnamsk thai indonesian malay tagalog swahili yoruba igbo hausa zulu afrikaans amharic \
irish welsh gaelic scots catalan katalanisch katalonsk catala catalana asturian aragones euskera basque baskisch vasco gallego galician galego latin latein lacin latina lateinisch \
lithuanian litauisch litewsk lituano lettisch latvian lotewsk estonian estnisch eston belarusian belarusisch bialorusk білоруськ georgian georgisch gruzinsk armenian armenisch albanian albanisch albansk kurdish kurdisch esperanto maltese icelandic gebardensprache \
fries friese kaszubski kaszub occitano bretone friulano sardo ladino sloveno slovene sloveens slovinsk slovinstin словенськ slovenska serviska serbo-croatian bengalisch latvisk litauiska ukrainska polonés ucraino rumunstin rumeno bulharstin chorvatstin srbstin madarstin svedstin finstin latinstin portugalstin hebrejstin svahili katalán sueco \
sign luxembourgish luxemburgisch rumantsch letzebuergesch tigrinya somali pashto dari uzbek kazakh azerbaijani macedonian mazedonisch plattdeutsch niederdeutsch breton bretonisch corsican occitan friesisch frisian sorbisch kashubian kaszubsk slask schweizerdeutsch";

/// Words that stand before the name: "język angielski", "lengua inglesa".
const BEFORE: &[&str] = &[
    "jezyk",
    "j",
    "j.",
    "lengua",
    "langue",
    "lingua",
    "idioma",
    "мова",
    "language",
    "in",
    "british",
    "american",
    "modern",
    "brazilian",
    "swiss",
    "austrian",
    "mandarin",
    "simplified",
];

const LEVELS: &str = "native mother muttersprache muttersprachlich ojczyst natyw nativ matern madrelingua tongue bilingual bilingue zweisprachig fluent fliessend biegl plynn fluid courant fluente vloeiend plynule flytande conversational komunikatyw verhandlungssicher business basic beginner grundkenntnisse grund podstaw basico notions elementare intermediate sredni advanced zaawans fortgeschritten avanzado avance avanzato gut sehr good excellent proficient working professional рідна вільн середн базов початк розмовн носій a1 a2 b1 b2 c1 c2 upper lower elementary limited schulkenntnisse erweitert konversation perfect perfekt level niveau poziom nivel livello рівень dobr bardzo dobry very muy molto tres дуже velmi heel madre macierzyst scolaire expert experto confirme confirmado maitris intermediaire intermedio debutant buono ottimo moedertaal modersmal materstina rodily";

/// The byte length of a language's name at the start of a text, "język" and the like included.
pub(crate) fn language_at_start(text: &str) -> Option<usize> {
    let mut at = 0;
    for _ in 0..3 {
        let rest = &text[at..];
        let skipped = rest.len() - rest.trim_start().len();
        let start = at + skipped;
        let word = text[start..]
            .split(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '.' | '’')))
            .next()
            .unwrap_or_default();
        if word.is_empty() {
            return None;
        }
        let folded = fold(word);
        if is_language(folded.trim_end_matches('.')) {
            let end = start + word.trim_end_matches('.').len();
            return Some(second_word(text, end));
        }
        if !BEFORE.contains(&folded.trim_end_matches('.')) {
            return None;
        }
        at = start + word.len();
    }
    None
}

/// Whether a text speaks of how well a language is known.
pub(crate) fn level_words(text: &str) -> bool {
    let folded = fold(text);
    super::words(&folded).any(|word| has_stem(&LEVEL_STEMS, word, 4, usize::MAX))
}

/// Whether a word is in the set, or begins with one of at least `least` letters that is, followed
/// by at most `more`.
fn has_stem(stems: &HashSet<String>, word: &str, least: usize, more: usize) -> bool {
    let count = word.chars().count();
    let ends = word.char_indices().map(|(at, _)| at).enumerate();
    stems.contains(word)
        || ends
            .skip(least)
            .any(|(letters, end)| count - letters <= more && stems.contains(&word[..end]))
}

/// "англійська мова", "lengua de signos", "Deutsche Gebärdensprache": the noun belongs to the name.
fn second_word(text: &str, end: usize) -> usize {
    let rest = &text[end..];
    let Some(next) = rest.strip_prefix(' ') else {
        return end;
    };
    let word = next
        .split(|c: char| !c.is_alphabetic())
        .next()
        .unwrap_or_default();
    let nouns = ["мова", "language", "gebardensprache"];
    if nouns.contains(&fold(word).as_str()) {
        end + 1 + word.len()
    } else {
        end
    }
}

fn is_language(folded: &str) -> bool {
    has_stem(&STEMS, folded, 5, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_with_what_belongs_to_them() {
        let check = |text: &str, want: Option<&str>| {
            assert_eq!(language_at_start(text).map(|n| &text[..n]), want, "{text}");
        };
        check("English (native)", Some("English"));
        check("język angielski – C1", Some("język angielski"));
        check("j. niemiecki B2", Some("j. niemiecki"));
        check("Англійська мова: B2", Some("Англійська мова"));
        check("Français : courant", Some("Français"));
        check("Rust", None);
        check("Excel", None);
    }
}
