//! Help, from the table of commands. Pure.

use super::commands::{COMMANDS, COMMON, Command, Opt};
use super::exit::EXITS;
use super::text::wrap;

/// Help on a command, or on all, for lines of that width.
pub(super) fn help(command: Option<&Command>, width: usize) -> String {
    command.map_or_else(|| overview(width), |command| of(command, width))
}

fn overview(width: usize) -> String {
    let mut out = "mailtide: a person's mail on this machine, in step with a server\n\n\
                   Usage: mailtide COMMAND [OPTIONS]\n\nCommands:\n"
        .to_owned();
    for command in COMMANDS {
        out += &entry(command.name, command.about, 12, width);
    }
    out += "\nOptions of every command:\n";
    out += &options(COMMON, width);
    out += &entry("-V, --version", "The version", 24, width);
    out += "\nExit codes:\n";
    for (code, about) in EXITS {
        out += &entry(&code.to_string(), about, 5, width);
    }
    out + "\nmailtide COMMAND --help says more.\n"
}

fn of(command: &Command, width: usize) -> String {
    let takes = if command.takes.is_empty() { String::new() } else { format!(" {}", command.takes) };
    let mut out = wrap(&format!("mailtide {}: {}", command.name, lower(command.about)), width).join("\n");
    out += &format!("\n\nUsage: mailtide {}{takes} [OPTIONS]\n", command.name);
    if !command.details.is_empty() {
        out += "\n";
        for line in wrap(command.details, width) {
            out += &format!("{line}\n");
        }
    }
    if !command.options.is_empty() {
        out += &format!("\nOptions:\n{}", options(command.options, width));
    }
    out + &format!("\nOptions of every command:\n{}", options(COMMON, width))
}

fn options(options: &[Opt], width: usize) -> String {
    let help = Opt { long: "help", short: Some('h'), value: None, about: "This help" };
    let common = options.first().is_some_and(|option| option.long == "account");
    let all = options.iter().chain(common.then_some(&help));
    all.map(|option| entry(&shown(option), option.about, 24, width)).collect()
}

fn shown(option: &Opt) -> String {
    let short = option.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
    let value = option.value.map(|value| format!(" {value}")).unwrap_or_default();
    format!("{short}--{}{value}", option.long)
}

/// A name and what it means, beside each other; below each other where the name is long.
fn entry(name: &str, about: &str, column: usize, width: usize) -> String {
    let indent = " ".repeat(column + 4);
    let lines = wrap(about, width.saturating_sub(column + 4).max(24));
    let about = lines.join(&format!("\n{indent}"));
    match name.chars().count() {
        length if length <= column => format!("  {name:column$}  {about}\n"),
        _ => format!("  {name}\n{indent}{about}\n"),
    }
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_option_is_explained_within_the_width() {
        let overview = help(None, 80);
        for command in COMMANDS {
            assert!(overview.contains(&format!("\n  {}", command.name)), "{}", command.name);
            let text = help(Some(command), 80);
            assert!(command.options.iter().all(|option| text.contains(&format!("--{}", option.long))), "{text}");
            assert!(text.contains("--config FILE") && text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        assert!(EXITS.iter().all(|(code, _)| overview.contains(&format!("\n  {code} "))));
    }

    #[test]
    fn no_two_options_of_a_command_have_one_name() {
        for command in COMMANDS {
            let all: Vec<_> = command.options.iter().chain(COMMON).collect();
            for (at, option) in all.iter().enumerate() {
                let others = all.iter().skip(at + 1);
                let is_same = |o: &&&Opt| o.long == option.long || o.short.is_some() && o.short == option.short;
                assert_eq!(others.filter(is_same).count(), 0, "{} --{}", command.name, option.long);
            }
        }
    }
}
