export type { DeployStep } from './deploy-step.js';
export { JITS, type Jit } from './jvm.js';
export { provisionMongo } from './mongo/provision-mongo.js';
export { provisionPostgres } from './postgres/provision-postgres.js';
export { tailOf } from './processes/log-tail.js';
export { requireCompatibility } from './registry/registry-rules.js';
export { RuntimeError, type Runtimes, resolveRuntimes } from './runtimes/index.js';
export { SERVICES, type ServiceDeclaration } from './services/declarations.js';
export {
  type Hosts,
  infrastructureEndpoints,
  type StackAddresses,
  type StackEndpoints,
} from './settings/endpoints.js';
export { parsePortBase } from './settings/port-base.js';
export { type Env, portOf, readStackEnv, required } from './settings/stack-env.js';
export { reasonOf, StackError, type StackErrorCode } from './stack.error.js';
export { openStack, Stack } from './stack.js';
export type { StackOptions, UpOptions, UpResult } from './stack.options.js';
export type { PartStatus } from './stack-status.js';
export { READY } from './stack-tree.js';
export * from './tree/resource.js';
export { type OnProgress, type Progress, startTree } from './tree/start-tree.js';
