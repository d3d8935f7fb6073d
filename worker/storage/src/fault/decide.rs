//! Draws a fault from a seed: a pure function, the same on every machine.

use super::{Fault, Rates};

/// What happens to the `call`th call of an operation.
pub(super) fn draw(seed: u64, operation: &str, call: u64, rates: &Rates) -> Option<Fault> {
    let mut state = operation
        .bytes()
        .fold(seed, |state, byte| mix(state ^ u64::from(byte)));
    state = mix(state ^ call);
    let which = unit(state);
    let delay = rates.longest_delay.mul_f64(unit(mix(state)));
    let faults = [
        (rates.refuse, Fault::Refuse),
        (rates.throttle, Fault::Throttle),
        (rates.lose_answer, Fault::LoseAnswer),
        (rates.delay, Fault::Delay(delay)),
        (rates.delay_answer, Fault::DelayAnswer(delay)),
    ];
    let mut up_to = 0.0;
    faults
        .into_iter()
        .find(|(rate, _)| {
            up_to += rate;
            which < up_to
        })
        .map(|(_, fault)| fault)
}

/// SplitMix64's step (Steele, Lea, Flood 2014).
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 53 bits as a number from 0 up to, not including, 1.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rates_are_met() {
        let rates = Rates {
            refuse: 0.2,
            lose_answer: 0.1,
            delay: 0.3,
            longest_delay: Duration::from_millis(100),
            ..Rates::default()
        };
        let drawn: Vec<_> = (0..10_000)
            .map(|n| draw(7, "write jobs", n, &rates))
            .collect();
        let share = |wanted: fn(&Fault) -> bool| {
            drawn.iter().flatten().filter(|fault| wanted(fault)).count() as f64 / 10_000.0
        };
        for (share, rate) in [
            (share(|f| *f == Fault::Refuse), 0.2),
            (share(|f| *f == Fault::Throttle), 0.0),
            (share(|f| *f == Fault::LoseAnswer), 0.1),
            (
                share(|f| matches!(f, Fault::Delay(d) if *d < Duration::from_millis(100))),
                0.3,
            ),
        ] {
            assert!((share - rate).abs() < 0.02, "{share} instead of {rate}");
        }
    }

    #[test]
    fn seed_operation_and_call_all_matter() {
        let rates = Rates {
            refuse: 0.5,
            ..Rates::default()
        };
        let row = |seed, operation: &str| -> Vec<_> {
            (0..64)
                .map(|n| draw(seed, operation, n, &rates).is_some())
                .collect()
        };
        assert_eq!(row(1, "write jobs"), row(1, "write jobs"));
        assert_ne!(row(1, "write jobs"), row(2, "write jobs"));
        assert_ne!(row(1, "write jobs"), row(1, "write tenants"));
    }
}
