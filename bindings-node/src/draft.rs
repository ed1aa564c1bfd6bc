//! Messages that are being written.

use crate::error::thrown;
use bytes::Bytes;
use mailtide::Result;
use mailtide::message::{Draft, DraftAttachment, DraftContent, EmailAddress, parse_recipients};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

/// A draft as `ts/draft.ts` hands it over.
#[napi(object)]
pub struct DraftInput {
    pub from: Vec<AddressInput>,
    pub to: Vec<AddressInput>,
    pub cc: Vec<AddressInput>,
    pub bcc: Vec<AddressInput>,
    pub reply_to: Vec<AddressInput>,
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attach: Vec<AttachInput>,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub headers: Vec<(String, String)>,
}

/// Addresses as text, or one of them in its parts.
#[napi(object)]
pub struct AddressInput {
    pub text: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
}

/// A file to attach: its bytes, or where it is.
#[napi(object)]
pub struct AttachInput {
    pub content: Option<Uint8Array>,
    pub path: Option<String>,
    pub filename: Option<String>,
    pub media_type: Option<String>,
    pub content_id: Option<String>,
}

impl DraftInput {
    /// The engine's draft.
    pub fn into_draft(self) -> napi::Result<Draft> {
        self.made().map_err(|e| thrown(&e))
    }

    fn made(self) -> Result<Draft> {
        let (subject, text, html) = (self.subject, self.text, self.html);
        let mut draft = Draft {
            to: addresses(self.to)?,
            cc: addresses(self.cc)?,
            bcc: addresses(self.bcc)?,
            reply_to: addresses(self.reply_to)?,
            subject,
            text,
            html,
            attachments: self.attach.into_iter().map(AttachInput::into_attachment).collect(),
            in_reply_to: self.in_reply_to,
            references: self.references,
            headers: self.headers,
            ..Draft::new()
        };
        // One that is given as text is checked to be exactly one.
        for from in self.from {
            draft = match from {
                AddressInput { text: Some(text), .. } => draft.from(&text)?,
                AddressInput { name, email, .. } => Draft { from: Some(address(name, email)), ..draft },
            };
        }
        Ok(draft)
    }
}

impl AttachInput {
    fn into_attachment(self) -> DraftAttachment {
        let own_name = |file: DraftAttachment| file.filename;
        let filename = self.filename.or_else(|| self.path.as_deref().map(DraftAttachment::file).and_then(own_name));
        let content = match (self.content, self.path) {
            (None, Some(path)) => DraftContent::File(path.into()),
            (content, _) => DraftContent::Bytes(content.map_or_else(Bytes::new, |c| Bytes::copy_from_slice(&c))),
        };
        DraftAttachment { filename, media_type: self.media_type, content, content_id: self.content_id }
    }
}

fn addresses(given: Vec<AddressInput>) -> Result<Vec<EmailAddress>> {
    let mut all = Vec::new();
    for one in given {
        match one {
            AddressInput { text: Some(text), .. } => all.extend(parse_recipients(&text)?),
            AddressInput { name, email, .. } => all.push(address(name, email)),
        }
    }
    Ok(all)
}

fn address(name: Option<String>, email: Option<String>) -> EmailAddress {
    EmailAddress { name, email: email.unwrap_or_default(), group: None }
}
