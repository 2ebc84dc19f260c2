import { SinkError } from './sink.error.js';

/**
 * Waits for work that nobody can stop, so long at most.
 * @throws SinkError `SINK_UNAVAILABLE` where it takes longer
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SinkError('SINK_UNAVAILABLE', new Error(`took over ${ms} ms`))), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
