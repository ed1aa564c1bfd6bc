// A network that can be taken away: passes connections on to a port of this machine, or refuses them.

import net from "node:net";

/** Starts it towards `target`; its own port stays the same over `down()` and `up()`. */
export async function startProxy(target) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    const onward = net.connect(target, "127.0.0.1");
    for (const [one, other] of [[socket, onward], [onward, socket]]) {
      sockets.add(one);
      one.on("error", () => {}).on("close", () => (sockets.delete(one), other.destroy()));
      one.pipe(other);
    }
    for (const wake of connected.splice(0)) wake();
  });
  const connected = [];
  await listen(server, 0);
  const { port } = server.address();
  return {
    port,
    /** Waits until somebody connects. */
    connection: () => new Promise((resolve) => connected.push(resolve)),
    async up() {
      await listen(server, port);
    },
    async down() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function listen(server, port) {
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
}
