import { describe, expect, it } from 'vitest';
import { SkuQueue } from './sku-queue.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('SkuQueue', () => {
  it('lets those who share a SKU go one after the other, first come, first served', async () => {
    const queue = new SkuQueue();
    const seen: string[] = [];
    const work = (name: string, skus: string[]) =>
      queue.run(skus, async () => {
        seen.push(`${name} begins`);
        await turn();
        seen.push(`${name} ends`);
      });
    await Promise.all([work('1', ['a', 'b']), work('2', ['b', 'c']), work('3', ['c', 'a'])]);
    expect(seen).toEqual(['1', '2', '3'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  it('holds up nobody who wants something else', async () => {
    const queue = new SkuQueue();
    const { promise: blocked, resolve: unblock } = Promise.withResolvers<void>();
    const first = queue.run(['a'], () => blocked);
    await expect(queue.run(['b'], async () => 'done')).resolves.toBe('done');
    unblock();
    await first;
  });

  it('goes on after work that failed, and forgets SKUs that nobody wants any more', async () => {
    const queue = new SkuQueue();
    const failing = queue.run(['a', 'a'], async () => {
      throw new Error('no');
    });
    const next = queue.run(['a'], async () => 'done');
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('done');
    expect(queue.size).toBe(0);
  });
});
