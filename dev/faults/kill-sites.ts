import { type LinkName, links, type Party } from './faulty-mesh.ts';
import type { Direction } from './link.ts';

/**
 * The kill points of an upload, over real processes, sockets and databases (decision 20; issue "exactly once").
 *
 * Why this is all of them: whatever a process of the journey awaits is a message on one of the links of `links` (the
 * phone's request, a gRPC call, a statement; the rest is computation). A process that dies or loses its network between
 * two messages is, to everybody else, one that did so right before its next message or right after its last one. So
 * each frame of each link, in each direction, is one point, and there the link fails, its sender dies or its receiver
 * dies, once with the frame withheld and once with the frame delivered. A third process that dies at that moment is
 * between two messages of its own and thus at a point of one of its own links. Frames are counted until the journey ends
 * without reaching the next: none can be left out, whatever grpc-js or pg put into frames of their own.
 */

export const manners = ['cut', 'lose', 'kill-sender', 'kill-receiver'] as const;
/** `cut`: the connection breaks. `lose`: it stays open and silent for ever. */
export type Manner = (typeof manners)[number];

export const journeys = {
  /** The phone asks for its TAN. */
  tan: [
    'phone→gateway',
    'gateway→verification',
    'verification→test-result',
    'verification→postgres',
    'test-result→postgres',
  ],
  /** The phone uploads. */
  upload: [
    'phone→gateway',
    'gateway→submission',
    'submission→verification',
    'submission→postgres',
    'verification→postgres',
  ],
  /** Other keys come while the TAN is reserved for keys that were never stored. */
  takeover: [
    'phone→gateway',
    'gateway→submission',
    'submission→verification',
    'submission→postgres',
    'verification→postgres',
  ],
} as const satisfies Record<string, readonly LinkName[]>;
export type Journey = keyof typeof journeys;

/**
 * What happens after the fault: the phone repeats the same; comes with other keys; stays away for a while; or, as shipped
 * apps do, begins anew with the next TAN (a session may pay twice).
 */
const sequels = ['same keys', 'other keys', 'sweeper, then same keys', 'new TAN, same keys'] as const;
export type Sequel = (typeof sequels)[number];

export interface Site {
  readonly journey: Journey;
  readonly link: LinkName;
  readonly direction: Direction;
  readonly when: 'before' | 'after';
  readonly manner: Manner;
  readonly sequel: Sequel;
}

/** Every place of a journey where something can fail, in every manner; each is then tried frame by frame. */
export function sitesOf(journey: Journey): Site[] {
  return journeys[journey].flatMap((link) =>
    (['request', 'reply'] as const).flatMap((direction) =>
      (['before', 'after'] as const).flatMap((when) =>
        manners
          .filter((manner) => victimOf({ link, direction, manner }) !== 'phone')
          // A frame that is delivered and then silence is the silence before the next frame.
          .filter((manner) => manner !== 'lose' || when === 'before')
          .flatMap((manner) =>
            sequelsOf(journey, manner).map((sequel) => ({ journey, link, direction, when, manner, sequel })),
          ),
      ),
    ),
  );
}

/** Whose keys come next is a question of uploads alone; what a silent link leaves behind is what a cut one does, later. */
function sequelsOf(journey: Journey, manner: Manner): readonly Sequel[] {
  if (journey !== 'upload') return ['same keys'];
  return manner === 'lose' ? ['same keys', 'other keys'] : sequels;
}

/** Who dies; nobody when only the link fails. A phone that dies is a link that is cut. */
export function victimOf({
  link,
  direction,
  manner,
}: Pick<Site, 'link' | 'direction' | 'manner'>): Party | 'phone' | undefined {
  const ends = links.find(([caller, called]) => `${caller}→${called}` === link) ?? (['phone', 'gateway'] as const);
  const [sender, receiver] = direction === 'request' ? ends : ([ends[1], ends[0]] as const);
  if (manner === 'kill-sender') return sender;
  return manner === 'kill-receiver' ? receiver : undefined;
}
