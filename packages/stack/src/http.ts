const TIMEOUT_MS = 3_000;

/** @throws Error with status and body where the answer is not 2xx, or none comes within three seconds. */
export const expectOk = async (url: string, signal: AbortSignal): Promise<void> => {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body.slice(0, 500)}`);
};
