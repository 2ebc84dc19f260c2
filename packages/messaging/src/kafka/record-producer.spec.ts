import { expect, test } from 'vitest';
import { confirmedOffset } from './record-producer.js';

const answer = { topicName: 't', partition: 2, errorCode: 0, baseOffset: '41' };

test('a send counts only where its partition stands in the answer, without an error, with an offset', () => {
  expect(confirmedOffset([answer], 't', 2)).toBe(41n);
  const denials = [
    [],
    [{ ...answer, partition: 1 }],
    [{ ...answer, topicName: 'u' }],
    [{ ...answer, errorCode: 6 }],
    [{ ...answer, baseOffset: '-1' }],
    [{ topicName: 't', partition: 2, errorCode: 0 }],
  ];
  for (const metadata of denials)
    expect(() => confirmedOffset(metadata, 't', 2)).toThrow(
      expect.objectContaining({ code: 'SEND_UNCONFIRMED', canRetry: true }),
    );
});
