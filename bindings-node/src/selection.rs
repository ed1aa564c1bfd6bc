//! Which messages and which mailbox a call is about.

use crate::error::{bad_argument, thrown};
use crate::query::Query;
use mailtide::imap::{Flag, Role, UidSet};
use mailtide::{MessageRef, Target};
use napi::bindgen_prelude::Uint32Array;
use napi_derive::napi;
use std::sync::Arc;

/// Which messages a call is about.
#[napi]
pub struct Selection(mailtide::Selection);

#[napi]
impl Selection {
    #[napi]
    pub fn all() -> Self {
        Self(mailtide::Selection::All)
    }

    /// A set in the form of [`uid_set`], or nothing.
    #[napi]
    pub fn uids(set: String) -> napi::Result<Self> {
        let set = if set.is_empty() { UidSet::default() } else { parse_set(&set)? };
        Ok(Self(mailtide::Selection::Uids(set)))
    }

    #[napi]
    pub fn uid_list(uids: Uint32Array) -> Self {
        Self(mailtide::Selection::Uids(uids.iter().copied().collect()))
    }

    #[napi]
    pub fn refs(refs: Vec<RefsInput>) -> Self {
        Self(mailtide::Selection::Refs(refs.iter().flat_map(RefsInput::expand).collect()))
    }

    #[napi]
    pub fn query(query: &Query) -> Self {
        Self(mailtide::Selection::Query(query.inner().clone()))
    }
}

impl Selection {
    /// The engine's selection.
    pub fn inner(&self) -> mailtide::Selection {
        self.0.clone()
    }
}

/// References into one mailbox.
#[napi(object)]
pub struct RefsInput {
    pub account: String,
    pub mailbox: String,
    pub uid_validity: u32,
    pub uids: Uint32Array,
}

impl RefsInput {
    fn expand(&self) -> Vec<MessageRef> {
        let (account, mailbox): (Arc<str>, Arc<str>) = (self.account.as_str().into(), self.mailbox.as_str().into());
        let uid_validity = self.uid_validity;
        let at = |uid: &u32| MessageRef { account: account.clone(), mailbox: mailbox.clone(), uid_validity, uid: *uid };
        self.uids.iter().map(at).collect()
    }
}

/// A mailbox in one of three ways.
#[napi(object)]
pub struct TargetInput {
    pub name: Option<String>,
    pub path: Option<Vec<String>>,
    pub role: Option<String>,
}

impl TargetInput {
    /// The engine's target.
    pub fn into_target(self) -> napi::Result<Target> {
        match self {
            Self { name: Some(name), .. } => Ok(Target::Name(name)),
            Self { path: Some(path), .. } => Ok(Target::Path(path)),
            Self { role: Some(name), .. } => Ok(Target::Role(role(&name)?)),
            _ => Err(bad_argument("A mailbox is a name, a path or a role")),
        }
    }
}

/// A role by its name.
pub fn role(name: &str) -> napi::Result<Role> {
    Role::parse(name).ok_or_else(|| bad_argument(format!("There is no role {name:?}")))
}

/// Flags as a user wrote them.
pub fn flags(texts: &[String]) -> napi::Result<Vec<Flag>> {
    texts.iter().map(|text| Flag::parse(text).map_err(|e| thrown(&e))).collect()
}

/// A set in its shortest form; throws where it is none.
#[napi]
pub fn uid_set(text: String) -> napi::Result<String> {
    Ok(parse_set(&text)?.to_string())
}

fn parse_set(text: &str) -> napi::Result<UidSet> {
    UidSet::parse(text).map_err(|e| thrown(&e))
}
