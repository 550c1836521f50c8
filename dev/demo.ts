import { localRun } from './local-run.ts';

/** `npm run demo`: the guided journey, then the stop; exit status 0 when every step held. */
await localRun({ stay: false });
