//! Which database is meant.

use std::fmt;
use std::path::PathBuf;

/// A database's address. Neither its `Debug` nor its `Display` holds a password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A server, as libpq's connection URL.
    Postgres(String),
}

/// The text names no database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme.
    #[error(
        "The database URL begins with “{scheme}:”. Write sqlite:PATH for a file, or postgres://USER:PASSWORD@HOST/NAME for a server."
    )]
    Scheme {
        /// What stands before the colon.
        scheme: String,
    },
    /// Nothing after the scheme.
    #[error("The database URL names no file. Write sqlite:PATH.")]
    NoPath,
}

impl DatabaseUrl {
    /// Reads `sqlite:PATH`, `sqlite://PATH`, `postgres://…` or `postgresql://…`; what has no scheme is a file's path.
    ///
    /// # Errors
    /// When the scheme is another, or names no file.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        if let Some((scheme, _)) = text.split_once("://")
            && scheme != "sqlite"
        {
            return Err(UrlError::Scheme {
                scheme: scheme.to_owned(),
            });
        }
        let path = match text.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None => text,
        };
        if path.is_empty() {
            return Err(UrlError::NoPath);
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }

    /// The database's name for people.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// A setting of a server's URL, as written there.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        let Self::Postgres(url) = self else {
            return None;
        };
        let (_, query) = url.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(found, value)| (found == name).then_some(value))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
                let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
                let name = rest.split('?').next().unwrap_or_default();
                write!(f, "postgres://{host}{name}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_database_by_the_scheme() {
        let file = |path: &str| Ok(DatabaseUrl::Sqlite(PathBuf::from(path)));
        assert_eq!(DatabaseUrl::parse("sqlite:data/a.db"), file("data/a.db"));
        assert_eq!(DatabaseUrl::parse("sqlite:///var/a.db"), file("/var/a.db"));
        assert_eq!(DatabaseUrl::parse("./a.db"), file("./a.db"));
        assert_eq!(DatabaseUrl::parse("sqlite:"), Err(UrlError::NoPath));
        assert!(matches!(
            DatabaseUrl::parse("postgresql://h/n"),
            Ok(DatabaseUrl::Postgres(_))
        ));
        assert_eq!(
            DatabaseUrl::parse("mysql://h/n"),
            Err(UrlError::Scheme {
                scheme: "mysql".to_owned()
            })
        );
    }

    #[test]
    fn t_61_a_shown_url_holds_no_password() {
        for text in [
            "postgres://me:pa@ss@db.example:5433/latchkey?sslmode=disable&password=pass",
            "postgresql://db.example:5433/latchkey",
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), "postgres://db.example:5433/latchkey");
            assert_eq!(format!("{url:?}"), url.to_string());
        }
        let url = DatabaseUrl::parse("postgres:///n?host=/tmp&sslmode=require").unwrap();
        assert_eq!(url.setting("sslmode"), Some("require"));
        assert_eq!(url.setting("host"), Some("/tmp"));
        assert_eq!(url.setting("port"), None);
    }
}
