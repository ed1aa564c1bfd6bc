// A small scripted IMAP server on loopback: each command is answered by a function of the test.

import net from "node:net";

const CAPABILITIES = "IMAP4rev1 LITERAL+ UIDPLUS MOVE UNSELECT ENABLE IDLE ESEARCH";

const ROW =
  'FLAGS () INTERNALDATE "01-Feb-2024 12:00:00 +0000" RFC822.SIZE 100 ENVELOPE (NIL "Moth" NIL NIL NIL NIL NIL NIL NIL NIL) ' +
  'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 10 1)';

/**
 * Starts it. `answer(command, connection)` gives the lines before and with the tagged one, in which `TAG` stands for
 * the tag; or nothing for the usual answer; or `null` for silence.
 *
 * @returns its port, the commands seen so far, and `stop()`
 */
export async function startScript(answer = () => undefined, capabilities = CAPABILITIES) {
  const commands = [];
  const sockets = new Set();
  const waiting = [];
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    socket.write(`* OK [CAPABILITY ${capabilities}] ready\r\n`);
    let text = "";
    socket.setEncoding("latin1").on("data", (data) => {
      text += data;
      for (let end; (end = text.indexOf("\r\n")) >= 0; text = text.slice(end + 2)) take(text.slice(0, end), socket);
    });
  });
  function take(line, socket) {
    const [first, ...words] = line.split(" ");
    // DONE has no tag: it ends the IDLE before it.
    const command = words.join(" ") || line;
    const tag = command === "DONE" ? socket.idle : first;
    if (command === "IDLE") socket.idle = tag;
    commands.push(command);
    for (const check of waiting.splice(0)) check();
    const scripted = answer(command, socket);
    const lines = scripted === undefined ? usual(command, capabilities) : scripted;
    if (lines !== null) socket.write(lines.map((l) => `${l.replace(/^TAG\b|(?<=\(TAG ")TAG(?=")/, tag)}\r\n`).join(""));
  }
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    port,
    commands,
    url: `imap://ada@127.0.0.1:${port}`,
    login: { password: "Moth-in-relay-70" },
    /** Waits until a command that fits has been seen. */
    async seen(pattern) {
      while (!commands.some((command) => pattern.test(command))) await new Promise((resolve) => waiting.push(resolve));
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function usual(command, capabilities) {
  const word = command.replace(/^UID /, "").split(" ")[0].toUpperCase();
  switch (word) {
    case "CAPABILITY":
      return [`* CAPABILITY ${capabilities}`, "TAG OK done"];
    case "SELECT":
    case "EXAMINE":
      return [
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
        "* 3 EXISTS",
        "* OK [UIDVALIDITY 7] ok",
        "* OK [UIDNEXT 4] ok",
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] ok",
        `TAG OK [${word === "EXAMINE" ? "READ-ONLY" : "READ-WRITE"}] open`,
      ];
    case "LIST":
      return ['* LIST (\\HasNoChildren) "/" INBOX', '* LIST (\\HasNoChildren \\Trash) "/" Trash', "TAG OK done"];
    case "LOGOUT":
      return ["* BYE see you", "TAG OK done"];
    case "SEARCH":
      return [/RETURN/.test(command) ? '* ESEARCH (TAG "TAG") UID ALL 1:3' : "* SEARCH 1 2 3", "TAG OK done"];
    case "FETCH":
      return [1, 2, 3].map((n) => `* ${n} FETCH (UID ${n} ${ROW})`).concat("TAG OK done");
    case "IDLE":
      return ["+ idling"];
    case "LOGIN":
      return [`TAG OK [CAPABILITY ${capabilities}] in`];
    default:
      return ["TAG OK done"];
  }
}
