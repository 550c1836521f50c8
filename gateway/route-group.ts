/** What phones ask on the schedule; REST and Connect alike, real and fake alike. */
export const phoneGroups = ['upload', 'registration', 'result', 'tan'] as const;
export const routeGroups = [...phoneGroups, 'download', 'partner'] as const;

export type PhoneGroup = (typeof phoneGroups)[number];
/** Routes with one limit and one row of counters. */
export type RouteGroup = (typeof routeGroups)[number];

export const isPhoneGroup = (group: RouteGroup): group is PhoneGroup =>
  (phoneGroups as readonly RouteGroup[]).includes(group);
