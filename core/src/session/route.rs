//! Which command a response belongs to: a pure question about the commands in flight.

use super::refusal::{farewell, refused};
use crate::error::{Code, MailError, Result};
use crate::imap::command::FetchItem;
use crate::imap::{FetchRow, Response, ResponseCode, Section, SectionData, Status, StatusKind, UidSet, Untagged};
use crate::wire::Frame;
use bytes::Bytes;
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// What a command wants of the untagged data that comes while it runs.
#[derive(Clone, Debug)]
pub(crate) enum Wants {
    /// Nothing but its tagged answer (and codes for it, such as COPYUID).
    Nothing,
    /// FETCH rows.
    Rows(Rows),
    /// SEARCH or ESEARCH.
    Search,
    /// LIST, and STATUS for LIST-STATUS.
    List,
    /// STATUS.
    Status,
    /// NAMESPACE, or the LIST that stands in for it.
    Namespace,
    /// ID.
    Id,
    /// CAPABILITY, ENABLED.
    Capability,
    /// Everything about a mailbox being opened.
    Select,
    /// The same, and what has changed in it and is gone (QRESYNC).
    SelectSince,
    /// Everything.
    All,
    /// COPYUID, and which messages have left.
    Move,
    /// Nothing: it is LOGOUT, and its caller does not wait.
    Farewell,
}

/// Which FETCH rows a command waits for.
///
/// A server may answer several FETCHes at once and send their tagged OKs afterwards (Dovecot does), so a row belongs to
/// the first command that asked for just that and has not had it yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub uids: UidSet,
    /// Sections asked for, with the offset of a partial.
    pub sections: Vec<(Section, Option<u64>)>,
    /// Whether nothing but flags was asked for.
    pub only_flags: bool,
    had: UidSet,
}

impl Rows {
    /// Rows of `uids` for a FETCH of these items.
    pub fn of(uids: &UidSet, items: &[FetchItem]) -> Self {
        let sections = items.iter().filter_map(|item| match item {
            FetchItem::Section { section, partial } => Some((section.clone(), partial.map(|(from, _)| from))),
            _ => None,
        });
        let flags = |i: &FetchItem| matches!(i, FetchItem::Uid | FetchItem::Flags | FetchItem::ModSeq);
        let (sections, only_flags) = (sections.collect(), items.iter().all(flags));
        Self { uids: uids.clone(), sections, only_flags, had: UidSet::default() }
    }

    /// Takes a row that is awaited.
    fn take(&mut self, row: &FetchRow) -> bool {
        let Some(uid) = row.uid.filter(|uid| self.uids.contains(*uid) && !self.had.contains(*uid)) else {
            return false;
        };
        let fits = match (self.sections.as_slice(), row.sections.as_slice()) {
            ([], []) => self.only_flags || row.is_more_than_flags(),
            ([], _) => false,
            (asked, got) => {
                !row.problems.is_empty() && got.is_empty() || got.iter().any(|g| asked.iter().any(|a| answers(g, a)))
            }
        };
        if fits {
            self.had.insert(uid);
        }
        fits
    }

    /// Whether this is more of a row that has been taken: some servers tell of one message in several.
    fn completes(&self, row: &FetchRow) -> bool {
        row.uid.is_some_and(|uid| self.had.contains(uid))
    }
}

/// Whether this is the section asked for; a server that ignores partials gives no offset.
fn answers(got: &SectionData, (section, offset): &(Section, Option<u64>)) -> bool {
    got.section == *section && (got.origin.is_none() || got.origin == offset.or(Some(0)))
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
    /// What `reply` takes in memory.
    pub weight: u64,
    pub done: oneshot::Sender<Result<Reply>>,
}

/// The commands in flight, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Route {
    flying: VecDeque<Box<InFlight>>,
    bye: Option<MailError>,
    most: u64,
    /// Bytes that came since the last answer and that nobody had asked for.
    unasked: u64,
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
    /// A command ended, maybe before it was whole.
    Ended {
        /// The tag.
        tag: String,
    },
}

impl Route {
    pub fn push(&mut self, command: InFlight) {
        self.flying.push_back(Box::new(command));
    }

    pub fn is_empty(&self) -> bool {
        self.flying.is_empty()
    }

    /// Whether LOGOUT alone is still to be answered.
    pub fn is_farewell(&self) -> bool {
        self.flying.len() == 1 && self.flying.iter().all(|command| matches!(command.wants, Wants::Farewell))
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

    /// The most that the untagged data of one command may take in memory.
    pub fn new(most: u64) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes one response. An error ends the connection.
    pub fn take(&mut self, response: Response, frame: &Frame) -> Result<Routed> {
        match response {
            Response::Tagged { tag, status, code, text } => self.tagged(&tag, status, code, text),
            Response::Continue { .. } => self.unasked(frame).map(|()| Routed::Continue),
            Response::Status { kind: StatusKind::Bye, ref code, ref text } => {
                self.bye = Some(farewell(code.as_ref(), text));
                self.offer(response, frame)
            }
            other => self.offer(other, frame),
        }
    }

    /// A row that could not be read, for the command whose row it must have been.
    pub fn malformed(&mut self, error: &MailError) {
        let owner = self.flying.iter_mut().find(|c| matches!(c.wants, Wants::Rows(_) | Wants::All));
        if let Some(command) = owner {
            command.reply.malformed.push(error.clone());
        } else if let Some(command) =
            self.flying.front_mut().filter(|c| !matches!(c.wants, Wants::Nothing | Wants::Farewell))
        {
            // Data that was asked for and cannot be read must not look like no data.
            command.reply.malformed.push(error.clone());
        }
    }

    /// Why the connection has ended: the server's BYE where it sent one.
    pub fn reason(&self, error: &MailError) -> MailError {
        match (&self.bye, error.code()) {
            (Some(bye), Code::NetLost) => bye.clone(),
            _ => error.clone(),
        }
    }

    /// Fails everything in flight.
    pub fn fail(&mut self, error: &MailError) {
        for command in self.flying.drain(..) {
            let _ = command.done.send(Err(error.clone().with(|c| c.command = Some(command.name.to_owned()))));
        }
    }

    fn tagged(&mut self, tag: &Bytes, status: Status, code: Option<ResponseCode>, text: String) -> Result<Routed> {
        let Some(at) = self.flying.iter().position(|c| c.tag.as_bytes() == tag.as_ref()) else {
            return Ok(Routed::Taken);
        };
        let Some(mut command) = self.flying.remove(at) else { return Ok(Routed::Taken) };
        self.unasked = 0;

        if status == Status::Ok && !command.written {
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
        Ok(Routed::Ended { tag })
    }

    /// A server that talks and never answers would keep its callers waiting for ever. What a watch asks for comes this
    /// way too: the flags of a million messages are 60 MB.
    fn unasked(&mut self, frame: &Frame) -> Result<()> {
        self.unasked += frame.size() as u64;
        if self.unasked > self.most.saturating_mul(8) && !self.is_empty() {
            return Err(MailError::new(Code::LimitExceeded, "The server talks without answering"));
        }
        Ok(())
    }

    /// How many of the commands, from the oldest on, this may be for. A mailbox is opened when all before it is answered,
    /// and nothing is told of it sooner: a row that comes twice must not be taken for one of the next mailbox.
    fn reach(&self, response: &Response) -> usize {
        let opens = |c: &InFlight| matches!(c.wants, Wants::Select | Wants::SelectSince);
        match self.flying.iter().position(|command| opens(command)) {
            Some(at) if is_of_mailbox(response) => at.max(1),
            _ => self.flying.len(),
        }
    }

    fn offer(&mut self, response: Response, frame: &Frame) -> Result<Routed> {
        let reach = self.reach(&response);
        let taker = self.flying.iter_mut().take(reach).position(|c| c.wants.takes(&c.tag, &response));
        let taker = taker.or_else(|| self.flying.iter().take(reach).position(|c| c.wants.completes(&response)));
        let Some(command) = taker.and_then(|at| self.flying.get_mut(at)) else {
            return self.unasked(frame).map(|()| Routed::Unsolicited(Box::new(response)));
        };
        if matches!(command.wants, Wants::All) {
            command.reply.lines.push(frame.head.clone());
        }
        command.reply.bytes += frame.size() as u64;
        command.weight += weight(&response, frame);
        if command.weight > self.most {
            let message = format!("The server answered {} with more than was asked for", command.name);
            return Err(MailError::new(Code::LimitExceeded, message));
        }
        command.reply.untagged.push(response);
        Ok(Routed::Taken)
    }
}

/// Whether this is about the mailbox that is open.
fn is_of_mailbox(response: &Response) -> bool {
    use Untagged::{Esearch, Exists, Fetch, Flags, Recent, Search, Vanished};
    let status = matches!(response, Response::Status { kind: StatusKind::Ok, code: Some(_), .. });
    let data = |data: &Untagged| {
        matches!(data, Fetch(_) | Search { .. } | Esearch(_) | Vanished { .. } | Exists(_) | Recent(_) | Flags(_))
    };
    status || matches!(response, Response::Data(told) if data(told))
}

/// What a response takes in memory, about: a server can make a row of a few bytes as often as it likes.
pub(super) fn weight(response: &Response, frame: &Frame) -> u64 {
    let fixed = match response {
        // A problem is a name and a sentence, in a vector that begins with room for four.
        Response::Data(Untagged::Fetch(row)) if row.problems.is_empty() => size_of::<FetchRow>(),
        Response::Data(Untagged::Fetch(row)) => size_of::<FetchRow>() + 256 + 128 * row.problems.len(),
        // A flag of one byte takes as much as one of thirty.
        Response::Data(Untagged::Flags(flags)) => 256 + 64 * flags.len(),
        _ => 256,
    };
    (frame.size() + fixed) as u64
}

impl Wants {
    fn completes(&self, response: &Response) -> bool {
        match (self, response) {
            (Self::Rows(rows), Response::Data(Untagged::Fetch(row))) => rows.completes(row),
            _ => false,
        }
    }

    /// Whether a command that wants this takes `response`.
    fn takes(&mut self, tag: &str, response: &Response) -> bool {
        use Response::{Data, Status};
        match (self, response) {
            (Self::All, _) => true,
            (Self::Rows(rows), Data(Untagged::Fetch(row))) => rows.take(row),
            (Self::Search, Data(Untagged::Esearch(found))) => found.tag.as_deref().is_none_or(|t| t == tag),
            (Self::Search, Data(Untagged::Search { .. })) => true,
            (Self::List, Data(Untagged::List(_) | Untagged::Lsub(_) | Untagged::Status(_))) => true,
            (Self::Status, Data(Untagged::Status(_))) => true,
            (Self::Namespace, Data(Untagged::Namespace(_) | Untagged::List(_))) => true,
            (Self::Id, Data(Untagged::Id(_))) => true,
            (Self::Capability, Data(Untagged::Capability(_) | Untagged::Enabled(_))) => true,
            (Self::SelectSince, Data(Untagged::Vanished { .. } | Untagged::Fetch(_))) => true,
            (
                Self::Select | Self::SelectSince,
                Data(Untagged::Flags(_) | Untagged::Exists(_) | Untagged::Recent(_)),
            ) => true,
            (Self::Select | Self::SelectSince, Status { kind: StatusKind::Ok, code: Some(_), .. }) => true,
            (Self::Move, Data(Untagged::Expunge(_) | Untagged::Vanished { .. })) => true,
            (
                Self::Nothing | Self::Move,
                Status { code: Some(ResponseCode::CopyUid { .. } | ResponseCode::AppendUid { .. }), .. },
            ) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::parse_response;
    use crate::limits::Limits;

    fn uids(text: &str) -> UidSet {
        UidSet::parse(text).unwrap()
    }

    fn fly(route: &mut Route, tag: &str, wants: Wants) -> oneshot::Receiver<Result<Reply>> {
        let (done, answer) = oneshot::channel();
        let tag = tag.to_owned();
        let reply = Reply::default();
        route.push(InFlight { tag, name: "TEST", wants, slow: false, written: true, reply, weight: 0, done });
        answer
    }

    fn hear(route: &mut Route, lines: &[&str]) -> Vec<Routed> {
        let take = |line: &&str| {
            let frame = Frame::text(format!("{line}\r\n"));
            let response = parse_response(&frame, &Limits::default(), false).unwrap();
            route.take(response, &frame).unwrap()
        };
        lines.iter().map(take).collect()
    }

    fn part(offset: u64) -> [FetchItem; 1] {
        [FetchItem::Section { section: Section::default(), partial: Some((offset, 3)) }]
    }

    #[test]
    fn rows_of_several_fetches_find_their_commands_before_any_tagged_answer() {
        let mut route = Route::new(1 << 20);
        let set = uids("7");
        let wants = |offset| Wants::Rows(Rows::of(&set, &part(offset)));
        let mut answers =
            [fly(&mut route, "a", wants(0)), fly(&mut route, "b", wants(3)), fly(&mut route, "c", wants(3))];
        hear(
            &mut route,
            &[
                "* 1 FETCH (UID 7 BODY[]<3> \"def\")",
                "* 1 FETCH (UID 7 BODY[]<0> \"abc\")",
                "* 1 FETCH (UID 7 BODY[]<3> \"def\")",
                "a OK",
                "b OK",
                "c OK",
            ],
        );
        for answer in &mut answers {
            assert_eq!(answer.try_recv().unwrap().unwrap().untagged.len(), 1);
        }
    }

    #[test]
    fn a_row_in_two_pieces_goes_to_one_command_and_unasked_flags_to_none() {
        let mut route = Route::new(1 << 20);
        let items = [FetchItem::Uid, FetchItem::Size, FetchItem::InternalDate];
        let mut answer = fly(&mut route, "a", Wants::Rows(Rows::of(&uids("1:9"), &items)));
        let routed = hear(
            &mut route,
            &[
                "* 1 FETCH (FLAGS (\\Seen) UID 5)",
                "* 1 FETCH (UID 5 RFC822.SIZE 7)",
                "* 1 FETCH (UID 5 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")",
                "a OK",
            ],
        );
        assert!(matches!(routed[0], Routed::Unsolicited(_)));
        assert_eq!(answer.try_recv().unwrap().unwrap().untagged.len(), 2);
    }

    #[test]
    fn what_is_told_twice_is_not_taken_for_the_mailbox_that_is_opened_next() {
        let mut route = Route::new(1 << 20);
        let rows = || Wants::Rows(Rows::of(&uids("1:3"), &[FetchItem::Size]));
        let _first = fly(&mut route, "a", rows());
        let mut opened = fly(&mut route, "b", Wants::Select);
        let mut second = fly(&mut route, "c", rows());
        let row = "* 1 FETCH (UID 1 RFC822.SIZE 7)";
        hear(&mut route, &[row, row, "* 9 EXISTS", "a OK", row, "* 1 EXISTS", "b OK", "c OK"]);
        assert_eq!(opened.try_recv().unwrap().unwrap().untagged.len(), 1);
        assert_eq!(second.try_recv().unwrap().unwrap().untagged.len(), 0);
    }

    #[test]
    fn an_answer_before_the_command_is_whole_is_an_attack_when_it_is_ok() {
        let mut route = Route::new(1 << 20);
        let _answer = fly(&mut route, "a", Wants::Nothing);
        route.flying[0].written = false;
        let frame = Frame::text("a OK done\r\n");
        let response = parse_response(&frame, &Limits::default(), false).unwrap();
        assert_eq!(route.take(response, &frame).unwrap_err().code(), Code::NetTampered);
    }

    #[test]
    fn what_the_server_says_at_the_end_is_what_everybody_hears() {
        let mut route = Route::new(1 << 20);
        let mut answer = fly(&mut route, "a", Wants::Search);
        hear(&mut route, &["* BYE [UNAVAILABLE] going down"]);
        let error = route.reason(&MailError::new(Code::NetLost, "EOF"));
        route.fail(&error);
        assert_eq!(answer.try_recv().unwrap().unwrap_err().code(), Code::ServerBye);
    }

    #[test]
    fn a_server_that_repeats_itself_without_end_is_stopped() {
        let mut route = Route::new(100_000);
        let _answer = fly(&mut route, "a", Wants::Rows(Rows::of(&uids("7"), &[FetchItem::Size])));
        let frame = Frame::text("* 1 FETCH (UID 7 RFC822.SIZE 1)\r\n");
        let response = parse_response(&frame, &Limits::default(), false).unwrap();
        let error = (0..1000).find_map(|_| route.take(response.clone(), &frame).err());
        assert_eq!(error.unwrap().code(), Code::LimitExceeded);
    }
}
