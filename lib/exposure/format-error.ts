/** What may be wrong with bytes or text that came from outside. Closed list, so that callers can switch on it. */
export type FormatReason =
  | 'ARCHIVE_UNREADABLE'
  | 'ARCHIVE_ENTRY_EXTRA'
  | 'ARCHIVE_ENTRY_DUPLICATE'
  | 'ARCHIVE_ENTRY_MISSING'
  | 'ARCHIVE_ENTRY_NAME'
  | 'ARCHIVE_ENTRY_HEADER'
  | 'ARCHIVE_ENTRY_DATA'
  | 'ARCHIVE_TOO_LARGE'
  | 'EXPORT_HEADER'
  | 'MESSAGE_MALFORMED'
  | 'VALUE_OUT_OF_RANGE'
  | 'PUBLIC_KEY_UNREADABLE'
  | 'KEY_CURVE'
  | 'PRIVATE_KEY_UNREADABLE';

/**
 * Bytes do not follow the format. `part` names the file or message, `offset` the byte in it (0-based) where
 * that makes sense. Never carries content: the message is safe to log.
 */
export class FormatError extends Error {
  readonly reason: FormatReason;
  readonly part: string;
  readonly offset: number | undefined;

  constructor(reason: FormatReason, part: string, what: string, offset?: number, options?: ErrorOptions) {
    super(`${part}: ${what}${offset === undefined ? '' : ` (byte ${offset})`}`, options);
    this.name = 'FormatError';
    this.reason = reason;
    this.part = part;
    this.offset = offset;
  }
}
