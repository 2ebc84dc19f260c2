import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import type { Log } from '../../log.js';
import { decompressLz4Frame } from './lz4-frame.js';
import { decompressSnappy } from './snappy-framed.js';
import { batchHeader, unreadableRecords } from './unreadable-batch.js';

// Node finds no name for these in KafkaJS, which is not an ES module.
const { CompressionCodecs, CompressionTypes } = kafkajs;

/** A batch is at most 1 MB on the wire, as topics are set; this is sixteen times that. */
const MAX_DECOMPRESSED_BYTES = 16 * 1_024 * 1_024;
/** KafkaJS passes a batch's records as arguments of one call: many more would overflow the stack. */
const MAX_RECORDS = 65_536;
/** A refused batch is fetched again and again: no more often than this. */
const REFUSAL_PAUSE_MS = 1_000;

type Decompress = (bytes: Buffer, limit: number) => Buffer | Promise<Buffer>;

const gunzipAsync = promisify(gunzip);
const zstdDecompressAsync = promisify(zstdDecompress);

/** Everything that a Kafka producer may have written; KafkaJS itself reads gzip alone, and without a limit. */
const DECOMPRESS = {
  [CompressionTypes.GZIP]: (bytes, maxOutputLength) => gunzipAsync(bytes, { maxOutputLength }),
  [CompressionTypes.Snappy]: decompressSnappy,
  [CompressionTypes.LZ4]: decompressLz4Frame,
  [CompressionTypes.ZSTD]: (bytes, maxOutputLength) => zstdDecompressAsync(bytes, { maxOutputLength }),
} satisfies Record<number, Decompress>;

/**
 * Makes KafkaJS read all four compressions, each within a limit, for the whole process. A batch that cannot be
 * decompressed, or holds more, comes as records whose reading fails: see `unreadableRecords`. Nothing of ours is
 * written compressed.
 */
export function registerCompressionCodecs(log: Log): void {
  for (const [type, decompress] of Object.entries(DECOMPRESS)) {
    const codec = { decompress: (bytes: Buffer) => bounded(decompress, bytes, log) };
    CompressionCodecs[type as unknown as keyof typeof CompressionCodecs] = () => codec;
  }
}

async function bounded(decompress: Decompress, bytes: Buffer, log: Log): Promise<Buffer> {
  const header = batchHeader(bytes);
  if (header.records > MAX_RECORDS) {
    log.error('a batch of too many records: its partition stands still', {
      baseOffset: String(header.baseOffset),
      records: header.records,
    });
    await sleep(REFUSAL_PAUSE_MS);
    // KafkaJS leaves out what a fetch cut off, and goes on with the other partitions.
    throw Object.assign(new Error('too many records'), { name: 'KafkaJSPartialMessageError' });
  }
  try {
    return await decompress(bytes, MAX_DECOMPRESSED_BYTES);
  } catch (error) {
    return unreadableRecords(header, (error as Error).message);
  }
}
