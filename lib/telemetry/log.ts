/** Every field that may ever appear in a log line; a new one is added here after thinking about what it tells. */
export interface LogFields {
  readonly process?: string;
  readonly port?: number;
  readonly count?: number;
  readonly stored?: number;
  readonly unchanged?: number;
  readonly refused?: number;
  readonly durationMs?: number;
  readonly status?: string | number;
  readonly reason?: string;
  readonly rule?: string;
  readonly rpc?: string;
  readonly caller?: string;
  readonly transaction?: string;
  readonly attempt?: number;
  readonly region?: string;
  readonly date?: string;
  readonly hour?: number;
  readonly bytes?: number;
  readonly packages?: number;
  readonly objectsPut?: number;
  readonly objectsDeleted?: number;
  /** Of the prober's journey. */
  readonly step?: string;
  readonly setting?: string;
  readonly migration?: string;
  readonly file?: string;
  readonly version?: string;
  readonly errorName?: string;
  readonly errorCode?: string;
  readonly stack?: string;
  /** Of security events where no collector takes them; their values have passed an allow-list of their own. */
  readonly type?: string;
  readonly partner?: string;
  readonly target?: string;
  readonly certificate?: string;
  readonly days?: number;
  readonly team?: string;
  readonly what?: string;
  readonly route?: string;
  readonly lost?: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log. `event` is a constant of the code (`keys-stored`), never a sentence built from data. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

const allowed = new Set<string>([
  'process',
  'port',
  'count',
  'stored',
  'unchanged',
  'refused',
  'durationMs',
  'status',
  'reason',
  'rule',
  'rpc',
  'caller',
  'transaction',
  'attempt',
  'region',
  'date',
  'hour',
  'bytes',
  'packages',
  'objectsPut',
  'objectsDeleted',
  'step',
  'setting',
  'migration',
  'file',
  'version',
  'errorName',
  'errorCode',
  'stack',
  'type',
  'partner',
  'target',
  'certificate',
  'days',
  'team',
  'what',
  'route',
  'lost',
] satisfies (keyof LogFields)[]);

const severity: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A line as it was written, for exporters. */
export interface LogLine {
  readonly time: Date;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

export type LogSink = (line: LogLine) => void;

/**
 * Writes one JSON object a line. Fields outside the allow-list are dropped at run time too, so that a cast cannot leak
 * a value (architecture section 6, rule 2).
 */
export function jsonLog(
  processName: string,
  now: () => Date,
  write: (line: string) => void = (line) => process.stdout.write(line),
  level: LogLevel = 'info',
  sink?: LogSink,
): Log {
  const at =
    (severityName: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (severity[severityName] < severity[level]) return;
      const kept = Object.fromEntries(Object.entries(fields).filter(([name]) => allowed.has(name)));
      const time = now();
      write(
        `${JSON.stringify({ time: time.toISOString(), level: severityName, process: processName, event, ...kept })}\n`,
      );
      sink?.({ time, level: severityName, event, fields: kept });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What may be told of an unexpected error: its kind and place in the code, never its message (it may hold data). */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const code = (error as { code?: unknown }).code;
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 6)
    .join('\n');
  return {
    errorName: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { errorCode: String(code) } : {}),
    ...(frames === '' ? {} : { stack: frames }),
  };
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
