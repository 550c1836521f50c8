/**
 * Stands in for the types of `@whatwg-node/fetch` (tsconfig `paths`): its own bring the browser's globals into every
 * file of the repository. Node has these things itself.
 */
export const fetch: typeof globalThis.fetch;
export const Request: typeof globalThis.Request;
export const Response: typeof globalThis.Response;
export const Headers: typeof globalThis.Headers;
export const URL: typeof globalThis.URL;
export function createFetch(options?: object): never;
