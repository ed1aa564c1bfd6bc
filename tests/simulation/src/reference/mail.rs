//! The outbox: each step is written down before it is taken, so that nothing is sent twice.

use super::bug::Bug;
use super::{Installation, Result};
use crate::device::{Sent, Ticket};
use crate::smtp::SmtpWire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How a dialogue ended.
enum Said {
    Accepted,
    Rejected,
    Lost,
}

impl Installation {
    /// What was on its way when the process died, or the disk failed, is uncertain if the dot may have left.
    pub fn doubt_mail(&mut self) {
        let resends = self.has(Bug::Resend);
        for mail in self.store.disk.outbox.values_mut().filter(|m| m.dot && m.state == Sent::Queued) {
            mail.state = if resends { Sent::Queued } else { Sent::Uncertain };
        }
    }

    pub async fn send_mail(&mut self) -> Result<()> {
        self.doubt_mail();
        let queued: Vec<Ticket> =
            self.disk().outbox.iter().filter(|(_, m)| m.state == Sent::Queued).map(|(ticket, _)| *ticket).collect();
        for ticket in queued {
            let said = self.submit(ticket).await?;
            let resends = self.has(Bug::Resend);
            self.write(|disk| {
                let Some(mail) = disk.outbox.get_mut(&ticket) else { return };
                mail.state = match said {
                    Said::Accepted => Sent::Accepted,
                    Said::Rejected => Sent::Rejected,
                    Said::Lost if mail.dot && !resends => Sent::Uncertain,
                    Said::Lost => Sent::Queued,
                };
            })?;
        }
        Ok(())
    }

    async fn submit(&mut self, ticket: Ticket) -> Result<Said> {
        let body = self.disk().outbox.get(&ticket).map(|mail| mail.bytes.to_vec()).unwrap_or_default();
        let mut wire = self.sink.connect();
        if reply(&mut wire).await != Some(220) {
            return Ok(Said::Lost);
        }
        for command in ["EHLO me", "MAIL FROM:<ada@example.org>", "RCPT TO:<charles@example.org>", "DATA"] {
            match ask(&mut wire, format!("{command}\r\n").as_bytes()).await {
                Some(200..=399) => {}
                Some(_) => return Ok(Said::Rejected),
                None => return Ok(Said::Lost),
            }
        }
        let stuffed = String::from_utf8_lossy(&body).replace("\r\n.", "\r\n..");
        if wire.write_all(stuffed.as_bytes()).await.is_err() {
            return Ok(Said::Lost);
        }
        if !self.has(Bug::DotNotCommitted) {
            self.write(|disk| disk.outbox.get_mut(&ticket).into_iter().for_each(|m| m.dot = true))?;
        }
        let said = ask(&mut wire, b".\r\n").await;
        let _ = wire.write_all(b"QUIT\r\n").await;
        Ok(match said {
            Some(250) => Said::Accepted,
            Some(_) => Said::Rejected,
            None => Said::Lost,
        })
    }
}

async fn ask(wire: &mut SmtpWire, bytes: &[u8]) -> Option<u32> {
    wire.write_all(bytes).await.ok()?;
    reply(wire).await
}

/// The code of the last line of a reply.
async fn reply(wire: &mut SmtpWire) -> Option<u32> {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 256];
        let count = wire.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
        text += &String::from_utf8_lossy(&bytes[..count]);
        let last = text.lines().last().unwrap_or_default();
        if text.ends_with("\r\n") && last.as_bytes().get(3) == Some(&b' ') {
            return last[..3].parse().ok();
        }
    }
}
