//! The contract's limits: characters (Unicode scalar values) of a text, entries of a list.
//!
//! A text over 110 % of its limit is a warning, over 200 % an error. Too many entries or items are
//! a warning up to [`LIST`], and an error beyond.

// The contract's own.
pub(super) const NAME: usize = 50;
pub(super) const ADDRESS_LINES: usize = 2;
pub(super) const ADDRESS_LINE: usize = 60;
pub(super) const PROFILE: usize = 320;

pub(super) const WORK: usize = 5;
pub(super) const WORK_DATES: usize = 25;
pub(super) const WORK_EMPLOYER: usize = 60;
pub(super) const WORK_LOCATION: usize = 50;
pub(super) const WORK_TITLE: usize = 80;
pub(super) const WORK_BULLETS: usize = 5;
pub(super) const WORK_BULLET: usize = 200;
pub(super) const WORK_BULLET_RECOMMENDED: usize = 100;

pub(super) const EDUCATION: usize = 3;
pub(super) const EDUCATION_DATES: usize = 20;
pub(super) const EDUCATION_INSTITUTION: usize = 70;
pub(super) const EDUCATION_TITLE: usize = 90;
/// All details of one entry together.
pub(super) const EDUCATION_DETAILS: usize = 150;

pub(super) const FURTHER: usize = 4;
pub(super) const FURTHER_DATES: usize = 25;
pub(super) const FURTHER_ORGANIZATION: usize = 70;
pub(super) const FURTHER_TITLE: usize = 90;
pub(super) const FURTHER_BULLETS: usize = 3;
pub(super) const FURTHER_BULLET: usize = 80;

pub(super) const LANGUAGES: usize = 5;
/// Name and level together.
pub(super) const LANGUAGE: usize = 50;
pub(super) const SKILLS: usize = 8;
pub(super) const SKILL: usize = 70;
pub(super) const INTERESTS: usize = 350;

// The contract leaves these open; a parser of foreign text may not.
/// RFC 5321, section 4.5.3.1: a path of 256 octets with its angle brackets.
pub(super) const EMAIL: usize = 254;
/// Phone, birth date, nationality.
pub(super) const SHORT: usize = 60;
/// One certification, training or reference.
pub(super) const ITEM: usize = 300;
/// One publication, or the data privacy clause.
pub(super) const LONG: usize = 1_000;
/// The length that browsers and servers commonly take.
pub(super) const URL: usize = 2_000;

// Bounds of the reader, whatever the caller asks for.
/// Items of any list.
pub(super) const LIST: usize = 200;
/// Levels of nesting; a canonical CV has 4.
pub(super) const DEPTH: usize = 16;
/// Values of all kinds.
pub(super) const NODES: usize = 20_000;
/// Bytes of all texts and keys together, the photo apart.
pub(super) const TEXT_BYTES: usize = 1 << 20;
/// Bytes of a photo as a file.
pub(super) const PHOTO_BYTES: usize = 8 << 20;
/// Faults or warnings that are told one by one; the rest is counted.
pub(super) const TOLD: usize = 100;

/// Whether a text of `size` is long enough to be warned of.
pub(super) fn warns(size: usize, limit: usize) -> bool {
    size * 100 > limit * 110
}

/// Whether a text of `size` is refused.
pub(super) fn refuses(size: usize, limit: usize) -> bool {
    size > limit * 2
}
