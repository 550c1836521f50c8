import pg from 'pg';
import { z } from 'zod';
import { type Env, fileContent, integer, readEnv, secretFile } from '../process/config.ts';
import type { Secret } from '../process/secret.ts';
import { watchCap } from '../telemetry/cap.ts';
import { type Metrics, silentMetrics } from '../telemetry/metrics.ts';
import { errorFields, type Log } from '../telemetry/log.ts';

// bigint columns hold hours, counters and cursors far below 2^53; as strings they would only invite mistakes.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const statementTimeoutMs = 20_000;
/** PostgreSQL ends every statement before that; what comes later never comes. */
const lostAfterMs = statementTimeoutMs + 2_000;
const idleInTransactionMs = 5_000;
const defaultConnectMs = 5_000;

export interface DatabaseConfig {
  readonly url: string;
  readonly password?: Secret;
  /** PEM of the authority that signs the database's certificate; present means TLS is demanded and verified. */
  readonly ca?: string;
  readonly poolSize: number;
  /** Names the setting in start-up errors. */
  readonly setting: string;
}

/** What store functions receive: a transaction, or the pool for a single statement. */
export interface Queryable {
  /**
   * Runs one static statement, prepared under its own text. Never build `text` from data.
   * Throws `pg.DatabaseError` (see `./errors.ts`).
   */
  query<R extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rows: R[]; rowCount: number }>;
}

export interface Pool extends Queryable {
  readonly metrics?: Metrics;
  /**
   * Borrows one connection for `use` and gives it back, or destroys it when it broke or `use` called `discard`. A
   * statement that is not answered in time is taken for lost with its connection, unless `endless` says that it may run
   * for as long as it likes (maintenance that lifts its statement timeout), or `replyTimeoutMs` gives it more time.
   */
  withConnection<T>(
    use: (connection: Queryable, discard: () => void) => Promise<T>,
    options?: { readonly endless?: boolean; readonly replyTimeoutMs?: number },
  ): Promise<T>;
  close(): Promise<void>;
}

/** `SUBMISSION_DATABASE_URL` and so on for prefix `SUBMISSION`. */
export function readDatabaseConfig(prefix: string, env: Env): DatabaseConfig {
  const read = readEnv(
    z.object({
      [`${prefix}_DATABASE_URL`]: z.string().regex(/^postgres(ql)?:\/\/[^\s]+$/, 'must be a postgres:// URL'),
      [`${prefix}_DATABASE_PASSWORD_FILE`]: secretFile().optional(),
      [`${prefix}_DATABASE_CA_FILE`]: fileContent().optional(),
      [`${prefix}_DATABASE_POOL_SIZE`]: integer({ min: 1, max: 100, default: 8 }),
    }),
    env,
  ) as Record<string, unknown>;
  const password = read[`${prefix}_DATABASE_PASSWORD_FILE`] as Secret | undefined;
  const ca = read[`${prefix}_DATABASE_CA_FILE`] as string | undefined;
  return {
    url: read[`${prefix}_DATABASE_URL`] as string,
    poolSize: read[`${prefix}_DATABASE_POOL_SIZE`] as number,
    setting: `${prefix}_DATABASE_URL`,
    ...(password ? { password } : {}),
    ...(ca ? { ca } : {}),
  };
}

/** pg's connection options for a configuration; also used by the migration runner. */
export function connectionOptions(config: DatabaseConfig): pg.ClientConfig {
  // pg prefers a password inside the URL over the option, so the file must be written into the URL's place.
  const url = new URL(config.url);
  const password = config.password?.reveal() ?? decodeURIComponent(url.password);
  return {
    host: decodeURIComponent(url.searchParams.get('host') ?? url.hostname.replace(/^\[|\]$/g, '')),
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(password === '' ? {} : { password }),
    ...(config.ca ? { ssl: { ca: config.ca, rejectUnauthorized: true } } : {}),
    connectionTimeoutMillis: defaultConnectMs,
    statement_timeout: statementTimeoutMs,
    // When the network swallows a client inside a transaction, its locks must not last until TCP gives up.
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
  };
}

export interface PoolOptions {
  readonly replyTimeoutMs?: number;
  /** How long one waits for a connection, or for a place where all are in use; default 5 s. */
  readonly connectWithinMs?: number;
  readonly metrics?: Metrics;
}

/** Opens a pool. It connects lazily; `migrate` is what proves at start-up that the database can be reached. */
export function openPool(
  config: DatabaseConfig,
  log: Log,
  {
    replyTimeoutMs: usual = lostAfterMs,
    connectWithinMs = defaultConnectMs,
    metrics = silentMetrics,
  }: PoolOptions = {},
): Pool {
  const pool = new pg.Pool({
    ...connectionOptions(config),
    connectionTimeoutMillis: connectWithinMs,
    max: config.poolSize,
    idleTimeoutMillis: 30_000,
  });
  const connections = watchCap(metrics, 'database-connections', config.poolSize);
  // Without a listener a dropped idle connection would end the process.
  pool.on('error', (error) => log.warn('database-connection-lost', errorFields(error)));
  const withConnection: Pool['withConnection'] = async (use, { endless = false, replyTimeoutMs = usual } = {}) => {
    connections.saw(pool.totalCount - pool.idleCount + pool.waitingCount + 1);
    const client = await pool.connect();
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    const discard = () => {
      broken ??= new Error('discarded');
    };
    const query: Queryable['query'] = async (text, values) => {
      if (endless) return run(client, text, values);
      const lost = setTimeout(() => {
        log.warn('database-reply-lost');
        discard();
        // Under an unanswered statement this cuts the connection, and the statement fails.
        void client.end();
      }, replyTimeoutMs);
      try {
        return await run(client, text, values);
      } finally {
        clearTimeout(lost);
      }
    };
    try {
      return await use({ query }, discard);
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };
  return {
    metrics,
    query: (text, values) => withConnection((connection) => connection.query(text, values)),
    withConnection,
    close: () => pool.end(),
  };
}

const statementNames = new Map<string, string>();

/** One name a text, so that PostgreSQL parses and plans it once a connection. */
function statementName(text: string): string {
  let name = statementNames.get(text);
  if (name === undefined) {
    name = `s${statementNames.size}`;
    statementNames.set(text, name);
  }
  return name;
}

async function run<R extends object>(
  client: pg.PoolClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<{ rows: R[]; rowCount: number }> {
  const result = await client.query<R>({ name: statementName(text), text, values: [...values] });
  return { rows: result.rows, rowCount: result.rowCount ?? 0 };
}
