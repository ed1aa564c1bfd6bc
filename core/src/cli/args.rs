//! Arguments, read by the table of commands. Pure.

use super::commands::{COMMANDS, COMMON, Command, Opt};
use crate::error::{Code, MailError, Result};
use lexopt::Arg;
use std::ffi::OsString;
use std::str::FromStr;

/// What was typed.
#[derive(Clone, Debug)]
pub(super) struct Args {
    pub command: &'static Command,
    options: Vec<(&'static str, String)>,
    /// What follows the command and is no option.
    pub rest: Vec<String>,
}

/// What is wanted.
#[derive(Debug)]
pub(super) enum Wanted {
    /// A command.
    Run(Args),
    /// Help on a command, or on all.
    Help(Option<&'static Command>),
    /// The version.
    Version,
}

impl Args {
    /// Whether an option was given.
    pub fn is(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value of an option; the last where it was given several times.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(option, _)| *option == name).map(|(_, value)| value.as_str())
    }

    /// All values of an option.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.options.iter().filter(move |(option, _)| *option == name).map(|(_, value)| value.as_str())
    }

    /// A value that is a number or the like.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let unusable = |text: &str| usage(format!("--{name} takes a number, not {text:?}"));
        self.value(name).map(|text| text.parse().map_err(|_| unusable(text))).transpose()
    }

    /// The only argument of a command that takes one at most.
    pub fn only(&self) -> Result<Option<&str>> {
        match self.rest.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            [_, second, ..] => Err(usage(format!("{second:?} is one argument too many"))),
        }
    }

    /// Refuses options of which one makes the other senseless.
    pub fn apart(&self, one: &str, other: &str) -> Result<()> {
        if self.is(one) && self.is(other) {
            return Err(usage(format!("--{one} and --{other} do not go together")));
        }
        Ok(())
    }
}

/// Reads what was typed after the program's name.
///
/// # Errors
///
/// [`Code::UsageArgument`].
pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Wanted> {
    let mut parser = lexopt::Parser::from_args(args);
    let (mut command, mut options, mut rest) = (None::<&'static Command>, Vec::new(), Vec::new());
    let mut help = false;
    while let Some(arg) = parser.next().map_err(|error| unusable(&error))? {
        let option = match arg {
            Arg::Long("help") | Arg::Short('h') => {
                help = true;
                continue;
            }
            Arg::Long("version") | Arg::Short('V') => return Ok(Wanted::Version),
            Arg::Value(word) => {
                let word = text(word)?;
                match command {
                    None => command = Some(named(&word)?),
                    Some(_) => rest.push(word),
                }
                continue;
            }
            Arg::Long(name) => known(command, |option| option.long == name).ok_or(format!("--{name}")),
            Arg::Short(letter) => known(command, |option| option.short == Some(letter)).ok_or(format!("-{letter}")),
        };
        let option = option.map_err(|shown| no_such_option(command, &shown))?;
        let value = match option.value {
            Some(_) => text(parser.value().map_err(|error| unusable(&error))?)?,
            None => String::new(),
        };
        options.push((option.long, value));
    }
    match command {
        Some(command) if !help => Ok(Wanted::Run(Args { command, options, rest })),
        command => Ok(Wanted::Help(command)),
    }
}

/// An error of whoever typed it.
pub(super) fn usage(text: impl Into<String>) -> MailError {
    MailError::new(Code::UsageArgument, text)
}

/// Ids, of which there is one at least.
pub(super) fn ids(words: &[String]) -> Result<Vec<i64>> {
    if words.is_empty() {
        return Err(usage("An id is missing"));
    }
    words.iter().map(|word| word.parse().map_err(|_| usage(format!("{word:?} is not an id")))).collect()
}

fn named(word: &str) -> Result<&'static Command> {
    let missing = || usage(format!("There is no command {word:?}")).hint("See mailtide --help");
    COMMANDS.iter().find(|command| command.name == word).ok_or_else(missing)
}

fn known(command: Option<&'static Command>, is_it: impl Fn(&Opt) -> bool) -> Option<&'static Opt> {
    let own = command.map(|command| command.options).unwrap_or_default();
    own.iter().chain(COMMON).find(|option| is_it(option))
}

fn no_such_option(command: Option<&'static Command>, shown: &str) -> MailError {
    match command {
        Some(command) => usage(format!("{} has no option {shown}", command.name))
            .hint(format!("See mailtide {} --help", command.name)),
        None => usage(format!("There is no option {shown} before the command")).hint("See mailtide --help"),
    }
}

fn unusable(error: &lexopt::Error) -> MailError {
    usage(format!("This cannot be read: {error}")).hint("See mailtide --help")
}

fn text(word: OsString) -> Result<String> {
    word.into_string().map_err(|word| usage(format!("{} is not UTF-8", word.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Args {
        match parse(line.split_whitespace().map(OsString::from)).unwrap() {
            Wanted::Run(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_may_stand_anywhere_and_be_written_in_any_way() {
        for line in ["--json ls -n5 INBOX", "ls INBOX --limit=5 --json", "ls --json --limit 5 -- INBOX"] {
            let args = run(line);
            assert_eq!((args.command.name, args.only().unwrap()), ("ls", Some("INBOX")), "{line}");
            assert_eq!((args.parsed::<u64>("limit").unwrap(), args.is("json")), (Some(5), true), "{line}");
        }
        assert_eq!(run("send --attach a --attach b").values("attach").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (line, expected) in [
            ("lst", "no command"),
            ("ls --colour", "ls has no option --colour"),
            ("--limit 5 ls", "before the command"),
            ("ls --limit", "--limit"),
            ("ls --json=yes", "json"),
        ] {
            let error = parse(line.split_whitespace().map(OsString::from)).unwrap_err();
            assert_eq!(error.code(), Code::UsageArgument, "{line}");
            assert!(error.to_string().contains(expected), "{line}: {error}");
        }
        assert!(run("ls -n x").parsed::<u64>("limit").unwrap_err().to_string().contains("takes a number"));
        assert!(run("ls a b").only().is_err() && run("login x --keyring --password-insecure").is("keyring"));
    }

    #[test]
    fn help_is_had_with_and_without_a_command() {
        let wanted = |line: &str| parse(line.split_whitespace().map(OsString::from)).unwrap();
        assert!(matches!(wanted(""), Wanted::Help(None)) && matches!(wanted("--help"), Wanted::Help(None)));
        assert!(matches!(wanted("ls --help x"), Wanted::Help(Some(command)) if command.name == "ls"));
        assert!(matches!(wanted("-V"), Wanted::Version));
    }
}
