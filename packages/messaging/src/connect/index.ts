export {
  ConnectApi,
  type ConnectorConfig,
  type ConnectorOffset,
  type ConnectorStatus,
  ConnectRefusal,
} from './connect-api.js';
export { faultOf, isRunning, isStopped } from './connector-status.js';
export { type Deployed, deployConnector, stopConnector } from './deploy-connector.js';
