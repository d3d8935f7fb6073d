//! Japanese.

use super::{CvWords, DateForms, LetterWords, Locale, Months};
use crate::locale::Language;

const LONG: [&str; 12] = [
    "1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月",
];

pub(super) const JA: Locale = Locale {
    language: Language::Ja,
    tag: "ja",
    months: Months {
        long: LONG,
        short: LONG,
        with_day: LONG,
        after_since: LONG,
        others: &[],
    },
    dates: DateForms {
        figures: "{year}年{m}月",
        long: "{year}年{m}月",
        short: "{year}年{m}月",
        day: "{year}年{m}月{d}日",
        day_figures: "{year}年{m}月{d}日",
        year: "{year}年",
        since_leads: false,
    },
    present: &["現在", "現在に至る", "至現在", "継続中", "在職中"],
    since: &["以来"],
    until: &["から", "より"],
    cv: CvWords {
        document: "履歴書",
        photo: "{name}の写真",
        born: "生年月日",
        nationality: "国籍",
        contact: "連絡先",
        profile: "自己紹介",
        work: "職歴",
        education: "学歴",
        further: "その他の経験",
        languages: "語学",
        skills: "スキル",
        certifications: "資格",
        trainings: "研修",
        publications: "著書・論文",
        interests: "趣味・関心",
        references: "推薦者",
    },
    letter: LetterWords {
        document: "添え状",
        greeting_named: "{name} 様",
        greeting: "採用ご担当者様",
        sign_off: "何卒よろしくお願い申し上げます。",
        subject: "応募書類の送付について：{position}",
        subject_plain: "応募書類の送付について",
        enclosure: "同封書類：履歴書",
        apply_for: "このたび、次の職種に応募いたします。{position}",
        apply: "このたび、貴社の求人に応募いたします。",
        current: "現在の職務は{title}です（{employer}、{dates}）。",
        latest: "直近の職務は{title}です（{employer}、{dates}）。",
        tasks: "主な職務内容は次のとおりです。{items}",
        education: "学歴：{title}（{institution}）",
        skills: "スキル：{items}",
        languages: "語学：{items}",
        closing: "履歴書を同封いたします。ぜひ面接の機会をいただけますと幸いです。",
    },
    page: "{page} / {pages} ページ",
};
