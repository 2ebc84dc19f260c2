export { deployConnectors } from './deploy/connectors.deploy.js';
export { bringUp } from './stack/bring-up.js';
export { openDevStack, openProjectStack } from './stack/project-stack.js';
