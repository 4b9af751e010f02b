//! What a key may do to a product: read, write, administer.

worded! {
    /// A level of access. Each holds what the ones before it hold.
    pub enum Access {
        /// GET, HEAD and OPTIONS.
        Read => "read", "Read";
        /// Read, and POST, PUT, PATCH, DELETE.
        Write => "write", "Write";
        /// Any method, and the product's administrative paths.
        Admin => "admin", "Admin";
    }
}

impl Access {
    /// The access that a method asks for. Methods are spelled exactly: a method that HTTP's list does
    /// not hold needs admin, as nobody knows what the backend makes of it.
    #[must_use]
    pub fn needed_by(method: &str) -> Self {
        match method {
            "GET" | "HEAD" | "OPTIONS" => Self::Read,
            "POST" | "PUT" | "PATCH" | "DELETE" => Self::Write,
            _ => Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_45_unknown_methods_need_admin_access() {
        for (method, needed) in [
            ("GET", Access::Read),
            ("HEAD", Access::Read),
            ("OPTIONS", Access::Read),
            ("POST", Access::Write),
            ("PUT", Access::Write),
            ("PATCH", Access::Write),
            ("DELETE", Access::Write),
            ("get", Access::Admin),
            ("Get", Access::Admin),
            ("GET ", Access::Admin),
            ("", Access::Admin),
            ("TRACE", Access::Admin),
            ("CONNECT", Access::Admin),
            ("PROPFIND", Access::Admin),
            ("BREW", Access::Admin),
        ] {
            assert_eq!(Access::needed_by(method), needed, "{method:?}");
        }
    }

    #[test]
    fn each_level_holds_the_ones_before_it() {
        assert!(Access::Read < Access::Write && Access::Write < Access::Admin);
    }
}
