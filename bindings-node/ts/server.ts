/** A store for other mail clients: an IMAP server in this process. */

import { bridge, listen, request } from "./bridge.js";
import { usage } from "./errors.js";
import { nativeOf, pathOf, type Mail } from "./mail.js";
import { native, type NativeServe, type NativeServer } from "./native.js";
import { checkOptions, count, given, type CallOptions } from "./options.js";
import { Running } from "./running.js";

const SERVE = ["signal", "user", "password", "users", "address", "tls", "starttls", "tokens", "appendLimit"] as const;

export interface ServerOptions extends CallOptions {
  /** Who may log in; those who were set up before may as well. */
  user?: string | null;
  /** And with which password; another one each time unless given: {@link Server.password} has it. */
  password?: string | null;
  /** Further ones: passwords by name. */
  users?: Readonly<Record<string, string>> | null;
  /** An IP address and a port, 0 for any free one; `127.0.0.1:0` unless given. Beyond this machine it takes `tls` and a user. */
  address?: string | null;
  /** `true` for a self-signed certificate beside the store, or files in PEM. */
  tls?: boolean | { readonly certificate: string | URL; readonly key: string | URL } | null;
  /** With `tls`: a client begins in clear, and can only log in after STARTTLS. */
  starttls?: boolean | null;
  /**
   * Says whether an OAuth token lets a user in, by `true` alone; with it OAUTHBEARER and XOAUTH2 are offered. Where it
   * throws, the client is told to try later.
   */
  tokens?: ((user: string, token: string) => boolean | Promise<boolean>) | null;
  /** Largest message that clients may add, in bytes. */
  appendLimit?: number | null;
}

/**
 * Serves a store over IMAP to any mail client, in this process, until it is closed.
 *
 * ```js
 * const server = await Server.start("ada.mail", { user: "ada" });
 * console.log(server.url, server.password);
 * ```
 */
export class Server extends Running {
  /**
   * Starts a server. A path is the mail in that file, made where there is none: a mailbox of its own, with an inbox and the
   * usual mailboxes. A {@link Mail} makes it a gateway: clients read and change that mailbox also while its account's
   * server is away, and what they do arrives there with the next `sync`; what is not held is fetched, and refused while
   * that cannot be done. The `Mail` stays yours to close.
   */
  static async start(store: string | URL | Mail, options?: ServerOptions): Promise<Server> {
    const known = checkOptions(options, SERVE);
    const mail = nativeOf(store);
    const path = mail === null ? pathOf(store as string | URL) : "";
    const start = (id: number): void => {
      const asked = nativeServe(known);
      if (mail === null) native.serve(bridge(), id, path, asked);
      else mail.serve(id, asked);
    };
    return new Server(await request<NativeServer>(known.signal, start));
  }
}

/** Registers the callback: to be called when the options are handed over. */
function nativeServe({ user, password, users, address, tls, starttls, tokens, appendLimit }: ServerOptions): NativeServe {
  const files = typeof tls === "object" && tls !== null ? checkOptions(tls, ["certificate", "key"]) : null;
  const further = Object.entries(users ?? {}).flat();
  if (!further.every((text) => typeof text === "string")) throw usage("usage.argument", "users are passwords by name");
  if (tokens && typeof tokens !== "function") throw usage("usage.argument", "tokens is a function");
  const [certificate, key] = files ? [pathOf(files.certificate), pathOf(files.key)] : [null, null];
  const limit = count("appendLimit", appendLimit);
  const check = tokens && listen(async ({ user, token }: { user: string; token: string }) => checkVerdict(await tokens(user, token)));
  return given<NativeServe>({
    address: address ?? "127.0.0.1:0",
    user,
    password,
    users: further,
    tls: Boolean(tls),
    certificate,
    key,
    starttls: Boolean(starttls),
    tokenCallback: check,
    appendLimit: limit,
  });
}

function checkVerdict(verdict: unknown): boolean {
  if (typeof verdict === "boolean") return verdict;
  throw new TypeError("the tokens function gave no boolean");
}
