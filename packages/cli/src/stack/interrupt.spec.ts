import { expect, it } from 'vitest';
import { Interrupt } from './interrupt.js';

const never = new Promise<never>(() => {});

it('ends work at a signal, whether it comes during the work or came before', async () => {
  using interrupt = new Interrupt();
  const during = interrupt.over(never);
  process.emit('SIGINT');
  await expect(during).rejects.toMatchObject({ code: 'INTERRUPTED' });
  await expect(interrupt.over(never)).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

it('gives the outcome of work that nobody interrupts', async () => {
  using interrupt = new Interrupt();
  await expect(interrupt.over(Promise.resolve(1))).resolves.toBe(1);
});
