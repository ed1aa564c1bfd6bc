//! What some servers need before they work, and what has to be known of one before it can be trusted (see
//! [`quirk`](crate::imap::quirk)).

use super::account::Account;
use super::connection::{Connection, Extra, Pending};
use super::route::{Reply, Wants};
use crate::error::{Code, MailError, Result};
use crate::imap::extension::{id, namespace, uid_only};
use crate::imap::{Response, Untagged, command};

/// Settles a connection that has just been made. One that is watched keeps its sequence numbers.
///
/// ID is asked for where the greeting has said nothing (before STARTTLS anybody could have written it, and some servers
/// hide theirs), since most faults are known by the program's name. It goes out together with whatever else is asked.
pub(super) async fn settle(connection: &Connection, account: &Account, greeting: &str, watching: bool) -> Result<()> {
    let quirks = connection.quirks();
    if quirks.capability_again {
        connection.run(command::capability(), Wants::Capability).await?;
    }
    let capabilities = connection.capabilities();
    let asks = quirks.id_first || greeting.trim().is_empty();
    let id = id::plan(&capabilities, id::FIELDS)?.filter(|_| asks);
    let id = id.map(|id| connection.begin(id, Wants::Id, Extra::default()));
    if let Some(enable) = uid_only::enable(&capabilities)?.filter(|_| !watching) {
        connection.enable(enable).await?;
    }
    if let Some(said) = id {
        connection.set_quirks(account.quirks(greeting, &answer(said).await?));
    }
    if connection.quirks().probe_after_login { probe(connection).await } else { Ok(()) }
}

/// What a server says to ID; nothing where it refuses to, which does no harm.
async fn answer(said: Pending) -> Result<Vec<(String, Option<String>)>> {
    match said.answer().await {
        Err(error) if matches!(error.code(), Code::ServerRefused | Code::ServerBad) => Ok(Vec::new()),
        reply => reply.map(identity),
    }
}

/// The fields of an answer to ID.
pub(super) fn identity(reply: Reply) -> Vec<(String, Option<String>)> {
    let fields = reply.untagged.into_iter().find_map(|response| match response {
        Response::Data(Untagged::Id(fields)) => Some(fields),
        _ => None,
    });
    fields.unwrap_or_default()
}

/// Exchange accepts a wrong password, and says so at the first command.
async fn probe(connection: &Connection) -> Result<()> {
    let probe = namespace::plan(&connection.capabilities())?;
    let answer = connection.run(probe, Wants::All).await;
    answer.map(drop).map_err(|error| match error.code() {
        Code::ServerBad | Code::ServerRefused => {
            let server = error.context().server.clone();
            MailError::new(Code::AuthRejected, "The server accepted the login and then refused to work")
                .with(|context| context.server = server)
        }
        _ => error,
    })
}
