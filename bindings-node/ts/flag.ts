/** Flags and roles by name. */

/** Flags that every server knows, as IMAP writes them; any other word is a keyword. */
export const Flag = {
  SEEN: "\\Seen",
  ANSWERED: "\\Answered",
  FLAGGED: "\\Flagged",
  DELETED: "\\Deleted",
  DRAFT: "\\Draft",
  FORWARDED: "$Forwarded",
  MDN_SENT: "$MDNSent",
  JUNK: "$Junk",
  NOT_JUNK: "$NotJunk",
  PHISHING: "$Phishing",
  IMPORTANT: "$Important",
} as const;

/** What a mailbox is for (RFC 6154): goes by special use, not by name. */
export class Role {
  static readonly INBOX = new Role("inbox");
  static readonly ALL = new Role("all");
  static readonly ARCHIVE = new Role("archive");
  static readonly DRAFTS = new Role("drafts");
  static readonly FLAGGED = new Role("flagged");
  static readonly IMPORTANT = new Role("important");
  static readonly JUNK = new Role("junk");
  static readonly SENT = new Role("sent");
  static readonly TRASH = new Role("trash");

  private constructor(
    /** Its name in lower case. */
    readonly name: string,
  ) {}

  /** The role of that name, or `null`. */
  static from(name: string): Role | null {
    const role = (Role as unknown as Record<string, unknown>)[name.toUpperCase()];
    return role instanceof Role ? role : null;
  }

  toString(): string {
    return this.name;
  }

  toJSON(): string {
    return this.name;
  }
}
