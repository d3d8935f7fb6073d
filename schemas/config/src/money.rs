//! Settings about money: prices of models, and budgets of a day. Amounts are millionths of a US
//! dollar, so that sums are exact.

use std::collections::BTreeMap;

type Parsed<T> = Result<T, String>;

/// More entries than this in one list are not meant.
const MOST_ENTRIES: usize = 1_000;

/// What a million tokens of a model cost, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Tokens read.
    pub input: u64,
    /// Tokens read that come from the provider's cache.
    pub cached_input: u64,
    /// Tokens written, reasoning included.
    pub output: u64,
}

/// Prices by the model's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices(BTreeMap<String, Price>);

impl Prices {
    /// The price of a model, by its name or by its name without the date that providers put
    /// behind it, such as `-2026-03-17`, `-0613` or `-latest`.
    ///
    /// Nothing else is cut off: `-mini` behind a name makes another model with another price.
    pub fn of(&self, model: &str) -> Option<Price> {
        let dated = || {
            // The longest name that fits comes last among those that begin alike.
            self.0.iter().rfind(|(name, _)| is_dated(name, model))
        };
        let found = self.0.get_key_value(model).or_else(dated);
        found.map(|(_, price)| *price)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a model's name is this one with a date behind it.
fn is_dated(name: &str, model: &str) -> bool {
    let Some(rest) = model.strip_prefix(name).and_then(|r| r.strip_prefix('-')) else {
        return false;
    };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    rest == "latest" || (digits >= 4 && rest.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

/// A decimal with at most six places, such as `0.25`.
pub(crate) fn usd(text: &str) -> Parsed<u64> {
    let fault = || "must be an amount of US dollars such as 5 or 0.25".to_owned();
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || places.len() > 6 || !digits(whole) || !digits(places) {
        return Err(fault());
    }
    let whole: u64 = whole.parse().map_err(|_| fault())?;
    let places: u64 = format!("{places:0<6}").parse().map_err(|_| fault())?;
    // Ten billion dollars leave room for every sum.
    if whole > 10_000_000_000 {
        return Err(fault());
    }
    Ok(whole * 1_000_000 + places)
}

/// As [`usd`]; empty means "not set".
pub(crate) fn optional_usd(text: &str) -> Parsed<Option<u64>> {
    if text.is_empty() {
        return Ok(None);
    }
    usd(text).map(Some)
}

/// `NAME INPUT/CACHED/OUTPUT`, separated by commas.
pub(crate) fn prices(text: &str) -> Parsed<Prices> {
    let read = |rates: &str| {
        let mut rates = rates.split('/').map(usd);
        let price = Price {
            input: rates.next()?.ok()?,
            cached_input: rates.next()?.ok()?,
            output: rates.next()?.ok()?,
        };
        rates.next().is_none().then_some(price)
    };
    let form = "must be entries such as \"gpt-5.4-mini 0.75/0.075/4.50\", separated by commas";
    entries(text, read, form).map(Prices)
}

/// `TENANT AMOUNT`, separated by commas.
pub(crate) fn tenant_budgets(text: &str) -> Parsed<BTreeMap<String, u64>> {
    let form = "must be entries such as \"acme 5\", separated by commas";
    entries(text, |amount| usd(amount).ok(), form)
}

fn entries<T>(
    text: &str,
    read: impl Fn(&str) -> Option<T>,
    form: &str,
) -> Parsed<BTreeMap<String, T>> {
    let fault = || form.to_owned();
    let mut all = BTreeMap::new();
    let items = text.split(',').map(str::trim).filter(|i| !i.is_empty());
    for item in items {
        let (name, value) = item.split_once(char::is_whitespace).ok_or_else(fault)?;
        let value = read(value.trim()).ok_or_else(fault)?;
        if all.len() >= MOST_ENTRIES || all.insert(name.to_owned(), value).is_some() {
            return Err("must not name the same one twice, nor more than 1,000".to_owned());
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let check = |text: &str, micros: Option<u64>| {
            assert_eq!(usd(text).ok(), micros, "{text:?}");
        };
        check("0", Some(0));
        check("5", Some(5_000_000));
        check("0.25", Some(250_000));
        check("0.000001", Some(1));
        for bad in [
            "",
            ".",
            "-1",
            "$5",
            "5 USD",
            "1,5",
            "0.0000001",
            "10000000001",
        ] {
            check(bad, None);
        }
        assert_eq!(optional_usd(""), Ok(None));
    }

    #[test]
    fn a_price_is_found_by_name_with_or_without_a_date() {
        let table =
            prices("gpt-5.4 2.5/0.25/15, gpt-5.4-mini 0.75/0.075/4.50, gpt-4 30/30/60").unwrap();
        let check = |model: &str, input: Option<u64>| {
            assert_eq!(table.of(model).map(|price| price.input), input, "{model}");
        };
        check("gpt-5.4", Some(2_500_000));
        check("gpt-5.4-2026-03-05", Some(2_500_000));
        check("gpt-5.4-mini", Some(750_000));
        check("gpt-5.4-mini-2026-03-17", Some(750_000));
        check("gpt-5.4-mini-latest", Some(750_000));
        check("gpt-4-0613", Some(30_000_000));
        for other in [
            "gpt-5.4-nano",
            "gpt-5",
            "gpt-5.41",
            "gpt-5.4-mini-high",
            "gpt-4-1",
            "",
            "my-deployment",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn lists_are_read_or_refused_whole() {
        assert_eq!(prices(""), Ok(Prices::default()));
        assert_eq!(tenant_budgets("acme 5,  beta 0.5 ,").unwrap().len(), 2);
        for bad in [
            "a",
            "a 1/2",
            "a 1/2/3/4",
            "a 1/x/3",
            "a 1/2/3, a 1/2/3",
            "a 1/2/3 b 1/2/3",
        ] {
            assert!(prices(bad).is_err(), "{bad}");
        }
        assert!(tenant_budgets("acme five").is_err());
    }
}
