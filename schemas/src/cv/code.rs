//! The stable words for faults and warnings of a CV.

pub(super) const MISSING: &str = "missing";
pub(super) const WRONG_KEY: &str = "wrong_key";
pub(super) const WRONG_TYPE: &str = "wrong_type";
pub(super) const TOO_LARGE: &str = "too_large";
pub(super) const TOO_LONG: &str = "too_long";
pub(super) const TOO_MANY: &str = "too_many";
pub(super) const INVALID_PHOTO: &str = "invalid_photo";
pub(super) const INVALID_LANGUAGE: &str = "invalid_language";
pub(super) const UNKNOWN_KEY: &str = "unknown_key";
pub(super) const IGNORED_KEY: &str = "ignored_key";
pub(super) const BLANK_ITEM: &str = "blank_item_dropped";
pub(super) const CHARACTERS_REMOVED: &str = "characters_removed";
pub(super) const OPEN_DATES: &str = "half_date_range";
pub(super) const UNUSUAL_DATE: &str = "unusual_date";
pub(super) const REVERSED_DATES: &str = "reversed_dates";
pub(super) const UNUSUAL_EMAIL: &str = "unusual_email";
pub(super) const UNUSUAL_PHONE: &str = "unusual_phone";
pub(super) const UNUSUAL_LINK: &str = "unusual_link";
pub(super) const TOTAL_PAGES: &str = "estimated_pages";
pub(super) const MORE: &str = "more";
