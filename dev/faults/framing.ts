/** What a receiver acts upon as a whole: less of it has no effect. */
export interface Frame {
  readonly bytes: Buffer;
  /** For reports: what it is, never what is in it. */
  readonly name: string;
  /** False for what is no part of a journey: a sweeper's look, a health check. */
  readonly counts: boolean;
}

/** Cuts both directions of one connection into frames. */
export interface Framing {
  requests(chunk: Buffer): Frame[];
  replies(chunk: Buffer): Frame[];
}

/**
 * TLS records (RFC 8446 section 5.1). A record is decrypted whole or not at all, so what the receiver can know changes
 * at records only.
 */
export function tlsFraming(): Framing {
  const headBytes = 5;
  const records = () =>
    pieces(
      (bytes) => {
        if (bytes.length < headBytes) return undefined;
        const length = headBytes + bytes.readUInt16BE(3);
        return bytes.length < length ? undefined : length;
      },
      (bytes) => ({ bytes, name: 'record', counts: true }),
    );
  return { requests: records(), replies: records() };
}

/** Looks that services take by the clock, whether or not somebody uploads. */
const byTheClock =
  /^(select 1$|select id from reservation where state = 'stored'|delete from|select count\(\*\) as n from \(select from session|select pg_(try_)?advisory|.*pg_relation_size|vacuum)/;

/**
 * PostgreSQL's exchanges: a request ends with Sync, its reply with ReadyForQuery. Without its Sync a statement outside a
 * transaction is rolled back, and inside one it is undone with the transaction.
 */
export function postgresFraming(): Framing {
  const statements = new Map<string, string>();
  let started = false;
  let asked = 'connect';

  const note = (type: string, body: Buffer): void => {
    const words = body.toString('latin1').split('\0');
    if (type === 'P') statements.set(words[0] ?? '', words[1] ?? '');
    if (type === 'B') asked = statements.get(words[1] ?? '') ?? 'unknown';
    if (type === 'Q') asked = words[0] ?? '';
    if (type === 'X') asked = 'end';
  };
  const requestEnd = (bytes: Buffer): number | undefined => {
    if (started) return endAfter('SQXp', bytes);
    // The first message has no type.
    if (bytes.length < 4 || bytes.length < bytes.readUInt32BE(0)) return undefined;
    return bytes.readUInt32BE(0);
  };
  const frame = (bytes: Buffer): Frame => {
    const statement = asked.trim();
    const name = statement.split(/\s+/).slice(0, 4).join(' ');
    return { bytes, name, counts: statement !== 'end' && !byTheClock.test(statement) };
  };
  return {
    requests: pieces(requestEnd, (bytes) => {
      if (started) eachMessage(bytes, note);
      started = true;
      return frame(bytes);
    }),
    // R: the server asks for the password and waits, before there is anything to be ready for.
    replies: pieces((bytes) => endAfter('ZR', bytes), frame),
  };
}

/** Where the first whole message of one of these types ends. */
function endAfter(types: string, bytes: Buffer): number | undefined {
  for (let at = 0; bytes.length >= at + 5; ) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    if (bytes.length < end) return undefined;
    if (types.includes(String.fromCharCode(bytes[at] as number))) return end;
    at = end;
  }
  return undefined;
}

function eachMessage(bytes: Buffer, read: (type: string, body: Buffer) => void): void {
  for (let at = 0; at < bytes.length; at += 1 + bytes.readUInt32BE(at + 1)) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    read(String.fromCharCode(bytes[at] as number), bytes.subarray(at + 5, end));
  }
}

/** Gathers chunks until `endOf` finds the end of a frame in them, given in bytes. */
function pieces(endOf: (bytes: Buffer) => number | undefined, frame: (bytes: Buffer) => Frame) {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk: Buffer): Frame[] => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const found: Frame[] = [];
    for (let end = endOf(rest); end !== undefined; end = endOf(rest)) {
      found.push(frame(rest.subarray(0, end)));
      rest = rest.subarray(end);
    }
    return found;
  };
}
