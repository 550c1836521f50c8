import { z } from 'zod';
import { ConfigError, type Env, fileContent, flag, integer, readEnv } from '../process/config.ts';

/** Where telemetry goes; the names of the OpenTelemetry specification where it has one. */
export interface TelemetrySettings {
  /** OTLP over HTTP with protobuf, without `/v1/…`; undefined: nothing is sent. */
  readonly endpoint?: string;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Share of traces that are recorded, 0 to 1. */
  readonly sampled: number;
  readonly flushMs: number;
  readonly commit: string;
  /** Nothing is counted, shown or sent: what telemetry costs is measured against that (`npm run bench:telemetry`). */
  readonly off?: boolean;
}

const ratio = z
  .string()
  .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')
  .transform(Number)
  .default(1);

/**
 * Reads the settings. Less than a minute between flushes would let a single event be seen in time (decision 34), and
 * without any nobody would see what goes wrong, so only a local mesh, which has a clock of its own, may have either.
 */
export function readTelemetrySettings(env: Env): TelemetrySettings {
  const read = readEnv(
    z.object({
      OTEL_EXPORTER_OTLP_ENDPOINT: z
        .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
        .optional(),
      OTEL_EXPORTER_OTLP_CERTIFICATE: fileContent().optional(),
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: fileContent().optional(),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: fileContent().optional(),
      OTEL_TRACES_SAMPLER_ARG: ratio,
      TELEMETRY_FLUSH_SECONDS: integer({ min: 1, max: 300, default: 60 }),
      TELEMETRY_OFF: flag(false),
      CWA_COMMIT: z
        .string()
        .regex(/^[0-9a-f]{7,64}$/, 'must be a commit hash')
        .optional(),
    }),
    env,
  );
  if (read.TELEMETRY_FLUSH_SECONDS < 60 && !env['CLOCK_URL']) {
    throw new ConfigError([
      'TELEMETRY_FLUSH_SECONDS: must be 60 or more: in less a single event could be seen in time',
    ]);
  }
  if (read.TELEMETRY_OFF && !env['CLOCK_URL']) {
    throw new ConfigError(['TELEMETRY_OFF: is for measurements on a local mesh alone']);
  }
  const endpoint = read.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/+$/, '');
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    tls: {
      ...(read.OTEL_EXPORTER_OTLP_CERTIFICATE ? { ca: read.OTEL_EXPORTER_OTLP_CERTIFICATE } : {}),
      ...(read.OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE ? { cert: read.OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE } : {}),
      ...(read.OTEL_EXPORTER_OTLP_CLIENT_KEY ? { key: read.OTEL_EXPORTER_OTLP_CLIENT_KEY } : {}),
    },
    sampled: read.OTEL_TRACES_SAMPLER_ARG,
    flushMs: read.TELEMETRY_FLUSH_SECONDS * 1_000,
    commit: read.CWA_COMMIT ?? 'unknown',
    ...(read.TELEMETRY_OFF ? { off: true } : {}),
  };
}
