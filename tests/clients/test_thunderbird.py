#!/usr/bin/env python3
"""Thunderbird on a display of its own: lists, reads, flags, moves, deletes, writes a draft, sees a new message.

It is driven through Marionette, by the commands of its own window, and a picture of it is left in target/clients. Takes
half a minute, so only `make clients` runs it.
"""

import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from clients.marionette import Marionette
from clients.program import HOME, Programs
from servers.private import PASSWORD, free_ports, wait_for

PREFERENCES = {
    "mail.accountmanager.accounts": "account1",
    "mail.accountmanager.defaultaccount": "account1",
    "mail.account.account1.server": "server1",
    "mail.account.account1.identities": "id1",
    "mail.identity.id1.fullName": "Ada",
    "mail.identity.id1.useremail": "ada@example.org",
    "mail.identity.id1.valid": True,
    "mail.identity.id1.draft_folder": "imap://ada@127.0.0.1/Drafts",
    "mail.server.server1.type": "imap",
    "mail.server.server1.hostname": "127.0.0.1",
    "mail.server.server1.userName": "ada",
    "mail.server.server1.name": "ada",
    "mail.server.server1.socketType": 0,
    "mail.server.server1.authMethod": 3,
    "mail.server.server1.login_at_startup": False,
    "mail.server.server1.delete_model": 1,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.spotlight.firstRunDone": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mailnews.start_page.enabled": False,
    "mailnews.start_page_override.mstone": "ignore",
    "mail.showCondensedAddresses": True,
    "mail.mdn.report.enabled": False,
    "app.update.enabled": False,
    "app.donation.eoy.version.viewed": 999,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "extensions.update.enabled": False,
    "network.dns.disableIPv6": True,
    "mail.inappnotifications.enabled": False,
}

#: What the scripts share.
COMMON = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const main = Services.wm.getMostRecentWindow("mail:3pane");
const pane = main.document.getElementById("tabmail").currentAbout3Pane;
const server = MailServices.accounts.accounts[0].incomingServer;
const folder = name => server.rootFolder.getChildNamed(name);
const inbox = () => server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
const until = async condition => {
  for (let left = 300; left > 0; left--) {
    const value = condition();
    if (value) return value;
    await new Promise(done => main.setTimeout(done, 100));
  }
  throw new Error(`never: ${condition}; folders: ${server.type} ${server.rootFolder.subFolders.map(f => f.name)}`);
};
const select = async subject => {
  const at = await until(() => {
    for (let row = 0; row < pane.gDBView.rowCount; row++) {
      if (pane.gDBView.getMsgHdrAt(row).subject == subject) return row + 1;
    }
  });
  pane.threadTree.selectedIndex = at - 1;
};
"""


class Thunderbird(Programs):
    def setUp(self) -> None:
        super().setUp()
        if not os.environ.get("MAILTIDE_CLIENTS"):
            self.skipTest("only in make clients")
        for program in ("thunderbird", "Xvfb", "import"):
            self.need(program)
        self.display()
        marionette, = free_ports(1)
        profile = self.folder / "profile"
        profile.mkdir()
        preferences = PREFERENCES | {"mail.server.server1.port": self.server.port, "marionette.port": marionette}
        lines = [f"user_pref({quoted(name)}, {quoted(value)});" for name, value in preferences.items()]
        (profile / "user.js").write_text("\n".join(lines))
        self.start("thunderbird", "--marionette", "--remote-allow-system-access", "--profile", str(profile), "--no-remote")
        self.bird = Marionette(marionette)
        self.addCleanup(self.bird.close)
        # Also where it went wrong.
        self.addCleanup(self.picture)

    def display(self) -> None:
        reads, writes = os.pipe()
        self.start("Xvfb", "-displayfd", str(writes), "-screen", "0", "1280x800x24", "-nolisten", "tcp", keep=writes)
        os.close(writes)
        with os.fdopen(reads) as file:
            self.screen = f":{file.readline().strip()}"

    def start(self, *command: str, keep: int | None = None) -> None:
        env = os.environ | {"HOME": str(self.folder), "DISPLAY": getattr(self, "screen", "")}
        with (self.folder / "log").open("ab") as log:
            files = () if keep is None else (keep,)
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log, pass_fds=files, cwd=self.folder)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)

    def picture(self) -> None:
        HOME.mkdir(parents=True, exist_ok=True)
        self.run_program("import", "-display", self.screen, "-window", "root", HOME / "thunderbird.png")

    def do(self, script: str, *arguments: object) -> object:
        return self.bird.run(COMMON + script, *arguments)

    def test_a_morning_with_thunderbird(self) -> None:
        for name in ("one", "two", "three", "four"):
            self.add(name)
        self.do(LOG_IN, PASSWORD)
        names = self.do("""
            await until(() => pane.gDBView?.rowCount == 4);
            return Array.from({ length: 4 }, (_, row) => pane.gDBView.getMsgHdrAt(row).subject);
        """)
        self.assertEqual(sorted(map(str, names)), ["four", "one", "three", "two"])  # type: ignore[call-overload]
        text = self.do("""
            await select("one");
            const message = pane.messageBrowser.contentWindow;
            return await until(() => message.getMessagePaneBrowser()?.contentDocument?.body?.textContent.trim());
        """)
        self.assertIn("about one", str(text))
        self.do('await select("one"); main.goDoCommand("cmd_markAsFlagged");')
        self.becomes({"one": "\\Flagged \\Seen", "two": "", "three": "", "four": ""})
        self.do('await select("two"); pane.commandController.doCommand("cmd_moveMessage", folder("Archive"));')
        self.do('await until(() => pane.gDBView.rowCount == 3); await select("three"); main.goDoCommand("cmd_delete");')
        wait_for(lambda: set(self.rows()) == {"one", "four"}, 60)
        self.assertEqual(set(self.rows()), {"one", "four"})
        self.assertEqual((list(self.rows("Archive")), list(self.rows("Trash"))), (["two"], ["three"]))
        self.do(DRAFT)
        wait_for(lambda: list(self.rows("Drafts")) == ["draft"], 60)
        self.assertEqual(list(self.rows("Drafts")), ["draft"])
        self.add("five")
        self.do('await until(() => pane.gDBView.rowCount == 3); await select("five");')
        self.do("await new Promise(done => main.setTimeout(done, 1500));")


LOG_IN = """
const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
login.init("imap://127.0.0.1", null, "imap://127.0.0.1", "ada", args[0], "", "");
await Services.logins.addLoginAsync(login);
pane.displayFolder(inbox().URI);
inbox().getNewMessages(main.msgWindow, null);
await until(() => inbox().getTotalMessages(false) == 4);
server.performExpand(main.msgWindow);
await until(() => folder("Archive") && folder("Drafts"));
"""

DRAFT = """
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
Object.assign(fields, { to: "bob@example.org", subject: "draft", body: "about the draft" });
const params = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
Object.assign(params, {
  type: Ci.nsIMsgCompType.New, format: Ci.nsIMsgCompFormat.PlainText,
  identity: MailServices.accounts.defaultAccount.defaultIdentity, composeFields: fields,
});
MailServices.compose.OpenComposeWindowWithParams(null, params);
const writing = await until(() => Services.wm.getMostRecentWindow("msgcompose"));
await until(() => writing.gMsgCompose?.editor && writing.ComposeStartup && writing.document.readyState == "complete" && !writing.gWindowLocked);
await new Promise(done => main.setTimeout(done, 1500));
await writing.SaveAsDraft();
await until(() => !writing.gSaveOperationInProgress);
writing.close();
"""


def quoted(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else f'"{value}"'


if __name__ == "__main__":
    unittest.main()
