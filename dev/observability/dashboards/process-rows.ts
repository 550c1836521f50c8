import { bars, type Panel, quantile, query, type Row, stat, timeseries } from './builder.ts';

const day = 86_400;

interface Has {
  /** Whether the process looks at dependencies of its own, and has limits; default: both. */
  readonly dependencies?: boolean;
  readonly limits?: boolean;
}

/** What every process tells of itself: state and load. */
export function processRows(job: string, { dependencies = true, limits = true }: Has = {}): Row[] {
  const of = `job="${job}"`;
  return [
    {
      title: 'The process',
      panels: [
        stat({
          title: 'Instances that answer',
          description: 'Instances whose management port answers Prometheus.',
          unit: 'short',
          queries: [query(`sum(up{${of}})`, 'up')],
          bad: 1,
          low: true,
          runbooks: ['ProcessDown', 'ProcessMissing'],
        }),
        stat({
          title: 'Youngest instance',
          description: 'Time since the youngest instance started, seconds.',
          unit: 'dtdurations',
          queries: [query(`min(process_uptime{${of}})`, 'uptime')],
          runbooks: ['ProcessRestarting'],
        }),
        stat({
          title: 'First certificate to end',
          description: 'Time until the first certificate ends. Yellow below 14 days, red below 3.',
          unit: 'dtdurations',
          queries: [query(`min(cwa_certificate_remaining{${of}})`, 'remaining')],
          warn: 14 * day,
          bad: 3 * day,
          low: true,
          runbooks: ['CertificateEnding'],
        }),
        ...(dependencies ? [dependenciesPanel(of)] : []),
        ...(limits ? [limitsPanel(of)] : []),
        timeseries({
          title: 'CPU',
          description: 'CPUs used by each instance, from whole seconds. One JavaScript thread bears about 1.',
          unit: 'short',
          queries: [query(`sum by (instance) (rate(process_cpu_time_total{${of}}[$window]))`, '{{instance}}')],
          warn: 0.9,
          runbooks: ['CpuSaturated'],
        }),
        timeseries({
          title: 'Memory',
          description: 'Resident memory and the heap of JavaScript in it, in steps of 16 MiB.',
          unit: 'bytes',
          queries: [
            query(`process_memory_usage{${of}}`, 'resident {{instance}}'),
            query(`v8js_memory_heap_used{${of}}`, 'heap {{instance}}'),
          ],
          warn: 1_073_741_824,
          runbooks: ['MemoryHigh'],
        }),
        timeseries({
          title: 'Event loop delay, p99',
          description: 'How late one timer in a hundred was in the last minute, seconds.',
          unit: 's',
          queries: [query(`nodejs_eventloop_delay_p99{${of}}`, '{{instance}}')],
          warn: 0.1,
          runbooks: ['EventLoopDelayed', 'MetricsFrozen'],
        }),
      ],
    },
  ];
}

const dependenciesPanel = (of: string): Panel =>
  bars({
    title: 'Dependencies',
    description: 'Yes while what the process needs can be used by all instances.',
    unit: 'bool_yes_no',
    queries: [query(`min by (cwa_dependency) (cwa_dependency_up{${of}})`, '{{cwa_dependency}}')],
    width: 6,
    max: 1,
    bad: 1,
    low: true,
    runbooks: ['DependencyDown'],
  });

const limitsPanel = (of: string): Panel =>
  bars({
    title: 'Limits in use',
    description: 'Share of each limit in use, highest of the last minute over all instances; steps of 5 % or more.',
    unit: 'percentunit',
    queries: [query(`max by (cwa_cap) (cwa_cap_utilization{${of}})`, '{{cwa_cap}}')],
    width: 6,
    max: 1,
    warn: 0.7,
    bad: 0.9,
    runbooks: ['CapNear'],
  });

/** Calls that the process answers over the mesh; counts in steps of 5, of what phones cause 50 an hour or none. */
export function meshRow(job: string): Row {
  const of = `job="${job}"`;
  return {
    title: 'Calls over the mesh',
    panels: [
      timeseries({
        title: 'Calls answered',
        description:
          'Calls a second by method, each with one or many items; steps of 5, of what phones cause 50 an hour or none.',
        unit: 'cps',
        queries: [
          query(`sum by (rpc_method) (rate(rpc_server_call_duration_count{${of}}[$window]))`, '{{rpc_method}}'),
        ],
        stack: true,
      }),
      timeseries({
        title: 'Duration of calls, p99',
        description: 'One call in a hundred takes longer, seconds, by method.',
        unit: 's',
        queries: [query(quantile(0.99, 'rpc_server_call_duration', of, ['rpc_method']), '{{rpc_method}}')],
      }),
      timeseries({
        title: 'Calls by status',
        description: 'Calls a second by what they ended with; steps as beside.',
        unit: 'cps',
        queries: [
          query(
            `sum by (rpc_response_status_code) (rate(rpc_server_call_duration_count{${of}}[$window]))`,
            '{{rpc_response_status_code}}',
          ),
        ],
        runbooks: ['MeshCallsFailing'],
      }),
    ],
  };
}

/** The database of the process, and its repeated jobs if there are some. */
export function databaseRow(job: string, jobs = true): Row {
  const of = `job="${job}"`;
  return {
    title: jobs ? 'Database and jobs' : 'Database',
    panels: [
      timeseries({
        title: 'Transactions',
        description: 'Transactions a second by name; steps of 5, of what phones cause 50 an hour or none.',
        unit: 'cps',
        queries: [
          query(
            `sum by (db_operation_name) (rate(db_client_operation_duration_count{${of}}[$window]))`,
            '{{db_operation_name}}',
          ),
        ],
        stack: true,
        runbooks: ['TransactionsFailing'],
      }),
      timeseries({
        title: 'Duration of transactions, p99',
        description: 'One transaction in a hundred takes longer, seconds, by name.',
        unit: 's',
        queries: [
          query(quantile(0.99, 'db_client_operation_duration', of, ['db_operation_name']), '{{db_operation_name}}'),
        ],
        warn: 2.5,
        runbooks: ['TransactionsSlow'],
      }),
      ...(jobs ? [jobsPanel(of)] : []),
    ],
  };
}

const jobsPanel = (of: string): Panel =>
  timeseries({
    title: 'Time since jobs succeeded',
    description: 'Seconds since each repeated job last ended well, of the instance where it is longest ago.',
    unit: 's',
    queries: [query(`max by (cwa_job) (cwa_job_success_age{${of}})`, '{{cwa_job}}')],
    runbooks: ['JobNotSucceeding'],
  });
