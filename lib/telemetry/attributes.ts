/**
 * Everything a span may say beside its name, kind, times and status; a new attribute is added here after thinking about
 * what it tells (architecture section 6, rule 2). None of them is ever taken from a request of a phone.
 */
export interface SpanAttributes {
  readonly 'rpc.system.name'?: 'grpc';
  /** As in the proto, for example `cwa.test_result.v1.LabResultService/StoreResults`. */
  readonly 'rpc.method'?: string;
  readonly 'rpc.response.status_code'?: string;
  readonly 'server.address'?: string;
  readonly 'db.system.name'?: 'postgresql';
  /** Name of the transaction in the code. */
  readonly 'db.operation.name'?: string;
  readonly 'http.request.method'?: string;
  /** The route, never the path of a request. */
  readonly 'http.route'?: string;
  readonly 'http.response.status_code'?: number;
  readonly 'error.type'?: string;
  readonly 'cwa.partner'?: string;
  readonly 'cwa.job'?: string;
  readonly 'cwa.outcome'?: string;
  readonly 'cwa.count'?: number;
  readonly 'cwa.bytes'?: number;
  readonly 'cwa.region'?: string;
  readonly 'cwa.window'?: string;
  readonly 'cwa.date'?: string;
  readonly 'cwa.hour'?: number;
  readonly 'cwa.store.operation'?: string;
  readonly 'cwa.key.version'?: string;
  readonly 'cwa.probe.step'?: string;
  readonly 'cwa.team'?: string;
  /** Name of a persisted query or the type of an operation; never a query's text. */
  readonly 'graphql.operation.type'?: string;
  readonly 'cwa.synthetic'?: boolean;
}

export const allowedSpanAttributes: ReadonlySet<string> = new Set([
  'rpc.system.name',
  'rpc.method',
  'rpc.response.status_code',
  'server.address',
  'db.system.name',
  'db.operation.name',
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'error.type',
  'cwa.partner',
  'cwa.job',
  'cwa.outcome',
  'cwa.count',
  'cwa.bytes',
  'cwa.region',
  'cwa.window',
  'cwa.date',
  'cwa.hour',
  'cwa.store.operation',
  'cwa.key.version',
  'cwa.probe.step',
  'cwa.team',
  'graphql.operation.type',
  'cwa.synthetic',
] satisfies (keyof SpanAttributes)[]);
