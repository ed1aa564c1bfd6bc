//! Replies to a message, and messages that pass it on.

use super::message::Message;
use crate::error::Result;
use crate::message::{AddrSpec, Draft, ForwardOptions, Original, ParsedMessage, ReplyOptions};

impl Message {
    /// A reply, to be completed and sent: to whom, in which thread, and what it quotes is as [`Draft::reply`] says. Only
    /// the header and the text are read.
    ///
    /// Where [`ReplyOptions::me`] is empty it is the account's user, if that is an address, and for a message of a local
    /// mailbox the [sender](crate::MailOptions::sender) that it was opened with.
    ///
    /// # Errors
    ///
    /// As [`Message::headers`] and [`Message::text`].
    pub async fn reply(&self, options: &ReplyOptions) -> Result<Draft> {
        let original = Original::new(&self.headers().await?, self.text().await?);
        if options.me.is_empty() {
            return Ok(Draft::reply(&original, &ReplyOptions { me: self.me(), ..options.clone() }));
        }
        Ok(Draft::reply(&original, options))
    }

    /// The message passed on, to be completed and sent; see [`Draft::forward`]. All of it is read into memory, unless its
    /// attachments are to stay behind.
    ///
    /// # Errors
    ///
    /// As [`Message::raw`], or as [`Message::headers`] and [`Message::text`] without attachments.
    pub async fn forward(&self, options: &ForwardOptions) -> Result<Draft> {
        let original = match options.no_attachments {
            true => Original::new(&self.headers().await?, self.text().await?),
            false => Original::from(&ParsedMessage::parse(self.raw().await?)),
        };
        Ok(Draft::forward(&original, options))
    }

    /// The addresses of whoever's mailbox it is in, as far as they are known.
    fn me(&self) -> Vec<String> {
        let user = |mailbox: &super::Mailbox| AddrSpec::parse(&mailbox.session().account().user).ok();
        let live = self.mailbox().and_then(user).map(|address| address.to_string());
        self.source().map_or_else(|| live.into_iter().collect(), |source| source.me())
    }
}
