/** The address of a message. */

/** A {@link MessageRef} as plain data. */
export interface MessageRefData {
  account: string;
  mailbox: string;
  uidValidity: number;
  uid: number;
}

/**
 * The address of one message: plain data that may be kept, and stays true as long as the mailbox keeps its
 * UIDVALIDITY.
 */
export class MessageRef implements Readonly<MessageRefData> {
  constructor(
    /** The account, as `user@host`. */
    readonly account: string,
    /** The mailbox's decoded name. */
    readonly mailbox: string,
    /** The mailbox's UIDVALIDITY when the UID was learned. */
    readonly uidValidity: number,
    /** The message's UID. */
    readonly uid: number,
  ) {}

  /** A reference from its plain data, as `toJSON` gives it. */
  static from(data: MessageRefData): MessageRef {
    return new MessageRef(data.account, data.mailbox, data.uidValidity, data.uid);
  }

  /** Whether both are the address of the same message. */
  equals(other: MessageRef): boolean {
    return this.toString() === other.toString();
  }

  /** One string a message: fit as a key. */
  toString(): string {
    return `${this.account}/${this.mailbox};UIDVALIDITY=${this.uidValidity}/;UID=${this.uid}`;
  }

  toJSON(): MessageRefData {
    return { account: this.account, mailbox: this.mailbox, uidValidity: this.uidValidity, uid: this.uid };
  }
}
