import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { RecordProducer } from './record-producer.js';
import { connection, testTopic, withAdmin } from './spec-support/kafka-under-test.js';
import { TopicOffsets } from './topic-offsets.js';

test('tells what each partition holds, after deletions too, and where there is no topic that it does not know', async () => {
  const topic = `test-${randomUUID()}`;
  await using _ = await testTopic(topic, { partitions: 2 });
  const producer = new RecordProducer(connection);
  const offsets = new TopicOffsets(connection);
  try {
    for (let n = 0; n < 4; n++)
      await producer.appendRaw({ topic, key: null, value: null, headers: {}, place: () => 1 });
    await withAdmin(async (admin) => {
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '3' }] });
    });
    expect(await offsets.ranges(topic)).toEqual([
      { partition: 0, low: 0n, high: 0n },
      { partition: 1, low: 3n, high: 4n },
    ]);
    const unknown = { code: 'OFFSETS_UNKNOWN', canRetry: true };
    await expect(offsets.ranges(`no-${topic}`)).rejects.toMatchObject(unknown);
    await expect(offsets.range(topic, 2)).rejects.toMatchObject(unknown);
  } finally {
    await Promise.all([offsets.close(), producer.close()]);
  }
});
