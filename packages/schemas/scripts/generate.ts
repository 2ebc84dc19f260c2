/**
 * Writes `src/generated`: the TypeScript types and the schema of each event in `avro/`, one file for each.
 * A file that is already right is left alone, so that the compiler sees no change where there is none.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Schema, typescriptOf } from './typescript-of-schema.ts';

const root = join(import.meta.dirname, '..');
const target = join(root, 'src', 'generated');

const sources = (await readdir(join(root, 'avro'))).filter((file) => file.endsWith('.avsc')).sort();
const files = new Map<string, string>();
for (const source of sources) {
  files.set(`${basename(source, '.avsc')}.ts`, typescriptOf(await schemaIn(source), `avro/${source}`));
}
files.set(
  'index.ts',
  `${[...files.keys()].map((file) => `export * from './${file.replace('.ts', '.js')}';`).join('\n')}\n`,
);

await mkdir(target, { recursive: true });
for (const file of await readdir(target)) {
  if (!files.has(file)) await rm(join(target, file), { recursive: true });
}
for (const [file, text] of files) {
  const current = await readFile(join(target, file), 'utf8').catch(() => undefined);
  if (current !== text) await writeFile(join(target, file), text);
}

async function schemaIn(source: string): Promise<Schema> {
  try {
    return JSON.parse(await readFile(join(root, 'avro', source), 'utf8')) as Schema;
  } catch (error) {
    throw new Error(`avro/${source} is not JSON`, { cause: error });
  }
}
