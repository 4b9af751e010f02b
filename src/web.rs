//! What pages and the management API share: errors, routes as data, rights as types, forms, headers, sessions, assets.
//!
//! It knows no page and no table: pages are `portal`'s, SQL is the store's.

pub mod assets;
pub mod breached;
pub mod context;
pub mod counts;
pub mod device;
pub mod error;
pub mod flash;
pub mod form;
pub mod format;
pub mod frame;
pub mod guesses;
pub mod headers;
pub mod limits;
pub mod link_cookie;
pub mod links;
pub mod new_password;
pub mod next;
pub mod origin;
pub mod password;
pub mod priority;
pub mod public_url;
pub mod recent;
pub mod render;
pub mod request_id;
pub mod rim;
pub mod route;
pub mod scope;
pub mod secrecy;
pub mod session;
pub mod shared;
pub mod token;
pub mod visitor;
pub mod zone;

pub use shared::Shared;
