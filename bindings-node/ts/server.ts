/** A store for other mail clients: an IMAP server in this process. */

import { bridge, request } from "./bridge.js";
import { nativeOf, pathOf, type Mail } from "./mail.js";
import { native, type NativeServe, type NativeServer } from "./native.js";
import { checkOptions, count, given, type CallOptions } from "./options.js";

const SERVE = ["signal", "user", "password", "address", "tls", "appendLimit"] as const;

export interface ServerOptions extends CallOptions {
  /** Who may log in; those who were set up before unless given. */
  user?: string | null;
  /** And with which password; another one each time unless given: {@link Server.password} has it. */
  password?: string | null;
  /** An IP address and a port, 0 for any free one; `127.0.0.1:0` unless given. Beyond this machine it takes `tls` and a user. */
  address?: string | null;
  /** `true` for a self-signed certificate beside the store, or files in PEM. */
  tls?: boolean | { readonly certificate: string | URL; readonly key: string | URL } | null;
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
export class Server {
  readonly #native: NativeServer;

  private constructor(native: NativeServer) {
    this.#native = native;
  }

  /**
   * Starts a server. A path is the mail in that file, made where there is none: a mailbox of its own, with an inbox and the
   * usual mailboxes. A {@link Mail} makes it a gateway: clients read and change that mailbox also while its account's
   * server is away, and what they do arrives there with the next `sync`; what is not held is fetched, and refused while
   * that cannot be done. The `Mail` stays yours to close.
   */
  static async start(store: string | URL | Mail, options?: ServerOptions): Promise<Server> {
    const { signal, user, password, address, tls, appendLimit } = checkOptions(options, SERVE);
    const files = typeof tls === "object" && tls !== null ? checkOptions(tls, ["certificate", "key"]) : null;
    const asked = given<NativeServe>({
      address: address ?? "127.0.0.1:0",
      user,
      password,
      tls: Boolean(tls),
      certificate: files && pathOf(files.certificate),
      key: files && pathOf(files.key),
      appendLimit: count("appendLimit", appendLimit),
    });
    const mail = nativeOf(store);
    const path = mail === null ? pathOf(store as string | URL) : "";
    const start = (id: number): void => (mail === null ? native.serve(bridge(), id, path, asked) : mail.serve(id, asked));
    return new Server(await request<NativeServer>(signal, start));
  }

  /** What a client on this machine connects to: `imap://ada@127.0.0.1:1143`, and `imaps://` with TLS. */
  get url(): string {
    return this.#native.url;
  }

  get host(): string {
    return this.#native.host;
  }

  get port(): number {
    return this.#native.port;
  }

  get user(): string | null {
    return this.#native.user;
  }

  /** The password of that user, given or made. */
  get password(): string | null {
    return this.#native.password;
  }

  /** The certificate in PEM, for `net: { ca }`; `null` without TLS. */
  get certificate(): string | null {
    return this.#native.certificate;
  }

  /** Stops listening and ends all connections. What was acknowledged is kept; closing twice is fine. */
  async close(): Promise<void> {
    await request(null, (id) => this.#native.close(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
