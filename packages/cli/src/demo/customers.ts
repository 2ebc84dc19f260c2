import { type BridgeClient, eventually, type RunningSystem } from '@millrace/testing';
import { Decimal128 } from 'mongodb';
import type { Story } from './story.js';

const PAIR = 'customers';
/** Milliseconds within which an edit must have reached the other side. */
const CARRIED_MS = 60_000;

interface CustomerDocument {
  _id: string;
  name: string;
  email: string;
  creditLimit: Decimal128;
  updatedAt: Date;
}

/** Edits a customer on each side, and then on both at once, and shows how the pair comes to be equal again. */
export async function tellCustomers(
  bridge: BridgeClient,
  { postgres, documents }: RunningSystem,
  story: Story,
  run: string,
): Promise<void> {
  const id = `Paired${run}`;
  const collection = documents.collection<CustomerDocument>('customers');
  const row = async () =>
    (
      await postgres.query<{ name: string; email: string; credit_limit: string }>(
        'select id, name, email, credit_limit from customers where id = $1',
        [id],
      )
    ).rows[0];
  const document = () => collection.findOne({ _id: id });
  const bothSides = async () => ({
    'Postgres, customers': await row(),
    'MongoDB, customers': await document(),
  });

  await postgres.query(
    'insert into customers (id, name, email, credit_limit, updated_at) values ($1, $2, $3, $4, now())',
    [id, 'Ada Lovelace', 'ada@example.com', '250.5000'],
  );
  await eventually('the customer to be in MongoDB', CARRIED_MS, document);
  story.step('A customer that was inserted in Postgres is in MongoDB.');
  story.evidence(await bothSides());

  const creditLimit = Decimal128.fromString('900.0000');
  await collection.updateOne({ _id: id }, { $set: { creditLimit, updatedAt: new Date() } });
  await eventually('the new credit limit to be in Postgres', CARRIED_MS, async () => {
    return (await row())?.credit_limit === creditLimit.toString();
  });
  story.step('A credit limit that was changed in MongoDB is in Postgres.');
  story.evidence(await bothSides());

  await paused(bridge, async () => {
    await postgres.query('update customers set email = $2, updated_at = now() where id = $1', [
      id,
      'countess@example.com',
    ]);
    const later = new Date(Date.now() + 1_000);
    await collection.updateOne({ _id: id }, { $set: { email: 'lovelace@example.com', updatedAt: later } });
    story.step('While the pair is paused, both sides change the customer’s address: Postgres, then MongoDB.');
    story.evidence(await bothSides());
  });
  await eventually('the later address to be in Postgres', CARRIED_MS, async () => {
    return (await row())?.email === 'lovelace@example.com';
  });
  const lost = await eventually('the conflict to be in the log', CARRIED_MS, async () => {
    const { items } = (await bridge.conflicts(PAIR)).body;
    return items.find(({ key, loser }) => key === JSON.stringify([id]) && loser !== null);
  });
  story.step('The later one wins. What it overwrote is kept in the conflict log, whole.');
  story.evidence({ ...(await bothSides()), [`loser, of ${lost.lost}`]: lost.loser });
}

/** Does something while the pair rests, and lets it go on whatever happens. */
async function paused(bridge: BridgeClient, work: () => Promise<void>): Promise<void> {
  await bridge.pause(PAIR);
  try {
    await eventually('the pair to rest', CARRIED_MS, async () => {
      // Each answers for itself, in turn.
      const asked = bridge.http.instances.map(() => bridge.pipeline(PAIR));
      return (await Promise.all(asked)).every(({ body }) => body.state === 'paused');
    });
    await work();
  } finally {
    await bridge.resume(PAIR);
  }
}
