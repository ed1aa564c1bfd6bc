//! Which command a response belongs to: a pure question about the commands in flight.

use super::refusal::{farewell, refused};
use crate::error::{Code, MailError, Result};
use crate::imap::{Response, ResponseCode, Status, StatusKind, UidSet, Untagged};
use crate::wire::Frame;
use bytes::Bytes;
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// What a command wants of the untagged data that comes while it runs.
#[derive(Clone, Debug)]
pub(crate) enum Wants {
    /// Nothing but its tagged answer (and codes for it, such as COPYUID).
    Nothing,
    /// FETCH rows of these UIDs that carry more than flags.
    Rows(UidSet),
    /// FETCH rows of these UIDs, of any kind.
    Flags(UidSet),
    /// SEARCH or ESEARCH.
    Search,
    /// LIST, and STATUS for LIST-STATUS.
    List,
    /// STATUS.
    Status,
    /// NAMESPACE.
    Namespace,
    /// ID.
    Id,
    /// CAPABILITY, ENABLED.
    Capability,
    /// Everything about a mailbox being opened.
    Select,
    /// Everything.
    All,
}

/// What a command got.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    /// The untagged responses that it wanted, in order.
    pub untagged: Vec<Response>,
    /// The code of the tagged OK.
    pub code: Option<ResponseCode>,
    /// The text of the tagged OK.
    pub text: String,
    /// For [`Wants::All`]: the lines as they came.
    pub lines: Vec<Bytes>,
    /// Bytes of what is in `untagged`, as they came.
    pub bytes: u64,
    /// Rows that could not be read at all, as errors; the others are in `untagged`.
    pub malformed: Vec<MailError>,
}

/// A command that has been written, in whole or in part, and not been answered.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub tag: String,
    pub name: &'static str,
    pub wants: Wants,
    pub slow: bool,
    /// Whether its last byte has been handed to the socket.
    pub written: bool,
    pub reply: Reply,
    pub done: oneshot::Sender<Result<Reply>>,
}

/// The commands in flight, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Route {
    flying: VecDeque<InFlight>,
    bye: Option<MailError>,
}

/// What became of a response.
#[derive(Debug, PartialEq)]
pub(crate) enum Routed {
    /// A command took it, or it needs nothing more.
    Taken,
    /// Nobody asked for it.
    Unsolicited(Box<Response>),
    /// A continuation, for whoever writes.
    Continue,
    /// A command ended; whether its writing has to stop here (it was refused before it was whole).
    Ended {
        /// The tag.
        tag: String,
        /// Whether some of it is not written yet.
        unwritten: bool,
    },
}

impl Route {
    pub fn push(&mut self, command: InFlight) {
        self.flying.push_back(command);
    }

    pub fn is_empty(&self) -> bool {
        self.flying.is_empty()
    }

    /// Whether one of the commands makes servers work in silence.
    pub fn is_slow(&self) -> bool {
        self.flying.iter().any(|c| c.slow)
    }

    pub fn written(&mut self, tag: &str) {
        if let Some(command) = self.flying.iter_mut().find(|c| c.tag == tag) {
            command.written = true;
        }
    }

    /// Takes one response. An error ends the connection.
    pub fn take(&mut self, response: Response, frame: &Frame) -> Result<Routed> {
        match response {
            Response::Tagged { tag, status, code, text } => self.tagged(&tag, status, code, text),
            Response::Continue { .. } => Ok(Routed::Continue),
            Response::Status { kind: StatusKind::Bye, ref code, ref text } => {
                self.bye = Some(farewell(code.as_ref(), text));
                Ok(self.offer(response, frame))
            }
            other => Ok(self.offer(other, frame)),
        }
    }

    /// A row that could not be read, for the command whose row it must have been.
    pub fn malformed(&mut self, error: &MailError) {
        let owner = self.flying.iter_mut().find(|c| matches!(c.wants, Wants::Rows(_) | Wants::Flags(_) | Wants::All));
        if let Some(command) = owner {
            command.reply.malformed.push(error.clone());
        } else if let Some(command) = self.flying.front_mut().filter(|c| !matches!(c.wants, Wants::Nothing)) {
            // Data that was asked for and cannot be read must not look like no data.
            command.reply.malformed.push(error.clone());
        }
    }

    /// Fails everything in flight, with the server's BYE where it sent one.
    pub fn fail(&mut self, error: &MailError) -> MailError {
        let error = match (&self.bye, error.code()) {
            (Some(bye), Code::NetLost) => bye.clone(),
            _ => error.clone(),
        };
        for command in self.flying.drain(..) {
            let _ = command.done.send(Err(error.clone().with(|c| c.command = Some(command.name.to_owned()))));
        }
        error
    }

    fn tagged(&mut self, tag: &Bytes, status: Status, code: Option<ResponseCode>, text: String) -> Result<Routed> {
        let Some(at) = self.flying.iter().position(|c| c.tag.as_bytes() == tag.as_ref()) else {
            return Ok(Routed::Taken);
        };
        let Some(mut command) = self.flying.remove(at) else { return Ok(Routed::Taken) };
        let unwritten = !command.written;
        if status == Status::Ok && unwritten {
            return Err(MailError::new(Code::NetTampered, "The server answered a command before it was sent"));
        }
        let tag = std::mem::take(&mut command.tag);
        let result = match status {
            Status::Ok => {
                (command.reply.code, command.reply.text) = (code, text);
                Ok(command.reply)
            }
            _ => Err(refused(command.name, status, code.as_ref(), &text)),
        };
        let _ = command.done.send(result);
        Ok(Routed::Ended { tag, unwritten })
    }

    fn offer(&mut self, response: Response, frame: &Frame) -> Routed {
        let Some(command) = self.flying.iter_mut().find(|c| c.wants.takes(&c.tag, &response)) else {
            return Routed::Unsolicited(Box::new(response));
        };
        if matches!(command.wants, Wants::All) {
            command.reply.lines.push(frame.head.clone());
        }
        command.reply.bytes += frame.size() as u64;
        command.reply.untagged.push(response);
        Routed::Taken
    }
}

impl Wants {
    /// Whether a command that wants this takes `response`.
    fn takes(&self, tag: &str, response: &Response) -> bool {
        use Response::{Data, Status};
        match (self, response) {
            (Self::All, _) => true,
            (Self::Rows(uids), Data(Untagged::Fetch(row))) => {
                row.uid.is_some_and(|uid| uids.contains(uid)) && row.is_more_than_flags()
            }
            (Self::Flags(uids), Data(Untagged::Fetch(row))) => row.uid.is_some_and(|uid| uids.contains(uid)),
            (Self::Search, Data(Untagged::Esearch(found))) => found.tag.as_deref().is_none_or(|t| t == tag),
            (Self::Search, Data(Untagged::Search { .. })) => true,
            (Self::List, Data(Untagged::List(_) | Untagged::Lsub(_) | Untagged::Status(_))) => true,
            (Self::Status, Data(Untagged::Status(_))) => true,
            (Self::Namespace, Data(Untagged::Namespace(_))) => true,
            (Self::Id, Data(Untagged::Id(_))) => true,
            (Self::Capability, Data(Untagged::Capability(_) | Untagged::Enabled(_))) => true,
            (Self::Select, Data(Untagged::Flags(_) | Untagged::Exists(_) | Untagged::Recent(_))) => true,
            (Self::Select, Status { kind: StatusKind::Ok, code: Some(_), .. }) => true,
            (
                Self::Nothing,
                Status { code: Some(ResponseCode::CopyUid { .. } | ResponseCode::AppendUid { .. }), .. },
            ) => true,
            _ => false,
        }
    }
}
