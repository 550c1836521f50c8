import { ConfigError } from '../lib/process/config.ts';
import { homeOf } from './home.ts';
import { guidedJourney } from './journey/guided-journey.ts';
import { terminal } from './journey/terminal.ts';
import { type Mesh, startMesh } from './mesh/mesh.ts';

/** `npm run demo`: starts everything, plays the guided journey, stops; exit status 0 when every step held. */
let mesh: Mesh | undefined;
let interrupted = false;
const stop = async (): Promise<void> => {
  interrupted = true;
  await mesh?.close();
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

try {
  mesh = await startMesh({ home: homeOf(process.env), env: process.env, onProgress: terminal.line });
  const held = await guidedJourney(mesh, terminal);
  process.exitCode = held ? 0 : 1;
} catch (error) {
  process.exitCode = 1;
  if (!interrupted) {
    const lines =
      error instanceof ConfigError ? error.faults : [error instanceof Error ? error.message : String(error)];
    for (const line of lines) process.stderr.write(`${line}\n`);
  }
}
await mesh?.close();
