//! The portal in process: real pages over a real database, driven as a browser without scripts drives them.

#![cfg(test)]

mod access;
mod audit;
mod browser;
mod confirm;
mod database;
mod docs;
mod guesses;
mod keys_activity;
mod keys_callers;
mod keys_create;
mod keys_delete;
mod keys_edit;
mod keys_explain;
mod keys_exposed;
mod keys_list;
mod keys_pause;
mod keys_products;
mod keys_proof;
mod keys_reveal;
mod keys_rotate;
mod keys_show;
mod limits;
mod mailbox;
mod new_password;
#[path = "../store/postgres.rs"]
mod postgres;
mod preferences;
mod profile;
mod receipts;
mod reset;
mod rim;
mod sessions;
mod set_password;
mod sign_up;
mod staff_disable;
mod staff_look_up;
mod typed;
mod world;
