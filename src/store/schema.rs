//! The tables, as both databases have them. Hand-kept: `check::tables` reads each of them, on both.

diesel::table! {
    installation (id) {
        id -> BigInt,
        log_epoch -> BigInt,
        log_pruned -> BigInt,
    }
}

diesel::table! {
    plans (id) {
        id -> BigInt,
        slug -> Text,
        name -> Text,
        per_second -> Nullable<BigInt>,
        per_minute -> Nullable<BigInt>,
        burst -> Nullable<BigInt>,
        per_day -> Nullable<BigInt>,
        keys -> Nullable<BigInt>,
        is_free -> Bool,
        enterprise_only -> Bool,
        position -> SmallInt,
        generation -> BigInt,
    }
}

diesel::table! {
    products (id) {
        id -> BigInt,
        slug -> Text,
        name -> Text,
        name_key -> Text,
        kind -> Text,
        docs_url -> Nullable<Text>,
        sample_method -> Text,
        sample_url -> Text,
        sample_expect -> Text,
        key_in_query -> Text,
        needs_token -> Bool,
        recoverable -> Bool,
        per_second -> Nullable<BigInt>,
        created_at -> BigInt,
        generation -> BigInt,
        needs -> Text,
    }
}

diesel::table! {
    product_routes (id) {
        id -> BigInt,
        product_row -> BigInt,
        host -> Text,
        path -> Text,
        environments -> Text,
    }
}

diesel::table! {
    product_admin_prefixes (product_row, prefix) {
        product_row -> BigInt,
        prefix -> Text,
    }
}

diesel::table! {
    product_scopes (product_row, slug) {
        product_row -> BigInt,
        slug -> Text,
        place -> SmallInt,
        name -> Text,
        prefixes -> Text,
    }
}

diesel::table! {
    accounts (id) {
        id -> BigInt,
        slug -> Text,
        name -> Text,
        name_key -> Text,
        tier -> Text,
        plan_row -> BigInt,
        created_at -> BigInt,
        suspended_at -> Nullable<BigInt>,
        suspended_by -> Nullable<Text>,
        suspended_reason -> Nullable<Text>,
        generation -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        email -> Text,
        email_key -> Text,
        name -> Text,
        password_hash -> Nullable<Text>,
        staff_role -> Nullable<Text>,
        theme -> Nullable<Text>,
        zone -> Nullable<Text>,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
        key_mails -> Text,
    }
}

diesel::table! {
    members (account_id, user_id) {
        account_id -> BigInt,
        user_id -> BigInt,
        role -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    key_bounds (key_row) {
        key_row -> BigInt,
        per_second -> Nullable<BigInt>,
        per_minute -> Nullable<BigInt>,
        burst -> Nullable<BigInt>,
    }
}

diesel::table! {
    keys (id) {
        id -> BigInt,
        key_id -> Binary,
        account_id -> BigInt,
        name -> Text,
        name_key -> Text,
        kind -> Text,
        environment -> Text,
        access -> Text,
        billing_type -> Text,
        responsible_user_id -> Nullable<BigInt>,
        note -> Text,
        labels -> Text,
        domains -> Text,
        ips -> Text,
        any_site -> Bool,
        expires_at -> Nullable<BigInt>,
        created_at -> BigInt,
        created_by -> Text,
        last_rotated_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        paused_at -> Nullable<BigInt>,
        paused_until -> Nullable<BigInt>,
        disabled_at -> Nullable<BigInt>,
        disabled_by -> Nullable<Text>,
        disabled_reason -> Nullable<Text>,
        disabled_kind -> Nullable<Text>,
        deleted_at -> Nullable<BigInt>,
        purge_at -> Nullable<BigInt>,
        generation -> BigInt,
        responsible_name -> Text,
        deployed -> Text,
        replaces_row -> Nullable<BigInt>,
    }
}

diesel::table! {
    key_ends (key_row) {
        key_row -> BigInt,
        ends_at -> BigInt,
    }
}

diesel::table! {
    key_exposures (key_row, secret_number, way) {
        key_row -> BigInt,
        secret_number -> SmallInt,
        way -> SmallInt,
        times -> BigInt,
        first_at -> BigInt,
        last_at -> BigInt,
    }
}

diesel::table! {
    key_products (key_row, product_row) {
        key_row -> BigInt,
        product_row -> BigInt,
        scopes -> Text,
    }
}

diesel::table! {
    secrets (key_row, number) {
        key_row -> BigInt,
        number -> SmallInt,
        digest -> Binary,
        hash_kind -> Text,
        prefix -> Text,
        last4 -> Text,
        created_at -> BigInt,
        retires_at -> Nullable<BigInt>,
        leaked_at -> Nullable<BigInt>,
        ciphertext -> Nullable<Binary>,
        warned_at -> Nullable<BigInt>,
        sealed_by -> Nullable<Text>,
        ended -> Bool,
    }
}

diesel::table! {
    key_reminders (key_row) {
        key_row -> BigInt,
        ends_at -> BigInt,
        days -> SmallInt,
    }
}

diesel::table! {
    changes (id) {
        id -> BigInt,
        kind -> SmallInt,
        ref_row -> BigInt,
        generation -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    audit_events (id) {
        id -> BigInt,
        at -> BigInt,
        actor_kind -> Text,
        actor -> Text,
        actor_user_id -> Nullable<BigInt>,
        ip -> Nullable<Text>,
        request_id -> Nullable<Text>,
        account_id -> Nullable<BigInt>,
        action -> Text,
        target -> Text,
        before -> Nullable<Text>,
        after -> Nullable<Text>,
        chain -> SmallInt,
        position -> Nullable<BigInt>,
        mac -> Nullable<Binary>,
    }
}

diesel::table! {
    sessions (digest) {
        digest -> Binary,
        user_id -> Nullable<BigInt>,
        state -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
    }
}

diesel::table! {
    node_acks (key_row, generation, node) {
        key_row -> BigInt,
        generation -> BigInt,
        node -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    nodes (name) {
        name -> Text,
        role -> Text,
        version -> Text,
        started_at -> BigInt,
        heard_at -> BigInt,
        left_at -> Nullable<BigInt>,
        max_staleness -> BigInt,
        epoch -> BigInt,
        loaded -> BigInt,
        loaded_at -> BigInt,
        applied -> BigInt,
    }
}

diesel::table! {
    one_time_links (digest) {
        digest -> Binary,
        purpose -> Text,
        user_id -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    outbox (id) {
        id -> BigInt,
        kind -> Text,
        email -> Text,
        name -> Text,
        account -> Nullable<Text>,
        key_id -> Nullable<Text>,
        subject -> Text,
        actor -> Text,
        detail -> Text,
        sealed_link -> Nullable<Binary>,
        created_at -> BigInt,
        next_try_at -> BigInt,
        ends_at -> BigInt,
        tries -> BigInt,
    }
}

diesel::table! {
    confirmations (digest) {
        digest -> Binary,
        email -> Text,
        user_id -> Nullable<BigInt>,
        name -> Nullable<Text>,
        company -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    form_ids (account_id, form_id) {
        account_id -> BigInt,
        form_id -> Text,
        made -> Text,
        made_at -> BigInt,
    }
}

diesel::table! {
    activity (account_id, key_row, hour, secret_number, product_row, outcome) {
        account_id -> BigInt,
        key_row -> BigInt,
        hour -> BigInt,
        secret_number -> SmallInt,
        product_row -> BigInt,
        outcome -> SmallInt,
        count -> BigInt,
    }
}

diesel::table! {
    callers (account_id, key_row, hour, secret_number, product_row, place, agent) {
        account_id -> BigInt,
        key_row -> BigInt,
        hour -> BigInt,
        secret_number -> SmallInt,
        product_row -> BigInt,
        place -> Text,
        agent -> Text,
        allowed -> BigInt,
        refused -> BigInt,
        last_at -> BigInt,
    }
}

diesel::table! {
    meter_batches (node, epoch, seq) {
        node -> Text,
        epoch -> BigInt,
        seq -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    account_days (account_id, day) {
        account_id -> BigInt,
        day -> BigInt,
        count -> BigInt,
        told -> SmallInt,
    }
}

diesel::joinable!(product_routes -> products (product_row));
diesel::joinable!(accounts -> plans (plan_row));
diesel::joinable!(members -> accounts (account_id));
diesel::joinable!(members -> users (user_id));
diesel::joinable!(keys -> accounts (account_id));
diesel::joinable!(key_products -> keys (key_row));
diesel::joinable!(key_products -> products (product_row));
diesel::joinable!(product_scopes -> products (product_row));
diesel::joinable!(secrets -> keys (key_row));
diesel::joinable!(key_reminders -> keys (key_row));
diesel::joinable!(key_ends -> keys (key_row));
diesel::joinable!(one_time_links -> users (user_id));
diesel::joinable!(sessions -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    installation,
    plans,
    products,
    product_routes,
    product_admin_prefixes,
    product_scopes,
    accounts,
    users,
    members,
    keys,
    key_products,
    secrets,
    key_reminders,
    key_ends,
    key_exposures,
    changes,
    audit_events,
    sessions,
    node_acks,
    nodes,
    one_time_links,
    outbox,
    confirmations,
    form_ids,
    activity,
    callers,
    meter_batches,
    account_days,
);
