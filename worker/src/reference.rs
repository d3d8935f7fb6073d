//! The one thing that the provider is told of a job: an opaque reference to it.
//!
//! It comes back with the provider's webhook and leads to the job. A checksum keeps the references
//! of other programs that use the same account apart from ours; it is no secret, since what is done
//! with a reference is decided by the job's row.

use schemas::{JobId, Tenant};
use sha2::{Digest as _, Sha256};

use schemas::hex;

/// Bytes of the checksum.
const CHECK: usize = 6;

/// The reference to a job: at most 220 characters.
pub fn write(tenant: &Tenant, job: JobId) -> String {
    let plain = format!("{tenant}/{job}");
    format!("{}{}", hex(plain.as_bytes()), check(&plain))
}

/// The job that a reference leads to; `None` for one that is not ours.
pub fn read(reference: &str) -> Option<(Tenant, JobId)> {
    let at = reference.len().checked_sub(2 * CHECK)?;
    let (digits, given) = reference.split_at_checked(at)?;
    if digits.len() > 256 {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let plain = String::from_utf8(bytes.collect::<Option<_>>()?).ok()?;
    let (tenant, job) = plain.split_once('/')?;
    let found = (tenant.to_owned().try_into().ok()?, job.parse().ok()?);
    (check(&plain) == given).then_some(found)
}

fn check(plain: &str) -> String {
    hex(&Sha256::digest(format!("presswork {plain}").as_bytes())[..CHECK])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_back_and_foreign_ones_nowhere() {
        let tenant = Tenant::from_claim(&"x".repeat(63));
        let job = JobId::new(jiff::Timestamp::UNIX_EPOCH, [7; 10]);
        let reference = write(&tenant, job);
        assert!(reference.len() <= 220, "{}", reference.len());
        assert_eq!(read(&reference), Some((tenant.clone(), job)));
        let mut other = reference.clone();
        other.replace_range(0..2, "79");
        for foreign in [
            "",
            "order-17",
            &other,
            &reference[2..],
            &"61".repeat(300),
            "\u{e9}",
        ] {
            assert_eq!(read(foreign), None, "{foreign}");
        }
    }
}
