/** How something gets out: on a wire, into a file, to standard output, to a process of one's own. */
export type Way = 'network' | 'files' | 'print' | 'processes';

/** Somewhere that what a process knows can go to. */
export interface Sink {
  readonly name: string;
  /** Files of the code that put something there. */
  readonly sources: RegExp;
  /** The only ways in which these files put it there: one that answers phones and begins to write a file is found. */
  readonly ways: readonly Way[];
  /** Places that the privacy gate searches, or why there is nothing to search. */
  readonly places: readonly RegExp[] | { readonly none: string };
}

const sink = (name: string, sources: RegExp, ways: Sink['ways'], places: Sink['places']): Sink => ({
  name,
  sources,
  ways,
  places,
});

/**
 * Every way out of a process. dev/checks/sinks.test.ts finds the files that can put something anywhere by what they
 * import, and fails when one is in no row here or in two; dev/flows/canary.test.ts fails when a row was not searched.
 */
export const sinks: readonly Sink[] = [
  sink('log', /^lib\/(telemetry\/log|process\/run)\.ts$/, ['print'], [/^log /]),
  sink('OTLP', /^lib\/telemetry\/telemetry\.ts$/, ['network'], [/^otlp traces$/, /^otlp metrics$/, /^otlp logs$/]),
  sink('management port', /^lib\/process\/management\.ts$/, ['network'], [/^management /]),
  sink('answers to the mesh', /^lib\/rpc\//, ['network'], [/^mesh /]),
  sink('tables', /^lib\/db\/(pool|migrate)\.ts$/, ['network'], [/^column /]),
  sink('objects', /^lib\/blob\/s3-blob-store\.ts$/, ['network'], [/^object /]),
  sink('answers to phones and partners', /^gateway\//, ['network'], [/^answer /]),
  sink(
    'security feed',
    /^lib\/telemetry\/security-feed\//,
    ['network', 'files'],
    [/^security sent$/, /^security buffer /],
  ),
  sink('answers to operators', /^ops-api\/(?!history\/)/, ['network'], [/^graphql /, /^page /]),
  sink("history of the operators' API", /^ops-api\/history\//, ['files'], [/^history /]),
  sink(
    'files of a local run',
    /^lib\/(db\/embedded-postgres(-files)?|pki\/authority)\.ts$/,
    ['files', 'processes', 'network'],
    [/^file /],
  ),
  sink('search for a free port', /^lib\/process\/free-port\.ts$/, ['network'], {
    none: 'it listens for a moment and answers nobody',
  }),
  sink('clock of a local mesh', /^lib\/time\/followed-clock\.ts$/, ['network'], {
    none: 'in a local mesh alone: it is sent the number of each move that was followed',
  }),
  sink('signing service', /^svc\/distribution\/transit-signer\.ts$/, ['network'], {
    none: 'it is sent the SHA-256 of what phones download, held by svc/distribution/transit-signer.test.ts',
  }),
  sink("a phone's own requests", /^phone\//, ['network'], {
    none: 'a phone is no part of the system; what it sends is the input',
  }),
];
