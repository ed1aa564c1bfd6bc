//! Accounts: where the mail is, how to log in, and who is asked for a password or token.

use crate::callback::{Home, kind};
use crate::errors::{self, OrRaise};
use crate::{bytes, info};
use futures_util::FutureExt;
use mailtide::{
    Account, ClientCertificate, Code, Credentials, Limits, MailError, Mechanism, Proxy, Result, Roots, Secret, Token,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// The exception that a callback has raised last, to be the cause of the error that follows.
pub type Cause = Arc<Mutex<Option<PyErr>>>;

/// An account being described; `connect` takes it.
#[pyclass(frozen, module = "mailtide._native")]
pub struct AccountSetup {
    account: Mutex<Account>,
    pub cause: Cause,
}

#[pymethods]
impl AccountSetup {
    #[new]
    fn new(py: Python<'_>, url: &str) -> PyResult<Self> {
        let account = Account::from_url(url).or_raise(py)?;
        Ok(Self { account: Mutex::new(account), cause: Cause::default() })
    }

    fn password(&self, password: &str) {
        self.edit().credentials = Credentials::Password(password.into());
    }

    /// `ask()` gives the password; called where `connect` was.
    fn ask_password(&self, py: Python<'_>, ask: Py<PyAny>) -> PyResult<()> {
        let (home, ask, cause) = (Home::current(py)?, Arc::new(ask), self.cause.clone());
        self.edit().credentials = Credentials::PasswordCallback(Arc::new(move |request| {
            let (home, ask, cause) = (home.clone(), ask.clone(), cause.clone());
            let argument = move |py: Python<'_>| new(py, "PasswordRequest", (request.user, request.host));
            async move { home.ask(&ask, argument, move |answer| read(answer, &cause, password)).await }.boxed()
        }));
        Ok(())
    }

    /// `ask(request)` gives a token; called where `connect` was.
    fn ask_token(&self, py: Python<'_>, ask: Py<PyAny>) -> PyResult<()> {
        let (home, ask, cause) = (Home::current(py)?, Arc::new(ask), self.cause.clone());
        self.edit().credentials = Credentials::Token(Arc::new(move |request| {
            let (home, ask, cause) = (home.clone(), ask.clone(), cause.clone());
            let previous = request.previous;
            let argument = move |py: Python<'_>| {
                let previous = previous.as_ref().map(Secret::reveal);
                new(py, "TokenRequest", (request.user, request.host, request.reason.as_str(), previous))
            };
            async move { home.ask(&ask, argument, move |answer| read(answer, &cause, token)).await }.boxed()
        }));
        Ok(())
    }

    fn mechanism(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let unknown = || MailError::new(Code::UsageArgument, "No such SASL mechanism is known here");
        self.edit().mechanism = Some(Mechanism::from_name(name).ok_or_else(unknown).or_raise(py)?);
        Ok(())
    }

    #[pyo3(signature = (read_only, allow_cleartext))]
    fn modes(&self, read_only: bool, allow_cleartext: bool) {
        let mut account = self.edit();
        account.read_only = read_only;
        account.net.allow_cleartext = allow_cleartext;
    }

    fn proxy(&self, py: Python<'_>, url: &str) -> PyResult<()> {
        self.edit().net.proxy = Some(Proxy::from_url(url).or_raise(py)?);
        Ok(())
    }

    fn ca_file(&self, path: PathBuf) {
        self.edit().net.roots = Roots::File(path);
    }

    fn ca_pem(&self, pem: &Bound<'_, PyAny>) -> PyResult<()> {
        self.edit().net.roots = Roots::Pem(bytes::from_py(pem)?);
        Ok(())
    }

    fn client_certificate(&self, chain: &Bound<'_, PyAny>, key: &str) -> PyResult<()> {
        let certificate = ClientCertificate { chain: bytes::from_py(chain)?, key: key.into() };
        self.edit().net.client_certificate = Some(certificate);
        Ok(())
    }

    fn server_name(&self, name: String) {
        self.edit().net.server_name = Some(name);
    }

    /// Bounds by name; times are in seconds.
    fn limits(&self, bounds: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut account = self.edit();
        for (name, value) in bounds {
            set_limit(&mut account.limits, name.extract()?, &value)?;
        }
        Ok(())
    }

    /// `user@host`, as in a `MessageRef`.
    #[getter]
    fn label(&self) -> String {
        self.edit().label()
    }
}

impl AccountSetup {
    pub fn account(&self) -> Account {
        self.edit().clone()
    }

    fn edit(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error of logging in, with the exception of the callback as its cause.
pub fn login_error(py: Python<'_>, error: &MailError, cause: &Cause) -> PyErr {
    let raised = errors::to_py(py, error);
    let cause = cause.lock().unwrap_or_else(PoisonError::into_inner).take();
    if error.code() == Code::AuthMissing {
        raised.set_cause(py, cause);
    }
    raised
}

fn new<'py>(py: Python<'py>, class: &str, fields: impl pyo3::call::PyCallArgs<'py>) -> PyResult<Py<PyAny>> {
    info::class(py, class)?.call1(fields).map(Bound::unbind)
}

fn read<T>(
    answer: PyResult<Bound<'_, PyAny>>,
    cause: &Cause,
    convert: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>,
) -> Result<T> {
    answer.and_then(|value| convert(&value)).map_err(|error| {
        let kind = kind(&error);
        *cause.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        MailError::new(Code::AuthMissing, format!("The callback for the password or token raised {kind}"))
    })
}

fn password(value: &Bound<'_, PyAny>) -> PyResult<Secret> {
    let text = value.cast::<PyString>().map_err(|_| PyTypeError::new_err("a password is a str"))?;
    Ok(text.to_str()?.into())
}

/// A `str`, a `Token`, or a mapping like one.
fn token(value: &Bound<'_, PyAny>) -> PyResult<Token> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Token { secret: text.to_str()?.into(), expires_at: None });
    }
    let field = |name: &str| match value.cast::<PyDict>() {
        Ok(dict) => dict.get_item(name),
        Err(_) => value.getattr(name).map(Some),
    };
    let secret = field("token")?.ok_or_else(|| PyTypeError::new_err("a token is a str, a Token or a dict of one"))?;
    let expires_at = field("expires_at")?.filter(|at| !at.is_none()).map(|at| moment(&at)).transpose()?;
    Ok(Token { secret: secret.extract::<String>()?.into(), expires_at })
}

/// A `datetime`, or seconds since 1970.
fn moment(at: &Bound<'_, PyAny>) -> PyResult<SystemTime> {
    let seconds: f64 = if at.hasattr("timestamp")? { at.call_method0("timestamp")? } else { at.clone() }.extract()?;
    Ok(SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

fn set_limit(limits: &mut Limits, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let seconds = || value.extract::<f64>().map(|s| Duration::try_from_secs_f64(s).unwrap_or_default());
    match name {
        "line" => limits.line = value.extract()?,
        "literal" => limits.literal = value.extract()?,
        "body" => limits.body = value.extract()?,
        "depth" => limits.depth = value.extract()?,
        "items" => limits.items = value.extract()?,
        "response" => limits.response = value.extract()?,
        "literals" => limits.literals = value.extract()?,
        "mailboxes" => limits.mailboxes = value.extract()?,
        "connect" => limits.connect = seconds()?,
        "greeting" => limits.greeting = seconds()?,
        "progress" => limits.progress = seconds()?,
        "slow_progress" => limits.slow_progress = seconds()?,
        _ => return Err(PyTypeError::new_err(format!("there is no limit {name:?}"))),
    }
    Ok(())
}
