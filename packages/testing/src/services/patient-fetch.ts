import { type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { text } from 'node:stream/consumers';

/**
 * `fetch` for an answer that may take longer than five minutes: Node's own gives up after that, whatever its signal
 * says.
 * @throws the signal's reason; TypeError when the server cannot be reached, as `fetch` does
 */
export async function patientFetch(
  url: string,
  init: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
    readonly signal: AbortSignal;
  },
): Promise<Response> {
  const { method, headers, body, signal } = init;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (url.startsWith('https:') ? secure : plain)(url, { method, headers, signal }, resolve);
  request.once('error', reject);
  request.end(body ?? undefined);
  try {
    const answer = await promise;
    const lines = Object.entries(answer.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each): [string, string] => [name, each]),
    );
    return new Response((await text(answer)) || null, { status: answer.statusCode ?? 0, headers: lines });
  } catch (cause) {
    signal.throwIfAborted();
    throw new TypeError('fetch failed', { cause });
  }
}
