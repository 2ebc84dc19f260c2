import { MongoServerError } from 'mongodb';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { fromMongo, fromPostgres } from './sink.error.js';

const mongo = (code: number, ...errorLabels: string[]) =>
  fromMongo(new MongoServerError({ message: 'refused', code, errorLabels }));
const postgres = (code: string) =>
  fromPostgres(Object.assign(new pg.DatabaseError('refused', 0, 'error'), { code }));

describe('a fault of the target', () => {
  it.each([
    ['a table that is gone', postgres('42P01')],
    ['a column that is gone', postgres('42703')],
    ['a right that was revoked', postgres('42501')],
    ['a database that only reads', postgres('25006')],
    ['a password that was changed', postgres('28P01')],
    ['a right that was revoked in MongoDB', mongo(13)],
    ['a password that was changed in MongoDB', mongo(18)],
    ['a full disk', mongo(14031)],
  ])('is no row’s: %s', (_, error) => {
    expect(error).toMatchObject({ code: 'SINK_UNFIT', canRetry: true });
  });

  it.each([
    ['a value that does not fit', postgres('22003')],
    ['a check that fails', postgres('23514')],
    ['a trigger that refuses', postgres('P0001')],
    ['a validator that refuses', mongo(121)],
  ])('is not what refuses one row: %s', (_, error) => {
    expect(error).toMatchObject({ code: 'SINK_REFUSED', canRetry: false });
  });
});

it.each([10107, 13435, 189, 11602, 91, 11600])(
  'is no conflict where a member of MongoDB is not the primary, or goes: %i',
  (code) => {
    const error = mongo(code, 'TransientTransactionError');
    expect(error).toMatchObject({ code: 'SINK_UNAVAILABLE', canRetry: true, isContention: false });
  },
);

describe('a conflict', () => {
  it.each([
    ['a write conflict', mongo(112, 'TransientTransactionError')],
    ['a transaction that lived too long', mongo(251, 'TransientTransactionError')],
    ['a statement that ran too long', mongo(50)],
    ['a deadlock', postgres('40P01')],
    ['a lock that somebody holds', postgres('55P03')],
  ])('is of somebody else’s making: %s', (_, error) => {
    expect(error).toMatchObject({ code: 'SINK_CONFLICT', isContention: true });
  });

  it.each([
    ['a key that is taken', mongo(11000)],
    ['a unique value that is taken', postgres('23505')],
    ['a parent that is missing', postgres('23503')],
  ])('is of the row’s: %s', (_, error) => {
    expect(error).toMatchObject({ code: 'SINK_CONFLICT', isContention: false });
  });
});
