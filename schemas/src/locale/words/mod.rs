//! The words of each language: one file each.

mod ar;
mod cs;
mod de;
mod el;
mod en;
mod es;
mod fr;
mod he;
mod it;
mod ja;
mod nl;
mod pl;
mod pt;
mod sv;
mod uk;
mod zh;

use super::Language;

pub(super) use zh::ZH_HANT;

/// Everything that a language brings along.
#[derive(Debug, PartialEq, Eq)]
pub struct Locale {
    /// Which language.
    pub language: Language,
    /// Its BCP 47 tag.
    pub tag: &'static str,
    /// Names of months.
    pub months: Months,
    /// How dates are put together.
    pub dates: DateForms,
    /// "Present" as the end of a range; the first is the one shown.
    pub present: &'static [&'static str],
    /// "Since" before a date; the first is the one shown. Where the language puts it after the
    /// date, there is none to show and [`DateForms::since_leads`] is false.
    pub since: &'static [&'static str],
    /// "To" between two dates, as it is read; a dash is what is shown.
    pub until: &'static [&'static str],
    /// Words of a CV.
    pub cv: CvWords,
    /// Words of a letter.
    pub letter: LetterWords,
    /// The footer: `{page}` and `{pages}` stand for the numbers.
    pub page: &'static str,
}

/// Names of months, January first.
#[derive(Debug, PartialEq, Eq)]
pub struct Months {
    /// With a year alone: `styczeń`.
    pub long: [&'static str; 12],
    /// Shortened, with its dot where it has one: `Jan.`.
    pub short: [&'static str; 12],
    /// With a day: `stycznia`.
    pub with_day: [&'static str; 12],
    /// After "since": `stycznia`.
    pub after_since: [&'static str; 12],
    /// Further forms that occur, with the month's number from 1.
    pub others: &'static [(&'static str, u8)],
}

/// How dates are put together. `{month}` is a name, `{mm}` a number of two figures, `{m}` of one
/// or two; `{d}` and `{dd}` are days.
#[derive(Debug, PartialEq, Eq)]
pub struct DateForms {
    /// A month in figures and a year: `{mm}/{year}`.
    pub figures: &'static str,
    /// A month's long name and a year.
    pub long: &'static str,
    /// A month's short name and a year.
    pub short: &'static str,
    /// A day with the month's name, as at the head of a letter.
    pub day: &'static str,
    /// A day in figures.
    pub day_figures: &'static str,
    /// A year alone.
    pub year: &'static str,
    /// "Since" stands before its date; else the range is shown with its "present".
    pub since_leads: bool,
}

/// Words of a CV.
#[derive(Debug, PartialEq, Eq)]
pub struct CvWords {
    /// What the document is: `CV`, `Lebenslauf`.
    pub document: &'static str,
    /// The alternative text of the photo; `{name}` is the person.
    pub photo: &'static str,
    /// The label of the birth date.
    pub born: &'static str,
    /// The label of the nationality.
    pub nationality: &'static str,
    /// Contact details, where a theme gives them a title.
    pub contact: &'static str,
    /// `profile`.
    pub profile: &'static str,
    /// `work_experience`.
    pub work: &'static str,
    /// `education`.
    pub education: &'static str,
    /// `further_experience`.
    pub further: &'static str,
    /// `languages`.
    pub languages: &'static str,
    /// `it_ai_skills`.
    pub skills: &'static str,
    /// `certifications`.
    pub certifications: &'static str,
    /// `trainings`.
    pub trainings: &'static str,
    /// `publications`.
    pub publications: &'static str,
    /// `interests`.
    pub interests: &'static str,
    /// `references`.
    pub references: &'static str,
}

/// Words of a cover letter. `{name}`, `{position}`, `{title}`, `{employer}`, `{dates}`, `{items}`
/// and `{institution}` are filled in as they stand, so no sentence inflects them.
#[derive(Debug, PartialEq, Eq)]
pub struct LetterWords {
    /// What the document is: `Cover letter`.
    pub document: &'static str,
    /// To a person of unknown gender, with the name.
    pub greeting_named: &'static str,
    /// To whom it may concern.
    pub greeting: &'static str,
    /// Before the name at the end.
    pub sign_off: &'static str,
    /// The subject line, with the position.
    pub subject: &'static str,
    /// The subject line without one.
    pub subject_plain: &'static str,
    /// What is enclosed.
    pub enclosure: &'static str,
    /// First sentence of a plain letter, with the position.
    pub apply_for: &'static str,
    /// First sentence of a plain letter without one.
    pub apply: &'static str,
    /// The present job.
    pub current: &'static str,
    /// The latest job, where it has ended.
    pub latest: &'static str,
    /// What was done in it: a list of the CV's own bullets.
    pub tasks: &'static str,
    /// The highest degree.
    pub education: &'static str,
    /// Skills.
    pub skills: &'static str,
    /// Languages.
    pub languages: &'static str,
    /// The last sentence.
    pub closing: &'static str,
}

/// The words of a language.
pub(super) fn of(language: Language) -> &'static Locale {
    match language {
        Language::En => &en::EN,
        Language::De => &de::DE,
        Language::Pl => &pl::PL,
        Language::Fr => &fr::FR,
        Language::Es => &es::ES,
        Language::It => &it::IT,
        Language::Pt => &pt::PT,
        Language::Nl => &nl::NL,
        Language::Cs => &cs::CS,
        Language::Uk => &uk::UK,
        Language::El => &el::EL,
        Language::Sv => &sv::SV,
        Language::Ar => &ar::AR,
        Language::He => &he::HE,
        Language::Ja => &ja::JA,
        Language::Zh => &zh::ZH,
    }
}
