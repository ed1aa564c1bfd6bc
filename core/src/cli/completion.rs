//! Completion scripts of shells, from the table of commands. Pure.

use super::args::usage;
use super::commands::{COMMANDS, COMMON, Command, Completes, Opt};
use crate::error::Result;

/// The shells that there is a script for.
pub(super) const SHELLS: &[&str] = &["bash", "zsh", "fish"];

/// The script of a shell.
pub(super) fn completion(shell: &str) -> Result<String> {
    match shell {
        "bash" => Ok(bash()),
        "zsh" => Ok(zsh()),
        "fish" => Ok(fish()),
        other => Err(usage(format!("There is no completion for {other:?}")).hint("Give bash, zsh or fish")),
    }
}

fn bash() -> String {
    let names: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
    let mut cases = String::new();
    for command in COMMANDS {
        let words: Vec<_> = options(command).map(|option| format!("--{}", option.long)).collect();
        let (words, rest) = (words.join(" "), rest(command));
        cases += &format!("    {}) words=\"{words} --help{rest}\" ;;\n", command.name);
    }
    format!(
        "# Completion of mailtide for bash.\n\
         _mailtide() {{\n  \
           local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command= words= i\n  \
           for ((i = 1; i < COMP_CWORD; i++)); do\n    \
             case ${{COMP_WORDS[i]}} in {}) command=${{COMP_WORDS[i]}}; break ;; esac\n  \
           done\n  \
           case $before in {}) compopt -o default; COMPREPLY=(); return ;; esac\n  \
           case $command in\n    '') words=\"{} --help --version\" ;;\n{cases}  esac\n  \
           COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n  \
           [ ${{#COMPREPLY[@]}} -gt 0 ] || compopt -o default\n\
         }}\n\
         complete -F _mailtide mailtide\n",
        names.join("|"),
        takers().join("|"),
        names.join(" "),
    )
}

fn zsh() -> String {
    let (mut commands, mut cases) = (String::new(), String::new());
    for command in COMMANDS {
        commands += &format!("    '{}:{}'\n", command.name, quoted(command.about));
        cases += &format!("    {})\n      _arguments", command.name);
        for option in options(command) {
            let value = option.value.map(|value| format!(":{value}:{}", files(option))).unwrap_or_default();
            cases += &format!(" \\\n        '*--{}[{}]{value}'", option.long, quoted(option.about));
        }
        cases += &match command.completes {
            Completes::Files => " \\\n        '*:file:_files'".to_owned(),
            Completes::Words(words) => format!(" \\\n        '1:word:({})'", words.join(" ")),
            Completes::Nothing => String::new(),
        };
        cases += " ;;\n";
    }
    format!(
        "#compdef mailtide\n# Completion of mailtide for zsh.\n\
         _mailtide() {{\n  local -a commands=(\n{commands}  )\n  \
           if (( CURRENT == 2 )); then _describe command commands; return; fi\n  \
           local command=$words[2]\n  shift words; (( CURRENT-- ))\n  case $command in\n{cases}  esac\n}}\n\
         # Read by autoload at the first key, it has to complete at once; read by source it only says that it can.\n\
         if [[ $funcstack[1] == _mailtide ]]; then _mailtide \"$@\"; else compdef _mailtide mailtide; fi\n"
    )
}

fn fish() -> String {
    let mut out = "# Completion of mailtide for fish.\ncomplete -c mailtide -f\n".to_owned();
    for option in COMMON {
        out += &fish_option(option, "");
    }
    for command in COMMANDS {
        let about = quoted(command.about);
        out += &format!("complete -c mailtide -n __fish_use_subcommand -a {} -d '{about}'\n", command.name);
        let here = format!(" -n '__fish_seen_subcommand_from {}'", command.name);
        for option in command.options {
            out += &fish_option(option, &here);
        }
        match command.completes {
            Completes::Files => out += &format!("complete -c mailtide{here} -F\n"),
            Completes::Words(words) => out += &format!("complete -c mailtide{here} -a '{}'\n", words.join(" ")),
            Completes::Nothing => {}
        }
    }
    out
}

fn fish_option(option: &Opt, here: &str) -> String {
    let short = option.short.map(|letter| format!(" -s {letter}")).unwrap_or_default();
    let value = match (option.value, files(option)) {
        (None, _) => "",
        (Some(_), "_files") => " -r -F",
        (Some(_), _) => " -x",
    };
    format!("complete -c mailtide{here}{short} -l {}{value} -d '{}'\n", option.long, quoted(option.about))
}

fn options(command: &'static Command) -> impl Iterator<Item = &'static Opt> {
    command.options.iter().chain(COMMON)
}

fn rest(command: &Command) -> String {
    if let Completes::Words(words) = command.completes { format!(" {}", words.join(" ")) } else { String::new() }
}

/// Options after which a value stands.
fn takers() -> Vec<String> {
    let mut takers = Vec::new();
    for option in COMMANDS.iter().flat_map(options).filter(|option| option.value.is_some()) {
        let names = option.short.map(|letter| format!("-{letter}")).into_iter().chain([format!("--{}", option.long)]);
        takers.extend(names);
    }
    takers.sort();
    takers.dedup();
    takers
}

fn files(option: &Opt) -> &'static str {
    if matches!(option.value, Some("FILE" | "FOLDER")) { "_files" } else { "" }
}

/// A text between single quotes and brackets.
fn quoted(text: &str) -> String {
    text.replace('\'', "").replace('[', "(").replace(']', ")").replace(':', ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_knows_every_command_and_option() {
        for shell in SHELLS {
            let script = completion(shell).unwrap();
            for command in COMMANDS {
                assert!(script.contains(command.name), "{shell}: {}", command.name);
                assert!(options(command).all(|option| script.contains(option.long)), "{shell}: {}", command.name);
                let Completes::Words(words) = command.completes else { continue };
                assert!(script.contains(&words.join(" ")), "{shell}: {}", command.name);
            }
        }
        assert!(completion("tcsh").unwrap_err().to_string().contains("bash"));
    }
}
