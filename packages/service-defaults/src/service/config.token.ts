/**
 * Injects the service's configuration:
 * `constructor(@Inject(CONFIG) private readonly config: OrderServiceConfig)`.
 */
export const CONFIG = Symbol('CONFIG');
