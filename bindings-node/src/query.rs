//! Queries.

use crate::error::thrown;
use napi_derive::napi;

/// A query.
#[napi]
pub struct Query(mailtide::Query);

#[napi]
impl Query {
    #[napi]
    pub fn parse(text: String) -> napi::Result<Self> {
        made(mailtide::Query::parse(&text))
    }

    /// Text in pieces, and the values between them.
    #[napi]
    pub fn template(parts: Vec<String>, values: Vec<String>) -> napi::Result<Self> {
        made(template(&parts, &values))
    }

    /// One term: a key of the language, and a value that is nothing but a value.
    #[napi]
    pub fn term(key: String, value: String) -> napi::Result<Self> {
        if key == "list" {
            // `*`, any list at all, is not a value that text may hold.
            return Ok(Self(mailtide::Query::list(value)));
        }
        made(template(&[format!("{key}:"), String::new()], &[value]))
    }

    #[napi]
    pub fn header(name: String, value: Option<String>) -> Self {
        Self(mailtide::Query::header(name, value))
    }

    #[napi]
    pub fn raw(search: String) -> Self {
        Self(mailtide::Query::raw(search))
    }

    #[napi]
    pub fn and(&self, other: &Query) -> Self {
        Self(self.0.clone() & other.0.clone())
    }

    #[napi]
    pub fn or(&self, other: &Query) -> Self {
        Self(self.0.clone() | other.0.clone())
    }

    #[napi]
    pub fn not(&self) -> Self {
        Self(!self.0.clone())
    }

    #[napi(js_name = "toString")]
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

impl Query {
    /// The engine's query.
    pub fn inner(&self) -> &mailtide::Query {
        &self.0
    }
}

fn template(parts: &[String], values: &[String]) -> mailtide::Result<mailtide::Query> {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    mailtide::Query::template(&parts, &values)
}

fn made(query: mailtide::Result<mailtide::Query>) -> napi::Result<Query> {
    query.map(Query).map_err(|e| thrown(&e))
}
