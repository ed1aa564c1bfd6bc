//! The configuration: one TOML file, with accounts by their names.
//!
//! It may hold a password in clear only where the user insists (`password_insecure = true`) and nobody else may read it.

use super::args::usage;
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The configuration as it was read. An empty one where there is no file.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    pub path: PathBuf,
    pub default: Option<String>,
    accounts: Vec<(String, Section)>,
    pub serve: Section,
    /// Further ones who may log in to what is served, by their names.
    pub serve_users: Vec<(String, Section)>,
}

/// A table of the file.
#[derive(Clone, Default)]
pub(super) struct Section {
    /// As it is named in the file.
    name: String,
    values: Map<String, Value>,
}

/// Where a password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PasswordFrom {
    /// What this command prints, run by the shell, or without one where its words are given.
    Command(Vec<String>),
    /// The keyring of the system.
    Keyring,
    /// The configuration itself.
    Clear(Secret),
    /// Somebody is asked.
    Prompt,
}

const ACCOUNT: &[&str] = &[
    "url",
    "smtp",
    "from",
    "store",
    "ca",
    "allow_cleartext",
    "read_only",
    "keep",
    "keep_days",
    "bytes_a_day",
    "password",
    "password_insecure",
    "password_command",
    "keyring",
];
const SERVE: &[&str] = &[
    "user",
    "listen",
    "tls",
    "starttls",
    "certificate",
    "key",
    "name",
    "password",
    "password_insecure",
    "password_command",
    "keyring",
];
const SERVE_USER: &[&str] = &["password", "password_insecure", "password_command", "keyring"];

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`] for what is no such configuration, and for a file that others may change, or read a password
    /// in; [`Code::FileIo`].
    pub fn read(path: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { path: path.to_owned(), ..Self::default() });
            }
            Err(error) => {
                return Err(MailError::new(Code::FileIo, format!("{} cannot be read: {error}", path.display())));
            }
        };
        let config = Self { path: path.to_owned(), ..Self::parse(&text).map_err(|error| in_file(&error, path))? };
        check_mode(path, config.holds_passwords())?;
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self> {
        // The error of the parser shows the line, which may hold a password.
        let whole: Map<String, Value> = toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            usage(format!("line {}: {}", before.matches('\n').count() + 1, error.message()))
        })?;
        let mut config = Self::default();
        for (key, value) in whole {
            match (key.as_str(), value) {
                ("default", Value::String(name)) => config.default = Some(name),
                ("serve", Value::Object(mut values)) => {
                    let users = values.remove("users").unwrap_or_else(|| Map::new().into());
                    config.serve_users = sections("serve.users", users, SERVE_USER)?;
                    config.serve = Section::new("serve".to_owned(), values, SERVE)?;
                }
                ("accounts", accounts @ Value::Object(_)) => {
                    config.accounts = sections("accounts", accounts, ACCOUNT)?;
                }
                (key, _) => return Err(usage(format!("{key:?} is not known, or not of that kind"))),
            }
        }
        Ok(config)
    }

    /// An account by its name, or the one that is meant without.
    pub fn account(&self, name: Option<&str>) -> Result<(&str, &Section)> {
        let path = self.path.display();
        let (name, hint) = match (name.or(self.default.as_deref()), self.accounts.as_slice()) {
            (Some(name), _) => (name, format!("See the accounts in {path}")),
            (None, [(only, section)]) => return Ok((only, section)),
            (None, []) => {
                let text = format!("There is no account in {path}");
                return Err(usage(text).hint("mailtide login NAME URL adds one; --store FILE needs none"));
            }
            (None, _) => {
                let names: Vec<_> = self.accounts.iter().map(|(name, _)| name.as_str()).collect();
                let text = format!("Which account is meant of {}?", names.join(", "));
                return Err(usage(text).hint(format!("Give --account NAME, or set default in {path}")));
            }
        };
        let found = self.accounts.iter().find(|(known, _)| known == name);
        found
            .map(|(name, section)| (name.as_str(), section))
            .ok_or_else(|| usage(format!("There is no account {name:?}")).hint(hint))
    }

    /// Whether an account of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.accounts.iter().any(|(known, _)| known == name)
    }

    fn holds_passwords(&self) -> bool {
        let named = self.accounts.iter().chain(&self.serve_users);
        let sections = named.map(|(_, section)| section).chain([&self.serve]);
        sections.into_iter().any(|section| section.values.contains_key("password"))
    }
}

impl Section {
    fn new(name: String, values: Map<String, Value>, known: &[&str]) -> Result<Self> {
        if let Some(key) = values.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(usage(format!("{name}.{key} is not known")).hint(format!("Known are {}", known.join(", "))));
        }
        Ok(Self { name, values })
    }

    /// As it is named in the file. It is the account of a keyring, where a user's password is kept in one.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { "serve" } else { &self.name }
    }

    pub fn text(&self, key: &str) -> Result<Option<&str>> {
        self.of_kind(key, "a text", Value::as_str)
    }

    pub fn is(&self, key: &str) -> Result<bool> {
        Ok(self.of_kind(key, "true or false", Value::as_bool)?.unwrap_or(false))
    }

    pub fn number(&self, key: &str) -> Result<Option<u64>> {
        self.of_kind(key, "a number", Value::as_u64)
    }

    /// Where its password comes from.
    pub fn password(&self) -> Result<PasswordFrom> {
        let words = |value: &Value| match value {
            Value::String(line) => Some(vec![line.clone()]),
            Value::Array(words) => words.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let command = self.values.get("password_command").map(words);
        match (command, self.is("keyring")?, self.text("password")?) {
            (Some(Some(words)), false, None) if !words.is_empty() => Ok(PasswordFrom::Command(words)),
            (Some(_), false, None) => Err(self.wrong("password_command", "a text or a list of texts")),
            (None, true, None) => Ok(PasswordFrom::Keyring),
            (None, false, Some(clear)) if self.is("password_insecure")? => Ok(PasswordFrom::Clear(clear.into())),
            (None, false, Some(_)) => {
                let text = format!("{}.password stands in the configuration in clear", self.name);
                Err(usage(text).hint("Use password_command or keyring; or insist with password_insecure = true"))
            }
            (None, false, None) => Ok(PasswordFrom::Prompt),
            _ => Err(usage(format!("{} has more than one source of its password", self.name))),
        }
    }

    fn of_kind<'a, T>(&'a self, key: &str, kind: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>> {
        self.values.get(key).map(|value| read(value).ok_or_else(|| self.wrong(key, kind))).transpose()
    }

    fn wrong(&self, key: &str, kind: &str) -> MailError {
        usage(format!("{}.{key} is not {kind}", self.name))
    }
}

/// The tables in a table, by their names.
fn sections(parent: &str, tables: Value, known: &[&str]) -> Result<Vec<(String, Section)>> {
    let Value::Object(tables) = tables else {
        return Err(usage(format!("{parent} is not a table")));
    };
    let section = |(name, values): (String, Value)| {
        let section = format!("{parent}.{name}");
        let Value::Object(values) = values else {
            return Err(usage(format!("{section} is not a table")));
        };
        Ok((name, Section::new(section, values, known)?))
    };
    tables.into_iter().map(section).collect()
}

/// Names only: values may be passwords.
impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// An account as it is written down.
#[derive(Clone, Debug)]
pub(super) struct NewAccount<'a> {
    pub name: &'a str,
    pub url: &'a str,
    pub smtp: Option<&'a str>,
    pub from: Option<&'a str>,
    pub store: Option<&'a str>,
    pub ca: Option<&'a str>,
    pub password: PasswordFrom,
}

/// Its table. Every key and value is quoted: JSON's strings are TOML's, which has no other escapes for what they hold.
pub(super) fn table_of(account: &NewAccount<'_>) -> Result<String> {
    let mut out = format!("[accounts.{}]\n", quoted(account.name)?);
    let texts = [
        ("url", Some(account.url)),
        ("smtp", account.smtp),
        ("from", account.from),
        ("store", account.store),
        ("ca", account.ca),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            out += &format!("{key} = {}\n", quoted(value)?);
        }
    }
    match &account.password {
        PasswordFrom::Command(words) => out += &format!("password_command = {}\n", quoted(&words.join(" "))?),
        PasswordFrom::Keyring => out += "keyring = true\n",
        PasswordFrom::Clear(secret) => {
            out += &format!("password = {}\npassword_insecure = true\n", quoted(secret.reveal())?);
        }
        PasswordFrom::Prompt => {}
    }
    Ok(out)
}

/// Adds a table at the end of the file, which only its owner may read. What stands there stays as it is.
pub(super) fn add(path: &Path, table: &str) -> Result<()> {
    let failed =
        |error: std::io::Error| MailError::new(Code::FileIo, format!("{} cannot be written: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let gap = match before.as_str() {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    // Beside it first: a full disk must not cost the accounts that are there.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut file, format!("{before}{gap}{table}").as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error)).map(drop)
}

fn quoted(text: &str) -> Result<String> {
    if text.chars().any(char::is_control) {
        return Err(usage("A value of the configuration holds a control character"));
    }
    Ok(Value::from(text).to_string())
}

fn in_file(error: &MailError, path: &Path) -> MailError {
    let text = format!("{} cannot be used: {}", path.display(), error.message());
    let hint = error.context().hint.clone();
    usage(text).with(|context| context.hint = hint)
}

#[cfg(unix)]
fn check_mode(path: &Path, holds_passwords: bool) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_or(0, |data| data.permissions().mode());
    let what = match mode {
        mode if mode & 0o022 != 0 => "others may change it",
        mode if holds_passwords && mode & 0o044 != 0 => "it holds a password, and others may read it",
        _ => return Ok(()),
    };
    let path = path.display();
    Err(usage(format!("{path} cannot be used: {what}")).hint(format!("chmod 600 {path}")))
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: bool) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> Section {
        Config::parse(text).unwrap().account(None).unwrap().1.clone()
    }

    #[test]
    fn an_account_is_found_by_name_by_default_or_as_the_only_one() {
        let two = "default = \"b\"\n[accounts.a]\nurl = \"1\"\n[accounts.b]\nurl = \"2\"\n";
        let url = |name: Option<&str>| {
            Config::parse(two).unwrap().account(name).unwrap().1.text("url").unwrap().unwrap().to_owned()
        };
        assert_eq!((url(None), url(Some("a"))), ("2".to_owned(), "1".to_owned()));
        let without = Config::parse(two.split_once('\n').unwrap().1).unwrap();
        assert!(without.account(None).unwrap_err().to_string().contains("of a, b"));
        assert!(without.account(Some("c")).unwrap_err().to_string().contains("no account \"c\""));
        assert!(Config::default().account(None).unwrap_err().to_string().contains("mailtide login"));
    }

    #[test]
    fn a_password_in_clear_has_to_be_insisted_on() {
        let with = |lines: &str| account(&format!("[accounts.a]\n{lines}")).password();
        assert_eq!(with("").unwrap(), PasswordFrom::Prompt);
        assert!(with("password = \"planted\"").unwrap_err().to_string().contains("password_insecure"));
        let clear = with("password = \"planted\"\npassword_insecure = true").unwrap();
        assert_eq!(clear, PasswordFrom::Clear("planted".into()));
        let command = with("password_command = \"pass show x\"").unwrap();
        assert_eq!(command, PasswordFrom::Command(vec!["pass show x".to_owned()]));
        assert!(
            matches!(with("password_command = [\"pass\", \"x\"]"), Ok(PasswordFrom::Command(words)) if words.len() == 2)
        );
        for lines in ["keyring = true\npassword_command = \"x\"", "password_command = 7", "keyring = \"yes\""] {
            assert_eq!(with(lines).unwrap_err().code(), Code::UsageArgument, "{lines}");
        }
    }

    #[test]
    fn users_of_a_server_have_passwords_as_accounts_do() {
        let text = "[serve]\nuser = \"ada\"\n[serve.users.grace]\nkeyring = true\n[serve.users.\"joan@x\"]\n";
        let config = Config::parse(text).unwrap();
        let found: Vec<_> = config.serve_users.iter().map(|(name, s)| (name.as_str(), s.password().unwrap())).collect();
        assert_eq!(found, [("grace", PasswordFrom::Keyring), ("joan@x", PasswordFrom::Prompt)]);
        assert_eq!(config.serve_users[0].1.name(), "serve.users.grace");
        for wrong in
            ["[serve]\nusers = 1", "[serve.users]\ngrace = \"planted\"", "[serve.users.grace]\nurl = \"planted\""]
        {
            let error = Config::parse(wrong).unwrap_err();
            assert!(error.to_string().contains("serve.users") && !error.to_string().contains("planted"), "{error}");
        }
        assert!(Config::parse("[serve.users.grace]\npassword = \"planted\"").unwrap().holds_passwords());
    }

    #[test]
    fn what_is_wrong_is_named_and_never_quoted() {
        for text in
            ["[accounts.a]\npassword = \"planted\noops", "[accounts.a]\npasword = \"planted\"", "x = \"planted\""]
        {
            let error = Config::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::UsageArgument);
            assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        }
        assert!(Config::parse("\n\nx = [").unwrap_err().to_string().contains("line 3"));
        let config = Config::parse("[accounts.a]\npassword = \"planted\"").unwrap();
        assert!(!format!("{config:?}").contains("planted"));
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mailtide/config.toml");
        let new = NewAccount {
            name: "work \"x\"",
            url: "imaps://ada@h",
            smtp: Some("smtp.example.org"),
            from: Some("\"Byron, Ada\" <ada@example.org>"),
            store: None,
            ca: None,
            password: PasswordFrom::Clear("a\\b\"c".into()),
        };
        add(&path, &table_of(&new).unwrap()).unwrap();
        let first = std::fs::read_to_string(&path).unwrap();
        add(&path, &table_of(&NewAccount { name: "two", password: PasswordFrom::Keyring, ..new }).unwrap()).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().starts_with(&first));
        let config = Config::read(&path).unwrap();
        let one = config.account(Some("work \"x\"")).unwrap().1;
        assert_eq!(one.password().unwrap(), PasswordFrom::Clear("a\\b\"c".into()));
        assert_eq!(one.text("from").unwrap(), Some("\"Byron, Ada\" <ada@example.org>"));
        assert_eq!(config.account(Some("two")).unwrap().1.password().unwrap(), PasswordFrom::Keyring);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_a_password_in_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        for (text, mode, is_fine) in [
            ("[accounts.a]\npassword = \"x\"\npassword_insecure = true\n", 0o600, true),
            ("[accounts.a]\npassword = \"x\"\npassword_insecure = true\n", 0o644, false),
            ("[accounts.a]\nkeyring = true\n", 0o644, true),
            ("[accounts.a]\nkeyring = true\n", 0o666, false),
        ] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Config::read(&path).is_ok(), is_fine, "{mode:o}");
        }
    }
}
