import { readFileSync } from 'node:fs';
import { ConfigError } from '../../lib/process/config.ts';
import type { ObjectStoreOptions } from './object-store.ts';

/**
 * OBJECT_STORE_DIR, _PORT (default 0: a free one), _HOST, _BUCKET, _ACCESS_KEY_ID, _SECRET_ACCESS_KEY or
 * _SECRET_ACCESS_KEY_FILE, _TLS_KEY_FILE with _TLS_CERT_FILE, _CLOCK_TOLERANCE_MS. Reports all faults at once.
 */
export function readConfig(env: Record<string, string | undefined>): ObjectStoreOptions {
  const faults: string[] = [];
  const required = (name: string): string => {
    const value = env[name];
    if (!value) faults.push(`${name} is not set`);
    return value ?? '';
  };
  const number = (name: string, otherwise: number | undefined, max: number): number | undefined => {
    const value = env[name];
    if (!value) return otherwise;
    if (!/^\d+$/.test(value) || Number(value) > max) faults.push(`${name} must be a whole number up to ${max}`);
    return Number(value);
  };
  const file = (name: string): string => {
    try {
      return readFileSync(required(name), 'utf8');
    } catch {
      if (env[name]) faults.push(`${name} names a file that cannot be read`);
      return '';
    }
  };
  const clockToleranceMs = number('OBJECT_STORE_CLOCK_TOLERANCE_MS', undefined, Number.MAX_SAFE_INTEGER);
  const withTls = env['OBJECT_STORE_TLS_KEY_FILE'] || env['OBJECT_STORE_TLS_CERT_FILE'];
  const config: ObjectStoreOptions = {
    dir: required('OBJECT_STORE_DIR'),
    port: number('OBJECT_STORE_PORT', 0, 65_535) ?? 0,
    accessKeyId: required('OBJECT_STORE_ACCESS_KEY_ID'),
    secretAccessKey: env['OBJECT_STORE_SECRET_ACCESS_KEY'] || file('OBJECT_STORE_SECRET_ACCESS_KEY_FILE').trim(),
    ...(env['OBJECT_STORE_HOST'] ? { host: env['OBJECT_STORE_HOST'] } : {}),
    ...(env['OBJECT_STORE_BUCKET'] ? { bucket: env['OBJECT_STORE_BUCKET'] } : {}),
    ...(clockToleranceMs === undefined ? {} : { clockToleranceMs }),
    ...(withTls ? { tls: { key: file('OBJECT_STORE_TLS_KEY_FILE'), cert: file('OBJECT_STORE_TLS_CERT_FILE') } } : {}),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}
