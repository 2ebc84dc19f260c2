/** The service's `Codec`: `constructor(@Inject(CODEC) codec: Codec)`, for its outbox. */
export const CODEC = Symbol('millrace:codec');
/** The module's `MessagingOptions`. */
export const MESSAGING_OPTIONS = Symbol('millrace:messaging-options');
