import { communicationMatrix } from '../../rpc/communication-matrix.ts';
import type { SecurityEvent, SecurityEventType } from '../security.ts';

type Fields = Readonly<Record<string, string | number>>;

/** What leaves: one JSON line. `count`: so many events alike since the one before. */
export type SecurityRecord = Fields & {
  readonly id: string;
  readonly time: string;
  readonly process: string;
  readonly type: SecurityEventType;
  readonly count: number;
};

/** Stands where a value is no name that this house gives. */
const withheld = 'withheld';

type Rule = (value: unknown) => boolean;
type EventOf<T> = SecurityEvent extends infer E
  ? E extends { type: infer U }
    ? T extends U
      ? E
      : never
    : never
  : never;
type Rules = { readonly [T in SecurityEventType]: { readonly [F in Exclude<keyof EventOf<T>, 'type'>]-?: Rule } };

const matching =
  (pattern: RegExp): Rule =>
  (value) =>
    typeof value === 'string' && value.length <= 80 && pattern.test(value);
const oneOf =
  (...values: readonly string[]): Rule =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const whole: Rule = (value) => Number.isSafeInteger(value) && Math.abs(value as number) < 1e9;

/** A constant of the code: `two-teams`. */
const constant = matching(/^[a-z]{1,20}(-[a-z]{1,20}){0,5}$/);
/** A name of the configuration: `lab-berlin-2`. With so few digits it is no token, identifier, key or address. */
const name = matching(/^(?=.{1,40}$)(?=\D*(\d\D*){0,4}$)[a-z]+(-[a-z0-9]+)*$/);
const setting = matching(/^[A-Z]{1,20}(_[A-Z0-9]{1,20}){1,8}$/);
/** `0.1.0`, a running number, or the names of signing keys: `262-v2 262-v1`. */
const version = matching(/^(\d{1,4}(\.\d{1,4}){1,2}|v?\d{1,7}|\d{3}-v\d{1,4}( \d{3}-v\d{1,4}){0,3})$/);
const route = matching(/^(\/(v\d|:?[a-z]{1,20}([A-Z][a-z]{1,20}|-[a-z]{1,20}){0,3}|\*))+$/);
const team = matching(/^ops-[a-z]{1,20}$/);
/** A method of a service that the communication matrix lists; all of them are defined in `proto/`. */
const rpc: Rule = (value) => {
  const [, service = ''] = (typeof value === 'string' && /^\/([\w.]+)\/([A-Z][a-z]{1,15}){1,6}$/.exec(value)) || [];
  return service === 'grpc.health.v1.Health' || Object.hasOwn(communicationMatrix, service);
};
const either =
  (...rules: readonly Rule[]): Rule =>
  (value) =>
    rules.some((rule) => rule(value));

/** Every field that may leave, and what it may say. What is not named here is dropped, also when a cast brought it. */
const allowed: Rules = {
  'caller-refused': { rpc, caller: name },
  'partner-refused': { reason: oneOf('unlisted', 'route', 'lab-id'), partner: name },
  'guessing-alarm': { target: oneOf('tele-tan', 'registration') },
  'certificate-refused': { certificate: either(name, setting) },
  'certificate-reloaded': { certificate: either(name, setting) },
  'certificate-expiring': { certificate: either(name, setting), days: whole },
  'sign-in-refused': { reason: constant },
  'role-violation': { reason: constant, team },
  'field-refused': { team },
  'configuration-changed': { what: either(name, setting), version },
  overload: { route: either(name, route) },
  'process-started': { version },
  'process-stopped': { version },
  'events-lost': { reason: oneOf('buffer-full', 'disk', 'refused'), lost: whole },
};

/** The fields of an event that may leave; undefined for what is no event. */
export function allowedFields(event: SecurityEvent): Fields | undefined {
  if (!Object.hasOwn(allowed, event.type)) return undefined;
  const values = event as unknown as Readonly<Record<string, unknown>>;
  const fields = Object.entries<Rule>(allowed[event.type]).flatMap(([field, accepts]) => {
    const value = values[field];
    if (value === undefined) return [];
    return [[field, accepts(value) ? (value as string | number) : withheld] as const];
  });
  return Object.fromEntries(fields);
}
