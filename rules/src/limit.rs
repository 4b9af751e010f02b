//! Limits: how fast a key may ask, and how often an account may in a day.
//!
//! All of it is integers: a [`Bucket`] holds parts of a token so small that each rate gives a whole number of them a
//! microsecond. Nothing is rounded, so nothing drifts. It must not know a clock, nor where buckets are kept.

/// Parts of a token. A bucket with so many tokens a minute gains exactly as many parts a microsecond.
const TOKEN: u64 = 60_000_000;

/// The most that a request may cost.
pub const MAX_COST: u32 = 1_000;

/// The most tokens a minute, or at once, that a limit can name; beyond it there is none.
pub const MAX_RATE: u32 = 1_000_000_000;

/// An instant on a clock that never goes back, in microseconds since any beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub u64);

/// A duration in microseconds as whole seconds, rounded up.
#[must_use]
pub fn whole_seconds(micros: u64) -> u64 {
    micros.div_ceil(1_000_000)
}

/// How a bucket fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Tokens that come back in a minute.
    per_minute: u32,
    /// Tokens that it holds.
    burst: u32,
}

impl Rate {
    /// A bucket of `burst` tokens, of which `per_minute` come back in a minute. Neither is less than one.
    #[must_use]
    pub fn new(per_minute: u32, burst: u32) -> Self {
        Self {
            per_minute: per_minute.clamp(1, MAX_RATE),
            burst: burst.clamp(1, MAX_RATE),
        }
    }

    /// A bucket of so many tokens, all of which come back in a second.
    #[must_use]
    pub fn per_second(tokens: u32) -> Self {
        Self::new(tokens.saturating_mul(60), tokens)
    }

    /// Tokens that come back in a minute.
    #[must_use]
    pub fn per_minute(self) -> u32 {
        self.per_minute
    }

    /// Tokens that the bucket holds: the most that pass at once.
    #[must_use]
    pub fn burst(self) -> u32 {
        self.burst
    }

    fn capacity(self) -> u64 {
        u64::from(self.burst) * TOKEN
    }

    /// Microseconds until so many parts came back.
    fn time_for(self, parts: u64) -> u64 {
        parts.div_ceil(u64::from(self.per_minute))
    }
}

/// What is missing in a bucket, and since when. A new one is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    used: u64,
    at: Micros,
}

impl Bucket {
    /// What the bucket says to a request that costs so much. It is left as it is.
    #[must_use]
    pub fn look(self, rate: Rate, cost: u32, now: Micros) -> Room {
        let used = self.used_at(rate, now);
        let wanted = u64::from(cost) * TOKEN;
        let lacking = used.saturating_add(wanted).saturating_sub(rate.capacity());
        let fits = if wanted > rate.capacity() {
            Fits::Never
        } else if lacking > 0 {
            Fits::After(rate.time_for(lacking))
        } else {
            Fits::Now
        };
        let left_used = if fits == Fits::Now {
            used + wanted
        } else {
            used
        };
        Room {
            fits,
            limit: u64::from(rate.burst),
            remaining: rate.capacity().saturating_sub(left_used) / TOKEN,
            renewed_in: rate.time_for(left_used),
        }
    }

    /// Takes that cost out, whether or not it is there: [`Bucket::look`] says that.
    pub fn take(&mut self, rate: Rate, cost: u32, now: Micros) {
        self.used = self
            .used_at(rate, now)
            .saturating_add(u64::from(cost) * TOKEN);
        self.at = self.at.max(now);
    }

    /// Whether nothing is missing any more: the bucket is then as good as a new one.
    #[must_use]
    pub fn is_full(self, rate: Rate, now: Micros) -> bool {
        self.used_at(rate, now) == 0
    }

    fn used_at(self, rate: Rate, now: Micros) -> u64 {
        let passed = now.0.saturating_sub(self.at.0);
        let back = passed.saturating_mul(u64::from(rate.per_minute));
        self.used.saturating_sub(back)
    }
}

/// Whether a request fits into what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fits {
    /// It does.
    Now,
    /// It does after so many microseconds, if nothing else is taken meanwhile.
    After(u64),
    /// It costs more than there ever is.
    Never,
}

/// What a limit says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Whether the request fits.
    pub fits: Fits,
    /// The most that there can be.
    pub limit: u64,
    /// Whole tokens that are left, after this request if it fits.
    pub remaining: u64,
    /// Microseconds until all of it is there again.
    pub renewed_in: u64,
}

/// What an account's day says to a request, of which so much is used and which ends after so many microseconds.
#[must_use]
pub fn day(per_day: u64, used: u64, cost: u32, ends_in: u64) -> Room {
    let cost = u64::from(cost);
    let left = per_day.saturating_sub(used);
    let fits = if cost > per_day {
        Fits::Never
    } else if cost > left {
        Fits::After(ends_in)
    } else {
        Fits::Now
    };
    Room {
        fits,
        limit: per_day,
        remaining: if fits == Fits::Now { left - cost } else { left },
        renewed_in: ends_in,
    }
}

/// Milliseconds until so much that is left is used up, if as much is used as lately: so much in so many milliseconds.
/// Nothing where nothing was used.
#[must_use]
pub fn runs_out_in(left: i64, used_lately: i64, in_ms: i64) -> Option<i64> {
    if used_lately <= 0 {
        return None;
    }
    let ms = i128::from(left.max(0)) * i128::from(in_ms.max(0)) / i128::from(used_lately);
    Some(i64::try_from(ms).unwrap_or(i64::MAX))
}

worded! {
    /// A limit, by what it counts in.
    pub enum LimitName {
        /// Of a key and product, in a second.
        Second => "second", "Requests a second";
        /// Of a key, in a minute, with a burst.
        Minute => "minute", "Requests a minute";
        /// Of an account, in a UTC day.
        Day => "day", "Requests a day";
    }
}

/// Bounds as a plan, a product or a key states them; what is absent is unbounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Requests a second, of a key and product.
    pub per_second: Option<u32>,
    /// Requests a minute, of a key.
    pub per_minute: Option<u32>,
    /// Requests at once, of a key.
    pub burst: Option<u32>,
    /// Requests in a UTC day, of an account.
    pub per_day: Option<u64>,
}

impl Bounds {
    /// Both: of each bound the lower one.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self {
            per_second: lower(self.per_second, other.per_second),
            per_minute: lower(self.per_minute, other.per_minute),
            burst: lower(self.burst, other.burst),
            per_day: lower(self.per_day, other.per_day),
        }
    }

    /// The bucket of a key and product.
    #[must_use]
    pub fn second(&self) -> Option<Rate> {
        self.per_second.map(Rate::per_second)
    }

    /// The bucket of a key. Without a burst, a minute's requests may come at once.
    #[must_use]
    pub fn minute(&self) -> Option<Rate> {
        let per_minute = self.per_minute?;
        Some(Rate::new(per_minute, self.burst.unwrap_or(per_minute)))
    }
}

impl Bounds {
    /// What binds a key, as people read it.
    #[must_use]
    pub fn rates_in_words(&self) -> String {
        let second = self
            .per_second
            .map(|rate| format!("{rate} a second of each product"));
        let minute = self.minute().map(|rate| {
            let (burst, per_minute) = (rate.burst(), rate.per_minute());
            format!("{burst} at once, then {per_minute} a minute")
        });
        let rates: Vec<String> = [minute, second].into_iter().flatten().collect();
        if rates.is_empty() {
            return "no limit by second or minute".to_owned();
        }
        rates.join("; ")
    }
}

fn lower<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// What all limits together say to a request: it takes of all of them, or of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The bucket of key and product.
    pub second: Option<Room>,
    /// The bucket of the key.
    pub minute: Option<Room>,
    /// The account's day.
    pub day: Option<Room>,
}

/// What the limits answer to the question whether a request may take what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// It may, and has.
    Taken,
    /// This limit has not enough of it now.
    NotNow(LimitName),
    /// It costs more than this limit ever holds.
    Never(LimitName),
}

impl Limits {
    /// Each limit by its name; nothing where there is none.
    #[must_use]
    pub fn named(&self) -> [(LimitName, Option<Room>); 3] {
        [
            (LimitName::Second, self.second),
            (LimitName::Minute, self.minute),
            (LimitName::Day, self.day),
        ]
    }

    /// What they say together. One that can never pass comes first, then the limits in their order.
    #[must_use]
    pub fn taking(&self) -> Taking {
        let refusing = |wanted: fn(Fits) -> bool| {
            let mut named = self.named().into_iter();
            named.find_map(|(name, room)| room.filter(|room| wanted(room.fits)).map(|_| name))
        };
        if let Some(name) = refusing(|fits| fits == Fits::Never) {
            return Taking::Never(name);
        }
        refusing(|fits| matches!(fits, Fits::After(_))).map_or(Taking::Taken, Taking::NotNow)
    }

    /// Microseconds after which the request passes all of them, if nothing else is taken meanwhile; nothing if it passes
    /// now or never does.
    #[must_use]
    pub fn passes_in(&self) -> Option<u64> {
        let mut longest = None;
        for (_, room) in self.named() {
            match room.map(|room| room.fits) {
                Some(Fits::Never) => return None,
                Some(Fits::After(wait)) => longest = longest.max(Some(wait)),
                Some(Fits::Now) | None => {}
            }
        }
        longest
    }

    /// The same with what is left when the request takes nothing after all, since another limit refused it.
    #[must_use]
    pub fn untaken(mut self, before: &Self) -> Self {
        for (room, before) in [
            (&mut self.second, before.second),
            (&mut self.minute, before.minute),
            (&mut self.day, before.day),
        ] {
            if let (Some(room), Some(before)) = (room.as_mut(), before) {
                room.remaining = before.remaining;
                room.renewed_in = before.renewed_in;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
