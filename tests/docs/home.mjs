// The package, with `connect` and `open` leading imap.example.org to the private server.

import * as mailtide from "mailtide";

export * from "mailtide";

export const ask = () => process.env.MAILTIDE_PASSWORD;

const here = (url) => url.replace("imaps://ada@imap.example.org", process.env.MAILTIDE_URL);
const net = { ca: process.env.MAILTIDE_CA };

export function connect(url, options) {
  return mailtide.connect(here(url), { net, ...options });
}

export function open(path, { account, ...options } = {}) {
  return mailtide.open(path, account ? { account: here(account), net, ...options } : options);
}
