//! The node door of Mailtide: convert, call, convert.
