// Compiled, not run: the same types for require.

import mailtide = require("mailtide");
import testing = require("mailtide/testing");

export async function count(url: string): Promise<number> {
  const session: mailtide.Session = await mailtide.connect(url, { password: () => "secret" });
  try {
    return await session.mailbox(mailtide.Role.INBOX).count("is:unread");
  } finally {
    await session.close();
  }
}

export async function served(): Promise<number> {
  const server: testing.Server = await testing.Server.start();
  await server.close();
  return server.port;
}
