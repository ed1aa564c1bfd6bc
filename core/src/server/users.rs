//! The users of a server's store, and their passwords.

use super::access::{random, verifier_of};
use super::now;
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use crate::store::{self, Durability, Handle, Reader, User, Writer};

/// Letters of a generated password, 32 of them: none that is easily taken for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of a generated password: 100 bits of chance.
pub(super) const LENGTH: usize = 20;
/// Longest name of a user, in bytes.
const LONGEST_NAME: usize = 255;
/// Longest label of an app password, in bytes.
const LONGEST_LABEL: usize = 64;

/// Somebody who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerUser {
    /// The name to log in with.
    pub name: String,
    /// Whether it is kept out for now.
    pub disabled: bool,
}

/// A password for one program, without the password itself, which nobody knows here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppPassword {
    /// What it is for. With user `ada` and label `phone`, the program logs in as `ada+phone`.
    pub label: String,
    /// When it was made, in seconds since 1970.
    pub created: i64,
}

/// The users of a store, whether it is being served or not: [`Server::users`](super::Server::users), or
/// [`Users::of`] a store.
///
/// All users see the same mailboxes, and the same flags: what one has read is read for all of them. Changes hold at once,
/// for open connections too, in every process that serves the store: whoever came in by what was taken away is sent away.
#[derive(Clone)]
pub struct Users(Handle);

impl Users {
    /// The users of that store.
    #[must_use]
    pub fn of(store: Handle) -> Self {
        Self(store)
    }

    /// Sets a user up, or gives one another password. Its name may hold a `+`.
    ///
    /// Errors: `usage.argument` for a name that is empty, longer than 255 bytes or has control characters, and for a
    /// password that is not 1 to 1,024 bytes.
    pub async fn set(&self, name: &str, password: Secret) -> Result<()> {
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            let text = "A user's name has 1 to 255 bytes, without control characters";
            return Err(MailError::new(Code::UsageArgument, text));
        }
        let verifier = verifier_of(password).await?;
        let name = name.to_owned();
        let set = move |writer: &mut dyn Writer| match writer.user(&name)? {
            Some(user) => writer.update_user(&User { verifier: Some(verifier), ..user }),
            None => writer.insert_user(&name, Some(&verifier)).map(drop),
        };
        self.change(set).await
    }

    /// All users, by name.
    pub async fn all(&self) -> Result<Vec<ServerUser>> {
        let users = self.0.read(|reader| reader.users()).await?;
        Ok(users.into_iter().map(|User { name, disabled, .. }| ServerUser { name, disabled }).collect())
    }

    /// Keeps a user out, whatever the password or token; or lets it in again. `usage.argument` where there is no such
    /// user.
    pub async fn disable(&self, name: &str, is_disabled: bool) -> Result<()> {
        let name = name.to_owned();
        let disable = move |writer: &mut dyn Writer| {
            let user = user(writer, &name)?;
            writer.update_user(&User { disabled: is_disabled, ..user })
        };
        self.change(disable).await
    }

    /// Takes a user away, with its app passwords. The mail stays. `usage.argument` where there is no such user.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        let remove = move |writer: &mut dyn Writer| {
            let user = user(writer, &name)?;
            writer.delete_user(user.id)
        };
        self.change(remove).await
    }

    /// Makes a password for one program, which logs in with it as `user+label`. It is told here once, and kept as a
    /// verifier.
    ///
    /// Errors: `usage.argument` where there is no such user, for a label that it has already, and for one that is empty,
    /// longer than 64 bytes or has a `+` or control characters.
    pub async fn add_app_password(&self, user_name: &str, label: &str) -> Result<Secret> {
        let is_label = !label.is_empty() && label.len() <= LONGEST_LABEL && !label.contains('+');
        if !is_label || label.contains(char::is_control) {
            let text = "A label has 1 to 64 bytes, without a + and control characters";
            return Err(MailError::new(Code::UsageArgument, text));
        }
        let password = generated(LENGTH)?;
        let verifier = verifier_of(password.clone()).await?;
        let (name, label) = (user_name.to_owned(), label.to_owned());
        let add = move |writer: &mut dyn Writer| {
            let (user, created) = (user(writer, &name)?.id, now().seconds());
            writer.insert_app_password(&store::AppPassword { user, label, created, verifier })
        };
        self.change(add).await?;
        Ok(password)
    }

    /// The app passwords of a user, by label. `usage.argument` where there is no such user.
    pub async fn app_passwords(&self, user_name: &str) -> Result<Vec<AppPassword>> {
        let name = user_name.to_owned();
        let all = move |reader: &dyn Reader| reader.app_passwords(user(reader, &name)?.id);
        let all = self.0.read(all).await?;
        Ok(all.into_iter().map(|one| AppPassword { label: one.label, created: one.created }).collect())
    }

    /// Takes an app password back. `usage.argument` where there is no such user or label.
    pub async fn revoke_app_password(&self, user_name: &str, label: &str) -> Result<()> {
        let (name, label) = (user_name.to_owned(), label.to_owned());
        let revoke = move |writer: &mut dyn Writer| {
            let user = user(writer, &name)?.id;
            match writer.delete_app_password(user, &label)? {
                true => Ok(()),
                false => Err(MailError::new(Code::UsageArgument, format!("There is no app password {label:?}"))),
            }
        };
        self.change(revoke).await
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut dyn Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.write(Durability::Full, change).await
    }
}

fn user(reader: &(impl Reader + ?Sized), name: &str) -> Result<User> {
    let missing = || MailError::new(Code::UsageArgument, format!("There is no user {name:?}"));
    reader.user(name)?.ok_or_else(missing)
}

/// What a program logs in as with the app password of that label.
pub(crate) fn app_login(user: &str, label: &str) -> String {
    format!("{user}+{label}")
}

/// A password that nobody can guess: so many letters of five bits of chance, in groups of four.
pub(crate) fn generated(letters: usize) -> Result<Secret> {
    let letters: Vec<char> = random(letters)?
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(Secret::from(groups.join("-")))
}
