import { setTimeout as delay } from 'node:timers/promises';
import { isMeasured } from '../telemetry/unmeasured-work.ts';
import { inSpan } from '../telemetry/tracing.ts';
import { systemClock } from '../time/clock.ts';
import { deadlockDetected, isDatabaseError, serializationFailure } from './errors.ts';
import type { Pool, Queryable } from './pool.ts';

/** A transaction in progress. Store functions take it first; only handlers and jobs open one. */
export interface Tx extends Queryable {
  readonly transaction: string;
}

export interface TxOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** How often the whole of `work` may be tried; it must have no effect outside the transaction. */
  readonly attempts?: number;
  /** Most milliseconds of one statement, for work on many rows; default is the pool's limit, meant for requests. */
  readonly statementLimitMs?: number;
}

/** From the limit of a statement to the moment from which its answer counts as lost. */
const graceMs = 10_000;

const begin = {
  'read committed': 'begin',
  'repeatable read': 'begin isolation level repeatable read',
  serializable: 'begin isolation level serializable',
} as const;

/**
 * Runs `work` in one transaction, named for metrics and logs, and tries again when PostgreSQL asked for it
 * (serialization failure, deadlock). No RPC inside a transaction (architecture section 3).
 */
export async function inTx<T>(
  pool: Pool,
  transaction: string,
  work: (tx: Tx) => Promise<T>,
  options: TxOptions = {},
): Promise<T> {
  const begunMs = systemClock.monotonicMs();
  const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': transaction } as const;
  const done = (outcome: 'done' | 'failed'): void => {
    if (!isMeasured()) return;
    pool.metrics?.record(
      'db.client.operation.duration',
      { 'db.operation.name': transaction, 'cwa.outcome': outcome },
      (systemClock.monotonicMs() - begunMs) / 1_000,
    );
  };
  try {
    const result = await inSpan(transaction, { kind: 'client', attributes }, () =>
      repeatedly(pool, transaction, work, options),
    );
    done('done');
    return result;
  } catch (error) {
    done('failed');
    throw error;
  }
}

async function repeatedly<T>(
  pool: Pool,
  transaction: string,
  work: (tx: Tx) => Promise<T>,
  options: TxOptions,
): Promise<T> {
  const attempts = options.attempts ?? 5;
  for (let attempt = 1; ; attempt++) {
    try {
      return await pool.withConnection(
        (connection, discard) => once(connection, discard, transaction, work, options),
        options.statementLimitMs === undefined ? {} : { replyTimeoutMs: options.statementLimitMs + graceMs },
      );
    } catch (error) {
      const again = isDatabaseError(error, serializationFailure) || isDatabaseError(error, deadlockDetected);
      if (!again || attempt >= attempts) throw error;
      // The competing transaction needs a moment; 5, 10, 20 … ms keep two rivals from meeting again at once.
      await delay(5 * 2 ** (attempt - 1));
    }
  }
}

async function once<T>(
  connection: Queryable,
  discard: () => void,
  transaction: string,
  work: (tx: Tx) => Promise<T>,
  options: TxOptions,
): Promise<T> {
  await connection.query(begin[options.isolation ?? 'read committed']);
  try {
    if (options.statementLimitMs !== undefined) {
      await connection.query(`select set_config('statement_timeout', $1, true)`, [`${options.statementLimitMs}ms`]);
    }
    const result = await work({ transaction, query: connection.query });
    await connection.query('commit');
    return result;
  } catch (error) {
    // A connection that cannot even roll back must not go back into the pool inside an open transaction.
    await connection.query('rollback').catch(discard);
    throw error;
  }
}
