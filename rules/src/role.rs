//! What people may be: members of an account, and staff.

worded! {
    /// A member's role in an account. Each may do what the ones before it may.
    pub enum Role {
        /// Looks, and copies browser secrets.
        Viewer => "viewer", "Viewer";
        /// Makes, edits, rotates, pauses and deletes keys.
        Developer => "developer", "Developer";
        /// Also members, limits and money.
        Owner => "owner", "Owner";
    }
}

worded! {
    /// A staff role. It grants nothing inside an account.
    pub enum StaffRole {
        /// Looks and explains; changes nothing, sees no secret.
        Support => "support", "Support";
        /// Has all staff pages.
        Admin => "admin", "Admin";
    }
}
