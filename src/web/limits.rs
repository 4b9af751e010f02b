//! How much of a request is read, for how long, and of how many clients at once (T-60). It knows no route.

use std::time::Duration;

use actix_web::HttpRequest;

/// What one client may take of a listener, as the operator set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// How long a client may take to send the head of a request.
    pub head_time: Duration,
    /// How long a client may take to send a body.
    pub body_time: Duration,
    /// A form's or a JSON document's body, in bytes.
    pub body_bytes: usize,
    /// A batch's body, in bytes.
    pub batch_bytes: usize,
    /// Connections of one listener; further ones wait to be taken.
    pub connections: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            head_time: Duration::from_secs(5),
            body_time: Duration::from_secs(10),
            body_bytes: 64 * 1024,
            batch_bytes: 512 * 1024,
            connections: 20_000,
        }
    }
}

impl RequestLimits {
    /// Those that this request is served under: the application's, else the defaults.
    pub fn of(request: &HttpRequest) -> Self {
        request.app_data().copied().unwrap_or_default()
    }

    /// The share of each of so many threads that serve a listener.
    pub fn connections_of_each(&self, workers: usize) -> usize {
        self.connections.div_ceil(workers.max(1)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_takes_its_share_of_the_connections() {
        let of = |connections, workers| {
            let limits = RequestLimits {
                connections,
                ..RequestLimits::default()
            };
            limits.connections_of_each(workers)
        };
        assert_eq!(
            [of(20_000, 2), of(7, 2), of(1, 8), of(5, 0)],
            [10_000, 4, 1, 5]
        );
    }
}
