import { gzipSync } from 'node:zlib';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { beforeAll, expect, test } from 'vitest';
import { silentLog } from '../../log.js';
import { registerCompressionCodecs } from './compression-codecs.js';

const logged: string[] = [];
beforeAll(() => registerCompressionCodecs({ ...silentLog, error: (message) => logged.push(message) }));

/** A batch as it was fetched: KafkaJS hands on a view of what comes after the header. */
function fetched(records: number, compressed: Buffer): Buffer {
  const batch = Buffer.concat([Buffer.alloc(61), compressed]);
  batch.writeBigInt64BE(1_000n, 0);
  batch.writeInt32BE(records - 1, 23);
  batch.writeInt32BE(records, 57);
  return batch.subarray(61);
}

const gunzip = (bytes: Buffer): Promise<Buffer> =>
  CompressionCodecs[CompressionTypes.GZIP]().decompress(bytes);

test('a batch within the limits is what it was', async () => {
  expect((await gunzip(fetched(1, gzipSync('text')))).toString()).toBe('text');
});

test('a batch that cannot be decompressed becomes as many records as KafkaJS expects', async () => {
  const records = await gunzip(fetched(3, Buffer.from('no gzip at all')));
  expect(records.length % 3).toBe(0);
  const [first, second, third] = [0, 1, 2].map((n) => {
    return records.subarray((n * records.length) / 3, ((n + 1) * records.length) / 3);
  });
  expect(first?.toString()).toMatch(/unreadable-.*incorrect header check/);
  expect([second, third]).toEqual([first, first]);
});

test('a batch of more records than KafkaJS can take is left out of the fetch, slowly and loudly', async () => {
  const begun = performance.now();
  await expect(gunzip(fetched(70_000, gzipSync('')))).rejects.toMatchObject({
    name: 'KafkaJSPartialMessageError',
  });
  expect(performance.now() - begun).toBeGreaterThan(900);
  expect(logged).toEqual(['a batch of too many records: its partition stands still']);
});
