import { z } from 'zod';

/** A TCP port, 0 to 65535; 0 lets the system choose a free one. */
export const port = () =>
  z.coerce
    .number('must be a whole number from 0 to 65535')
    .int('must be a whole number from 0 to 65535')
    .min(0, 'must be a whole number from 0 to 65535')
    .max(65_535, 'must be a whole number from 0 to 65535');

/** A duration in whole milliseconds, at least `min` (default 1) and short enough for a Node timer. */
export const milliseconds = (min = 1) => wholeNumber('milliseconds', min, 2_147_483_647);

/** A size in bytes, at least 1. */
export const bytes = () => wholeNumber('bytes', 1, Number.MAX_SAFE_INTEGER);

/**
 * A URL with one of the given schemes, for example `url('postgres', 'postgresql')`.
 * The fault never repeats the value: a URL often holds a password.
 */
export const url = (...schemes: [string, ...string[]]) => {
  const wanted = `must be a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return z.string().refine((value) => schemes.some((scheme) => hasScheme(value, scheme)), wanted);
};

/** Kafka bootstrap servers, `host:port` separated by commas; becomes a list. */
export const brokers = () =>
  z
    .string()
    .transform((text) => text.split(',').map((broker) => broker.trim()))
    .refine(
      (list) => list.every((broker) => /^(\[[0-9a-fA-F:]+\]|[^\s:/@[\]]+):\d{1,5}$/.test(broker)),
      'must be host:port, several separated by commas, for example 127.0.0.1:9092,127.0.0.1:9093',
    );

function wholeNumber(unit: string, min: number, max: number) {
  const wanted = `must be a whole number of ${unit} from ${min} to ${max}`;
  return z.coerce.number(wanted).int(wanted).min(min, wanted).max(max, wanted);
}

// Not `new URL()`: URLs of replica sets name several hosts, which the WHATWG parser refuses.
function hasScheme(value: string, scheme: string): boolean {
  return value.startsWith(`${scheme}://`) && value.length > scheme.length + 3 && !/\s/.test(value);
}
