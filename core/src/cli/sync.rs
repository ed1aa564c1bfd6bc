//! `sync`: one pass, or one after another; what it did.

use super::Command;
use super::rows::{error_json, pending_json};
use super::setup::{bytes_a_day, open, setup};
use super::table::{Cell, Column, Look, bar};
use super::text::{clean, count, size};
use super::{exit, watch};
use crate::error::Result;
use crate::mail::Mail;
use crate::sync::{Counts, Progress, SyncOptions, SyncReport};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(super) async fn run(command: &Command) -> Result<u8> {
    command.args.apart("dry-run", "follow")?;
    command.args.apart("store", "account")?;
    let setup = setup(&command.args)?;
    let mail = open(setup).await?;
    if command.args.is("follow") {
        let ended = watch::follow(command, &mail, None).await;
        mail.close().await?;
        return ended.map(|()| exit::DONE);
    }
    let mut options = options(command)?;
    options.dry_run = command.args.is("dry-run");
    let report = mail.sync(options).await?;
    command.screen.clear();
    let exit = show(command, &mail, &report)?;
    mail.close().await?;
    Ok(exit)
}

/// Settings of a pass of the account that is meant; its progress is drawn.
pub(super) fn options(command: &Command) -> Result<SyncOptions> {
    let mut options = SyncOptions { bytes_a_day: bytes_a_day(&command.args)?, ..SyncOptions::default() };
    let screen = command.screen.clone();
    options.on_progress = Some(Arc::new(move |progress| screen.draw(&drawn(progress, screen.width))));
    Ok(options)
}

/// The line of a progress.
fn drawn(progress: &Progress, width: usize) -> String {
    let Progress { phase, mailbox, done, total, bytes, rate, remaining } = progress;
    let mut text = format!("{phase} {done}/{total}  {}", size(*bytes));
    if let Some(rate) = rate {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rate = size(rate.max(0.0) as u64);
        text += &format!("  {rate}/s");
    }
    if let Some(remaining) = remaining.filter(|time| time.as_secs() > 0) {
        text += &format!("  {}:{:02} left", remaining.as_secs() / 60, remaining.as_secs() % 60);
    }
    bar(*done, *total, &format!("{text}  {}", clean(mailbox)), width)
}

/// Shows a report; the exit code that it deserves.
fn show(command: &Command, mail: &Mail, report: &SyncReport) -> Result<u8> {
    let is_partial = !(report.problems.is_empty() && report.paused.is_empty() && report.stuck.is_empty());
    if command.screen.json {
        command.screen.value(&report_json(report, command.args.is("dry-run")))?;
    } else {
        print(command, mail, report)?;
    }
    Ok(if is_partial { exit::PARTIAL } else { exit::DONE })
}

const COLUMNS: &[Column] = &[
    Column { title: "mailbox", to_the_right: false, most: None, gives: true },
    Column { title: "new", to_the_right: true, most: None, gives: false },
    Column { title: "gone", to_the_right: true, most: None, gives: false },
    Column { title: "flags", to_the_right: true, most: None, gives: false },
    Column { title: "sent", to_the_right: true, most: None, gives: false },
    Column { title: "bodies", to_the_right: true, most: None, gives: false },
    Column { title: "bytes", to_the_right: true, most: None, gives: false },
];

fn print(command: &Command, mail: &Mail, report: &SyncReport) -> Result<()> {
    let screen = &command.screen;
    let rows: Vec<_> = report.mailboxes.iter().filter(|(_, counts)| is_something(counts)).map(row).collect();
    screen.table(COLUMNS, &rows)?;
    let would = if command.args.is("dry-run") { "would be " } else { "" };
    let total = &report.total;
    let moved = [
        (total.added, "new message"),
        (total.removed, "removed message"),
        (total.flags, "change of flags"),
        (total.applied, "change sent"),
    ];
    let moved: Vec<_> =
        moved.iter().filter(|(number, _)| *number > 0).map(|(number, noun)| numbered(*number, noun)).collect();
    let summary = if moved.is_empty() { "nothing to do".to_owned() } else { format!("{would}{}", moved.join(", ")) };
    screen.styled(Look::Green, &format!("{}: {summary}", clean(mail.label())))?;
    for paused in &report.paused {
        screen.styled(
            Look::Yellow,
            &format!("{} is paused: {}. {}", clean(&paused.mailbox), clean(&paused.reason), paused.advice),
        )?;
    }
    for stuck in &report.stuck {
        screen.styled(Look::Yellow, &stuck_line(stuck))?;
    }
    report.problems.iter().try_for_each(|problem| screen.styled(Look::Red, &clean(&problem.to_string())))
}

/// A stuck change as a sentence.
pub(super) fn stuck_line(stuck: &crate::journal::Pending) -> String {
    let (id, kind) = (stuck.entry.id, stuck.entry.intent.kind());
    let (why, advice) = (stuck.why().unwrap_or_default(), stuck.advice().unwrap_or_default());
    let server = stuck.server().map(|text| format!(" ({})", clean(text))).unwrap_or_default();
    format!("Change {id} ({kind}) is stuck: {}{server}. {}", clean(&why), clean(&advice))
}

fn numbered(number: u64, noun: &str) -> String {
    match noun {
        "change of flags" if number != 1 => format!("{number} changes of flags"),
        "change sent" if number != 1 => format!("{number} changes sent"),
        noun => count(number, noun),
    }
}

fn is_something(counts: &Counts) -> bool {
    let Counts { added, removed, flags, applied, bodies, parked, .. } = counts;
    [added, removed, flags, applied, bodies, parked].iter().any(|number| **number > 0)
}

fn row((name, counts): (&String, &Counts)) -> Vec<Cell> {
    let number = |number: u64| Cell::from(if number == 0 { String::new() } else { number.to_string() });
    vec![
        clean(name).into(),
        number(counts.added),
        number(counts.removed),
        number(counts.flags),
        number(counts.applied),
        number(counts.bodies),
        Cell::new(if counts.bytes == 0 { String::new() } else { size(counts.bytes) }, Look::Dim),
    ]
}

fn report_json(report: &SyncReport, is_dry: bool) -> Value {
    let mailboxes: Map<_, _> =
        report.mailboxes.iter().map(|(name, counts)| (name.clone(), counts_json(counts))).collect();
    let paused = report.paused.iter();
    let paused = paused.map(|p| json!({ "mailbox": p.mailbox, "reason": p.reason, "advice": p.advice }));
    json!({
        "dry_run": is_dry, "total": counts_json(&report.total), "mailboxes": mailboxes,
        "paused": paused.collect::<Vec<_>>(),
        "stuck": report.stuck.iter().map(pending_json).collect::<Vec<_>>(),
        "problems": report.problems.iter().map(error_json).collect::<Vec<_>>(),
    })
}

fn counts_json(counts: &Counts) -> Value {
    json!({
        "added": counts.added, "removed": counts.removed, "flags": counts.flags, "applied": counts.applied,
        "superseded": counts.superseded, "parked": counts.parked, "bodies": counts.bodies, "bytes": counts.bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn progress_is_one_line_with_what_is_known() {
        let progress = Progress {
            phase: "headers",
            mailbox: "Lists/\u{1b}moth".to_owned(),
            done: 50,
            total: 100,
            bytes: 1_500_000,
            rate: Some(2e6),
            remaining: Some(Duration::from_secs(65)),
        };
        assert_eq!(
            drawn(&progress, 80),
            "██████████░░░░░░░░░░ headers 50/100  1.5 MB  2.0 MB/s  1:05 left  Lists/moth"
        );
        let unknown = Progress { rate: None, remaining: None, mailbox: String::new(), ..progress };
        assert_eq!(drawn(&unknown, 40).trim_end(), "█████░░░░░ headers 50/100  1.5 MB");
    }
}
