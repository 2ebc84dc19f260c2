/** cdc-bridge cannot be asked, or refuses: the message is what it said. */
export class PipelinesError extends Error {
  override readonly name = 'PipelinesError';
}
