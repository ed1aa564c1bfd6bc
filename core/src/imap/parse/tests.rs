//! Responses, whole.
