const TIMEOUT_MS = 10_000;

/** Lets the registry refuse schemas that cannot read what was written before: its own default is to take any. */
export const requireCompatibility = async (url: string, signal: AbortSignal): Promise<void> => {
  const response = await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ compatibility: 'BACKWARD' }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const body = await response.text();
  if (!response.ok)
    throw new Error(`The registry answered ${response.status} to its compatibility rule: ${body}`);
};
