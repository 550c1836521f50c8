import { callBounds, jobBounds, type MetricDefinition } from './metric.ts';

const every = 'every process';

/** Services that are called because a phone asked for something; each call is the echo of an upload, a poll, a TAN. */
const calledForPhones = {
  attribute: 'rpc.service',
  values: [
    'cwa.submission.v1.SubmissionService',
    'cwa.verification.v1.RegistrationService',
    'cwa.verification.v1.TanService',
    'cwa.verification.v1.TeleTanService',
    'cwa.test_result.v1.TestResultService',
  ],
} as const;
/** Transactions of the same. */
const doneForPhones = {
  attribute: 'db.operation.name',
  values: ['register-tokens', 'issue-tans', 'issue-tele-tan', 'release-tan', 'store-uploads', 'abandon-reservations'],
} as const;
/** What one request leaves in memory, up to half a mebibyte, is lost in it. */
const memoryStep = 16 * 1_048_576;

/** Calls of the mesh, at either end. */
const calls = {
  kind: 'histogram',
  unit: 's',
  step: 5,
  echoes: calledForPhones,
  hidden: true,
  attributes: { 'rpc.service': 'open', 'rpc.method': 'open', 'rpc.response.status_code': 'open' },
  bounds: callBounds,
  of: every,
} as const;

/** What every process tells of itself. Coarse too: a fake never enters the mesh, so its load is that of real people. */
export const processMetrics = {
  'process.cpu.time': {
    kind: 'counter',
    unit: 's',
    description: 'CPU time of the process, in whole seconds.',
    step: 1,
    attributes: { 'cpu.mode': ['user', 'system'] },
    of: every,
  },
  'process.memory.usage': {
    kind: 'gauge',
    unit: 'By',
    description: 'Resident memory of the process.',
    step: memoryStep,
    attributes: {},
    of: every,
  },
  'v8js.memory.heap.used': {
    kind: 'gauge',
    unit: 'By',
    description: 'Heap that JavaScript uses.',
    step: memoryStep,
    attributes: {},
    of: every,
  },
  'process.uptime': {
    kind: 'gauge',
    unit: 's',
    description: 'Time since the process started.',
    step: 1,
    attributes: {},
    of: every,
  },
  'nodejs.eventloop.delay.p99': {
    kind: 'gauge',
    unit: 's',
    description: '99th percentile of how late timers were in the last minute.',
    step: 0.001,
    attributes: {},
    of: every,
  },
  'cwa.certificate.remaining': {
    kind: 'gauge',
    unit: 's',
    description: 'Time until the certificate ends; negative when it has ended.',
    step: 60,
    attributes: { 'cwa.certificate': 'open' },
    of: every,
  },
  'cwa.dependency.up': {
    kind: 'gauge',
    unit: '1',
    description: '1 while what the process needs can be used, else 0.',
    step: 1,
    attributes: { 'cwa.dependency': 'open' },
    of: every,
  },
  'cwa.cap.utilization': {
    kind: 'gauge',
    unit: '1',
    description: 'Share of a limit that is used up, highest of the last minute. 1 is the limit.',
    step: 0.05,
    attributes: { 'cwa.cap': 'open' },
    of: every,
  },
  'cwa.job.runs': {
    kind: 'counter',
    unit: '{run}',
    description: 'Runs of repeated jobs.',
    step: 1,
    attributes: { 'cwa.job': 'open', 'cwa.outcome': ['done', 'failed'] },
    of: every,
  },
  'cwa.job.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'How long runs of repeated jobs took.',
    step: 1,
    attributes: { 'cwa.job': 'open' },
    bounds: jobBounds,
    of: every,
  },
  'cwa.job.success.age': {
    kind: 'gauge',
    unit: 's',
    description: 'Time since a job last ended well.',
    step: 1,
    attributes: { 'cwa.job': 'open' },
    of: every,
  },
  'cwa.security.events': {
    kind: 'counter',
    unit: '{event}',
    description: 'Security events by kind; the feed has them one by one.',
    step: 1,
    attributes: { 'cwa.security.event': 'open' },
    of: every,
  },
  'cwa.security.feed.backlog': {
    kind: 'gauge',
    unit: 'By',
    description: 'Security events on disk that the collector has not taken yet.',
    step: 1,
    attributes: {},
    of: every,
  },
  'cwa.security.feed.dropped': {
    kind: 'counter',
    unit: '{event}',
    description: 'Security events given up: the buffer on disk was full, or the collector refused them for good.',
    step: 1,
    attributes: {},
    of: every,
  },
  'rpc.server.call.duration': {
    ...calls,
    description: 'Calls that the process answered, each with one or many items.',
  },
  'rpc.client.call.duration': { ...calls, description: 'Calls that the process made to others of the mesh.' },
  'db.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Transactions by name, from their begin to their end.',
    step: 5,
    echoes: doneForPhones,
    hidden: true,
    attributes: { 'db.operation.name': 'open', 'cwa.outcome': ['done', 'failed'] },
    bounds: callBounds,
    of: ['submission', 'verification', 'test-result', 'distribution'],
  },
} as const satisfies Record<string, MetricDefinition>;
