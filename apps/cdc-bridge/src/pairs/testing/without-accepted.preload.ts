import type * as Built from '../postgres.side.js';

/** For `node --import`: the bridge as it is deployed then does not know what a row was accepted from. */
const built = new URL('../../../dist/pairs/postgres.side.js', import.meta.url).href;
const { PostgresSide } = (await import(built)) as typeof Built;
const { read } = PostgresSide.prototype;

PostgresSide.prototype.read = async function (client, keys) {
  const rows = await read.call(this, client, keys);
  return rows.map((row) => ({ ...row, accepted: null }));
};
