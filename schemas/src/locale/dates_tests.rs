//! Dates: what is read, and how it is shown.

use crate::cv::{DateRange, End, Point};
use crate::locale::Language::{self, Ar, Cs, De, En, Es, He, Ja, Pl, Pt, Uk, Zh};
use crate::locale::{WrittenRange, show_dates, show_day};

#[test]
fn ranges_are_read_with_names_in_any_language() {
    let check = |text: &str, want: &str| {
        let point = |p: Point| match p.month {
            Some(month) => format!("{}-{month}", p.year),
            None => p.year.to_string(),
        };
        let shown = match WrittenRange::read(text).map(|written| written.range()) {
            None => "?".to_owned(),
            Some(DateRange { start, end: None }) => point(start),
            Some(DateRange {
                start,
                end: Some(End::Present),
            }) => format!("{} ..", point(start)),
            Some(DateRange {
                start,
                end: Some(End::At(end)),
            }) => {
                format!("{} .. {}", point(start), point(end))
            }
        };
        assert_eq!(shown, want, "{text}");
    };
    check("2020-01 – 2025-04", "2020-1 .. 2025-4");
    check("2020-01-2025-04", "2020-1 .. 2025-4");
    check("2019-2021", "2019 .. 2021");
    check("3/2020-4/2025", "2020-3 .. 2025-4");
    check("Sep 2016 – Dec 2019", "2016-9 .. 2019-12");
    check("Jan. 2018 to date", "2018-1 ..");
    check("Oct 2019 – to date", "2019-10 ..");
    check("wrzesień 2013 – obecnie", "2013-9 ..");
    check("od stycznia 2020 do marca 2021", "2020-1 .. 2021-3");
    check("enero de 2020 – actualidad", "2020-1 ..");
    check("von 03/2011 bis 09/2013", "2011-3 .. 2013-9");
    check("2022 bis heute", "2022 ..");
    check("2018 – do chwili obecnej", "2018 ..");
    check("seit 04/2017", "2017-4 ..");
    check("since March 2019", "2019-3 ..");
    check("كانون الثاني 2020 – حتى الآن", "2020-1 ..");
    check("2018年4月~現在", "2018-4 ..");
    check("2018年4月至今", "2018-4 ..");
    check("2011年", "2011");
    check("2015", "2015");
    check("May 2012–Dec 2017", "2012-5 .. 2017-12");
    check("07/2019 (2 Wochen)", "?");
    check("13/2019 – 01/2020", "?");
    check("01.01.2015 – 2016", "?");
    check("2019 – then", "?");
    check("2019 –", "?");
    check("since 2019 or so", "?");
    check("Brumaire 2019", "?");
    check("", "?");
    check("é", "?");
    check("12345 – 2016", "?");
}

#[test]
fn dates_are_shown_in_the_language_of_the_document() {
    let check = |text: &str, to: Language, translated: bool, want: &str| {
        assert_eq!(
            show_dates(text, to.locale(), translated),
            want,
            "{text} {to:?}"
        );
    };
    // In its own language nothing changes.
    for own in [
        "2020-01 – 2025-04",
        "01/2020 – Present",
        "Sep 2016 – now",
        "spring 2020",
    ] {
        check(own, En, false, own);
    }
    check(
        "von 03/2011 bis 09/2013",
        De,
        false,
        "von 03/2011 bis 09/2013",
    );
    check("2018年4月~現在", Ja, false, "2018年4月~現在");
    check("2018年4月至今", Zh, false, "2018年4月至今");
    // A foreign word becomes ours, figures stay.
    check("2019-03 – Present", De, false, "2019-03 – heute");
    check("March 2019 – now", De, false, "März 2019 – heute");
    // A translation takes the language's own forms.
    check("2019-03 – Present", De, true, "03/2019 – heute");
    check("2019-03 – 2021-12", Ja, true, "2019年3月 – 2021年12月");
    check("Sep 2016 – Dec 2019", De, true, "Sept. 2016 – Dez. 2019");
    check("Mar 2020 – May 2021", Es, true, "mar. 2020 – may. 2021");
    check(
        "March 2020 – May 2021",
        Es,
        true,
        "marzo de 2020 – mayo de 2021",
    );
    check(
        "wrzesień 2013 – obecnie",
        En,
        true,
        "September 2013 – Present",
    );
    check("since January 2019", Pl, true, "od stycznia 2019");
    check("since January 2019", Cs, true, "od ledna 2019");
    check("since 2019", Ja, true, "2019年 – 現在");
    check("seit 04/2017", Uk, true, "з 04.2017");
    check("2018年4月~現在", En, true, "Apr 2018~Present");
    check("2011年", En, true, "2011");
    check("von 2011 bis 2013", En, true, "2011 – 2013");
    check("2022 bis heute", Ar, true, "2022 – حتى الآن");
    check("some time in 2019", De, true, "some time in 2019");
}

#[test]
fn days_keep_their_form_or_take_the_languages() {
    let check = |text: &str, to: Language, translated: bool, want: &str| {
        assert_eq!(
            show_day(text, to.locale(), translated),
            want,
            "{text} {to:?}"
        );
    };
    check("14. Mai 1985", De, false, "14. Mai 1985");
    check("14. Mai 1985", En, true, "14 May 1985");
    check("3 lutego 1991", En, true, "3 February 1991");
    check("February 3rd, 1991", Pl, true, "3 lutego 1991");
    check("3 de febrero de 1991", Pt, true, "3 de fevereiro de 1991");
    check("1989-06-17", De, true, "17.06.1989");
    check("1989-06-17", De, false, "1989-06-17");
    check("17.06.1989", He, true, "17.6.1989");
    check("03/02/1991", De, true, "03/02/1991");
    check("1991", De, true, "1991");
    check("in May", De, true, "in May");
}
