//! Sessions in the database (T-08 to T-11): actix-session's middleware over the store. The cookie holds a random token, the
//! database its digest; idle and absolute ends are counted by our clock. It knows who is signed in by a handle alone.

use std::collections::HashMap;

use actix_session::{
    Session, SessionMiddleware,
    config::{BrowserSession, CookieContentSecurity, TtlExtensionPolicy},
    storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError},
};
use actix_web::cookie::{SameSite, time::Duration};

use crate::{
    store::{
        sessions::{self, NewSession},
        users::UserHandle,
    },
    web::{Shared, token},
};

/// The name of the cookie.
pub const COOKIE: &str = "lk_session";

const USER: &str = "user";

/// How seldom a session's last use is written down.
const STAMP_EVERY_MS: i64 = 60_000;

type State = HashMap<String, String>;

/// The middleware.
pub fn middleware(shared: &Shared) -> SessionMiddleware<Stored> {
    SessionMiddleware::builder(
        Stored {
            shared: shared.clone(),
        },
        shared.cookie_key.clone(),
    )
    .cookie_name(shared.cookie_name(COOKIE))
    .cookie_secure(shared.public_url.is_https())
    .cookie_http_only(true)
    .cookie_same_site(SameSite::Lax)
    .cookie_path("/".to_owned())
    .cookie_content_security(CookieContentSecurity::Signed)
    // Its end is decided where it is read, by role and by our clock.
    .session_lifecycle(
        BrowserSession::default()
            .state_ttl(Duration::days(7))
            .state_ttl_extension_policy(TtlExtensionPolicy::OnStateChanges),
    )
    .build()
}

/// Who is signed in.
pub fn user(session: &Session) -> Option<UserHandle> {
    session
        .get::<String>(USER)
        .ok()
        .flatten()
        .and_then(|text| UserHandle::from_session(&text))
}

/// Signs a person in: whatever session there was ends, a new token begins (T-09).
pub fn sign_in(session: &Session, user: &UserHandle) -> Result<(), crate::web::error::Error> {
    session.clear();
    session.renew();
    session.insert(USER, user.to_session()).map_err(|error| {
        crate::web::error::Error::Internal(format!("the session cannot hold its user: {error}"))
    })
}

/// The store behind the middleware.
#[derive(Clone, Debug)]
pub struct Stored {
    shared: Shared,
}

impl SessionStore for Stored {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let digest = token::digest(key.as_ref());
        let row = self
            .shared
            .db
            .read(move |r| sessions::load(r, digest))
            .await
            .map_err(|error| LoadError::Other(error.into()))?;
        let Some(row) = row else { return Ok(None) };
        let now = self.shared.clock.now();
        if now.0.saturating_sub(row.last_seen_at.0) >= STAMP_EVERY_MS {
            self.shared
                .db
                .write(move |w| sessions::touch(w, digest))
                .await
                .map_err(|error| LoadError::Other(error.into()))?;
        }
        serde_json::from_str(&row.state_json)
            .map(Some)
            .map_err(|error| LoadError::Deserialization(error.into()))
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        let token = token::Token::generate().map_err(|error| SaveError::Other(error.into()))?;
        let new = row(token.digest(), &state).map_err(SaveError::Serialization)?;
        self.shared
            .db
            .write(move |w| sessions::save(w, new))
            .await
            .map_err(|error| SaveError::Other(error.into()))?;
        token
            .expose()
            .to_owned()
            .try_into()
            .map_err(|_| SaveError::Other(anyhow::anyhow!("a token did not fit its cookie")))
    }

    async fn update(
        &self,
        key: SessionKey,
        state: State,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        let new = row(token::digest(key.as_ref()), &state).map_err(UpdateError::Serialization)?;
        self.shared
            .db
            .write(move |w| sessions::update(w, new))
            .await
            .map_err(|error| UpdateError::Other(error.into()))?;
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        let digest = token::digest(key.as_ref());
        self.shared
            .db
            .write(move |w| sessions::delete(w, digest))
            .await?;
        Ok(())
    }
}

fn row(digest: [u8; 32], state: &State) -> Result<NewSession, anyhow::Error> {
    let user = state
        .get(USER)
        .and_then(|json| serde_json::from_str::<String>(json).ok())
        .and_then(|text| UserHandle::from_session(&text));
    Ok(NewSession {
        digest,
        state_json: serde_json::to_string(state)?,
        user,
    })
}
