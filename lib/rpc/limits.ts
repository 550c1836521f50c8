/** Largest message that either side takes, unless told otherwise. */
export const defaultMaxMessageBytes = 16 * 1024 * 1024;

/** Bytes in flight of one stream; Node's own 64 KiB makes large chunks wait for a window update each. */
export const flowControlWindow = 1024 * 1024;

/** Work that has less time than this cannot be finished and is not begun. */
export const leastUsefulMs = 10;

/** Time kept back from the caller's deadline, so that the failure can still be told. */
export const deadlineMarginMs = 50;
