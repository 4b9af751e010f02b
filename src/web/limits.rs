//! How much of a request is read, and for how long. It knows no route.

use std::time::Duration;

/// A form's or a JSON document's body, in bytes.
pub const BODY_BYTES: usize = 64 * 1024;

/// A batch's body, in bytes.
pub const BATCH_BYTES: usize = 512 * 1024;

/// How long a client may take to send a body.
pub const BODY_TIME: Duration = Duration::from_secs(10);

/// How long a client may take to send the head of a request.
pub const HEAD_TIME: Duration = Duration::from_secs(5);
