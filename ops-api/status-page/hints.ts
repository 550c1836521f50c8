import { nodesOf, type Status } from './status.ts';
import { span } from './words.ts';

/** Something an operator should look at, in words. */
export interface Hint {
  readonly text: string;
  /** The page of docs/runbooks that says what to do; it bears the name of the alert. */
  readonly runbook: string;
}

/** What is expected, in seconds, days and percent. Runs and hour packages are due when an hour ends, plus a quarter of an hour. */
const expected = {
  hourPackageAge: 75 * 60,
  dayPackageAge: 25 * 3_600 + 15 * 60,
  lastRunAge: 75 * 60,
  probeAge: 30 * 60,
  probeFailures: 2,
  certificateDays: 14,
  capPercent: 80,
  lateShare: 0.01,
} as const;

/** Everything that is not as expected, the worst first. */
export function hintsOf(status: Status): readonly Hint[] {
  return [
    ...processes(status),
    ...publishing(status),
    ...journey(status),
    ...certificates(status),
    ...limits(status),
    ...security(status),
  ];
}

/** What is said when there is nothing to look at: in the first minute after a start hardly anything is known. */
export const calmText = ({ distribution, services }: Status): string =>
  distribution?.lastRunAge.latest === null || nodesOf(services).some(({ health }) => health === 'AWAITED')
    ? 'Nothing to look at in what is known so far.'
    : 'All as expected.';

/** Who is down before those who cannot do without it. */
function processes(status: Status): Hint[] {
  const all = nodesOf(status.services);
  const isDown = ({ health }: { health: string }): boolean => health === 'DOWN';
  return [...all.filter(isDown), ...all.filter((service) => !isDown(service))].flatMap(
    ({ name, health, instances }) => {
      if (health === 'UP' || health === 'NOT_CONFIGURED' || health === 'AWAITED') return [];
      if (health === 'DOWN') return { text: `${name} does not answer.`, runbook: 'ProcessDown' };
      const lacking = nodesOf(instances).flatMap(({ dependencies }) => dependencies.filter(({ up }) => !up));
      const what = [...new Set(lacking.map((dependency) => dependency.name))].join(', ');
      const text = what ? `${name} cannot use ${what}.` : `A replica of ${name} does not answer.`;
      return { text, runbook: what ? 'DependencyDown' : 'ProcessDown' };
    },
  );
}

function publishing({ distribution, services }: Status): Hint[] {
  if (distribution === null) return [];
  const ages = distribution.packageAge.flatMap(({ name, level: { latest } }) => {
    const most = name === 'day' ? expected.dayPackageAge : expected.hourPackageAge;
    if (latest === null || latest <= most) return [];
    const text = `The newest ${name} package is ${span(latest)} old; expected below ${span(most)}.`;
    return { text, runbook: 'NewestPackageTooOld' };
  });
  const { latest } = distribution.lastRunAge;
  const most = expected.lastRunAge;
  const never = latest === null && runningFor('distribution', services) > most;
  const text = never
    ? 'No run of distribution that ended well is known.'
    : `The last run that ended well was ${span(latest ?? 0)} ago; expected below ${span(most)}.`;
  return [...ages, ...(never || (latest ?? 0) > most ? [{ text, runbook: 'DistributionRunMissing' }] : [])];
}

/** Seconds since the oldest replica that answers started; 0 without one. */
function runningFor(process: string, services: Status['services']): number {
  const service = nodesOf(services).find(({ name }) => name === process);
  return Math.max(0, ...nodesOf(service?.instances).map(({ uptimeSeconds }) => uptimeSeconds ?? 0));
}

/** Steps that failed again and again of late: one that fails is soon followed by all that build on it. */
function failedSteps({ lately }: Status): Hint[] {
  return (lately?.steps ?? []).flatMap(({ name, byOutcome }) => {
    const failed = byOutcome.find((outcome) => outcome.name === 'failed')?.count.total ?? 0;
    if (failed < expected.probeFailures) return [];
    const text = `The step ${name} of the synthetic journey failed ${failed} times within 15 minutes.`;
    return { text, runbook: 'ProbeStepFailing' };
  });
}

function journey(status: Status): Hint[] {
  const { probe, intake } = status;
  const age = probe?.successAge.latest ?? 0;
  const share = intake?.lateShare.latest ?? 0;
  const text = `The synthetic journey last went well ${span(age)} ago; expected below ${span(expected.probeAge)}.`;
  return [
    ...failedSteps(status),
    ...(age > expected.probeAge ? [{ text, runbook: 'ProbeFailing' }] : []),
    ...(share > expected.lateShare
      ? [
          {
            text: `${(share * 100).toFixed(1)} % of answers miss their slot; expected below 1 %.`,
            runbook: 'AnswersLate',
          },
        ]
      : []),
  ];
}

function certificates(status: Status): Hint[] {
  return nodesOf(status.certificates).flatMap(({ process, name, remainingDays }) =>
    remainingDays >= expected.certificateDays
      ? []
      : {
          text: `The ${name} certificate of ${process} ends in ${span(remainingDays * 86_400)}.`,
          runbook: 'CertificateEnding',
        },
  );
}

/** Connections to a database are there to be used up: who waits for one shows in the time of transactions. */
const meantToBeUsed = 'database-connections';

function limits(status: Status): Hint[] {
  return nodesOf(status.capacity).flatMap(({ process, caps }) =>
    nodesOf(caps).flatMap(({ name, highestPercent }) =>
      name === meantToBeUsed || (highestPercent ?? 0) < expected.capPercent
        ? []
        : { text: `${process} used ${highestPercent} % of ${name} within 24 hours.`, runbook: 'CapNear' },
    ),
  );
}

const runbookOf: ReadonlyMap<string, string> = new Map([
  ['guessing-alarm', 'GuessingAlarm'],
  ['role-violation', 'RoleViolation'],
  ['caller-refused', 'CallerRefused'],
]);

function security(status: Status): Hint[] {
  return nodesOf(status.security?.events).flatMap(({ process, kind, count: { total } }) => {
    const runbook = runbookOf.get(kind);
    if (runbook === undefined || !total) return [];
    return { text: `${process} reported ${kind} ${total} times within 24 hours.`, runbook };
  });
}
