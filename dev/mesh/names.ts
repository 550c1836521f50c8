/** The processes of the mesh and what starts them, in the order in which they are stopped last. */
export const scripts = {
  'test-result': 'svc/test-result/main.ts',
  verification: 'svc/verification/main.ts',
  submission: 'svc/submission/main.ts',
  distribution: 'svc/distribution/main.ts',
  gateway: 'gateway/main.ts',
  'ops-api': 'ops-api/main.ts',
  prober: 'svc/prober/main.ts',
} as const;

export type Name = keyof typeof scripts;
export const names = Object.keys(scripts) as Name[];
export const prefixOf = (name: Name): string => name.replaceAll('-', '_').toUpperCase();
