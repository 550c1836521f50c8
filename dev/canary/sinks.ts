/** Somewhere that what a process knows can go to. */
export interface Sink {
  readonly name: string;
  /** Files of the code that put something there. */
  readonly sources: RegExp;
  /** Places that the privacy gate searches, or why there is nothing to search. */
  readonly places: readonly RegExp[] | { readonly none: string };
}

const sink = (name: string, sources: RegExp, places: Sink['places']): Sink => ({ name, sources, places });

/**
 * Every way out of a process. dev/checks/sinks.test.ts finds the files that can put something anywhere by what they
 * import, and fails when one is in no row here or in two; dev/flows/canary.test.ts fails when a row was not searched.
 */
export const sinks: readonly Sink[] = [
  sink('log', /^lib\/(telemetry\/log|process\/run)\.ts$/, [/^log /]),
  sink('OTLP', /^lib\/telemetry\/telemetry\.ts$/, [/^otlp traces$/, /^otlp metrics$/, /^otlp logs$/]),
  sink('management port', /^lib\/process\/management\.ts$/, [/^management /]),
  sink('answers to the mesh', /^lib\/rpc\//, [/^mesh /]),
  sink('tables', /^lib\/db\/(pool|migrate)\.ts$/, [/^column /]),
  sink('objects', /^lib\/blob\/s3-blob-store\.ts$/, [/^object /]),
  sink('answers to phones and partners', /^gateway\//, [/^answer /]),
  sink('security feed', /^lib\/telemetry\/security-feed\//, [/^security sent$/, /^security buffer /]),
  sink('answers to operators', /^ops-api\/(?!history\/)/, [/^graphql /, /^page /]),
  sink("history of the operators' API", /^ops-api\/history\//, [/^history /]),
  sink('files of a local run', /^lib\/(db\/embedded-postgres(-files)?|pki\/authority)\.ts$/, [/^file /]),
  sink('search for a free port', /^lib\/process\/free-port\.ts$/, {
    none: 'it listens for a moment and answers nobody',
  }),
  sink('clock of a local mesh', /^lib\/time\/followed-clock\.ts$/, {
    none: 'in a local mesh alone: it is sent the number of each move that was followed',
  }),
  sink('signing service', /^svc\/distribution\/transit-signer\.ts$/, {
    none: 'it is sent the SHA-256 of what phones download, held by svc/distribution/transit-signer.test.ts',
  }),
  sink("a phone's own requests", /^phone\//, { none: 'a phone is no part of the system; what it sends is the input' }),
];
