import { trace } from '@opentelemetry/api';
import {
  type DestinationStream,
  destination,
  type LevelWithSilent,
  type Logger,
  pino,
  stdTimeFunctions,
} from 'pino';
import { maskPasswords } from './mask-passwords.js';

export interface LoggerOptions {
  /** Name of the service, on every line. */
  service: string;
  level: LevelWithSilent;
  /** Where lines go; standard output unless told otherwise, each written before the call returns. */
  stream?: DestinationStream;
}

/**
 * A logger that writes one JSON object a line, with the trace and span that the line belongs to. Line
 * breaks inside texts are escaped, so that nobody can forge a line, and passwords in URLs are masked.
 */
export function createLogger({ service, level, stream = standardOutput() }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: currentTrace,
      hooks: { streamWrite: maskPasswords },
    },
    stream,
  );
}

// Else the last lines of a process come late, in another order, or not at all.
const standardOutput = () => destination({ dest: 1, sync: true });

function currentTrace(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
