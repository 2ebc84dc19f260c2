import { describe, expect, it } from 'vitest';
import { mongoUrl } from './config.js';

describe('MONGODB_URL', () => {
  it.each([
    'mongodb://127.0.0.1:27017/inventory',
    'mongodb://app:p%40ss@a:1,b:2/inventory?replicaSet=rs0&authSource=admin',
    'mongodb+srv://cluster.example/inventory',
  ])('takes %s', (url) => {
    expect(mongoUrl.safeParse(url).success).toBe(true);
  });

  it.each([
    'mongodb://127.0.0.1:27017',
    'mongodb://127.0.0.1:27017/',
    'mongodb://a/?replicaSet=rs0',
    'postgres://a/b',
  ])('refuses %s, which names no MongoDB database, and says what it wants', (url) => {
    expect(mongoUrl.safeParse(url).error?.issues[0]?.message).toContain('<database name>');
  });
});
