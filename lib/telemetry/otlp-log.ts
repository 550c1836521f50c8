import { type Logger, SeverityNumber } from '@opentelemetry/api';
import type { LogSink } from './log.ts';

const severities = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const;

/** Passes on what the log itself lets through: a constant event name and allowed fields. */
export function otlpLogSink(logger: Logger): LogSink {
  return ({ time, level, event, fields }) =>
    logger.emit({
      timestamp: time,
      severityNumber: severities[level],
      severityText: level.toUpperCase(),
      eventName: event,
      body: event,
      attributes: { ...fields },
    });
}
