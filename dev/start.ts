import { localRun } from './local-run.ts';

/** `npm start`: ready when the guided journey has ended well, then running until it is stopped. */
await localRun({ stay: true });
