import type { Random } from '../lib/random/random.ts';
import type { Log } from '../lib/telemetry/log.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { PhoneGroup } from './route-group.ts';
import { Sample } from './sample.ts';

/** What an answer is to the schedule: only accepted real ones teach it, only fakes draw from what it learned. */
export type AnswerKind = 'accepted' | 'fake' | 'refused';

export interface ScheduleOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Milliseconds; 0 answers at once. */
  readonly floorMs: number;
  /** How often it is looked whether an alarm is due; default a minute, so that it tells of nobody's answer. */
  readonly alarmEveryMs?: number;
}

/** One request's place on the schedule. */
export interface Slot {
  /** The body has arrived whole, or will not be read. Call it once, before `ready`. */
  bodyEnded(): void;
  /** Hands the finished answer over; `send` is called when its time has come. */
  ready(kind: AnswerKind, send: () => void): void;
  /** The caller is gone; nothing will be sent. */
  abandon(): void;
}

/** Where requests take their place; handed in, so that a test can plant a difference in when answers leave. */
export interface Schedule {
  /** `group`: requests of one group share what is learned about late answers. */
  arrive(group: PhoneGroup): Slot;
  /** Share of the last accepted real answers that missed their first slot, 0 to 1; undefined while they are few. */
  readonly lateShare: number | undefined;
  close(): void;
}

/** Below it each further answer would move the share by more than a step of its metric, and so be seen. */
const leastForShare = 200;

interface Entry extends Slot {
  readonly group: PhoneGroup;
  dueMs: number;
  earliestMs: number;
  kind: AnswerKind;
  send: (() => void) | undefined;
  /** Slots let pass although the body was there: for a real answer because it was not ready, for a fake by lot. */
  passed: number;
  toPass: number;
  gone: boolean;
}

/**
 * Every phone answer leaves at arrival + k × floor (decision 13).
 *
 * The place on the schedule is taken when the request's head arrives, before anybody looks whether it is fake, and the
 * timer that opens it knows nothing of the request: when an answer was ready cannot shift when it leaves.
 *
 * The first slot that may be used is the first at least half a floor after the end of the body, for real and fake
 * alike. Otherwise someone who can delay the last octets of a body until just before a slot would see a fake make it
 * and a real one miss it.
 */
export class AnswerSchedule implements Schedule {
  readonly #options: ScheduleOptions;
  /** In order of `dueMs`. */
  #queue: Entry[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When `#timer` was set to fire, on the monotonic clock. */
  #timerAtMs = Number.POSITIVE_INFINITY;
  /** Extra slots of the last 1,000 accepted real answers, by group: uploads are late more often than polls are. */
  readonly #extras: Readonly<Record<PhoneGroup, Sample>> = {
    upload: new Sample(1_000),
    registration: new Sample(1_000),
    result: new Sample(1_000),
    tan: new Sample(1_000),
  };
  readonly #alarm: NodeJS.Timeout;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#alarm = setInterval(() => this.#alarmIfLate(), options.alarmEveryMs ?? 60_000).unref();
  }

  /** Requests that wait for their answer. */
  get waiting(): number {
    return this.#queue.length;
  }

  get lateShare(): number | undefined {
    const samples = Object.values(this.#extras);
    const size = samples.reduce((sum, sample) => sum + sample.size, 0);
    if (size < leastForShare) return undefined;
    return samples.reduce((sum, sample) => sum + sample.positive, 0) / size;
  }

  arrive(group: PhoneGroup): Slot {
    const { clock, floorMs } = this.#options;
    if (floorMs === 0) return unscheduled();
    const now = clock.monotonicMs();
    const entry: Entry = {
      group,
      dueMs: now + floorMs,
      earliestMs: Number.POSITIVE_INFINITY,
      kind: 'refused',
      send: undefined,
      passed: 0,
      toPass: 0,
      gone: false,
      bodyEnded: () => {
        entry.earliestMs = clock.monotonicMs() + floorMs / 2;
      },
      ready: (kind, send) => {
        entry.kind = kind;
        entry.send = send;
        entry.toPass = kind === 'fake' ? this.#extras[group].draw(this.#options.random) : 0;
      },
      abandon: () => {
        entry.gone = true;
      },
    };
    this.#insert(entry);
    this.#arm();
    return entry;
  }

  /** Sends what is ready and forgets the rest; for the end of the process. */
  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#alarm);
    for (const entry of this.#queue.splice(0)) if (!entry.gone) entry.send?.();
  }

  /** The floor is one number, so entries come nearly in order and the place is found in a step or two. */
  #insert(entry: Entry): void {
    let at = this.#queue.length;
    while (at > 0 && (this.#queue[at - 1] as Entry).dueMs > entry.dueMs) at--;
    if (at === this.#queue.length) this.#queue.push(entry);
    else this.#queue.splice(at, 0, entry);
  }

  #arm(): void {
    const head = this.#queue[0];
    if (head === undefined || head.dueMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = head.dueMs;
    const waitMs = Math.max(1, Math.ceil(head.dueMs - this.#options.clock.monotonicMs()));
    this.#timer = setTimeout(() => this.#open(), waitMs);
  }

  #open(): void {
    const now = this.#options.clock.monotonicMs();
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    let due = 0;
    while (due < this.#queue.length && (this.#queue[due] as Entry).dueMs <= now) due++;
    const opened = this.#queue.slice(0, due);
    this.#queue = this.#queue.slice(due);
    for (const entry of opened) this.#openSlot(entry);
    this.#arm();
  }

  #openSlot(entry: Entry): void {
    if (entry.gone) return;
    const usable = entry.dueMs >= entry.earliestMs;
    if (usable && entry.send !== undefined && entry.passed >= entry.toPass) {
      if (entry.kind === 'accepted') this.#extras[entry.group].add(entry.passed);
      entry.send();
      return;
    }
    if (usable) entry.passed++;
    entry.dueMs += this.#options.floorMs;
    this.#insert(entry);
  }

  /** More than 1 % of the last accepted answers missed their first slot: the floor is too low, or something is ill. */
  #alarmIfLate(): void {
    // Below 100 answers one late one would already be more than 1 %.
    const late = ({ size, positive }: Sample): boolean => size >= 100 && positive * 100 > size;
    if (!Object.values(this.#extras).some(late)) return;
    this.#options.log.warn('answer-floor-exceeded', { setting: 'GATEWAY_ANSWER_FLOOR_MS' });
  }
}

function unscheduled(): Slot {
  let gone = false;
  return {
    bodyEnded: () => {},
    ready: (_kind, send) => {
      if (!gone) send();
    },
    abandon: () => {
      gone = true;
    },
  };
}
