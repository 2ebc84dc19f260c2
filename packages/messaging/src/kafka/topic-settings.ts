/** Settings of which more than declared does no harm; -1 stands for no bound. */
const AT_LEAST: readonly string[] = ['retention.ms', 'min.insync.replicas', 'max.message.bytes'];

export function isLowerBound(setting: string): boolean {
  return AT_LEAST.includes(setting);
}

/** Whether a topic's setting keeps what its declaration promises. */
export function suffices(setting: string, is: string | undefined, declared: string): boolean {
  if (is === declared) return true;
  return isLowerBound(setting) && (is === '-1' || Number(is) >= Number(declared));
}
