//! `Mail`: a local store in step with an account.

use crate::account::{AccountSetup, Cause, login_error};
use crate::call::{Call, blocking};
use crate::errors::OrRaise;
use crate::local::{self, SendArguments};
use crate::mailboxes::NativeMailboxes;
use crate::reference::MessageRef;
use crate::runtime::Owned;
use crate::server::{NativeServer, ServeArguments};
use crate::watch::NativeWatch;
use crate::{archive, draft, options, search, target};
use mailtide::outbox::Decision;
use mailtide::store::upkeep::Retention;
use mailtide::{Code, Mail, MailError, MailOptions, Mailboxes, Result, SmtpAccount};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// The store's handle.
#[pyclass(frozen, extends = NativeMailboxes, module = "mailtide._native")]
pub struct NativeMail {
    mail: Owned<Mail>,
    /// What a callback for the password has raised.
    cause: Cause,
    blocking: bool,
}

type Object<'a, 'py> = &'a Bound<'py, PyAny>;
type KeepArguments = (String, Option<u32>, Option<u64>);

/// Opens a store; gives a `NativeMail`.
pub fn open(
    py: Python<'_>,
    engine: mailtide::Engine,
    (path, setup): (PathBuf, Option<&AccountSetup>),
    (smtp, sender, keep): (Option<String>, Option<Bound<'_, PyAny>>, Option<KeepArguments>),
) -> PyResult<Call> {
    let account = setup.map(AccountSetup::account);
    let cause = setup.map(|setup| setup.cause.clone()).unwrap_or_default();
    let smtp = smtp.map(|server| SmtpAccount::named(&server, account.as_ref())).transpose().or_raise(py)?;
    let sender = sender.as_ref().map(draft::sender).transpose()?;
    let keep = keep.map(|keep| local::keep_rule(py, keep)).transpose()?;
    let (options, blocking) = (MailOptions { account, smtp, sender, engine: Some(engine), keep }, blocking());
    let create = move |py: Python<'_>, mail| NativeMail::create(py, mail, cause, blocking);
    Ok(Call::then(async move { Mail::open(path, options).await }, create))
}

/// Saves what can be saved of a damaged file.
#[pyfunction]
pub fn repair(path: PathBuf) -> Call {
    Call::then(async move { Mail::repair(path).await }, local::repaired)
}

impl NativeMail {
    pub fn create(py: Python<'_>, mail: Mail, cause: Cause, blocking: bool) -> PyResult<Py<PyAny>> {
        let common = NativeMailboxes::new(Mailboxes::Local(mail.clone()), blocking);
        Py::new(py, (Self { mail: Owned::new(mail), cause, blocking }, common)).map(Py::into_any)
    }

    fn get(&self, py: Python<'_>) -> PyResult<Mail> {
        self.mail.get().or_raise(py).cloned()
    }

    /// A call that may have to log in: what the callback has raised is its cause.
    fn online<F, T, C>(&self, work: F, convert: C) -> Call
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
        C: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        let cause = self.cause.clone();
        Call::then(async move { Ok(work.await) }, move |py, outcome| match outcome {
            Ok(value) => convert(py, value),
            Err(error) => Err(login_error(py, &error, &cause)),
        })
    }
}

#[pymethods]
impl NativeMail {
    /// `user@host`; `None` without an account.
    #[getter]
    fn account(&self) -> Option<String> {
        self.mail.peek().account().map(mailtide::Account::label)
    }

    fn sync(
        &self,
        py: Python<'_>,
        dry_run: bool,
        bytes_a_day: Option<u64>,
        progress: Option<Object<'_, '_>>,
    ) -> PyResult<Call> {
        let mail = self.get(py)?;
        let options = local::sync_options(py, (dry_run, bytes_a_day, progress), self.blocking)?;
        Ok(self.online(async move { mail.sync(options).await }, local::report))
    }

    fn keep_in_sync(
        &self,
        py: Python<'_>,
        bytes_a_day: Option<u64>,
        progress: Option<Object<'_, '_>>,
        every_seconds: Option<u64>,
    ) -> PyResult<Call> {
        let mail = self.get(py)?;
        let options = local::follow_options(py, (bytes_a_day, progress, every_seconds), self.blocking)?;
        Ok(self.online(async move { mail.keep_in_sync(options).await }, |py, ()| Ok(py.None())))
    }

    fn changes(&self, py: Python<'_>, since: &str) -> PyResult<NativeWatch> {
        Ok(NativeWatch::new(self.get(py)?.changes(options::since(since)), self.blocking))
    }

    fn cursor(&self, py: Python<'_>) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::new(async move { mail.cursor().await }))
    }

    fn search(&self, query: Object<'_, '_>, options: Object<'_, '_>) -> PyResult<Call> {
        let (mail, query, options) = (self.get(query.py())?, search::query(query)?, search::options(options)?);
        let blocking = self.blocking;
        let found = async move { mail.search(query, options).await };
        Ok(self.online(found, move |py, hits| search::hits(py, hits, blocking)))
    }

    fn pending(&self, py: Python<'_>) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::then(async move { mail.pending().await }, local::pending))
    }

    fn retry(&self, py: Python<'_>, id: i64) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::done(async move { mail.retry(id).await }))
    }

    fn drop(&self, py: Python<'_>, id: i64) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::new(async move { mail.drop_pending(id).await }))
    }

    fn deleted(&self, py: Python<'_>, limit: Option<usize>) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::then(async move { mail.deleted(limit).await }, local::deleted))
    }

    fn restore(&self, id: i64, name: Object<'_, '_>) -> PyResult<Call> {
        let (mail, name) = (self.get(name.py())?, target::from_py(name)?);
        Ok(Call::new(async move { mail.restore(id, name).await.map(MessageRef) }))
    }

    fn paused(&self, py: Python<'_>) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::then(async move { mail.paused().await }, local::paused))
    }

    fn confirm(&self, py: Python<'_>, name: Object<'_, '_>) -> PyResult<Call> {
        let (mail, name) = (self.get(py)?, target::from_py(name)?);
        Ok(Call::done(async move { mail.confirm(name).await }))
    }

    fn send(&self, draft: Object<'_, '_>, options: SendArguments) -> PyResult<Call> {
        let py = draft.py();
        let (mail, draft, options) = (self.get(py)?, draft::from_py(draft)?, options.read(py)?);
        Ok(Call::then(async move { mail.send(&draft, &options).await }, local::outgoing))
    }

    fn outbox(&self, py: Python<'_>) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::then(async move { mail.outbox().await }, local::outgoings))
    }

    fn outgoing(&self, py: Python<'_>, id: i64) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::then(async move { mail.outgoing(id).await }, local::maybe_outgoing))
    }

    fn cancel(&self, py: Python<'_>, id: i64) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::then(async move { mail.cancel(id).await }, local::outgoing))
    }

    fn decide(&self, py: Python<'_>, id: i64, decision: &str) -> PyResult<Call> {
        let unknown = || MailError::new(Code::UsageArgument, "A decision is resend, sent or drop");
        let decision = match decision {
            "resend" => Ok(Decision::Resend),
            "sent" => Ok(Decision::Sent),
            "drop" => Ok(Decision::Drop),
            _ => Err(unknown()),
        };
        let (mail, decision) = (self.get(py)?, decision.or_raise(py)?);
        Ok(Call::then(async move { mail.decide(id, decision).await }, local::outgoing))
    }

    fn send_due(&self, py: Python<'_>) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(self.online(async move { mail.send_due().await }, local::sent))
    }

    fn keep(&self, py: Python<'_>, name: Option<Object<'_, '_>>) -> PyResult<Call> {
        let (mail, name) = (self.get(py)?, name.map(target::from_py).transpose()?);
        Ok(Call::then(async move { mail.keep(name).await }, local::keep))
    }

    fn set_keep(&self, py: Python<'_>, rule: Option<KeepArguments>, name: Option<Object<'_, '_>>) -> PyResult<Call> {
        let (mail, name) = (self.get(py)?, name.map(target::from_py).transpose()?);
        let rule = rule.map(|rule| local::keep_rule(py, rule)).transpose()?;
        Ok(Call::done(async move { mail.set_keep(name, rule).await }))
    }

    fn usage(&self, py: Python<'_>) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::then(async move { mail.usage().await }, local::usage))
    }

    fn evict(&self, py: Python<'_>, bytes: u64) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::then(async move { mail.evict(bytes).await }, local::evicted))
    }

    fn tidy(&self, py: Python<'_>, days: (u32, u32, u32, u32)) -> PyResult<Call> {
        let (contents, feed, tombstones, journal) = days;
        let (mail, retention) = (self.get(py)?, Retention { contents, feed, tombstones, journal });
        Ok(Call::new(async move { mail.tidy(retention).await }))
    }

    fn backup(&self, py: Python<'_>, path: PathBuf) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::done(async move { mail.backup(path).await }))
    }

    /// Serves it to other mail clients; gives a `NativeServer`.
    fn serve(&self, py: Python<'_>, options: ServeArguments) -> PyResult<Call> {
        let mail = self.get(py)?;
        let options = options.read(py, mail.path())?;
        Ok(Call::then(async move { mail.serve(options).await.map(Arc::new) }, NativeServer::create))
    }

    fn check(&self, py: Python<'_>) -> PyResult<Call> {
        let mail = self.get(py)?;
        Ok(Call::new(async move { mail.check().await }))
    }

    fn export(&self, py: Python<'_>, path: PathBuf, options: Object<'_, '_>) -> PyResult<Call> {
        let (mail, options) = (self.get(py)?, archive::export_options(options, self.blocking)?);
        Ok(self.online(async move { mail.export(path, options).await }, archive::exported))
    }

    fn import_(&self, py: Python<'_>, path: PathBuf, options: Object<'_, '_>) -> PyResult<Call> {
        let (mail, options) = (self.get(py)?, archive::import_options(options, self.blocking)?);
        Ok(Call::then(async move { mail.import(path, options).await }, archive::imported))
    }
}
