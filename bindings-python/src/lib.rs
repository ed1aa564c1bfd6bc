//! The python door of Mailtide: convert, call, convert.
