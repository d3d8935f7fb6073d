//! Which faces are asked for a character, and in which order.

use super::{FaceId, Family, FamilyId, Fonts};

/// A country whose form of the shared Chinese characters a font draws (Unicode Standard, 18.1: one code for
/// forms that differ by region).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Region {
    Japan,
    Korea,
    China,
    Taiwan,
    HongKong,
}

impl Fonts {
    /// The faces to ask for a character, in order: the family's own, the other embedded ones, then the added
    /// ones, those made for the region first.
    pub(crate) fn candidates(
        &self,
        family: FamilyId,
        bold: bool,
        italic: bool,
        region: Region,
    ) -> Vec<FaceId> {
        let style = usize::from(bold) + 2 * usize::from(italic);
        let own = usize::from(family.0).min(self.families.len() - 1);
        let is_serif = is_serif(&self.families[own].name);
        let mut order: Vec<usize> = (0..self.families.len()).collect();
        order.sort_by_key(|&index| {
            let family = &self.families[index];
            let added = index >= self.embedded;
            let rank = if added {
                family.rank(region, is_serif)
            } else {
                (0, false, false)
            };
            (index != own, added, rank, index)
        });
        let mut faces: Vec<FaceId> = Vec::with_capacity(order.len());
        for index in order {
            let face = self.families[index].styles[style];
            // Collections may repeat a face under several names.
            if !faces.contains(&face) {
                faces.push(face);
            }
        }
        faces
    }
}

impl Family {
    /// The smaller, the sooner it is asked.
    fn rank(&self, region: Region, serif: bool) -> (u8, bool, bool) {
        let distance = match self.region {
            Some(own) if own == region => 0,
            Some(Region::Taiwan) if region == Region::HongKong => 1,
            Some(Region::HongKong) if region == Region::Taiwan => 1,
            None => 2,
            Some(_) => 3,
        };
        let mono = words(&self.name).any(|word| word.eq_ignore_ascii_case("mono"));
        (distance, mono, is_serif(&self.name) != serif)
    }
}

impl Region {
    /// The region of a language tag (BCP 47), where the language is written in Chinese characters.
    pub(crate) fn of_language(tag: &str) -> Option<Self> {
        let mut parts = tag.split('-').map(str::to_ascii_lowercase);
        match parts.next()?.as_str() {
            "ja" => return Some(Self::Japan),
            "ko" => return Some(Self::Korea),
            "yue" => return Some(Self::HongKong),
            "zh" | "cmn" => {}
            _ => return None,
        }
        let mut region = Self::China;
        for part in parts {
            match part.as_str() {
                "hk" | "mo" => return Some(Self::HongKong),
                "tw" | "hant" => region = Self::Taiwan,
                _ => {}
            }
        }
        Some(region)
    }

    /// The region that a family's name tells of, such as `Noto Sans CJK JP` or `Source Han Sans K`.
    pub(super) fn of_family(name: &str) -> Option<Self> {
        words(name).find_map(|word| match word {
            "JP" | "J" | "Japanese" => Some(Self::Japan),
            "KR" | "K" | "Korean" => Some(Self::Korea),
            "SC" | "CN" | "GB" => Some(Self::China),
            "TC" | "TW" => Some(Self::Taiwan),
            "HK" | "HC" => Some(Self::HongKong),
            _ => None,
        })
    }
}

fn is_serif(name: &str) -> bool {
    words(name).any(|word| {
        matches!(
            word,
            "Serif" | "Mincho" | "Ming" | "Song" | "Batang" | "Myungjo"
        )
    })
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split([' ', '-', '_'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_families_tell_of_regions() {
        let check = |tag: &str, expect| assert_eq!(Region::of_language(tag), expect, "{tag}");
        check("ja", Some(Region::Japan));
        check("ja-JP", Some(Region::Japan));
        check("ko", Some(Region::Korea));
        check("zh", Some(Region::China));
        check("zh-Hans-CN", Some(Region::China));
        check("zh-Hant", Some(Region::Taiwan));
        check("zh-TW", Some(Region::Taiwan));
        check("zh-Hant-HK", Some(Region::HongKong));
        check("en", None);
        let check = |name: &str, expect| assert_eq!(Region::of_family(name), expect, "{name}");
        check("Noto Sans CJK JP", Some(Region::Japan));
        check("Noto Serif CJK TC", Some(Region::Taiwan));
        check("Source Han Sans K", Some(Region::Korea));
        check("Noto Sans Thai", None);
    }

    #[test]
    fn the_family_is_asked_first_and_no_face_twice() {
        let fonts = Fonts::embedded().unwrap();
        let serif = fonts.family("noto serif").unwrap();
        let sans = fonts.candidates(FamilyId::default(), false, false, Region::China);
        let bold_serif = fonts.candidates(serif, true, false, Region::China);
        assert_eq!(sans[0], FaceId(0));
        assert_eq!(bold_serif[..2], [FaceId(5), FaceId(1)]);
        assert_eq!(sans.len(), fonts.families.len());
        assert_eq!(fonts.family("Comic Sans"), None);
    }
}
