import type * as Built from '../postgres.side.js';

/** For `node --import`: the bridge as it is deployed then overwrites rows whatever became of them since it read them. */
const built = new URL('../../../dist/pairs/postgres.side.js', import.meta.url).href;
const { PostgresSide, RowsMoved } = (await import(built)) as typeof Built;
const { write } = PostgresSide.prototype;

PostgresSide.prototype.stillAsRead = async (_, writes) => [...writes];
PostgresSide.prototype.write = async function (client, writes) {
  await write.call(this, client, writes).catch((error: unknown) => {
    if (!(error instanceof RowsMoved)) throw error;
  });
};
