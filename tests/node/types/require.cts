// Compiled, not run: the same types for require.

import mailtide = require("mailtide");

export async function count(url: string): Promise<number> {
  const session: mailtide.Session = await mailtide.connect(url, { password: () => "secret" });
  try {
    return await session.mailbox(mailtide.Role.INBOX).count("is:unread");
  } finally {
    await session.close();
  }
}
