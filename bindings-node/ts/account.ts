/** Where a person's mail is and how to log in. */

import { listen } from "./bridge.js";
import { usage } from "./errors.js";
import type { NativeAccount, NativeNet } from "./native.js";
import { checkOptions, given } from "./options.js";

/** Who is asked for, and why. */
export interface TokenRequest {
  readonly user: string;
  readonly host: string;
  /** There is none yet; its time is over; the server refused it. */
  readonly reason: "first" | "expired" | "rejected";
  /** The token that will not do any more. */
  readonly previous: string | null;
}

/** An OAuth access token. */
export interface Token {
  readonly token: string;
  /** When it ends. */
  readonly expiresAt?: Date | null;
}

/** How a server is reached, and whom we trust to be it. */
export interface Net {
  /** `socks5://` or `http://`, with user and password where it wants them. */
  proxy?: string | null;
  /** Certificate authorities to trust instead of the system's: PEM, the path of a PEM file, or `bundled`. */
  ca?: string | null;
  /** What we show to a server that asks for a certificate: both in PEM. */
  clientCert?: { cert: string; key: string } | null;
  /** The name that the server's certificate must carry, where it is not the host's. */
  serverName?: string | null;
}

/** Bounds on what a server may cost. Sizes in bytes, times in milliseconds. */
export interface Limits {
  line?: number;
  literal?: number;
  body?: number;
  depth?: number;
  items?: number;
  response?: number;
  literals?: number;
  mailboxes?: number;
  connect?: number;
  greeting?: number;
  progress?: number;
  slowProgress?: number;
}

/** How to log in. */
export interface Login {
  /** The password, or who is asked for it. */
  password?: string | (() => string | Promise<string>) | null;
  /** Who is asked for an OAuth token, and for a newer one when it expires. */
  token?: ((request: TokenRequest) => string | Token | Promise<string | Token>) | null;
  /** The mechanism to log in with, such as `SCRAM-SHA-256`, and no other; the strongest that is offered unless given. */
  mechanism?: string | null;
  net?: Net | null;
  limits?: Limits | null;
  /** Open mailboxes read-only, and refuse every write. */
  readOnly?: boolean | null;
  /** Whether mail and passwords may cross a network unencrypted. */
  allowCleartext?: boolean | null;
}

/** An account: where it is, and how to log in. */
export interface Account extends Login {
  /** `imaps://user@host`, `imap+starttls://user@host`, or `imap://user@host` on this machine. */
  url: string;
}

/** @internal */
export const LOGIN = ["password", "token", "mechanism", "net", "limits", "readOnly", "allowCleartext"] as const;
/** @internal */
export const ACCOUNT = ["url", ...LOGIN] as const;

/** Registers the callbacks: to be called when the account is handed over. @internal */
export function nativeAccount(account: Account): NativeAccount {
  const { url, password, token, mechanism, net, limits, readOnly, allowCleartext } = account;
  if (typeof url !== "string") throw usage("usage.address", "An account is a URL, or an object with one");
  if (password && token) throw usage("usage.argument", "Give a password or a token, not both");
  return given<NativeAccount>({
    url,
    ...secret(password),
    tokenCallback: token && listen(async (request: TokenRequest) => checkToken(await token(request))),
    mechanism,
    net: net && nativeNet(net),
    limits: limits && { ...limits },
    readOnly,
    allowCleartext,
  });
}

function secret(password: Login["password"]): { password?: string; passwordCallback?: number } {
  if (password === undefined || password === null) return {};
  if (typeof password === "string") return { password };
  if (typeof password !== "function") throw usage("usage.argument", "A password is a string or a function");
  return { passwordCallback: listen(async () => checkPassword(await password())) };
}

function nativeNet(net: Net): NativeNet {
  const { proxy, ca, clientCert, serverName } = checkOptions(net, ["proxy", "ca", "clientCert", "serverName"]);
  return given<NativeNet>({ proxy, ca, clientCert: clientCert?.cert, clientKey: clientCert?.key, serverName });
}

function checkPassword(password: unknown): string {
  if (typeof password === "string") return password;
  throw new TypeError("the password function gave no string");
}

function checkToken(answer: unknown): { token: string; expiresAt: number | null } {
  if (typeof answer === "string") return { token: answer, expiresAt: null };
  const { token, expiresAt } = (answer ?? {}) as Partial<Token>;
  if (typeof token !== "string") throw new TypeError("the token function gave neither a string nor { token, expiresAt }");
  return { token, expiresAt: expiresAt ? expiresAt.getTime() : null };
}
