import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extract } from 'tar';
import { download } from './download.js';
import { onPath } from './executables.js';
import type { RuntimeContext } from './runtime-context.js';

const VERSION = '3.9.11';
/** As published beside the archive, in apache-maven-3.9.11-bin.tar.gz.sha512. */
const SHA512 =
  'bcfe4fe305c962ace56ac7b5fc7a08b87d5abd8b7e89027ab251069faebee516b0ded8961445d6d91ec1985dfe30f8153268843c89aa392733d1a3ec956c9978';
const CENTRAL = 'https://repo.maven.apache.org/maven2';

/** The machine's own Maven, which knows the user's mirrors. */
export function installedMaven(context: RuntimeContext): string | undefined {
  return onPath('mvn', context.env)[0];
}

/**
 * The pinned Maven, fetched where it is not there. It reads the same user settings as an installed one;
 * `MVNW_REPOURL` names another repository to fetch it from, as for the Maven Wrapper.
 */
export async function pinnedMaven(context: RuntimeContext): Promise<string> {
  const folder = await context.cache.ensure({
    name: `maven-${VERSION}`,
    title: `Maven ${VERSION}`,
    megabytes: 40,
    fill: async (target) => {
      context.report(`Maven: none on PATH, fetching ${VERSION} (9 MB)`);
      const repository = context.env.MVNW_REPOURL ?? CENTRAL;
      const archive = join(target, 'maven.tar.gz');
      const path = `org/apache/maven/apache-maven/${VERSION}/apache-maven-${VERSION}-bin.tar.gz`;
      await download(`${repository}/${path}`, SHA512, archive, context.signal);
      await extract({ file: archive, cwd: target, strip: 1 });
      await rm(archive);
    },
  });
  return join(folder, 'bin', process.platform === 'win32' ? 'mvn.cmd' : 'mvn');
}
