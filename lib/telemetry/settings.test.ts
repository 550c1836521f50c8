import { expect, test } from 'vitest';
import { readTelemetrySettings } from './settings.ts';

test('what only a measurement may want is refused outside a local mesh', () => {
  expect(() => readTelemetrySettings({ TELEMETRY_FLUSH_SECONDS: '59' })).toThrow('must be 60 or more');
  expect(() => readTelemetrySettings({ TELEMETRY_OFF: 'true' })).toThrow('on a local mesh alone');
  const local = { CLOCK_URL: 'http://127.0.0.1:1' };
  expect(readTelemetrySettings({ ...local, TELEMETRY_FLUSH_SECONDS: '1', TELEMETRY_OFF: 'true' })).toMatchObject({
    flushMs: 1_000,
    off: true,
  });
  expect(readTelemetrySettings({})).toEqual({ tls: {}, sampled: 1, flushMs: 60_000, commit: 'unknown' });
});
