import { openControl } from '../control/open-control.js';
import type { NamedDatabases } from '../databases/named-databases.js';
import { changeTopic } from '../names/bridge-names.js';
import { type Endpoint, sourcesOf, targetsOf } from '../pipelines/endpoint.js';
import { isTwoWay, type Pipeline } from '../pipelines/pipeline.schema.js';
import type { DueSnapshot } from '../sources/snapshot-signal.js';

/**
 * Asks for sweeps where rows that are about to be read are not enough: of a table that was captured before, nobody
 * tells what was deleted meanwhile, and a snapshot that is not in chunks may be cut off.
 * @param database the one that is read, by its name
 * @param made topics that were not there before
 */
export async function requestDueSweeps(
  database: string,
  due: readonly DueSnapshot[],
  made: ReadonlySet<string>,
  pipelines: readonly Pipeline[],
  databases: NamedDatabases,
): Promise<void> {
  for (const pipeline of pipelines) {
    const [source] = sourcesOf(pipeline);
    const snapshot = due.find(({ name }) => name === source?.name);
    if (isTwoWay(pipeline) || source?.database !== database || !snapshot) continue;
    if (made.has(topicOf(source, databases)) && !snapshot.isBlocking) continue;
    const control = openControl(targetsOf(pipeline)[0] as Endpoint, databases);
    await control.requestSweep(pipeline.name, `${snapshot.name} is captured anew`);
  }
}

function topicOf({ kind, database, name }: Endpoint, databases: NamedDatabases): string {
  const path = kind === 'mongo' ? `${databases.mongo(database).db.databaseName}.${name}` : name;
  return changeTopic(database, path);
}
