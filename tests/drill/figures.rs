//! Times put in order.

use std::time::Duration;

/// Times of one thing that was done often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    sorted: Vec<Duration>,
}

impl Times {
    pub(crate) fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut sorted: Vec<Duration> = times.into_iter().collect();
        sorted.sort();
        Self { sorted }
    }

    pub(crate) fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The time within which so many of a thousand were done.
    pub(crate) fn per_mille(&self, share: usize) -> Duration {
        assert!(!self.sorted.is_empty(), "nothing was measured");
        let place = (self.sorted.len() * share).div_ceil(1000).max(1);
        self.sorted[place - 1]
    }

    pub(crate) fn p99(&self) -> Duration {
        self.per_mille(990)
    }

    pub(crate) fn most(&self) -> Duration {
        self.per_mille(1000)
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "{} times: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
            self.count(),
            ms(self.per_mille(500)),
            ms(self.p99()),
            ms(self.most())
        )
    }
}

#[test]
fn a_share_of_times_is_counted_from_the_shortest() {
    let times = Times::of((1..=200).rev().map(Duration::from_millis));
    let ms = |share| times.per_mille(share).as_millis();
    assert_eq!((ms(0), ms(500), ms(990), ms(1000)), (1, 100, 198, 200));
}
