/** The addon: handles whose calls end through the bridge. Nothing outside this package may rely on it. @internal */

/** A call that does not wait here: it ends through the bridge, under the id given. */
type Started = void;

export interface NativeBridge {
  take(): (number | string | Uint8Array | object | null)[];
  cancel(id: number): void;
  answer(ask: number, ok: boolean, value: string): void;
  hold(on: boolean): void;
}

/** One of the three is given. */
export interface NativeTarget {
  name?: string;
  path?: string[];
  role?: string;
}

export interface NativeRefs {
  account: string;
  mailbox: string;
  uidValidity: number;
  uids: Uint32Array;
}

/** Opaque: which messages a call is about. */
export interface NativeSelection {
  readonly selection: unique symbol;
}

export interface NativeSelections {
  all(): NativeSelection;
  uids(set: string): NativeSelection;
  uidList(uids: Uint32Array): NativeSelection;
  refs(refs: NativeRefs[]): NativeSelection;
  query(query: NativeQuery): NativeSelection;
}

export interface NativeQuery {
  and(other: NativeQuery): NativeQuery;
  or(other: NativeQuery): NativeQuery;
  not(): NativeQuery;
  toString(): string;
}

export interface NativeQueries {
  parse(text: string): NativeQuery;
  template(parts: string[], values: string[]): NativeQuery;
  term(key: string, value: string): NativeQuery;
  header(name: string, value: string | null): NativeQuery;
  raw(search: string): NativeQuery;
}

export interface NativeNet {
  proxy?: string;
  ca?: string;
  clientCert?: string;
  clientKey?: string;
  serverName?: string;
}

export interface NativeAccount {
  url: string;
  password?: string;
  passwordCallback?: number;
  tokenCallback?: number;
  mechanism?: string;
  net?: NativeNet;
  limits?: Record<string, number>;
  readOnly?: boolean;
  allowCleartext?: boolean;
}

export interface NativeEngineOptions {
  maxConnections?: number;
  loginsPerSecond?: number;
  logger?: number;
  onStats?: number;
}

export interface NativeEngine {
  connect(id: number, account: NativeAccount): Started;
  open(id: number, path: string, options: NativeOpen): Started;
  close(id: number, timeoutMs: number): Started;
  stats(): string;
}

/** What a session and a store have alike. */
export interface NativeMailboxes {
  readonly closed: boolean;
  mailbox(target: NativeTarget): NativeMailbox;
  mailboxes(id: number, options: { pattern?: string; subscribed?: boolean; status?: boolean }): Started;
  createMailbox(id: number, target: NativeTarget, options: { role?: string; existOk?: boolean }): Started;
  renameMailbox(id: number, from: NativeTarget, to: NativeTarget): Started;
  deleteMailbox(id: number, target: NativeTarget, evenIfNotEmpty: boolean): Started;
  subscribe(id: number, target: NativeTarget, on: boolean): Started;
  status(id: number, target: NativeTarget): Started;
  close(id: number): Started;
}

export interface NativeSession {
  readonly account: string;
  common(): NativeMailboxes;
  namespaces(id: number): Started;
  id(id: number, fields: [string, string | null][]): Started;
  capabilities(id: number): Started;
  noop(id: number): Started;
  raw(id: number, command: string): Started;
}

export interface NativeKeep {
  what?: string;
  days?: number;
  largest?: number;
}

export interface NativeOpen {
  account?: NativeAccount;
  smtp?: string;
  sender?: NativeAddress;
  keep?: NativeKeep;
}

export interface NativeSync {
  dryRun: boolean;
  bytesADay?: number;
  progress?: number;
}

export interface NativeFollow {
  sync: NativeSync;
  everySeconds?: number;
}

export interface NativeTidy {
  contents?: number;
  feed?: number;
  tombstones?: number;
  journal?: number;
}

export interface NativeAddress {
  text?: string;
  name?: string;
  email?: string;
}

export interface NativeAttach {
  content?: Uint8Array;
  path?: string;
  filename?: string;
  mediaType?: string;
  contentId?: string;
}

export interface NativeDraft {
  from: NativeAddress[];
  to: NativeAddress[];
  cc: NativeAddress[];
  bcc: NativeAddress[];
  replyTo: NativeAddress[];
  subject: string;
  text?: string;
  html?: string;
  attach: NativeAttach[];
  inReplyTo?: string;
  references: string[];
  headers: [string, string][];
}

export interface NativeSend {
  atSeconds?: number;
  key?: string;
  noCopy: boolean;
  onDoubt?: string;
}

export interface NativeMail {
  readonly account: string | null;
  common(): NativeMailboxes;
  sync(id: number, options: NativeSync): Started;
  keepInSync(id: number, options: NativeFollow): Started;
  changes(since: string): NativeWatch;
  cursor(id: number): Started;
  search(id: number, query: NativeSelection, options: NativeFind): Started;
  pending(id: number): Started;
  retry(id: number, change: number): Started;
  drop(id: number, change: number): Started;
  deleted(id: number, limit: number | null): Started;
  restore(id: number, message: number, target: NativeTarget): Started;
  paused(id: number): Started;
  confirm(id: number, target: NativeTarget): Started;
  send(id: number, draft: NativeDraft, options: NativeSend): Started;
  outbox(id: number): Started;
  outgoing(id: number, message: number): Started;
  cancel(id: number, message: number): Started;
  decide(id: number, message: number, decision: string): Started;
  sendDue(id: number): Started;
  keep(id: number, target: NativeTarget | null): Started;
  setKeep(id: number, keep: NativeKeep | null, target: NativeTarget | null): Started;
  usage(id: number): Started;
  evict(id: number, bytes: number): Started;
  tidy(id: number, options: NativeTidy): Started;
  backup(id: number, path: string): Started;
  check(id: number): Started;
  serve(id: number, options: NativeServe): Started;
  export(id: number, path: string, query: NativeSelection, options: NativeExport): Started;
  import(id: number, path: string, options: NativeImport): Started;
}

export interface NativeFind {
  mailbox?: NativeTarget;
  order?: string;
  limit?: number;
  snippets: boolean;
  timeZone?: string;
}

export interface NativeExport {
  format?: string;
  mailbox?: NativeTarget;
  timeZone?: string;
  progress?: number;
}

export interface NativeImport {
  to?: NativeTarget;
  quoting?: string;
  progress?: number;
}

export interface NativeServe {
  address: string;
  user?: string;
  password?: string;
  /** Further ones: name and password in turn. */
  users: string[];
  tls: boolean;
  certificate?: string;
  key?: string;
  starttls: boolean;
  tokenCallback?: number;
  appendLimit?: number;
}

export interface NativeServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
  readonly certificate: string | null;
  users(id: number): Started;
  setUser(id: number, name: string, password: string): Started;
  disableUser(id: number, name: string, disabled: boolean): Started;
  removeUser(id: number, name: string): Started;
  appPasswords(id: number, user: string): Started;
  addAppPassword(id: number, user: string, label: string): Started;
  revokeAppPassword(id: number, user: string, label: string): Started;
  close(id: number): Started;
}

/** One of the two is given. */
export interface NativeLetter {
  raw?: Uint8Array;
  draft?: NativeDraft;
}

export interface NativeTest {
  mail: { mailbox: string; letters: NativeLetter[] }[];
  without: string[];
  quirks: string[];
  user?: string;
  password?: string;
}

export interface NativeFault {
  kind: string;
  command?: string;
  nth?: number;
  after?: number;
  text: string;
  /** Milliseconds. */
  delay: number;
  data?: Uint8Array;
}

export interface NativeTestServer {
  server(): NativeServer;
  readonly commands: string[];
  mail(): NativeMail;
  deliver(id: number, target: NativeTarget, letter: NativeLetter, flags: string[]): Started;
  fault(fault: NativeFault): void;
  close(id: number): Started;
}

export interface NativeFetchOptions {
  parts: string[];
  columns?: string[];
  limit?: number;
  newest: boolean;
  exact: boolean;
  timeZone?: string;
  progress?: number;
}

export interface NativeWriteOptions {
  limit?: number;
  partial: boolean;
  create: boolean;
  timeZone?: string;
}

export interface NativeAppendOptions {
  flags: string[];
  receivedSeconds?: number;
  receivedOffset?: number;
  create: boolean;
  progress?: number;
}

export interface NativeMailbox {
  fetch(selection: NativeSelection, options: NativeFetchOptions): NativeMessages;
  count(id: number, selection: NativeSelection, timeZone: string | null): Started;
  search(id: number, selection: NativeSelection, exact: boolean, timeZone: string | null): Started;
  status(id: number): Started;
  flag(id: number, selection: NativeSelection, add: string[], remove: string[], set: string[] | null, options: NativeWriteOptions): Started;
  move(id: number, selection: NativeSelection, to: NativeTarget, options: NativeWriteOptions): Started;
  copy(id: number, selection: NativeSelection, to: NativeTarget, options: NativeWriteOptions): Started;
  delete(id: number, selection: NativeSelection, options: NativeWriteOptions): Started;
  expunge(id: number, selection: NativeSelection, options: NativeWriteOptions): Started;
  append(id: number, sources: NativeSource[], options: NativeAppendOptions): Started;
  watch(options: { since: string; pollSeconds?: number }): NativeWatch;
}

/** What a message is appended from; it is given once. */
export interface NativeSource {
  /** Of a stream: ends with 1 when the piece was taken, with 0 when nobody takes any more. */
  write(id: number, chunk: Uint8Array): Started;
  /** Nothing more comes: all was written, or writing failed. */
  end(failure: string | null): void;
}

export interface NativeSources {
  bytes(bridge: NativeBridge, bytes: Uint8Array): NativeSource;
  file(bridge: NativeBridge, path: string): NativeSource;
  stream(bridge: NativeBridge, size: number | null): NativeSource;
}

export interface NativeMessages {
  readonly exact: boolean | null;
  next(id: number): Started;
  close(): void;
}

/** Messages that came together. */
export interface NativeBatch {
  /** The rows, as JSON; they are given once. */
  rows(): string;
  text(id: number, index: number): Started;
  html(id: number, index: number): Started;
  headers(id: number, index: number): Started;
  raw(id: number, index: number): Started;
  /** The whole message, where it was loaded ahead. */
  rawAtHand(index: number): Uint8Array | null;
  part(id: number, index: number, path: string): Started;
  save(id: number, index: number, path: string, dir: string, progress: number | null): Started;
  reply(id: number, index: number, options: NativeReply): Started;
  forward(id: number, index: number, options: NativeForward): Started;
  stream(index: number, path: string | null): NativeStream;
}

export interface NativeReply {
  all: boolean;
  me: NativeAddress[];
  text: string;
  quote: boolean;
  attribution?: string;
}

export interface NativeForward {
  to: NativeAddress[];
  text: string;
  attachments: boolean;
}

/** A draft that the engine has made. */
export interface NativeDraftOutput {
  /** All but the contents of its attachments, as JSON. */
  fields(): string;
  /** The content of an attachment; null for one that is a file. */
  content(index: number): Uint8Array | null;
}

export interface NativeStream {
  next(id: number): Started;
  close(): void;
}

export interface NativeWatch {
  ready(id: number): Started;
  next(id: number): Started;
  close(): void;
}

export interface Native {
  codes(): string[];
  /** The exit code of what was typed. */
  commandLine(args: string[]): number;
  /** The set in its shortest form; throws where it is none. */
  uidSet(text: string): string;
  repair(bridge: NativeBridge, id: number, path: string): Started;
  serve(bridge: NativeBridge, id: number, path: string, options: NativeServe): Started;
  startTestServer(bridge: NativeBridge, id: number, options: NativeTest): Started;
  Bridge: new (wake: () => void) => NativeBridge;
  Engine: new (bridge: NativeBridge, options: NativeEngineOptions) => NativeEngine;
  Source: NativeSources;
  Query: NativeQueries;
  Selection: NativeSelections;
}

/** The addon itself: one for ESM and CommonJS alike. */
export const native: Native = load();

function load(): Native {
  try {
    // Next to this file once compiled.
    return require("./mailtide.node") as Native;
  } catch (cause) {
    const message = `mailtide's native part cannot be loaded on ${process.platform}-${process.arch}; in a clone, run "npm install"`;
    throw new Error(message, { cause });
  }
}
