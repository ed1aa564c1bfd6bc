//! A content of the store that is read: by pieces, or as far as it has to be to take it apart. One that is not held is
//! fetched first.

use super::content::Stored;
use crate::error::{Code, Result};
use crate::message::Outline;
use crate::session::{Body, Pieces, Task};
use crate::store::body::{self, Content};
use crate::store::{Fetched, MessageId, Reader};
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use std::ops::Range;
use std::sync::Arc;

/// How much of a stream is read at a time.
const STRETCH: usize = 256 << 10;

/// A message to be taken apart: all of it where it is not large, else where its parts are.
pub(super) async fn whole(source: &Stored) -> Result<Body> {
    let (message, handle) = (source.message, source.mail.handle()?);
    let begun = match handle.read(move |reader| begin(reader, message)).await {
        Err(error) if error.code() == Code::BodyNotHere => match source.fetched().await? {
            Fetched::Bytes(raw) => return Ok(Body::Raw(raw)),
            Fetched::Held => handle.read(move |reader| begin(reader, message)).await?,
        },
        begun => begun?,
    };
    let (mut content, mut outline) = match begun {
        Begun::Raw(raw) => return Ok(Body::Raw(raw)),
        Begun::Large(content) => (content, Box::<Outline>::default()),
    };
    loop {
        let stretch = move |reader: &dyn Reader| {
            let is_over = body::outline(reader, &mut content, &mut outline)?;
            Ok((content, outline, is_over))
        };
        let (read, known, is_over) = handle.read(stretch).await?;
        if is_over {
            return Ok(Body::Large(Arc::new(known.finish())));
        }
        (content, outline) = (read, known);
    }
}

enum Begun {
    Raw(Bytes),
    Large(Box<Content>),
}

fn begin(reader: &dyn Reader, message: MessageId) -> Result<Begun> {
    let content = body::open(reader, message)?;
    if content.size() > body::SMALL {
        return Ok(Begun::Large(Box::new(content)));
    }
    content.rest(reader).map(Begun::Raw)
}

/// A content that is being read. A step under way goes on when its caller gives up, and its piece is given to the next.
pub(super) struct Stream {
    source: Stored,
    place: Place,
    under_way: Option<Task<(Place, Option<Bytes>)>>,
}

enum Place {
    /// Before these bytes of it.
    Begin(Range<u64>),
    /// Before so many more.
    In(Box<Content>, u64),
    End,
}

impl Stream {
    /// The bytes at that place, as far as there are any.
    pub(super) fn new(source: Stored, at: Range<u64>) -> Self {
        Self { source, place: Place::Begin(at), under_way: None }
    }
}

impl Pieces for Stream {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>> {
        Box::pin(async move {
            if self.under_way.is_none() {
                let place = std::mem::replace(&mut self.place, Place::End);
                let runtime = self.source.mail.engine().runtime().clone();
                self.under_way = Some(Task::spawn(&runtime, step(self.source.clone(), place)));
            }
            let Some(task) = self.under_way.as_mut() else { return Ok(None) };
            let stepped = task.await;
            self.under_way = None;
            let (place, piece) = stepped?;
            self.place = place;
            Ok(piece)
        })
    }
}

async fn step(source: Stored, place: Place) -> Result<(Place, Option<Bytes>)> {
    let message = source.message;
    let Place::Begin(at) = place else {
        return source.mail.handle()?.read(move |reader| piece_of(reader, message, place)).await;
    };
    let place = Place::Begin(at.clone());
    match source.mail.handle()?.read(move |reader| piece_of(reader, message, place)).await {
        Err(error) if error.code() == Code::BodyNotHere => match source.fetched().await? {
            Fetched::Bytes(raw) => Ok((Place::End, some(cut(&raw, &at)))),
            Fetched::Held => {
                source.mail.handle()?.read(move |reader| piece_of(reader, message, Place::Begin(at))).await
            }
        },
        stepped => stepped,
    }
}

fn cut(raw: &Bytes, at: &Range<u64>) -> Bytes {
    let within = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(raw.len());
    raw.slice(within(at.start)..within(at.end))
}

fn piece_of(reader: &dyn Reader, message: MessageId, place: Place) -> Result<(Place, Option<Bytes>)> {
    let (mut content, mut left) = match place {
        Place::Begin(at) => {
            let mut content = Box::new(body::open(reader, message)?);
            content.seek(at.start);
            (content, at.end - at.start)
        }
        Place::In(content, left) => (content, left),
        Place::End => return Ok((Place::End, None)),
    };
    let mut piece = BytesMut::new();
    while piece.len() < STRETCH && left > 0 {
        let Some(more) = content.up_to(reader, left)? else { return Ok((Place::End, some(piece.freeze()))) };
        left -= more.len() as u64;
        piece.extend_from_slice(&more);
    }
    let place = if left > 0 { Place::In(content, left) } else { Place::End };
    Ok((place, some(piece.freeze())))
}

fn some(piece: Bytes) -> Option<Bytes> {
    Some(piece).filter(|piece| !piece.is_empty())
}
