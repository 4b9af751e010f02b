//! The portal in process: real pages over a real database, driven as a browser without scripts drives them.

#![cfg(test)]

mod access;
mod browser;
mod docs;
mod keys_activity;
mod keys_create;
mod keys_delete;
mod keys_list;
mod keys_show;
mod preferences;
mod receipts;
mod rim;
mod sessions;
mod set_password;
mod sign_up;
mod staff_disable;
mod staff_look_up;
mod typed;
mod world;
