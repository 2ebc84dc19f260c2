// Generates the Prisma client into src/generated, or does nothing when the schema is the one last generated from.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const app = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const prisma = require.resolve('prisma/package.json');
const { version, bin } = require(prisma);
const stamp = join(app, 'src/generated/prisma/.generated-from');

const wanted = createHash('sha256')
  .update(version)
  .update(readFileSync(join(app, 'prisma/schema.prisma')))
  .digest('hex');
if (wanted !== lastGenerated()) {
  execFileSync(process.execPath, [join(dirname(prisma), bin.prisma), 'generate'], {
    cwd: app,
    // Quiet unless it fails: the error then carries what it said.
    stdio: 'pipe',
    env: {
      ...process.env,
      CHECKPOINT_DISABLE: '1',
      // Prisma looks for its schema engine but does not run it here: any file that exists spares the download.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    },
  });
  writeFileSync(stamp, wanted);
}

function lastGenerated() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}
