import { expect, test } from 'vitest';
import { uuidV7 } from './uuid-v7.js';

test('is a version 7 UUID that begins with its time', () => {
  const id = uuidV7(Date.UTC(2026, 0, 1));
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(Date.UTC(2026, 0, 1));
  expect(uuidV7(1_000) < uuidV7(1_001)).toBe(true);
  expect(new Set(Array.from({ length: 1_000 }, () => uuidV7(5))).size).toBe(1_000);
});
