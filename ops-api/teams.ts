/** The four operating teams (decision 36); a role in a token or a certificate's OU bears the same name. */
export const teams = ['ops-cwa', 'ops-verification', 'ops-infrastructure', 'ops-security'] as const;
export type Team = (typeof teams)[number];

export const isTeam = (text: string): text is Team => (teams as readonly string[]).includes(text);

/** What is not figures of one service, but the same of many processes. */
export type Section = 'services' | 'certificates' | 'capacity' | 'security';

interface Duty {
  readonly sections: readonly Section[];
  /** `own`: of the processes in `services/` that name this team; what a service measures is shown to its team alone. */
  readonly processes: 'own' | 'every';
}

/**
 * The one table of who sees what. Which services are a team's is said by the service's own file, so that a service is
 * added by one file; `teams.test.ts` holds the outcome to decision 36.
 */
export const duties: Readonly<Record<Team, Duty>> = {
  'ops-cwa': { sections: ['services', 'certificates', 'capacity'], processes: 'own' },
  'ops-verification': { sections: ['services', 'certificates', 'capacity'], processes: 'own' },
  'ops-infrastructure': { sections: ['services', 'certificates', 'capacity'], processes: 'every' },
  'ops-security': { sections: ['certificates', 'security'], processes: 'every' },
};

export const maySeeSection = (team: Team, section: Section): boolean => duties[team].sections.includes(section);
