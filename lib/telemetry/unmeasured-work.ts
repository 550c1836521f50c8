import { AsyncLocalStorage } from 'node:async_hooks';

const unmeasured = new AsyncLocalStorage<true>();

/**
 * Does work of which nothing deep inside, such as a transaction, is measured. On the prober's behalf: its journeys are
 * told to the second, and whoever subtracts them from a counter in steps would see single people in the rest. In
 * retention: that a transaction found something to delete can be seen in its time, and says what a phone did long ago.
 */
export const unmeasuredWork = <T>(work: () => T): T => unmeasured.run(true, work);

export const isMeasured = (): boolean => unmeasured.getStore() === undefined;
