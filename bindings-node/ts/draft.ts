/** Messages that are being written. */

import { fileURLToPath } from "node:url";
import { usage } from "./errors.js";
import type { EmailAddress } from "./message.js";
import type { NativeAddress, NativeAttach, NativeDraft, NativeDraftOutput, NativeForward, NativeReply } from "./native.js";
import { checkOptions, given, type CallOptions } from "./options.js";

/** One address or several, as a header has them (`Ada <ada@example.org>, b@example.org`), or in its parts. */
export type DraftAddress = string | Pick<EmailAddress, "email"> & Partial<EmailAddress>;

/** A file to attach: its path, or its content under a name. */
export type DraftAttachment =
  | string
  | URL
  | {
      /** The file, read when the message is queued. */
      path?: string | null;
      /** Its bytes, or its text. */
      content?: Uint8Array | string | null;
      /** Its name; the file's own unless given. */
      filename?: string | null;
      /** Such as `application/pdf`; guessed from the name unless given. */
      mediaType?: string | null;
      /** Shown where the HTML says `cid:` and this, instead of being attached. */
      contentId?: string | null;
    };

/** What a draft says. */
export interface DraftFields {
  /** Who writes; the account's own address unless given. */
  from?: DraftAddress | null;
  to?: DraftAddress | readonly DraftAddress[] | null;
  cc?: DraftAddress | readonly DraftAddress[] | null;
  /** Recipients of whom nobody is told. */
  bcc?: DraftAddress | readonly DraftAddress[] | null;
  /** Where answers shall go, if not to `from`. */
  replyTo?: DraftAddress | readonly DraftAddress[] | null;
  subject?: string | null;
  text?: string | null;
  /** As an alternative to the text where there are both. */
  html?: string | null;
  attach?: DraftAttachment | readonly DraftAttachment[] | null;
  /** `Message-ID` of the message that this answers. */
  inReplyTo?: string | null;
  /** `Message-ID`s of the thread, the oldest first. */
  references?: readonly string[] | null;
  /** More header fields, such as `List-Unsubscribe`. */
  headers?: Readonly<Record<string, string>> | null;
}

const FIELDS = [
  "from", "to", "cc", "bcc", "replyTo", "subject", "text", "html", "attach", "inReplyTo", "references", "headers",
] as const;

/** A message that is being written: plain data, which becomes bytes when it is sent. */
export class Draft implements DraftFields {
  readonly from: DraftAddress | null;
  readonly to: readonly DraftAddress[];
  readonly cc: readonly DraftAddress[];
  readonly bcc: readonly DraftAddress[];
  readonly replyTo: readonly DraftAddress[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly attach: readonly DraftAttachment[];
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(fields: DraftFields) {
    const { from, to, cc, bcc, replyTo, subject, text, html, attach, inReplyTo, references, headers } = checkOptions(fields, FIELDS);
    this.from = from ?? null;
    this.to = several(to);
    this.cc = several(cc);
    this.bcc = several(bcc);
    this.replyTo = several(replyTo);
    this.subject = subject ?? "";
    this.text = text ?? null;
    this.html = html ?? null;
    this.attach = several(attach);
    this.inReplyTo = inReplyTo ?? null;
    this.references = [...(references ?? [])];
    this.headers = { ...headers };
  }
}

export interface ReplyOptions extends CallOptions {
  /** What is written, above the quoted text. */
  text?: string | null;
  /** Answer everybody who got it, not only the sender. */
  all?: boolean | null;
  /** Whether the text is quoted; it is unless `false`. */
  quote?: boolean | null;
  /** The line above the quoted text, instead of `On 4 Jan 2024 at 09:05, Ada wrote:`. */
  attribution?: string | null;
  /** Your own addresses, which get no copy: the account's user or sender unless given. */
  me?: DraftAddress | readonly DraftAddress[] | null;
}

export interface ForwardOptions extends CallOptions {
  /** Who gets it. */
  to?: DraftAddress | readonly DraftAddress[] | null;
  /** What is written, above the message. */
  text?: string | null;
  /** Whether its attachments go with it; they do unless `false`. */
  attachments?: boolean | null;
}

/** @internal */
export function nativeReply(options: ReplyOptions): NativeReply {
  const { text, all, quote, attribution, me } = options;
  return given<NativeReply>({ text: text ?? "", all: all ?? false, quote: quote ?? true, attribution, me: several(me).map(nativeAddress) });
}

/** @internal */
export function nativeForward({ to, text, attachments }: ForwardOptions): NativeForward {
  return { to: several(to).map(nativeAddress), text: text ?? "", attachments: attachments ?? true };
}

/** A draft that the engine has made. @internal */
export function madeDraft(made: NativeDraftOutput): Draft {
  const fields = JSON.parse(made.fields()) as MadeFields;
  const attach = fields.attach.map((file, at) => (file.path === null ? { ...file, content: made.content(at) ?? new Uint8Array() } : file));
  return new Draft({ ...fields, attach });
}

type MadeFields = Omit<DraftFields, "attach"> & { attach: { path: string | null; filename: string | null; mediaType: string | null; contentId: string | null }[] };

/** @internal */
export function nativeDraft(fields: DraftFields): NativeDraft {
  const draft = fields instanceof Draft ? fields : new Draft(fields);
  const { to, cc, bcc, replyTo, subject, text, html, inReplyTo, references, headers } = draft;
  return given<NativeDraft>({
    from: draft.from === null ? [] : [nativeAddress(draft.from)],
    to: to.map(nativeAddress),
    cc: cc.map(nativeAddress),
    bcc: bcc.map(nativeAddress),
    replyTo: replyTo.map(nativeAddress),
    subject,
    text,
    html,
    attach: draft.attach.map(nativeAttach),
    inReplyTo,
    references: [...references],
    headers: Object.entries(headers),
  });
}

function several<T>(one: T | readonly T[] | null | undefined): readonly T[] {
  if (one === null || one === undefined) return [];
  return Array.isArray(one) ? [...(one as readonly T[])] : [one as T];
}

/** @internal */
export function nativeAddress(address: DraftAddress): NativeAddress {
  if (typeof address === "string") return { text: address };
  if (typeof address !== "object" || address === null || typeof address.email !== "string") {
    throw usage("usage.address", "An address is a string, or an object with email and name");
  }
  return given<NativeAddress>({ name: address.name, email: address.email });
}

function nativeAttach(file: DraftAttachment): NativeAttach {
  if (typeof file === "string") return { path: file };
  if (file instanceof URL) return { path: fileURLToPath(file) };
  const { path, content, filename, mediaType, contentId } = checkOptions(file, ["path", "content", "filename", "mediaType", "contentId"]);
  if ((typeof path === "string") === (content !== undefined && content !== null)) {
    throw usage("usage.argument", "An attachment is a path, a file URL, or an object with either path or content");
  }
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return given<NativeAttach>({ path, content: bytes, filename, mediaType, contentId });
}
