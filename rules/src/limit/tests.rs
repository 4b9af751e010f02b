//! What holds of limits.

use super::*;

/// Microseconds in a minute.
const MINUTE: u64 = 60_000_000;

/// Numbers that look random and come again: splitmix64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// The promise itself, by its definition: what passed in any stretch of time up to now, with this request, is at most the
/// burst and what the rate gives in that stretch.
fn may_pass(passed: &[(u64, u64)], rate: Rate, cost: u64, now: u64) -> bool {
    let minute = u128::from(MINUTE);
    let mut total = u128::from(cost);
    let mut fits = total <= u128::from(rate.burst());
    for (at, cost) in passed.iter().rev() {
        total += u128::from(*cost);
        let gained = u128::from(now - at) * u128::from(rate.per_minute());
        fits &= total * minute <= u128::from(rate.burst()) * minute + gained;
    }
    fits
}

#[test]
fn f_8_never_above_the_burst_and_the_rate_in_any_time_and_never_refused_below() {
    let mut numbers = Numbers(7);
    for schedule in 0..100_000 {
        let fastest = [3, 60, 1_000, 99_991][usize::try_from(numbers.below(4)).unwrap()];
        let per_minute = u32::try_from(1 + numbers.below(fastest)).unwrap();
        let burst = u32::try_from(1 + numbers.below(12)).unwrap();
        let rate = Rate::new(per_minute, burst);
        let (mut bucket, mut passed, mut now) = (Bucket::default(), Vec::new(), numbers.below(9));
        for step in 0..24 {
            now += match numbers.below(4) {
                0 => 0,
                1 => numbers.below(3),
                // Exactly when the next token comes, or one microsecond beside it.
                2 => (MINUTE / u64::from(per_minute) + numbers.below(3)).saturating_sub(1),
                _ => numbers.below(3 * MINUTE / u64::from(per_minute) + 2),
            };
            let cost = 1 + numbers.below(u64::from(burst) + 2) / 2;
            let room = bucket.look(rate, u32::try_from(cost).unwrap(), Micros(now));
            let expected = may_pass(&passed, rate, cost, now);
            let place =
                format!("schedule {schedule}, step {step}: {rate:?} {bucket:?} {now} {cost}");
            assert_eq!(room.fits == Fits::Now, expected, "{place}");
            match room.fits {
                Fits::Now => {
                    bucket.take(rate, u32::try_from(cost).unwrap(), Micros(now));
                    passed.push((now, cost));
                }
                Fits::After(wait) => {
                    assert!(
                        may_pass(&passed, rate, cost, now + wait),
                        "{place}: wait {wait}"
                    );
                    assert!(
                        !may_pass(&passed, rate, cost, now + wait - 1),
                        "{place}: wait {wait}"
                    );
                }
                Fits::Never => assert!(cost > u64::from(burst), "{place}"),
            }
            let left = room.remaining;
            assert!(
                left == 0 || may_pass(&passed, rate, left, now),
                "{place}: left {left}"
            );
            assert!(
                !may_pass(&passed, rate, left + 1, now),
                "{place}: left {left}"
            );
            let full = now + room.renewed_in;
            assert!(bucket.is_full(rate, Micros(full)), "{place}");
            assert!(
                room.renewed_in == 0 || !bucket.is_full(rate, Micros(full - 1)),
                "{place}"
            );
        }
    }
}

#[test]
fn the_free_plan_lets_twenty_pass_at_once_then_ten_a_minute() {
    let rate = Rate::new(10, 20);
    let mut bucket = Bucket::default();
    for left in (0..20).rev() {
        let room = bucket.look(rate, 1, Micros(0));
        assert_eq!(
            (room.fits, room.limit, room.remaining),
            (Fits::Now, 20, left)
        );
        bucket.take(rate, 1, Micros(0));
    }
    let room = bucket.look(rate, 1, Micros(0));
    assert_eq!(room.fits, Fits::After(6_000_000));
    assert_eq!((room.remaining, room.renewed_in), (0, 120_000_000));
    assert_ne!(bucket.look(rate, 1, Micros(5_999_999)).fits, Fits::Now);
    assert_eq!(bucket.look(rate, 1, Micros(6_000_000)).fits, Fits::Now);
    assert_eq!(bucket.look(rate, 21, Micros(0)).fits, Fits::Never);
}

#[test]
fn a_rate_that_divides_nothing_does_not_drift() {
    let rate = Rate::new(7, 1);
    let mut bucket = Bucket::default();
    let (mut passed, mut now) = (0, 0);
    // Whoever always waits exactly as long as told gets what the rate promises, to the request.
    while now < 1_000 * MINUTE {
        match bucket.look(rate, 1, Micros(now)).fits {
            Fits::Now => {
                bucket.take(rate, 1, Micros(now));
                passed += 1;
            }
            Fits::After(wait) => now += wait,
            Fits::Never => panic!("one token is there"),
        }
    }
    assert_eq!(passed, 7_000);
}

#[test]
fn a_plan_that_changes_keeps_what_was_used() {
    let (free, professional) = (Rate::new(10, 20), Rate::new(300, 500));
    let mut bucket = Bucket::default();
    bucket.take(free, 20, Micros(0));
    assert_eq!(bucket.look(professional, 1, Micros(0)).remaining, 479);
    bucket.take(professional, 400, Micros(0));
    let room = bucket.look(free, 1, Micros(0));
    assert_eq!(
        (room.fits, room.remaining),
        (Fits::After(401 * 6_000_000), 0)
    );
}

#[test]
fn an_instant_before_the_last_one_gains_nothing() {
    let rate = Rate::per_second(5);
    let mut bucket = Bucket::default();
    bucket.take(rate, 5, Micros(1_000_000));
    bucket.take(rate, 0, Micros(0));
    assert_eq!(
        bucket.look(rate, 1, Micros(500_000)).fits,
        Fits::After(200_000)
    );
    assert_eq!(bucket.look(rate, 1, Micros(1_200_000)).fits, Fits::Now);
}

#[test]
fn the_greatest_numbers_overflow_nothing() {
    let rate = Rate::new(u32::MAX, u32::MAX);
    let mut bucket = Bucket::default();
    for _ in 0..2_000_000 {
        bucket.take(rate, MAX_COST, Micros(0));
    }
    assert_ne!(bucket.look(rate, MAX_COST, Micros(0)).fits, Fits::Now);
    assert!(bucket.is_full(rate, Micros(u64::MAX)));
    assert_eq!(Rate::new(0, 0), Rate::new(1, 1));
}

#[test]
fn a_day_says_what_is_left_of_it() {
    let hour = 3_600_000_000;
    let said = |used, cost| {
        let room = day(1_000, used, cost, hour);
        (room.fits, room.remaining)
    };
    assert_eq!(said(0, 1), (Fits::Now, 999));
    assert_eq!(said(990, 10), (Fits::Now, 0));
    assert_eq!(said(990, 11), (Fits::After(hour), 10));
    assert_eq!(said(2_000, 1), (Fits::After(hour), 0));
    assert_eq!(day(5, 0, 6, hour).fits, Fits::Never);
}

fn room(fits: Fits) -> Room {
    Room {
        fits,
        limit: 9,
        remaining: 3,
        renewed_in: 7,
    }
}

#[test]
fn all_limits_pass_or_the_first_that_refuses_is_named() {
    let limits = |second, minute, day| Limits {
        second: Some(room(second)),
        minute: Some(room(minute)),
        day: Some(room(day)),
    };
    let table = [
        (Fits::Now, Fits::Now, Fits::Now, Taking::Taken, None),
        (
            Fits::After(2),
            Fits::Now,
            Fits::After(9),
            Taking::NotNow(LimitName::Second),
            Some(9),
        ),
        (
            Fits::Now,
            Fits::After(5),
            Fits::Now,
            Taking::NotNow(LimitName::Minute),
            Some(5),
        ),
        (
            Fits::Now,
            Fits::Now,
            Fits::After(9),
            Taking::NotNow(LimitName::Day),
            Some(9),
        ),
        (
            Fits::After(2),
            Fits::Never,
            Fits::Now,
            Taking::Never(LimitName::Minute),
            None,
        ),
    ];
    for (second, minute, day, taking, passes_in) in table {
        let limits = limits(second, minute, day);
        assert_eq!((limits.taking(), limits.passes_in()), (taking, passes_in));
    }
    assert_eq!(Limits::default().taking(), Taking::Taken);
    let before = limits(Fits::Now, Fits::Now, Fits::Now);
    let mut after = before;
    after.minute = Some(Room {
        remaining: 2,
        renewed_in: 8,
        ..room(Fits::Now)
    });
    assert_eq!(after.untaken(&before), before);
}

#[test]
fn of_two_bounds_the_lower_one_binds() {
    let plan = Bounds {
        per_second: None,
        per_minute: Some(60),
        burst: Some(100),
        per_day: Some(10_000),
    };
    let own = Bounds {
        per_second: Some(5),
        per_minute: Some(600),
        burst: Some(10),
        per_day: None,
    };
    let both = Bounds {
        per_second: Some(5),
        per_minute: Some(60),
        burst: Some(10),
        per_day: Some(10_000),
    };
    assert_eq!((plan.within(own), own.within(plan)), (both, both));
    assert_eq!(both.second(), Some(Rate::new(300, 5)));
    assert_eq!(both.minute(), Some(Rate::new(60, 10)));
    let no_burst = Bounds {
        per_minute: Some(60),
        ..Bounds::default()
    };
    assert_eq!(no_burst.minute(), Some(Rate::new(60, 60)));
    assert_eq!(Bounds::default().minute(), None);
}

#[test]
fn seconds_are_rounded_up() {
    let table = [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)];
    for (micros, seconds) in table {
        assert_eq!(whole_seconds(micros), seconds);
    }
}

#[test]
fn what_is_left_lasts_as_long_as_the_pace_says() {
    let hour = 3_600_000;
    for (left, used, in_ms, expected) in [
        (100, 50, hour, Some(2 * hour)),
        (1, 3, hour, Some(1_200_000)),
        (0, 50, hour, Some(0)),
        (-5, 50, hour, Some(0)),
        (100, 0, hour, None),
        (i64::MAX, 1, hour, Some(i64::MAX)),
    ] {
        assert_eq!(runs_out_in(left, used, in_ms), expected, "{left} {used}");
    }
}

#[test]
fn bounds_are_told_in_words() {
    let free = Bounds {
        per_minute: Some(10),
        burst: Some(20),
        ..Bounds::default()
    };
    assert_eq!(free.rates_in_words(), "20 at once, then 10 a minute");
    let both = Bounds {
        per_second: Some(5),
        ..free
    };
    assert_eq!(
        both.rates_in_words(),
        "20 at once, then 10 a minute; 5 a second of each product"
    );
    assert_eq!(
        Bounds::default().rates_in_words(),
        "no limit by second or minute"
    );
}
