// The package, with a `connect` that leads imap.example.org to the private server.

import * as mailtide from "mailtide";

export * from "mailtide";

export const ask = () => process.env.MAILTIDE_PASSWORD;

export function connect(url, options) {
  const here = url.replace("imaps://ada@imap.example.org", process.env.MAILTIDE_URL);
  return mailtide.connect(here, { net: { ca: process.env.MAILTIDE_CA }, ...options });
}
