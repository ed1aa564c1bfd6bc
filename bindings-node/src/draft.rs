//! Messages that are being written.

use crate::error::thrown;
use bytes::Bytes;
use mailtide::Result;
use mailtide::message::{
    Draft, DraftAttachment, DraftContent, EmailAddress, ForwardOptions, ReplyOptions, parse_recipients,
};
use napi::Env;
use napi::bindgen_prelude::{BufferSlice, Uint8Array};
use napi_derive::napi;
use serde_json::{Value, json};

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
        for from in self.from {
            draft.from = Some(from.into_sender()?);
        }
        Ok(draft)
    }
}

impl AddressInput {
    /// One that is given as text is checked to be exactly one.
    pub fn into_sender(self) -> Result<EmailAddress> {
        let one = |text: &str| Ok(Draft::new().from(text)?.from.unwrap_or_default());
        self.text.as_deref().map_or_else(|| Ok(address(self.name.clone(), self.email.clone())), one)
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

/// How to reply.
#[napi(object)]
pub struct ReplyInput {
    pub all: bool,
    pub me: Vec<AddressInput>,
    pub text: String,
    pub quote: bool,
    pub attribution: Option<String>,
}

/// How to pass a message on.
#[napi(object)]
pub struct ForwardInput {
    pub to: Vec<AddressInput>,
    pub text: String,
    pub attachments: bool,
}

impl ReplyInput {
    pub fn into_options(self) -> Result<ReplyOptions> {
        let me = addresses(self.me)?.into_iter().map(|address| address.email).collect();
        let Self { all, text, quote, attribution, .. } = self;
        Ok(ReplyOptions { all, me, text, no_quote: !quote, attribution })
    }
}

impl ForwardInput {
    pub fn into_options(self) -> Result<ForwardOptions> {
        Ok(ForwardOptions { to: addresses(self.to)?, text: self.text, no_attachments: !self.attachments })
    }
}

/// A draft that the engine has made, on its way to JavaScript: plain data, and the files one by one.
#[napi]
pub struct DraftOutput(Draft);

#[napi]
impl DraftOutput {
    /// All but the contents of its attachments, as JSON.
    #[napi]
    pub fn fields(&self) -> String {
        let Draft { from, to, cc, bcc, reply_to, subject, text, html, attachments, in_reply_to, references, headers } =
            &self.0;
        let list = |all: &[EmailAddress]| all.iter().map(address_json).collect::<Value>();
        let headers: serde_json::Map<_, _> = headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "from": from.as_ref().map(address_json), "to": list(to), "cc": list(cc), "bcc": list(bcc),
            "replyTo": list(reply_to), "subject": subject, "text": text, "html": html, "inReplyTo": in_reply_to,
            "references": references, "headers": headers,
            "attach": attachments.iter().map(attachment_json).collect::<Value>(),
        })
        .to_string()
    }

    /// The content of an attachment; null for one that is a file.
    #[napi]
    pub fn content<'env>(&self, env: &'env Env, index: u32) -> napi::Result<Option<BufferSlice<'env>>> {
        match self.0.attachments.get(index as usize).map(|attachment| &attachment.content) {
            Some(DraftContent::Bytes(bytes)) => BufferSlice::copy_from(env, bytes).map(Some),
            _ => Ok(None),
        }
    }
}

impl From<Draft> for DraftOutput {
    fn from(draft: Draft) -> Self {
        Self(draft)
    }
}

fn address_json(address: &EmailAddress) -> Value {
    json!({ "name": address.name, "email": address.email })
}

fn attachment_json(attachment: &DraftAttachment) -> Value {
    let path = match &attachment.content {
        DraftContent::File(path) => Some(path.to_string_lossy()),
        DraftContent::Bytes(_) => None,
    };
    json!({
        "path": path, "filename": attachment.filename, "mediaType": attachment.media_type,
        "contentId": attachment.content_id,
    })
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
