/** W3C trace context; sent for traced calls alone, and only between processes of the mesh. */
export const traceKey = 'traceparent';
/** Marks what the prober caused (decision 35). */
export const syntheticKey = 'cwa-synthetic';
