import { bars, type Dashboard, quantile, query, rateBy, timeseries } from './builder.ts';

export const capacity: Dashboard = {
  name: 'capacity',
  title: 'Capacity',
  description: 'Distance to every limit, what requests cost, and when it will not be enough.',
  rows: [
    {
      title: 'Limits',
      panels: [
        bars({
          title: 'In use now',
          description:
            'Share of each limit in use, highest of the last minute and of all instances; steps of 5 % or more.',
          unit: 'percentunit',
          queries: [query('max by (job, cwa_cap) (cwa_cap_utilization)', '{{job}} {{cwa_cap}}')],
          width: 12,
          max: 1,
          warn: 0.7,
          bad: 0.9,
          runbooks: ['CapNear'],
        }),
        bars({
          title: 'Expected in 4 hours',
          description: 'The straight line of the last 6 hours, drawn on; rough, because shares move in steps.',
          unit: 'percentunit',
          queries: [
            query(
              'clamp_min(max by (job, cwa_cap) (predict_linear(cwa_cap_utilization[6h], 14400)), 0)',
              '{{job}} {{cwa_cap}}',
            ),
          ],
          width: 12,
          warn: 0.7,
          bad: 0.9,
          runbooks: ['CapNear'],
        }),
        timeseries({
          title: 'Over time',
          description: 'Share of each limit in use; highest of all instances.',
          unit: 'percentunit',
          queries: [query('max by (job, cwa_cap) (cwa_cap_utilization)', '{{job}} {{cwa_cap}}')],
          width: 12,
          max: 1,
          warn: 0.7,
          bad: 0.9,
          runbooks: ['CapNear'],
        }),
        timeseries({
          title: 'Shed for lack of capacity',
          description: 'Requests a second answered 503 by route; steps of 5.',
          unit: 'reqps',
          queries: [
            query(
              'sum by (http_route) (rate(cwa_gateway_requests_total{cwa_outcome="shed"}[$window]))',
              '{{http_route}}',
            ),
          ],
          width: 12,
          runbooks: ['RequestsShed'],
        }),
      ],
    },
    {
      title: 'Cost',
      panels: [
        timeseries({
          title: 'CPU of each process',
          description: 'CPUs used by all instances of a process, from whole seconds.',
          unit: 'short',
          queries: [rateBy('process_cpu_time_total', 'job')],
          stack: true,
          runbooks: ['CpuSaturated'],
        }),
        timeseries({
          title: 'CPU of the gateway per request',
          description: 'CPU-seconds of the gateway for one request of any kind, downloads included.',
          unit: 's',
          queries: [
            query(
              'sum(rate(process_cpu_time_total{job="gateway"}[$window])) / sum(rate(cwa_gateway_requests_total[$window]))',
              'a request',
            ),
          ],
        }),
        timeseries({
          title: 'Requests a thread bears',
          description:
            'Requests a second that one instance of the gateway bears at this cost: 0.9 CPUs divided by the cost of one.',
          unit: 'reqps',
          queries: [
            query(
              '0.9 / (sum(rate(process_cpu_time_total{job="gateway"}[$window])) / sum(rate(cwa_gateway_requests_total[$window])))',
              'predicted',
            ),
            query(
              'sum(rate(cwa_gateway_requests_total[$window])) / count(up{job="gateway"})',
              'now, for each instance',
            ),
          ],
        }),
      ],
    },
    {
      title: 'Signs of too little',
      panels: [
        timeseries({
          title: 'Event loop delay, p99',
          description: 'Seconds, the worst instance of each process.',
          unit: 's',
          queries: [query('max by (job) (nodejs_eventloop_delay_p99)', '{{job}}')],
          warn: 0.1,
          runbooks: ['EventLoopDelayed'],
        }),
        timeseries({
          title: 'Transactions, p99',
          description: 'Seconds, by process; of what phones cause 50 an hour or none.',
          unit: 's',
          queries: [query(quantile(0.99, 'db_client_operation_duration', '', ['job']), '{{job}}')],
          warn: 2.5,
          runbooks: ['TransactionsSlow'],
        }),
        timeseries({
          title: 'Calls over the mesh, p99',
          description: 'Seconds as callers see them, by caller and service; of what phones cause 50 an hour or none.',
          unit: 's',
          queries: [
            query(quantile(0.99, 'rpc_client_call_duration', '', ['job', 'rpc_service']), '{{job}} → {{rpc_service}}'),
          ],
          runbooks: ['MeshCallsFailing'],
        }),
        timeseries({
          title: 'Memory',
          description: 'Resident memory of the largest instance of each process, in steps of 16 MiB.',
          unit: 'bytes',
          queries: [query('max by (job) (process_memory_usage)', '{{job}}')],
          warn: 1_073_741_824,
          runbooks: ['MemoryHigh'],
        }),
        timeseries({
          title: 'Duration of jobs, p90',
          description: 'Seconds by process and job.',
          unit: 's',
          queries: [query(quantile(0.9, 'cwa_job_duration', '', ['job', 'cwa_job']), '{{job}} {{cwa_job}}')],
          runbooks: ['JobNotSucceeding'],
        }),
        timeseries({
          title: 'Runs of jobs',
          description: 'Runs in the window by job and outcome.',
          unit: 'short',
          queries: [
            query(
              'sum by (job, cwa_job, cwa_outcome) (increase(cwa_job_runs_total[$window]))',
              '{{job}} {{cwa_job}} {{cwa_outcome}}',
            ),
          ],
          runbooks: ['JobNotSucceeding'],
        }),
      ],
    },
  ],
};
