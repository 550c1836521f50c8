import { AsyncLocalStorage } from 'node:async_hooks';

const synthetic = new AsyncLocalStorage<true>();

/** Does the work on behalf of the prober. */
export const syntheticWork = <T>(work: () => T): T => synthetic.run(true, work);

/**
 * Whether the prober is behind what is done now. For what is measured deep inside, such as transactions: its journeys
 * are told to the second, and whoever subtracts them from a counter in steps would see single people in the rest.
 */
export const isSynthetic = (): boolean => synthetic.getStore() === true;
