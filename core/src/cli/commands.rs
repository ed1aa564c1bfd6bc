//! The table of commands: what is read, explained and completed is made from it. Pure.

/// A command.
#[derive(Debug)]
pub(super) struct Command {
    pub name: &'static str,
    /// What follows its name.
    pub takes: &'static str,
    /// In one line.
    pub about: &'static str,
    /// What else is to be known.
    pub details: &'static str,
    pub options: &'static [Opt],
    /// What its argument is, for a shell that completes it.
    pub completes: Completes,
}

/// What a shell completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completes {
    Nothing,
    Files,
    Words(&'static [&'static str]),
}

/// An option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt {
    pub long: &'static str,
    pub short: Option<char>,
    /// What its value is called; `None` for a switch.
    pub value: Option<&'static str>,
    pub about: &'static str,
}

const fn switch(long: &'static str, about: &'static str) -> Opt {
    Opt { long, short: None, value: None, about }
}

const fn value(long: &'static str, name: &'static str, about: &'static str) -> Opt {
    Opt { long, short: None, value: Some(name), about }
}

const fn short(letter: char, option: Opt) -> Opt {
    Opt { short: Some(letter), ..option }
}

const LIMIT: Opt = short('n', value("limit", "N", "At most so many messages, 20 unless given"));
const MAILBOX: Opt = short('m', value("mailbox", "NAME", "The mailbox, INBOX unless given"));

/// Options of every command.
pub(super) const COMMON: &[Opt] = &[
    short('a', value("account", "NAME", "The account of the configuration; its default unless given")),
    short('f', value("store", "FILE", "A store with no account: nothing is asked of a server")),
    value("config", "FILE", "The configuration"),
    switch("json", "One JSON object a line, for programs"),
];

/// Every command, in the order of the help.
pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        takes: "",
        about: "Shows what Mailtide does, on a server and a mailbox of its own",
        details: "Makes a mailbox, serves it, mirrors it, works in it offline and brings both sides in step again. \
                  Nothing outside a temporary folder is touched. On a terminal it then serves the mailbox until Ctrl-C, \
                  so that a mail program can be pointed at it.",
        options: &[
            value("fill", "FILE", "Only make the mailbox, as a store in FILE"),
            value("picture", "FILE", "Draw the inbox into FILE, as SVG"),
            switch("no-wait", "End with the story, also on a terminal"),
        ],
        completes: Completes::Nothing,
    },
    Command {
        name: "login",
        takes: "NAME URL",
        about: "Tries an account and writes it into the configuration",
        details: "URL is imaps://user@host, imap+starttls://user@host, or imap://user@host on this machine. The password \
                  is asked for, or read from standard input where that is no terminal. It is written down only with \
                  --password-insecure; with none of the options below it is asked for whenever it is needed.",
        options: &[
            value("smtp", "URL", "Where messages are handed in: a host, or smtps://, smtp+starttls://"),
            value("from", "ADDRESS", "Who writes: \"Ada <ada@example.org>\""),
            value("mirror", "FILE", "Where the mail is kept; in the data folder unless given"),
            value("ca", "FILE", "Trust the authorities in this PEM file, and no others"),
            value("password-command", "COMMAND", "What prints the password, such as \"pass show mail\""),
            switch("keyring", "Keep the password in the keyring of the system"),
            switch("password-insecure", "Write the password into the configuration in clear"),
        ],
        completes: Completes::Nothing,
    },
    Command {
        name: "serve",
        takes: "[FILE]",
        about: "Serves a store over IMAP to any mail program",
        details: "With FILE the store alone, which is made where there is none. Without it the mirror of the account, \
                  which is kept in step meanwhile: what mail programs do reaches the provider when it can be reached. \
                  The password is that of --new-password, of MAILTIDE_SERVER_PASSWORD, of [serve] in the configuration, \
                  or is asked for; who was set up once can log in again without any of these. Ends with Ctrl-C.",
        options: &[
            value(
                "listen",
                "ADDRESS",
                "Where, such as 127.0.0.1:1143, which it is unless given; port 0 is any free one",
            ),
            value("user", "NAME", "Who may log in"),
            switch("new-password", "Make a password up and print it"),
            switch("tls", "TLS with a certificate of its own, made at the first start beside the store"),
            switch("starttls", "The same by STARTTLS: a client begins in clear, and cannot log in before it"),
            value("name", "HOST", "The name on that certificate, localhost unless given"),
            value("certificate", "FILE", "A certificate and its chain in PEM, instead of one of its own"),
            value("key", "FILE", "The private key of that certificate, in PEM"),
        ],
        completes: Completes::Files,
    },
    Command {
        name: "users",
        takes: "[ACTION NAME [LABEL]]",
        about: "Lists who may log in to a store that is served, or changes it",
        details: "ACTION is set, which adds a user or gives one another password; disable, enable, remove; app-passwords, \
                  which lists those of a user; add-app-password and revoke-app-password, which take a LABEL as well. With \
                  an app password one program logs in as NAME+LABEL. The password of set is asked for, or read from \
                  standard input where that is no terminal. Changes hold at once, also while the store is served: \
                  whoever came in by what was taken away is sent away.",
        options: &[switch("new-password", "Make the password of set up and print it")],
        completes: Completes::Words(super::users::ACTIONS),
    },
    Command {
        name: "sync",
        takes: "",
        about: "Brings the mirror and the server in step",
        details: "Exit code 5 says that something could not be done: the report names it.",
        options: &[
            switch("dry-run", "Only say what would be done"),
            switch("follow", "Go on until Ctrl-C, as soon as something changes on either side"),
        ],
        completes: Completes::Nothing,
    },
    Command {
        name: "pending",
        takes: "[ACTION ID...]",
        about: "Lists the changes that the server has not confirmed, or decides about parked ones",
        details: "ACTION is retry, which lets a parked change be tried again with the next sync, or drop, which takes back \
                  what it did here, with all that depends on it. ID is the number that pending and sync print.",
        options: &[],
        completes: Completes::Words(super::pending::ACTIONS),
    },
    Command {
        name: "ls",
        takes: "[MAILBOX]",
        about: "Lists the mailboxes, or the messages of one, newest first",
        details: "",
        options: &[
            LIMIT,
            short('u', switch("unread", "Only messages that are unread")),
            switch("deleted", "Instead, messages that were deleted and can still be restored"),
            value("picture", "FILE", "Draw the list of MAILBOX into FILE, as SVG"),
        ],
        completes: Completes::Nothing,
    },
    Command {
        name: "restore",
        takes: "ID...",
        about: "Places messages again that were deleted",
        details: "ID is the number that ls --deleted prints. The message gets a UID of its own, and reaches the server with \
                  the next sync. It can be restored for 30 days after it was deleted, here or on the server, where its body \
                  was held.",
        options: &[MAILBOX],
        completes: Completes::Nothing,
    },
    Command {
        name: "show",
        takes: "UID",
        about: "Shows a message",
        details: "UID is the number that ls and search print. Showing marks nothing as read.",
        options: &[
            MAILBOX,
            switch("headers", "The whole header instead of the usual fields"),
            switch("raw", "The bytes of the message as they are, and nothing else"),
            value("save", "FOLDER", "Save its attachments there, under safe names"),
        ],
        completes: Completes::Nothing,
    },
    Command {
        name: "search",
        takes: "QUERY...",
        about: "Finds messages, in all mailboxes unless one is named",
        details: "The query language is in docs/search.md: from:ada is:unread after:2025-01-31 \"moth in relay\".",
        options: &[LIMIT, short('m', value("mailbox", "NAME", "Only this mailbox"))],
        completes: Completes::Nothing,
    },
    Command {
        name: "watch",
        takes: "[MAILBOX]",
        about: "Prints what happens, in all mailboxes or in one, until Ctrl-C",
        details: "An account is kept in step meanwhile. With --json each line carries a cursor; give the last one to \
                  --since to miss nothing.",
        options: &[value("since", "CURSOR", "Begin after the event that had this cursor")],
        completes: Completes::Nothing,
    },
    Command {
        name: "send",
        takes: "",
        about: "Sends a message, its text read from standard input",
        details: "It is written to the disk first, and leaves when the submission server can be reached: now, or with a \
                  later sync. Exit code 5 says that it waits, or that not all recipients were taken.",
        options: &[
            value("to", "ADDRESSES", "To whom"),
            value("cc", "ADDRESSES", "To whom as well"),
            value("bcc", "ADDRESSES", "To whom without the others' knowing"),
            short('s', value("subject", "TEXT", "The subject")),
            value("text", "TEXT", "The text, instead of standard input"),
            value("attach", "FILE", "Attach a file; may be given several times"),
            value("reply", "UID", "Answer this message: recipients, subject and thread follow from it"),
            switch("all", "Answer everybody"),
            MAILBOX,
            switch("queue", "Leave it for a later sync"),
        ],
        completes: Completes::Nothing,
    },
    Command {
        name: "doctor",
        takes: "",
        about: "Says what a server can do, what is slow on it, and what wants repair",
        details: "Exit code 5 says that something is wrong in the store or waits for a decision.",
        options: &[
            switch("offline", "Only look at the store"),
            switch("repair", "Save what can be saved of a damaged store; the damaged file is kept beside it"),
        ],
        completes: Completes::Nothing,
    },
    Command {
        name: "completion",
        takes: "bash|zsh|fish",
        about: "Prints the completion script of a shell",
        details: "Such as: mailtide completion bash > ~/.local/share/bash-completion/completions/mailtide",
        options: &[],
        completes: Completes::Words(super::completion::SHELLS),
    },
];
