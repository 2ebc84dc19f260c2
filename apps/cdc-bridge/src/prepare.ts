import { type Log, silentLog } from '@millrace/messaging';
import { loadConfig } from '@millrace/service-defaults';
import { databasesOf, prepareConfig } from './config.js';
import type { DatabaseSettings } from './databases/database-settings.js';
import { OpenDatabases } from './databases/open-databases.js';
import { Preparation } from './prepare/preparation.js';
import { loadPipelines } from './runner/load-pipelines.js';

const USAGE = 'usage: prepare.js [plan | apply | remove <pipeline> [--drop-slot] | drop-slot <database>]';
const TIMEOUT_MS = 10 * 60_000;

const tellingLog: Log = { ...silentLog, info: (message) => console.log(message) };

const [command = 'apply', ...args] = process.argv.slice(2);
try {
  const config = loadConfig(prepareConfig(process.env));
  const settings = databasesOf(config) as Required<DatabaseSettings>[];
  await using databases = new OpenDatabases(settings);
  const preparation = new Preparation({
    ...(await loadPipelines(config.PIPELINES_FILE, settings, tellingLog)),
    settings,
    databases,
    brokers: config.KAFKA_BROKERS,
    registryUrl: config.SCHEMA_REGISTRY_URL,
    connectUrl: config.CONNECT_URL,
    connectRegistryUrl: config.CONNECT_REGISTRY_URL,
    log: silentLog,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    tell: (line) => console.log(line),
  });
  await run(preparation);
} catch (error) {
  console.error(`cdc-bridge prepare: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

async function run(preparation: Preparation): Promise<void> {
  const [name] = args.filter((arg) => !arg.startsWith('--'));
  if (command === 'plan') await preparation.plan();
  else if (command === 'apply') await preparation.apply();
  else if (command === 'remove' && name) await preparation.remove(name, args.includes('--drop-slot'));
  else if (command === 'drop-slot' && name) await preparation.dropSlot(name);
  else throw new Error(USAGE);
}
