import { inTx } from '../../../lib/db/tx.ts';
import { inSpan, untracedWork } from '../../../lib/telemetry/tracing.ts';
import type { Deps } from '../deps.ts';
import { collectKeys, type Intake, RECORD_OCTETS } from '../key-records.ts';
import { insertKeys } from '../store/key-pool.ts';
import { addExcluded, lockState, moveCursor, readState } from '../store/state.ts';

/** Records of one statement: large enough to be fast, small enough for the statement's time limit. */
const recordsPerInsert = 50_000;

/**
 * Takes over every key that submission stored since the cursor. Keys, counts of what was left out, and the cursor move
 * in one transaction, so a run that dies anywhere neither loses nor repeats a key.
 */
export async function ingestKeys(d: Deps, runNumber: number): Promise<{ keysRead: number }> {
  const { cursor } = await readState(d.pool);
  const intake = await inSpan('read keys', {}, () =>
    collectKeys(d.submission.streamDiagnosisKeys({ cursor: BigInt(cursor) }), d.rules),
  );
  const { nextCursor } = intake;
  if (nextCursor === undefined) throw new Error('the key stream ended without a cursor');
  if (intake.keysRead === 0 && nextCursor === BigInt(cursor)) return { keysRead: 0 };
  // A span would tell that somebody has uploaded since the last run (decision 34).
  await untracedWork(() => storeKeys(d, runNumber, cursor, intake, nextCursor));
  return { keysRead: intake.keysRead };
}

async function storeKeys(
  d: Deps,
  runNumber: number,
  cursor: number,
  intake: Intake,
  nextCursor: bigint,
): Promise<void> {
  await inTx(d.pool, 'ingest-keys', async (tx) => {
    const state = await lockState(tx, runNumber);
    // The run number cannot have changed, so neither has the cursor.
    if (state.cursor !== cursor) throw new Error('the cursor moved during the stream');
    let duplicates = 0;
    for (const part of parts(intake.records)) {
      duplicates += part.length / RECORD_OCTETS - (await insertKeys(tx, part));
    }
    for (const [rule, count] of Object.entries(intake.excluded)) await addExcluded(tx, rule, count);
    await addExcluded(tx, 'duplicate', duplicates);
    await moveCursor(tx, nextCursor);
  });
}

function* parts(records: readonly Buffer[]): Generator<Buffer> {
  const octets = recordsPerInsert * RECORD_OCTETS;
  let gathered: Buffer[] = [];
  let size = 0;
  for (const record of records) {
    for (let from = 0; from < record.length; from += octets) {
      const part = record.subarray(from, from + octets);
      if (size + part.length > octets) {
        yield Buffer.concat(gathered);
        gathered = [];
        size = 0;
      }
      gathered.push(part);
      size += part.length;
    }
  }
  if (size > 0) yield Buffer.concat(gathered);
}
