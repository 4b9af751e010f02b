//! The two kinds of key.

worded! {
    /// Who carries the key.
    pub enum KeyKind {
        /// A program whose owner can keep a secret: shown once, stored as a hash.
        Server => "server", "Server";
        /// A page or app that anybody can read: public by nature, bound to domains.
        Browser => "browser", "Browser";
    }
}
