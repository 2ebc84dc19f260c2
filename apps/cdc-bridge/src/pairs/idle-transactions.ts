import type { Document, MongoClient } from 'mongodb';

/**
 * Ends transactions of the bridge's own that sit idle: a killed worker's would hold its documents, and an
 * application's plain update would wait a minute for them. Needs no privilege beyond `readWrite`.
 * @param appName the bridge's own, in the connection of every worker and of no one else
 * @param idleMs how long a transaction may sit without a statement; far above a round's pause between two
 * @returns how many were ended
 */
export async function endIdleTransactions(
  client: MongoClient,
  appName: string,
  idleMs: number,
): Promise<number> {
  const admin = client.db('admin');
  const idle = await admin
    .aggregate<Document>(
      [
        { $currentOp: { idleSessions: true } },
        { $match: { appName, active: false, 'transaction.timeInactiveMicros': { $gt: idleMs * 1000 } } },
      ],
      { maxTimeMS: 5_000 },
    )
    .toArray();
  if (idle.length > 0) {
    await admin.command({ killSessions: idle.map(({ lsid }) => ({ id: lsid.id })) }, {
      maxTimeMS: 5_000,
    } as object);
  }
  return idle.length;
}
