//! Sessions in the database (T-08 to T-11): actix-session's middleware over the store. The cookie holds a random token, the
//! database its digest; idle and absolute ends are counted by our clock. It knows who is signed in by a handle alone.

use std::collections::HashMap;

use actix_session::config::{BrowserSession, CookieContentSecurity, TtlExtensionPolicy};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::SameSite;
use actix_web::cookie::time::Duration;

use crate::store::users::UserHandle;
use crate::store::{self, sessions};
use crate::web::Shared;
use crate::web::error::Error;
use crate::web::token::{self, Token};

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
        .and_then(|text| UserHandle::from_text(&text))
}

/// Signs a person in: whatever session there was ends, a new token begins (T-09).
pub fn sign_in(session: &Session, user: &UserHandle) -> Result<(), Error> {
    session.clear();
    session.renew();
    session
        .insert(USER, user.to_text())
        .map_err(|error| Error::Internal(format!("the session cannot hold its user: {error}")))
}

/// The store behind the middleware.
#[derive(Clone, Debug)]
pub struct Stored {
    shared: Shared,
}

impl SessionStore for Stored {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let digest = token::digest(key.as_ref());
        let found = self.shared.db.read(move |r| {
            let row = sessions::load(r, &digest)?;
            let over = row.is_none() && sessions::is_kept(r, &digest)?;
            Ok((row, over))
        });
        let (row, over) = found
            .await
            .map_err(|error| LoadError::Other(error.into()))?;
        let Some(row) = row else {
            if over {
                // For good: a clock that is set back must not bring it back.
                self.delete(key).await.map_err(LoadError::Other)?;
            }
            return Ok(None);
        };
        let unseen_ms = self.shared.clock.now().0.saturating_sub(row.last_seen_at.0);
        if unseen_ms >= STAMP_EVERY_MS {
            match self
                .shared
                .db
                .write(move |w| sessions::touch(w, &digest))
                .await
            {
                Ok(()) => {}
                // It was ended between the two looks.
                Err(store::Error::NotFound) => return Ok(None),
                Err(error) => return Err(LoadError::Other(error.into())),
            }
        }
        let state = serde_json::from_str(&row.state_json);
        state
            .map(Some)
            .map_err(|error| LoadError::Deserialization(error.into()))
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        let token = Token::generate().map_err(|error| SaveError::Other(error.into()))?;
        let (digest, json, user) = (
            token.digest(),
            json(&state).map_err(SaveError::Serialization)?,
            user_in(&state),
        );
        let saved = self
            .shared
            .db
            .write(move |w| sessions::save(w, &digest, &json, user.as_ref()));
        saved
            .await
            .map_err(|error| SaveError::Other(error.into()))?;
        self.shared.counts.sessions.count("begun");
        let key = SessionKey::try_from(token.expose().to_owned());
        key.map_err(|error| SaveError::Other(error.into()))
    }

    async fn update(
        &self,
        key: SessionKey,
        state: State,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        let digest = token::digest(key.as_ref());
        let (json, user) = (
            json(&state).map_err(UpdateError::Serialization)?,
            user_in(&state),
        );
        let saved = self
            .shared
            .db
            .write(move |w| sessions::update(w, &digest, &json, user.as_ref()));
        saved
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
            .write(move |w| sessions::delete(w, &digest))
            .await?;
        self.shared.counts.sessions.count("ended");
        Ok(())
    }
}

fn json(state: &State) -> Result<String, anyhow::Error> {
    Ok(serde_json::to_string(state)?)
}

/// Who is signed in, for the column by which "sign out everywhere" finds the session.
fn user_in(state: &State) -> Option<UserHandle> {
    let text: String = serde_json::from_str(state.get(USER)?).ok()?;
    UserHandle::from_text(&text)
}
