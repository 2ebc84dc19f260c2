/** How each step of a way through all keys is made: once, or until it goes well. */
export type Attempt = <T>(step: () => Promise<T>) => Promise<T>;

export const once: Attempt = (step) => step();
