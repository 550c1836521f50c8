import type { AnswerKind } from './answer-schedule.ts';
import type { Operation, Outcome, PhoneDeps } from './phone.ts';

/** Submission takes any integer but 0 as fake and demands the header; verification takes `1` alone (S 1.2, 2.1). */
export type FakeRule = 'submission' | 'verification';

/** Undefined: the header is missing or malformed where that is a 400. */
export function isFake(rule: FakeRule, header: string | undefined): boolean | undefined {
  const value = header?.trim();
  if (rule === 'verification') return value === '1';
  if (value === undefined || !/^[+-]?\d{1,10}$/.test(value)) return undefined;
  if (value === '0') return false;
  return Number(value) === 0 ? undefined : true;
}

export interface Performed<Told> {
  readonly kind: AnswerKind;
  readonly outcome: Outcome<Told>;
}

/**
 * The one place where a fake request parts from a real one: it is checked for shape alone and told what a success is
 * told. It never enters the mesh, and whether anything it names exists is not looked up (decision 14).
 */
export async function perform<Asked, Checked, Told>(
  operation: Operation<Asked, Checked, Told>,
  asked: Asked,
  fake: boolean,
  deps: PhoneDeps,
  { shapeless = false }: { shapeless?: boolean } = {},
): Promise<Performed<Told>> {
  const checked = fake && shapeless ? undefined : operation.check(asked);
  if (checked === undefined && !(fake && shapeless)) return { kind: 'refused', outcome: { refused: 400 } };
  if (fake) return { kind: 'fake', outcome: { value: operation.pretend(deps) } };
  const outcome = await operation.answer(checked as Checked, deps);
  return { kind: 'value' in outcome ? 'accepted' : 'refused', outcome };
}
